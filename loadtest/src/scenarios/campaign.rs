//! Scenario `campaign`: what are we looking for.
//!
//! In each round, one after the other: the yardstick with the same bytes and the campaign, plain
//! and as a browser asks for it; the front page; the campaign at a steady pace and at three
//! servers.

use std::sync::Arc;

use super::stage::Stage;
use crate::{
    Options, http,
    load::Ask,
    place::{self, Place, Process},
    report::{Budget, Lines, Report},
};

const SERVERS: usize = 3;
/// The steady pace, as a part of what the same round had at most.
const STEADY_PART: f64 = 0.5;
/// Cells along an edge of the campaign. Its size does not matter here.
const EDGE: u32 = 10;
/// What the start page asks for.
const FRONT: &str = "/v1/campaigns?state=open";
/// Bytes of an answer that are compared: the front page also says how lively campaigns are.
const COMPARED: usize = 8;
/// DESIGN.md 6.
const RATIO: Budget = Budget::AtLeast(0.8);

/// One question, and a yardstick that gives the same bytes.
struct Question {
    name: &'static str,
    yardstick_name: &'static str,
    asks: Arc<Vec<Ask>>,
    yardstick: Process,
}

pub async fn run(options: &Options, place: &Place) -> anyhow::Result<Report> {
    let stage = Stage::set(options, place, "campaign", place.servers(SERVERS).await?).await?;
    let campaign = stage.organiser.campaign("aircraft", EDGE, 1).await?;
    let path = format!("/v1/campaigns/{}?area=false", campaign.slug);
    let mut report = Report::new("campaign");
    let mut questions = Vec::new();
    for (name, yardstick_name, request) in [
        ("campaign, plain", "yardstick, plain", http::get(&path)),
        (
            "campaign, browser",
            "yardstick, browser",
            http::browser_get(&path, ""),
        ),
        (
            "front page, browser",
            "yardstick, front page",
            http::browser_get(FRONT, ""),
        ),
    ] {
        let answer = http::fetch(&stage.first().address, &request).await?;
        report
            .about
            .push(format!("{name}: {} bytes.", answer.len()));
        let beginning = answer.get(..COMPARED).unwrap_or(&answer);
        questions.push(Question {
            name,
            yardstick_name,
            asks: Ask::all(vec![request], beginning),
            yardstick: place.yardstick(&answer).await?,
        });
    }
    for round in 1..=options.rounds() {
        eprintln!("round {round} of {} …", options.rounds());
        measure(&stage, &questions, &mut report.lines).await?;
    }
    report.metrics = place::metrics(stage.first(), &["cache_"]).await?;
    stage.end().await?;
    Ok(report)
}

async fn measure(
    stage: &Stage<'_>,
    questions: &[Question],
    lines: &mut Lines,
) -> anyhow::Result<()> {
    let one = &stage.servers[..1];
    for question in questions {
        let yardstick = stage.load(std::slice::from_ref(&question.yardstick), &question.asks);
        let found = stage.yardstick(&yardstick).await?;
        lines.of(question.yardstick_name).add(found);
        let line = lines
            .of(question.name)
            .beside(question.yardstick_name, Some(RATIO));
        stage
            .at_most(line, &stage.load(one, &question.asks))
            .await?;
    }
    let [plain, ..] = questions else {
        return Ok(());
    };
    let pace = lines.of(plain.name).last_per_second() * STEADY_PART;
    let steady = stage.paced(&stage.load(one, &plain.asks), pace).await?;
    lines
        .of("campaign, plain, half of that")
        .add(steady)
        .paced();
    let line = lines
        .of("campaign, plain, three servers")
        .beside(plain.yardstick_name, None);
    stage
        .at_most(line, &stage.load(&stage.servers, &plain.asks))
        .await
}
