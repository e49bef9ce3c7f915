//! The area of interest as an organiser uploads it: any `GeoJSON` which holds polygons.
//!
//! What can be understood without doubt is put right and noted (open rings, winding, heights,
//! the antimeridian); what cannot is refused, with every reason at once. Whether outlines cross
//! themselves is for `PostGIS` (`area_repair.sql`).
//!
//! **Invariant:** a `ParsedArea` has at least one polygon; each ring is closed, has three or
//! more different positions, latitudes within ±90 and longitudes without jumps. Outer rings run
//! anticlockwise and holes clockwise (RFC 7946, 3.1.6). Longitudes may run on beyond ±180 (never
//! beyond ±540): the repair wraps them.
//!
//! **Invariant:** work, errors and notes are bounded, whatever was uploaded.

mod notes;
mod read;
mod refuse;

use serde::Serialize;
use serde_json::Value;

use crate::geo::ewkb::{EwkbError, polygon_to_ewkb};
use crate::geo::{Flaw, MultiPolygon, Polygon};

/// Most positions of an area, closing ones included.
pub const VERTICES_MAX: usize = 200_000;
/// Most polygons of an area.
pub const POLYGONS_MAX: usize = 10_000;
/// Most rings of an area, holes included.
pub const RINGS_MAX: usize = 50_000;
/// Most errors reported of one upload.
pub const ERRORS_MAX: usize = 20;
/// Most collections within each other.
pub const DEPTH_MAX: usize = 8;

/// An area which was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedArea {
    pub polygons: Vec<Polygon>,
    /// What was put right or should be known, one for each code.
    pub notes: Vec<Note>,
}

/// Something that was put right or should be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Stable name in `snake_case`, for programs.
    pub code: &'static str,
    /// JSON pointer to the first place.
    pub pointer: String,
    /// In how many places.
    pub count: usize,
    /// A sentence for people.
    pub detail: &'static str,
}

/// Why an upload is no area: all reasons, up to [`ERRORS_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the area cannot be used: {}", .errors.first().map_or("", |flaw| flaw.detail.as_str()))]
pub struct AreaErrors {
    /// Never empty.
    pub errors: Vec<Flaw>,
    /// How many more there were.
    pub more: usize,
}

impl ParsedArea {
    /// Reads `GeoJSON`: a geometry, Feature, `FeatureCollection` or `GeometryCollection` of polygons.
    ///
    /// `pointer` is where `value` lies in what the organiser sent, such as `/area`.
    pub fn parse(value: &Value, pointer: &str) -> Result<Self, AreaErrors> {
        read::area(value, pointer)
    }

    /// Each polygon as EWKB with SRID 4326, for `unnest($1::bytea[])` in `area_repair.sql`.
    pub fn to_ewkb_polygons(&self) -> Result<Vec<Vec<u8>>, EwkbError> {
        self.polygons.iter().map(polygon_to_ewkb).collect()
    }
}

impl From<ParsedArea> for MultiPolygon {
    fn from(area: ParsedArea) -> Self {
        Self {
            polygons: area.polygons,
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod limit_tests;
