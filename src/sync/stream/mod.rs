//! Live streams: changes of a collection as events, as they come (`pullStream`).
//!
//! A stream is a convenience beside pulls, never the only way: clients pull whenever it opens. So it
//! may end at any time, and ends whenever it could not keep up.
//!
//! **Invariant:** nothing is kept for a stream but its place. A page is read when there is something
//! new and the client has taken everything before; who is behind by a whole page gets it and the end of
//! the stream, and pulls. So a slow reader costs no memory.
//!
//! **Invariant:** of a volunteer who departed nothing is told after the next beat at the latest.
//!
//! **Invariant:** whoever is to come back is answered with 200 and told when (`retry`); any other
//! status would stop an `EventSource` for ever.

mod handlers;

use std::{sync::Arc, time::Duration};

use super::{Checkpoint, Collection, tail::Listening};
use crate::{
    accounts::{Departed, Standing, Volunteer},
    http::{Problem, events},
    state::App,
};
use actix_web::Error;
use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::{sync::Semaphore, time::Instant};

pub use handlers::routes;

/// How often a quiet stream says that it is alive. What stands between gives up after 30 s or more.
const BEAT_EVERY: Duration = Duration::from_secs(20);
/// After the end of a stream its client comes back within these, so that not all come at once.
const COME_BACK_MS: std::ops::Range<u64> = 1000..10_000;
/// Documents of one event.
pub const EVENT_DOCUMENTS_MAX: usize = 200;
/// Pages that all streams of a server read at the same time, so that requests find connections.
const READS_MAX: usize = 2;
/// Pages that are kept for all streams, and for how long.
const COMMON_MAX: u64 = 64;
const COMMON_KEPT: Duration = Duration::from_secs(10);
/// Rest after a page could not be read.
const REST: Duration = Duration::from_secs(2);

/// What the streams of a server share. Cheap to clone.
#[derive(Clone)]
pub struct Streams {
    reads: Arc<Semaphore>,
    /// Pages that are the same for all: by where they begin, and how far the feed was when they were
    /// read.
    common: moka::future::Cache<(String, Option<i64>), Option<Arc<Told>>>,
}

/// What a stream is told.
struct Told {
    event: Bytes,
    /// Up to where that is everything.
    upto: Checkpoint,
    is_last: bool,
}

impl Default for Streams {
    fn default() -> Self {
        let common = moka::future::Cache::builder()
            .max_capacity(COMMON_MAX)
            .time_to_live(COMMON_KEPT);
        Self {
            reads: Arc::new(Semaphore::new(READS_MAX)),
            common: common.build(),
        }
    }
}

/// What a stream needs of its server.
struct Shared {
    streams: Streams,
    departed: Departed,
}

/// One open stream.
struct Live {
    app: App,
    shared: Shared,
    listening: Listening,
    volunteer: Volunteer,
    collection: Collection,
    /// Up to where the client was told everything.
    from: Checkpoint,
    is_open: bool,
    /// Whether there may be something new.
    is_behind: bool,
    /// The client is to pull.
    is_over: bool,
}

impl Live {
    /// From where the client goes on: after what it had when its last stream ended, or after what it is
    /// told that pulls now.
    fn begin(
        (app, shared): (App, Shared),
        listening: Listening,
        (volunteer, collection): (Volunteer, Collection),
        had: Option<Checkpoint>,
    ) -> Self {
        let now = listening.from;
        // One of another history, or from the future, is of no use; whoever comes with it pulls, and
        // is told so.
        let is_ours =
            |had: &Checkpoint| had.epoch == now.epoch && Some(had.at.xid) < listening.horizon();
        let had = had.map(|had| had.marked(volunteer.mark)).filter(is_ours);
        Self {
            from: had.unwrap_or(now),
            // What came between is heard of by nobody.
            is_behind: had.is_some(),
            is_open: false,
            is_over: false,
            app,
            shared,
            listening,
            volunteer,
            collection,
        }
    }

    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> {
        metrics::gauge!("sync_streams").increment(1.0);
        stream::unfold(self, |mut live| async move {
            let said = live.next().await?;
            Some((Ok(said), live))
        })
    }

    /// What is said next; nothing at the end of the stream.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.is_open {
            self.is_open = true;
            return Some(self.hello());
        }
        let beat = Instant::now() + BEAT_EVERY;
        loop {
            if self.is_over || self.listening.is_ended() || self.has_departed() {
                return None;
            }
            if self.is_behind {
                match self.read().await {
                    Ok(Some(event)) => return Some(event),
                    Ok(None) => {}
                    Err(problem) if problem.status().is_client_error() => return None,
                    Err(problem) => {
                        tracing::debug!(code = problem.code(), "a page of a stream was not read");
                        tokio::time::sleep(REST).await;
                        continue;
                    }
                }
            }
            self.is_behind = false;
            tokio::select! {
                () = self.listening.heard() => self.is_behind = true,
                () = tokio::time::sleep_until(beat) => return Some(events::BEAT),
            }
        }
    }

    /// Whether the volunteer was forgotten, or goes on as another one: their device is told so when it
    /// asks the next time.
    fn has_departed(&self) -> bool {
        self.shared.departed.standing(self.volunteer.id) != Standing::Present
    }

    /// When to come back, and from where to go on then.
    fn hello(&self) -> Bytes {
        let after = Duration::from_millis(rand::random_range(COME_BACK_MS));
        events::beginning(&self.place().as_id(), after)
    }

    /// Where the client is, as it is told it.
    fn place(&self) -> Checkpoint {
        self.from.marked(self.volunteer.mark)
    }

    /// What is new, if anything is.
    async fn read(&mut self) -> Result<Option<Bytes>, Problem> {
        let told = if self.collection == Collection::Campaigns {
            let key = (self.place().as_id(), self.listening.horizon());
            let found = self
                .shared
                .streams
                .common
                .try_get_with(key, self.page())
                .await;
            found.map_err(|problem| Problem::clone(&problem))?
        } else {
            self.page().await?
        };
        let Some(told) = told else {
            return Ok(None);
        };
        self.from = told.upto;
        self.is_over = !told.is_last;
        self.is_behind = false;
        Ok(Some(told.event.clone()))
    }

    async fn page(&self) -> Result<Option<Arc<Told>>, Problem> {
        const LIMIT: usize = EVENT_DOCUMENTS_MAX;
        let page = {
            let _turn = self.shared.streams.reads.acquire().await;
            let conn = self.app.db.get().await?;
            let pulled = self
                .collection
                .pull(&*conn, self.volunteer.id, &self.from, LIMIT);
            pulled.await?.write(&self.from, LIMIT)
        };
        let (upto, is_last) = (page.checkpoint, page.is_last);
        let page = page.marked(self.volunteer.mark);
        let told = Told {
            event: events::event(&page.checkpoint.as_id(), &page.json()),
            upto,
            is_last,
        };
        Ok((!page.is_empty()).then(|| Arc::new(told)))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        metrics::gauge!("sync_streams").decrement(1.0);
    }
}
