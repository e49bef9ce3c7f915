//! Tiles and places, computed anew here: the tests must not believe the code they test.

use std::{f64::consts::PI, fmt};

/// A cell: a Web-Mercator tile.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Cell {
    pub z: u32,
    pub x: u32,
    pub y: u32,
}

impl Cell {
    /// How far another cell is, in cells each way.
    pub fn distance(self, other: Self) -> u32 {
        self.x.abs_diff(other.x).max(self.y.abs_diff(other.y))
    }

    /// The cell that contains a place.
    pub fn at(z: u32, lon: f64, lat: f64) -> Self {
        let across = f64::from(1_u32 << z);
        let x = (lon + 180.0) / 360.0 * across;
        let y = (1.0 - lat.to_radians().tan().asinh() / PI) / 2.0 * across;
        Self {
            z,
            x: whole(x),
            y: whole(y),
        }
    }

    pub fn parse(text: &str) -> Self {
        let numbers: Vec<u32> = text.split('/').map(|part| part.parse().unwrap()).collect();
        Self {
            z: numbers[0],
            x: numbers[1],
            y: numbers[2],
        }
    }

    /// So many cells to the east and to the south.
    pub fn step(self, x: u32, y: u32) -> Self {
        Self {
            x: self.x + x,
            y: self.y + y,
            ..self
        }
    }

    /// The place at parts of the way from west to east and from north to south.
    pub fn place(self, east: f64, south: f64) -> [f64; 2] {
        let across = f64::from(1_u32 << self.z);
        let lon = (f64::from(self.x) + east) / across * 360.0 - 180.0;
        let lat = (PI * (1.0 - 2.0 * (f64::from(self.y) + south) / across))
            .sinh()
            .atan();
        [lon, lat.to_degrees()]
    }

    pub fn middle(self) -> [f64; 2] {
        self.place(0.5, 0.5)
    }

    /// West, south, east, north of a block whose first cell is this.
    pub fn block(self, columns: u32, rows: u32) -> [f64; 4] {
        let [west, north] = self.place(0.0, 0.0);
        let [east, south] = self.place(f64::from(columns), f64::from(rows));
        [west, south, east, north]
    }

    /// As the database packs it.
    pub fn packed(self) -> i64 {
        (i64::from(self.z) << 58) | (i64::from(self.x) << 29) | i64::from(self.y)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.z, self.x, self.y)
    }
}

/// A box as a ring, anticlockwise.
pub fn ring([west, south, east, north]: [f64; 4]) -> Vec<[f64; 2]> {
    vec![
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
    ]
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tile numbers are small and positive"
)]
fn whole(value: f64) -> u32 {
    value.floor() as u32
}
