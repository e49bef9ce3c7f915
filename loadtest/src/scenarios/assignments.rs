//! Scenario `assignments`: a volunteer gets the next square.
//!
//! In each round, one after the other: the yardstick, a small campaign at one server, the large one
//! at one server, the large one at a steady pace, the large one near places, both at three servers.

use std::sync::Arc;

use anyhow::Context;

use super::stage::Stage;
use crate::{
    Options,
    campaign::{self, Campaign, Volunteer},
    http,
    load::Ask,
    place::{self, Place, Process},
    report::{Budget, Fact, Lines, Report},
};

const SERVERS: usize = 3;
/// Volunteers who ask in turn.
const VOLUNTEERS: usize = 10_000;
/// Cells along an edge of the small campaign.
const SMALL_EDGE: u32 = 100;
/// Looks wanted in the small campaign, so that a round does not use it up.
const SMALL_LOOKS: u32 = 100;
const LARGE_LOOKS: u32 = 3;
/// Places near which squares are asked for, by 25 volunteers each.
const PLACES: u32 = 400;
/// The steady pace, as a part of what the same round had at most.
const STEADY_PART: f64 = 0.5;
/// How an answer begins that has an assignment.
const BEGINNING: &[u8] = br#"{"assignments":[{"#;
const YARDSTICK: &str = "yardstick";
const SMALL: &str = "small, one server";
const LARGE: &str = "large, one server";
/// DESIGN.md 6.
const RATIO: Budget = Budget::AtLeast(0.5);
/// Cells of zoom 16 that are 1,000,000 km² at the equator, and how long these may take.
const MILLION_KM2_CELLS: u64 = 2_700_000;
const PREPARED_S: Budget = Budget::AtMost(60.0);
const STATEMENTS: Budget = Budget::AtMost(0.02);

struct Bench<'a> {
    stage: Stage<'a>,
    yardstick: Process,
    volunteers: Vec<Volunteer>,
    large: Campaign,
    /// Questions about the large campaign, plain and near places.
    plain: Arc<Vec<Ask>>,
    near: Arc<Vec<Ask>>,
}

pub async fn run(options: &Options, place: &Place) -> anyhow::Result<Report> {
    let stage = Stage::set(options, place, "assignments", place.servers(SERVERS).await?).await?;
    let edge = options.edge(u32::MAX);
    eprintln!("publishing {edge} × {edge} cells …");
    // A small one would be used up.
    let looks = if options.quick {
        SMALL_LOOKS
    } else {
        LARGE_LOOKS
    };
    let large = stage.organiser.campaign("large", edge, looks).await?;
    let count = if options.quick { 500 } else { VOLUNTEERS };
    let volunteers = campaign::volunteers(&stage.first().address, count).await?;
    let one = large.questions(volunteers.get(..1).context("no volunteer")?);
    let sample = http::fetch(&stage.first().address, &one[0]).await?;
    let bench = Bench {
        yardstick: place.yardstick(&sample).await?,
        plain: Ask::all(large.questions(&volunteers), BEGINNING),
        near: Ask::all(large.questions_near(&volunteers, PLACES), BEGINNING),
        stage,
        volunteers,
        large,
    };
    let mut report = Report::new("assignments");
    for round in 1..=options.rounds() {
        eprintln!("round {round} of {} …", options.rounds());
        bench.round(round, &mut report.lines).await?;
    }
    report.about.push(format!(
        "Small: {} cells; large: {} cells, prepared in {:.1} s. An answer has {} bytes.",
        u64::from(SMALL_EDGE).pow(2),
        bench.large.cells,
        bench.large.prepared_in.as_secs_f64(),
        sample.len()
    ));
    let seconds = bench.large.prepared_in.as_secs_f64();
    let mut prepared = Fact::new(
        format!("{} cells prepared", bench.large.cells),
        seconds,
        "s",
    );
    if bench.large.cells >= MILLION_KM2_CELLS {
        prepared = prepared.within(PREPARED_S);
    }
    report.facts.push(prepared);
    for line in &report.lines.0 {
        if !line.statements.is_empty() {
            let each = line.statements_each(line.calls());
            let fact = Fact::new(format!("{}, SQL statements each", line.name), each, "");
            report.facts.push(fact.within(STATEMENTS));
        }
    }
    report.metrics = place::metrics(bench.stage.first(), &["assignments", "deck"]).await?;
    bench.stage.end().await?;
    Ok(report)
}

impl Bench<'_> {
    async fn round(&self, round: u16, lines: &mut Lines) -> anyhow::Result<()> {
        let stage = &self.stage;
        let small = stage
            .organiser
            .campaign(&format!("small-{round}"), SMALL_EDGE, SMALL_LOOKS)
            .await?;
        let small = Ask::all(small.questions(&self.volunteers), BEGINNING);
        let one = &stage.servers[..1];
        let yardstick = stage.load(std::slice::from_ref(&self.yardstick), &self.plain);
        let found = stage.yardstick(&yardstick).await?;
        let pace = found.per_second * STEADY_PART;
        lines.of(YARDSTICK).add(found);

        self.at_most(lines, "small, one server", one, &small)
            .await?;
        let name = "large, one server";
        self.at_most(lines, name, one, &self.plain).await?;
        let ours = lines.of(name).last_per_second() * STEADY_PART;
        let load = stage.load(one, &self.plain);
        let steady = stage.paced(&load, ours).await?;
        lines
            .of("large, one server, half of that")
            .add(steady)
            .paced();
        let steady = stage.paced(&yardstick, pace).await?;
        lines.of("yardstick, half of that").add(steady).paced();
        self.at_most(lines, "large, near places, one server", one, &self.near)
            .await?;
        self.at_most(lines, "small, three servers", &stage.servers, &small)
            .await?;
        self.at_most(lines, "large, three servers", &stage.servers, &self.plain)
            .await
    }

    async fn at_most(
        &self,
        lines: &mut Lines,
        name: &str,
        servers: &[Process],
        asks: &Arc<Vec<Ask>>,
    ) -> anyhow::Result<()> {
        // Near places and several servers on the same cores are shown without a budget.
        let budget = [SMALL, LARGE].contains(&name).then_some(RATIO);
        let line = lines.of(name).beside(YARDSTICK, budget);
        let load = self.stage.load(servers, asks);
        self.stage.at_most(line, &load).await
    }
}
