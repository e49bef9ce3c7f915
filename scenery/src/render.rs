//! From places to pixels: one tile of Web Mercator, drawn in layers.
//!
//! **Invariant:** a pixel depends only on its zoom and its place in the world, never on
//! the tile which it is drawn for; so tiles meet without a seam.

use super::colour::{Film, Rgb, daylight, under};
use super::cover::Brush;
use super::draw;
use super::geo::{Raster, TILE, count_f32, index, index_i32, to_f32};
use super::grid::{Extent, Grid};
use super::noise::hash;
use super::objects::{self, Cells};
use super::terrain::SUN;
use super::trees;
use super::{Layer, Scene};

/// The last zoom with detail of its own, 0.32 m to the pixel; later ones enlarge it.
const FINEST: u8 = 18;
/// From this zoom on trees are drawn one by one.
const TREES: u8 = 15;
/// Pixels around a picture which the lens and the enlarging look at.
const RIM: i32 = 3;

/// A square of pixels of one zoom.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    pub z: u8,
    pub left: i32,
    pub top: i32,
    pub side: i32,
}

/// Draws the tile's pixels, row by row, as sRGB.
pub fn tile(scene: &Scene, film: &Film, (z, x, y): (u8, i32, i32), layer: Layer) -> Vec<u8> {
    let zoomed = u32::from(z.saturating_sub(FINEST));
    let (scale, z) = (1_i32 << zoomed, z.min(FINEST));
    let side = TILE / scale;
    let frame = Frame {
        z,
        left: x * side - RIM,
        top: y * side - RIM,
        side: side + 2 * RIM,
    };
    let sharp = picture(scene, frame, layer);
    let light = if z == FINEST {
        soften(&sharp, frame.side)
    } else {
        sharp
    };
    let mut out = Vec::with_capacity(index_i32(TILE * TILE * 3));
    for j in 0..TILE {
        for i in 0..TILE {
            let rgb = if scale == 1 {
                light[index_i32((j + RIM) * frame.side + i + RIM)]
            } else {
                enlarged(&light, frame.side, scale, i, j)
            };
            let (sx, sy) = (x * TILE + i, y * TILE + j);
            let noise = (hash(sx, sy, 0x5E) & 255) + (hash(sx, sy, 0x5F) & 255);
            let grain = (count_f32(noise.cast_signed()) / 255.0 - 1.0) * 0.017 / count_f32(scale);
            out.extend(film.develop(rgb, grain));
        }
    }
    out
}

/// The light which each pixel of the frame sends up.
pub fn picture(scene: &Scene, frame: Frame, layer: Layer) -> Vec<Rgb> {
    let Frame { z, left, top, side } = frame;
    let raster = Raster::new(z, left, top);
    let single_trees = z >= TREES;
    let margin = if single_trees {
        index_i32_up(trees::REACH_M / raster.pixel_m)
    } else {
        1
    };
    let step = match z {
        17.. => 8,
        14..=16 => 4,
        _ => 2,
    };
    let grid = Grid::new(
        scene.terrain,
        &raster,
        Extent {
            left,
            top,
            side,
            margin,
            step,
        },
    );
    let found = if single_trees {
        scene.placed(Cells::around(&raster, side))
    } else {
        Vec::new()
    };
    let shading = if layer == Layer::Land {
        &[]
    } else {
        found.as_slice()
    };
    let drawn = if layer == Layer::Everything {
        shading
    } else {
        &[]
    };
    let mut shadow = vec![0.0; index_i32(side * side)];
    let planted = if single_trees {
        trees::plant(
            scene.salt,
            &raster,
            &grid,
            side,
            &objects::clearings(&found),
        )
    } else {
        far_shadows(&grid, side, to_f32(raster.pixel_m), &mut shadow);
        Vec::new()
    };
    trees::shadows(&planted, side, &mut shadow);
    draw::shadows(shading, &raster, side, &mut shadow);

    let mut brush = Brush::new(scene.salt, to_f32(raster.pixel_m), single_trees);
    let mut light = Vec::with_capacity(shadow.len());
    let mut out = Vec::with_capacity(shadow.len());
    for j in 0..side {
        for i in 0..side {
            let g = grid.at(count_f32(i) + 0.5, count_f32(j) + 0.5);
            let p = raster.place(f64::from(i) + 0.5, f64::from(j) + 0.5);
            let paint = brush.paint(p, &g);
            let day = daylight(paint.sun * (1.0 - shadow[index_i32(j * side + i)]));
            out.push(under(paint.albedo, day));
            light.push(day);
        }
    }
    draw::objects(drawn, &raster, side, &light, &mut out);
    trees::crowns(&planted, side, (left, top), &mut out);
    out
}

/// Without single trees, a forest still throws a shadow over its north-western edge.
fn far_shadows(grid: &Grid, side: i32, pixel_m: f32, shadow: &mut [f32]) {
    let reach = 13.0 / pixel_m;
    if reach < 0.4 {
        return;
    }
    for j in 0..side {
        for i in 0..side {
            let (x, y) = (count_f32(i) + 0.5, count_f32(j) + 0.5);
            let towards = grid.at(x + SUN.0 * reach, y - SUN.1 * reach).wood;
            shadow[index_i32(j * side + i)] = towards * 0.62;
        }
    }
}

/// The blur of a lens: the finest zoom is sharper than any survey camera otherwise.
fn soften(from: &[Rgb], side: i32) -> Vec<Rgb> {
    let (edge, mid) = (0.17, 0.66);
    let pass = |from: &[Rgb], stride: usize| -> Vec<Rgb> {
        // The outermost pixels stay as they are: they lie in the rim, which is cut off.
        let mut out = from.to_vec();
        let middles = out.iter_mut().skip(stride).zip(from.iter().skip(stride));
        let sides = from.iter().zip(from.iter().skip(2 * stride));
        for ((to, b), (a, c)) in middles.zip(sides) {
            for n in 0..3 {
                to[n] = edge * (a[n] + c[n]) + mid * b[n];
            }
        }
        out
    };
    pass(&pass(from, 1), index_i32(side))
}

/// Catmull-Rom between the pixels of the finest zoom.
fn enlarged(light: &[Rgb], side: i32, scale: i32, i: i32, j: i32) -> Rgb {
    let at = |n: i32| {
        let x = (count_f32(n) + 0.5) / count_f32(scale) - 0.5 + count_f32(RIM);
        let cell = floor_i32_of(x);
        (cell, weights(x - count_f32(cell)))
    };
    let ((cx, wx), (cy, wy)) = (at(i), at(j));
    let mut out = [0.0; 3];
    for (dy, v) in (-1..).zip(wy) {
        for (dx, u) in (-1..).zip(wx) {
            let pixel = light[index_i32((cy + dy) * side + cx + dx)];
            for (sum, part) in out.iter_mut().zip(pixel) {
                *sum += part * u * v;
            }
        }
    }
    out.map(|c: f32| c.max(0.0))
}

fn weights(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        0.5 * (-t + 2.0 * t2 - t3),
        0.5 * (2.0 - 5.0 * t2 + 3.0 * t3),
        0.5 * (t + 4.0 * t2 - 3.0 * t3),
        0.5 * (t3 - t2),
    ]
}

fn floor_i32_of(x: f32) -> i32 {
    i32::try_from(index(x)).unwrap_or(0)
}

fn index_i32_up(x: f64) -> i32 {
    i32::try_from(index(to_f32(x))).unwrap_or(0) + 1
}
