//! Templates of tile addresses: XYZ, TMS, quadkey, WMTS and WMS by their holes.
//!
//! Holes, as the Editor Layer Index and OGC write them: `{z}` `{zoom}` `{TileMatrix}`, `{x}`
//! `{TileCol}`, `{y}` `{TileRow}`, `{-y}`, `{quadkey}` `{q}` `{u}`, `{switch:a,b}` `{s}`,
//! `{bbox}` `{width}` `{height}` `{proj}` `{wkid}`. Any other hole names a secret.

use std::collections::BTreeMap;

use url::Url;

use crate::{
    geo::tile::Tile,
    http::{FieldErrors, limits},
};

/// Bytes of a template.
pub const TEMPLATE_BYTES_MAX: usize = 2000;
/// Half the side of the Web-Mercator world, in metres: π × 6378137.
const HALF_WORLD_M: f64 = 20_037_508.342_789_244;
/// Query parameters whose value is taken for a secret when it stands in the address itself.
const SECRET_PARAMETERS: [&str; 14] = [
    "key",
    "apikey",
    "api_key",
    "api-key",
    "token",
    "access_token",
    "accesstoken",
    "sig",
    "signature",
    "secret",
    "password",
    "auth",
    "authorization",
    "subscription-key",
];

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Zoom,
    X,
    Y,
    FlippedY,
    Quadkey,
    Switch(Vec<String>),
    Bbox,
    Width,
    Height,
    Proj,
    Wkid,
    Secret(String),
}

/// A template that was understood.
#[derive(Clone, Debug)]
pub struct Template {
    parts: Vec<Part>,
}

impl Template {
    /// Reads a template; `errors` says what is wrong with it.
    pub fn parse(text: &str, errors: &mut FieldErrors) -> Option<Self> {
        let at = "/url_template";
        if text.len() > TEMPLATE_BYTES_MAX {
            errors.push(
                at,
                format!(
                    "found {} bytes; {TEMPLATE_BYTES_MAX} are allowed",
                    text.len()
                ),
            );
            return None;
        }
        let parts = split(text, errors)?;
        let has = |wanted: fn(&Part) -> bool| parts.iter().any(wanted);
        let by_place = has(|p| *p == Part::Zoom)
            && has(|p| *p == Part::X)
            && has(|p| matches!(p, Part::Y | Part::FlippedY));
        if !(by_place || has(|p| *p == Part::Quadkey) || has(|p| *p == Part::Bbox)) {
            errors.push(
                at,
                "it must name the tile: {z}, {x} and {y} (or {-y}), or {quadkey}, or {bbox}",
            );
            return None;
        }
        let template = Self { parts };
        check_address(&template, errors)?;
        Some(template)
    }

    /// Names of the secrets that it needs.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Secret(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The address of one tile. It holds the secrets: never log or show it.
    pub fn address(
        &self,
        tile: Tile,
        tile_size: u16,
        secrets: &BTreeMap<String, String>,
    ) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Zoom => tile.z().to_string(),
                Part::X => tile.x().to_string(),
                Part::Y => tile.y().to_string(),
                Part::FlippedY => tile.tms_y().to_string(),
                Part::Quadkey => tile.quadkey(),
                Part::Switch(hosts) => pick(hosts, tile),
                Part::Bbox => bbox_3857(tile),
                Part::Width | Part::Height => tile_size.to_string(),
                Part::Proj => "EPSG:3857".to_owned(),
                Part::Wkid => "3857".to_owned(),
                Part::Secret(name) => secrets.get(name).cloned().unwrap_or_default(),
            })
            .collect()
    }
}

/// Takes secrets that stand in the query of an address out of it: `?key=abc` becomes
/// `?key={key}` and `key: abc`.
pub fn extract_secrets(text: &str) -> (String, BTreeMap<String, String>) {
    let mut found = BTreeMap::new();
    let Some((address, query)) = text.split_once('?') else {
        return (text.to_owned(), found);
    };
    let query: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, value))
                if SECRET_PARAMETERS.contains(&name.to_ascii_lowercase().as_str())
                    && !value.is_empty()
                    && !value.starts_with('{') =>
            {
                let hole: String = name.to_ascii_lowercase();
                found.insert(hole.clone(), value.to_owned());
                format!("{name}={{{hole}}}")
            }
            _ => pair.to_owned(),
        })
        .collect();
    (format!("{address}?{}", query.join("&")), found)
}

fn split(text: &str, errors: &mut FieldErrors) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((hole, after)) = after.split_once('}') else {
            errors.push("/url_template", "a { is not closed by a }");
            return None;
        };
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        parts.push(part(hole, errors)?);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Some(parts)
}

fn part(hole: &str, errors: &mut FieldErrors) -> Option<Part> {
    if let Some(hosts) = hole.strip_prefix("switch:") {
        let hosts: Vec<String> = hosts
            .split(',')
            .map(|host| host.trim().to_owned())
            .collect();
        if hosts.iter().any(String::is_empty) {
            errors.push(
                "/url_template",
                format!("{{{hole}}} needs names between its commas"),
            );
            return None;
        }
        return Some(Part::Switch(hosts));
    }
    let known = match hole.to_ascii_lowercase().as_str() {
        "z" | "zoom" | "tilematrix" => Part::Zoom,
        "x" | "tilecol" => Part::X,
        "y" | "tilerow" => Part::Y,
        "-y" => Part::FlippedY,
        "quadkey" | "q" | "u" => Part::Quadkey,
        "s" => Part::Switch(["a", "b", "c"].map(str::to_owned).to_vec()),
        "bbox" | "bbox-epsg-3857" => Part::Bbox,
        "width" => Part::Width,
        "height" => Part::Height,
        "proj" => Part::Proj,
        "wkid" => Part::Wkid,
        "tilematrixset" | "style" | "layer" | "format" | "time" => {
            errors.push(
                "/url_template",
                format!("write the value of {{{hole}}} into the address (see the service's capabilities); only the tile's own place is filled in"),
            );
            return None;
        }
        name if limits::is_key(name) => Part::Secret(name.to_owned()),
        _ => {
            errors.push("/url_template", format!("{{{hole}}} is not understood"));
            return None;
        }
    };
    Some(known)
}

/// The address must be one of the web, with a host that no hole fills but a switch.
fn check_address(template: &Template, errors: &mut FieldErrors) -> Option<()> {
    let at = "/url_template";
    let nothing = BTreeMap::new();
    let example = template.address(Tile::WORLD, 256, &nothing);
    let url = match Url::parse(&example) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
        _ => {
            errors.push(
                at,
                "it must be an address that begins with https:// or http://",
            );
            return None;
        }
    };
    if !url.username().is_empty() || url.password().is_some() {
        errors.push(at, "a name and password before the host are not sent; use a secret hole such as ?key={apikey}");
        return None;
    }
    let early_hole = template.parts.iter().scan(String::new(), |before, part| {
        let slashes = before.matches('/').count();
        if let Part::Text(text) = part {
            before.push_str(text);
        }
        Some(slashes < 3 && !matches!(part, Part::Text(_) | Part::Switch(_)))
    });
    if early_hole.into_iter().any(|early| early) {
        errors.push(
            at,
            "the host must be written out; only {switch:…} or {s} may stand in it",
        );
        return None;
    }
    Some(())
}

fn pick(hosts: &[String], tile: Tile) -> String {
    let count = u32::try_from(hosts.len()).unwrap_or(1).max(1);
    let index = usize::try_from(tile.x().wrapping_add(tile.y()) % count).unwrap_or(0);
    hosts.get(index).cloned().unwrap_or_default()
}

/// West, south, east, north in metres of EPSG:3857.
fn bbox_3857(tile: Tile) -> String {
    let side = 2.0 * HALF_WORLD_M / f64::from(1_u32 << tile.z().min(31));
    let west = -HALF_WORLD_M + f64::from(tile.x()) * side;
    let north = HALF_WORLD_M - f64::from(tile.y()) * side;
    format!(
        "{west:.6},{:.6},{:.6},{north:.6}",
        north - side,
        west + side
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(template: &str) -> String {
        let mut errors = FieldErrors::default();
        let template = Template::parse(template, &mut errors).unwrap();
        let secrets = BTreeMap::from([("apikey".to_owned(), "s3".to_owned())]);
        template.address(Tile::new(3, 5, 2).unwrap(), 256, &secrets)
    }

    #[test]
    fn each_form_of_template_gives_the_address_of_the_tile() {
        assert_eq!(address("https://t/{z}/{x}/{y}.png"), "https://t/3/5/2.png");
        assert_eq!(
            address("https://t/{zoom}/{x}/{-y}.png"),
            "https://t/3/5/5.png"
        );
        assert_eq!(address("https://t/{quadkey}"), "https://t/121");
        assert_eq!(
            address("https://{switch:a,b}.t/{z}/{x}/{y}"),
            "https://b.t/3/5/2"
        );
        assert_eq!(address("https://{s}.t/{z}/{x}/{y}"), "https://b.t/3/5/2");
        assert_eq!(
            address("https://t/wmts/{TileMatrix}/{TileRow}/{TileCol}?k={apikey}"),
            "https://t/wmts/3/2/5?k=s3"
        );
        assert_eq!(
            address("https://t/wms?bbox={bbox}&width={width}&crs={proj}"),
            "https://t/wms?bbox=5009377.085697,5009377.085697,10018754.171395,10018754.171395&width=256&crs=EPSG:3857"
        );
    }

    #[test]
    fn a_template_that_cannot_work_is_refused() {
        for bad in [
            "https://t/{z}/{x}.png",
            "ftp://t/{z}/{x}/{y}",
            "https://{host}/{z}/{x}/{y}",
            "https://{apikey}.t/{z}/{x}/{y}",
            "https://me:pw@t/{z}/{x}/{y}",
            "https://t/{z}/{x}/{y",
            "https://t/{TileMatrixSet}/{z}/{x}/{y}",
            "https://t/{switch:}/{z}/{x}/{y}",
            "{z}/{x}/{y}",
        ] {
            let mut errors = FieldErrors::default();
            assert!(Template::parse(bad, &mut errors).is_none(), "{bad}");
            assert!(!errors.is_empty(), "{bad}");
        }
    }

    #[test]
    fn a_secret_in_the_query_is_taken_out_of_the_address() {
        let (template, secrets) = extract_secrets("https://t/{z}/{x}/{y}?style=a&Key=abc");
        assert_eq!(template, "https://t/{z}/{x}/{y}?style=a&Key={key}");
        assert_eq!(secrets.get("key").map(String::as_str), Some("abc"));
    }

    #[test]
    fn a_template_has_2000_bytes_at_most() {
        let base = "https://t/{z}/{x}/{y}?";
        let mut errors = FieldErrors::default();
        let fits = format!("{base}{}", "a".repeat(TEMPLATE_BYTES_MAX - base.len()));
        assert!(Template::parse(&fits, &mut errors).is_some());
        assert!(Template::parse(&format!("{fits}a"), &mut errors).is_none());
    }
}
