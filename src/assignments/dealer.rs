//! Deals to volunteers out of the hands that this server holds.
//!
//! Whatever touches the database runs in a task of its own: a volunteer who hangs up leaves no
//! pile behind.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{Deal, Reason, Wish, deck::Deck, hand::Ask, queries::Claim, turn::Turn};
use crate::{campaigns::Running, http::Problem, state::App};

/// How often hands are looked after.
const TIDY_EVERY: Duration = Duration::from_millis(50);

/// The hands of one server, by campaign. Cheap to clone.
#[derive(Clone)]
pub struct Dealer {
    server: Uuid,
    decks: Arc<Mutex<HashMap<Uuid, Arc<Deck>>>>,
    counters: Arc<Counters>,
}

impl Default for Dealer {
    fn default() -> Self {
        Self {
            server: Uuid::now_v7(),
            decks: Arc::default(),
            counters: Arc::new(Counters::new()),
        }
    }
}

impl Dealer {
    /// Gives a volunteer up to as many cells as they wish.
    pub async fn deal(
        &self,
        app: &App,
        volunteer_id: Uuid,
        campaign: &Arc<Running>,
        wish: &Wish,
    ) -> Result<Deal, Problem> {
        let deck = self.deck(campaign.id);
        let ask = Ask {
            volunteer: volunteer_id.into(),
            count: usize::from(wish.count),
            lease_secs: wish.lease_secs.unwrap_or(campaign.lease_seconds),
            is_reserved: wish.lease_secs.is_some(),
        };
        let mut turn = Turn::new(app.clone(), Arc::clone(campaign), deck, ask);
        let is_served = match wish.near {
            None => turn.deal_from_hand(),
            Some(centre) => turn.deal_close(centre),
        };
        let deal = if is_served {
            if turn.wants_refill() {
                tokio::spawn(turn.again().refill());
            }
            turn.deal()
        } else {
            let taken = tokio::spawn(turn.take(wish.near)).await;
            taken.map_err(|e| Problem::internal(&e))??
        };
        for assignment in &deal.assignments {
            self.counters.count(assignment.reason);
        }
        Ok(deal)
    }

    /// Looks after the hands for as long as the server runs, each by itself: one whose exchange
    /// with the database takes long delays no other.
    pub async fn tidy(self, app: App) {
        let mut busy: HashMap<Uuid, JoinHandle<()>> = HashMap::new();
        loop {
            tokio::time::sleep(TIDY_EVERY).await;
            busy.retain(|_, task| !task.is_finished());
            for deck in self.all() {
                busy.entry(deck.campaign_id)
                    .or_insert_with(|| tokio::spawn(tidy(app.clone(), deck)));
            }
        }
    }

    /// Gives all hands back, when the server stops.
    pub async fn give_back(&self, app: &App) {
        for deck in self.all() {
            let _turn = deck.turn.lock().await;
            if let Err(cause) = deck.give_back(app).await {
                tracing::warn!(campaign.id = %deck.campaign_id, %cause, "a hand could not be given back; others can take it in a while");
            }
        }
    }

    fn deck(&self, campaign_id: Uuid) -> Arc<Deck> {
        let mut decks = self.decks.lock().unwrap_or_else(PoisonError::into_inner);
        let deck = decks
            .entry(campaign_id)
            .or_insert_with(|| Arc::new(Deck::new(campaign_id, self.server)));
        Arc::clone(deck)
    }

    fn all(&self) -> Vec<Arc<Deck>> {
        let decks = self.decks.lock().unwrap_or_else(PoisonError::into_inner);
        decks.values().cloned().collect()
    }
}

async fn tidy(app: App, deck: Arc<Deck>) {
    if let Err(cause) = deck.tidy(&app).await {
        tracing::warn!(campaign.id = %deck.campaign_id, %cause, "what was dealt could not be stored; it is tried again");
    }
}

/// Counters of assignments. Looking one up costs more than counting, so they are kept; and all
/// are there from the start, also those that stay at zero.
struct Counters {
    by_reason: [(Reason, metrics::Counter); 5],
    beyond_wanted: metrics::Counter,
}

impl Counters {
    fn new() -> Self {
        for kind in Claim::KINDS {
            metrics::counter!("deck_claims_total", "kind" => kind).increment(0);
        }
        metrics::counter!("deck_piles_lost_total").increment(0);
        metrics::counter!("assignments_repeats_avoided_total").increment(0);
        Self {
            by_reason: Reason::ALL.map(|reason| {
                let counter = metrics::counter!("assignments_total", "reason" => reason.as_str());
                (reason, counter)
            }),
            beyond_wanted: metrics::counter!("assignments_beyond_wanted_total"),
        }
    }

    fn count(&self, reason: Reason) {
        let known = self.by_reason.iter().find(|(known, _)| *known == reason);
        if let Some((_, counter)) = known {
            counter.increment(1);
        }
        if reason == Reason::Tail {
            self.beyond_wanted.increment(1);
        }
    }
}
