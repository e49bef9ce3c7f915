//! Changes of a campaign, piece by piece, against a model that looks at every tile.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::geo::{MultiPolygon, Polygon};

const ZOOM: u8 = 8;

/// A box of tiles: column, row, columns, rows.
type Boxed = (u32, u32, u32, u32);

fn cover(boxes: &[Boxed]) -> Cover {
    let polygons = boxes.iter().map(|(x, y, columns, rows)| {
        let [west, _, _, north] = Tile::new(ZOOM, *x, *y).unwrap().bbox().edges();
        let last = Tile::new(ZOOM, x + columns - 1, y + rows - 1).unwrap();
        let [_, south, east, _] = last.bbox().edges();
        let ring = vec![
            [west, south],
            [east, south],
            [east, north],
            [west, north],
            [west, south],
        ];
        Polygon { rings: vec![ring] }
    });
    let area = MultiPolygon {
        polygons: polygons.collect(),
    };
    Cover::new(&area, ZOOM).unwrap()
}

fn tiles((x, y, columns, rows): Boxed) -> impl Iterator<Item = (u32, u32)> {
    (x..x + columns).flat_map(move |x| (y..y + rows).map(move |y| (x, y)))
}

/// What an organiser said, as boxes.
#[derive(Clone, Debug, Default)]
struct Said {
    area: Vec<Boxed>,
    priorities: Vec<(Boxed, f32)>,
}

type Cells = BTreeMap<(u32, u32), f32>;

impl Said {
    fn definition(&self) -> Definition {
        let priorities = self.priorities.iter();
        Definition::new(
            cover(&self.area),
            priorities
                .map(|(area, weight)| (cover(&[*area]), *weight))
                .collect(),
        )
    }

    /// Tile by tile, as the words say.
    fn cells(&self) -> Cells {
        let area: BTreeSet<(u32, u32)> = self.area.iter().copied().flat_map(tiles).collect();
        let weight = |tile: &(u32, u32)| {
            let touching = self
                .priorities
                .iter()
                .filter(|(area, _)| tiles(*area).any(|other| other == *tile));
            touching.map(|(_, weight)| *weight).reduce(f32::max)
        };
        area.iter()
            .map(|tile| (*tile, weight(tile).unwrap_or(WEIGHT_DEFAULT)))
            .collect()
    }
}

/// A change that is being carried out, as the table keeps it.
#[derive(Clone, Debug)]
struct Pending {
    before: Said,
    first: Vec<Boxed>,
    place: Place,
}

impl Pending {
    fn new(before: &Said, now: &Said) -> Self {
        let new = now
            .priorities
            .iter()
            .filter(|priority| !before.priorities.contains(priority));
        Self {
            before: before.clone(),
            first: new.map(|(area, _)| *area).collect(),
            place: Place::default(),
        }
    }

    fn plan(&self, now: &Said) -> Plan {
        Plan {
            now: now.definition(),
            before: self.before.definition(),
            first: self.first.iter().map(|area| cover(&[*area])).collect(),
        }
    }

    /// Carries out one piece; false after the last.
    fn step(&mut self, now: &Said, wanted: usize, cells: &mut Cells) -> bool {
        let piece = self.plan(now).piece(self.place, wanted);
        let stored = piece
            .cells
            .iter()
            .map(|(tile, weight)| ((tile.x(), tile.y()), *weight));
        cells.extend(stored);
        self.place = piece.next.unwrap_or_default();
        piece.next.is_some()
    }
}

fn one_piece(before: &Said, now: &Said) -> Vec<(u32, u32, f32)> {
    let piece = Pending::new(before, now)
        .plan(now)
        .piece(Place::default(), usize::MAX);
    let cells = piece.cells.iter();
    cells
        .map(|(tile, weight)| (tile.x(), tile.y(), *weight))
        .collect()
}

#[test]
fn only_piles_with_a_change_are_gone_through_and_those_wholly() {
    let before = Said {
        area: vec![(0, 0, 100, 100)],
        priorities: Vec::new(),
    };
    let mut now = before.clone();
    now.priorities.push(((41, 42, 1, 1), 5.0));
    let piece = one_piece(&before, &now);
    assert_eq!(piece.len(), 16);
    let heavy: Vec<_> = piece
        .iter()
        .filter(|(_, _, weight)| *weight > 1.0)
        .collect();
    assert_eq!(heavy, [&(41, 42, 5.0)]);
    let back = one_piece(&now, &before);
    assert_eq!(back.len(), 16);
    assert!(back.iter().all(|(_, _, weight)| *weight <= 1.0));
    assert_eq!(one_piece(&now, &now), []);
}

#[test]
fn new_priorities_go_first_and_once() {
    let before = Said {
        area: vec![(0, 0, 40, 40)],
        priorities: Vec::new(),
    };
    let now = Said {
        area: vec![(0, 0, 60, 40)],
        priorities: vec![((52, 4, 4, 4), 9.0), ((8, 8, 8, 4), 2.0)],
    };
    let mut pending = Pending::new(&before, &now);
    let mut sizes = Vec::new();
    let mut weights = Vec::new();
    loop {
        let mut cells = Cells::new();
        let more = pending.step(&now, 400, &mut cells);
        sizes.push(cells.len());
        weights.push(cells.values().copied().reduce(f32::max).unwrap());
        if !more {
            break;
        }
    }
    assert_eq!(sizes, [16, 32, 480, 304]);
    assert_eq!(weights, [9.0, 2.0, 1.0, 1.0]);
}

#[test]
fn blocks_count_the_cells_under_them() {
    let cells = tiles((4, 8, 4, 8)).map(|(x, y)| Tile::new(ZOOM, x, y).unwrap());
    let sums = blocks(Uuid::nil(), ZOOM, cells);
    let at = |z: u8, x, y| {
        let block = CellId::from(Tile::new(z, x, y).unwrap()).get();
        sums.get(&(Uuid::nil(), block)).map(|delta| delta.cells)
    };
    assert_eq!(at(6, 1, 2), Some(16));
    assert_eq!(at(6, 1, 3), Some(16));
    assert_eq!(at(4, 0, 0), Some(32));
    assert_eq!(at(0, 0, 0), Some(32));
    assert_eq!(sums.len(), 5);
}

fn boxed() -> impl Strategy<Value = Boxed> {
    (0..24_u32, 0..24_u32, 1..12_u32, 1..12_u32)
}

fn said() -> impl Strategy<Value = Said> {
    let weight = prop::sample::select(vec![0.5_f32, 1.0, 2.0, 50.0]);
    (
        prop::collection::vec(boxed(), 1..3),
        prop::collection::vec((boxed(), weight), 0..4),
    )
        .prop_map(|(area, priorities)| Said { area, priorities })
}

proptest! {
    #[test]
    fn weights_are_those_of_the_words(said in said()) {
        let mut cells = Cells::new();
        let mut pending = Pending::new(&Said::default(), &said);
        while pending.step(&said, 50, &mut cells) {}
        prop_assert_eq!(cells, said.cells());
    }

    /// Pieces of the newest change come first, another change may come at any moment, and the
    /// area only grows.
    #[test]
    fn whatever_comes_in_between_the_cells_end_as_the_last_definition_says(
        changes in prop::collection::vec((said(), 0..6_usize), 1..6),
        wanted in 1..120_usize,
    ) {
        let mut now = Said::default();
        let mut cells = Cells::new();
        let mut waiting: Vec<Pending> = Vec::new();
        for (mut said, steps) in changes {
            said.area.extend(now.area.iter().copied());
            waiting.push(Pending::new(&now, &said));
            now = said;
            for _ in 0..steps {
                let newest = waiting.last_mut();
                if newest.is_some_and(|newest| !newest.step(&now, wanted, &mut cells)) {
                    waiting.pop();
                }
            }
        }
        while let Some(newest) = waiting.last_mut() {
            if !newest.step(&now, wanted, &mut cells) {
                waiting.pop();
            }
        }
        prop_assert_eq!(cells, now.cells());
    }
}
