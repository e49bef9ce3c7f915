//! Scenarios `looks` and `batch`: what volunteers send is stored, durably.
//!
//! In each round, one after the other: the yardstick straight into PostgreSQL, then Spotter. After
//! the rounds everything that was acknowledged is looked for in the database, and recounted.

mod checker;
mod pgbench;
mod report;
mod rows;
mod sending;
mod unnest;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use uuid::Uuid;

use crate::{
    Options,
    campaign::{self, Organiser},
    http::{self, Connection},
    load::Measured,
    place::{Place, Process},
    statements::Statements,
};
use checker::Checked;
use pgbench::Pgbench;
use report::{Report, Series};
use rows::Rows;
use sending::Sender;
use unnest::Unnest;

const VOLUNTEERS: usize = 10_000;
/// Connections of the second series of single looks.
const CROWD: u16 = 256;
/// Looks of one batch.
const BATCH: u16 = 100;
/// Connections that send batches.
const BATCH_CONNECTIONS: u16 = 16;
const LOOKS_WANTED: u32 = 3;
const WARM_UP: Duration = Duration::from_secs(1);

/// What is sent, and beside what it is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scenario {
    Looks,
    Batch,
}

pub async fn run(scenario: Scenario, mut options: Options) -> anyhow::Result<()> {
    if options.quick {
        (options.rounds, options.seconds, options.edge) = (1, 1, options.edge.min(100));
    }
    let place = Place::start(&options.spotter).await?;
    let outcome = measure(scenario, &options, &place).await;
    place.end().await?;
    let report = outcome?;
    let path = report.write(&options)?;
    eprintln!("{report}\nwritten to {}", path.display());
    Ok(())
}

/// Everything that runs while it is measured.
struct Bench<'a> {
    options: &'a Options,
    place: &'a Place,
    server: Process,
    statements: Statements,
    sender: Arc<Sender>,
    yardstick: Yardstick,
}

enum Yardstick {
    Pgbench(Pgbench),
    Unnest(Arc<Unnest>),
}

async fn measure(scenario: Scenario, options: &Options, place: &Place) -> anyhow::Result<Report> {
    let server = place.server().await?;
    let organiser = Organiser {
        server: &server.address,
        key: place.setting("ORGANISER_KEY")?,
    };
    let mut worker = place.worker()?;
    organiser.layer().await?;
    eprintln!("publishing {0} × {0} cells, twice …", options.edge);
    let ours = organiser
        .campaign("ours", options.edge, LOOKS_WANTED)
        .await?;
    let theirs = organiser
        .campaign("yardstick", options.edge, LOOKS_WANTED)
        .await?;
    // Counting comes after the measurement: it would take the same from both sides.
    worker.kill().await?;
    let tokens = campaign::volunteers(&server.address, VOLUNTEERS).await?;
    let rows = Rows { edge: options.edge };
    let url = place.setting("DATABASE_URL")?;
    let (batch, yardstick) = match scenario {
        Scenario::Looks => {
            let pgbench = Pgbench::new(place, &theirs.id, options.edge)?;
            (1, Yardstick::Pgbench(pgbench))
        }
        Scenario::Batch => {
            let unnest = Unnest::new(url, theirs.id.parse()?, rows, BATCH);
            (BATCH, Yardstick::Unnest(Arc::new(unnest)))
        }
    };
    let sender = Sender::new(&server.address, &ours.slug, &tokens, rows, batch);
    let bench = Bench {
        options,
        place,
        sender: Arc::new(sender),
        server,
        statements: Statements::begin(url).await?,
        yardstick,
    };
    let mut report = Report::new(scenario, ours.cells);
    let mut acknowledged = Vec::new();
    for round in 1..=options.rounds {
        eprintln!("round {round} of {} …", options.rounds);
        bench.round(&mut report, &mut acknowledged).await?;
    }
    report.metrics = bench.metrics().await?;
    report.checked = Some(bench.check(ours.id.parse()?, &acknowledged).await?);
    Ok(report)
}

impl Bench<'_> {
    async fn round(&self, report: &mut Report, acknowledged: &mut Vec<u64>) -> anyhow::Result<()> {
        match &self.yardstick {
            Yardstick::Pgbench(pgbench) => {
                let found = pgbench.run(self.duration()).await?;
                report.series("pgbench, 32 clients").add(found, Vec::new());
                for connections in [self.options.connections, CROWD] {
                    let series = report.series(&format!("looks, {connections} connections"));
                    self.ours(series, connections, acknowledged).await?;
                }
                Ok(())
            }
            Yardstick::Unnest(unnest) => {
                let found = unnest.run(self.duration()).await?;
                report
                    .series("unnest, one client for each core")
                    .add(found, Vec::new());
                let series = report.series("batches of 100, 16 connections");
                self.ours(series, BATCH_CONNECTIONS, acknowledged).await
            }
        }
    }

    async fn ours(
        &self,
        series: &mut Series,
        connections: u16,
        acknowledged: &mut Vec<u64>,
    ) -> anyhow::Result<()> {
        self.send(connections, WARM_UP, acknowledged).await?;
        self.statements.reset().await?;
        let found = self
            .send(connections, self.duration(), acknowledged)
            .await?;
        series.add(found, self.statements.read().await?);
        Ok(())
    }

    async fn send(
        &self,
        connections: u16,
        duration: Duration,
        acknowledged: &mut Vec<u64>,
    ) -> anyhow::Result<Measured> {
        self.sender.run(connections, duration, acknowledged).await
    }

    /// What the server says of its groups.
    async fn metrics(&self) -> anyhow::Result<Vec<String>> {
        let mut connection = Connection::open(&self.server.address).await?;
        let asked = http::request("GET", "/metrics", None, "");
        let answer = connection.exchange(&asked).await?;
        let text = String::from_utf8_lossy(answer.body).into_owned();
        let of_looks = |line: &&str| line.starts_with("looks_");
        Ok(text.lines().filter(of_looks).map(str::to_owned).collect())
    }

    /// Everything that was acknowledged is there, and the worker's numbers are those of a recount.
    async fn check(&self, campaign_id: Uuid, acknowledged: &[u64]) -> anyhow::Result<Checked> {
        eprintln!("comparing {} looks …", acknowledged.len());
        let url = self.place.setting("DATABASE_URL")?;
        let checked = checker::check(url, campaign_id, self.sender.sent(), acknowledged).await?;
        eprintln!("counting them anew …");
        let mut worker = self.place.worker()?;
        checker::recount(self.place).await?;
        worker.kill().await.context("the worker")?;
        Ok(checked)
    }

    fn duration(&self) -> Duration {
        Duration::from_secs(self.options.seconds.into())
    }
}
