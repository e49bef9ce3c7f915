//! A layer as it is given, kept and shown.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{recognise::recognise, template::Template};
use crate::{
    geo::{Bbox, Tile},
    http::{
        FieldErrors, Problem,
        limits::{KEY_CHARS_MAX, is_key},
        text::check_text,
    },
};

/// A word of the API in the place of a key.
const RESERVED_KEY: &str = "probe";
/// Deepest zoom of a layer.
pub const ZOOM_MAX: u8 = 24;
/// Characters of a layer's name and of each text of its provenance.
pub const TEXT_CHARS_MAX: usize = 500;
/// Secrets of one layer.
pub const SECRETS_MAX: usize = 8;
/// Characters of one secret.
pub const SECRET_CHARS_MAX: usize = 2000;
/// Fetches that a source may be asked for at the same time, at most.
pub const CONCURRENT_FETCHES_MAX: u16 = 256;
/// Fetches that a source may be asked for each second, at most.
pub const FETCHES_PER_SECOND_MAX: u16 = 2000;
/// Hashes of blank tiles of one layer.
pub const BLANKS_MAX: usize = 16;
/// Hosts of one layer that its source may redirect to.
pub const REDIRECT_HOSTS_MAX: usize = 8;
/// Characters of a host (RFC 1035).
pub const HOST_CHARS_MAX: usize = 253;

/// What an organiser says of a layer, and all of it that may be shown.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LayerDefinition {
    /// Name in addresses: lower-case letters, digits, `-` and `_`.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = "^[a-z0-9][a-z0-9_-]*$",
        example = "survey-2019"
    )]
    pub key: String,
    #[schema(min_length = 1, max_length = 500, example = "Aerial survey")]
    pub name: String,
    /// Address of a tile with holes: `{z}` `{x}` `{y}` or `{-y}`, `{quadkey}`, `{switch:a,b}`,
    /// WMTS `{TileMatrix}` `{TileCol}` `{TileRow}`, WMS `{bbox}` `{width}` `{height}`. Other
    /// holes name secrets. A key in the query (`?apikey=…`) is taken for a secret.
    #[schema(
        max_length = 2000,
        example = "https://tiles.example.org/{z}/{x}/{y}.jpg?key={apikey}"
    )]
    pub url_template: String,
    #[serde(default)]
    #[schema(maximum = 24, default = 0)]
    pub min_zoom: u8,
    /// Deepest zoom that the source has.
    #[serde(default = "default_max_zoom")]
    #[schema(maximum = 24, default = 19)]
    pub max_zoom: u8,
    /// Side of a tile in pixels.
    #[serde(default = "default_tile_size")]
    #[schema(default = 256, minimum = 256, maximum = 512)]
    pub tile_size: u16,
    /// Shown beside the imagery.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub attribution: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, example = "CC BY 4.0")]
    pub licence: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub licence_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, example = "WorldView-3")]
    pub sensor: Option<String>,
    /// Id of the image in its provider's catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub catalogue_id: Option<String>,
    /// When the image was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub acquired_at: Option<Timestamp>,
    /// Metres on the ground that one pixel covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(exclusive_minimum = 0, maximum = 100_000)]
    pub ground_sample_distance_m: Option<f64>,
    /// Where the layer has imagery: west, south, east, north. Tiles outside are not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<f64>>, min_items = 4, max_items = 4)]
    pub bounds: Option<Bbox>,
    /// Fetches that the source is asked for at the same time, by all servers together.
    #[serde(default = "default_concurrent_fetches")]
    #[schema(minimum = 1, maximum = 256, default = 16)]
    pub max_concurrent_fetches: u16,
    /// Fetches that it is asked for each second, by all servers together.
    #[serde(default = "default_fetches_per_second")]
    #[schema(minimum = 1, maximum = 2000, default = 50)]
    pub max_fetches_per_second: u16,
    /// SHA-256 of the tiles that the source sends where it has nothing, in hexadecimal digits. They
    /// count as missing.
    #[serde(default)]
    #[schema(max_items = 16)]
    pub blank_sha256: Vec<String>,
    /// Hosts that the source may redirect to, beside its own.
    #[serde(default)]
    #[schema(max_items = 8, example = json!(["cdn.example.org"]))]
    pub redirect_hosts: Vec<String>,
    /// Values of the template's secret holes by name. Never shown again.
    #[serde(default, skip_serializing)]
    #[schema(write_only, example = json!({"apikey": "…"}))]
    pub secrets: BTreeMap<String, String>,
}

fn default_max_zoom() -> u8 {
    19
}

fn default_tile_size() -> u16 {
    256
}

fn default_concurrent_fetches() -> u16 {
    16
}

fn default_fetches_per_second() -> u16 {
    50
}

impl LayerDefinition {
    /// Whether the tiles of both are the same.
    pub fn has_tiles_of(&self, other: &Self) -> bool {
        self.url_template == other.url_template
            && self.secrets == other.secrets
            && self.tile_size == other.tile_size
            && self.blank_sha256 == other.blank_sha256
    }
}

/// A layer as it is kept, with its secrets.
#[derive(Clone, Debug)]
pub struct Layer {
    pub id: Uuid,
    pub revision: i32,
    /// The revision in which its tiles became others. They are kept under it, so that a change of a
    /// name or a limit leaves them where they are.
    pub tiles_revision: i32,
    pub definition: LayerDefinition,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A layer as organisers see it.
#[derive(Serialize, ToSchema)]
pub struct LayerView {
    /// Grows with each change; it is the ETag.
    pub revision: i32,
    #[serde(flatten)]
    pub definition: LayerDefinition,
    /// Names of the secrets that are kept. Their values are never shown.
    pub secret_names: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl Layer {
    pub fn view(&self) -> LayerView {
        LayerView {
            revision: self.revision,
            definition: self.definition.clone(),
            secret_names: self.definition.secrets.keys().cloned().collect(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    /// Where our pages find the tiles: an address of our own, which changes with them.
    pub fn tiles(&self) -> String {
        format!(
            "/v1/imagery/{}/{{z}}/{{x}}/{{y}}?v={}",
            self.definition.key, self.tiles_revision
        )
    }
}

/// A layer whose members were checked and whose secrets were taken out of the address.
pub struct Checked {
    pub definition: LayerDefinition,
}

impl Checked {
    pub fn new(mut new: LayerDefinition, allow_internal: bool) -> Result<Self, Problem> {
        let mut errors = FieldErrors::default();
        let is_free = is_key(&new.key) && new.key != RESERVED_KEY;
        errors.need(is_free, "/key", || {
            format!(
                "found {:?}; 1 to {KEY_CHARS_MAX} lower-case letters, digits, - and _ are needed, and not a word of the API",
                new.key
            )
        });
        let found = recognise(&new.url_template);
        new.url_template = found.template;
        new.secrets.extend(found.secrets);
        check_address(&mut errors, &mut new, allow_internal);
        check_zooms(&mut errors, &new);
        check_source(&mut errors, &mut new);
        check_texts(&mut errors, &new);
        errors.into_result().map_err(|errors| {
            Problem::unprocessable(
                "layer_refused",
                "This layer cannot work; `errors` says why.",
                errors,
            )
        })?;
        Ok(Self { definition: new })
    }
}

fn check_address(errors: &mut FieldErrors, new: &mut LayerDefinition, allow_internal: bool) {
    let Some(template) = Template::parse(&new.url_template, errors) else {
        return;
    };
    let needed: Vec<&str> = template.secrets().collect();
    for name in &needed {
        errors.need(new.secrets.contains_key(*name), "/secrets", || {
            format!("the template names the secret {{{name}}}; give its value in `secrets`")
        });
    }
    new.secrets
        .retain(|name, _| needed.contains(&name.as_str()));
    errors.need(new.secrets.len() <= SECRETS_MAX, "/secrets", || {
        format!(
            "found {} secrets; {SECRETS_MAX} are allowed",
            new.secrets.len()
        )
    });
    for (name, value) in &new.secrets {
        check_text(errors, &format!("/secrets/{name}"), value, SECRET_CHARS_MAX);
    }
    let example = template.address(Tile::WORLD, 256, &new.secrets);
    let allowed =
        url::Url::parse(&example).is_ok_and(|url| super::guard::allows(&url, allow_internal));
    errors.need(allowed, "/url_template", || {
        "it leads to an internal address; set ALLOW_INTERNAL_SOURCES to use such a source"
            .to_owned()
    });
}

fn check_zooms(errors: &mut FieldErrors, definition: &LayerDefinition) {
    errors.need(definition.max_zoom <= ZOOM_MAX, "/max_zoom", || {
        format!("found {}; {ZOOM_MAX} is the deepest", definition.max_zoom)
    });
    errors.need(
        definition.min_zoom <= definition.max_zoom,
        "/min_zoom",
        || {
            format!(
                "found {}, deeper than max_zoom {}",
                definition.min_zoom, definition.max_zoom
            )
        },
    );
    errors.need(
        matches!(definition.tile_size, 256 | 512),
        "/tile_size",
        || format!("found {}; 256 or 512 are possible", definition.tile_size),
    );
    errors.need(
        definition
            .ground_sample_distance_m
            .is_none_or(|m| m > 0.0 && m <= 100_000.0),
        "/ground_sample_distance_m",
        || "it is metres on the ground for one pixel: more than 0, 100000 at most".to_owned(),
    );
}

fn check_source(errors: &mut FieldErrors, new: &mut LayerDefinition) {
    for (pointer, found, most) in [
        (
            "/max_concurrent_fetches",
            new.max_concurrent_fetches,
            CONCURRENT_FETCHES_MAX,
        ),
        (
            "/max_fetches_per_second",
            new.max_fetches_per_second,
            FETCHES_PER_SECOND_MAX,
        ),
    ] {
        errors.need((1..=most).contains(&found), pointer, || {
            format!("found {found}; 1 to {most} are possible")
        });
    }
    errors.need(
        new.blank_sha256.len() <= BLANKS_MAX,
        "/blank_sha256",
        || {
            format!(
                "found {} hashes; {BLANKS_MAX} are allowed",
                new.blank_sha256.len()
            )
        },
    );
    errors.need(
        new.redirect_hosts.len() <= REDIRECT_HOSTS_MAX,
        "/redirect_hosts",
        || {
            format!(
                "found {} hosts; {REDIRECT_HOSTS_MAX} are allowed",
                new.redirect_hosts.len()
            )
        },
    );
    for (n, hash) in new.blank_sha256.iter_mut().enumerate() {
        hash.make_ascii_lowercase();
        let is_hash = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        errors.need(is_hash, &format!("/blank_sha256/{n}"), || {
            "it must be 64 hexadecimal digits, as sha256sum prints them".to_owned()
        });
    }
    for (n, host) in new.redirect_hosts.iter_mut().enumerate() {
        let read = (host.len() <= HOST_CHARS_MAX)
            .then(|| url::Host::parse(host).ok())
            .flatten();
        match read {
            Some(read) => *host = read.to_string(),
            None => errors.push(
                format!("/redirect_hosts/{n}"),
                "it must be the name of a host, such as cdn.example.org, without scheme and path",
            ),
        }
    }
}

fn check_texts(errors: &mut FieldErrors, definition: &LayerDefinition) {
    errors.need(!definition.name.trim().is_empty(), "/name", || {
        "found an empty name".to_owned()
    });
    let texts = [
        ("/name", Some(&definition.name)),
        ("/attribution", Some(&definition.attribution)),
        ("/licence", definition.licence.as_ref()),
        ("/licence_url", definition.licence_url.as_ref()),
        ("/sensor", definition.sensor.as_ref()),
        ("/catalogue_id", definition.catalogue_id.as_ref()),
        ("/url_template", Some(&definition.url_template)),
    ];
    for (pointer, text) in texts {
        let chars_max = if pointer == "/url_template" {
            super::template::TEMPLATE_BYTES_MAX
        } else {
            TEXT_CHARS_MAX
        };
        if let Some(text) = text {
            check_text(errors, pointer, text, chars_max);
        }
    }
    if let Some(address) = &definition.licence_url {
        let is_web =
            url::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        errors.need(is_web, "/licence_url", || {
            "it must begin with https:// or http://".to_owned()
        });
    }
}
