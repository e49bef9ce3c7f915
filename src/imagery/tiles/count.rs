//! What became of each tile that was asked for, and of each fetch. All of it is there from the start.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram};

use crate::imagery::fetch::FetchError;

/// What somebody who asks for a tile gets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// From the process's own memory.
    Near,
    /// From the object store.
    Store,
    /// Fetched for them.
    Source,
    /// Together with others who wait for the same.
    Waited,
    /// The source has no such tile.
    Missing,
    /// It lies outside the layer's bounds or zooms.
    Outside,
    /// The source failed.
    Failed,
    /// The source is left alone.
    Resting,
    /// It was not there in time.
    Late,
    /// The object store failed.
    StoreFailed,
    /// Anything else, such as a database that is away.
    Error,
}

impl Outcome {
    const ALL: [(Self, &'static str); 11] = [
        (Self::Near, "near"),
        (Self::Store, "store"),
        (Self::Source, "source"),
        (Self::Waited, "waited"),
        (Self::Missing, "missing"),
        (Self::Outside, "outside"),
        (Self::Failed, "failed"),
        (Self::Resting, "resting"),
        (Self::Late, "late"),
        (Self::StoreFailed, "store_failed"),
        (Self::Error, "error"),
    ];
}

/// Handles are kept, since finding a metric by its labels costs more than a tile in memory.
pub struct Counts {
    requests: Vec<(Outcome, Counter)>,
    fetched: Counter,
    missing: Counter,
    failed: Counter,
    bytes: Counter,
    read_bytes: Counter,
    served_bytes: Counter,
    seconds: Histogram,
    memory: Gauge,
}

impl Counts {
    /// The recorder of metrics must be there.
    pub fn new() -> Self {
        let fetches =
            |outcome: &'static str| metrics::counter!("tile_fetches_total", "outcome" => outcome);
        let counts = Self {
            requests: Outcome::ALL
                .map(|(outcome, name)| {
                    (
                        outcome,
                        metrics::counter!("tile_requests_total", "outcome" => name),
                    )
                })
                .into(),
            fetched: fetches("fetched"),
            missing: fetches("missing"),
            failed: fetches("failed"),
            bytes: metrics::counter!("tile_fetched_bytes_total"),
            read_bytes: metrics::counter!("tile_read_bytes_total"),
            served_bytes: metrics::counter!("tile_served_bytes_total"),
            seconds: metrics::histogram!("tile_fetch_seconds"),
            memory: metrics::gauge!("tile_memory_bytes"),
        };
        for (_, counter) in &counts.requests {
            counter.increment(0);
        }
        for counter in [
            &counts.fetched,
            &counts.missing,
            &counts.failed,
            &counts.bytes,
            &counts.read_bytes,
            &counts.served_bytes,
        ] {
            counter.increment(0);
        }
        counts.memory.set(0.0);
        counts
    }

    pub fn request(&self, outcome: Outcome) {
        let found = self.requests.iter().find(|(known, _)| *known == outcome);
        if let Some((_, counter)) = found {
            counter.increment(1);
        }
    }

    pub fn fetch(&self, fetched: Result<usize, &FetchError>, time: Duration) {
        self.seconds.record(time);
        match fetched {
            Ok(bytes) => {
                self.fetched.increment(1);
                self.bytes.increment(u64::try_from(bytes).unwrap_or(0));
            }
            Err(FetchError::Missing) => self.missing.increment(1),
            Err(_) => self.failed.increment(1),
        }
    }

    /// A tile was read from the store.
    pub fn read(&self, bytes: usize) {
        self.read_bytes.increment(u64::try_from(bytes).unwrap_or(0));
    }

    /// A tile is answered with its bytes.
    pub fn served(&self, bytes: usize) {
        self.served_bytes
            .increment(u64::try_from(bytes).unwrap_or(0));
    }

    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "bytes of memory"
    )]
    pub fn memory(&self, bytes: u64) {
        self.memory.set(bytes as f64);
    }
}
