//! One request's turn at a deck: from the hand, else by exchanging piles, else by searching.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use super::{
    Assignment, Deal, NEAR_RINGS,
    deck::{Deck, Found},
    hand::{Ask, Dealt, Scope},
    ledger::Seconds,
    order::pile_of,
    queries::Claim,
};
use crate::{
    campaigns::Running,
    db::DbError,
    geo::{CellId, Tile},
    http::Problem,
    state::App,
};

/// How long a request waits for piles that another server is about to give back.
const HELD_WAIT: Duration = Duration::from_millis(1200);
/// How often it looks whether they were.
const HELD_STEP: Duration = Duration::from_millis(20);
/// How long a request waits for those before it.
const TURN_WAIT: Duration = Duration::from_secs(5);
/// Piles that a search claims at once, and how often.
const SEARCH_PILES: i64 = 64;
const SEARCH_ROUNDS: usize = 16;
const LEASED_ROUNDS: usize = 4;
/// What somebody is told while another server keeps what is left.
const HELD_RETRY_SECS: i64 = 1;
/// What somebody is told who comes while too many search.
const CROWDED_RETRY_SECS: i64 = 2;

/// One request, as far as it was served.
pub struct Turn {
    app: App,
    campaign: Arc<Running>,
    deck: Arc<Deck>,
    ask: Ask,
    dealt: Vec<Dealt>,
    /// What the last exchange found.
    found: Found,
    /// Whether the search met cells for others.
    is_for_others: bool,
}

impl Turn {
    pub fn new(app: App, campaign: Arc<Running>, deck: Arc<Deck>, ask: Ask) -> Self {
        Self {
            app,
            campaign,
            deck,
            ask,
            dealt: Vec::new(),
            found: Found::Nothing,
            is_for_others: false,
        }
    }

    /// Deals from the hand; says whether that was enough.
    pub fn deal_from_hand(&mut self) -> bool {
        let now = self.app.clock.now();
        let dealt = self.deck.held().deal(&self.left(), &self.campaign, now);
        self.dealt.extend(dealt);
        self.is_served()
    }

    /// Whether whoever was dealt from the hand has to refill it, by [`Self::refill`].
    pub fn wants_refill(&self) -> bool {
        self.deck.held().wants_refill()
    }

    /// What was dealt.
    pub fn deal(&self) -> Deal {
        Deal::of(&self.dealt)
    }

    /// What is still asked for.
    fn left(&self) -> Ask {
        Ask {
            count: self.ask.count - self.dealt.len(),
            ..self.ask
        }
    }

    fn is_served(&self) -> bool {
        self.dealt.len() == self.ask.count
    }

    /// Another turn at the same deck, for nobody.
    pub fn again(&self) -> Self {
        let (app, campaign) = (self.app.clone(), Arc::clone(&self.campaign));
        Self::new(app, campaign, Arc::clone(&self.deck), self.ask)
    }

    pub async fn refill(self) {
        let _turn = self.deck.turn.lock().await;
        if let Err(cause) = self.deck.exchange(&self.app, &self.campaign).await {
            tracing::warn!(campaign.id = %self.campaign.id, %cause, "a hand could not be refilled");
        }
        self.deck.held().refilled();
    }

    pub async fn take(mut self, near: Option<Tile>) -> Result<Deal, Problem> {
        let (deck, asked) = (Arc::clone(&self.deck), Instant::now());
        deck.waiting.fetch_add(1, Ordering::Relaxed);
        let turn = tokio::time::timeout(TURN_WAIT, deck.turn.lock()).await;
        deck.waiting.fetch_sub(1, Ordering::Relaxed);
        let Ok(_turn) = turn else {
            return Err(DbError::Busy.into());
        };
        if near.is_none()
            && !self.deal_from_hand()
            && let Some(told) = deck.held().nothing_since(asked)
        {
            // Who waited while others found nothing need not look for themselves.
            return Ok(if self.dealt.is_empty() {
                told
            } else {
                self.deal()
            });
        }
        if let Some(centre) = near {
            self.take_near(centre).await?;
        }
        self.take_next().await?;
        let deal = if self.dealt.is_empty() {
            self.search_on().await?
        } else {
            Deal::of(&self.dealt)
        };
        deck.give_back_if_scarce(&self.app).await?;
        Ok(deal)
    }

    /// What there is for somebody beyond what comes next.
    async fn search_on(&mut self) -> Result<Deal, DbError> {
        if !self.deck.held().may_search() {
            return Ok(Deal::none(Some(CROWDED_RETRY_SECS)));
        }
        self.search().await?;
        if self.dealt.is_empty() {
            return self.search_leased().await;
        }
        Ok(Deal::of(&self.dealt))
    }

    /// Deals what lies near, from the piles around; further out when those do not suffice.
    async fn take_near(&mut self, centre: Tile) -> Result<(), DbError> {
        self.ready().await?;
        for ring in NEAR_RINGS {
            if self.is_served() {
                break;
            }
            let piles = around(centre, ring);
            let own = self.deck.take_out(&piles);
            let ask = self.left();
            let claim = Claim::These { piles };
            let scope = Scope::Near(centre);
            let (dealt, _) = self
                .deck
                .deal_beside(&self.app, &claim, own, |hand, now| {
                    hand.deal(&ask, scope, now)
                })
                .await?;
            self.dealt.extend(dealt);
        }
        Ok(())
    }

    /// Puts the campaign's rules in force.
    async fn ready(&self) -> Result<(), DbError> {
        if self.deck.held().is_behind(&self.campaign) {
            self.deck.exchange(&self.app, &self.campaign).await?;
        }
        Ok(())
    }

    /// Deals what comes next, from one hand after the other.
    async fn take_next(&mut self) -> Result<(), DbError> {
        let (began, mut is_fresh) = (Instant::now(), false);
        while !self.deal_from_hand() {
            let before = self.dealt.len();
            self.found = self.deck.exchange(&self.app, &self.campaign).await?;
            if self.deal_from_hand() {
                break;
            }
            let is_more = self.dealt.len() > before;
            is_fresh &= !is_more;
            match self.found {
                // Who came in between may have taken all of it.
                Found::Cells if is_more || self.deck.held().is_dealt_out() => {}
                // All that is left is known: with the hand put back, the deck may stand higher.
                Found::Cells if !is_fresh => {
                    self.deck.give_back(&self.app).await?;
                    is_fresh = true;
                }
                Found::Cells | Found::Nothing => break,
                Found::Elsewhere if began.elapsed() > HELD_WAIT => break,
                Found::Elsewhere => {
                    // Servers that hold little are about to give it back.
                    self.deck.give_back(&self.app).await?;
                    tokio::time::sleep(HELD_STEP).await;
                }
            }
        }
        Ok(())
    }

    /// For somebody who knows all that comes next: whatever still needs looks.
    async fn search(&mut self) -> Result<(), DbError> {
        self.deck.give_back(&self.app).await?;
        let mut skip = Vec::new();
        for _ in 0..SEARCH_ROUNDS {
            let claim = Claim::Search {
                skip: skip.clone(),
                take: SEARCH_PILES,
            };
            let (beside, seen) = self.deal_beside(&claim, &[Scope::Any]).await?;
            self.is_for_others |= beside.is_for_others;
            self.dealt.extend(beside.dealt);
            if self.is_served() || seen.is_empty() {
                break;
            }
            skip.extend(seen);
        }
        Ok(())
    }

    /// When no other cell needs looks: what they were given before, then the tail.
    async fn search_leased(&mut self) -> Result<Deal, DbError> {
        let (mut skip, mut chance): (Vec<i64>, Option<Seconds>) = (Vec::new(), None);
        let scopes = [Scope::Any, Scope::Again, Scope::Tail];
        for _ in 0..LEASED_ROUNDS {
            let claim = Claim::Leased {
                skip: skip.clone(),
                take: SEARCH_PILES,
            };
            let (beside, seen) = self.deal_beside(&claim, &scopes).await?;
            if !beside.dealt.is_empty() {
                return Ok(Deal::of(&beside.dealt));
            }
            self.is_for_others |= beside.is_for_others;
            chance = [chance, beside.chance].into_iter().flatten().min();
            if seen.is_empty() {
                break;
            }
            skip.extend(seen);
        }
        let now = self.deck.held().time(self.app.clock.now());
        let chance = chance.map(|at| i64::from(at.since(now)).max(1));
        let held = (self.found == Found::Elsewhere).then_some(HELD_RETRY_SECS);
        let told = Deal::none(chance.into_iter().chain(held).min());
        if !self.is_for_others {
            self.deck.held().note_nothing(told.clone());
        }
        Ok(told)
    }

    /// Deals from piles that do not stay in the hand, by the first scope that gives anything.
    async fn deal_beside(
        &self,
        claim: &Claim,
        scopes: &[Scope],
    ) -> Result<(Beside, Vec<i64>), DbError> {
        let ask = self.left();
        self.deck
            .deal_beside(&self.app, claim, Vec::new(), |hand, now| {
                let is_for_others = hand.has_something_for_a_stranger(now);
                let mut dealt = scopes.iter().map(|scope| hand.deal(&ask, *scope, now));
                Beside {
                    dealt: dealt.find(|dealt| !dealt.is_empty()).unwrap_or_default(),
                    chance: hand.next_chance(ask.volunteer),
                    is_for_others,
                }
            })
            .await
    }
}

/// What piles beside the hand had.
struct Beside {
    dealt: Vec<Dealt>,
    /// When a cell of theirs may come free for the volunteer.
    chance: Option<Seconds>,
    /// Whether they had something for somebody who knows none of their cells.
    is_for_others: bool,
}

impl Deal {
    fn of(dealt: &[Dealt]) -> Self {
        let assignments = dealt.iter().map(|dealt| Assignment {
            cell: dealt.cell.tile(),
            lease_expires_at: dealt.lease_ends.timestamp(),
            reason: dealt.reason,
            layer: dealt.layer,
        });
        Self {
            assignments: assignments.collect(),
            retry_after_secs: None,
        }
    }

    fn none(retry_after_secs: Option<i64>) -> Self {
        Self {
            assignments: Vec::new(),
            retry_after_secs,
        }
    }
}

/// The piles in a square around a cell, so many each way; columns go round the world.
fn around(centre: Tile, ring: u32) -> Vec<i64> {
    let pile = pile_of(centre).tile();
    let across = 1_u32 << pile.z();
    let rows = pile.y().saturating_sub(ring)..=(pile.y() + ring).min(across - 1);
    let columns = 0..(2 * ring + 1).min(across);
    let mut piles: Vec<i64> = rows
        .flat_map(|y| {
            columns
                .clone()
                .filter_map(move |step| {
                    let x = (pile.x() + across - ring.min(across) + step) % across;
                    Tile::new(pile.z(), x, y).ok()
                })
                .map(|tile| CellId::from(tile).get())
        })
        .collect();
    piles.sort_unstable();
    piles
}
