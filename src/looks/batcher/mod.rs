//! Group commit: looks that come at the same time are stored by one statement and share one wait
//! for the disk.
//!
//! **Invariant:** a look is answered after its group was committed, and each look for itself: one
//! that cannot be stored fails alone.
//!
//! **Invariant:** what was accepted is stored, whether or not somebody still waits for the answer,
//! and also when the server stops; unless the database is away for longer than [`ANSWER_WITHIN`].
//!
//! **Invariant:** whatever the crowd, [`WRITERS_MAX`] connections write at most, and what waits for
//! them is bounded; beyond that the answer is 503 at once.

mod group;
mod queue;
mod store;

pub use group::{distinct, judge};

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::model::{Look, Stored};
use crate::{http::Problem, state::App};
use queue::{Entry, Queue};

/// Groups that are on their way at the same time. A process with few connections has fewer: half
/// of them stay for everything else.
const WRITERS_MAX: usize = 4;
/// Longest wait for an answer. A database that restarts is back sooner.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// `Retry-After` of what is refused because too much waits, in seconds.
const BUSY_RETRY_SECS: u32 = 2;
/// `Retry-After` of what was not answered in time, in seconds.
const LATE_RETRY_SECS: u32 = 5;

/// What waits to be stored at one server. Cheap to clone.
#[derive(Clone)]
pub struct Batcher {
    queue: Arc<Queue>,
    accepted: metrics::Counter,
}

impl Default for Batcher {
    fn default() -> Self {
        Self {
            queue: Arc::default(),
            accepted: metrics::counter!("looks_accepted_total"),
        }
    }
}

impl Batcher {
    /// Stores looks of one volunteer, and gives them back with what became of each.
    ///
    /// Errors: 503 `busy` when too much waits, 503 `database_away` when there is no answer in time.
    pub async fn store(&self, looks: Vec<Look>) -> Result<(Vec<Look>, Vec<Stored>), Problem> {
        if looks.is_empty() {
            return Ok((looks, Vec::new()));
        }
        let count = looks.len();
        let (answer, answered) = oneshot::channel();
        let entry = Entry::new(looks, ANSWER_WITHIN, answer);
        let deadline = entry.deadline;
        if !self.queue.push(entry) {
            metrics::counter!("looks_shed_total").increment(u64::try_from(count).unwrap_or(1));
            return Err(busy());
        }
        self.accepted.increment(u64::try_from(count).unwrap_or(1));
        match timeout_at(deadline, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Problem::internal(&"a writer of looks broke off")),
            Err(_) => Err(late()),
        }
    }

    /// Stores what comes, until [`Batcher::close`] was called and nothing is left.
    pub async fn run(self, app: App) {
        let connections = usize::from(app.config.database.database_pool_size);
        let writers = (connections / 2).clamp(1, WRITERS_MAX);
        join_all((0..writers).map(|_| self.write(&app))).await;
    }

    /// Takes no more looks.
    pub fn close(&self) {
        self.queue.close();
    }

    /// How many looks wait.
    pub fn waiting(&self) -> usize {
        self.queue.looks()
    }

    async fn write(&self, app: &App) {
        let sizes = metrics::histogram!("looks_group_size");
        let waits = metrics::histogram!("looks_wait_seconds");
        while let Some(mut entries) = self.queue.take().await {
            let now = Instant::now();
            // Whoever waited for these was told that they came too late.
            entries.retain(|entry| entry.deadline > now);
            let mut outcomes = Vec::new();
            if let (Some(first), Some(last)) = (entries.first(), entries.last()) {
                waits.record(now - first.since);
                let looks: Vec<&Look> = entries.iter().flat_map(|entry| &entry.looks).collect();
                sizes.record(f64::from(u32::try_from(looks.len()).unwrap_or(u32::MAX)));
                outcomes = store::store(&app.db, &looks, last.deadline).await;
            }
            self.queue.done();
            answer(entries, outcomes);
        }
    }
}

/// Gives each of those who wait their part of the outcomes.
fn answer(entries: Vec<Entry>, outcomes: Vec<Result<Stored, Problem>>) {
    let mut outcomes = outcomes.into_iter();
    for entry in entries {
        let part: Result<Vec<Stored>, Problem> =
            outcomes.by_ref().take(entry.looks.len()).collect();
        let _nobody_waits = entry.answer.send(part.map(|stored| (entry.looks, stored)));
    }
}

fn busy() -> Problem {
    Problem::unavailable(
        "busy",
        "Very many looks arrive at the moment. Send this again after the time in Retry-After; nothing of it was stored.",
        BUSY_RETRY_SECS,
    )
}

fn late() -> Problem {
    Problem::unavailable(
        "database_away",
        "The database did not confirm this in time. Send the same again after the time in Retry-After; it is not stored twice.",
        LATE_RETRY_SECS,
    )
}
