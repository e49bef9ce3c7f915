//! A tile in one number, as the database stores it.
//!
//! **Invariant:** `CellId` sorts as `(z, x, y)`, is never negative, and each id stands for
//! exactly one tile.

use super::tile::Tile;

const AXIS_BITS: u32 = 29;
const AXIS_MASK: i64 = (1 << AXIS_BITS) - 1;

/// A tile in one `bigint`: sign 0, then z (5 bits), x (29 bits), y (29 bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId(i64);

/// Why a number is not the id of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not the id of a cell")]
pub struct NotACell(pub i64);

impl CellId {
    /// The number stored in `cell bigint` columns.
    pub fn get(self) -> i64 {
        self.0
    }

    /// The tile it stands for.
    pub fn tile(self) -> Tile {
        self.into()
    }
}

impl From<Tile> for CellId {
    fn from(tile: Tile) -> Self {
        let z = i64::from(tile.z) << (2 * AXIS_BITS);
        Self(z | (i64::from(tile.x) << AXIS_BITS) | i64::from(tile.y))
    }
}

impl From<CellId> for Tile {
    fn from(CellId(id): CellId) -> Self {
        // The bits of an id fit by its invariant, so the defaults are never taken.
        let axis = |bits: i64| u32::try_from(bits & AXIS_MASK).unwrap_or_default();
        Self {
            z: u8::try_from(id >> (2 * AXIS_BITS)).unwrap_or_default(),
            x: axis(id >> AXIS_BITS),
            y: axis(id),
        }
    }
}

impl TryFrom<i64> for CellId {
    type Error = NotACell;

    fn try_from(id: i64) -> Result<Self, NotACell> {
        let tile = Tile::from(Self(id));
        let known = id >= 0 && Tile::new(tile.z, tile.x, tile.y).is_ok();
        if known {
            Ok(Self(id))
        } else {
            Err(NotACell(id))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::mercator::tiles_across;
    use super::*;

    fn any_tile() -> impl Strategy<Value = Tile> {
        (0..=26u8, any::<u32>(), any::<u32>()).prop_map(|(z, x, y)| {
            let across = tiles_across(z);
            Tile::new(z, x % across, y % across).unwrap()
        })
    }

    #[test]
    fn hostile_ids_are_refused() {
        let z27 = 27 << 58;
        let x_outside = (3 << 58) | (8 << 29);
        let y_outside = (3 << 58) | 8;
        for id in [-1, i64::MIN, i64::MAX, z27, x_outside, y_outside] {
            assert_eq!(CellId::try_from(id), Err(NotACell(id)));
        }
        assert!(CellId::try_from((3 << 58) | (7 << 29) | 7).is_ok());
    }

    proptest! {
        #[test]
        fn every_tile_survives_its_id(tile in any_tile()) {
            let id = CellId::from(tile);
            prop_assert!(id.get() >= 0);
            prop_assert_eq!(CellId::try_from(id.get()).unwrap().tile(), tile);
        }

        #[test]
        fn ids_sort_as_zoom_column_row(a in any_tile(), b in any_tile()) {
            prop_assert_eq!(CellId::from(a).cmp(&CellId::from(b)), (a.z(), a.x(), a.y()).cmp(&(b.z(), b.x(), b.y())));
        }
    }
}
