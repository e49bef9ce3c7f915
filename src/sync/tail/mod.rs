//! The end of the change feed, as a server reads it for many at once: who has something new. From it
//! pulls with nothing new are answered, and live streams are woken, without a statement for each.
//!
//! **Invariant:** "nothing new" is said from memory only about a volunteer and collection that were
//! read from the database to their end, here or as the phone's checkpoint says, with nothing of them in
//! the feed since; and only after a reading of the feed that began when the pull was there already. So
//! it is as new as an answer from the database, whatever server was told of a change before, and
//! nothing is skipped: what is not known is read from the database.
//!
//! **Invariant:** readings follow one another; how often, [`pace`] says. There is none while nobody
//! needs one.

mod followed;
mod generations;
mod known;
mod listeners;
mod pace;
mod queries;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, watch},
    time::{sleep_until, timeout},
};
use uuid::Uuid;

use super::{
    Checkpoint, Collection, Position, ends,
    epoch::{self, Standing},
};
use crate::{db::DbError, http::Problem, state::App};
use followed::Followed;
use known::Known;
use listeners::Listeners;
use pace::Pace;
use queries::Tidings;

pub use listeners::{Listening, Refused};

/// Collections, each of which is known for itself.
const COLLECTIONS: usize = Collection::ALL.len();
/// Longest wait of a reading for the database.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Longest wait of a pull for a reading; then it asks the database itself.
const READ_WITHIN: Duration = Duration::from_secs(1);
/// Longest wait of a stream for the reading at which it begins.
const LISTEN_WITHIN: Duration = Duration::from_secs(10);
/// After a longer pause the feed is read from its end, and everybody is unknown: phones poll each
/// minute.
const PAUSE_MAX: Duration = Duration::from_mins(3);
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
    /// When the last reading began of those that ended, with or without an answer.
    ended: watch::Sender<Option<Instant>>,
    /// Volunteers of whom somebody reads, or read a moment ago, where their collections end.
    meeting: moka::future::Cache<Uuid, ()>,
}

struct State {
    followed: Option<Followed>,
    pace: Pace,
    known: Known,
    listeners: Listeners,
}

impl State {
    /// Whether the feed that is followed is of this history.
    fn is_of(&self, standing: &Standing) -> bool {
        self.followed
            .is_some_and(|followed| followed.epoch == standing.epoch)
    }

    /// From where the feed is gone on with.
    fn recent(&self, now: Instant) -> Option<Followed> {
        self.followed
            .filter(|followed| now.duration_since(followed.began) < PAUSE_MAX)
    }
}

impl Tail {
    /// With room for so many streams.
    pub fn new(streams_max: usize) -> Self {
        let tail = Self(Arc::new(Inner {
            state: Mutex::new(State {
                followed: None,
                pace: Pace::default(),
                known: Known::new(VOLUNTEERS_MAX),
                listeners: Listeners::new(streams_max),
            }),
            needed: Notify::new(),
            ended: watch::Sender::new(None),
            meeting: moka::future::Cache::builder()
                .max_capacity(MEETING_MAX)
                .time_to_live(MET_FOR)
                .build(),
        }));
        // A server that starts is asked soon, and knows what it heard of since it read first.
        tail.ask_now_and_then(Instant::now());
        tail
    }

    /// Whether the volunteer has no document of a collection after a place, as far as can be told
    /// without reading them. Of whom nothing is known here, it is read where their collections end.
    pub async fn has_nothing_after(
        &self,
        app: &App,
        from: &Checkpoint,
        volunteer_id: Uuid,
        collection: Collection,
    ) -> Result<bool, Problem> {
        let is_known =
            |known: &mut Known| known.has_nothing_after(from, volunteer_id, collection.index());
        if !self.knew(is_known) {
            self.meet(app, volunteer_id).await?;
        }
        Ok(self.nothing_now(from, is_known).await.is_some())
    }

    /// Whether nothing changed for the volunteer since everything was read, as far as can be told
    /// without reading it: the history of the feed, if so.
    pub async fn heard_nothing_since(&self, from: &Checkpoint, volunteer_id: Uuid) -> Option<i32> {
        let is_known = |known: &mut Known| {
            let mut collections = 0..COLLECTIONS;
            collections.all(|collection| known.heard_nothing_since(from, volunteer_id, collection))
        };
        self.nothing_now(from, is_known).await?.epoch
    }

    /// Whether nothing was new when the feed was read last, as far as it ever was.
    fn knew(&self, is_known: impl Fn(&mut Known) -> bool) -> bool {
        let mut state = self.state();
        state.followed.is_none() || is_known(&mut state.known)
    }

    /// Reads the feed once more when nothing was new before; how far it is, if nothing is new now.
    async fn nothing_now(
        &self,
        from: &Checkpoint,
        is_known: impl Fn(&mut Known) -> bool,
    ) -> Option<Followed> {
        let now = Instant::now();
        if !self.knew(&is_known) {
            self.ask_now_and_then(now);
            return None;
        }
        if self.ask(now) {
            self.read_since(now, READ_WITHIN).await;
        }
        let mut state = self.state();
        let read = state.followed.filter(|followed| followed.began >= now)?;
        let has_nothing = read.has(from) && is_known(&mut state.known);
        has_nothing.then(|| {
            metrics::counter!("sync_idle_pulls_total").increment(1);
            read
        })
    }

    /// Needs a reading that begins from now on; says whether it may be waited for.
    fn ask(&self, now: Instant) -> bool {
        let mut state = self.state();
        state.pace.ask(now);
        self.0.needed.notify_one();
        !state.pace.is_hopeless(now)
    }

    /// The same, if the last one is old: whoever is not known may be of another history, or be known
    /// after it.
    fn ask_now_and_then(&self, now: Instant) {
        let followed = self.state().followed;
        let is_recent = |followed: Followed| now.duration_since(followed.began) < PAUSE_MAX / 3;
        if !followed.is_some_and(is_recent) {
            self.ask(now);
        }
    }

    /// Waits until a reading has ended that began at this time or later.
    async fn read_since(&self, since: Instant, longest: Duration) {
        let mut ended = self.0.ended.subscribe();
        let is_later = |began: &Option<Instant>| began.is_some_and(|began| began >= since);
        // Whoever waits looks at what was read, if anything was.
        let _ = timeout(longest, ended.wait_for(is_later)).await;
    }

    /// Reads where the collections of a volunteer end of whom nothing was read here. Pulls that come
    /// at once share it.
    async fn meet(&self, app: &App, volunteer_id: Uuid) -> Result<(), Problem> {
        let is_stranger = {
            let state = self.state();
            state.followed.is_some() && state.known.is_stranger(volunteer_id)
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
        let mut state = self.state();
        if state.is_of(standing) {
            state
                .known
                .learn(end, standing.horizon, volunteer_id, collection.index());
        }
    }

    /// Begins to listen for what is new to a volunteer in a collection.
    ///
    /// Whoever listens pulls now, at any server, and has everything then that was read before. What
    /// comes later is heard of here.
    pub async fn listen(
        &self,
        volunteer_id: Uuid,
        collection: Collection,
    ) -> Result<Listening, Refused> {
        let now = Instant::now();
        self.ask(now);
        self.read_since(now, LISTEN_WITHIN).await;
        let mut state = self.state();
        let read = state.followed.filter(|followed| followed.began >= now);
        let followed = read.ok_or(Refused::Away)?;
        let slot = state.listeners.add(volunteer_id, collection)?;
        drop(state);
        self.0.needed.notify_one();
        let from = followed.place();
        Ok(Listening::new(self.clone(), volunteer_id, slot, from))
    }

    /// Ends all streams, now and from now on: the server stops.
    pub fn end(&self) {
        self.state().listeners.end();
    }

    /// Streams that are open.
    pub fn streams(&self) -> usize {
        self.state().listeners.count()
    }

    /// Reads the feed whenever somebody needs it.
    pub async fn follow(self, app: App) {
        let mut was_read = true;
        loop {
            self.until_due().await;
            let began = self.begin();
            let read = self.read(&app, began).await;
            if let Err(cause) = &read
                && was_read
            {
                tracing::warn!(cause = %cause, "the feed cannot be read; polls go to the database");
            }
            was_read = read.is_ok();
            metrics::counter!("sync_readings_total").increment(1);
            self.state().pace.end(was_read);
            self.0.ended.send_replace(Some(began));
        }
    }

    /// Everybody who asked before is answered by the reading that begins now.
    fn begin(&self) -> Instant {
        let mut state = self.state();
        let began = Instant::now();
        state.pace.begin(began);
        began
    }

    async fn until_due(&self) {
        loop {
            let now = Instant::now();
            let due = {
                let state = self.state();
                state.pace.due(state.listeners.count() > 0, now)
            };
            match due {
                Some(due) if due <= now => return,
                Some(due) => tokio::select! {
                    () = sleep_until(due.into()) => {}
                    () = self.0.needed.notified() => {}
                },
                None => self.0.needed.notified().await,
            }
        }
    }

    async fn read(&self, app: &App, began: Instant) -> Result<(), DbError> {
        let before = self.state().recent(began);
        let from = before.map(|followed| followed.horizon);
        let read = app.db_apart.within(ANSWER_WITHIN, async |conn| {
            let tidings = queries::tidings(conn, from).await?;
            if tidings.epoch.is_some() {
                return Ok(tidings);
            }
            epoch::begin(conn).await?;
            queries::tidings(conn, from).await
        });
        let tidings = read.await?;
        let followed = Followed {
            epoch: tidings.epoch,
            horizon: tidings.horizon,
            began,
        };
        let goes_on = before.is_some_and(|before| followed.goes_on_from(&before));
        self.apply(followed, goes_on, &tidings);
        Ok(())
    }

    fn apply(&self, followed: Followed, goes_on: bool, tidings: &Tidings) {
        let mut guard = self.state();
        let state = &mut *guard;
        let horizon = followed.horizon;
        state.followed = Some(followed);
        if !goes_on {
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
