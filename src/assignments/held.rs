//! What a server holds of a deck, and since when: no database here.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Deal, NEAR_CLOSE,
    card::{Pile, Summary},
    deck::Found,
    hand::{Ask, Dealt, Hand, Scope},
    ledger::Seconds,
    near::Near,
    queries::{Claim, Claimed},
    rules::Rules,
    unsettled::Unsettled,
};
use crate::{
    campaigns::Running,
    geo::{CellId, Tile},
};

/// How long a hand is kept at most: what other servers know meanwhile is not known here.
const HAND_AGE_MAX: Duration = Duration::from_secs(10);
/// What was dealt is stored this often; a server that dies forgets that much.
const SAVE_EVERY: Duration = Duration::from_secs(4);
/// A hand from which nothing was dealt for so long is given back.
const IDLE_MAX: Duration = Duration::from_millis(500);
/// How long a hand is kept while piles are scarce, here or for another server.
pub const SCARCE_MAX: Duration = Duration::from_millis(50);
/// Piles of one claim: the fewest, and the most under load.
const TAKE_MIN: i64 = 16;
const TAKE_MAX: i64 = 256;
/// A claim that lasted less than this is followed by one twice as large, one that lasted longer
/// than that by half of it.
const CLAIM_SHORT: Duration = Duration::from_millis(100);
const CLAIM_LONG: Duration = Duration::from_secs(1);
/// Searches beyond the hand in one second; who comes later is asked to come back.
const SEARCHES_PER_SEC: u32 = 50;
/// Piles of a hand; before more are claimed near a place, it is given back.
const HAND_PILES_MAX: usize = 4096;
/// How long requests wait together for piles that other servers hold.
const HELD_WAIT: Duration = Duration::from_millis(1200);
/// Found after a longer pause, it is a new wait.
const HELD_GAP: Duration = Duration::from_millis(500);
/// How long after that what others hold is passed over, until it is waited for again.
const HELD_PASS: Duration = Duration::from_secs(5);

pub struct Held {
    pub hand: Hand,
    campaign_id: Uuid,
    pub unsettled: Unsettled,
    pub near: Near,
    /// Since when other servers hold all that comes next, and when that was last found.
    elsewhere: Option<(Instant, Instant)>,
    is_scarce: bool,
    /// When the oldest pile of the hand was claimed.
    claimed_at: Option<Instant>,
    last_deal: Instant,
    saved_at: Instant,
    last_claim: Instant,
    take: i64,
    /// Cards after the last claim.
    cards_claimed: usize,
    is_refilling: bool,
    /// How far the database's clock is ahead of ours, in seconds.
    clock_ahead_secs: i64,
    searches: u32,
    searches_since: Instant,
    /// When there was last found to be nothing for anybody, and what whoever asked was told.
    nothing: Option<(Instant, Deal)>,
}

/// What has to be done with a hand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Chore {
    /// What could not be stored is to be tried again.
    CatchUp,
    GiveBack,
    Save,
    /// Others may be out of piles: it is to be given back if they say so.
    Ask,
}

impl Held {
    pub fn new(campaign_id: Uuid) -> Self {
        let now = Instant::now();
        Self {
            hand: Hand::new(campaign_id, Rules::default()),
            campaign_id,
            unsettled: Unsettled::default(),
            near: Near::default(),
            elsewhere: None,
            is_scarce: false,
            claimed_at: None,
            last_deal: now,
            saved_at: now,
            last_claim: now,
            take: TAKE_MIN,
            cards_claimed: 0,
            is_refilling: false,
            clock_ahead_secs: 0,
            searches: 0,
            searches_since: now,
            nothing: None,
        }
    }

    /// Deals what comes next from the hand, if it was made under the campaign's rules.
    pub fn deal(&mut self, ask: &Ask, campaign: &Running, now: Timestamp) -> Vec<Dealt> {
        self.deal_by(Scope::Next, ask, campaign, now)
    }

    /// Deals what is close to a place from the hand: all that is asked for, or nothing, since the
    /// table may have something closer. When that was claimed just now, the hand has all that there
    /// is: what is near, then what comes next.
    pub fn deal_close(
        &mut self,
        centre: Tile,
        ask: &Ask,
        campaign: &Running,
        now: Timestamp,
    ) -> Vec<Dealt> {
        if !self.near.is_known(centre) {
            let within = close(ask.count);
            return self.deal_by(Scope::Close { centre, within }, ask, campaign, now);
        }
        let mut dealt = self.deal_near(centre, ask, campaign, now);
        let rest = Ask {
            count: ask.count - dealt.len(),
            ..*ask
        };
        dealt.extend(self.deal(&rest, campaign, now));
        dealt
    }

    /// Deals what the hand has near a place.
    pub fn deal_near(
        &mut self,
        centre: Tile,
        ask: &Ask,
        campaign: &Running,
        now: Timestamp,
    ) -> Vec<Dealt> {
        self.deal_by(Scope::Near { centre }, ask, campaign, now)
    }

    fn deal_by(
        &mut self,
        scope: Scope,
        ask: &Ask,
        campaign: &Running,
        now: Timestamp,
    ) -> Vec<Dealt> {
        if self.is_behind(campaign) || self.is_outdated() {
            return Vec::new();
        }
        let now = self.time(now);
        let dealt = self.hand.deal(ask, scope, now);
        if !dealt.is_empty() {
            self.last_deal = Instant::now();
        }
        dealt
    }

    /// The claim near a place for so many cells, and near others that are wanted.
    pub fn claim_near(&mut self, centre: Tile, count: usize) -> Claim {
        self.near.claim(centre, count, &self.hand)
    }

    /// Whether the hand cannot take another claim near places.
    pub fn is_full(&self) -> bool {
        self.hand.len() >= HAND_PILES_MAX
    }

    /// Whether the campaign changed since the hand was taken up.
    pub fn is_behind(&self, campaign: &Running) -> bool {
        self.hand.rules().edition < campaign.edition()
    }

    fn is_outdated(&self) -> bool {
        self.claimed_at
            .is_some_and(|at| at.elapsed() > HAND_AGE_MAX)
    }

    /// Whether the hand runs low and nobody refills it. Whoever hears `true` has to.
    pub fn wants_refill(&mut self) -> bool {
        let is_low = self.hand.waiting() * 2 < self.cards_claimed;
        let wants = is_low && !self.is_refilling && !self.is_scarce;
        self.is_refilling |= wants;
        wants
    }

    pub fn refilled(&mut self) {
        self.is_refilling = false;
    }

    /// Whether the hand has nothing that comes next.
    pub fn is_dealt_out(&self) -> bool {
        self.hand.waiting() == 0
    }

    /// Whether somebody may search beyond the hand now.
    pub fn may_search(&mut self) -> bool {
        if self.searches_since.elapsed() >= Duration::from_secs(1) {
            self.searches_since = Instant::now();
            self.searches = 0;
        }
        self.searches += 1;
        self.searches <= SEARCHES_PER_SEC
    }

    /// Notes that there is nothing for anybody, with what is to be told.
    pub fn note_nothing(&mut self, told: Deal) {
        self.nothing = Some((Instant::now(), told));
    }

    /// What is to be told if it was found out since then that there is nothing.
    pub fn nothing_since(&self, asked: Instant) -> Option<Deal> {
        let (found_at, told) = self.nothing.as_ref()?;
        (*found_at > asked).then(|| told.clone())
    }

    /// The database's time, as far as is known.
    pub fn time(&self, now: Timestamp) -> Seconds {
        let ahead = jiff::SignedDuration::from_secs(self.clock_ahead_secs);
        now.checked_add(ahead).unwrap_or(now).into()
    }

    /// Lays down what is dealt through, or all of it when the hand is old or its rules are, and
    /// puts the campaign's rules in force.
    pub fn lay_down_finished(&mut self, campaign: &Running) -> Vec<Pile> {
        let is_behind = self.is_behind(campaign);
        let finished = if is_behind || self.is_outdated() {
            self.lay_down()
        } else {
            self.hand.lay_down_finished()
        };
        if is_behind {
            self.hand = Hand::new(self.campaign_id, campaign.into());
        }
        finished
    }

    /// Lays down the whole hand.
    pub fn lay_down(&mut self) -> Vec<Pile> {
        self.claimed_at = None;
        self.cards_claimed = 0;
        self.near.forget_known();
        self.hand.lay_down()
    }

    /// Piles that this server knows to be its own.
    pub fn own(&self) -> Vec<i64> {
        let own = self.hand.ids().chain(self.unsettled.unstored());
        own.map(CellId::get).collect()
    }

    /// Whether requests have waited for what other servers hold, so that it is passed over now.
    pub fn has_waited(&self) -> bool {
        self.elsewhere
            .is_some_and(|(since, last)| last - since > HELD_WAIT && last.elapsed() < HELD_PASS)
    }

    /// Notes that other servers hold all that comes next.
    fn note_elsewhere(&mut self) {
        let now = Instant::now();
        self.elsewhere = match self.elsewhere {
            Some((since, last)) if last.elapsed() < HELD_GAP => Some((since, now)),
            _ => Some((now, now)),
        };
    }

    /// How many piles to claim.
    pub fn next_take(&mut self) -> i64 {
        let lasted = self.last_claim.elapsed();
        if lasted < CLAIM_SHORT && self.cards_claimed > 0 {
            self.take = (self.take * 2).min(TAKE_MAX);
        } else if lasted > CLAIM_LONG {
            self.take = (self.take / 2).max(TAKE_MIN);
        }
        self.take
    }

    /// Takes up what a claim brought that began then.
    pub fn take_up(
        &mut self,
        claimed: &Claimed,
        piles: Vec<Pile>,
        began: Instant,
        now: Timestamp,
    ) -> Found {
        self.clock_ahead_secs = claimed.now.as_second() - now.as_second();
        self.is_scarce = claimed.is_scarce;
        self.last_claim = began;
        self.last_deal = Instant::now();
        if !piles.is_empty() {
            self.claimed_at.get_or_insert(began);
        }
        let floor = self.hand.rules().floor(claimed.floor, &piles);
        self.hand.take_up(piles, floor);
        self.cards_claimed = self.hand.waiting();
        match self.cards_claimed {
            0 if claimed.is_raced => Found::Raced,
            0 if claimed.is_held => {
                self.note_elsewhere();
                Found::Elsewhere
            }
            0 => Found::Nothing,
            _ => Found::Cells,
        }
    }

    /// Notes that others need not be waited for: something comes next here.
    pub fn need_not_wait(&mut self) {
        self.elsewhere = None;
    }

    /// Whether it should go back because piles are scarce; `is_wanted` says whether somebody
    /// waits for it here.
    pub fn is_due_back(&self, is_wanted: bool) -> bool {
        let age = self.claimed_at.map(|at| at.elapsed());
        age.is_some_and(|age| self.is_scarce && (!is_wanted || age > SCARCE_MAX))
    }

    /// What has to be done now, if anything.
    pub fn chore(&self) -> Option<Chore> {
        if let Some(is_due) = self.unsettled.is_due() {
            return is_due.then_some(Chore::CatchUp);
        }
        let age = self.claimed_at?.elapsed();
        let is_over = self.last_deal.elapsed() > IDLE_MAX || age > HAND_AGE_MAX;
        if is_over || (self.is_scarce && age > SCARCE_MAX) {
            Some(Chore::GiveBack)
        } else if self.saved_at.elapsed() > SAVE_EVERY {
            Some(Chore::Save)
        } else {
            (age > SCARCE_MAX).then_some(Chore::Ask)
        }
    }

    /// What is to be stored of the hand while it is kept.
    pub fn unsaved(&mut self) -> Vec<Summary> {
        self.saved_at = Instant::now();
        self.hand.unsaved()
    }
}

/// How far from a place somebody is dealt so many cells at once, in cells: half the edge of a
/// block of so many more than for one.
fn close(count: usize) -> u64 {
    NEAR_CLOSE + u64::try_from(count).unwrap_or(u64::MAX).isqrt() / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_may_search_within_a_second_and_not_the_next() {
        let mut held = Held::new(Uuid::nil());
        for nth in 1..=SEARCHES_PER_SEC {
            assert!(held.may_search(), "{nth}");
        }
        assert!(!held.may_search());
    }
}
