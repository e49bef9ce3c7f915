//! Which cells a change of what is searched asks for: pure.
//!
//! A change goes through the cells on which the definition before it and the present one differ.
//!
//! **Invariant:** once every change was gone through, in whatever order, the cells and their
//! weights are what the present definition says. For a cell was last written or found right under
//! some definition; if that is not the present one, the change that replaced it is still to come.
//!
//! **Invariant:** a piece has whole piles, and its cells in the order of [`CellId`].

use std::{
    collections::{BTreeMap, HashMap},
    iter,
};

use uuid::Uuid;

use crate::{
    assignments::{PILE_ZOOMS, WEIGHT_DEFAULT},
    geo::{
        CellId, Cover, Tile,
        cover::{Abreast, Run, common, merged, without},
    },
    progress::{self, BlockDelta},
};

/// What is searched, and which of it first.
pub struct Definition {
    area: Cover,
    /// Heaviest first.
    priorities: Vec<(Cover, f32)>,
}

/// What one change asks for.
pub struct Plan {
    pub now: Definition,
    pub before: Definition,
    /// Areas whose cells go first.
    pub first: Vec<Cover>,
}

/// Where to go on: the areas that go first are the first parts, everything else is the last.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Place {
    pub part: usize,
    pub column: u32,
}

/// Cells with the weights that they are to have.
#[derive(Debug, Default)]
pub struct Piece {
    pub cells: Vec<(Tile, f32)>,
    /// `None` after the last piece.
    pub next: Option<Place>,
}

/// Rows of a column that have one weight.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Band {
    rows: Run,
    weight: f32,
}

/// A column as it is to be, and its rows that change.
struct Column {
    x: u32,
    bands: Vec<Band>,
    changed: Vec<Run>,
}

impl Definition {
    pub fn new(area: Cover, mut priorities: Vec<(Cover, f32)>) -> Self {
        priorities.sort_by(|a, b| b.1.total_cmp(&a.1));
        Self { area, priorities }
    }

    fn covers(&self) -> impl Iterator<Item = &Cover> {
        iter::once(&self.area).chain(self.priorities.iter().map(|(cover, _)| cover))
    }

    /// The rows of a column by weight, given those of each cover: the highest weight wins.
    fn bands(&self, rows: &[Vec<Run>]) -> Vec<Band> {
        let Some((area, priorities)) = rows.split_first() else {
            return Vec::new();
        };
        let mut left = area.clone();
        let mut bands = Vec::new();
        for (rows, (_, weight)) in priorities.iter().zip(&self.priorities) {
            if !rows.is_empty() {
                bands.extend(weighed(common(&left, rows), *weight));
                left = without(&left, rows);
            }
        }
        bands.extend(weighed(left, WEIGHT_DEFAULT));
        bands.sort_unstable_by_key(|band| band.rows);
        bands
    }
}

impl Plan {
    /// The next cells, at least `wanted` unless a part ends.
    pub fn piece(&self, from: Place, wanted: usize) -> Piece {
        let mut place = from;
        while place.part <= self.first.len() {
            let piece = self.piece_of_part(place, wanted);
            match piece.next {
                Some(next) if piece.cells.is_empty() => place = next,
                _ => return piece,
            }
        }
        Piece::default()
    }

    fn piece_of_part(&self, from: Place, wanted: usize) -> Piece {
        let part = from.part;
        let mut cells = Vec::new();
        let mut columns = self.columns(from).peekable();
        while let Some(pile_column) = columns.peek().map(|column| column.x >> PILE_ZOOMS) {
            let group: Vec<Column> =
                iter::from_fn(|| columns.next_if(|column| column.x >> PILE_ZOOMS == pile_column))
                    .collect();
            let piles = piles_of(&group);
            for column in group.iter().filter(|_| !piles.is_empty()) {
                cells.extend(self.cells(column, &piles));
            }
            if cells.len() >= wanted {
                let column = (pile_column + 1) << PILE_ZOOMS;
                let next = Some(Place { part, column });
                return Piece { cells, next };
            }
        }
        let next = Place {
            part: part + 1,
            column: 0,
        };
        Piece {
            cells,
            next: (part < self.first.len()).then_some(next),
        }
    }

    /// The columns of a part, as far as anything of the campaign lies in them.
    fn columns(&self, from: Place) -> impl Iterator<Item = Column> {
        let covers = self.now.covers().chain(self.before.covers());
        let (now, before) = (self.now.covers().count(), self.before.covers().count());
        let covers = Abreast::new(covers.chain(&self.first), from.column);
        covers.map(move |(x, rows)| {
            let (of_now, rest) = rows.split_at(now);
            let (of_before, first) = rest.split_at(before);
            let bands = self.now.bands(of_now);
            let changed = differing(&self.before.bands(of_before), &bands);
            let changed = match first.get(from.part) {
                Some(rows) => common(&changed, rows),
                None => without(&changed, &merged(first.concat())),
            };
            Column { x, bands, changed }
        })
    }

    fn cells(&self, column: &Column, piles: &[Run]) -> impl Iterator<Item = (Tile, f32)> {
        let (z, x) = (self.now.area.z(), column.x);
        clipped(&column.bands, piles)
            .into_iter()
            .flat_map(move |band| {
                let (from, to) = band.rows;
                let tiles = (from..=to).filter_map(move |y| Tile::new(z, x, y).ok());
                tiles.map(move |tile| (tile, band.weight))
            })
    }
}

/// The rows of whole piles that change.
fn piles_of(columns: &[Column]) -> Vec<Run> {
    let changed = columns.iter().flat_map(|column| &column.changed);
    let whole = changed.map(|(from, to)| {
        let last_of = |row: u32| row | ((1 << PILE_ZOOMS) - 1);
        (from >> PILE_ZOOMS << PILE_ZOOMS, last_of(*to))
    });
    merged(whole.collect())
}

fn weighed(rows: Vec<Run>, weight: f32) -> impl Iterator<Item = Band> {
    rows.into_iter().map(move |rows| Band { rows, weight })
}

/// Rows that are not there before, or have another weight.
fn differing(before: &[Band], now: &[Band]) -> Vec<Run> {
    if before == now {
        return Vec::new();
    }
    // Weights are positive, so their bits order as they do.
    let by_weight = |bands: &[Band]| {
        let mut rows: BTreeMap<u32, Vec<Run>> = BTreeMap::new();
        for band in bands {
            rows.entry(band.weight.to_bits())
                .or_default()
                .push(band.rows);
        }
        rows
    };
    let before = by_weight(before);
    let differing = by_weight(now).into_iter().flat_map(|(weight, rows)| {
        let same = before.get(&weight).map(Vec::as_slice).unwrap_or_default();
        without(&rows, same)
    });
    merged(differing.collect())
}

/// The parts of bands that lie within runs.
fn clipped(bands: &[Band], runs: &[Run]) -> Vec<Band> {
    let mut within = Vec::new();
    let mut runs = runs.iter().peekable();
    for band in bands {
        while runs.next_if(|run| run.1 < band.rows.0).is_some() {}
        for run in runs.clone().take_while(|run| run.0 <= band.rows.1) {
            within.push(Band {
                rows: (run.0.max(band.rows.0), run.1.min(band.rows.1)),
                weight: band.weight,
            });
        }
    }
    within
}

/// How many of these cells lie in each block of every block zoom. Each zoom is counted from the
/// one below it, so that the work hardly grows with the number of zooms.
pub fn blocks(
    campaign_id: Uuid,
    cell_zoom: u8,
    cells: impl IntoIterator<Item = Tile>,
) -> BTreeMap<(Uuid, i64), BlockDelta> {
    let mut all = BTreeMap::new();
    let mut below: HashMap<Tile, i64> = HashMap::new();
    for cell in cells {
        *below.entry(cell).or_default() += 1;
    }
    for zoom in progress::block_zooms(cell_zoom) {
        let mut blocks: HashMap<Tile, i64> = HashMap::new();
        for (tile, cells) in below {
            if let Some(parent) = tile.parent_at(zoom) {
                *blocks.entry(parent).or_default() += cells;
            }
        }
        all.extend(blocks.iter().map(|(block, cells)| {
            let delta = BlockDelta {
                cells: *cells,
                ..BlockDelta::default()
            };
            ((campaign_id, CellId::from(*block).get()), delta)
        }));
        below = blocks;
    }
    all
}

#[cfg(test)]
mod tests;
