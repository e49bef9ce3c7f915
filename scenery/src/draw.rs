//! Draws the objects' parts and their shadows into a picture.
//!
//! **Invariant:** every part is anti-aliased by its distance in pixels, so it neither
//! shimmers between zooms nor vanishes abruptly.

use super::colour::{Rgb, blend, times, under};
use super::geo::{Point, Raster, count_f32, floor_i32, index_i32};
use super::models::Part;
use super::noise::gradient;
use super::objects::{Placed, pixels_per_metre};
use super::terrain::{SHADOW_M, SUN};

/// Objects smaller than this many pixels to the metre are not drawn at all.
const FAINTEST: f32 = 0.1;

/// One part on its way to pixels.
struct Cast {
    part: Part,
    /// Its middle, in pixels.
    x: f32,
    y: f32,
    sin: f32,
    cos: f32,
    per_m: f32,
}

impl Cast {
    fn new(placed: &Placed, part: Part, raster: &Raster) -> Self {
        let per_m = pixels_per_metre(raster, placed.at);
        let (px, py) = raster.pixel(placed.at);
        let (sin, cos) = placed.heading.sin_cos();
        let x = px + (part.ahead * sin + part.right * cos) * per_m;
        let y = py - (part.ahead * cos - part.right * sin) * per_m;
        let (sin, cos) = (placed.heading + part.turn).sin_cos();
        Self {
            part,
            x,
            y,
            sin,
            cos,
            per_m,
        }
    }

    /// The part's own coordinates of a pixel, in metres.
    fn local(&self, x: f32, y: f32) -> (f32, f32) {
        let (dx, dy) = ((x - self.x) / self.per_m, (self.y - y) / self.per_m);
        (dx * self.sin + dy * self.cos, dx * self.cos - dy * self.sin)
    }

    /// Metres from the part's edge, negative inside.
    fn distance(&self, ahead: f32, right: f32) -> f32 {
        let (long, wide) = self.part.half;
        let fore = (ahead / long * 0.5 + 0.5).clamp(0.0, 1.0);
        let wide = wide * (1.0 - self.part.taper * fore).max(0.05);
        if self.part.round {
            ((ahead / long).hypot(right / wide) - 1.0) * long.min(wide)
        } else {
            (ahead.abs() - long).max(right.abs() - wide)
        }
    }

    /// The pixels which the part, moved by (`dx`, `dy`), may touch.
    fn pixels(&self, side: i32, dx: f32, dy: f32) -> impl Iterator<Item = (i32, i32)> + use<> {
        let (long, wide) = self.part.half;
        let wide = wide * (1.0 - self.part.taper.min(0.0));
        let reach = (long.hypot(wide) + self.part.ragged) * self.per_m + 1.5;
        let range = |middle: f32, d: f32| {
            let low = floor_i32(f64::from(middle + d.min(0.0) - reach)).clamp(0, side);
            let high = floor_i32(f64::from(middle + d.max(0.0) + reach) + 1.0).clamp(0, side);
            low..high
        };
        let columns = range(self.x, dx);
        range(self.y, dy).flat_map(move |y| columns.clone().map(move |x| (x, y)))
    }

    fn cover(&self, metres: f32) -> f32 {
        (0.5 - metres * self.per_m).clamp(0.0, 1.0)
    }
}

fn casts(placed: &[Placed], raster: &Raster) -> Vec<Cast> {
    let mut all = Vec::new();
    for object in placed {
        if pixels_per_metre(raster, object.at) < FAINTEST {
            continue;
        }
        let mut dice = object.dice;
        let parts = object.model.parts(&mut dice);
        all.extend(
            parts
                .into_iter()
                .map(|part| Cast::new(object, part, raster)),
        );
    }
    all
}

/// Adds the objects' shadows: each part swept from its underside to its top.
pub fn shadows(placed: &[Placed], raster: &Raster, side: i32, shadow: &mut [f32]) {
    for cast in casts(placed, raster) {
        let (low, high) = cast.part.rise;
        if high <= 0.0 {
            continue;
        }
        let far = high * SHADOW_M * cast.per_m;
        for (x, y) in cast.pixels(side, -SUN.0 * far, SUN.1 * far) {
            let (px, py) = (count_f32(x) + 0.5, count_f32(y) + 0.5);
            let mut nearest = f32::MAX;
            for step in 0..=6_i16 {
                let length = (low + (high - low) * f32::from(step) / 6.0) * SHADOW_M * cast.per_m;
                let (ahead, right) = cast.local(px + SUN.0 * length, py - SUN.1 * length);
                nearest = nearest.min(cast.distance(ahead, right));
            }
            let cell = &mut shadow[index_i32(y * side + x)];
            *cell = cell.max(cast.cover(nearest) * 0.92);
        }
    }
}

/// Draws the parts over the ground, in their own light or, lying flat, in the ground's.
pub fn objects(placed: &[Placed], raster: &Raster, side: i32, light: &[Rgb], picture: &mut [Rgb]) {
    for cast in casts(placed, raster) {
        let part = &cast.part;
        for (x, y) in cast.pixels(side, 0.0, 0.0) {
            let (px, py) = (count_f32(x) + 0.5, count_f32(y) + 0.5);
            let (ahead, right) = cast.local(px, py);
            let mut edge = cast.distance(ahead, right);
            if part.ragged > 0.0 {
                edge += part.ragged * torn(raster.place(f64::from(px), f64::from(py)));
            }
            let cover = cast.cover(edge) * part.opaque;
            if cover <= 0.0 {
                continue;
            }
            let at = index_i32(y * side + x);
            let lit = if part.rise.1 > 0.15 {
                let side_on = (right / part.half.1).clamp(-1.0, 1.0) * part.bulge;
                let to_sun = cast.cos * SUN.0 - cast.sin * SUN.1;
                super::colour::daylight((1.0 + side_on * to_sun * 0.7).max(0.1))
            } else {
                times(light[at], 1.0)
            };
            picture[at] = blend(picture[at], under(part.albedo, lit), cover);
        }
    }
}

/// How torn earth and trodden snow end: two octaves, in about -1..1.
fn torn(p: Point) -> f32 {
    gradient(p.scaled(1.0 / 2.3), 0x70) * 0.8 + gradient(p.scaled(1.0 / 0.8), 0x71) * 0.6
}
