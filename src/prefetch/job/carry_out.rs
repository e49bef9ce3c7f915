//! A piece is carried out: its tiles are fetched, and what came of them is stored.

use std::{
    cell::Cell,
    future::{pending, ready},
    pin::pin,
    time::Duration,
};

use futures_util::{StreamExt, stream};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use super::{Prefetcher, Work};
use crate::{
    geo::Tile,
    imagery::{Ahead, TileError},
    prefetch::{
        queries::{self, Results},
        sheet::Sheet,
    },
    state::App,
};

/// Tiles that one worker has on their way at a time; the limits of the source come on top.
const AT_ONCE: usize = 8;
/// How often results are stored, the lease is renewed, and a stop is seen.
const STORE_EVERY: Duration = Duration::from_secs(1);
/// So long a worker is at a piece at most before it looks up what else there is, and is seen to be
/// alive; in maintenance it begins no other.
const STEP_MAX: Duration = Duration::from_secs(10);
/// How long a stopping worker waits for the tiles on their way.
const LAST_TILES: Duration = Duration::from_secs(5);
/// Pause after a row of failures, in seconds; doubled each time up to the longest.
const PAUSE_FIRST_S: f64 = 1.0;
const PAUSE_MAX_S: f64 = 60.0;
/// After so many pauses without a tile between them, the tiles are given up and the next are tried.
const PAUSES_MAX: i32 = 6;
/// What becomes of a tile, in the metrics.
pub const OUTCOMES: [&str; 5] = ["fetched", "kept", "outside", "missing", "failed"];

/// A tile and what became of it.
type Outcome = (Tile, Result<Ahead, TileError>);

/// Why a worker left a piece.
enum End {
    Finished,
    /// The worker or the prefetch is stopped, the piece is another's, or it took long enough.
    Stopped,
    /// The source fails, with the last reason.
    Trouble(String),
    /// Ours.
    Broken(anyhow::Error),
}

impl Prefetcher {
    pub(super) async fn carry_out(
        &self,
        app: &App,
        work: Work,
        mut stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let mut sheet = Sheet::default();
        let end = self.fetch(app, &work, &mut sheet, &mut stop).await;
        let gives_up = match &end {
            End::Finished => true,
            End::Trouble(_) => work.of.pauses >= PAUSES_MAX,
            End::Stopped | End::Broken(_) => false,
        };
        let next = sheet.close(gives_up, &work.tiles).or(work.after);
        self.store(app, &work, next, sheet.take()).await?;
        if next.is_none() {
            return Ok(());
        }
        let trouble = match &end {
            End::Trouble(reason) => Some((reason.as_str(), pause_s(work.of.pauses))),
            _ => None,
        };
        let conn = app.db.get().await?;
        queries::wait(&*conn, &work.of, self.holder, work.first, trouble).await?;
        match end {
            End::Broken(cause) => Err(cause),
            _ => Ok(()),
        }
    }

    async fn fetch(
        &self,
        app: &App,
        work: &Work,
        sheet: &mut Sheet,
        stop: &mut watch::Receiver<bool>,
    ) -> End {
        let ending = Cell::new(*stop.borrow());
        let coming = stream::iter(work.tiles.iter().copied())
            .take_while(|_| ready(!ending.get()))
            .map(|tile| async move {
                let layer = (work.of.layer_key.as_str(), work.of.layer_revision);
                (tile, self.tiles.fetch_ahead(layer, tile).await)
            });
        // In order, so that everything before the next tile is done.
        let mut coming = pin!(coming.buffered(AT_ONCE));
        let (outcomes, noted) = mpsc::channel(AT_ONCE);
        // Beside the storing and not in turn with it: a fetch may hold what storing waits for.
        let fetching = async move {
            while let Some(outcome) = coming.next().await {
                if outcomes.send(outcome).await.is_err() {
                    break;
                }
            }
            drop(outcomes);
            pending::<End>().await
        };
        tokio::select! {
            end = self.note(app, work, sheet, stop, (&ending, noted)) => end,
            end = fetching => end,
        }
    }

    /// Notes outcomes as they come, stores them every second, and sees to the end.
    async fn note(
        &self,
        app: &App,
        work: &Work,
        sheet: &mut Sheet,
        stop: &mut watch::Receiver<bool>,
        (ending, mut outcomes): (&Cell<bool>, mpsc::Receiver<Outcome>),
    ) -> End {
        let mut ticks = interval(STORE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let step_ends = Instant::now() + STEP_MAX;
        let mut last = None;
        let mut end = End::Finished;
        loop {
            tokio::select! {
                outcome = outcomes.recv() => match outcome {
                    None => break end,
                    Some((tile, Ok(outcome))) => {
                        if let Some(reason) = sheet.note(tile, outcome) && !ending.replace(true) {
                            end = End::Trouble(reason);
                        }
                        continue;
                    }
                    // What was to come after it is fetched again, by whoever goes on.
                    Some((_, Err(cause))) => break End::Broken(cause.into()),
                },
                _ = ticks.tick() => {
                    let Some(next) = sheet.next(&work.tiles).or(work.after) else {
                        continue;
                    };
                    match self.store(app, work, Some(next), sheet.take()).await {
                        Ok(true) => continue,
                        Ok(false) => {}
                        Err(cause) => break End::Broken(cause),
                    }
                }
                _ = stop.changed(), if !ending.get() => {}
                () = sleep_until(step_ends), if !ending.get() => {}
                () = sleep_until(last.unwrap_or_else(Instant::now)), if last.is_some() => break end,
            }
            // Stopped, the piece is another's, or it took long enough.
            if last.is_none() {
                ending.set(true);
                last = Some(Instant::now() + LAST_TILES);
                end = End::Stopped;
            }
        }
    }

    /// Whether the piece is still ours and the prefetch runs.
    async fn store(
        &self,
        app: &App,
        work: &Work,
        next: Option<Tile>,
        results: Results,
    ) -> anyhow::Result<bool> {
        let conn = app.db.get().await?;
        let runs =
            queries::flush(&*conn, &work.of, self.holder, work.first, next, &results).await?;
        let numbers = [
            results.fetched,
            results.kept,
            results.outside,
            results.missing,
            results.failed,
        ];
        for (outcome, number) in OUTCOMES.into_iter().zip(numbers) {
            let number = u64::try_from(number).unwrap_or_default();
            metrics::counter!("prefetch_tiles_total", "outcome" => outcome).increment(number);
        }
        Ok(runs)
    }
}

fn pause_s(pauses: i32) -> f64 {
    (PAUSE_FIRST_S * 2_f64.powi(pauses.clamp(0, 30))).min(PAUSE_MAX_S)
}
