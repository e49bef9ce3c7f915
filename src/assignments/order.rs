//! In which order cells are dealt: pure.
//!
//! **Invariant:** the order of a campaign's deck is the same on every server and at every time.
//!
//! Weights that differ by less than a factor of two form one band; a band is dealt before all
//! lighter ones. Within a band, cells that have fewer looks come first, and among those the order
//! is a weighted random one: each has a position `-ln(u) / weight` with its own `u` in `(0, 1]`,
//! and the smallest goes first, so that the chance to be next is in proportion to the weight
//! (Efraimidis and Spirakis, Weighted random sampling with a reservoir, 2006).

use uuid::Uuid;

use crate::geo::{CellId, Tile};

/// Zooms from a cell up to its pile: a pile has at most 16 cells.
pub const PILE_ZOOMS: u8 = 2;
/// Weight of a cell outside every priority area.
pub const WEIGHT_DEFAULT: f32 = 1.0;
/// Weights of one band differ by less than this factor.
const BAND_FACTOR: f32 = 2.0;

/// The pile of a cell.
pub fn pile_of(cell: Tile) -> CellId {
    let parent = cell.parent_at(cell.z().saturating_sub(PILE_ZOOMS));
    CellId::from(parent.unwrap_or(cell))
}

/// The cells that a pile can have, whether the campaign has them or not.
pub fn cells_of(pile: CellId) -> impl Iterator<Item = CellId> {
    let (tile, across) = (pile.tile(), 1 << PILE_ZOOMS);
    (0..across).flat_map(move |dx| {
        (0..across).filter_map(move |dy| {
            let (x, y) = (tile.x() * across + dx, tile.y() * across + dy);
            Tile::new(tile.z() + PILE_ZOOMS, x, y)
                .ok()
                .map(CellId::from)
        })
    })
}

/// The piles that are so many piles away from a cell's own, in the larger of both directions.
/// Columns go round the world.
pub fn piles_at(centre: Tile, ring: u32) -> impl Iterator<Item = CellId> {
    let pile = pile_of(centre).tile();
    let (z, across) = (pile.z(), 1_u32 << pile.z());
    let reach = i64::from(ring);
    let is_edge = move |dx: i64, dy: i64| dx.abs().max(dy.abs()) == reach;
    (-reach..=reach)
        .flat_map(move |dx| (-reach..=reach).map(move |dy| (dx, dy)))
        .filter(move |(dx, dy)| is_edge(*dx, *dy))
        .filter_map(move |(dx, dy)| {
            let x = (i64::from(pile.x()) + dx).rem_euclid(i64::from(across));
            let y = i64::from(pile.y()) + dy;
            let (x, y) = (u32::try_from(x).ok()?, u32::try_from(y).ok()?);
            Tile::new(z, x, y).ok().map(CellId::from)
        })
}

/// The square of the distance from a cell to the nearest of a pile, in cells.
pub fn distance_to_pile(centre: Tile, pile: CellId) -> u64 {
    let (tile, edge) = (pile.tile(), 1_u32 << PILE_ZOOMS);
    let nearest = |at: u32, first: u32| at.clamp(first, first + edge - 1);
    let y = nearest(centre.y(), tile.y() * edge);
    let first = tile.x() * edge;
    let columns = [nearest(centre.x(), first), first, first + edge - 1];
    let cells = columns
        .into_iter()
        .filter_map(|x| Tile::new(centre.z(), x, y).ok());
    let distances = cells.map(|cell| distance_squared(centre, cell));
    distances.min().unwrap_or(u64::MAX)
}

/// In cells; columns go round the world.
pub fn distance_squared(a: Tile, b: Tile) -> u64 {
    let across = 1_u64 << a.z();
    let dx = u64::from(a.x().abs_diff(b.x()));
    let dx = dx.min(across - dx);
    let dy = u64::from(a.y().abs_diff(b.y()));
    dx * dx + dy * dy
}

/// The place of a cell or pile in a campaign's order; the smallest comes first.
pub fn position(campaign_id: Uuid, place: CellId, weight: f32) -> f32 {
    let (high, low) = campaign_id.as_u64_pair();
    let random = shuffle(place.get().cast_unsigned() ^ high ^ low);
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "24 random bits are exact in an f32"
    )]
    let u = ((random >> 40) + 1) as f32 / (1_u32 << 24) as f32;
    -u.ln() / weight.max(f32::MIN_POSITIVE)
}

/// Weights as bands, heaviest first; each band lists its weights.
pub fn bands(weights: impl IntoIterator<Item = f32>) -> Vec<Vec<f32>> {
    let mut weights: Vec<f32> = weights.into_iter().chain([WEIGHT_DEFAULT]).collect();
    weights.sort_unstable_by(|a, b| b.total_cmp(a));
    weights.dedup();
    let mut bands: Vec<Vec<f32>> = Vec::new();
    for weight in weights {
        match bands.last_mut() {
            Some(band) if weight * BAND_FACTOR > band[0] => band.push(weight),
            _ => bands.push(vec![weight]),
        }
    }
    bands
}

/// `SplitMix64` (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
fn shuffle(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const CAMPAIGN: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);

    fn cell(n: u32) -> CellId {
        CellId::from(Tile::new(17, 1000 + n / 256, 2000 + n % 256).unwrap())
    }

    #[test]
    fn weights_that_differ_by_less_than_two_share_a_band() {
        assert_eq!(bands([50.0, 2.0]), [vec![50.0], vec![2.0], vec![1.0]]);
        assert_eq!(bands([1.5, 1.99]), [vec![1.99, 1.5, 1.0]]);
        assert_eq!(bands([0.5]), [vec![1.0], vec![0.5]]);
        assert_eq!(bands([]), [vec![1.0]]);
    }

    #[test]
    fn the_chance_to_come_first_is_in_proportion_to_the_weight() {
        // A pair of cells, one of weight 1.5: three times in five it comes first.
        let pairs = 20_000_u32;
        let first = (0..pairs)
            .filter(|n| {
                position(CAMPAIGN, cell(2 * n), 1.5) < position(CAMPAIGN, cell(2 * n + 1), 1.0)
            })
            .count();
        let share = f64::from(u32::try_from(first).unwrap()) / f64::from(pairs);
        assert!((share - 0.6).abs() < 0.015, "{share}");
    }

    #[test]
    fn rings_of_piles_lie_around_a_cell_and_across_the_edge_of_the_world() {
        let tile = Tile::new(17, 0, 40_000).unwrap();
        let ring: BTreeSet<(u32, u32)> = piles_at(tile, 1)
            .map(|pile| (pile.tile().x(), pile.tile().y()))
            .collect();
        let west = (1 << 15) - 1;
        let columns = [west, 0, 1];
        let wanted = columns.map(|x| [9_999, 10_000, 10_001].map(|y| (x, y)));
        let mut wanted: BTreeSet<(u32, u32)> = wanted.into_iter().flatten().collect();
        wanted.remove(&(0, 10_000));
        assert_eq!(ring, wanted);
        assert_eq!(piles_at(tile, 0).collect::<Vec<_>>(), [pile_of(tile)]);
        let corner = Tile::new(17, 0, 0).unwrap();
        assert_eq!(piles_at(corner, 1).count(), 5, "none beyond the pole");
    }

    #[test]
    fn distances_go_round_the_world() {
        let at = |x, y| Tile::new(17, x, y).unwrap();
        assert_eq!(distance_squared(at(0, 7), at((1 << 17) - 3, 11)), 9 + 16);
        assert_eq!(distance_squared(at(5, 5), at(5, 5)), 0);
        assert_eq!(
            distance_to_pile(at(1, 6), pile_of(at((1 << 17) - 3, 11))),
            4 + 4
        );
    }

    proptest! {
        #[test]
        fn every_cell_lies_in_the_pile_that_lists_it(n in 0..1_000_000_u32) {
            let cell = cell(n);
            let listed: Vec<CellId> = cells_of(pile_of(cell.tile())).collect();
            prop_assert_eq!(listed.len(), 16);
            prop_assert!(listed.contains(&cell));
            prop_assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), 16);
            let centre = CellId::from(Tile::new(17, 1010, 2010).unwrap()).tile();
            let nearest = listed.iter().map(|cell| distance_squared(centre, cell.tile())).min();
            prop_assert_eq!(Some(distance_to_pile(centre, pile_of(cell.tile()))), nearest);
            for other in listed {
                prop_assert_eq!(pile_of(other.tile()), pile_of(cell.tile()));
            }
        }

        #[test]
        fn the_order_is_a_permutation_that_differs_between_campaigns(seed in any::<u128>()) {
            let order = |campaign: Uuid| {
                let mut cells: Vec<u32> = (0..200).collect();
                cells.sort_by(|a, b| {
                    position(campaign, cell(*a), 1.0).total_cmp(&position(campaign, cell(*b), 1.0))
                });
                cells
            };
            let one = order(Uuid::from_u128(seed));
            prop_assert_eq!(one.iter().collect::<BTreeSet<_>>().len(), 200);
            prop_assert_eq!(&one, &order(Uuid::from_u128(seed)));
            prop_assert_ne!(one, order(Uuid::from_u128(seed ^ 1)));
        }
    }
}
