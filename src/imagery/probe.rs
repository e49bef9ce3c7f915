//! An address of tiles, recognised and tried once, before it becomes a layer.

use std::{collections::BTreeMap, time::Instant};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Tiles,
    fetch::FetchError,
    model::{SECRET_CHARS_MAX, SECRETS_MAX, ZOOM_MAX},
    recognise::{Recognised, recognise},
    template::Template,
};
use crate::{
    geo::{LonLat, tile::Tile},
    http::{FieldErrors, Problem, text::check_text},
};

/// Zoom of the tile that is tried, unless the source says otherwise.
const ZOOM_TRIED: u8 = 17;
/// Tiles that are tried, each three zooms above the one before.
const TRIES_MAX: u8 = 4;
const ZOOM_STEP: u8 = 3;

/// An address to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeOf {
    /// An address with holes as for a layer; the address of one tile, a `tms[2,19]:` prefix or
    /// `%7Bz%7D` are understood too.
    #[schema(
        max_length = 2000,
        example = "https://tiles.example.org/{z}/{x}/{y}.jpg"
    )]
    url_template: String,
    /// Values of the secret holes by name.
    #[serde(default)]
    #[schema(write_only)]
    secrets: BTreeMap<String, String>,
    /// Deepest zoom that may be tried.
    #[schema(maximum = 24)]
    max_zoom: Option<u8>,
    #[schema(maximum = 24)]
    min_zoom: Option<u8>,
    /// Longitude and latitude of a place that the imagery shows.
    #[schema(min_items = 2, max_items = 2, value_type = Option<Vec<f64>>)]
    near: Option<[f64; 2]>,
    /// The very tile to try, as `z/x/y`.
    #[schema(value_type = Option<String>, example = "17/10043/39631")]
    tile: Option<Tile>,
}

/// What the address is and what came from it.
#[derive(Serialize, ToSchema)]
pub struct ProbeView {
    /// `xyz`, `tms`, `quadkey`, `wmts` or `wms`.
    #[schema(example = "xyz")]
    kind: &'static str,
    /// The address as a layer takes it, with holes in the place of secrets.
    url_template: String,
    /// Zooms that the address itself named.
    min_zoom: Option<u8>,
    max_zoom: Option<u8>,
    /// Secrets that stood in the address. Their values are never shown again.
    secrets_found: Vec<String>,
    /// The tile that came.
    #[schema(example = "17/10043/39631")]
    tile: String,
    #[schema(example = "image/jpeg")]
    media_type: &'static str,
    width: usize,
    height: usize,
    bytes: usize,
    /// Until the tile was here.
    millis: u64,
}

/// Recognises an address and fetches one tile from it.
pub async fn probe(tiles: &Tiles, of: ProbeOf) -> Result<ProbeView, Problem> {
    let mut errors = FieldErrors::default();
    check(&of, &mut errors);
    let Recognised {
        kind,
        template: text,
        mut secrets,
        zooms,
        tile: tile_in_address,
    } = recognise(&of.url_template);
    let secrets_found = secrets.keys().cloned().collect();
    secrets.extend(of.secrets.clone());
    let template = Template::parse(&text, &mut errors);
    if let Some(template) = &template {
        for name in template.secrets() {
            errors.need(secrets.contains_key(name), "/secrets", || {
                format!("the address names the secret {{{name}}}; give its value in `secrets`")
            });
        }
        let allowed = tiles.allows(&template.address(Tile::WORLD, 256, &secrets));
        errors.need(allowed, "/url_template", || {
            "it leads to an internal address; set ALLOW_INTERNAL_SOURCES to use such a source"
                .to_owned()
        });
    }
    let (Some(template), true) = (template, errors.is_empty()) else {
        return Err(Problem::unprocessable(
            "template_refused",
            "This is not an address of tiles that can be used; `errors` says why.",
            errors,
        ));
    };
    let (from, to) = zooms.unzip();
    let exact = of.tile.or(tile_in_address);
    let deepest = of.max_zoom.or(to).unwrap_or(ZOOM_TRIED).min(ZOOM_TRIED);
    let candidates = exact.map_or_else(
        || candidates(of.near, of.min_zoom.or(from).unwrap_or(0), deepest),
        |tile| vec![tile],
    );
    let mut failure = FetchError::Missing;
    for tile in candidates {
        let begun = Instant::now();
        match tiles.fetch(&template.address(tile, 256, &secrets)).await {
            Ok((bytes, image)) => {
                let size = imagesize::blob_size(&bytes).ok();
                return Ok(ProbeView {
                    kind,
                    url_template: text,
                    min_zoom: from,
                    max_zoom: to,
                    secrets_found,
                    tile: tile.to_string(),
                    media_type: image.media_type(),
                    width: size.map_or(0, |size| size.width),
                    height: size.map_or(0, |size| size.height),
                    bytes: bytes.len(),
                    millis: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
                });
            }
            Err(FetchError::Missing) => {}
            Err(e) => {
                failure = e;
                break;
            }
        }
    }
    Err(tile_failed(&failure))
}

fn check(of: &ProbeOf, errors: &mut FieldErrors) {
    errors.need(of.secrets.len() <= SECRETS_MAX, "/secrets", || {
        format!("found {}; {SECRETS_MAX} are allowed", of.secrets.len())
    });
    for (name, value) in &of.secrets {
        check_text(errors, &format!("/secrets/{name}"), value, SECRET_CHARS_MAX);
    }
    for (pointer, zoom) in [("/min_zoom", of.min_zoom), ("/max_zoom", of.max_zoom)] {
        errors.need(zoom.is_none_or(|zoom| zoom <= ZOOM_MAX), pointer, || {
            format!("{ZOOM_MAX} is the deepest")
        });
    }
    if let Some([lon, lat]) = of.near
        && let Err(e) = LonLat::new(lon, lat)
    {
        errors.push("/near", e.to_string());
    }
}

/// Tiles to try, the deepest first: the source may not reach as deep as is hoped.
fn candidates(near: Option<[f64; 2]>, shallowest: u8, deepest: u8) -> Vec<Tile> {
    let Some([lon, lat]) = near else {
        // Without a place, only the shallowest zoom has a tile that is likely to exist.
        let across = 1_u32 << shallowest;
        return Tile::new(shallowest, across / 2, across / 2)
            .into_iter()
            .collect();
    };
    (0..TRIES_MAX)
        .filter_map(|n| deepest.checked_sub(n * ZOOM_STEP))
        .filter(|zoom| *zoom >= shallowest)
        .filter_map(|zoom| Tile::containing(lon, lat, zoom).ok())
        .collect()
}

fn tile_failed(error: &FetchError) -> Problem {
    let advice = match error {
        FetchError::Missing => {
            "Check the address and its zooms, or name a place that the imagery shows."
        }
        FetchError::Status {
            status: 401 | 403, ..
        } => "Check the key in the address.",
        FetchError::NotAnImage => "Check that the address leads to single tiles.",
        _ => "Check the address, or try again later.",
    };
    let mut errors = FieldErrors::default();
    errors.push("/url_template", error.to_string());
    Problem::unprocessable(
        "tile_failed",
        format!("No test tile came: {error}. {advice}"),
        errors,
    )
}
