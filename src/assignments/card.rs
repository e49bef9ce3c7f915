//! A cell in the hand of a server, and the pile that it belongs to: pure.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    BAD_IMAGERY_REPORTS, TAIL_EXTRA,
    ledger::{self, Given, Seconds, VolunteerKey},
    order::position,
    rules::Rules,
};
use crate::geo::CellId;

/// Level of a pile that has no cell to deal, whatever is wanted.
pub const LEVEL_NONE: u16 = 32_767;

/// What the database knows of a cell.
#[derive(Clone, Debug, Default)]
pub struct CellFacts {
    pub weight: f32,
    pub is_closed: bool,
    /// The imagery layer that the organiser gave it instead of the campaign's.
    pub layer: Option<Uuid>,
    /// Who looked at it, whatever they answered.
    pub seen: Vec<VolunteerKey>,
    /// Distinct volunteers whose look counts towards the looks wanted.
    pub done: u16,
    /// Distinct volunteers whose report of bad imagery counts.
    pub reports: u16,
}

/// A cell that can be dealt.
#[derive(Clone, Debug)]
pub struct Card {
    pub cell: CellId,
    pub weight: f32,
    pub position: f32,
    pub layer: Option<Uuid>,
    /// Looks and live leases.
    pub level: u16,
    done: u16,
    seen: Vec<VolunteerKey>,
    /// Who was given it and has not answered, oldest first.
    given: Vec<Given>,
}

/// The cells under one tile two zooms above them, as one server holds them.
#[derive(Clone, Debug)]
pub struct Pile {
    pub id: CellId,
    /// When its leases were counted: those that ended before are not live.
    pub counted_at: Seconds,
    /// Whether something was dealt that is not stored.
    pub is_dirty: bool,
    pub cards: Vec<Card>,
    /// Entries of cells that are closed or have bad imagery.
    asleep: Vec<(CellId, Vec<Given>)>,
}

/// A pile as it is stored.
#[derive(Clone, Debug)]
pub struct Summary {
    pub pile: CellId,
    pub weight: f32,
    pub position: f32,
    pub level: u16,
    pub due_at: Option<Seconds>,
    /// When a cell may first be given beyond the looks wanted: see [`Card::tail_at`].
    pub tail_at: Option<Seconds>,
    /// Whether it has cells of several bands.
    pub is_mixed: bool,
    pub ledger: Vec<u8>,
}

impl Card {
    pub fn is_known_to(&self, volunteer: VolunteerKey) -> bool {
        self.seen.contains(&volunteer) || self.given.iter().any(|given| given.to == volunteer)
    }

    /// Gives it to a volunteer; what they were given before is renewed.
    pub fn give(&mut self, given: Given, counted_at: Seconds) {
        let before = self.given.iter().position(|old| old.to == given.to);
        let was_live = before.is_some_and(|at| self.given.remove(at).lease_ends > counted_at);
        if !was_live {
            self.level += 1;
        }
        self.given.push(given);
    }

    /// Whether a volunteer who has not answered may be given it once more.
    pub fn is_open_again_for(
        &self,
        volunteer: VolunteerKey,
        counted_at: Seconds,
        wanted: u16,
    ) -> bool {
        let own = self.given.iter().find(|given| given.to == volunteer);
        own.is_some_and(|own| {
            let counted = u16::from(own.lease_ends > counted_at);
            !self.seen.contains(&volunteer) && self.level - counted < wanted
        })
    }

    /// When it may be given once more beyond the looks wanted, because those who hold it are
    /// idle; `None` if it needs nobody or enough were added already.
    pub fn tail_at(&self, wanted: u16) -> Option<Seconds> {
        let is_tail =
            self.done < wanted && self.level >= wanted && self.level < wanted + TAIL_EXTRA;
        let last_idle = self.given.iter().map(|given| given.idle_at).max();
        last_idle.filter(|_| is_tail)
    }

    /// When the next of its live leases ends.
    pub fn lease_ends(&self, counted_at: Seconds) -> Option<Seconds> {
        let live = self.given.iter().map(|given| given.lease_ends);
        live.filter(|ends| *ends > counted_at).min()
    }
}

impl Pile {
    /// Puts together what the database knows. Entries of volunteers who answered are dropped.
    pub fn new(
        campaign_id: Uuid,
        id: CellId,
        facts: BTreeMap<CellId, CellFacts>,
        mut ledger: ledger::Ledger,
        counted_at: Seconds,
    ) -> Self {
        let (mut cards, mut asleep) = (Vec::with_capacity(facts.len()), Vec::new());
        for (cell, facts) in facts {
            let mut given = ledger.remove(&cell).unwrap_or_default();
            given.retain(|given| !facts.seen.contains(&given.to));
            if facts.is_closed || facts.reports >= BAD_IMAGERY_REPORTS.unsigned_abs() {
                asleep.push((cell, given));
                continue;
            }
            let live = given.iter().filter(|given| given.lease_ends > counted_at);
            cards.push(Card {
                cell,
                weight: facts.weight,
                position: position(campaign_id, cell, facts.weight),
                layer: facts.layer,
                level: facts.done + u16::try_from(live.count()).unwrap_or(u16::MAX / 2),
                done: facts.done,
                seen: facts.seen,
                given,
            });
        }
        Self {
            id,
            counted_at,
            is_dirty: false,
            cards,
            asleep,
        }
    }

    /// Weight and level of what it has to deal next, by which it stands in the order.
    pub fn standing(&self, rules: &Rules) -> (f32, u16) {
        let band = |card: &&Card| rules.band(card.weight);
        let wanting = self
            .cards
            .iter()
            .filter(|card| card.level < rules.looks_wanted);
        let next = wanting
            .min_by_key(|card| (band(card), card.level, card.position.to_bits()))
            .or_else(|| {
                self.cards
                    .iter()
                    .min_by_key(|card| (band(card), card.level))
            });
        next.map_or((0.0, LEVEL_NONE), |card| (card.weight, card.level))
    }

    /// What is stored of it.
    pub fn summary(&self, campaign_id: Uuid, rules: &Rules) -> Summary {
        let (weight, level) = self.standing(rules);
        let mut bands = self.cards.iter().map(|card| rules.band(card.weight));
        let first_band = bands.next();
        let leases = self
            .cards
            .iter()
            .filter_map(|card| card.lease_ends(self.counted_at));
        let wanted = rules.looks_wanted;
        let tails = self.cards.iter().filter_map(|card| card.tail_at(wanted));
        let entries = self
            .cards
            .iter()
            .map(|card| (card.cell, card.given.as_slice()))
            .chain(
                self.asleep
                    .iter()
                    .map(|(cell, given)| (*cell, given.as_slice())),
            );
        Summary {
            pile: self.id,
            weight,
            position: position(campaign_id, self.id, weight),
            level,
            due_at: leases.min(),
            tail_at: tails.min(),
            is_mixed: bands.any(|band| Some(band) != first_band),
            ledger: ledger::encode(entries),
        }
    }
}
