//! Which tiles cover an area: exactly those which overlap it with some area.
//!
//! Column by column, a tile is covered if a side of the area runs through it, or if the middle
//! line of its column lies inside the area within it: a tile through which no side runs is all
//! inside or all outside.
//!
//! Sides are straight in longitude and latitude, hence curved in Web Mercator. They are cut at
//! the column's edges *before* they are projected: within a column latitude, and so the row,
//! only rises or only falls between the two cuts. The result is exact, with no densified points.
//!
//! **Invariant:** columns come in ascending x and rows in ascending y, the order of `CellId`, so
//! work which stopped in a column goes on with [`Cover::columns_from`].
//!
//! **Invariant:** memory is proportional to the vertices, never to the tiles.

mod runs;

pub use runs::{Abreast, Missing, Run, common, without};

use super::mercator::{lon_of_x, tiles_across, x_of_lon, y_of_lat};
use super::ring::{MultiPolygon, Position};
use super::tile::{Tile, ZOOM_MAX};
use super::whole_u32;

/// Most pairs of a side and a column that it runs through: about two seconds of work.
pub const SIDE_COLUMNS_MAX: u64 = 10_000_000;

/// An overlap narrower than this part of a tile is float noise.
const NOISE_TILES: f64 = 1e-6;
/// Neither is one narrower than this many degrees (11 mm): `GeoJSON` is customarily written with
/// seven decimals, and an area drawn along tiles must not gain their neighbours by rounding.
const ROUNDING_DEG: f64 = 1e-7;

/// The tiles of one zoom which cover an area.
#[derive(Debug, Clone)]
pub struct Cover {
    z: u8,
    tolerance: f64,
    /// Ascending by `first`.
    sides: Vec<Side>,
}

/// The covered tiles of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub x: u32,
    /// First and last row of each run, both covered; ascending, with gaps between.
    pub rows: Vec<Run>,
}

/// Why an area cannot be covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CoverError {
    #[error("zoom {0} is too deep: the deepest is {ZOOM_MAX}")]
    Zoom(u8),
    #[error(
        "the outline runs through {0} columns of cells, at most {SIDE_COLUMNS_MAX} are possible: choose a smaller cell zoom or simplify the outline"
    )]
    TooDetailed(u64),
}

/// One side of a ring, from west to east.
#[derive(Debug, Clone, Copy)]
struct Side {
    /// Ends as column with fraction.
    x: [f64; 2],
    /// Ends in degrees.
    lat: [f64; 2],
    /// Columns that it runs through.
    first: u32,
    last: u32,
    /// Its polygon: inside and outside are told by the sides of one polygon, so that polygons
    /// which overlap do not cancel.
    group: usize,
}

impl Cover {
    /// Prepares the cover of `area` at zoom `z`.
    ///
    /// Longitudes may run beyond ±180 (up to ±540); latitudes beyond Web Mercator are cut off.
    pub fn new(area: &MultiPolygon, z: u8) -> Result<Self, CoverError> {
        if z > ZOOM_MAX {
            return Err(CoverError::Zoom(z));
        }
        let across = f64::from(tiles_across(z));
        let tolerance = NOISE_TILES.max(ROUNDING_DEG / 360.0 * across);
        let mut cover = Self {
            z,
            tolerance,
            sides: Vec::new(),
        };
        for (polygon, index) in area.polygons.iter().zip(0..) {
            for ring in &polygon.rings {
                for pair in ring.windows(2) {
                    for turn in [-1.0, 0.0, 1.0] {
                        cover.push(
                            pair[0],
                            pair[1],
                            turn * across,
                            3 * index + usize::from(turn > 0.0) + 2 * usize::from(turn < 0.0),
                        );
                    }
                }
            }
        }
        let side_columns = cover
            .sides
            .iter()
            .map(|side| u64::from(side.last - side.first) + 1)
            .sum();
        if side_columns > SIDE_COLUMNS_MAX {
            return Err(CoverError::TooDetailed(side_columns));
        }
        cover.sides.sort_unstable_by_key(|side| side.first);
        Ok(cover)
    }

    /// Zoom level of its tiles.
    pub fn z(&self) -> u8 {
        self.z
    }

    /// Number of tiles, without visiting each.
    pub fn count(&self) -> u64 {
        self.columns().map(|column| column.count()).sum()
    }

    /// Up to `count` of its tiles, evenly spaced in their order.
    pub fn sample(&self, count: u64) -> Vec<Tile> {
        let total = self.count();
        let count = count.min(total);
        let mut wanted = (0..count)
            .map(|n| (2 * n + 1) * total / (2 * count))
            .peekable();
        let mut tiles = Vec::new();
        let mut before = 0;
        for column in self.columns() {
            let end = before + column.count();
            while let Some(index) = wanted.next_if(|index| *index < end) {
                let row = usize::try_from(index - before).ok();
                let y = row.and_then(|row| column.ys().nth(row));
                tiles.extend(y.and_then(|y| Tile::new(self.z, column.x, y).ok()));
            }
            before = end;
        }
        tiles
    }

    /// All columns which have a covered tile, ascending.
    pub fn columns(&self) -> Columns<'_> {
        self.columns_from(0)
    }

    /// The same, beginning with column `x`.
    pub fn columns_from(&self, x: u32) -> Columns<'_> {
        Columns {
            cover: self,
            x,
            next_side: 0,
            active: Vec::new(),
        }
    }

    /// Whether a tile is covered; false at another zoom. Looks at every side once.
    pub fn contains(&self, tile: Tile) -> bool {
        if tile.z() != self.z {
            return false;
        }
        let column = self
            .columns_from(tile.x())
            .next()
            .filter(|column| column.x == tile.x());
        column.is_some_and(|column| {
            column
                .rows
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&tile.y()))
        })
    }

    fn push(&mut self, a: Position, b: Position, turn: f64, group: usize) {
        let (a, b) = if a[0] <= b[0] { (a, b) } else { (b, a) };
        let x = [a, b].map(|[lon, _]| x_of_lon(lon, self.z) + turn);
        let Some((first, last)) = self.overlapped(x[0], x[1]) else {
            return;
        };
        self.sides.push(Side {
            x,
            lat: [a[1], b[1]],
            first,
            last,
            group,
        });
    }

    /// First and last column (or row) which the interval overlaps by more than the tolerance.
    /// An interval of no length inside a column overlaps it; on the line between two, neither.
    fn overlapped(&self, from: f64, to: f64) -> Option<(u32, u32)> {
        let first = whole_u32(from + self.tolerance);
        let end = whole_u32((to - self.tolerance).ceil()).min(tiles_across(self.z));
        (first < end).then(|| (first, end - 1))
    }

    /// Covered rows of column `x`, given the sides which run through it.
    fn rows(&self, x: u32, active: &[Side]) -> Vec<Run> {
        let west = f64::from(x);
        let middle = west + 0.5;
        let (inner_west, inner_east) = (west + self.tolerance, west + 1.0 - self.tolerance);
        let mut rows = Vec::with_capacity(active.len());
        let mut crossings: Vec<(usize, f64)> = Vec::with_capacity(active.len());
        for side in active {
            let [from, to] = [side.x[0].max(inner_west), side.x[1].min(inner_east)];
            if from <= to {
                let (a, b) = if side.x[0] < side.x[1] {
                    (side.row_at(from, self.z), side.row_at(to, self.z))
                } else {
                    (y_of_lat(side.lat[0], self.z), y_of_lat(side.lat[1], self.z))
                };
                rows.extend(self.overlapped(a.min(b), a.max(b)));
            }
            // Half open, so that a vertex on the middle line is crossed once, not twice.
            if side.x[0] <= middle && middle < side.x[1] {
                crossings.push((side.group, side.row_at(middle, self.z)));
            }
        }
        crossings.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        // A closed ring crosses a line an even number of times, so pairs never mix groups.
        for pair in crossings.chunks_exact(2) {
            rows.extend(self.overlapped(pair[0].1, pair[1].1));
        }
        merged(rows)
    }
}

impl Side {
    /// Row with fraction where the side passes column `x`, which lies between its ends.
    fn row_at(&self, x: f64, z: u8) -> f64 {
        let [west, east] = self.x;
        let part = (x - west) / (east - west);
        // Weighing both ends gives exactly the end at 0 and at 1.
        y_of_lat(self.lat[0] * (1.0 - part) + self.lat[1] * part, z)
    }
}

impl Column {
    /// Number of its covered tiles.
    pub fn count(&self) -> u64 {
        self.rows
            .iter()
            .map(|(from, to)| u64::from(to - from) + 1)
            .sum()
    }

    /// Each covered row, ascending.
    pub fn ys(&self) -> impl Iterator<Item = u32> {
        self.rows.iter().flat_map(|(from, to)| *from..=*to)
    }

    /// Longitude in degrees of its west edge at zoom `z`.
    pub fn west(&self, z: u8) -> f64 {
        lon_of_x(f64::from(self.x), z)
    }
}

/// Walks the columns of a [`Cover`] with the sides which run through the present one.
#[derive(Debug)]
pub struct Columns<'a> {
    cover: &'a Cover,
    x: u32,
    next_side: usize,
    active: Vec<Side>,
}

impl Iterator for Columns<'_> {
    type Item = Column;

    fn next(&mut self) -> Option<Column> {
        loop {
            self.active.retain(|side| side.last >= self.x);
            let coming = self.cover.sides.get(self.next_side..).unwrap_or_default();
            if self.active.is_empty() {
                // Nothing runs through the columns up to the next side, so none is covered.
                self.x = self.x.max(coming.first()?.first);
            }
            let begun = coming.partition_point(|side| side.first <= self.x);
            let running = coming.iter().take(begun).filter(|side| side.last >= self.x);
            self.active.extend(running);
            self.next_side += begun;

            let x = self.x;
            let rows = self.cover.rows(x, &self.active);
            self.x += 1;
            if !rows.is_empty() {
                return Some(Column { x, rows });
            }
        }
    }
}

/// Sorts runs and joins those which overlap or follow each other.
pub fn merged(mut rows: Vec<Run>) -> Vec<Run> {
    rows.sort_unstable();
    rows.dedup_by(|next, kept| {
        let joins = next.0 <= kept.1.saturating_add(1);
        if joins {
            kept.1 = kept.1.max(next.1);
        }
        joins
    });
    rows
}

#[cfg(test)]
mod tests;
