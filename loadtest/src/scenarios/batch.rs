//! Scenario `batch`: what phones kept while they were offline is stored, many looks a request.
//!
//! In each round, one after the other: the same rows by `unnest` straight into PostgreSQL, then
//! Spotter. After the rounds everything that was acknowledged is looked for.

use std::sync::Arc;

use super::{looks, stage::Stage, yardsticks::Unnest};
use crate::{
    Options,
    place::Place,
    report::{Budget, Report},
};

/// Looks of one batch.
const BATCH: u16 = 100;
/// Connections that send batches.
const CONNECTIONS: u16 = 16;
const YARDSTICK: &str = "unnest, one client for each core";
const OURS: &str = "batches of 100, 16 connections";
/// DESIGN.md 6.
const RATIO: Budget = Budget::AtLeast(0.7);

pub async fn run(options: &Options, place: &Place) -> anyhow::Result<Report> {
    let mut stage = Stage::set(options, place, "batch", place.servers(1).await?).await?;
    let (ours, theirs) = looks::campaigns(&stage).await?;
    stage.rest_worker().await?;
    let url = place.setting("DATABASE_URL")?;
    let unnest = Arc::new(Unnest::new(url, theirs.id.parse()?, theirs.edge, BATCH));
    let sender = looks::sender(&stage, &ours, BATCH).await?;
    let mut report = Report::new("batch");
    report.about.push(format!(
        "{} cells; {BATCH} looks in a request, each with one tag. Rates are of looks, times of requests.",
        ours.cells
    ));
    for round in 1..=options.rounds() {
        eprintln!("round {round} of {} …", options.rounds());
        let found = unnest.run(options.duration()).await?;
        report.lines.of(YARDSTICK).add(found);
        sender.run(CONNECTIONS, options.warm_up()).await?;
        stage.statements.reset().await?;
        let found = sender.run(CONNECTIONS, options.duration()).await?;
        let line = report.lines.of(OURS).beside(YARDSTICK, Some(RATIO));
        line.add(found).count(stage.statements.read().await?);
    }
    looks::check(stage, &ours, &sender.ledger, &mut report).await?;
    Ok(report)
}
