//! Scenario `looks`: what a volunteer saw is stored, durably, one look a request.
//!
//! In each round, one after the other: `pgbench` with the same two rows, then Spotter over two
//! numbers of connections. After the rounds everything that was acknowledged is looked for.

use std::sync::{Arc, atomic::AtomicU64};

use super::{sending::Sender, stage::Stage, yardsticks::Pgbench};
use crate::{
    Options,
    campaign::{self, Campaign},
    ledger::{self, Ledger},
    place::{self, Place},
    report::{Budget, Report},
};

const VOLUNTEERS: usize = 10_000;
pub const LOOKS_WANTED: u32 = 3;
const YARDSTICK: &str = "pgbench, 32 clients";
/// Connections, and what they must have of the yardstick (DESIGN.md 6).
const CROWDS: [(u16, f64); 2] = [(64, 1.5), (256, 2.0)];

/// Two campaigns: ours, and the one of the yardstick.
pub async fn campaigns(stage: &Stage<'_>) -> anyhow::Result<(Campaign, Campaign)> {
    let edge = stage.options.edge(u32::MAX);
    eprintln!("publishing {edge} × {edge} cells, twice …");
    let ours = stage.organiser.campaign("ours", edge, LOOKS_WANTED).await?;
    let theirs = stage
        .organiser
        .campaign("yardstick", edge, LOOKS_WANTED)
        .await?;
    Ok((ours, theirs))
}

/// Somebody who sends looks of this campaign, so many in each request.
pub async fn sender(
    stage: &Stage<'_>,
    campaign: &Campaign,
    batch: u16,
) -> anyhow::Result<Arc<Sender>> {
    let server = &stage.first().address;
    let count = if stage.options.quick { 500 } else { VOLUNTEERS };
    Ok(Arc::new(Sender {
        server: server.clone(),
        slug: campaign.slug.clone(),
        volunteers: campaign::volunteers(server, count).await?,
        edge: campaign.edge,
        batch,
        ledger: Ledger::default(),
        next: AtomicU64::new(0),
    }))
}

/// What was acknowledged is there, and the worker's numbers are those of a recount.
pub async fn check(
    mut stage: Stage<'_>,
    campaign: &Campaign,
    ledger: &Ledger,
    report: &mut Report,
) -> anyhow::Result<()> {
    eprintln!("comparing what was told with what is stored …");
    report.metrics = place::metrics(stage.first(), &["looks_"]).await?;
    stage.wake_worker()?;
    let checked = ledger::check(stage.place, &campaign.id, ledger).await?;
    report.notes.push(format!("Checked afterwards: {checked}"));
    stage.end().await
}

pub async fn run(options: &Options, place: &Place) -> anyhow::Result<Report> {
    let mut stage = Stage::set(options, place, "looks", place.servers(1).await?).await?;
    let (ours, theirs) = campaigns(&stage).await?;
    stage.rest_worker().await?;
    let pgbench = Pgbench::new(place, &theirs.id, theirs.edge)?;
    let sender = sender(&stage, &ours, 1).await?;
    let mut report = Report::new("looks");
    report.about.push(format!(
        "{} cells. Each look is new, has one tag, and is committed durably before it is answered.",
        ours.cells
    ));
    for round in 1..=options.rounds() {
        eprintln!("round {round} of {} …", options.rounds());
        let found = pgbench.run(options.duration()).await?;
        report.lines.of(YARDSTICK).add(found);
        for (connections, ratio) in CROWDS {
            sender.run(connections, options.warm_up()).await?;
            stage.statements.reset().await?;
            let found = sender.run(connections, options.duration()).await?;
            let line = report
                .lines
                .of(&format!("looks, {connections} connections"));
            line.beside(YARDSTICK, Some(Budget::AtLeast(ratio)));
            line.add(found).count(stage.statements.read().await?);
        }
    }
    check(stage, &ours, &sender.ledger, &mut report).await?;
    Ok(report)
}
