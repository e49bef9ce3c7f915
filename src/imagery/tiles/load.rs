//! The way of one tile that the process does not hold: from the store, or from the source by one
//! server while the others wait.
//!
//! A row of `tile_fetches` says who fetches. It is the one authority, so there is nothing to agree
//! on when memcached comes and goes; notes in memcached only spare looking there.

use std::{sync::Arc, time::Duration};

use rand::Rng;
use uuid::Uuid;

use super::{
    Source, TileError, TileId, TileImage, Tiles,
    count::Outcome,
    flights::Waiting,
    notes::{self, Told},
    queries::{self, Claim, Verdict},
    source::Fetched,
    store::{Kept, Stored},
};
use crate::{geo::Tile, imagery::fetch::FetchError};

/// How long a tile stays with a server that does not renew it: when it died, another goes on then.
pub const LEASE: Duration = Duration::from_secs(4);
/// How often the server that fetches renews it.
const RENEW_EVERY: Duration = Duration::from_secs(1);
/// Longest rest of a source that is waited for: that of a moment, or while one fetch finds out
/// whether it is back.
const REST_WAIT_MAX: Duration = Duration::from_millis(1500);
/// How often it is looked whether the rest is over.
const REST_LOOK: Duration = Duration::from_millis(200);
/// First and longest pause between looks for what another server fetches.
const PAUSE_FIRST: Duration = Duration::from_millis(30);
const PAUSE_MAX: Duration = Duration::from_millis(300);
/// After so many notes that another server fetches, the store is asked.
const LOOKS_AT_NOTES: u32 = 4;

/// What came of a way.
#[derive(Clone)]
pub enum Flown {
    Landed(Outcome, Result<Arc<TileImage>, TileError>),
    /// Everybody who wanted it hung up before the source was asked.
    Abandoned,
}

pub struct Load {
    pub tiles: Tiles,
    pub source: Arc<Source>,
    pub tile: Tile,
    pub id: TileId,
    /// The name under which this way holds the tile.
    pub holder: Uuid,
    pub waiting: Arc<Waiting<Flown>>,
}

/// Who goes on after a claim.
pub enum Claimed {
    Ours,
    Others,
    Failed(FetchError),
    Resting(Duration),
    Unwanted,
}

impl Load {
    pub async fn run(self) -> Flown {
        match self.find().await {
            Ok(flown) => flown,
            Err(error) => {
                let outcome = match &error {
                    TileError::Fetch(FetchError::Missing) => Outcome::Missing,
                    TileError::Fetch(_) => Outcome::Failed,
                    TileError::Resting(_) => Outcome::Resting,
                    TileError::Store(e) => {
                        tracing::warn!(tile = %self.id, cause = %e, "a tile could not be read");
                        Outcome::StoreFailed
                    }
                    _ => Outcome::Error,
                };
                Flown::Landed(outcome, Err(error))
            }
        }
    }

    async fn find(&self) -> Result<Flown, TileError> {
        let cache = &self.tiles.0.cache;
        // It may have landed between the look into memory and now.
        if let Some(held) = self.tiles.held(self.id).await {
            return Ok(Flown::Landed(Outcome::Waited, Ok(held?)));
        }
        if let Some(image) = self.stored().await? {
            return Ok(Flown::Landed(Outcome::Store, Ok(image)));
        }
        let mut pause = PAUSE_FIRST;
        for look in 1.. {
            match notes::told(cache, self.id).await {
                // Should the note be wrong, the store knows.
                Told::Fetching if look % LOOKS_AT_NOTES != 0 => {}
                Told::Fetching => {
                    if let Some(image) = self.stored().await? {
                        return Ok(Flown::Landed(Outcome::Store, Ok(image)));
                    }
                }
                Told::Failed(failure) => return Err(self.remember(failure).await),
                Told::Nothing | Told::Away => {
                    if look > 1
                        && let Some(image) = self.stored().await?
                    {
                        return Ok(Flown::Landed(Outcome::Store, Ok(image)));
                    }
                    match self.claim().await? {
                        Claimed::Ours => return self.hold_and_fetch().await,
                        Claimed::Others => {}
                        Claimed::Failed(failure) => return Err(self.remember(failure).await),
                        Claimed::Resting(rest) => return Err(TileError::Resting(rest)),
                        Claimed::Unwanted => return Ok(Flown::Abandoned),
                    }
                }
            }
            if !self.waiting.is_wanted() {
                return Ok(Flown::Abandoned);
            }
            tokio::time::sleep(jittered(pause)).await;
            pause = (pause * 3 / 2).min(PAUSE_MAX);
        }
        Err(TileError::BrokenOff)
    }

    /// Asks to be the one who fetches, when it is our turn.
    async fn claim(&self) -> Result<Claimed, TileError> {
        let turns = &self.source.turns;
        let _turn = if self.waiting.is_urgent() {
            turns.urgent.lock().await
        } else {
            turns.ahead.lock().await
        };
        self.claim_out_of_turn().await
    }

    /// The same for whoever holds the tile already and asks the source again: those who wait for their
    /// turn may wait for this one to end. Waits while the limits of the source are reached.
    pub async fn claim_out_of_turn(&self) -> Result<Claimed, TileError> {
        let turns = &self.source.turns;
        let limits = &self.source.layer.definition;
        loop {
            if !self.waiting.is_wanted() {
                return Ok(Claimed::Unwanted);
            }
            if let Some(rest) = turns.rest() {
                return Ok(Claimed::Resting(rest));
            }
            let claim = Claim {
                id: self.id,
                holder: self.holder,
                lease: LEASE,
                trial: self.tiles.0.fetch_timeout,
                at_once: limits.max_concurrent_fetches,
                per_second: limits.max_fetches_per_second,
                is_ahead: !self.waiting.is_urgent(),
            };
            let conn = self.tiles.0.db.get().await?;
            let verdict = queries::claim(&*conn, &claim).await?;
            drop(conn);
            let claimed = match verdict {
                Verdict::Ours => Claimed::Ours,
                Verdict::Fetching => Claimed::Others,
                Verdict::Failed(failure) => Claimed::Failed(failure),
                Verdict::Resting(rest) if rest <= REST_WAIT_MAX => {
                    tokio::time::sleep(rest.min(REST_LOOK)).await;
                    continue;
                }
                Verdict::Resting(rest) => {
                    turns.set_rest(Some(rest));
                    return Ok(Claimed::Resting(rest));
                }
                Verdict::Busy(wait) => {
                    let waited = tokio::time::timeout(jittered(wait), turns.room.notified());
                    let _either_way = waited.await;
                    continue;
                }
            };
            turns.set_rest(None);
            return Ok(claimed);
        }
    }

    /// Fetches the tile while nobody else does, unless somebody just did.
    async fn hold_and_fetch(&self) -> Result<Flown, TileError> {
        let holding = async {
            match self.tiles.0.store.read(self.id).await? {
                Stored::Image(image) => {
                    let image = self.remembered(image).await;
                    return Ok(Flown::Landed(Outcome::Store, Ok(image)));
                }
                Stored::Nothing => {}
                Stored::Damaged => {
                    tracing::warn!(tile = %self.id, "a stored tile is damaged; it is fetched again");
                    self.tiles.0.store.remove(self.id).await?;
                }
            }
            notes::tell_fetching(&self.tiles.0.cache, self.id, LEASE).await;
            match self.fetch().await? {
                Fetched::Image(image) => {
                    let image = self.keep(image).await;
                    Ok(Flown::Landed(Outcome::Source, Ok(image)))
                }
                Fetched::Failed(failure) => {
                    let told = notes::tell_failed(&self.tiles.0.cache, self.id, &failure).await;
                    if !told {
                        self.leave(&failure).await;
                    }
                    Err(self.remember(failure).await)
                }
                Fetched::Resting(rest) => Err(TileError::Resting(rest)),
            }
        };
        let flown = tokio::select! {
            flown = holding => flown,
            never = self.renew() => match never {},
        };
        let has_answered = match &flown {
            Ok(Flown::Landed(outcome, _)) => *outcome == Outcome::Source,
            Err(TileError::Fetch(failure)) => !failure.is_of_the_source(),
            _ => false,
        };
        if matches!(&flown, Err(error) if !matches!(error, TileError::Fetch(_))) {
            notes::tell_nothing(&self.tiles.0.cache, self.id).await;
        }
        self.let_go(has_answered).await;
        flown
    }

    /// Puts a tile where all servers find it. Whoever was first wins, so that all give the same.
    async fn keep(&self, image: TileImage) -> Arc<TileImage> {
        let image = match self.tiles.0.store.create(self.id, &image).await {
            Kept::Created => image,
            Kept::WasThere => match self.tiles.0.store.read(self.id).await {
                Ok(Stored::Image(first)) => first,
                _ => image,
            },
            Kept::Failed(e) => {
                tracing::warn!(tile = %self.id, cause = %e, "a tile could not be stored; it will be fetched again");
                return self.remembered(image).await;
            }
        };
        notes::tell_stored(&self.tiles.0.cache, self.id).await;
        self.remembered(image).await
    }

    /// Goes on holding the tile, as long as it takes.
    async fn renew(&self) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            notes::tell_fetching(&self.tiles.0.cache, self.id, LEASE).await;
            let renewed = async {
                let conn = self.tiles.0.db.get().await?;
                queries::renew(&*conn, self.id, self.holder, LEASE).await
            };
            match renewed.await {
                Ok(true) => {}
                // The store takes the first of two tiles, so nothing is wrong but the effort.
                Ok(false) => tracing::warn!(tile = %self.id, "another server fetches it too"),
                Err(e) => tracing::debug!(tile = %self.id, cause = %e, "a lease was not renewed"),
            }
        }
    }

    async fn let_go(&self, has_answered: bool) {
        let letting = async {
            let conn = self.tiles.0.db.get().await?;
            queries::let_go(&*conn, self.id, self.holder, has_answered).await
        };
        if let Err(e) = letting.await {
            tracing::debug!(tile = %self.id, cause = %e, "a lease was not ended; it ends by itself");
        }
        self.source.turns.room.notify_one();
    }

    /// For the other servers, while memcached is away.
    async fn leave(&self, failure: &FetchError) {
        let leaving = async {
            let conn = self.tiles.0.db.get().await?;
            let left = (failure, notes::lifetime_of(failure));
            queries::leave(&*conn, self.id, self.holder, left).await
        };
        if let Err(e) = leaving.await {
            tracing::debug!(tile = %self.id, cause = %e, "a failure could not be told");
        }
    }

    async fn stored(&self) -> Result<Option<Arc<TileImage>>, TileError> {
        match self.tiles.0.store.read(self.id).await? {
            Stored::Image(image) => {
                self.tiles.0.counts.read(image.bytes.len());
                Ok(Some(self.remembered(image).await))
            }
            Stored::Nothing | Stored::Damaged => Ok(None),
        }
    }

    /// Into memory, unless nobody waits for it.
    async fn remembered(&self, image: TileImage) -> Arc<TileImage> {
        let image = Arc::new(image);
        if self.waiting.is_urgent() {
            self.tiles.hold(self.id, Ok(&image)).await;
        }
        image
    }

    async fn remember(&self, failure: FetchError) -> TileError {
        self.tiles.hold(self.id, Err(&failure)).await;
        TileError::Fetch(failure)
    }
}

/// A quarter more or less, so that servers do not ask together.
pub fn jittered(time: Duration) -> Duration {
    time.mul_f64(rand::rng().random_range(0.75..1.25))
}
