//! The end of the change feed, which a server follows while somebody needs it: who has something
//! new. From it an idle poll is answered, and live streams are woken, without a statement for each.
//!
//! **Invariant:** "nothing new" is said from memory only about a volunteer and collection that were
//! read from the database to their end, here or as the phone's checkpoint says, with nothing of them in
//! the feed since; and only while the feed was read less than [`FRESH`] ago. So it is late by that at
//! most, and nothing is skipped: what is not known is read from the database.
//!
//! **Invariant:** one statement in [`EVERY`] whatever the number of phones and streams, and none
//! while nobody needs it, but for the first minutes of a server.

mod followed;
mod generations;
mod known;
mod listeners;
mod queries;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;
use uuid::Uuid;

use super::{
    Checkpoint, Collection, Position, ends,
    epoch::{self, Standing},
};
use crate::{db::DbError, http::Problem, state::App};
use followed::{Followed, Readings};
use known::Known;
use listeners::Listeners;
use queries::Tidings;

pub use listeners::{Listening, Refused};

/// Collections, each of which is known for itself.
const COLLECTIONS: usize = Collection::ALL.len();
/// How often the feed is read.
const EVERY: Duration = Duration::from_millis(250);
/// How long what was read is believed.
pub const FRESH: Duration = Duration::from_secs(1);
/// Longest wait for the database.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Longest wait of a stream until the feed was followed for [`FRESH`], and how often it looks.
const LISTEN_WITHIN: Duration = Duration::from_secs(10);
const LISTEN_STEP: Duration = Duration::from_millis(50);
/// How long the feed is followed after the last poll: phones poll each minute.
const NEEDED_FOR: Duration = Duration::from_mins(3);
/// Volunteers that one server remembers.
const VOLUNTEERS_MAX: usize = 100_000;
/// Volunteers who are met at the same time, and how long it is remembered that somebody did.
const MEETING_MAX: u64 = 10_000;
const MET_FOR: Duration = Duration::from_secs(1);

/// The tail of one server. Cheap to clone.
#[derive(Clone)]
pub struct Tail(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    needed: Notify,
    /// Volunteers of whom somebody reads, or read a moment ago, where their collections end.
    meeting: moka::future::Cache<Uuid, ()>,
}

struct State {
    readings: Readings,
    needed_at: Option<Instant>,
    known: Known,
    listeners: Listeners,
}

impl State {
    /// Whether the feed that is followed is of this history.
    fn is_of(&self, standing: &Standing) -> bool {
        let followed = self.readings.last();
        followed.is_some_and(|followed| followed.epoch == standing.epoch)
    }
}

impl Tail {
    /// With room for so many streams.
    pub fn new(streams_max: usize) -> Self {
        let needed = Notify::new();
        needed.notify_one();
        Self(Arc::new(Inner {
            state: Mutex::new(State {
                readings: Readings::default(),
                // A server that starts is asked soon.
                needed_at: Some(Instant::now()),
                known: Known::new(VOLUNTEERS_MAX),
                listeners: Listeners::new(streams_max),
            }),
            needed,
            meeting: moka::future::Cache::builder()
                .max_capacity(MEETING_MAX)
                .time_to_live(MET_FOR)
                .build(),
        }))
    }

    /// Whether it is known that the volunteer has no document of a collection after a place.
    pub fn has_nothing_after(
        &self,
        from: &Checkpoint,
        volunteer_id: Uuid,
        collection: Collection,
    ) -> bool {
        self.says_nothing_is_new(from, |known| {
            known.has_nothing_after(from, volunteer_id, collection.index())
        })
    }

    /// Whether it is known that nothing changed for the volunteer since everything was read.
    pub fn heard_nothing_since(&self, from: &Checkpoint, volunteer_id: Uuid) -> bool {
        self.says_nothing_is_new(from, |known| {
            let mut collections = 0..COLLECTIONS;
            collections.all(|collection| known.heard_nothing_since(from, volunteer_id, collection))
        })
    }

    fn says_nothing_is_new(
        &self,
        from: &Checkpoint,
        is_known: impl FnOnce(&mut Known) -> bool,
    ) -> bool {
        let mut state = self.need();
        let fresh = state.readings.fresh(Instant::now());
        let is_believed = fresh.is_some_and(|followed| followed.has(from));
        let has_nothing = is_believed && is_known(&mut state.known);
        if has_nothing {
            metrics::counter!("sync_idle_pulls_total").increment(1);
        }
        has_nothing
    }

    /// Reads where the collections of a volunteer end of whom nothing was read here. Pulls that come
    /// at once share it.
    pub async fn meet(&self, app: &App, volunteer_id: Uuid) -> Result<(), Problem> {
        let is_stranger = {
            let state = self.need();
            state.readings.last().is_some() && state.known.is_stranger(volunteer_id)
        };
        if !is_stranger {
            return Ok(());
        }
        let reading = async {
            let conn = app.db.get().await?;
            let ends = ends::ends(&*conn, volunteer_id).await?;
            for (collection, end) in ends.of {
                self.learn(&ends.standing, end, volunteer_id, collection);
            }
            Ok(())
        };
        let met = self.0.meeting.try_get_with(volunteer_id, reading).await;
        met.map_err(|problem: Arc<Problem>| Problem::clone(&problem))
    }

    /// The history that the feed is of, as far as it is known here.
    pub fn epoch(&self) -> Option<i32> {
        self.need().readings.last()?.epoch
    }

    /// The volunteer's part of a collection was read to its end, which is this place; `standing` is
    /// what the same statement said of the feed.
    pub fn learn(
        &self,
        standing: &Standing,
        end: Position,
        volunteer_id: Uuid,
        collection: Collection,
    ) {
        // Nobody before a tombstone that was forgotten is told that nothing is new.
        let end = end.max(standing.floor_position());
        let mut state = self.need();
        if state.is_of(standing) {
            state
                .known
                .learn(end, standing.horizon, volunteer_id, collection.index());
        }
    }

    /// Everything of the volunteer was read.
    pub fn has_read(&self, standing: &Standing, volunteer_id: Uuid) {
        let mut state = self.need();
        if state.is_of(standing) {
            for collection in 0..COLLECTIONS {
                state
                    .known
                    .has_read(standing.horizon, volunteer_id, collection);
            }
        }
    }

    /// This server just stored something of a volunteer, who is to see it at once.
    pub fn stored(&self, volunteer_id: Uuid, collections: &[Collection]) {
        let mut state = self.state();
        for collection in collections {
            state.known.stored(volunteer_id, collection.index());
        }
    }

    /// Begins to listen for what is new to a volunteer in a collection, and for what was new a moment
    /// ago: whoever listens pulls now, and another server may know less for a second. Where the feed
    /// was not followed for so long yet, it waits.
    pub async fn listen(
        &self,
        volunteer_id: Uuid,
        collection: Collection,
    ) -> Result<Listening, Refused> {
        drop(self.need());
        let told = tokio::time::timeout(LISTEN_WITHIN, self.told_everywhere());
        let followed = told.await.map_err(|_late| Refused::Away)?;
        let mut state = self.state();
        let from = Checkpoint {
            epoch: followed.epoch,
            at: Position {
                xid: followed.horizon - 1,
                id: Uuid::max(),
            },
            known_below: 0,
            is_end: false,
        };
        let slot = state.listeners.add(volunteer_id, collection)?;
        let everything = Checkpoint {
            known_below: followed.horizon,
            is_end: true,
            ..from
        };
        let is_new =
            !state
                .known
                .heard_nothing_since(&everything, volunteer_id, collection.index());
        Ok(Listening::new(
            self.clone(),
            (volunteer_id, slot),
            (from, is_new),
        ))
    }

    async fn told_everywhere(&self) -> Followed {
        loop {
            if let Some(followed) = self.state().readings.told_everywhere(Instant::now()) {
                return followed;
            }
            tokio::time::sleep(LISTEN_STEP).await;
        }
    }

    /// Ends all streams, now and from now on: the server stops.
    pub fn end(&self) {
        self.state().listeners.end();
    }

    /// Streams that are open.
    pub fn streams(&self) -> usize {
        self.state().listeners.count()
    }

    /// Follows the feed while somebody needs it.
    pub async fn follow(self, app: App) {
        loop {
            self.0.needed.notified().await;
            let mut was_answered = true;
            while self.is_followed_on() {
                let read = self.read(&app).await;
                if let Err(cause) = &read
                    && was_answered
                {
                    tracing::warn!(cause = %cause, "the feed cannot be followed; polls go to the database");
                }
                was_answered = read.is_ok();
                tokio::time::sleep(EVERY).await;
            }
        }
    }

    async fn read(&self, app: &App) -> Result<(), DbError> {
        let began = Instant::now();
        let from = self.state().readings.last();
        let from = from.map(|followed| followed.horizon);
        let read = app.db_apart.within(ANSWER_WITHIN, async |conn| {
            let tidings = queries::tidings(conn, from).await?;
            if tidings.epoch.is_some() {
                return Ok(tidings);
            }
            epoch::begin(conn).await?;
            queries::tidings(conn, from).await
        });
        let tidings = read.await?;
        self.apply(&tidings, began);
        Ok(())
    }

    fn apply(&self, tidings: &Tidings, began: Instant) {
        let mut guard = self.state();
        let state = &mut *guard;
        let horizon = tidings.horizon;
        let followed = Followed {
            epoch: tidings.epoch,
            horizon,
            began,
        };
        if !state.readings.push(followed, Instant::now()) {
            state.known.begin(horizon);
            state.listeners.ring_all();
            return;
        }
        state.known.tell(horizon);
        for change in &tidings.changes {
            let (collection, volunteer_id) = (change.collection, change.volunteer_id);
            state
                .known
                .change(change.xid, volunteer_id, collection.index());
            state.listeners.ring(volunteer_id, collection);
        }
        for (collection, below) in &tidings.of_all {
            state.known.change_of_all(*below, collection.index());
            state.listeners.ring_everybody(*collection);
        }
    }

    /// Whether somebody needs the feed; it is not followed any more otherwise.
    fn is_followed_on(&self) -> bool {
        let mut state = self.state();
        let polled = state.needed_at.is_some_and(|at| at.elapsed() < NEEDED_FOR);
        let is_needed = polled || state.listeners.count() > 0;
        if !is_needed {
            state.readings.clear();
        }
        is_needed
    }

    /// Notes that somebody needs the feed to be followed.
    fn need(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.needed_at = Some(Instant::now());
        if state.readings.last().is_none() {
            self.0.needed.notify_one();
        }
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
