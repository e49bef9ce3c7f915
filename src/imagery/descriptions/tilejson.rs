//! A layer as `TileJSON` 3.0.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{bounds, remarks};
use crate::imagery::model::{Layer, LayerDefinition};

/// `TileJSON` 3.0.0 of a raster layer.
#[derive(Serialize, ToSchema)]
pub struct TileJson {
    #[schema(example = "3.0.0")]
    tilejson: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// The layer's revision as a semantic version.
    #[schema(example = "2.0.0")]
    version: String,
    /// As HTML, which clients put on the map.
    attribution: String,
    #[schema(example = "xyz")]
    scheme: &'static str,
    /// One template with `{z}`, `{x}` and `{y}`.
    #[schema(min_items = 1, max_items = 1)]
    tiles: [String; 1],
    minzoom: u8,
    maxzoom: u8,
    /// West, south, east, north.
    #[schema(min_items = 4, max_items = 4)]
    bounds: [f64; 4],
    /// Longitude, latitude, zoom.
    #[schema(min_items = 3, max_items = 3)]
    center: [f64; 3],
    /// Side of a tile in pixels, as `MapLibre` reads it.
    #[serde(rename = "tileSize")]
    tile_size: u16,
    /// None, but the schema of 3.0.0 demands the member.
    #[schema(max_items = 0)]
    vector_layers: Vec<Value>,
}

impl TileJson {
    pub fn of(layer: &Layer, origin: &str) -> Self {
        let definition = &layer.definition;
        Self {
            tilejson: "3.0.0",
            name: definition.name.clone(),
            description: remarks(definition),
            version: format!("{}.0.0", layer.revision),
            attribution: html(&definition.attribution),
            scheme: "xyz",
            tiles: [format!("{origin}{}", layer.tiles())],
            minzoom: definition.min_zoom,
            maxzoom: definition.max_zoom,
            bounds: bounds(definition),
            center: centre(definition),
            tile_size: definition.tile_size,
            vector_layers: Vec::new(),
        }
    }
}

/// The middle, at the zoom that shows all of it in about one tile.
fn centre(definition: &LayerDefinition) -> [f64; 3] {
    let [west, south, east, north] = match definition.bounds {
        Some(bounds) if bounds.crosses_antimeridian() => {
            let [west, south, east, north] = bounds.edges();
            [west, south, east + 360.0, north]
        }
        _ => bounds(definition),
    };
    let lon = f64::midpoint(west, east);
    let lon = if lon > 180.0 { lon - 360.0 } else { lon };
    let least = f64::from(definition.min_zoom);
    let zoom = (360.0 / (east - west)).log2().floor();
    [
        lon,
        f64::midpoint(south, north),
        zoom.clamp(least, f64::from(definition.max_zoom)),
    ]
}

fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}
