//! `spotter worker`: the background loops. Each step takes its own lock in the database, so any
//! number of workers may run.
//!
//! What was accepted is counted while nothing may be changed (`read_only`); during maintenance all
//! loops rest, so that only operators change the database.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use crate::{
    admission::Known,
    assignments, campaigns,
    imagery::{self, Budget, Tiles},
    objects, packs,
    prefetch::Prefetcher,
    preparation::{self, Preparation, Step},
    progress,
    state::App,
    sync, volunteers,
};

/// The loops.
const JOBS: [&str; 10] = [
    "progress",
    "preparation",
    "close_ended",
    "forget_renewals",
    "prefetch",
    "tile_budget",
    "waiting_tags",
    "forget_tombstones",
    "departures",
    "packs",
];
/// How a step of one can end.
const OUTCOMES: [&str; 3] = ["worked", "idle", "failed"];

/// Rest of a loop that has nothing more to do at once.
const IDLE: Duration = Duration::from_millis(200);
/// The same for what nobody waits for.
const UNHURRIED_IDLE: Duration = Duration::from_secs(1);
/// The same for the room that tiles take.
const BUDGET_EVERY: Duration = Duration::from_mins(1);
/// The same for tags whose look came in another way than they.
const WAITING_EVERY: Duration = Duration::from_secs(2);
/// The same for what phones were told long ago.
const FORGET_EVERY: Duration = Duration::from_mins(1);
/// The same for what is only to be kept small.
const TIDY_EVERY: Duration = Duration::from_mins(10);
/// Rest after a failure, which is doubled each time up to the longest.
const BACKOFF_FIRST: Duration = Duration::from_millis(500);
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// Runs all loops until `stop` completes; a step that has begun is finished.
pub async fn run(app: &App, tiles: Tiles, stop: impl Future<Output = ()>) {
    let [
        progress,
        preparation,
        close,
        forget,
        prefetch,
        budget,
        waiting,
        tombstones,
        departures,
        packs,
    ] = JOBS;
    let has_budget = budget_of(app).is_some();
    for job in JOBS.into_iter().filter(|job| *job != budget || has_budget) {
        for outcome in OUTCOMES {
            metrics::counter!("job_steps_total", "name" => job, "outcome" => outcome).increment(0);
        }
        note_success(app, job);
    }
    let (ended, running) = tokio::sync::watch::channel(false);
    let mode = Known::default();
    if let Err(cause) = mode.refresh(&app.db_apart).await {
        tracing::warn!(cause = %cause, "the mode cannot be read yet");
    }
    let running = Running {
        is_ended: running,
        mode: mode.clone(),
    };
    let always = futures_util::future::join5(
        repeat(app, progress, running.clone(), IDLE, async || {
            let found = progress::step(app).await?;
            if found == progress::Step::All {
                tokio::time::sleep(IDLE).await;
            }
            Ok(found != progress::Step::Nothing)
        }),
        prepare(app, preparation, running.clone()),
        repeat(app, close, running.clone(), IDLE, async || {
            close_ended(app).await
        }),
        repeat(app, forget, running.clone(), TIDY_EVERY, async || {
            imagery::forget_fetches(&app.db).await?;
            let more_codes = volunteers::forget_codes(&app.db).await?;
            let more_packs = packs::forget_empty(&app.db).await?;
            let more_renewals = assignments::forget_ended(&app.db).await?;
            Ok(more_codes || more_packs || more_renewals)
        }),
        Box::pin(fetch_ahead(app, prefetch, tiles, running.clone())),
    );
    let loops = futures_util::future::join4(
        always,
        Box::pin(keep_budget(app, budget, running.clone())),
        Box::pin(keep_phones(
            app,
            [waiting, tombstones, packs],
            running.clone(),
        )),
        Box::pin(depart(app, departures, running)),
    );
    let stopping = async {
        stop.await;
        ended.send_replace(true);
    };
    tokio::select! {
        _all_ended = futures_util::future::join(loops, stopping) => {}
        () = mode.follow(&app.db_apart) => {}
    }
}

/// Whether the loops go on, and whether they may work.
#[derive(Clone)]
struct Running {
    is_ended: tokio::sync::watch::Receiver<bool>,
    mode: Known,
}

/// What phones sent before it can be stored, what they need not be told any more, and their packs.
async fn keep_phones(app: &App, names: [&'static str; 3], running: Running) {
    let [waiting, tombstones, packs] = names;
    futures_util::future::join3(
        repeat(app, waiting, running.clone(), WAITING_EVERY, async || {
            let settled = sync::settle_waiting(app).await;
            settled.map_err(|problem| anyhow::anyhow!("{problem}"))
        }),
        repeat(app, tombstones, running.clone(), FORGET_EVERY, async || {
            sync::forget_some(app).await.map_err(Into::into)
        }),
        repeat(app, packs, running, UNHURRIED_IDLE, async || {
            packs::step(app).await.map_err(Into::into)
        }),
    )
    .await;
}

async fn depart(app: &App, name: &'static str, running: Running) {
    repeat(app, name, running, IDLE, async || {
        volunteers::step(app).await.map_err(Into::into)
    })
    .await;
}

async fn prepare(app: &App, name: &'static str, running: Running) {
    let preparation = tokio::sync::Mutex::new(Preparation::default());
    repeat(app, name, running, IDLE, async || {
        let mut preparation = preparation.lock().await;
        match preparation::step(app, &mut preparation).await {
            Ok(Step::Idle) => Ok(false),
            Ok(Step::Cells(cells)) => {
                tracing::info!(cells, "cells were made or changed");
                Ok(true)
            }
            Ok(Step::Changed(id)) => {
                tracing::info!(campaign.id = %id, "a change of a campaign is carried out");
                Ok(true)
            }
            Ok(Step::Opened(id)) => {
                tracing::info!(campaign.id = %id, "a campaign opened");
                Ok(true)
            }
            Err(problem) => Err(anyhow::anyhow!("{problem}")),
        }
    })
    .await;
}

async fn fetch_ahead(app: &App, name: &'static str, tiles: Tiles, running: Running) {
    let prefetcher = tokio::sync::Mutex::new(Prefetcher::new(tiles));
    repeat(app, name, running.clone(), UNHURRIED_IDLE, async || {
        let mut prefetcher = prefetcher.lock().await;
        prefetcher.step(app, &running.is_ended, None).await
    })
    .await;
}

/// What tiles may take, where the store is a folder.
fn budget_of(app: &App) -> Option<Budget> {
    const MEBIBYTE: u64 = 1024 * 1024;
    let folder = objects::local(&app.config.store)?;
    Some(Budget::new(folder, app.config.tile_store_mb? * MEBIBYTE))
}

/// Looks through the tiles of a folder, for a quarter of the time at most.
async fn keep_budget(app: &App, name: &'static str, running: Running) {
    let Some(budget) = budget_of(app) else {
        return;
    };
    let budget = tokio::sync::Mutex::new(budget);
    repeat(app, name, running, BUDGET_EVERY, async || {
        let began = Instant::now();
        let goes_on = budget.lock().await.step(app).await?;
        if goes_on {
            tokio::time::sleep(began.elapsed() * 3).await;
        }
        Ok(goes_on)
    })
    .await;
}

async fn close_ended(app: &App) -> anyhow::Result<bool> {
    let conn = app.db.get().await?;
    let closed = campaigns::close_ended(&*conn).await?;
    for (id, slug) in &closed {
        campaigns::record_version(&*conn, *id, None)
            .await
            .map_err(|problem| anyhow::anyhow!("{problem}"))?;
        campaigns::forget(app, slug, *id).await;
        tracing::info!(campaign.id = %id, campaign.slug = slug, "a campaign reached its end");
    }
    Ok(!closed.is_empty())
}

/// Repeats a step: at once while there is more to do, after `idle` when there is not.
async fn repeat(
    app: &App,
    name: &'static str,
    mut running: Running,
    idle: Duration,
    step: impl AsyncFn() -> anyhow::Result<bool>,
) {
    let mut backoff = BACKOFF_FIRST;
    while !*running.is_ended.borrow() {
        tokio::select! {
            () = running.mode.may_work() => {}
            _ = running.is_ended.changed() => continue,
        }
        let outcome = step().await;
        count(app, name, &outcome);
        let rest = match outcome {
            Ok(true) => {
                backoff = BACKOFF_FIRST;
                continue;
            }
            Ok(false) => {
                backoff = BACKOFF_FIRST;
                idle
            }
            Err(cause) => {
                tracing::warn!(
                    job = name,
                    cause = format!("{cause:#}"),
                    "a job's step failed; it is tried again"
                );
                let rest = backoff;
                backoff = (backoff * 2).min(BACKOFF_MAX);
                rest
            }
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            _ = running.is_ended.changed() => {}
        }
    }
}

/// For whoever watches: that a loop goes on, and whether its steps succeed.
fn count(app: &App, job: &'static str, outcome: &anyhow::Result<bool>) {
    let [worked, idle, failed] = OUTCOMES;
    let word = match outcome {
        Ok(true) => worked,
        Ok(false) => idle,
        Err(_) => failed,
    };
    metrics::counter!("job_steps_total", "name" => job, "outcome" => word).increment(1);
    if outcome.is_ok() {
        note_success(app, job);
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "seconds of this century"
)]
fn note_success(app: &App, job: &'static str) {
    let now = app.clock.now().as_second() as f64;
    metrics::gauge!("job_succeeded_timestamp_seconds", "name" => job).set(now);
}
