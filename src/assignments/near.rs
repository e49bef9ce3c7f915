//! Near which places piles are wanted, and where they were claimed: pure.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{
    NEAR_RINGS,
    hand::Hand,
    order::{PILE_ZOOMS, distance_to_pile, pile_of, piles_at},
    queries::Claim,
};
use crate::geo::{CellId, Tile};

/// Piles that are claimed near a place for somebody who wishes for a few cells, and places of one
/// claim.
const PILES: usize = 9;
const PLACES_MAX: usize = 64;
/// Cells of a pile.
const PILE_CELLS: usize = 1 << (2 * PILE_ZOOMS);
/// For so long after a claim near a place the hand is taken for all that there is.
const KNOWN: Duration = Duration::from_secs(1);

#[derive(Default)]
pub struct Near {
    /// Places that somebody wants piles near to, by the pile they lie in.
    wanted: BTreeMap<CellId, Tile>,
    /// When piles near these were last claimed.
    known: BTreeMap<CellId, Instant>,
}

impl Near {
    /// Has piles near a place claimed by whoever claims next.
    pub fn want(&mut self, centre: Tile) {
        self.wanted.insert(pile_of(centre), centre);
    }

    /// Whether nobody has claimed piles near a place since they were wanted.
    pub fn is_wanted(&self, centre: Tile) -> bool {
        self.wanted.contains_key(&pile_of(centre))
    }

    /// Whether piles near a place were claimed just now, so that the hand has all that there is.
    pub fn is_known(&self, centre: Tile) -> bool {
        let known_at = self.known.get(&pile_of(centre));
        known_at.is_some_and(|at| at.elapsed() < KNOWN)
    }

    /// The claim near a place for so many cells, and near others that are wanted; for a place alone
    /// when it takes more piles than others do.
    pub fn claim(&mut self, centre: Tile, count: usize, hand: &Hand) -> Claim {
        let own = self.wanted.remove(&pile_of(centre)).unwrap_or(centre);
        let mut centres = vec![own];
        let each = PILES.max(count.div_ceil(PILE_CELLS) * 2);
        let places_max = if each > PILES { 1 } else { PLACES_MAX };
        while centres.len() < places_max
            && let Some((_, other)) = self.wanted.pop_first()
        {
            centres.push(other);
        }
        let now = Instant::now();
        self.known.retain(|_, at| at.elapsed() < KNOWN);
        let known = centres.iter().map(|centre| (pile_of(*centre), now));
        self.known.extend(known);
        let (mut piles, mut places) = (Vec::new(), Vec::new());
        for (place, centre) in (0..).zip(centres) {
            let around = (0..=NEAR_RINGS).flat_map(|ring| piles_at(centre, ring));
            let mut around: Vec<CellId> = around.filter(|pile| !hand.holds(*pile)).collect();
            around.sort_by_key(|pile| distance_to_pile(centre, *pile));
            places.extend(around.iter().map(|_| place));
            piles.extend(around.into_iter().map(CellId::get));
        }
        Claim::Near {
            piles,
            places,
            each: i64::try_from(each).unwrap_or(i64::MAX),
        }
    }

    /// Forgets where piles were claimed, since they are laid down.
    pub fn forget_known(&mut self) {
        self.known.clear();
    }
}
