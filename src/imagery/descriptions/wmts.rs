//! A layer as a WMTS 1.0.0 with `RESTful` tiles (OGC 07-057r7).

use std::{fmt::Write, ops::RangeInclusive};

use super::{bounds, remarks};
use crate::{
    geo::mercator::tiles_across,
    imagery::model::{Layer, LayerDefinition},
};

/// Scale of zoom 0 with tiles of 256 pixels of 0.28 mm (OGC 07-057r7, annex E.4).
const SCALE_OF_WORLD: f64 = 559_082_264.028_717_8;
const PIXELS: f64 = 256.0;
/// Left upper corner of the world in metres of EPSG:3857.
const CORNER: &str = "-20037508.3427892 20037508.3427892";

/// What is told of the images: guessed from the source's address, since a source may send any.
/// Clients tell images by their bytes.
const FORMATS: [(&str, [&str; 3]); 4] = [
    ("image/jpeg", [".jpg", ".jpeg", "jpeg"]),
    ("image/webp", [".webp", "/webp", "=webp"]),
    ("image/avif", [".avif", "/avif", "=avif"]),
    ("image/png", [".png", "/png", "=png"]),
];
const FORMAT_OTHERWISE: &str = "image/png";

/// The capabilities document. `origin` is where clients reach the server.
pub fn capabilities(layer: &Layer, origin: &str) -> String {
    let definition = &layer.definition;
    let (name, key) = (xml(&definition.name), xml(&definition.key));
    let remarks = remarks(definition)
        .map(|text| format!("\n    <ows:Abstract>{}</ows:Abstract>", xml(&text)))
        .unwrap_or_default();
    let access = definition.licence.as_deref().unwrap_or("none");
    let provider = match definition.attribution.trim() {
        "" => &definition.name,
        attribution => attribution,
    };
    let own = xml(&format!(
        "{origin}/v1/imagery/{}/WMTSCapabilities.xml",
        definition.key
    ));
    let [west, south, east, north] = bounds(definition);
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Capabilities xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows="http://www.opengis.net/ows/1.1" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.0.0">
  <ows:ServiceIdentification>
    <ows:Title>{name}</ows:Title>{remarks}
    <ows:ServiceType>OGC WMTS</ows:ServiceType>
    <ows:ServiceTypeVersion>1.0.0</ows:ServiceTypeVersion>
    <ows:Fees>none</ows:Fees>
    <ows:AccessConstraints>{access}</ows:AccessConstraints>
  </ows:ServiceIdentification>
  <ows:ServiceProvider>
    <ows:ProviderName>{provider}</ows:ProviderName>
    <ows:ServiceContact/>
  </ows:ServiceProvider>
  <Contents>
    <Layer>
      <ows:Title>{name}</ows:Title>
      <ows:WGS84BoundingBox>
        <ows:LowerCorner>{west} {south}</ows:LowerCorner>
        <ows:UpperCorner>{east} {north}</ows:UpperCorner>
      </ows:WGS84BoundingBox>
      <ows:Identifier>{key}</ows:Identifier>
      <Style isDefault="true">
        <ows:Identifier>default</ows:Identifier>
      </Style>
      <Format>{format}</Format>
      <TileMatrixSetLink>
        <TileMatrixSet>{set}</TileMatrixSet>
{limits}      </TileMatrixSetLink>
      <ResourceURL format="{format}" resourceType="tile" template="{template}"/>
    </Layer>
{matrices}  </Contents>
  <ServiceMetadataURL xlink:href="{own}"/>
</Capabilities>
"#,
        access = xml(access),
        provider = xml(provider),
        format = format_of(&definition.url_template),
        set = set_name(definition),
        limits = limits(definition),
        template = xml(&template(layer, origin)),
        matrices = matrices(definition),
    )
}

/// Our address of a tile with the holes of WMTS.
fn template(layer: &Layer, origin: &str) -> String {
    let tiles = layer
        .tiles()
        .replace("{z}", "{TileMatrix}")
        .replace("{x}", "{TileCol}")
        .replace("{y}", "{TileRow}");
    format!("{origin}{tiles}")
}

fn set_name(definition: &LayerDefinition) -> &'static str {
    if definition.tile_size == 256 {
        "GoogleMapsCompatible"
    } else {
        "WebMercatorQuad512"
    }
}

/// Which tiles of each zoom exist, so that clients ask for no others.
fn limits(definition: &LayerDefinition) -> String {
    let mut text = String::from("        <TileMatrixSetLimits>\n");
    for z in definition.min_zoom..=definition.max_zoom {
        let all = (0, tiles_across(z).saturating_sub(1));
        let ranges = definition.bounds.map(|bounds| bounds.tiles(z));
        let ranges = ranges.unwrap_or_default();
        let columns = span(ranges.iter().map(|range| &range.x)).unwrap_or(all);
        let rows = span(ranges.iter().map(|range| &range.y)).unwrap_or(all);
        let _infallible = write!(
            text,
            "          <TileMatrixLimits>\n            <TileMatrix>{z}</TileMatrix>\n            \
             <MinTileRow>{}</MinTileRow>\n            <MaxTileRow>{}</MaxTileRow>\n            \
             <MinTileCol>{}</MinTileCol>\n            <MaxTileCol>{}</MaxTileCol>\n          \
             </TileMatrixLimits>\n",
            rows.0, rows.1, columns.0, columns.1
        );
    }
    text.push_str("        </TileMatrixSetLimits>\n");
    text
}

/// First and last of all.
fn span<'a>(ranges: impl Iterator<Item = &'a RangeInclusive<u32>>) -> Option<(u32, u32)> {
    ranges
        .map(|range| (*range.start(), *range.end()))
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

fn matrices(definition: &LayerDefinition) -> String {
    let side = definition.tile_size;
    let mut text = format!(
        "    <TileMatrixSet>\n      <ows:Identifier>{}</ows:Identifier>\n      \
         <ows:SupportedCRS>urn:ogc:def:crs:EPSG::3857</ows:SupportedCRS>\n",
        set_name(definition)
    );
    if side == 256 {
        text.push_str(
            "      <WellKnownScaleSet>urn:ogc:def:wkss:OGC:1.0:GoogleMapsCompatible</WellKnownScaleSet>\n",
        );
    }
    // From zoom 0 on, which is where clients look for the scale set's begin.
    for z in 0..=definition.max_zoom {
        let across = tiles_across(z);
        let scale = SCALE_OF_WORLD * PIXELS / f64::from(side) / f64::from(across);
        let _infallible = write!(
            text,
            "      <TileMatrix>\n        <ows:Identifier>{z}</ows:Identifier>\n        \
             <ScaleDenominator>{scale}</ScaleDenominator>\n        \
             <TopLeftCorner>{CORNER}</TopLeftCorner>\n        <TileWidth>{side}</TileWidth>\n        \
             <TileHeight>{side}</TileHeight>\n        <MatrixWidth>{across}</MatrixWidth>\n        \
             <MatrixHeight>{across}</MatrixHeight>\n      </TileMatrix>\n"
        );
    }
    text.push_str("    </TileMatrixSet>\n");
    text
}

fn format_of(template: &str) -> &'static str {
    let template = template.to_ascii_lowercase();
    FORMATS
        .iter()
        .find(|(_, signs)| signs.iter().any(|sign| template.contains(sign)))
        .map_or(FORMAT_OTHERWISE, |(format, _)| format)
}

/// Text within an element or attribute; what XML 1.0 cannot hold is left out.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\u{0}'..='\u{8}'
            | '\u{b}'
            | '\u{c}'
            | '\u{e}'..='\u{1f}'
            | '\u{fffe}'
            | '\u{ffff}' => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}
