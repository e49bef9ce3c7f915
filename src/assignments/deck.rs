//! What this server holds of one campaign's deck.
//!
//! A hand is kept while piles are plenty. When few are free it is given back at once, so that
//! other servers can deal from them too.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Deal,
    card::{Pile, Summary},
    hand::{Ask, Dealt, Hand, Scope},
    ledger::Seconds,
    queries::{self, Claim, Claimed},
    rules::Rules,
};
use crate::{campaigns::Running, db::DbError, state::App};

/// How long nobody else may claim a pile; for when a server dies.
const HOLD: Duration = Duration::from_secs(20);
/// How long a hand is kept at most: what other servers know meanwhile is not known here.
const HAND_AGE_MAX: Duration = Duration::from_secs(10);
/// What was dealt is stored this often; a server that dies forgets that much.
const SAVE_EVERY: Duration = Duration::from_secs(4);
/// A hand from which nothing was dealt for so long is given back.
const IDLE_MAX: Duration = Duration::from_millis(500);
/// How long a hand is kept while piles are scarce.
const SCARCE_MAX: Duration = Duration::from_millis(50);
/// Piles of one claim: the fewest, and the most under load.
const TAKE_MIN: i64 = 16;
const TAKE_MAX: i64 = 256;
/// A claim that lasted less than this is followed by one twice as large, one that lasted longer
/// than that by half of it.
const CLAIM_SHORT: Duration = Duration::from_millis(100);
const CLAIM_LONG: Duration = Duration::from_secs(1);
/// Searches beyond the hand in one second; who comes later is asked to come back.
const SEARCHES_PER_SEC: u32 = 50;

pub struct Deck {
    pub campaign_id: Uuid,
    server: Uuid,
    held: Mutex<Held>,
    /// One at a time exchanges piles with the database.
    pub turn: tokio::sync::Mutex<()>,
    /// Requests that wait for their turn.
    pub waiting: AtomicUsize,
}

struct Held {
    hand: Hand,
    /// Edition of the campaign whose rules are in force; 0 before the first deal.
    edition: (i32, i32),
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

/// What an exchange found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Found {
    /// The hand has cells that come next.
    Cells,
    /// It has none; other servers hold some.
    Elsewhere,
    Nothing,
}

/// What has to be done with a hand.
enum Chore {
    GiveBack,
    Save,
}

impl Deck {
    pub fn new(campaign_id: Uuid, server: Uuid) -> Self {
        let now = Instant::now();
        Self {
            campaign_id,
            server,
            turn: tokio::sync::Mutex::new(()),
            waiting: AtomicUsize::new(0),
            held: Mutex::new(Held {
                hand: Hand::new(campaign_id, Rules::default()),
                edition: (0, 0),
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
            }),
        }
    }

    /// Deals from the hand alone, if it was made under the campaign's rules.
    pub fn deal(&self, ask: &Ask, campaign: &Running, now: Timestamp) -> Vec<Dealt> {
        let mut held = self.held();
        if held.edition < campaign.edition() || held.is_outdated() {
            return Vec::new();
        }
        let now = held.time(now);
        let dealt = held.hand.deal(ask, Scope::Next, now);
        if !dealt.is_empty() {
            held.last_deal = Instant::now();
        }
        dealt
    }

    /// Whether the campaign changed since the hand was taken up.
    pub fn is_behind(&self, campaign: &Running) -> bool {
        self.held().edition < campaign.edition()
    }

    /// Whether the hand runs low and nobody refills it. Whoever hears `true` has to.
    pub fn wants_refill(&self) -> bool {
        let mut held = self.held();
        let is_low = held.hand.waiting() * 2 < held.cards_claimed;
        let wants = is_low && !held.is_refilling && !held.is_scarce;
        held.is_refilling |= wants;
        wants
    }

    pub fn refilled(&self) {
        self.held().is_refilling = false;
    }

    /// Whether the hand has nothing that comes next.
    pub fn is_dealt_out(&self) -> bool {
        self.held().hand.waiting() == 0
    }

    /// Whether somebody may search beyond the hand now.
    pub fn may_search(&self) -> bool {
        let mut held = self.held();
        if held.searches_since.elapsed() >= Duration::from_secs(1) {
            held.searches_since = Instant::now();
            held.searches = 0;
        }
        held.searches += 1;
        held.searches <= SEARCHES_PER_SEC
    }

    /// Notes that there is nothing for anybody, with what is to be told.
    pub fn note_nothing(&self, told: Deal) {
        self.held().nothing = Some((Instant::now(), told));
    }

    /// What is to be told if it was found out since then that there is nothing.
    pub fn nothing_since(&self, asked: Instant) -> Option<Deal> {
        let held = self.held();
        let (found_at, told) = held.nothing.as_ref()?;
        (*found_at > asked).then(|| told.clone())
    }

    /// The database's time, as far as is known.
    pub fn time(&self, now: Timestamp) -> Seconds {
        self.held().time(now)
    }

    /// Gives back piles that are dealt through and claims the next ones.
    pub async fn exchange(&self, app: &App, campaign: &Running) -> Result<Found, DbError> {
        let (finished, take) = {
            let mut held = self.held();
            let all = held.is_outdated() || held.edition < campaign.edition();
            let finished = if all {
                held.claimed_at = None;
                held.hand.lay_down()
            } else {
                held.hand.lay_down_finished()
            };
            if held.edition < campaign.edition() {
                held.edition = campaign.edition();
                held.hand = Hand::new(self.campaign_id, campaign.into());
            }
            (finished, held.next_take())
        };
        self.put(app, finished).await?;
        let began = Instant::now();
        let (claimed, piles) = self.claim(app, &Claim::Next { take }).await?;
        let mut held = self.held();
        held.clock_ahead_secs = claimed.now.as_second() - app.clock.now().as_second();
        held.is_scarce = claimed.is_scarce;
        held.last_claim = began;
        held.last_deal = Instant::now();
        if !piles.is_empty() {
            held.claimed_at.get_or_insert(began);
        }
        let floor = held.hand.rules().floor(claimed.floor, &piles);
        metrics::gauge!("deck_level", "campaign" => campaign.slug.clone())
            .set(f64::from(floor.level));
        held.hand.take_up(piles, floor);
        held.cards_claimed = held.hand.waiting();
        Ok(match held.cards_claimed {
            0 if claimed.is_held => Found::Elsewhere,
            0 => Found::Nothing,
            _ => Found::Cells,
        })
    }

    /// Claims piles that are not to stay in the hand, deals from them and gives them back.
    pub async fn deal_beside<T>(
        &self,
        app: &App,
        claim: &Claim,
        more: Vec<Pile>,
        deal: impl FnOnce(&mut Hand, Seconds) -> T,
    ) -> Result<(T, Vec<i64>), DbError> {
        let (claimed, mut piles) = match self.claim(app, claim).await {
            Ok(claimed) => claimed,
            Err(e) => {
                self.held().hand.restore(more);
                return Err(e);
            }
        };
        let ids = piles.iter().map(|pile| pile.id.get()).collect();
        piles.extend(more);
        let rules = self.held().hand.rules().clone();
        let floor = rules.floor(claimed.floor, &piles);
        let mut hand = Hand::new(self.campaign_id, rules);
        hand.take_up(piles, floor);
        let result = deal(&mut hand, claimed.now.into());
        self.put(app, hand.lay_down()).await?;
        Ok((result, ids))
    }

    /// Takes single piles out of the hand.
    pub fn take_out(&self, piles: &[i64]) -> Vec<Pile> {
        let mut held = self.held();
        let ids = piles.iter().filter_map(|id| (*id).try_into().ok());
        ids.filter_map(|id| held.hand.lay_down_one(id)).collect()
    }

    /// Gives the whole hand back.
    pub async fn give_back(&self, app: &App) -> Result<(), DbError> {
        let piles = {
            let mut held = self.held();
            held.claimed_at = None;
            held.cards_claimed = 0;
            held.hand.lay_down()
        };
        self.put(app, piles).await
    }

    /// Gives the hand back when piles are scarce and nobody waits for it here.
    pub async fn give_back_if_scarce(&self, app: &App) -> Result<(), DbError> {
        let (is_scarce, age) = {
            let held = self.held();
            (held.is_scarce, held.claimed_at.map(|at| at.elapsed()))
        };
        let is_wanted = self.waiting.load(Ordering::Relaxed) > 0;
        match age {
            Some(age) if is_scarce && (!is_wanted || age > SCARCE_MAX) => self.give_back(app).await,
            _ => Ok(()),
        }
    }

    /// What has to be done from time to time: an idle or old hand is given back, what was dealt
    /// is stored.
    pub async fn tidy(&self, app: &App) -> Result<(), DbError> {
        if self.chore().is_none() {
            return Ok(());
        }
        // In turn, so that nothing older is stored over what an exchange stores.
        let Ok(_turn) = self.turn.try_lock() else {
            return Ok(());
        };
        match self.chore() {
            None => Ok(()),
            Some(Chore::GiveBack) => self.give_back(app).await,
            Some(Chore::Save) => {
                let unsaved = {
                    let mut held = self.held();
                    held.saved_at = Instant::now();
                    held.hand.unsaved()
                };
                self.store(app, &unsaved, Some(HOLD.as_secs_f64())).await
            }
        }
    }

    fn chore(&self) -> Option<Chore> {
        let held = self.held();
        let age = held.claimed_at?.elapsed();
        let is_over = held.last_deal.elapsed() > IDLE_MAX
            || age > HAND_AGE_MAX
            || (held.is_scarce && age > SCARCE_MAX);
        if is_over {
            return Some(Chore::GiveBack);
        }
        (held.saved_at.elapsed() > SAVE_EVERY).then_some(Chore::Save)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn claim(&self, app: &App, claim: &Claim) -> Result<(Claimed, Vec<Pile>), DbError> {
        let rules = self.held().hand.rules().clone();
        let conn = app.db.get().await?;
        let hold = HOLD.as_secs_f64();
        let mut claimed =
            queries::claim(&*conn, self.campaign_id, &rules, self.server, hold, claim).await?;
        metrics::counter!("deck_claims_total", "kind" => claim.kind()).increment(1);
        if claimed.piles.is_empty() {
            return Ok((claimed, Vec::new()));
        }
        let ids = claimed.piles.iter().map(|(id, _)| *id);
        let loaded = queries::load(&*conn, self.campaign_id, ids).await?;
        let ledgers = std::mem::take(&mut claimed.piles);
        let piles = loaded.into_piles(self.campaign_id, ledgers, claimed.now.into())?;
        Ok((claimed, piles))
    }

    /// Puts piles back; those that cannot be stored now stay in the hand.
    async fn put(&self, app: &App, piles: Vec<Pile>) -> Result<(), DbError> {
        let rules = self.held().hand.rules().clone();
        let summaries: Vec<Summary> = piles
            .iter()
            .map(|pile| pile.summary(self.campaign_id, &rules))
            .collect();
        let stored = self.store(app, &summaries, None).await;
        if stored.is_err() {
            let mut held = self.held();
            held.claimed_at.get_or_insert_with(Instant::now);
            held.hand.restore(piles);
        }
        stored
    }

    async fn store(
        &self,
        app: &App,
        piles: &[Summary],
        keep_secs: Option<f64>,
    ) -> Result<(), DbError> {
        if piles.is_empty() {
            return Ok(());
        }
        let conn = app.db.get().await?;
        let stored = queries::put(&*conn, self.campaign_id, self.server, piles, keep_secs).await?;
        let lost = u64::try_from(piles.len()).unwrap_or(u64::MAX) - stored;
        if lost > 0 {
            // Only a server that stood still for longer than it may hold piles comes here.
            tracing::warn!(piles = lost, campaign.id = %self.campaign_id, "another server took piles that this one held");
            metrics::counter!("deck_piles_lost_total").increment(lost);
        }
        let avoided = self.held().hand.take_repeats_avoided();
        metrics::counter!("assignments_repeats_avoided_total").increment(avoided);
        Ok(())
    }
}

impl Held {
    fn time(&self, now: Timestamp) -> Seconds {
        let ahead = jiff::SignedDuration::from_secs(self.clock_ahead_secs);
        now.checked_add(ahead).unwrap_or(now).into()
    }

    fn is_outdated(&self) -> bool {
        self.claimed_at
            .is_some_and(|at| at.elapsed() > HAND_AGE_MAX)
    }

    fn next_take(&mut self) -> i64 {
        let lasted = self.last_claim.elapsed();
        if lasted < CLAIM_SHORT && self.cards_claimed > 0 {
            self.take = (self.take * 2).min(TAKE_MAX);
        } else if lasted > CLAIM_LONG {
            self.take = (self.take / 2).max(TAKE_MIN);
        }
        self.take
    }
}
