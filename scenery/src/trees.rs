//! The forest, tree by tree: conifers as seen from above, with their long shadows.
//!
//! **Invariant:** a tree is a function of its cell of the forest's lattice, so every
//! picture which it reaches into plants the same tree.

use super::colour::{Rgb, blend, times, under};
use super::geo::{Point, Raster, count_f32, floor_i32, index_i32, to_f32};
use super::grid::Grid;
use super::noise::{Dice, hash};
use super::terrain::{SHADOW_M, SUN, mix, smooth};

/// The forest's lattice: one tree at most in each square of this side.
const ROOM_M: f64 = 3.3;
/// No shadow reaches further than this.
pub const REACH_M: f64 = 26.0;

const SPRUCE: Rgb = [0.038, 0.058, 0.048];
const PINE: Rgb = [0.056, 0.068, 0.042];
const BIRCH: Rgb = [0.105, 0.082, 0.062];
const RIME: Rgb = [0.62, 0.66, 0.70];

/// A tree in pixels of the picture.
pub struct Tree {
    x: f32,
    y: f32,
    radius: f32,
    shadow: f32,
    colour: Rgb,
    /// Birches stand bare and let light through.
    thick: f32,
    sun: f32,
}

/// A round place without trees.
#[derive(Clone, Copy, Debug)]
pub struct Clearing {
    pub at: Point,
    pub radius_m: f64,
}

/// Plants all trees which can be seen in, or throw a shadow into, the picture.
pub fn plant(
    seed: u32,
    raster: &Raster,
    grid: &Grid,
    side: i32,
    clearings: &[Clearing],
) -> Vec<Tree> {
    let reach = REACH_M / raster.pixel_m;
    let north_west = raster.place(-reach, -reach);
    let south_east = raster.place(f64::from(side) + reach, f64::from(side) + reach);
    let cell = |m: f64| floor_i32(m / ROOM_M);
    let mut trees = Vec::new();
    for j in (cell(south_east.y)..=cell(north_west.y)).rev() {
        for i in cell(north_west.x)..=cell(south_east.x) {
            let mut dice = Dice::at(i, j, seed ^ 0x7EE5);
            let (dx, dy) = (f64::from(dice.roll()), f64::from(dice.roll()));
            let p = Point::new((f64::from(i) + dx) * ROOM_M, (f64::from(j) + dy) * ROOM_M);
            let (x, y) = raster.pixel(p);
            let edge = to_f32(reach) - 1.0;
            let far = count_f32(side) + edge;
            if x < -edge || y < -edge || x > far || y > far {
                continue;
            }
            let felled = clearings
                .iter()
                .any(|c| (c.at.x - p.x).hypot(c.at.y - p.y) < c.radius_m);
            if !felled && let Some(tree) = sprout(raster, grid, dice, (x, y)) {
                trees.push(tree);
            }
        }
    }
    trees
}

fn sprout(raster: &Raster, grid: &Grid, mut dice: Dice, (x, y): (f32, f32)) -> Option<Tree> {
    let g = grid.at(x, y);
    let steep = smooth(0.9, 0.5, g.slope.0.hypot(g.slope.1));
    let clear = smooth(5.0, 8.0, g.road_m.abs()) * smooth(1.6, 3.2, g.track_m.abs());
    // A few stand alone in the meadows.
    let alone = if g.height > 7.0 && g.lake < 0.1 && g.snow < 1.6 {
        0.014 * smooth(0.1, 0.6, g.moist + g.patch * 0.6 + g.mottle * 0.4)
    } else {
        0.0
    };
    if dice.roll() > (g.wood * 0.92 * steep).max(alone) * clear {
        return None;
    }
    let pixel = to_f32(raster.pixel_m);
    let age = dice.roll();
    let radius_m = mix(0.8, 2.4, age * mix(0.8, 1.0, g.wood));
    let high = radius_m * dice.between(2.7, 4.3);
    let kind = dice.roll() + g.moist * 0.5 - 0.3 * (1.0 - g.wood);
    let (base, thick) = if kind > 0.98 {
        (BIRCH, 0.78)
    } else if kind > 0.55 {
        (PINE, 0.97)
    } else {
        (SPRUCE, 0.98)
    };
    let tint = dice.between(0.72, 1.3);
    let snowy = smooth(0.1, 1.4, g.snow) * dice.between(0.0, 0.16) * thick;
    Some(Tree {
        x,
        y,
        radius: radius_m / pixel,
        shadow: (high * SHADOW_M).min(to_f32(REACH_M) - 3.0) / pixel,
        colour: blend(times(base, tint), RIME, snowy),
        thick,
        sun: mix(1.0, g.shade, 0.7),
    })
}

/// The pixels of a row or column which lie in the picture.
fn span(from: f32, to: f32, side: i32) -> std::ops::Range<i32> {
    floor_i32(f64::from(from)).max(0)..floor_i32(f64::from(to) + 1.0).min(side).max(0)
}

/// Darkens the ground behind each tree, row by row along the slanting shadow.
pub fn shadows(trees: &[Tree], side: i32, shadow: &mut [f32]) {
    for tree in trees {
        let rise = tree.shadow * -SUN.1;
        for y in span(tree.y - rise - 0.5, tree.y + tree.radius, side) {
            let up = (tree.y - count_f32(y) - 0.5) / rise.max(0.5);
            let t = up.clamp(0.0, 1.0);
            let middle = tree.x - SUN.0 * tree.shadow * t;
            let foot = (tree.y - count_f32(y) - 0.5).abs() / tree.radius;
            let wide = if up < 0.0 {
                (1.0 - foot * foot).max(0.0).sqrt()
            } else {
                1.08 - t
            };
            let half = tree.radius * wide;
            for x in span(middle - half - 0.5, middle + half + 0.5, side) {
                let off = (count_f32(x) + 0.5 - middle).abs();
                let cover = (half - off + 0.5).clamp(0.0, 1.0).min(half * 2.0) * tree.thick;
                let cell = &mut shadow[index_i32(y * side + x)];
                *cell = cell.max(cover * (0.95 - 0.3 * t));
            }
        }
    }
}

/// Draws the crowns, lit on the side of the sun, over whatever lies below.
pub fn crowns(trees: &[Tree], side: i32, corner: (i32, i32), picture: &mut [Rgb]) {
    for tree in trees {
        let r = tree.radius;
        for y in span(tree.y - r - 0.5, tree.y + r + 0.5, side) {
            for x in span(tree.x - r - 0.5, tree.x + r + 0.5, side) {
                let dx = count_f32(x) + 0.5 - tree.x;
                let dy = count_f32(y) + 0.5 - tree.y;
                let speck = count_f32((hash(corner.0 + x, corner.1 + y, 0xC0) & 255).cast_signed())
                    / 255.0
                    - 0.5;
                let off = (dx * dx + dy * dy).sqrt() + speck * (r * 0.42).min(2.0);
                let cover = (r - off + 0.5).clamp(0.0, 1.0) * tree.thick;
                if cover <= 0.0 {
                    continue;
                }
                let lean = (dx * SUN.0 - dy * SUN.1) / r.max(1.0);
                let sun = tree.sun * (0.52 + 0.62 * lean + speck * 0.5).clamp(0.03, 1.5);
                let lit = under(tree.colour, super::colour::daylight(sun * 1.25));
                let pixel = &mut picture[index_i32(y * side + x)];
                *pixel = blend(*pixel, lit, cover);
            }
        }
    }
}
