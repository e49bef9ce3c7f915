//! The one way to what is read often: the process's own memory, then memcached, which all servers
//! share, then whoever loads.
//!
//! **Invariant:** memcached may be empty, slow, flushed or gone, and every answer is still
//! right. So nothing is kept in it that cannot be loaded again, and each wait is bounded.
//!
//! **Invariant:** what organisers changed is seen by every server within two seconds, also when
//! nobody could be told: nothing is given that began to be loaded longer ago.
//!
//! **Invariant:** every look-up is counted exactly once.

mod breaker;
mod count;
mod entry;
mod keys;
mod lookup;
mod near;
mod node;
mod router;
mod shared;

use std::{
    fmt,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, join_all};
use serde::{Serialize, de::DeserializeOwned};

pub use keys::{Key, Tally};

use crate::clock::Clock;
use count::{Counts, Outcome};
use near::{Held, Near, Place};
use shared::{Reading, Shared};

/// What can be kept.
pub trait Cached: Send + Sync + Sized + 'static {
    /// The form in memcached. Another form needs another version of the key.
    fn pack(&self) -> Vec<u8>;

    fn unpack(bytes: &[u8]) -> Option<Self>;

    /// Whether a server may give it for some time without asking memcached. What people wait to
    /// see changed is not settled.
    fn is_settled(&self) -> bool {
        true
    }
}

/// A list, as JSON.
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Cached for Vec<T> {
    fn pack(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn unpack(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// What a loader found.
pub enum Loaded<T> {
    Value(T),
    /// What was known is still right.
    Unchanged,
    /// There is no such thing, which is remembered in memcached too.
    Absent,
}

/// Why something could not be loaded; told to all who wait for it.
pub trait Failure: Clone + fmt::Display + Send + Sync + 'static {}

impl<E: Clone + fmt::Display + Send + Sync + 'static> Failure for E {}

/// Whoever loads, given what was known.
type Load<T, E> =
    Box<dyn FnOnce(Option<Arc<T>>) -> BoxFuture<'static, Result<Loaded<T>, E>> + Send>;

fn boxed<T, E, L, F>(load: L) -> Load<T, E>
where
    L: FnOnce(Option<Arc<T>>) -> F + Send + 'static,
    F: Future<Output = Result<Loaded<T>, E>> + Send + 'static,
{
    Box::new(|known| Box::pin(load(known)))
}

/// Whether memcached answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Up,
    /// At least one of the nodes does not answer.
    Away,
}

/// What a server left under a key.
#[derive(Debug)]
pub enum Left {
    Word(Vec<u8>),
    Nothing,
    /// Nobody knows, since memcached does not answer.
    Away,
}

#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    near: Near,
    /// Look-ups under way: whoever asks for the same waits for the first.
    flights: moka::future::Cache<Place, Arc<Held>>,
    shared: Shared,
    lookups: Counts,
    refreshes: Counts,
    clock: Clock,
}

impl Cache {
    /// Connects when first used: memcached need not be there. Metrics must be.
    pub async fn open(nodes: &[String], prefix: &str, clock: Clock) -> anyhow::Result<Self> {
        let flights = moka::future::Cache::builder()
            .time_to_live(Duration::ZERO)
            .build();
        Ok(Self(Arc::new(Inner {
            near: Near::new(),
            flights,
            shared: Shared::open(nodes, prefix).await?,
            lookups: Counts::of_lookups(),
            refreshes: Counts::of_refreshes(),
            clock,
        })))
    }

    /// The value under a key, or `None` when there is no such thing.
    ///
    /// It is loaded once for all who ask at the same time, of whatever server. `load` is given
    /// what was known before, so that it need not load what did not change. A failure to load is
    /// given to all who wait and is not remembered.
    pub async fn get_or_load<T, E, L, F>(&self, key: Key, load: L) -> Result<Option<Arc<T>>, E>
    where
        T: Cached,
        E: Failure,
        L: FnOnce(Option<Arc<T>>) -> F + Send + 'static,
        F: Future<Output = Result<Loaded<T>, E>> + Send + 'static,
    {
        let family = key.family();
        let place = self.0.near.place(key);
        let now = Instant::now();
        if let Some(held) = self.0.near.get(&place).await
            && held.is_usable(now)
        {
            self.0.lookups.add(family, Outcome::Near);
            let value = held.value();
            if held.takes_refresh(now) {
                self.refresh(place, held, boxed(load));
            }
            return Ok(value);
        }
        let mut outcome = Outcome::Joined;
        let flight = self.look_up(&place, boxed(load), &mut outcome);
        let found = self.0.flights.try_get_with(place.clone(), flight).await;
        self.0.lookups.add(family, outcome);
        match found {
            Ok(held) => Ok(held.value()),
            Err(e) => Err(E::clone(&e)),
        }
    }

    /// Forgets values here and in memcached, after a change was committed. Other processes give
    /// theirs for the time that they give anything from their own memory.
    pub async fn forget(&self, keys: &[Key]) {
        self.0.near.begin_generation();
        let shared = &self.0.shared;
        let forgetting = keys.iter().map(async |key| {
            shared.forget(&key.name(shared.prefix())).await;
        });
        join_all(forgetting).await;
        // Whatever was begun meanwhile may have read what was just deleted.
        self.0.near.begin_generation();
    }

    /// Raises a flag that all servers see for its lifetime; a hint, since memcached may be away.
    pub async fn raise(&self, key: &Key) {
        let raised = self.entry(key.ages(), Some(Vec::new()));
        let name = key.name(self.0.shared.prefix());
        self.0
            .shared
            .write(&name, raised.pack(), key.ages().kept)
            .await;
    }

    /// Whether any server raised a flag; not when memcached is away.
    pub async fn is_raised(&self, key: &Key) -> bool {
        let (outcome, raised) = match self.0.shared.read(&key.name(self.0.shared.prefix())).await {
            Reading::Found(entry) => (Outcome::Hit, entry.value.is_some()),
            Reading::Nothing => (Outcome::Miss, false),
            Reading::Failed => (Outcome::Error, false),
            Reading::LeftAlone => (Outcome::Bypass, false),
        };
        self.0.lookups.add(key.family(), outcome);
        raised
    }

    /// Changes what servers count together, in one atomic step; not when `change` gives nothing.
    /// Whether memcached answered. When it did not, the change may still have happened.
    pub async fn change(
        &self,
        tally: &Tally,
        change: impl FnMut(Option<u64>) -> Option<u64>,
    ) -> bool {
        let shared = &self.0.shared;
        let name = tally.name(shared.prefix());
        shared.change(&name, tally.kept(), change).await
    }

    /// Adds a note for all servers.
    pub async fn note(&self, tally: &Tally, text: &str) {
        let shared = &self.0.shared;
        let name = tally.name(shared.prefix());
        shared.append(&name, text, tally.kept()).await;
    }

    /// The notes of all servers, as far as memcached has them.
    pub async fn notes(&self, tally: &Tally) -> Vec<u8> {
        let shared = &self.0.shared;
        let name = tally.name(shared.prefix());
        shared.text(&name).await.unwrap_or_default()
    }

    /// Leaves word for all servers for a time, instead of the one that was there; whether it is
    /// there now, since memcached may be away.
    pub async fn leave(&self, key: &Key, word: Vec<u8>, lifetime: Duration) -> bool {
        let word = self.entry(key.ages(), Some(word));
        let name = key.name(self.0.shared.prefix());
        self.0.shared.write(&name, word.pack(), lifetime).await
    }

    /// The word that a server left.
    pub async fn left(&self, key: &Key) -> Left {
        let (outcome, left) = match self.0.shared.read(&key.name(self.0.shared.prefix())).await {
            Reading::Found(entry) => match entry.value {
                Some(word) => (Outcome::Hit, Left::Word(word)),
                None => (Outcome::Miss, Left::Nothing),
            },
            Reading::Nothing => (Outcome::Miss, Left::Nothing),
            Reading::Failed => (Outcome::Error, Left::Away),
            Reading::LeftAlone => (Outcome::Bypass, Left::Away),
        };
        self.0.lookups.add(key.family(), outcome);
        left
    }

    pub async fn health(&self) -> Health {
        self.0.shared.health().await
    }
}
