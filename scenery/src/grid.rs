//! The terrain of one picture, sampled coarsely and interpolated.
//!
//! **Invariant:** the samples lie on multiples of the step counted from the zoom's own
//! corner, so two neighbouring pictures interpolate between the same samples.

use super::geo::{Raster, count_f32, index, index_i32, to_f32};
use super::terrain::{Field, Ground, Terrain};

/// A picture's ground, with a margin around it.
pub struct Grid {
    grounds: Vec<Ground>,
    /// Pixels between samples.
    step: i32,
    /// Samples in a row.
    across: i32,
    /// The pixel of the first sample, zero or less.
    first: (i32, i32),
}

/// The part of a zoom to sample: pixels from (`left`, `top`), and how far around.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    pub left: i32,
    pub top: i32,
    pub side: i32,
    pub margin: i32,
    pub step: i32,
}

impl Grid {
    pub fn new(terrain: Terrain, raster: &Raster, extent: Extent) -> Self {
        let Extent {
            left,
            top,
            side,
            margin,
            step,
        } = extent;
        let first = (
            -margin - (left - margin).rem_euclid(step),
            -margin - (top - margin).rem_euclid(step),
        );
        let across = (side + 2 * margin) / step + 3;
        let gap_m = raster.pixel_m * f64::from(step);
        let mut fields = Vec::with_capacity(index_i32((across + 1) * (across + 1)));
        // One row and column more than kept, for the slopes.
        for j in -1..across {
            for i in 0..=across {
                let p = raster.place(f64::from(first.0 + i * step), f64::from(first.1 + j * step));
                fields.push(terrain.field(p, gap_m));
            }
        }
        let field = |i: i32, j: i32| -> &Field { &fields[index_i32((j + 1) * (across + 1) + i)] };
        let mut grounds = Vec::with_capacity(index_i32(across * across));
        for j in 0..across {
            for i in 0..across {
                let p = raster.place(f64::from(first.0 + i * step), f64::from(first.1 + j * step));
                grounds.push(Terrain::ground(
                    p,
                    field(i, j),
                    field(i + 1, j),
                    field(i, j - 1),
                    to_f32(gap_m),
                ));
            }
        }
        Self {
            grounds,
            step,
            across,
            first,
        }
    }

    /// The ground at a pixel, which must lie within the margin.
    #[inline]
    #[expect(clippy::many_single_char_names, reason = "a grid's own letters")]
    pub fn at(&self, x: f32, y: f32) -> Ground {
        let step = count_f32(self.step);
        let gx = (x - count_f32(self.first.0)) / step;
        let gy = (y - count_f32(self.first.1)) / step;
        let last = index_i32(self.across - 2);
        let (i, j) = (index(gx).min(last), index(gy).min(last));
        let (u, v) = (gx - cell_f32(i), gy - cell_f32(j));
        let row = j * index_i32(self.across) + i;
        let below = row + index_i32(self.across);
        let g = &self.grounds;
        blend(
            [&g[row], &g[row + 1], &g[below], &g[below + 1]],
            [(1.0 - u) * (1.0 - v), u * (1.0 - v), (1.0 - u) * v, u * v],
        )
    }
}

fn cell_f32(i: usize) -> f32 {
    count_f32(i32::try_from(i).unwrap_or(0))
}

#[inline]
fn blend(g: [&Ground; 4], w: [f32; 4]) -> Ground {
    macro_rules! sum {
        ($($f:tt).+) => {
            g[0].$($f).+ * w[0] + g[1].$($f).+ * w[1] + g[2].$($f).+ * w[2] + g[3].$($f).+ * w[3]
        };
    }
    Ground {
        height: sum!(height),
        slope: (
            g[0].slope.0 * w[0] + g[1].slope.0 * w[1] + g[2].slope.0 * w[2] + g[3].slope.0 * w[3],
            g[0].slope.1 * w[0] + g[1].slope.1 * w[1] + g[2].slope.1 * w[2] + g[3].slope.1 * w[3],
        ),
        shade: sum!(shade),
        wood: sum!(wood),
        snow: sum!(snow),
        lake: sum!(lake),
        road_m: sum!(road_m),
        track_m: sum!(track_m),
        moist: sum!(moist),
        rock: sum!(rock),
        patch: sum!(patch),
        mottle: sum!(mottle),
    }
}
