//! `spotter imagery prefetch`: starts it, takes part in it, shows it, and reports.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, anyhow};
use tokio::sync::watch;

use super::bar::Bar;
use crate::{
    campaigns::{self, Campaign},
    cli::print,
    geo::CellId,
    http::Problem,
    imagery::Tiles,
    prefetch::{self, PrefetchState, PrefetchView, Prefetcher, Zooms},
    state::App,
};

/// Rest when others have all the work, or the source is left alone.
const IDLE: Duration = Duration::from_millis(300);
/// Rest after a failure of the database or the store.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How often the bar moves.
const SHOWN_EVERY: Duration = Duration::from_millis(500);
/// Failures that are read at a time.
const PAGE: i64 = 1000;

pub async fn run(
    app: &App,
    campaign: &str,
    zooms: Option<Zooms>,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<ExitCode> {
    let conn = app.db.get().await?;
    let campaign = campaigns::find_any(&*conn, campaign)
        .await?
        .with_context(|| format!("there is no campaign {campaign:?}"))?;
    drop(conn);
    let tiles = Tiles::new(app)?;
    prefetch::start(app, &campaign, zooms)
        .await
        .map_err(|problem| refusal(&problem))?;
    let (ended, ends) = watch::channel(false);
    let showing = async {
        let stopped = async {
            stop.await;
            prefetch::stop(app, &campaign).await
        };
        let outcome = tokio::select! {
            () = show(app, &campaign) => Ok(()),
            stopped = stopped => stopped,
        };
        ended.send_replace(true);
        outcome
    };
    let (outcome, ()) = tokio::join!(showing, work(app, &campaign, tiles, ends));
    outcome.map_err(|problem| refusal(&problem))?;
    report(app, &campaign).await
}

async fn work(app: &App, campaign: &Campaign, tiles: Tiles, mut ends: watch::Receiver<bool>) {
    let mut prefetcher = Prefetcher::new(tiles);
    while !*ends.borrow() {
        let rest = match prefetcher.step(app, &ends, Some(campaign.id)).await {
            Ok(true) => continue,
            Ok(false) => IDLE,
            Err(cause) => {
                tracing::warn!(
                    cause = format!("{cause:#}"),
                    "fetching ahead failed; it is tried again"
                );
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            _ = ends.changed() => {}
        }
    }
}

/// Shows how far it is until it does not run any more.
async fn show(app: &App, campaign: &Campaign) {
    let mut bar = Bar::default();
    loop {
        // While the database is away the bar stands still.
        if let Ok(view) = prefetch::read(app, campaign).await {
            bar.draw(&view);
            if view.state != PrefetchState::Running {
                return;
            }
        }
        tokio::time::sleep(SHOWN_EVERY).await;
    }
}

/// Prints the numbers and each tile that could not be had. Fails when it is not whole.
async fn report(app: &App, campaign: &Campaign) -> anyhow::Result<ExitCode> {
    let view = prefetch::read(app, campaign)
        .await
        .map_err(|problem| refusal(&problem))?;
    print(&summary(&view))?;
    let mut after = None;
    let mut listed = 0;
    loop {
        let page = prefetch::failures(app, campaign.id, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(CellId::from(last.tile).get());
        listed += i64::try_from(page.len()).unwrap_or_default();
        for failure in &page {
            print(&format!("{}\t{}", failure.tile, failure.reason))?;
        }
    }
    let unlisted = view.missing + view.failed - listed;
    if unlisted > 0 {
        print(&format!("… and {unlisted} more"))?;
    }
    Ok(if view.state == PrefetchState::Done && view.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn summary(view: &PrefetchView) -> String {
    let state = match view.state {
        PrefetchState::Done => "done",
        _ => "stopped; the same command goes on",
    };
    format!(
        "{state}: {} of {} tiles, {} fetched, {} were there, {} outside the layer, {} missing, {} failed",
        view.done, view.tiles, view.fetched, view.kept, view.outside, view.missing, view.failed
    )
}

fn refusal(problem: &Problem) -> anyhow::Error {
    let body = problem.body();
    let reasons: Vec<String> = body
        .errors
        .iter()
        .map(|error| format!("{}: {}", error.pointer, error.detail))
        .collect();
    if reasons.is_empty() {
        anyhow!("{problem}")
    } else {
        anyhow!("{}", reasons.join("; "))
    }
}
