//! One request's turn at a deck: from the hand, else by exchanging piles, else by searching.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use super::{
    Assignment, Deal,
    deck::{Deck, Found},
    hand::{Ask, Dealt, Scope},
    ledger::Seconds,
    queries::Claim,
};
use crate::{campaigns::Running, db::DbError, geo::Tile, http::Problem, state::App};

/// How often a request looks whether other servers gave back what they hold.
const HELD_STEP: Duration = Duration::from_millis(20);
/// How long a request waits for those before it, and then for others at most.
const TURN_WAIT: Duration = Duration::from_secs(5);
/// Piles that a search claims at once, and how often.
const SEARCH_PILES: i64 = 64;
const SEARCH_ROUNDS: usize = 16;
const LEASED_ROUNDS: usize = 4;
/// What somebody is told while another server keeps what is left.
const HELD_RETRY_SECS: i64 = 1;
/// What somebody is told who comes while too many search.
const CROWDED_RETRY_SECS: u32 = 2;

/// One request, as far as it was served.
pub struct Turn {
    app: App,
    campaign: Arc<Running>,
    deck: Arc<Deck>,
    ask: Ask,
    dealt: Vec<Dealt>,
    /// Whether other servers held what comes next.
    is_elsewhere: bool,
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
            is_elsewhere: false,
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

    /// Deals what is close to a place from the hand, if that is enough; says whether it was.
    pub fn deal_close(&mut self, centre: Tile) -> bool {
        let (now, ask) = (self.app.clock.now(), self.left());
        let dealt = self
            .deck
            .held()
            .deal_close(centre, &ask, &self.campaign, now);
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
        if let Some(centre) = near {
            deck.held().near.want(centre);
        }
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
        let deal = match self.take_in_turn(near).await {
            Ok(deal) => deal,
            Err(problem) if self.dealt.is_empty() => return Err(problem),
            // What was dealt until then is theirs.
            Err(_) => self.deal(),
        };
        if let Err(cause) = deck.give_back_if_scarce(&self.app).await {
            tracing::warn!(campaign.id = %deck.campaign_id, %cause, "piles could not be given back; it is tried again");
        }
        Ok(deal)
    }

    async fn take_in_turn(&mut self, near: Option<Tile>) -> Result<Deal, Problem> {
        if let Some(centre) = near {
            self.take_near(centre).await?;
        }
        self.take_next().await?;
        if !self.dealt.is_empty() {
            return Ok(self.deal());
        }
        if !self.deck.held().may_search() {
            let text = "Only few squares are left, and many ask for them. Ask again.";
            return Err(Problem::unavailable(
                "squares_busy",
                text,
                CROWDED_RETRY_SECS,
            ));
        }
        self.search().await?;
        if self.dealt.is_empty() {
            return Ok(self.search_leased().await?);
        }
        Ok(self.deal())
    }

    /// Deals what lies near; claims it first unless somebody did while this request waited.
    async fn take_near(&mut self, centre: Tile) -> Result<(), DbError> {
        if self.deal_close(centre) {
            return Ok(());
        }
        let is_wanted = self.deck.held().near.is_wanted(centre);
        if is_wanted {
            let (deck, count) = (&self.deck, self.left().count);
            deck.claim_near(&self.app, &self.campaign, centre, count)
                .await?;
        }
        let (now, ask) = (self.app.clock.now(), self.left());
        let dealt = self
            .deck
            .held()
            .deal_near(centre, &ask, &self.campaign, now);
        self.dealt.extend(dealt);
        Ok(())
    }

    /// Deals what comes next, from one hand after the other.
    async fn take_next(&mut self) -> Result<(), DbError> {
        let (began, mut is_fresh) = (Instant::now(), false);
        while !self.deal_from_hand() {
            let before = self.dealt.len();
            self.is_elsewhere |= self.deck.held().has_waited();
            let found = self.deck.exchange(&self.app, &self.campaign).await?;
            if self.deal_from_hand() {
                break;
            }
            let is_more = self.dealt.len() > before;
            is_fresh &= !is_more;
            match found {
                // Who came in between may have taken all of it.
                Found::Cells if is_more || self.deck.held().is_dealt_out() => {}
                // All that is left is known: with the hand put back, the deck may stand higher.
                Found::Cells if !is_fresh => {
                    self.deck.give_back(&self.app).await?;
                    is_fresh = true;
                }
                Found::Cells | Found::Nothing => break,
                // Servers that hold little are about to give it back.
                Found::Elsewhere | Found::Raced => {
                    self.is_elsewhere = true;
                    if began.elapsed() > TURN_WAIT {
                        break;
                    }
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
        let leased = |skip| Claim::Leased {
            skip,
            take: SEARCH_PILES,
        };
        let tail = |skip| Claim::Tail {
            skip,
            take: SEARCH_PILES,
        };
        let any = [Scope::Any, Scope::Again, Scope::Tail];
        let mut chance = self.search_by(leased, &any).await?;
        if self.dealt.is_empty() {
            let later = self.search_by(tail, &[Scope::Tail]).await?;
            chance = chance.into_iter().chain(later).min();
        }
        if !self.dealt.is_empty() {
            return Ok(self.deal());
        }
        let now = self.deck.held().time(self.app.clock.now());
        let chance = chance.map(|at| i64::from(at.since(now)).max(1));
        let held = self.is_elsewhere.then_some(HELD_RETRY_SECS);
        let told = Deal::none(chance.into_iter().chain(held).min());
        if !self.is_for_others {
            self.deck.held().note_nothing(told.clone());
        }
        Ok(told)
    }

    /// Deals from the first piles that have anything by one of the scopes, in the order of the
    /// claims. Also says when one of the piles may have something.
    async fn search_by(
        &mut self,
        claim: impl Fn(Vec<i64>) -> Claim,
        scopes: &[Scope],
    ) -> Result<Option<Seconds>, DbError> {
        let (mut skip, mut chance): (Vec<i64>, Option<Seconds>) = (Vec::new(), None);
        for _ in 0..LEASED_ROUNDS {
            let (beside, seen) = self.deal_beside(&claim(skip.clone()), scopes).await?;
            self.is_for_others |= beside.is_for_others;
            self.dealt.extend(beside.dealt);
            chance = chance.into_iter().chain(beside.chance).min();
            if !self.dealt.is_empty() || seen.is_empty() {
                break;
            }
            skip.extend(seen);
        }
        Ok(chance)
    }

    /// Deals from piles that do not stay in the hand, by the first scope that gives anything.
    async fn deal_beside(
        &self,
        claim: &Claim,
        scopes: &[Scope],
    ) -> Result<(Beside, Vec<i64>), DbError> {
        let ask = self.left();
        self.deck
            .deal_beside(&self.app, claim, |hand, now| {
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
