//! Near which places piles are wanted, and where they were claimed: pure.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{
    NEAR_RINGS,
    hand::Hand,
    order::{distance_to_pile, pile_of, piles_at},
    queries::Claim,
};
use crate::geo::{CellId, Tile};

/// Piles that are claimed near a place, and places of one claim.
const PILES: i64 = 9;
const PLACES_MAX: usize = 64;
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

    /// The claim near a place and near others that are wanted.
    pub fn claim(&mut self, centre: Tile, hand: &Hand) -> Claim {
        let own = self.wanted.remove(&pile_of(centre)).unwrap_or(centre);
        let mut centres = vec![own];
        while centres.len() < PLACES_MAX
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
            each: PILES,
        }
    }

    /// Forgets where piles were claimed, since they are laid down.
    pub fn forget_known(&mut self) {
        self.known.clear();
    }
}
