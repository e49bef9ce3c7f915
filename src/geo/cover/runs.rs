//! Rows of one column as runs: first and last row of each, ascending, without overlaps.

use std::iter::Peekable;

use super::{Columns, Cover};
use crate::geo::Tile;

/// First and last row, both covered.
pub type Run = (u32, u32);

/// Rows that are in both.
pub fn common(a: &[Run], b: &[Run]) -> Vec<Run> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut both = Vec::new();
    while let (Some(&&left), Some(&&right)) = (a.peek(), b.peek()) {
        let run = (left.0.max(right.0), left.1.min(right.1));
        if run.0 <= run.1 {
            both.push(run);
        }
        if left.1 <= right.1 {
            a.next();
        } else {
            b.next();
        }
    }
    both
}

/// Rows of `a` that are not in `b`.
pub fn without(a: &[Run], b: &[Run]) -> Vec<Run> {
    let mut left = Vec::new();
    let mut b = b.iter().peekable();
    for &(mut from, to) in a {
        while b.next_if(|other| other.1 < from).is_some() {}
        let mut ended = false;
        while let Some(&&(begin, end)) = b.peek() {
            if begin > to {
                break;
            }
            if begin > from {
                left.push((from, begin - 1));
            }
            if end >= to {
                ended = true;
                break;
            }
            from = end + 1;
            b.next();
        }
        if !ended {
            left.push((from, to));
        }
    }
    left
}

/// Walks the columns of several covers of one zoom side by side.
pub struct Abreast<'a>(Vec<Peekable<Columns<'a>>>);

impl<'a> Abreast<'a> {
    /// Begins with column `x`.
    pub fn new(covers: impl IntoIterator<Item = &'a Cover>, x: u32) -> Self {
        let columns = covers.into_iter().map(|cover| cover.columns_from(x));
        Self(columns.map(Iterator::peekable).collect())
    }
}

impl Iterator for Abreast<'_> {
    /// The next column that any of them covers, with the rows of each.
    type Item = (u32, Vec<Vec<Run>>);

    fn next(&mut self) -> Option<Self::Item> {
        let covers = self.0.iter_mut();
        let x = covers
            .filter_map(|cover| cover.peek().map(|column| column.x))
            .min()?;
        let rows = self.0.iter_mut().map(|cover| {
            let column = cover.next_if(|column| column.x == x);
            column.map(|column| column.rows).unwrap_or_default()
        });
        Some((x, rows.collect()))
    }
}

/// Tiles that one cover has and another lacks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Missing {
    pub count: u64,
    pub example: Tile,
}

impl Cover {
    /// Tiles of this cover that the other, of the same zoom, lacks.
    pub fn missing_in(&self, other: &Self) -> Option<Missing> {
        let mut missing: Option<Missing> = None;
        for (x, rows) in Abreast::new([self, other], 0) {
            let [own, others] = rows.as_slice() else {
                continue;
            };
            for (from, to) in without(own, others) {
                let count = u64::from(to - from) + 1;
                match &mut missing {
                    Some(missing) => missing.count += count,
                    None => {
                        missing = Tile::new(self.z, x, from)
                            .ok()
                            .map(|example| Missing { count, example });
                    }
                }
            }
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::geo::{MultiPolygon, Polygon};

    fn runs(rows: &BTreeSet<u32>) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for row in rows {
            match runs.last_mut() {
                Some(last) if last.1 + 1 == *row => last.1 = *row,
                _ => runs.push((*row, *row)),
            }
        }
        runs
    }

    fn rows(runs: &[Run]) -> BTreeSet<u32> {
        runs.iter().flat_map(|(from, to)| *from..=*to).collect()
    }

    /// The cover of a box of tiles at zoom 6.
    fn boxed(x: u32, y: u32, columns: u32, rows: u32) -> Cover {
        let [west, _, _, north] = Tile::new(6, x, y).unwrap().bbox().edges();
        let last = Tile::new(6, x + columns - 1, y + rows - 1).unwrap();
        let [_, south, east, _] = last.bbox().edges();
        let ring = vec![
            [west, south],
            [east, south],
            [east, north],
            [west, north],
            [west, south],
        ];
        let area = MultiPolygon {
            polygons: vec![Polygon { rings: vec![ring] }],
        };
        Cover::new(&area, 6).unwrap()
    }

    #[test]
    fn what_a_cover_lacks_of_another_is_counted_with_an_example() {
        let (large, small) = (boxed(10, 10, 6, 4), boxed(12, 10, 4, 4));
        assert_eq!(small.missing_in(&large), None);
        let missing = large.missing_in(&small).unwrap();
        assert_eq!(missing.count, 8);
        assert_eq!(missing.example, Tile::new(6, 10, 10).unwrap());
        let apart = boxed(40, 40, 2, 2);
        assert_eq!(large.missing_in(&apart).unwrap().count, 24);
    }

    #[test]
    fn covers_are_walked_side_by_side() {
        let (one, two) = (boxed(3, 0, 2, 1), boxed(4, 5, 3, 2));
        let walked: Vec<_> = Abreast::new([&one, &two], 4).collect();
        assert_eq!(
            walked,
            [
                (4, vec![vec![(0, 0)], vec![(5, 6)]]),
                (5, vec![vec![], vec![(5, 6)]]),
                (6, vec![vec![], vec![(5, 6)]]),
            ]
        );
    }

    proptest! {
        #[test]
        fn runs_behave_like_sets_of_rows(
            a in prop::collection::btree_set(0..60_u32, 0..40),
            b in prop::collection::btree_set(0..60_u32, 0..40),
        ) {
            let both: BTreeSet<u32> = a.intersection(&b).copied().collect();
            prop_assert_eq!(rows(&common(&runs(&a), &runs(&b))), both);
            let left: BTreeSet<u32> = a.difference(&b).copied().collect();
            prop_assert_eq!(rows(&without(&runs(&a), &runs(&b))), left);
        }
    }
}
