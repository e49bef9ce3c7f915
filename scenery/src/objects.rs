//! The objects to find: which cell holds one, what it is, and where exactly it lies.
//!
//! **Invariant:** a cell, one tile of zoom 17, holds at most one object, and all of it
//! lies at least [`BORDER_M`] inside; so each object belongs to one square of the search.
//! **Invariant:** a cell's object depends on the seed, the cell and the terrain alone.

use super::geo::{Point, Raster, lon_lat, stretch, to_f32, unit_square, world_m};
use super::models::Model;
use super::noise::Dice;
use super::terrain::{Ground, Terrain};
use super::trees::{Clearing, REACH_M};
use super::{ObjectKind, SceneObject};

/// How far an object keeps from its cell's border, in true metres.
pub const BORDER_M: f64 = 12.0;
/// Cells to a side of the world.
const CELLS: i32 = 1 << 17;
/// The share of cells which try to hold an object; some find no fit ground.
const SHARE: f32 = 0.178;
/// Places which a cell tries before it stays empty.
const TRIES: u32 = 3;

/// An object with what is needed to draw it.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    pub at: Point,
    pub model: Model,
    /// Clockwise from north, in radians.
    pub heading: f32,
    pub dice: Dice,
}

impl Placed {
    pub fn described(&self) -> SceneObject {
        let (lon, lat) = lon_lat(self.at);
        SceneObject {
            kind: kind(self.model),
            lon,
            lat,
            heading: self.heading.to_degrees(),
            size_m: self.model.size_m(),
        }
    }
}

const fn kind(model: Model) -> ObjectKind {
    match model {
        Model::Aircraft | Model::BrokenAircraft => ObjectKind::Wreckage,
        Model::Tarp | Model::Stones | Model::Figures | Model::Raft => ObjectKind::Signal,
        Model::Gash => ObjectKind::Scar,
        Model::Hut | Model::Tents | Model::SnowMachine | Model::Pickup | Model::Boat => {
            ObjectKind::Shelter
        }
    }
}

/// A range of cells: from and to, columns then rows, `to` left out.
#[derive(Clone, Copy, Debug)]
pub struct Cells {
    pub columns: (i32, i32),
    pub rows: (i32, i32),
}

impl Cells {
    /// The cells which a box of degrees touches.
    pub fn within(west: f64, south: f64, east: f64, north: f64) -> Self {
        let (a, b) = (unit_square(west, north), unit_square(east, south));
        Self::between(a, b)
    }

    fn between(a: (f64, f64), b: (f64, f64)) -> Self {
        let cell = |u: f64| super::geo::floor_i32(u * f64::from(CELLS)).clamp(0, CELLS - 1);
        Self {
            columns: (cell(a.0), cell(b.0) + 1),
            rows: (cell(a.1), cell(b.1) + 1),
        }
    }

    /// The cells whose objects, or clearings, reach into a picture.
    pub fn around(raster: &Raster, side: i32) -> Self {
        let far = REACH_M * 2.0 / raster.pixel_m;
        let unit = |p: Point| {
            let (lon, lat) = lon_lat(p);
            unit_square(lon, lat)
        };
        let edge = f64::from(side) + far;
        Self::between(
            unit(raster.place(-far, -far)),
            unit(raster.place(edge, edge)),
        )
    }

    /// All cells, row by row, at most `max` of them.
    pub fn iter(self, max: usize) -> impl Iterator<Item = (i32, i32)> {
        let Self { columns, rows } = self;
        (rows.0..rows.1)
            .flat_map(move |y| (columns.0..columns.1).map(move |x| (x, y)))
            .take(max)
    }
}

/// The object of one cell, if it holds one.
pub fn in_cell(terrain: Terrain, salt: u32, (x, y): (i32, i32)) -> Option<Placed> {
    let mut dice = Dice::at(x, y, salt ^ 0x0B1E_C7ED);
    if dice.roll() > SHARE {
        return None;
    }
    let side = world_m() / f64::from(CELLS);
    let (u0, v0) = unit_square(super::geo::HOME.0, super::geo::HOME.1);
    let corner = Point::new(
        f64::from(x) * side - u0 * world_m(),
        v0 * world_m() - f64::from(y + 1) * side,
    );
    for _ in 0..TRIES {
        let (u, v, wish) = (f64::from(dice.roll()), f64::from(dice.roll()), dice.roll());
        let turn = dice.between(0.0, std::f32::consts::TAU);
        let middle = corner.moved(u * side, v * side);
        let Some(model) = choose(&terrain.survey(middle), wish) else {
            continue;
        };
        // Pulled inwards, so that the whole object keeps off the border.
        let keep = (BORDER_M + model.reach_m()) * stretch(middle);
        if keep * 2.2 > side {
            return None;
        }
        let inner = side - 2.0 * keep;
        let at = corner.moved(keep + u * inner, keep + v * inner);
        if choose(&terrain.survey(at), wish) == Some(model) {
            return Some(Placed {
                at,
                model,
                heading: turn,
                dice,
            });
        }
    }
    None
}

/// What suits the ground; `wish` in 0..1 chooses between equals.
fn choose(g: &Ground, wish: f32) -> Option<Model> {
    let pick = |models: &[Model]| -> Option<Model> {
        let at = super::geo::index(
            wish * super::geo::count_f32(i32::try_from(models.len()).unwrap_or(0)),
        );
        models.get(at).copied()
    };
    let steep = g.slope.0.hypot(g.slope.1);
    if g.height < -1.8 {
        // Water hides nothing: fewer there, or the search would be too easy.
        return match wish {
            ..0.12 => Some(Model::Raft),
            ..0.24 => Some(Model::Boat),
            _ => None,
        };
    }
    if g.height < 1.0 || steep > 0.55 || g.rock > 0.4 || g.road_m.abs() < 8.0 {
        return None;
    }
    if g.height < 3.2 {
        return pick(&[
            Model::Boat,
            Model::Stones,
            Model::Tarp,
            Model::Pickup,
            Model::Figures,
            Model::Aircraft,
        ]);
    }
    if g.lake > 0.5 {
        return pick(&[
            Model::Aircraft,
            Model::Figures,
            Model::SnowMachine,
            Model::Tents,
            Model::Stones,
        ]);
    }
    if g.wood > 0.35 {
        return pick(&[
            Model::BrokenAircraft,
            Model::Gash,
            Model::BrokenAircraft,
            Model::Hut,
            Model::Gash,
            Model::Tarp,
        ]);
    }
    if g.snow > 0.15 {
        return pick(&[
            Model::Aircraft,
            Model::BrokenAircraft,
            Model::Gash,
            Model::Tents,
            Model::Stones,
            Model::SnowMachine,
            Model::Figures,
            Model::Tarp,
            Model::Hut,
        ]);
    }
    pick(&[
        Model::Hut,
        Model::Gash,
        Model::Pickup,
        Model::BrokenAircraft,
        Model::Tents,
        Model::Tarp,
        Model::Figures,
        Model::Aircraft,
        Model::Gash,
    ])
}

/// The round places where objects keep the trees away.
pub fn clearings(objects: &[Placed]) -> Vec<Clearing> {
    objects
        .iter()
        .map(|o| Clearing {
            at: o.at,
            radius_m: o.model.clearing_m() * stretch(o.at),
        })
        .collect()
}

/// Whether a place in degrees lies in the box.
pub fn inside(o: &SceneObject, west: f64, south: f64, east: f64, north: f64) -> bool {
    (west..=east).contains(&o.lon) && (south..=north).contains(&o.lat)
}

/// The pixels of one true metre at a place.
pub fn pixels_per_metre(raster: &Raster, at: Point) -> f32 {
    to_f32(stretch(at) / raster.pixel_m)
}
