//! The demo's own imagery: a winter coast drawn by the program, with objects to find.
//!
//! It stands in for a satellite provider, so that the demo works without the internet
//! and the truth is known: [`Scene::objects_in`] says what lies where.
//!
//! **Invariant:** equal seeds draw equal bytes and hide equal objects, on any machine
//! with the same floating point; nothing is stored and nothing is random.
//! **Invariant:** what [`Scene::objects_in`] tells is exactly what [`Scene::render`] draws.

mod colour;
mod cover;
mod draw;
mod geo;
mod grid;
mod models;
mod noise;
mod objects;
mod props;
mod render;
mod terrain;
mod trees;
#[cfg(test)]
mod tests;

use jpeg_encoder::{ColorType, Encoder};
use serde::{Deserialize, Serialize};

use self::colour::Film;
use self::objects::{Cells, Placed};
use self::terrain::Terrain;

/// West, south, east and north of the demo area: about 40 km² of coast.
pub const DEMO_AREA: [f64; 4] = [-152.403, 57.597, -152.297, 57.653];

/// The deepest zoom which [`Scene::render`] draws.
pub const ZOOM_MAX: u8 = 20;

/// The most cells of zoom 17 which one question looks at; about 1,750 km² of the demo.
pub const CELLS_MAX: usize = 65_536;

const JPEG_QUALITY: u8 = 82;

/// What a volunteer may find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    Wreckage,
    Signal,
    Scar,
    Shelter,
}

impl ObjectKind {
    pub const ALL: [Self; 4] = [Self::Wreckage, Self::Signal, Self::Scar, Self::Shelter];

    /// The kind's name in the interface and the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Wreckage => "wreckage",
            Self::Signal => "signal",
            Self::Scar => "scar",
            Self::Shelter => "shelter",
        }
    }
}

/// One object and where its middle lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SceneObject {
    pub kind: ObjectKind,
    pub lon: f64,
    pub lat: f64,
    /// Clockwise from north, in degrees.
    pub heading: f32,
    /// The length of the thing itself, without its debris.
    pub size_m: f32,
}

/// A tile outside the world, or deeper than [`ZOOM_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchTile;

impl std::fmt::Display for NoSuchTile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the tile lies outside zooms 0 to {ZOOM_MAX}")
    }
}

impl std::error::Error for NoSuchTile {}

/// A world grown from a seed; cheap to keep, and shared between threads.
pub struct Scene {
    salt: u32,
    terrain: Terrain,
    film: Film,
}

impl Scene {
    pub fn new(seed: u64) -> Self {
        let fold = |bits: u64| u32::try_from(bits & 0xFFFF_FFFF).unwrap_or(0);
        let (low, high) = (fold(seed), fold(seed >> 32));
        let salt = noise::hash(low.cast_signed(), high.cast_signed(), 0x5EED);
        Self {
            salt,
            terrain: Terrain::new(salt),
            film: Film::new(),
        }
    }

    /// Draws a tile of Web Mercator as a JPEG of 256 by 256 pixels.
    pub fn render(&self, z: u8, x: u32, y: u32) -> Result<Vec<u8>, NoSuchTile> {
        let pixels = self.pixels(z, x, y, Layer::Everything)?;
        let mut jpeg = Vec::with_capacity(48 * 1024);
        Encoder::new(&mut jpeg, JPEG_QUALITY)
            .encode(&pixels, 256, 256, ColorType::Rgb)
            .expect("a vector takes every write, and the picture has its right size");
        Ok(jpeg)
    }

    /// The tile's pixels before they are packed, as rows of red, green and blue.
    pub fn pixels(&self, z: u8, x: u32, y: u32, layer: Layer) -> Result<Vec<u8>, NoSuchTile> {
        if z > ZOOM_MAX || x >= 1 << z || y >= 1 << z {
            return Err(NoSuchTile);
        }
        let (Ok(x), Ok(y)) = (i32::try_from(x), i32::try_from(y)) else {
            return Err(NoSuchTile);
        };
        Ok(render::tile(self, &self.film, (z, x, y), layer))
    }

    /// The objects whose middle lies in the box of degrees, row by row from the north.
    ///
    /// It looks at no more than [`CELLS_MAX`] cells; a caller with more divides its box.
    pub fn objects_in(&self, west: f64, south: f64, east: f64, north: f64) -> Vec<SceneObject> {
        self.placed(Cells::within(west, south, east, north))
            .iter()
            .map(Placed::described)
            .filter(|o| objects::inside(o, west, south, east, north))
            .collect()
    }

    fn placed(&self, cells: Cells) -> Vec<Placed> {
        cells
            .iter(CELLS_MAX)
            .filter_map(|cell| objects::in_cell(self.terrain, self.salt, cell))
            .collect()
    }
}

/// What of the scene is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    Everything,
    /// The land with its clearings and the objects' shadows, without the objects: what
    /// the eye compares an object with.
    Shadows,
    /// The land with its clearings, without the objects in them.
    Land,
}
