//! The hand of a server: the piles of one campaign that it holds, and what is dealt from them.
//! Pure.
//!
//! **Invariant:** nobody is dealt a cell that they saw or were given, but for [`Scope::Again`].
//!
//! **Invariant:** looks and live leases of a cell never exceed the looks wanted by a deal, but
//! for [`Scope::Tail`], and then by [`super::TAIL_EXTRA`] at most.
//!
//! **Invariant:** [`Scope::Next`] and [`Scope::Near`] deal cells of the heaviest band that has any
//! to deal, and there only cells whose level is that of the floor or one above it. The floor is
//! the lowest level in the band, in whoever's hand. So no cell is dealt for look k+2 while another
//! of its band has not been dealt for look k.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{
    NEAR_CELLS, NEAR_RINGS, Reason, TAIL_PATIENCE_SECS,
    card::{Card, Pile, Summary},
    ledger::{Given, Seconds, VolunteerKey},
    order::{PILE_ZOOMS, WEIGHT_DEFAULT, distance_squared, pile_of, piles_at},
    rules::{Floor, Rules},
};
use crate::geo::{CellId, Tile};

/// Which cells of the hand come into question.
#[derive(Clone, Copy, Debug)]
pub enum Scope {
    /// What comes next in the order.
    Next,
    /// The same, near a place, nearest first.
    Near { centre: Tile },
    /// The same, within so many cells: all that is asked for, or nothing.
    Close { centre: Tile, within: u64 },
    /// Whatever still needs looks: for somebody who knows all that comes next.
    Any,
    /// Cells beyond the looks wanted, whose holders are idle.
    Tail,
    /// Cells that the same volunteer was given and did not answer.
    Again,
}

/// Who wants cells, and how many.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    pub volunteer: VolunteerKey,
    pub count: usize,
    pub lease_secs: u32,
    /// Whether they take the cells to where they cannot answer before the lease ends.
    pub is_reserved: bool,
}

impl Ask {
    /// From when on they count as idle.
    fn idle_at(&self, now: Seconds) -> Seconds {
        let lease_ends = now.plus(self.lease_secs);
        if self.is_reserved {
            return lease_ends;
        }
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        let patience = TAIL_PATIENCE_SECS.saturating_mul(count);
        now.plus(patience).min(lease_ends)
    }
}

/// A cell that was dealt.
#[derive(Clone, Copy, Debug)]
pub struct Dealt {
    pub cell: CellId,
    pub lease_ends: Seconds,
    pub reason: Reason,
    pub layer: Option<Uuid>,
}

/// A card's place in the order: level, position, cell.
type Place = (u16, u32, CellId);

pub struct Hand {
    campaign_id: Uuid,
    rules: Rules,
    floor: Floor,
    piles: BTreeMap<CellId, Pile>,
    /// Cards that come next, in order.
    queue: BTreeSet<Place>,
    /// How often somebody was not given a cell because they knew it.
    repeats_avoided: u64,
}

impl Hand {
    pub fn new(campaign_id: Uuid, rules: Rules) -> Self {
        Self {
            campaign_id,
            rules,
            floor: Floor::default(),
            piles: BTreeMap::new(),
            queue: BTreeSet::new(),
            repeats_avoided: 0,
        }
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    pub fn floor(&self) -> Floor {
        self.floor
    }

    /// Cards that come next.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Piles that are held.
    pub fn len(&self) -> usize {
        self.piles.len()
    }

    pub fn ids(&self) -> impl Iterator<Item = CellId> {
        self.piles.keys().copied()
    }

    pub fn holds(&self, pile: CellId) -> bool {
        self.piles.contains_key(&pile)
    }

    /// Takes piles up. `floor` is what was found with them.
    pub fn take_up(&mut self, piles: impl IntoIterator<Item = Pile>, floor: Floor) {
        if self.floor != floor {
            self.floor = floor;
            self.queue = places(self.piles.values(), &self.rules, floor).collect();
        }
        for pile in piles {
            self.queue.extend(places([&pile], &self.rules, self.floor));
            self.piles.insert(pile.id, pile);
        }
    }

    /// Lays down all piles.
    pub fn lay_down(&mut self) -> Vec<Pile> {
        self.queue.clear();
        std::mem::take(&mut self.piles).into_values().collect()
    }

    /// Lays down the piles of which nothing comes next.
    pub fn lay_down_finished(&mut self) -> Vec<Pile> {
        let busy: BTreeSet<CellId> = self
            .queue
            .iter()
            .map(|(_, _, cell)| pile_of(cell.tile()))
            .collect();
        let (kept, finished) = std::mem::take(&mut self.piles)
            .into_iter()
            .partition(|(id, _)| busy.contains(id));
        self.piles = kept;
        finished.into_values().collect()
    }

    /// What is to be stored of piles from which something was dealt since this was last asked.
    pub fn unsaved(&mut self) -> Vec<Summary> {
        let (campaign_id, rules) = (self.campaign_id, &self.rules);
        self.piles
            .values_mut()
            .filter_map(|pile| {
                let is_dirty = std::mem::take(&mut pile.is_dirty);
                is_dirty.then(|| pile.summary(campaign_id, rules))
            })
            .collect()
    }

    /// How often somebody was not given a cell because they knew it, since this was last asked.
    pub fn take_repeats_avoided(&mut self) -> u64 {
        std::mem::take(&mut self.repeats_avoided)
    }

    /// Deals to somebody, at most what they ask for.
    pub fn deal(&mut self, ask: &Ask, scope: Scope, now: Seconds) -> Vec<Dealt> {
        let chosen = match scope {
            Scope::Next => self.choose_next(ask),
            Scope::Near { centre } => self.choose_near(ask, centre, NEAR_CELLS),
            Scope::Close { centre, within } => {
                let mut chosen = self.choose_near(ask, centre, within);
                if chosen.len() < ask.count {
                    chosen.clear();
                }
                chosen
            }
            Scope::Any | Scope::Tail | Scope::Again => self.choose(ask, scope, now),
        };
        chosen
            .into_iter()
            .filter_map(|cell| self.give(cell, ask, scope, now))
            .collect()
    }

    /// Whether there is anything for somebody who knows none of the cells.
    pub fn has_something_for_a_stranger(&self, now: Seconds) -> bool {
        let wanted = self.rules.looks_wanted;
        self.cards().any(|(_, card)| {
            card.level < wanted || card.tail_at(wanted).is_some_and(|at| at <= now)
        })
    }

    /// When a cell may come free for somebody, if any of the hand can.
    pub fn next_chance(&self, volunteer: VolunteerKey) -> Option<Seconds> {
        let wanted = self.rules.looks_wanted;
        self.cards()
            .filter(|(_, card)| !card.is_known_to(volunteer))
            .flat_map(|(pile, card)| [card.lease_ends(pile.counted_at), card.tail_at(wanted)])
            .flatten()
            .min()
    }

    /// Looks and live leases of every cell.
    #[cfg(test)]
    pub fn levels(&self) -> impl Iterator<Item = (CellId, u16)> {
        self.cards().map(|(_, card)| (card.cell, card.level))
    }

    fn choose_next(&mut self, ask: &Ask) -> Vec<CellId> {
        let mut chosen = Vec::with_capacity(ask.count);
        for (_, _, cell) in &self.queue {
            if chosen.len() == ask.count {
                break;
            }
            let is_known = find(&self.piles, *cell).is_some_and(|c| c.is_known_to(ask.volunteer));
            if is_known {
                self.repeats_avoided += 1;
            } else {
                chosen.push(*cell);
            }
        }
        chosen
    }

    /// What comes next within so many cells of a place, nearest first.
    fn choose_near(&self, ask: &Ask, centre: Tile, within: u64) -> Vec<CellId> {
        let mut found: Vec<(u64, Place)> = Vec::new();
        for ring in 0..=NEAR_RINGS {
            let piles = piles_at(centre, ring).filter_map(|id| self.piles.get(&id));
            let cards = piles
                .flat_map(|pile| &pile.cards)
                .filter(|card| comes_next(card, &self.rules, self.floor))
                .filter(|card| !card.is_known_to(ask.volunteer))
                .map(|card| (distance_squared(centre, card.cell.tile()), place(card)));
            found.extend(cards.filter(|(distance, _)| *distance <= within * within));
            found.sort_unstable();
            // Cells of the rings beyond are farther away than this.
            let reach = u64::from(ring) << PILE_ZOOMS;
            let nearest = found.iter().take(ask.count);
            let are_nearest = nearest.filter(|(distance, _)| *distance <= reach * reach);
            if are_nearest.count() == ask.count || reach >= within {
                break;
            }
        }
        let cells = found.into_iter().map(|(_, (_, _, cell))| cell);
        cells.take(ask.count).collect()
    }

    fn choose(&self, ask: &Ask, scope: Scope, now: Seconds) -> Vec<CellId> {
        let wanted = self.rules.looks_wanted;
        let mut found: Vec<(usize, Place)> = self
            .cards()
            .filter_map(|(pile, card)| {
                let is_known = card.is_known_to(ask.volunteer);
                let comes = match scope {
                    Scope::Tail => !is_known && card.tail_at(wanted).is_some_and(|at| at <= now),
                    Scope::Again => card.is_open_again_for(ask.volunteer, pile.counted_at, wanted),
                    _ => !is_known && card.level < wanted,
                };
                comes.then(|| (self.rules.band(card.weight), place(card)))
            })
            .collect();
        found.sort_unstable();
        let cells = found.into_iter().map(|(_, (_, _, cell))| cell);
        cells.take(ask.count).collect()
    }

    fn give(&mut self, cell: CellId, ask: &Ask, scope: Scope, now: Seconds) -> Option<Dealt> {
        let pile = self.piles.get_mut(&pile_of(cell.tile()))?;
        let card = pile.cards.iter_mut().find(|card| card.cell == cell)?;
        self.queue.remove(&place(card));
        let lease_ends = now.plus(ask.lease_secs);
        let given = Given {
            to: ask.volunteer,
            idle_at: ask.idle_at(now),
            lease_ends,
        };
        card.give(given, pile.counted_at);
        pile.is_dirty = true;
        if comes_next(card, &self.rules, self.floor) {
            self.queue.insert(place(card));
        }
        let reason = match scope {
            Scope::Near { .. } | Scope::Close { .. } => Reason::Near,
            Scope::Tail => Reason::Tail,
            Scope::Again => Reason::Again,
            Scope::Next | Scope::Any if card.weight > WEIGHT_DEFAULT => Reason::Priority,
            Scope::Next | Scope::Any => Reason::New,
        };
        Some(Dealt {
            cell,
            lease_ends,
            reason,
            layer: card.layer,
        })
    }

    fn cards(&self) -> impl Iterator<Item = (&Pile, &Card)> {
        self.piles
            .values()
            .flat_map(|pile| pile.cards.iter().map(move |card| (pile, card)))
    }
}

fn comes_next(card: &Card, rules: &Rules, floor: Floor) -> bool {
    card.level < rules.looks_wanted
        && card.level <= floor.level + 1
        && rules.band(card.weight) == floor.band
}

/// The places of all cards that come next.
fn places<'a>(
    piles: impl IntoIterator<Item = &'a Pile>,
    rules: &Rules,
    floor: Floor,
) -> impl Iterator<Item = Place> {
    let cards = piles.into_iter().flat_map(|pile| &pile.cards);
    cards
        .filter(move |card| comes_next(card, rules, floor))
        .map(place)
}

fn place(card: &Card) -> Place {
    // Positions are not negative, so their bits sort as they do.
    (card.level, card.position.to_bits(), card.cell)
}

fn find(piles: &BTreeMap<CellId, Pile>, cell: CellId) -> Option<&Card> {
    let pile = piles.get(&pile_of(cell.tile()))?;
    pile.cards.iter().find(|card| card.cell == cell)
}
