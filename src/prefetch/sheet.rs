//! What came of the tiles of a piece, in their order.
//!
//! **Invariant:** failures at the end are not counted yet: when the source has gone away, they are
//! no fault of these tiles, which are tried again.

use super::queries::Results;
use crate::{geo::Tile, imagery::Ahead};

/// So many failures in a row mean that the source is to blame and not the tiles.
pub const IN_A_ROW_MAX: usize = 20;

const MISSING: &str = "the source has no tile there";

#[derive(Debug, Default)]
pub struct Sheet {
    results: Results,
    /// Tiles before this one are counted.
    counted: usize,
    /// Failures after them.
    row: Vec<(Tile, String)>,
    /// Nothing is known of a tile, so what comes after it is not noted.
    is_closed: bool,
}

impl Sheet {
    /// Notes the next tile; gives the reason when the source is to blame.
    pub fn note(&mut self, tile: Tile, outcome: Ahead) -> Option<String> {
        if self.is_closed {
            return None;
        }
        let number = match outcome {
            Ahead::Failed(reason) => {
                self.row.push((tile, reason.clone()));
                return (self.row.len() >= IN_A_ROW_MAX).then_some(reason);
            }
            Ahead::Resting(reason) => {
                self.is_closed = true;
                let last = self.row.last().map(|(_, reason)| reason.clone());
                return Some(last.unwrap_or(reason));
            }
            Ahead::Missing => {
                self.count_row();
                self.results.not_had.push((tile, MISSING.to_owned()));
                &mut self.results.missing
            }
            Ahead::Fetched => &mut self.results.fetched,
            Ahead::Kept => &mut self.results.kept,
            Ahead::Outside => &mut self.results.outside,
        };
        *number += 1;
        self.count_row();
        self.counted += 1;
        None
    }

    /// The first tile that is not counted.
    pub fn next(&self, tiles: &[Tile]) -> Option<Tile> {
        tiles.get(self.counted).copied()
    }

    /// Counts also the failures at the end, if the tiles are to blame; gives what is left.
    pub fn close(&mut self, tiles_failed: bool, tiles: &[Tile]) -> Option<Tile> {
        if tiles_failed {
            self.count_row();
        }
        self.next(tiles)
    }

    /// What was counted since the last time.
    pub fn take(&mut self) -> Results {
        std::mem::take(&mut self.results)
    }

    fn count_row(&mut self) {
        for failure in self.row.drain(..) {
            self.counted += 1;
            self.results.failed += 1;
            self.results.not_had.push(failure);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiles(count: u32) -> Vec<Tile> {
        (0..count).map(|x| Tile::new(10, x, 0).unwrap()).collect()
    }

    fn failed() -> Ahead {
        Ahead::Failed("broken".to_owned())
    }

    #[test]
    fn a_failure_counts_once_a_later_tile_came() {
        let tiles = tiles(4);
        let mut sheet = Sheet::default();
        sheet.note(tiles[0], Ahead::Fetched);
        sheet.note(tiles[1], failed());
        assert_eq!(sheet.next(&tiles), Some(tiles[1]));
        assert_eq!(sheet.take().failed, 0);
        sheet.note(tiles[2], Ahead::Missing);
        let results = sheet.take();
        assert_eq!((results.failed, results.missing), (1, 1));
        let listed: Vec<Tile> = results.not_had.iter().map(|(tile, _)| *tile).collect();
        assert_eq!(listed, tiles[1..3]);
        assert_eq!(sheet.next(&tiles), Some(tiles[3]));
    }

    #[test]
    fn what_comes_after_a_tile_of_which_nothing_is_known_is_not_noted() {
        let tiles = tiles(4);
        let mut sheet = Sheet::default();
        sheet.note(tiles[0], Ahead::Kept);
        sheet.note(tiles[1], failed());
        let blamed = sheet.note(tiles[2], Ahead::Resting("it rests".to_owned()));
        assert_eq!(blamed.as_deref(), Some("broken"), "why it rests");
        sheet.note(tiles[3], Ahead::Fetched);
        assert_eq!(sheet.close(false, &tiles), Some(tiles[1]));
        let results = sheet.take();
        assert_eq!((results.kept, results.fetched, results.failed), (1, 0, 0));
        assert_eq!(sheet.close(true, &tiles), Some(tiles[2]));
    }

    #[test]
    fn a_row_of_failures_blames_the_source() {
        let tiles = tiles(30);
        let mut sheet = Sheet::default();
        let blamed: Vec<bool> = tiles
            .iter()
            .take(IN_A_ROW_MAX)
            .map(|tile| sheet.note(*tile, failed()).is_some())
            .collect();
        assert_eq!(blamed.iter().position(|is| *is), Some(IN_A_ROW_MAX - 1));
        assert_eq!(sheet.close(false, &tiles), Some(tiles[0]));
        assert_eq!(sheet.take().failed, 0);
        assert_eq!(sheet.close(true, &tiles), Some(tiles[IN_A_ROW_MAX]));
        assert_eq!(sheet.take().failed, 20);
    }
}
