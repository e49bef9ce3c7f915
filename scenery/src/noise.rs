//! Hashes and noise: the only source of chance in the scene.
//!
//! **Invariant:** every function is pure, so the same seed and place give the same
//! value on every machine, thread and zoom. Coordinates are `f64`, because at the far
//! side of the earth an `f32` would be coarser than a tree.

use super::geo::{Point, floor_i32, index_u32, to_f32, unit_f32};

/// Turns each octave by 36.87°, a 3-4-5 triangle, so that the lattices never line up.
const TURN: (f64, f64) = (0.8, 0.6);

/// What a column and a row of the lattice are multiplied with.
const COLUMN: u32 = 0x9E37_79B1;
const ROW: u32 = 0x85EB_CA77;

/// Mixes a lattice place with a seed into 32 well spread bits.
#[inline]
pub fn hash(x: i32, y: i32, seed: u32) -> u32 {
    let mut h = seed
        ^ x.cast_unsigned().wrapping_mul(COLUMN)
        ^ y.cast_unsigned().wrapping_mul(ROW).rotate_left(13);
    h ^= h >> 15;
    h = h.wrapping_mul(0x2C1B_3C6D);
    h ^= h >> 12;
    h = h.wrapping_mul(0x297A_2D39);
    h ^ (h >> 15)
}

/// A run of independent numbers which belong to one place.
#[derive(Clone, Copy, Debug)]
pub struct Dice(u32);

impl Dice {
    pub fn at(x: i32, y: i32, seed: u32) -> Self {
        Self(hash(x, y, seed))
    }

    /// The next number in 0..1.
    pub fn roll(&mut self) -> f32 {
        self.0 = hash(self.0.cast_signed(), 0x51ED, 0x27D4_EB2F);
        unit_f32(self.0)
    }

    /// The next number in `low..high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.roll()
    }
}

/// Sixteen directions, none along an axis: fewer would show the lattice in hillsides.
const DIRECTIONS: [(f32, f32); 16] = [
    (0.9895, 0.1448),
    (0.8587, 0.5124),
    (0.5973, 0.8020),
    (0.2449, 0.9696),
    (-0.1448, 0.9895),
    (-0.5124, 0.8587),
    (-0.8020, 0.5973),
    (-0.9696, 0.2449),
    (-0.9895, -0.1448),
    (-0.8587, -0.5124),
    (-0.5973, -0.8020),
    (-0.2449, -0.9696),
    (0.1448, -0.9895),
    (0.5124, -0.8587),
    (0.8020, -0.5973),
    (0.9696, -0.2449),
];

/// The gradient of a corner.
#[inline]
fn corner(mixed: u32) -> (f32, f32) {
    // Only four good bits are needed: half of what `hash` does.
    let h = (mixed ^ (mixed >> 15)).wrapping_mul(0x2C1B_3C6D);
    let h = (h ^ (h >> 13)).wrapping_mul(0x297A_2D39);
    DIRECTIONS[index_u32(h >> 28)]
}

/// The four gradients around a square of the lattice.
#[inline]
fn corners(xi: i32, yi: i32, seed: u32) -> [(f32, f32); 4] {
    let column = seed ^ xi.cast_unsigned().wrapping_mul(COLUMN);
    let next = seed ^ xi.wrapping_add(1).cast_unsigned().wrapping_mul(COLUMN);
    let row = yi.cast_unsigned().wrapping_mul(ROW).rotate_left(13);
    let below = yi
        .wrapping_add(1)
        .cast_unsigned()
        .wrapping_mul(ROW)
        .rotate_left(13);
    [
        corner(column ^ row),
        corner(next ^ row),
        corner(column ^ below),
        corner(next ^ below),
    ]
}

/// Blends what the four gradients say of a place within their square.
#[inline]
#[expect(
    clippy::many_single_char_names,
    reason = "the usual letters of this formula"
)]
fn within(g: &[(f32, f32); 4], x: f32, y: f32) -> f32 {
    let lean = |k: usize, dx: f32, dy: f32| g[k].0 * dx + g[k].1 * dy;
    let u = x * x * x * (x * (x * 6.0 - 15.0) + 10.0);
    let v = y * y * y * (y * (y * 6.0 - 15.0) + 10.0);
    let (a, b) = (lean(0, x, y), lean(1, x - 1.0, y));
    let (c, d) = (lean(2, x, y - 1.0), lean(3, x - 1.0, y - 1.0));
    let low = a + (b - a) * u;
    let high = c + (d - c) * u;
    (low + (high - low) * v) * 1.45
}

/// Gradient noise of wavelength 1, in about -1..1, zero on average.
#[inline]
pub fn gradient(p: Point, seed: u32) -> f32 {
    let (xi, yi) = (floor_i32(p.x), floor_i32(p.y));
    let (x, y) = (to_f32(p.x - f64::from(xi)), to_f32(p.y - f64::from(yi)));
    within(&corners(xi, yi, seed), x, y)
}

/// The square of the lattice last asked for: the next pixel is mostly in the same one.
#[derive(Clone, Copy, Debug)]
pub struct Memo {
    square: (i32, i32),
    seed: u32,
    corners: [(f32, f32); 4],
}

impl Memo {
    pub fn new() -> Self {
        Self {
            square: (0, 0),
            seed: 0,
            corners: corners(0, 0, 0),
        }
    }

    /// The same as the function [`gradient`].
    #[inline]
    pub fn gradient(&mut self, p: Point, seed: u32) -> f32 {
        let (xi, yi) = (floor_i32(p.x), floor_i32(p.y));
        if self.square != (xi, yi) || self.seed != seed {
            *self = Self {
                square: (xi, yi),
                seed,
                corners: corners(xi, yi, seed),
            };
        }
        within(
            &self.corners,
            to_f32(p.x - f64::from(xi)),
            to_f32(p.y - f64::from(yi)),
        )
    }
}

/// How a sum of octaves is made.
#[derive(Clone, Copy, Debug)]
pub struct Octaves {
    /// The longest wavelength, in metres.
    pub wave_m: f64,
    pub count: u32,
    /// The weight of each octave against the one before it.
    pub gain: f32,
}

/// Sums octaves of gradient noise, leaving out those too short for `step_m`.
pub fn octaves(p: Point, seed: u32, how: Octaves, step_m: f64) -> f32 {
    sum(p, seed, how, step_m, |n| n)
}

/// Sums octaves folded into crests, in about -1..1: mountain ridges.
pub fn ridges(p: Point, seed: u32, how: Octaves, step_m: f64) -> f32 {
    sum(p, seed, how, step_m, |n| {
        // Rounded a little: a true crease would run over the snow like a knife's cut.
        let crest = 1.04 - (n * n + 0.012).sqrt();
        crest * crest * 2.0 - 1.0
    })
}

fn sum(p: Point, seed: u32, how: Octaves, step_m: f64, fold: impl Fn(f32) -> f32) -> f32 {
    let mut q = p.scaled(1.0 / how.wave_m);
    let mut wave_m = how.wave_m;
    let (mut total, mut weight, mut salt) = (0.0, 1.0, seed);
    for _ in 0..how.count {
        let clear = to_f32(wave_m / step_m) * 0.5 - 1.0;
        if clear <= 0.0 {
            break;
        }
        total += fold(gradient(q, salt)) * weight * clear.min(1.0);
        let next = Point::new(TURN.0 * q.x - TURN.1 * q.y, TURN.1 * q.x + TURN.0 * q.y);
        q = next.scaled(2.03).moved(17.3, -9.1);
        wave_m /= 2.03;
        weight *= how.gain;
        salt = salt.wrapping_mul(0x0019_660D).wrapping_add(0x3C6E_F35F);
    }
    total
}
