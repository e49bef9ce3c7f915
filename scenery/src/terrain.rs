//! The land: how high each place is and what covers it.
//!
//! **Invariant:** everything here is a function of the seed and the place. A coarser
//! step only leaves out detail which it could not show, so all zooms show one world.
//! **Invariant:** around [`super::geo::HOME`] the seed changes the details, never the
//! plan: sea in the north-east, then beach, forest, meadows and snow to the south-west.

use super::geo::{Point, lon_lat, to_f32};
use super::noise::{Octaves, gradient, octaves, ridges};

/// Where the sun stands: a unit vector to the east and north, from the south-east.
pub const SUN: (f32, f32) = (0.574, -0.819);
/// The sun's height, as the length of the shadow of a thing 1 m high.
pub const SHADOW_M: f32 = 1.55;
/// The way to the sun in three dimensions: east, north, up.
const TO_SUN: (f32, f32, f32) = (0.482, -0.688, 0.542);

/// Raw noise at a place, smooth enough to be interpolated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Field {
    /// Metres above the sea.
    pub height: f32,
    /// Isolines of these are roads and tracks.
    road: f32,
    track: f32,
    wood: f32,
    drift: f32,
    hollow: f32,
    moist: f32,
    /// Blotches of about 60 m and 23 m.
    patch: f32,
    mottle: f32,
}

/// What a place is like, ready to be painted or built on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ground {
    pub height: f32,
    /// The slope to the east and to the north, metres per metre.
    pub slope: (f32, f32),
    /// The light of the sun on this slope; 1 on the flat.
    pub shade: f32,
    /// The share of the ground under trees.
    pub wood: f32,
    pub snow: f32,
    pub lake: f32,
    /// Metres to the middle of the nearest road, with a sign for its side.
    pub road_m: f32,
    pub track_m: f32,
    pub moist: f32,
    pub rock: f32,
    /// Blotches of about 60 m and 23 m.
    pub patch: f32,
    pub mottle: f32,
}

#[derive(Clone, Copy, Debug)]
pub struct Terrain {
    seed: u32,
}

/// A soft step from 0 at `low` to 1 at `high`, which may be the lower of the two.
#[inline]
pub fn smooth(low: f32, high: f32, x: f32) -> f32 {
    // The quotient is a constant wherever this is inlined, unlike a division of x.
    let t = ((x - low) * (1.0 / (high - low))).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[inline]
pub fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

const fn waves(wave_m: f64, count: u32, gain: f32) -> Octaves {
    Octaves {
        wave_m,
        count,
        gain,
    }
}

impl Terrain {
    pub const fn new(seed: u32) -> Self {
        Self { seed }
    }

    const fn salt(self, n: u32) -> u32 {
        self.seed.wrapping_add(n.wrapping_mul(0x9E37_79B9))
    }

    /// The raw noise at `p`, without detail shorter than two steps.
    pub fn field(self, p: Point, step_m: f64) -> Field {
        let bend = waves(2_900.0, 3, 0.42);
        let (bx, by) = (
            octaves(p, self.salt(1), bend, step_m),
            octaves(p, self.salt(2), bend, step_m),
        );
        let q = p.moved(f64::from(bx) * 620.0, f64::from(by) * 620.0);
        let base = self.base(p, q, step_m);

        let inland = smooth(5.0, 240.0, base);
        let peaks = ridges(q, self.salt(3), waves(2_300.0, 6, 0.46), step_m);
        let hills = octaves(q, self.salt(4), waves(1_350.0, 6, 0.47), step_m);
        // The hollows are cut off flat: that is where lakes freeze.
        let floor = if base > 10.0 { hills.max(-0.60) } else { hills };
        let swell = mix(38.0, 62.0, smooth(-60.0, 90.0, base));
        let mut height = base + inland * (peaks + 0.55) * 150.0 + floor * swell;
        let rough = gradient(q.scaled(1.0 / 640.0), self.salt(5));
        height = coast(height, rough);
        let fine = octaves(p, self.salt(6), waves(42.0, 3, 0.5), step_m);
        height += fine * mix(0.25, 2.6, smooth(3.0, 60.0, height));

        Field {
            height,
            road: base + hills * 9.0 - 27.0,
            track: gradient(q.scaled(1.0 / 820.0), self.salt(7)) + 0.002 * (base - 60.0),
            wood: octaves(q, self.salt(8), waves(460.0, 5, 0.62), step_m),
            drift: octaves(q, self.salt(9), waves(260.0, 4, 0.6), step_m),
            hollow: hills,
            moist: octaves(q, self.salt(10), waves(380.0, 3, 0.6), step_m),
            patch: octaves(p, self.salt(12), waves(68.0, 2, 0.5), step_m),
            mottle: octaves(p, self.salt(13), waves(23.0, 1, 0.5), step_m),
        }
    }

    /// The lie of the land before hills: the demo's plan at home, continents far off.
    fn base(self, p: Point, q: Point, step_m: f64) -> f32 {
        let away = smooth(9_000.0, 26_000.0, to_f32(p.x.hypot(p.y)));
        let mut base = 0.0;
        if away < 1.0 {
            let inland_m = to_f32(-0.66 * q.x - 0.75 * q.y) + 950.0;
            let rise = if inland_m > 0.0 { 0.068 } else { 0.026 };
            base = (inland_m * rise).clamp(-160.0, 420.0);
        }
        if away > 0.0 {
            let land = octaves(q, self.salt(11), waves(3_400_000.0, 10, 0.56), step_m);
            let far = (land - 0.06) * if land > 0.06 { 900.0 } else { 2_600.0 };
            base = mix(base, far, away);
        }
        base
    }

    /// What the noise means at `p`; the slopes are differences of the field per metre.
    pub fn ground(p: Point, at: &Field, east: &Field, north: &Field, gap_m: f32) -> Ground {
        let per = |f: fn(&Field) -> f32| ((f(east) - f(at)) / gap_m, (f(north) - f(at)) / gap_m);
        let away = |f: fn(&Field) -> f32| {
            let (x, y) = per(f);
            f(at) / (x * x + y * y).sqrt().max(1e-5)
        };
        let hollow_lake = smooth(-0.605, -0.63, at.hollow)
            * smooth(9.0, 16.0, at.height)
            * smooth(330.0, 250.0, at.height);
        let (mut sx, mut sy) = per(|f| f.height);
        sx *= 1.0 - hollow_lake;
        sy *= 1.0 - hollow_lake;
        let steep = (sx * sx + sy * sy).sqrt();
        let rock = smooth(0.30, 0.55, steep + at.drift * 0.16 + at.mottle * 0.1)
            * smooth(0.3, 1.5, at.height);
        let snow_line = snow_line(p);
        let above = at.height - snow_line;
        let snow = above / 70.0 + at.drift * 1.1 - steep * 0.8 - at.moist * 0.25;
        Ground {
            height: at.height,
            slope: (sx, sy),
            shade: light(sx, sy),
            wood: wood(at, above, steep) * (1.0 - hollow_lake) * (1.0 - rock),
            snow,
            lake: hollow_lake,
            road_m: away(|f| f.road),
            track_m: away(|f| f.track),
            moist: at.moist,
            rock,
            patch: at.patch,
            mottle: at.mottle,
        }
    }

    /// The ground at one place, at full detail.
    pub fn survey(self, p: Point) -> Ground {
        let gap = 2.5;
        let at = self.field(p, gap);
        let east = self.field(p.moved(gap, 0.0), gap);
        let north = self.field(p.moved(0.0, gap), gap);
        Self::ground(p, &at, &east, &north, to_f32(gap))
    }
}

/// Flattens the shore into beaches and shallows, and lifts the rough coasts to cliffs.
fn coast(height: f32, rough: f32) -> f32 {
    let flat = height * mix(0.34, 1.0, smooth(0.0, 22.0, height.abs()));
    let cliff = smooth(0.05, 0.4, rough) * smooth(0.7, 3.2, flat) * 15.0;
    flat + cliff * smooth(120.0, 30.0, flat)
}

/// Sinks towards the poles; the demo lies in the first snow of the year.
fn snow_line(p: Point) -> f32 {
    let lat = to_f32(lon_lat(p).1).abs();
    (105.0 + (57.625 - lat) * 75.0).max(-40.0)
}

fn wood(at: &Field, above: f32, steep: f32) -> f32 {
    let low = smooth(3.5, 14.0, at.height);
    let tree_line = smooth(150.0, 60.0, above + at.moist * 40.0);
    let suits = at.wood * 1.25 + 0.16 - 0.25 * smooth(0.35, 0.8, steep);
    let share = suits - 0.9 * (1.0 - tree_line) + at.mottle * 0.08 + at.patch * 0.1;
    smooth(-0.06, 0.16, share) * low
}

/// The sun on a slope, as a share of the sun on flat ground.
pub fn light(east: f32, north: f32) -> f32 {
    let dot = (TO_SUN.2 - east * TO_SUN.0 - north * TO_SUN.1)
        / (1.0 + east * east + north * north).sqrt();
    (dot / TO_SUN.2).clamp(0.0, 1.75)
}
