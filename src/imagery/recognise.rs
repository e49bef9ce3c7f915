//! What people paste as the address of tiles, as a template.

use std::collections::BTreeMap;

use super::template::extract_secrets;
use crate::geo::tile::Tile;

/// A pasted address.
#[derive(Debug, PartialEq)]
pub struct Recognised {
    /// `xyz`, `tms`, `quadkey`, `wmts` or `wms`.
    pub kind: &'static str,
    pub template: String,
    pub secrets: BTreeMap<String, String>,
    /// First and last zoom, where the address named them.
    pub zooms: Option<(u8, u8)>,
    /// The tile, where the address was that of one.
    pub tile: Option<Tile>,
}

/// Brings an address into the form of a template. What cannot be understood stays as it is.
pub fn recognise(pasted: &str) -> Recognised {
    let (rest, zooms) = without_prefix(pasted.trim());
    let rest = rest
        .replace("%7B", "{")
        .replace("%7b", "{")
        .replace("%7D", "}")
        .replace("%7d", "}")
        .replace("${", "{");
    let (rest, tile) = if rest.contains('{') {
        (rest, None)
    } else {
        with_holes(&rest).map_or((rest.clone(), None), |(template, tile)| {
            (template, Some(tile))
        })
    };
    let (template, secrets) = extract_secrets(&rest);
    Recognised {
        kind: kind(&template),
        template,
        secrets,
        zooms,
        tile,
    }
}

/// Takes off `tms:`, `wms[,20]:`, `tms[2,19]:` and the like, as OpenStreetMap's editors write.
fn without_prefix(text: &str) -> (&str, Option<(u8, u8)>) {
    let Some(scheme) = text.find("http") else {
        return (text, None);
    };
    let (prefix, address) = text.split_at(scheme);
    let Some(prefix) = prefix.strip_suffix(':') else {
        return (text, None);
    };
    let zooms = prefix.split_once('[').and_then(|(_, zooms)| {
        let zooms = zooms.strip_suffix(']')?;
        let (from, to) = zooms.split_once(',').unwrap_or(("", zooms));
        Some((from.parse().unwrap_or(0), to.parse().ok()?))
    });
    (address, zooms)
}

/// The address of one tile as a template: `…/12/656/1582.png` ends in zoom, column and row.
fn with_holes(address: &str) -> Option<(String, Tile)> {
    let path_end = address.find(['?', '#']).unwrap_or(address.len());
    let (path, rest) = address.split_at_checked(path_end)?;
    let mut parts: Vec<&str> = path.split('/').collect();
    let last = parts.pop()?;
    let digits = last
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(last.len());
    let (y, ending) = last.split_at_checked(digits)?;
    let (x, z) = (parts.pop()?, parts.pop()?);
    let tile = Tile::new(z.parse().ok()?, x.parse().ok()?, y.parse().ok()?).ok()?;
    let template = format!("{}/{{z}}/{{x}}/{{y}}{ending}{rest}", parts.join("/"));
    Some((template, tile))
}

fn kind(template: &str) -> &'static str {
    let lower = template.to_ascii_lowercase();
    let has = |hole: &str| lower.contains(hole);
    if has("{tilematrix}") {
        "wmts"
    } else if has("{bbox") {
        "wms"
    } else if has("{quadkey}") || has("{q}") || has("{u}") {
        "quadkey"
    } else if has("{-y}") {
        "tms"
    } else {
        "xyz"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_addresses_become_templates() {
        let plain = "https://t.example/{z}/{x}/{y}.png";
        for pasted in [
            plain,
            "  https://t.example/{z}/{x}/{y}.png ",
            "https://t.example/%7Bz%7D/%7Bx%7D/%7By%7D.png",
            "https://t.example/${z}/${x}/${y}.png",
            "tms:https://t.example/{z}/{x}/{y}.png",
        ] {
            let found = recognise(pasted);
            assert_eq!(found.template, plain, "{pasted}");
            assert_eq!((found.kind, found.tile), ("xyz", None));
        }
    }

    #[test]
    fn the_address_of_one_tile_becomes_a_template_and_that_tile() {
        let found = recognise("https://t.example/a/12/656/1582@2x.png?style=b&key=s3");
        assert_eq!(
            found.template,
            "https://t.example/a/{z}/{x}/{y}@2x.png?style=b&key={key}"
        );
        assert_eq!(found.tile, Tile::new(12, 656, 1582).ok());
        assert_eq!(found.secrets.get("key").map(String::as_str), Some("s3"));
        assert_eq!(recognise("https://t.example/page").tile, None);
        assert_eq!(recognise("https://t.example/3/9/1.png").tile, None);
    }

    #[test]
    fn zooms_and_kinds_are_told() {
        let josm = recognise("tms[2,19]:https://t.example/{zoom}/{x}/{-y}");
        assert_eq!((josm.zooms, josm.kind), (Some((2, 19)), "tms"));
        assert_eq!(
            recognise("wms[20]:https://t/w?bbox={bbox}").zooms,
            Some((0, 20))
        );
        assert_eq!(recognise("https://t/w?bbox={bbox}").kind, "wms");
        assert_eq!(
            recognise("https://t/{TileMatrix}/{TileRow}/{TileCol}").kind,
            "wmts"
        );
        assert_eq!(recognise("https://t/{quadkey}").kind, "quadkey");
        assert_eq!(recognise("").kind, "xyz");
    }
}
