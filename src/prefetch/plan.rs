//! Which tiles volunteers will ask for: those of a campaign's cells, at several zooms.
//!
//! **Invariant:** pure; memory is proportional to the vertices of the area and the tiles of a piece,
//! never to all tiles.
//!
//! **Invariant:** tiles come in the order of [`CellId`](crate::geo::CellId), each once, so that work goes on at any tile.

use std::iter;

use crate::geo::{Cover, MultiPolygon, Tile, cover, cover::Run, tile::ZOOM_MAX};

/// So many zooms above the cells the page shows for their surroundings (`web/src/volunteer/plate.ts`).
const ZOOMS_ABOVE: u8 = 1;
/// So many zooms below the cells a large screen with two pixels to the point asks for, with tiles of
/// 256 pixels (`tileZoom` in `web/src/shared/tiles.ts`).
const ZOOMS_BELOW: u8 = 3;

/// First and last zoom.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Zooms {
    pub min: u8,
    pub max: u8,
}

impl Zooms {
    /// Those that the volunteers' page loads, as far as the layer has them.
    pub fn of_page(cell_zoom: u8, layer: Zooms, tile_size: u16) -> Self {
        let below = if tile_size > 256 {
            ZOOMS_BELOW - 1
        } else {
            ZOOMS_BELOW
        };
        let all = Self {
            min: cell_zoom.saturating_sub(ZOOMS_ABOVE),
            max: cell_zoom.saturating_add(below),
        };
        all.within(layer)
    }

    /// The nearest that a layer has.
    #[must_use]
    pub fn within(self, layer: Zooms) -> Self {
        Self {
            min: self.min.clamp(layer.min, layer.max),
            max: self.max.clamp(layer.min, layer.max),
        }
    }
}

/// The tiles of a campaign at some zooms.
#[derive(Clone, Debug)]
pub struct Plan {
    cells: Cover,
    zooms: Zooms,
}

impl Plan {
    pub fn new(
        area: &MultiPolygon,
        cell_zoom: u8,
        zooms: Zooms,
    ) -> Result<Self, cover::CoverError> {
        if zooms.max > ZOOM_MAX {
            return Err(cover::CoverError::Zoom(zooms.max));
        }
        Ok(Self {
            cells: Cover::new(area, cell_zoom)?,
            zooms,
        })
    }

    /// Number of its tiles, without visiting each.
    pub fn count(&self) -> u64 {
        let cells = self.cells.count();
        (self.zooms.min..=self.zooms.max)
            .map(|z| match z.checked_sub(self.cells.z()) {
                Some(deeper) => cells.saturating_mul(1 << (2 * u32::from(deeper))),
                None => self.columns(z, 0).map(|(_, rows)| size(&rows)).sum(),
            })
            .fold(0, u64::saturating_add)
    }

    /// Up to `most` tiles beginning with `from`, and the one after them.
    pub fn piece(&self, from: Tile, most: usize) -> (Vec<Tile>, Option<Tile>) {
        let mut tiles = Vec::with_capacity(most);
        for z in from.z().max(self.zooms.min)..=self.zooms.max {
            let (first_x, first_y) = if z == from.z() {
                (from.x(), from.y())
            } else {
                (0, 0)
            };
            for (x, rows) in self.columns(z, first_x) {
                for (top, bottom) in rows {
                    let top = if x == first_x { top.max(first_y) } else { top };
                    for y in top..=bottom {
                        let Ok(tile) = Tile::new(z, x, y) else {
                            continue;
                        };
                        if tiles.len() == most {
                            return (tiles, Some(tile));
                        }
                        tiles.push(tile);
                    }
                }
            }
        }
        (tiles, None)
    }

    /// Columns with their rows at a zoom, from column `x` on.
    fn columns(&self, z: u8, x: u32) -> Box<dyn Iterator<Item = (u32, Vec<Run>)> + '_> {
        let cell_zoom = self.cells.z();
        if z >= cell_zoom {
            let deeper = z - cell_zoom;
            let finer = self
                .cells
                .columns_from(x >> deeper)
                .flat_map(move |column| {
                    let rows: Vec<Run> = column
                        .rows
                        .iter()
                        .map(|(top, bottom)| (top << deeper, ((bottom + 1) << deeper) - 1))
                        .collect();
                    let first = column.x << deeper;
                    (first..first + (1 << deeper)).map(move |x| (x, rows.clone()))
                });
            return Box::new(finer.skip_while(move |(column, _)| *column < x));
        }
        let higher = cell_zoom - z;
        let mut cells = self.cells.columns_from(x << higher).peekable();
        Box::new(iter::from_fn(move || {
            let x = cells.peek()?.x >> higher;
            let mut rows = Vec::new();
            while let Some(column) = cells.next_if(|column| column.x >> higher == x) {
                let coarser = column.rows.iter();
                rows.extend(coarser.map(|(top, bottom)| (top >> higher, bottom >> higher)));
            }
            Some((x, cover::merged(rows)))
        }))
    }
}

fn size(rows: &[Run]) -> u64 {
    rows.iter()
        .map(|(top, bottom)| u64::from(bottom - top) + 1)
        .sum()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::geo::{CellId, Polygon};

    /// A triangle over some hundred cells of zoom 12.
    fn area() -> MultiPolygon {
        let ring = vec![[10.0, 50.0], [11.3, 50.2], [10.4, 51.1], [10.0, 50.0]];
        MultiPolygon {
            polygons: vec![Polygon { rings: vec![ring] }],
        }
    }

    fn plan(min: u8, max: u8) -> Plan {
        Plan::new(&area(), 12, Zooms { min, max }).unwrap()
    }

    fn all(plan: &Plan) -> Vec<Tile> {
        plan.piece(Tile::WORLD, 1_000_000).0
    }

    #[test]
    fn the_tiles_are_those_of_the_cells_and_of_nothing_else() {
        let cells = all(&plan(12, 12));
        assert_eq!(u64::try_from(cells.len()).unwrap(), plan(12, 12).count());
        for z in [0, 7, 11, 12, 13, 14] {
            let tiles = all(&plan(z, z));
            let wanted: BTreeSet<CellId> = if z <= 12 {
                let parents = cells.iter().map(|cell| cell.parent_at(z).unwrap());
                parents.map(CellId::from).collect()
            } else {
                let side = 1 << (z - 12);
                let children = cells.iter().flat_map(|cell| {
                    let (x, y) = (cell.x() * side, cell.y() * side);
                    (0..side * side).map(move |n| Tile::new(z, x + n % side, y + n / side).unwrap())
                });
                children.map(CellId::from).collect()
            };
            let found: Vec<CellId> = tiles.iter().copied().map(CellId::from).collect();
            assert_eq!(found, wanted.into_iter().collect::<Vec<_>>(), "zoom {z}");
            assert_eq!(plan(z, z).count(), u64::try_from(found.len()).unwrap());
        }
    }

    #[test]
    fn pieces_of_any_size_make_up_the_whole() {
        let plan = plan(10, 13);
        let whole = all(&plan);
        assert_eq!(plan.count(), u64::try_from(whole.len()).unwrap());
        for most in [1, 7, 100, 100_000] {
            let mut pieces = Vec::new();
            let mut from = Some(Tile::WORLD);
            while let Some(begin) = from {
                let (tiles, next) = plan.piece(begin, most);
                assert!(tiles.len() <= most);
                pieces.extend(tiles);
                from = next;
            }
            assert_eq!(pieces, whole, "pieces of {most}");
        }
    }

    #[test]
    fn the_zooms_are_those_of_the_page_as_far_as_the_layer_has_them() {
        let layer = |min, max| Zooms { min, max };
        let of = Zooms::of_page;
        assert_eq!(of(17, layer(0, 24), 256), layer(16, 20));
        assert_eq!(of(17, layer(0, 24), 512), layer(16, 19));
        assert_eq!(of(17, layer(0, 18), 256), layer(16, 18));
        assert_eq!(of(17, layer(0, 14), 256), layer(14, 14));
        assert_eq!(of(17, layer(22, 23), 256), layer(22, 22));
        assert_eq!(of(0, layer(0, 24), 256), layer(0, 3));
    }
}
