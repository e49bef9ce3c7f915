//! What this server holds of one campaign's deck.
//!
//! A hand is kept while piles are plenty. When few are free it is given back at once, so that
//! other servers can deal from them too; likewise when another server finds none and says so by
//! a flag in memcached. Without memcached that server waits, and then deals what stands further
//! down.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{
    card::{Pile, Summary},
    hand::Hand,
    held::{Chore, Held},
    ledger::Seconds,
    queries::{self, Claim, Claimant, Claimed},
};
use crate::{
    cache::Key,
    campaigns::Running,
    db::DbError,
    geo::{CellId, Tile},
    state::App,
};

/// How long nobody else may claim a pile; for when a server dies.
const HOLD: Duration = Duration::from_secs(20);
/// Claims of one exchange: another is made when the table showed the deck wrongly and nothing
/// came of it.
const CLAIMS_MAX: usize = 3;

pub struct Deck {
    pub campaign_id: Uuid,
    server: Uuid,
    held: Mutex<Held>,
    /// One at a time exchanges piles with the database.
    pub turn: tokio::sync::Mutex<()>,
    /// Requests that wait for their turn.
    pub waiting: AtomicUsize,
}

/// What an exchange found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Found {
    /// The hand has cells that come next.
    Cells,
    /// It has none; other servers hold some.
    Elsewhere,
    /// It has none, since others took what was free at the same moment.
    Raced,
    Nothing,
}

/// What a claim brought.
struct Brought {
    claimed: Claimed,
    piles: Vec<Pile>,
    /// Those of them that stand wrongly in the table.
    corrections: Vec<Summary>,
}

impl Brought {
    fn nothing(claimed: Claimed) -> Self {
        Self {
            claimed,
            piles: Vec::new(),
            corrections: Vec::new(),
        }
    }
}

impl Deck {
    pub fn new(campaign_id: Uuid, server: Uuid) -> Self {
        Self {
            campaign_id,
            server,
            turn: tokio::sync::Mutex::new(()),
            waiting: AtomicUsize::new(0),
            held: Mutex::new(Held::new(campaign_id)),
        }
    }

    /// What is held. Never kept over a wait.
    pub fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives back piles that are dealt through and claims the next ones.
    pub async fn exchange(&self, app: &App, campaign: &Running) -> Result<Found, DbError> {
        let (finished, take, beyond_held) = {
            let mut held = self.held();
            let finished = held.lay_down_finished(campaign);
            (finished, held.next_take(), held.has_waited())
        };
        self.put(app, finished).await?;
        let next = Claim::Next { take, beyond_held };
        let mut found = Found::Nothing;
        for _ in 0..CLAIMS_MAX {
            let corrected;
            (found, corrected) = self.claim_into_hand(app, &next).await?;
            if found == Found::Cells || (corrected == 0 && found != Found::Raced) {
                break;
            }
        }
        if found == Found::Cells && !beyond_held {
            self.held().need_not_wait();
        }
        let level = self.held().hand.floor().level;
        metrics::gauge!("deck_level", "campaign" => campaign.slug.clone()).set(f64::from(level));
        if found == Found::Elsewhere {
            app.cache.raise(&Key::DeckSought(self.campaign_id)).await;
        }
        Ok(found)
    }

    /// Claims piles near a place for so many cells, and near places that others wait for, into the
    /// hand.
    pub async fn claim_near(
        &self,
        app: &App,
        campaign: &Running,
        centre: Tile,
        count: usize,
    ) -> Result<(), DbError> {
        let is_full = self.held().is_full();
        if is_full {
            self.give_back(app).await?;
        }
        let finished = self.held().lay_down_finished(campaign);
        self.put(app, finished).await?;
        let claim = self.held().claim_near(centre, count);
        self.claim_into_hand(app, &claim).await?;
        Ok(())
    }

    /// Claims piles and takes them up. Also says how many stood wrongly in the table: it is told
    /// of them at once, since it shows others where the deck stands.
    async fn claim_into_hand(&self, app: &App, claim: &Claim) -> Result<(Found, usize), DbError> {
        let began = Instant::now();
        let brought = self.claim(app, claim).await?;
        let now = app.clock.now();
        let found = self
            .held()
            .take_up(&brought.claimed, brought.piles, began, now);
        let corrections = brought.corrections;
        self.store(app, &corrections, Some(HOLD.as_secs_f64()))
            .await?;
        Ok((found, corrections.len()))
    }

    /// Claims piles that are not to stay in the hand, deals from them and gives them back.
    pub async fn deal_beside<T>(
        &self,
        app: &App,
        claim: &Claim,
        deal: impl FnOnce(&mut Hand, Seconds) -> T,
    ) -> Result<(T, Vec<i64>), DbError> {
        let Brought { claimed, piles, .. } = self.claim(app, claim).await?;
        let ids = piles.iter().map(|pile| pile.id.get()).collect();
        let rules = self.held().hand.rules().clone();
        let floor = rules.floor(claimed.floor, &piles);
        let mut hand = Hand::new(self.campaign_id, rules);
        hand.take_up(piles, floor);
        let result = deal(&mut hand, claimed.now.into());
        if let Err(cause) = self.put(app, hand.lay_down()).await {
            // They are kept, with what was dealt, and stored later.
            tracing::warn!(campaign.id = %self.campaign_id, %cause, "piles could not be put back; it is tried again");
        }
        Ok((result, ids))
    }

    /// Gives the whole hand back.
    pub async fn give_back(&self, app: &App) -> Result<(), DbError> {
        let piles = self.held().lay_down();
        self.put(app, piles).await
    }

    /// Gives the hand back when piles are scarce and nobody waits for it here.
    pub async fn give_back_if_scarce(&self, app: &App) -> Result<(), DbError> {
        let is_wanted = self.waiting.load(Ordering::Relaxed) > 0;
        let is_due = self.held().is_due_back(is_wanted);
        if is_due {
            self.give_back(app).await?;
        }
        Ok(())
    }

    /// What has to be done from time to time: an idle or old hand is given back, and one that
    /// others seek; what was dealt is stored.
    pub async fn tidy(&self, app: &App) -> Result<(), DbError> {
        let chore = self.held().chore();
        let is_due = match chore {
            None => false,
            Some(Chore::Ask) => {
                app.cache
                    .is_raised(&Key::DeckSought(self.campaign_id))
                    .await
            }
            Some(Chore::CatchUp | Chore::GiveBack | Chore::Save) => true,
        };
        if !is_due {
            return Ok(());
        }
        // In turn, so that nothing older is stored over what an exchange stores.
        let Ok(_turn) = self.turn.try_lock() else {
            return Ok(());
        };
        let chore = self.held().chore();
        match chore {
            None => Ok(()),
            Some(Chore::CatchUp) => self.catch_up(app).await,
            Some(Chore::GiveBack | Chore::Ask) => self.give_back(app).await,
            Some(Chore::Save) => {
                let unsaved = self.held().unsaved();
                self.store(app, &unsaved, Some(HOLD.as_secs_f64())).await
            }
        }
    }

    async fn claim(&self, app: &App, claim: &Claim) -> Result<Brought, DbError> {
        self.catch_up(app).await?;
        let rules = self.held().hand.rules().clone();
        let conn = app.db.get().await?;
        let by = Claimant {
            campaign_id: self.campaign_id,
            rules: &rules,
            server: self.server,
            hold_secs: HOLD.as_secs_f64(),
        };
        let claimed = queries::claim(&*conn, &by, claim)
            .await
            .inspect_err(|_| self.held().unsettled.doubt())?;
        metrics::counter!("deck_claims_total", "kind" => claim.kind()).increment(1);
        if claimed.piles.is_empty() {
            return Ok(Brought::nothing(claimed));
        }
        let ids = claimed.piles.iter().map(|stored| stored.id);
        let loaded = queries::load(&*conn, self.campaign_id, ids.clone())
            .await
            .inspect_err(|_| self.held().unsettled.keep_unread(ids.map(CellId::get)))?;
        let piles = loaded.into_piles(self.campaign_id, &claimed.piles, claimed.now.into());
        let corrections = piles
            .iter()
            .zip(&claimed.piles)
            .filter(|(pile, stored)| !stored.is_at(pile.standing(&rules)))
            .map(|(pile, _)| pile.summary(self.campaign_id, &rules))
            .collect();
        Ok(Brought {
            claimed,
            piles,
            corrections,
        })
    }

    /// Frees what could not be read or was not heard of, and stores what could not be stored.
    async fn catch_up(&self, app: &App) -> Result<(), DbError> {
        let own = {
            let held = self.held();
            held.unsettled.is_in_doubt().then(|| held.own())
        };
        if let Some(own) = own {
            let conn = app.db.get().await?;
            queries::release_others(&*conn, self.campaign_id, self.server, &own).await?;
            self.held().unsettled.freed();
        }
        let unread = self.held().unsettled.take_unread();
        if !unread.is_empty() {
            let freed = async {
                let conn = app.db.get().await?;
                queries::release(&*conn, self.campaign_id, self.server, &unread).await
            };
            let freed = freed.await;
            if freed.is_err() {
                self.held().unsettled.keep_unread(unread);
            }
            freed?;
        }
        self.put(app, Vec::new()).await
    }

    /// Puts piles back, and those that could not be put back before.
    async fn put(&self, app: &App, mut piles: Vec<Pile>) -> Result<(), DbError> {
        let rules = {
            let mut held = self.held();
            piles.extend(held.unsettled.take_unstored());
            held.hand.rules().clone()
        };
        let summaries: Vec<Summary> = piles
            .iter()
            .map(|pile| pile.summary(self.campaign_id, &rules))
            .collect();
        let stored = self.store(app, &summaries, None).await;
        if stored.is_err() {
            self.held().unsettled.keep_unstored(piles);
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
