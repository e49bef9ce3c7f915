//! Places on the Earth: tiles, boxes, points, polygons, and which tiles cover a polygon.
//!
//! Degrees are WGS 84 (EPSG:4326), always longitude first; tile coordinates are Web Mercator
//! with y growing to the south.
//!
//! **Invariant:** pure. Nothing here reads a clock, a file, a socket or the database.
//!
//! **Invariant:** parse, don't validate: a `Tile`, `CellId`, `Bbox` or `LonLat` which exists is
//! in range.

pub mod json;
pub mod mercator;
pub mod ring;
pub mod tile;
pub mod cell;
pub mod bbox;
pub mod point;
pub mod ewkb;
pub mod geometry;
pub mod cover;

pub use bbox::Bbox;
pub use cell::CellId;
pub use cover::Cover;
pub use geometry::{Geometry, GeometryKind};
pub use json::Flaw;
pub use point::LonLat;
pub use ring::{MultiPolygon, Polygon, Position, Ring};
pub use tile::Tile;

/// The whole part of `value`; below 0 and NaN give 0, too large gives `u32::MAX`.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "std has no other float to integer conversion; `as` saturates, which is what is wanted"
)]
pub(crate) fn whole_u32(value: f64) -> u32 {
    value as u32
}
