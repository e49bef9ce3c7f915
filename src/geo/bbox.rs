//! Boxes of longitude and latitude, as in `?bbox=west,south,east,north`.
//!
//! **Invariant:** finite, longitudes within ±180, latitudes within ±90, south < north.
//! West > east means that the box crosses the antimeridian; west = east does not exist.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::mercator::{tiles_across, x_of_lon, y_of_lat};
use super::tile::ZOOM_MAX;
use super::whole_u32;

/// A box in degrees. As text `west,south,east,north`, as JSON an array of these four.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 4]", into = "[f64; 4]")]
pub struct Bbox {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

/// The tiles of one zoom which overlap a box: every row of every column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileRange {
    pub z: u8,
    pub x: RangeInclusive<u32>,
    pub y: RangeInclusive<u32>,
}

/// Why four numbers are not a box.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum BboxError {
    #[error("a bbox is four numbers: west,south,east,north in degrees")]
    Shape,
    #[error("longitude {0} is outside -180..180")]
    Longitude(f64),
    #[error("latitude {0} is outside -90..90")]
    Latitude(f64),
    #[error("south {south} must be less than north {north}")]
    NoHeight { south: f64, north: f64 },
    #[error("west and east are the same meridian, {0}")]
    NoWidth(f64),
}

impl Bbox {
    /// Checks `[west, south, east, north]`.
    pub fn new(edges: [f64; 4]) -> Result<Self, BboxError> {
        let [west, south, east, north] = edges;
        if edges.iter().any(|edge| !edge.is_finite()) {
            return Err(BboxError::Shape);
        }
        if let Some(lon) = [west, east].into_iter().find(|lon| lon.abs() > 180.0) {
            return Err(BboxError::Longitude(lon));
        }
        if let Some(lat) = [south, north].into_iter().find(|lat| lat.abs() > 90.0) {
            return Err(BboxError::Latitude(lat));
        }
        if south >= north {
            return Err(BboxError::NoHeight { south, north });
        }
        #[expect(
            clippy::float_cmp,
            reason = "only a width of exactly nothing is refused"
        )]
        let no_width = west == east || (west == 180.0 && east == -180.0);
        if no_width {
            return Err(BboxError::NoWidth(west));
        }
        Ok(Self {
            west,
            south,
            east,
            north,
        })
    }

    /// For edges which are right by construction.
    pub(crate) fn of_edges([west, south, east, north]: [f64; 4]) -> Self {
        Self {
            west,
            south,
            east,
            north,
        }
    }

    /// `[west, south, east, north]` in degrees.
    pub fn edges(self) -> [f64; 4] {
        [self.west, self.south, self.east, self.north]
    }

    pub fn crosses_antimeridian(self) -> bool {
        self.west > self.east
    }

    /// Whether a place within ±180 lies inside or on an edge.
    pub fn contains(self, lon: f64, lat: f64) -> bool {
        let across = if self.crosses_antimeridian() {
            lon >= self.west || lon <= self.east
        } else {
            lon >= self.west && lon <= self.east
        };
        across && lat >= self.south && lat <= self.north
    }

    /// Whether two boxes share some place, be it on an edge.
    pub fn overlaps(self, other: Self) -> bool {
        self.split().iter().any(|a| {
            other.split().iter().any(|b| {
                a.west <= b.east && b.west <= a.east && a.south <= b.north && b.south <= a.north
            })
        })
    }

    /// One or two boxes with west < east which together are this one.
    pub fn split(self) -> Vec<Self> {
        if !self.crosses_antimeridian() {
            return vec![self];
        }
        [
            Self {
                east: 180.0,
                ..self
            },
            Self {
                west: -180.0,
                ..self
            },
        ]
        .into_iter()
        .filter(|half| half.west < half.east)
        .collect()
    }

    /// The tiles of zoom `z` (at most 26) which it overlaps with some area, west part first.
    ///
    /// A box which lies beyond Web Mercator has none.
    pub fn tiles(self, z: u8) -> Vec<TileRange> {
        let z = z.min(ZOOM_MAX);
        let overlap = |from: f64, to: f64| {
            // A neighbour which is only touched, or overlapped by float noise, is not overlapped.
            const TOLERANCE: f64 = 1e-6;
            let first = whole_u32(from + TOLERANCE);
            let end = whole_u32((to - TOLERANCE).ceil()).min(tiles_across(z));
            (first < end).then(|| first..=end - 1)
        };
        self.split()
            .into_iter()
            .filter_map(|half| {
                let x = overlap(x_of_lon(half.west, z), x_of_lon(half.east, z))?;
                let y = overlap(y_of_lat(half.north, z), y_of_lat(half.south, z))?;
                Some(TileRange { z, x, y })
            })
            .collect()
    }
}

impl TileRange {
    /// Number of tiles.
    pub fn count(&self) -> u64 {
        let along = |range: &RangeInclusive<u32>| u64::from(range.end() - range.start()) + 1;
        along(&self.x) * along(&self.y)
    }
}

impl FromStr for Bbox {
    type Err = BboxError;

    fn from_str(text: &str) -> Result<Self, BboxError> {
        let numbers: Vec<f64> = text
            .split(',')
            .map_while(|part| part.trim().parse().ok())
            .collect();
        let edges = <[f64; 4]>::try_from(numbers).ok().ok_or(BboxError::Shape)?;
        // `map_while` stops at the first bad part, which may be a fifth.
        if text.split(',').count() != edges.len() {
            return Err(BboxError::Shape);
        }
        Self::new(edges)
    }
}

impl fmt::Display for Bbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{},{},{},{}",
            self.west, self.south, self.east, self.north
        )
    }
}

impl TryFrom<[f64; 4]> for Bbox {
    type Error = BboxError;

    fn try_from(edges: [f64; 4]) -> Result<Self, BboxError> {
        Self::new(edges)
    }
}

impl From<Bbox> for [f64; 4] {
    fn from(bbox: Bbox) -> Self {
        bbox.edges()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tile::Tile;
    use super::*;

    fn bbox(text: &str) -> Bbox {
        text.parse().ok().unwrap_or(Bbox::of_edges([f64::NAN; 4]))
    }

    #[test]
    fn a_box_is_read_from_text_and_json() {
        let parsed: Bbox = "-1.5, 50,2,51.25".parse().unwrap();
        assert_eq!(parsed, Bbox::of_edges([-1.5, 50.0, 2.0, 51.25]));
        assert_eq!(parsed.to_string(), "-1.5,50,2,51.25");
        assert_eq!(
            serde_json::from_str::<Bbox>("[-1.5,50,2,51.25]").unwrap(),
            parsed
        );
        assert_eq!(
            serde_json::to_string(&parsed).unwrap(),
            "[-1.5,50.0,2.0,51.25]"
        );
    }

    #[test]
    fn what_is_not_four_finite_numbers_is_refused() {
        for text in [
            "",
            "1,2,3",
            "1,2,3,4,5",
            "1,2,3,4,x",
            "a,b,c,d",
            "nan,0,1,1",
            "0,0,inf,1",
            "1,2,3,4,",
        ] {
            assert_eq!(text.parse::<Bbox>(), Err(BboxError::Shape), "{text}");
        }
    }

    #[test]
    fn the_ends_of_the_world_are_accepted_and_nothing_beyond() {
        assert!("-180,-90,180,90".parse::<Bbox>().is_ok());
        assert_eq!(
            "-180.1,0,0,1".parse::<Bbox>(),
            Err(BboxError::Longitude(-180.1))
        );
        assert_eq!(
            "0,0,180.1,1".parse::<Bbox>(),
            Err(BboxError::Longitude(180.1))
        );
        assert_eq!(
            "0,-90.1,1,1".parse::<Bbox>(),
            Err(BboxError::Latitude(-90.1))
        );
        assert_eq!("0,0,1,90.1".parse::<Bbox>(), Err(BboxError::Latitude(90.1)));
    }

    #[test]
    fn a_box_without_width_or_height_is_refused() {
        assert_eq!(
            "0,1,1,1".parse::<Bbox>(),
            Err(BboxError::NoHeight {
                south: 1.0,
                north: 1.0
            })
        );
        assert_eq!("5,0,5,1".parse::<Bbox>(), Err(BboxError::NoWidth(5.0)));
        assert_eq!(
            "180,0,-180,1".parse::<Bbox>(),
            Err(BboxError::NoWidth(180.0))
        );
    }

    #[test]
    fn a_box_across_the_antimeridian_splits_in_two() {
        let fiji = bbox("177,-19,-178,-16");
        assert!(fiji.crosses_antimeridian());
        assert!(
            fiji.contains(179.0, -17.0)
                && fiji.contains(-179.0, -17.0)
                && !fiji.contains(0.0, -17.0)
        );
        assert_eq!(
            fiji.split(),
            vec![bbox("177,-19,180,-16"), bbox("-180,-19,-178,-16")]
        );
        assert_eq!(bbox("180,0,-178,1").split(), vec![bbox("-180,0,-178,1")]);
    }

    #[test]
    fn the_whole_world_is_every_tile() {
        let ranges = bbox("-180,-90,180,90").tiles(3);
        assert_eq!(
            ranges,
            vec![TileRange {
                z: 3,
                x: 0..=7,
                y: 0..=7
            }]
        );
        assert_eq!(ranges.iter().map(TileRange::count).sum::<u64>(), 64);
    }

    #[test]
    fn a_box_beyond_web_mercator_has_no_tiles() {
        assert_eq!(bbox("0,86,10,90").tiles(10), vec![]);
    }

    proptest! {
        #[test]
        fn the_box_of_a_tile_overlaps_only_that_tile(z in 0..=26u8, x in any::<u32>(), y in any::<u32>()) {
            let tile = Tile::new(z, x % tiles_across(z), y % tiles_across(z)).unwrap();
            let only = TileRange { z, x: tile.x()..=tile.x(), y: tile.y()..=tile.y() };
            prop_assert_eq!(tile.bbox().tiles(z), vec![only]);
        }
    }
}
