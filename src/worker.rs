//! `spotter worker`: the background loops. Each step takes its own lock in the database, so any
//! number of workers may run.

use std::{future::Future, time::Duration};

use crate::{
    assignments, campaigns,
    preparation::{self, Preparation, Step},
    progress,
    state::App,
};

/// Rest of a loop that found nothing to do.
const IDLE: Duration = Duration::from_millis(200);
/// The same for what is only to be kept small.
const TIDY_EVERY: Duration = Duration::from_mins(10);
/// Rest after a failure, which is doubled each time up to the longest.
const BACKOFF_FIRST: Duration = Duration::from_millis(500);
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// Runs all loops until `stop` completes; a step that has begun is finished.
pub async fn run(app: &App, stop: impl Future<Output = ()>) {
    let (ended, running) = tokio::sync::watch::channel(false);
    let loops = futures_util::future::join4(
        repeat("progress", running.clone(), IDLE, async || {
            progress::step(app)
                .await
                .map(|changes| changes > 0)
                .map_err(Into::into)
        }),
        prepare(app, running.clone()),
        repeat("close_ended", running.clone(), IDLE, async || {
            close_ended(app).await
        }),
        repeat("forget_renewals", running, TIDY_EVERY, async || {
            assignments::forget_ended(&app.db).await.map_err(Into::into)
        }),
    );
    let stopping = async {
        stop.await;
        ended.send_replace(true);
    };
    futures_util::future::join(loops, stopping).await;
}

async fn prepare(app: &App, running: tokio::sync::watch::Receiver<bool>) {
    let preparation = tokio::sync::Mutex::new(Preparation::default());
    repeat("preparation", running, IDLE, async || {
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

/// Repeats a step: at once while there is work, after `idle` when there is none.
async fn repeat(
    name: &'static str,
    mut running: tokio::sync::watch::Receiver<bool>,
    idle: Duration,
    step: impl AsyncFn() -> anyhow::Result<bool>,
) {
    let mut backoff = BACKOFF_FIRST;
    while !*running.borrow() {
        let rest = match step().await {
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
            _ = running.changed() => {}
        }
    }
}
