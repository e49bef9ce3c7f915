//! Places: Web Mercator, the scene's flat metres, and the few number conversions.
//!
//! **Invariant:** one scene metre is one true metre at the demo's latitude. Elsewhere
//! the landscape is stretched as Mercator stretches it; objects never are.

use std::f64::consts::PI;

/// The middle of the demo area, the scene's origin.
pub const HOME: (f64, f64) = (-152.35, 57.625);

const EARTH_M: f64 = 40_075_016.685_578_5;

/// The side of a tile in pixels.
pub const TILE: i32 = 256;

/// Metres of the scene: x to the east, y to the north of [`HOME`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

impl Point {
    #[inline]
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    #[inline]
    pub const fn scaled(self, by: f64) -> Self {
        Self::new(self.x * by, self.y * by)
    }

    #[inline]
    pub const fn moved(self, x: f64, y: f64) -> Self {
        Self::new(self.x + x, self.y + y)
    }
}

/// The scene's length around the earth.
pub fn world_m() -> f64 {
    EARTH_M * HOME.1.to_radians().cos()
}

/// Mercator's unit square, y to the south.
pub fn unit_square(lon: f64, lat: f64) -> (f64, f64) {
    let lat = lat.clamp(-85.051_128, 85.051_128).to_radians();
    ((lon + 180.0) / 360.0, 0.5 - lat.tan().asinh() / (2.0 * PI))
}

pub fn lon_lat(p: Point) -> (f64, f64) {
    let (u0, v0) = unit_square(HOME.0, HOME.1);
    let (u, v) = (u0 + p.x / world_m(), v0 - p.y / world_m());
    (
        u * 360.0 - 180.0,
        (PI * (1.0 - 2.0 * v)).sinh().atan().to_degrees(),
    )
}

/// Scene metres in one true metre at this place.
pub fn stretch(p: Point) -> f64 {
    HOME.1.to_radians().cos() / lon_lat(p).1.to_radians().cos()
}

/// The pixels of one zoom over the scene.
#[derive(Clone, Copy, Debug)]
pub struct Raster {
    /// Scene metres in a pixel.
    pub pixel_m: f64,
    west: f64,
    north: f64,
}

impl Raster {
    /// The pixels of zoom `z`, counted from pixel (`left`, `top`) of that zoom.
    pub fn new(z: u8, left: i32, top: i32) -> Self {
        let pixel_m = world_m() / (f64::from(TILE) * f64::from(z).exp2());
        let (u0, v0) = unit_square(HOME.0, HOME.1);
        Self {
            pixel_m,
            west: f64::from(left) * pixel_m - u0 * world_m(),
            north: v0 * world_m() - f64::from(top) * pixel_m,
        }
    }

    /// The scene's place of a (fractional) pixel.
    #[inline]
    pub fn place(&self, x: f64, y: f64) -> Point {
        Point::new(self.west + x * self.pixel_m, self.north - y * self.pixel_m)
    }

    /// The (fractional) pixel of a place.
    pub fn pixel(&self, p: Point) -> (f32, f32) {
        (
            to_f32((p.x - self.west) / self.pixel_m),
            to_f32((self.north - p.y) / self.pixel_m),
        )
    }
}

/// Rounds down; `f64::floor` is a library call on plain x86-64, and this is the hot path.
#[inline]
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "noise coordinates stay far below 2^31, and `as` saturates"
)]
pub fn floor_i32(x: f64) -> i32 {
    let cut = x as i32;
    cut - i32::from(x < f64::from(cut))
}

#[inline]
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "only fractions and distances within a tile lose digits here"
)]
pub const fn to_f32(x: f64) -> f32 {
    x as f32
}

/// Pixel counts and small integers, exact in `f32`.
#[inline]
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "only counts below 2^24 are given"
)]
pub const fn count_f32(n: i32) -> f32 {
    n as f32
}

/// The upper 24 bits of a hash as a number in 0..1.
#[inline]
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "24 bits are exact in f32"
)]
pub const fn unit_f32(h: u32) -> f32 {
    (h >> 8) as f32 / 16_777_216.0
}

/// An index from a number known not to be negative; a negative one becomes 0.
#[inline]
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates at both ends, and callers index with get or clamp"
)]
pub const fn index(x: f32) -> usize {
    x as usize
}

/// The same for integers; a negative one becomes 0.
#[inline]
pub fn index_i32(n: i32) -> usize {
    usize::try_from(n).unwrap_or(0)
}

/// A small index out of the bits of a hash.
#[inline]
#[expect(
    clippy::as_conversions,
    reason = "u32 fits usize wherever this program runs"
)]
pub const fn index_u32(n: u32) -> usize {
    n as usize
}
