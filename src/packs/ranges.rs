//! Tiles as few blocks: pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::geo::Tile;

/// First x, first y, last x, last y.
pub type Range = [u32; 4];

/// Blocks that hold the tiles of all cells at a zoom, each tile once.
pub fn ranges(cells: &[Tile], zoom: u8) -> Vec<Range> {
    let Some(cell_zoom) = cells.first().map(|cell| cell.z()) else {
        return Vec::new();
    };
    let tiles: BTreeSet<(u32, u32)> = cells
        .iter()
        .filter_map(|cell| cell.parent_at(zoom.min(cell_zoom)))
        .map(|tile| (tile.x(), tile.y()))
        .collect();
    let deeper = zoom.saturating_sub(cell_zoom);
    let first = |at: u32| at << deeper;
    let last = |at: u32| ((at + 1) << deeper) - 1;
    blocks(&tiles)
        .into_iter()
        .map(|[x, y, last_x, last_y]| [first(x), first(y), last(last_x), last(last_y)])
        .collect()
}

/// How many tiles a block has.
pub fn size([x, y, last_x, last_y]: Range) -> u64 {
    u64::from(last_x - x + 1) * u64::from(last_y - y + 1)
}

/// Runs of each column, put together with equal ones of the column before.
fn blocks(tiles: &BTreeSet<(u32, u32)>) -> Vec<Range> {
    let mut done = Vec::new();
    let mut open: BTreeMap<(u32, u32), Range> = BTreeMap::new();
    for (x, runs) in columns(tiles) {
        if open.values().any(|block| block[2] + 1 < x) {
            done.extend(std::mem::take(&mut open).into_values());
        }
        let mut next = BTreeMap::new();
        for (top, bottom) in runs {
            let before = open.remove(&(top, bottom));
            let first = before.map_or(x, |block| block[0]);
            next.insert((top, bottom), [first, top, x, bottom]);
        }
        done.extend(open.into_values());
        open = next;
    }
    done.extend(open.into_values());
    done.sort_unstable();
    done
}

/// First and last row of each run, by column.
fn columns(tiles: &BTreeSet<(u32, u32)>) -> BTreeMap<u32, Vec<(u32, u32)>> {
    let mut columns: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
    for (x, y) in tiles {
        let runs = columns.entry(*x).or_default();
        match runs.last_mut() {
            Some((_, bottom)) if *bottom + 1 == *y => *bottom = *y,
            _ => runs.push((*y, *y)),
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tile(x: u32, y: u32) -> Tile {
        Tile::new(17, x, y).unwrap()
    }

    #[test]
    fn a_square_of_cells_is_one_block_at_every_zoom() {
        let cells: Vec<Tile> = (8..12)
            .flat_map(|x| (4..8).map(move |y| tile(x, y)))
            .collect();
        assert_eq!(ranges(&cells, 17), [[8, 4, 11, 7]]);
        assert_eq!(ranges(&cells, 19), [[32, 16, 47, 31]]);
        assert_eq!(ranges(&cells, 16), [[4, 2, 5, 3]]);
        assert_eq!(ranges(&cells, 10), [[0, 0, 0, 0]]);
        assert!(ranges(&[], 17).is_empty());
    }

    proptest! {
        #[test]
        fn each_tile_is_in_one_block_and_no_other_is(
            places in prop::collection::btree_set((0_u32..12, 0_u32..12), 0..60),
            zoom in 15_u8..20,
        ) {
            let cells: Vec<Tile> = places.iter().map(|(x, y)| tile(*x, *y)).collect();
            let wanted: BTreeSet<(u32, u32)> = cells
                .iter()
                .flat_map(|cell| {
                    let (up, down) = (17_u8.saturating_sub(zoom), zoom.saturating_sub(17));
                    let (x, y) = (cell.x() >> up << down, cell.y() >> up << down);
                    (0..1_u32 << down).flat_map(move |dx| (0..1_u32 << down).map(move |dy| (x + dx, y + dy)))
                })
                .collect();
            let mut found = Vec::new();
            let blocks = ranges(&cells, zoom);
            for [x, y, last_x, last_y] in &blocks {
                found.extend((*x..=*last_x).flat_map(|x| (*y..=*last_y).map(move |y| (x, y))));
            }
            prop_assert_eq!(found.len(), wanted.len());
            let sizes: u64 = blocks.iter().map(|block| size(*block)).sum();
            prop_assert_eq!(sizes, u64::try_from(wanted.len()).unwrap());
            prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), wanted);
        }
    }
}
