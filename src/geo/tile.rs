//! Tiles of the Web-Mercator pyramid.
//!
//! **Invariant:** a `Tile` has `z ≤ 26` and `x, y < 2^z`; every constructor checks it.

use std::f64::consts::TAU;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::bbox::Bbox;
use super::mercator::{EARTH_RADIUS_M, lat_of_y, lon_of_x, tiles_across, x_of_lon, y_of_lat};
use super::whole_u32;

/// Deepest zoom: a tile of 0.6 m at the equator, and x and y well inside their 29 bits.
pub const ZOOM_MAX: u8 = 26;

/// One Web-Mercator tile; y grows to the south (XYZ, not TMS). As text and JSON: `"z/x/y"`.
///
/// Orders as `(z, x, y)`, like [`super::CellId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tile {
    pub(super) z: u8,
    pub(super) x: u32,
    pub(super) y: u32,
}

/// Why something is not a tile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    #[error("a tile is written z/x/y with three whole numbers, such as 17/70406/42987")]
    Shape,
    #[error("zoom {0} is too deep: the deepest is {ZOOM_MAX}")]
    Zoom(u64),
    #[error("{axis} {value} is outside zoom {z}, where it ends at {}", tiles_across(*.z) - 1)]
    Axis { axis: char, value: u64, z: u8 },
}

impl Tile {
    /// The one tile of zoom 0.
    pub const WORLD: Self = Self { z: 0, x: 0, y: 0 };

    /// The tile `z/x/y`, if it exists.
    pub fn new(z: u8, x: u32, y: u32) -> Result<Self, TileError> {
        if z > ZOOM_MAX {
            return Err(TileError::Zoom(z.into()));
        }
        for (axis, value) in [('x', x), ('y', y)] {
            if value >= tiles_across(z) {
                return Err(TileError::Axis {
                    axis,
                    value: value.into(),
                    z,
                });
            }
        }
        Ok(Self { z, x, y })
    }

    /// The tile at zoom `z` that holds a place; its west and north edges belong to it.
    ///
    /// Longitudes wrap; latitudes beyond Web Mercator fall into the first or last row.
    pub fn containing(lon: f64, lat: f64, z: u8) -> Result<Self, TileError> {
        if z > ZOOM_MAX {
            return Err(TileError::Zoom(z.into()));
        }
        let lon = if (-180.0..180.0).contains(&lon) {
            lon
        } else {
            (lon + 180.0).rem_euclid(360.0) - 180.0
        };
        let end = tiles_across(z) - 1;
        Ok(Self {
            z,
            x: whole_u32(x_of_lon(lon, z)).min(end),
            y: whole_u32(y_of_lat(lat, z)).min(end),
        })
    }

    /// Zoom level, 0 is the whole world.
    pub fn z(self) -> u8 {
        self.z
    }

    /// Column, counted from 180° W.
    pub fn x(self) -> u32 {
        self.x
    }

    /// Row, counted from the north.
    pub fn y(self) -> u32 {
        self.y
    }

    /// Row counted from the south, as TMS sources number them (`{-y}`).
    pub fn tms_y(self) -> u32 {
        tiles_across(self.z) - 1 - self.y
    }

    /// Bing's name of the tile: one digit 0..=3 for each zoom level, empty at zoom 0.
    pub fn quadkey(self) -> String {
        (0..self.z)
            .rev()
            .map(|bit| match (self.x >> bit & 1, self.y >> bit & 1) {
                (0, 0) => '0',
                (1, 0) => '1',
                (0, _) => '2',
                _ => '3',
            })
            .collect()
    }

    /// Its edges in degrees.
    pub fn bbox(self) -> Bbox {
        let (x, y) = (f64::from(self.x), f64::from(self.y));
        Bbox::of_edges([
            lon_of_x(x, self.z),
            lat_of_y(y + 1.0, self.z),
            lon_of_x(x + 1.0, self.z),
            lat_of_y(y, self.z),
        ])
    }

    /// Its middle as longitude and latitude in degrees.
    pub fn centre(self) -> (f64, f64) {
        (
            lon_of_x(f64::from(self.x) + 0.5, self.z),
            lat_of_y(f64::from(self.y) + 0.5, self.z),
        )
    }

    /// Length of a side on the ground in metres, at its middle.
    ///
    /// `2πR·cos(φ)/2^z`: Web Mercator stretches by `1/cos(φ)`.
    pub fn side_m(self) -> f64 {
        TAU * EARTH_RADIUS_M * self.centre().1.to_radians().cos() / f64::from(tiles_across(self.z))
    }

    /// Whether a place lies in the tile or at most `tolerance_deg` degrees outside.
    pub fn contains(self, lon: f64, lat: f64, tolerance_deg: f64) -> bool {
        let [west, south, east, north] = self.bbox().edges();
        lon >= west - tolerance_deg
            && lon <= east + tolerance_deg
            && lat >= south - tolerance_deg
            && lat <= north + tolerance_deg
    }

    /// The tile at the coarser zoom `z` that holds this one; none if `z` is finer.
    pub fn parent_at(self, z: u8) -> Option<Self> {
        let up = self.z.checked_sub(z)?;
        Some(Self {
            z,
            x: self.x >> up,
            y: self.y >> up,
        })
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.z, self.x, self.y)
    }
}

impl FromStr for Tile {
    type Err = TileError;

    fn from_str(text: &str) -> Result<Self, TileError> {
        let mut parts = text.split('/').map(whole_number);
        let (Some(Some(z)), Some(Some(x)), Some(Some(y)), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TileError::Shape);
        };
        let level = u8::try_from(z)
            .ok()
            .filter(|z| *z <= ZOOM_MAX)
            .ok_or(TileError::Zoom(z))?;
        let axis = |axis, value| {
            u32::try_from(value).ok().ok_or(TileError::Axis {
                axis,
                value,
                z: level,
            })
        };
        Self::new(level, axis('x', x)?, axis('y', y)?)
    }
}

impl TryFrom<String> for Tile {
    type Error = TileError;

    fn try_from(text: String) -> Result<Self, TileError> {
        text.parse()
    }
}

impl From<Tile> for String {
    fn from(tile: Tile) -> Self {
        let mut text = Self::with_capacity(20);
        // Writing into a String cannot fail.
        let _ = write!(text, "{tile}");
        text
    }
}

/// Digits only: `u64::from_str` would let `+1` through, and one tile must have one name.
fn whole_number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_tile() -> impl Strategy<Value = Tile> {
        (0..=ZOOM_MAX, any::<u32>(), any::<u32>()).prop_map(|(z, x, y)| {
            let across = tiles_across(z);
            Tile {
                z,
                x: x % across,
                y: y % across,
            }
        })
    }

    #[test]
    fn a_tile_is_read_from_and_written_as_z_x_y() {
        let tile: Tile = "16/56189/25355".parse().unwrap();
        assert_eq!((tile.z(), tile.x(), tile.y()), (16, 56_189, 25_355));
        assert_eq!(tile.to_string(), "16/56189/25355");
        assert_eq!(serde_json::to_string(&tile).unwrap(), "\"16/56189/25355\"");
        assert_eq!(
            serde_json::from_str::<Tile>("\"16/56189/25355\"").unwrap(),
            tile
        );
    }

    #[test]
    fn a_text_which_is_not_three_plain_numbers_is_refused() {
        for text in [
            "", "1/2", "1/2/3/4", "1/-1/0", "1/+1/0", "1/01/0", "1/ 1/0", "a/b/c", "1//1", "1/1/٣",
        ] {
            assert_eq!(text.parse::<Tile>(), Err(TileError::Shape), "{text}");
        }
    }

    #[test]
    fn the_deepest_zoom_is_accepted_and_the_next_refused() {
        assert!("26/0/0".parse::<Tile>().is_ok());
        let error = "27/0/0".parse::<Tile>().unwrap_err();
        assert_eq!(error.to_string(), "zoom 27 is too deep: the deepest is 26");
        assert_eq!("300/0/0".parse::<Tile>(), Err(TileError::Zoom(300)));
        assert_eq!(Tile::containing(0.0, 0.0, 27), Err(TileError::Zoom(27)));
    }

    #[test]
    fn the_last_column_and_row_are_accepted_and_the_next_refused() {
        assert!("3/7/7".parse::<Tile>().is_ok());
        assert_eq!(
            "3/8/0".parse::<Tile>().unwrap_err().to_string(),
            "x 8 is outside zoom 3, where it ends at 7"
        );
        assert_eq!(
            "3/0/8".parse::<Tile>().unwrap_err().to_string(),
            "y 8 is outside zoom 3, where it ends at 7"
        );
        let far = "3/99999999999/0".parse::<Tile>().unwrap_err();
        assert_eq!(
            far,
            TileError::Axis {
                axis: 'x',
                value: 99_999_999_999,
                z: 3
            }
        );
    }

    #[test]
    fn known_places_fall_into_known_tiles() {
        assert_eq!(
            Tile::containing(-0.1278, 51.5074, 10).unwrap().to_string(),
            "10/511/340"
        );
        assert_eq!(
            Tile::containing(180.0, 0.0, 1).unwrap().to_string(),
            "1/0/1"
        );
        assert_eq!(
            Tile::containing(-190.0, 89.0, 1).unwrap().to_string(),
            "1/1/0"
        );
        assert_eq!(
            Tile::containing(0.0, -90.0, 4).unwrap().to_string(),
            "4/8/15"
        );
    }

    #[test]
    fn quadkey_and_tms_follow_their_definitions() {
        let tile = Tile::new(3, 3, 5).unwrap();
        assert_eq!(tile.quadkey(), "213");
        assert_eq!(tile.tms_y(), 2);
    }

    #[test]
    fn the_side_shrinks_with_the_cosine_of_the_latitude() {
        let equator = Tile::containing(0.0, 0.0, 16).unwrap().side_m();
        let oslo = Tile::containing(10.0, 60.0, 16).unwrap().side_m();
        assert!((equator - 611.496).abs() < 0.01, "{equator}");
        assert!((oslo / equator - 0.5).abs() < 1e-3);
    }

    #[test]
    fn a_place_outside_by_less_than_the_tolerance_is_contained() {
        let tile = Tile::new(1, 1, 0).unwrap();
        assert!(tile.contains(0.0, 0.0, 0.0));
        assert!(!tile.contains(-1e-6, 10.0, 0.0));
        assert!(tile.contains(-1e-6, 10.0, 1e-5));
    }

    proptest! {
        #[test]
        fn every_tile_survives_text(tile in any_tile()) {
            prop_assert_eq!(tile.to_string().parse::<Tile>().unwrap(), tile);
        }

        #[test]
        fn a_tile_holds_its_centre_and_so_do_its_parents(tile in any_tile(), up in 0..=ZOOM_MAX) {
            let (lon, lat) = tile.centre();
            prop_assert_eq!(Tile::containing(lon, lat, tile.z).unwrap(), tile);
            if let Some(parent) = tile.parent_at(up) {
                prop_assert_eq!(Tile::containing(lon, lat, up).unwrap(), parent);
            } else {
                prop_assert!(up > tile.z);
            }
        }
    }
}
