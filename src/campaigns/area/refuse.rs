//! What is said of a file which is no area: what was found, what is needed, what to do.

use std::f64::consts::PI;

use serde_json::Value;

use crate::geo::json::position;
use crate::geo::mercator::EARTH_RADIUS_M;
use crate::geo::ring::{NOISE_DEG, Position};

pub(super) const NEEDED: &str =
    "an area is GeoJSON: a Polygon or MultiPolygon, or a Feature or FeatureCollection of these";

/// Half the side of the EPSG:3857 square in metres.
const MERCATOR_HALF_M: f64 = PI * EARTH_RADIUS_M;
/// Longitudes up to here are accepted, so that an area may run across the antimeridian.
const LON_MAX: f64 = 360.0;

/// Code and sentence if a position is not longitude and latitude in degrees.
pub(super) fn outside(at: Position) -> Option<(&'static str, impl Fn() -> String)> {
    let [x, y] = at;
    let (x_size, y_size) = (x.abs(), y.abs());
    if x_size <= LON_MAX + NOISE_DEG && y_size <= 90.0 {
        return None;
    }
    let code = if x_size > LON_MAX + NOISE_DEG || y_size > LON_MAX {
        "projected_coordinates"
    } else if x_size <= 90.0 && y_size <= 180.0 {
        "swapped_coordinates"
    } else {
        "latitude_out_of_range"
    };
    Some((code, move || match code {
        "projected_coordinates" => projected(at),
        "swapped_coordinates" => format!(
            "found [{x}, {y}]: longitude and latitude look swapped; GeoJSON has longitude first, so this would be [{y}, {x}]"
        ),
        _ => format!(
            "found the latitude {y}; latitudes are within -90..90 degrees, and GeoJSON has longitude first"
        ),
    }))
}

fn projected([x, y]: Position) -> String {
    let fits_mercator = x.abs() <= MERCATOR_HALF_M * 1.001 && y.abs() <= MERCATOR_HALF_M * 1.001;
    // False easting 500,000 m and a zone's width; northings count from the equator or from −10,000 km.
    let fits_utm = (100_000.0..=900_000.0).contains(&x) && (0.0..=10_000_000.0).contains(&y);
    let lon = (x / EARTH_RADIUS_M).to_degrees();
    let lat = (y / EARTH_RADIUS_M).sinh().atan().to_degrees();
    let needed = "GeoJSON needs longitude and latitude in degrees (EPSG:4326)";
    if fits_utm {
        format!(
            "found [{x:.1}, {y:.1}]: projected coordinates in metres, such as UTM or a national grid \
             (or EPSG:3857 metres, if the place is longitude {lon:.5}, latitude {lat:.5}); {needed}. \
             Convert the file: `ogr2ogr -s_srs EPSG:<its code> -t_srs EPSG:4326 area_4326.geojson area.geojson`"
        )
    } else if fits_mercator {
        format!(
            "found [{x:.1}, {y:.1}]: projected EPSG:3857 metres, where this is longitude {lon:.5}, \
             latitude {lat:.5}; {needed}. \
             Convert the file: `ogr2ogr -s_srs EPSG:3857 -t_srs EPSG:4326 area_4326.geojson area.geojson`"
        )
    } else {
        format!(
            "found [{x:.1}, {y:.1}]: projected coordinates; {needed}. \
             Convert the file: `ogr2ogr -s_srs EPSG:<its code> -t_srs EPSG:4326 area_4326.geojson area.geojson`"
        )
    }
}

/// A sentence if a `crs` member names anything but WGS 84.
pub(super) fn foreign_crs(crs: &Value) -> Option<String> {
    if crs.is_null() {
        return None;
    }
    let name = crs
        .pointer("/properties/name")
        .or_else(|| crs.pointer("/properties/href"));
    let name = name
        .or(Some(crs))
        .and_then(Value::as_str)
        .unwrap_or("a crs without name");
    let upper = name.to_ascii_uppercase();
    let last = upper.rsplit([':', '/']).next().unwrap_or_default();
    let known = last == "CRS84" || last == "CRS84H" || (last == "4326" && upper.contains("EPSG"));
    if known {
        return None;
    }
    let shown: String = name.chars().take(80).collect();
    Some(format!(
        "found the coordinate system {shown}; GeoJSON is always WGS 84 longitude and latitude (EPSG:4326). \
         Convert the file: `ogr2ogr -t_srs EPSG:4326 area_4326.geojson area.geojson`"
    ))
}

/// The sentence for points and lines; `found` is their `GeoJSON` type.
pub(super) fn not_an_area(found: &str, coordinates: &Value) -> String {
    let count = coordinates.as_array().map_or(0, Vec::len);
    let what = match found {
        "Point" => "a Point".to_owned(),
        "MultiPoint" => format!("a MultiPoint with {count} points"),
        "MultiLineString" => format!("a MultiLineString with {count} lines"),
        _ => format!("a LineString with {count} points"),
    };
    let advice = match found {
        "LineString" => line_advice(coordinates),
        "MultiLineString" => "Join the lines into closed outlines and turn these into polygons (QGIS: Vector → Geometry Tools → Polygonize)".to_owned(),
        _ => "Draw the outline of the place to be searched, or buffer the points (QGIS: Vector → Geoprocessing Tools → Buffer)".to_owned(),
    };
    format!("found {what}; an area must be a Polygon or MultiPolygon. {advice}")
}

fn line_advice(coordinates: &Value) -> String {
    let line: Vec<Position> = coordinates
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| position(item, String::new).ok())
        .map(|read| read.at)
        .collect();
    let (Some(first), Some(last)) = (line.first(), line.last()) else {
        return "Draw the outline of the place to be searched".to_owned();
    };
    let how = "Close the line into a polygon (QGIS: Vector → Geometry Tools → Lines to Polygons)";
    let gap = Gap::between(*first, *last);
    if line.len() > 3 && gap.size <= 0.0 {
        return format!("{how}: its two ends meet, so it is an outline already");
    }
    let length: f64 = line
        .windows(2)
        .map(|pair| Gap::between(pair[0], pair[1]).size)
        .sum();
    // A hundredth of the line: a slip of the mouse, not a missing side.
    if line.len() > 3 && gap.size * 100.0 <= length {
        return format!("{how}: its two ends nearly meet, {} apart", gap.words());
    }
    format!(
        "{how}: its two ends are {} apart, so look whether a side is missing",
        gap.words()
    )
}

/// Distance between two positions, in metres if they are degrees, else in the file's own unit.
struct Gap {
    size: f64,
    metres: bool,
}

impl Gap {
    fn between(a: Position, b: Position) -> Self {
        let metres = outside(a).is_none() && outside(b).is_none();
        let [dx, dy] = [b[0] - a[0], b[1] - a[1]];
        if !metres {
            return Self {
                size: dx.hypot(dy),
                metres,
            };
        }
        // Haversine.
        let [from, to] = [a[1].to_radians(), b[1].to_radians()];
        let h = (dy.to_radians() / 2.0).sin().powi(2)
            + from.cos() * to.cos() * (dx.to_radians() / 2.0).sin().powi(2);
        Self {
            size: 2.0 * EARTH_RADIUS_M * h.sqrt().min(1.0).asin(),
            metres,
        }
    }

    fn words(&self) -> String {
        match (self.metres, self.size) {
            (false, size) => format!("{size:.1} units"),
            (true, size) if size < 1000.0 => format!("{size:.0} m"),
            (true, size) => format!("{:.1} km", size / 1000.0),
        }
    }
}
