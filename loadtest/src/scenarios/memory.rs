//! Scenario `memory`: what one server needs, idle, with many open connections, after serving on all of
//! them, and when all of them want a large tile and take nothing of it.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::stage::Stage;
use crate::{
    Options, campaign,
    http::{self, Connection},
    measure::{Recorder, float},
    place::{Place, Process},
    report::{Budget, Fact, Report},
    source::{LARGE_BYTES, LARGE_ZOOM},
};

const EDGE: u32 = 100;
/// Looks wanted, so that the campaign is not used up.
const LOOKS_WANTED: u32 = 100;
/// How long slow readers are watched: less than a server bears with them.
const SLOW_FOR: Duration = Duration::from_secs(4);
const MEGABYTE: f64 = 1_048_576.0;
/// DESIGN.md 6.
const IDLE_MB: Budget = Budget::AtMost(60.0);
const OPEN_MB_MAX: f64 = 300.0;
const OPEN_MB: Budget = Budget::AtMost(OPEN_MB_MAX);
/// What a connection holds of an answer at most: less than 32 KiB and the next 16.
const SLOW_READER_BYTES: f64 = 49_152.0;

pub async fn run(options: &Options, place: &Place) -> anyhow::Result<Report> {
    let stage = Stage::set(options, place, "memory", place.servers(1).await?).await?;
    let edge = options.edge(EDGE);
    let campaign = stage.organiser.campaign("open", edge, LOOKS_WANTED).await?;
    // Another one that did nothing yet.
    let mut server = place.server().await?;
    http::fetch(&server.address, &http::get("/readyz")).await?;
    let mut report = Report::new("memory");
    let wanted = options.open_connections();
    report.about.push(format!(
        "One server with its ordinary settings. {wanted} connections are opened and kept open (each had one answer); then each asks for the \
         campaign and for a square, twice. Memory is what the kernel counts as resident."
    ));
    note(&server, "idle, just started", IDLE_MB, &mut report)?;
    eprintln!("opening {wanted} connections …");
    let hello = http::get("/livez");
    let mut connections = Vec::new();
    for _ in 0..wanted {
        let mut connection = Connection::open(&server.address).await?;
        // A connection on which nothing ever comes would not be kept.
        connection.exchange(&hello).await?;
        connections.push(connection);
    }
    let name = format!("{wanted} open connections");
    note(&server, &name, OPEN_MB, &mut report)?;
    let volunteers = campaign::volunteers(&stage.first().address, 1000).await?;
    let read = http::browser_get(&format!("/v1/campaigns/{}?area=false", campaign.slug), "");
    let questions = campaign.questions(&volunteers);
    let begin = Instant::now();
    let mut recorder = Recorder::new(begin);
    for question in [&read]
        .into_iter()
        .cycle()
        .zip(questions.iter().cycle())
        .take(2)
    {
        for (connection, deal) in connections.iter_mut().zip(questions.iter().cycle()) {
            for request in [question.0, deal] {
                let due = Instant::now();
                let answer = connection.exchange(request).await?;
                ensure!(answer.status == 200, "answered {}", answer.status);
                recorder.answered(due);
            }
        }
    }
    let name = format!("{wanted} open connections, after serving on all of them");
    note(&server, &name, OPEN_MB, &mut report)?;
    let measured = recorder.finish(begin.elapsed(), 1);
    report.lines.of("one after the other").add(measured).paced();
    slow_readers(&server, &mut connections, &mut report).await?;
    drop(connections);
    server.end().await?;
    stage.end().await?;
    Ok(report)
}

/// All of them ask for a large tile, and take nothing of it.
async fn slow_readers(
    server: &Process,
    connections: &mut [Connection],
    report: &mut Report,
) -> anyhow::Result<()> {
    let count = connections.len();
    eprintln!("{count} slow readers …");
    let large = http::get(&campaign::tile_path(LARGE_ZOOM, 0, 0));
    let tile = http::fetch(&server.address, &large).await?;
    ensure!(tile.len() > LARGE_BYTES / 2, "{} bytes", tile.len());
    for connection in connections {
        connection.ask(&large).await?;
    }
    let mut highest = 0;
    let asked = Instant::now();
    while asked.elapsed() < SLOW_FOR {
        highest = highest.max(server.resident_bytes()?);
        tokio::time::sleep(SLOW_FOR / 20).await;
    }
    let megabytes = tile.len() >> 20;
    let name = format!("{count} readers of a tile of {megabytes} MB who take nothing");
    let held = float(count.try_into()?) * SLOW_READER_BYTES / MEGABYTE;
    let bound = Budget::AtMost((OPEN_MB_MAX + held).round());
    report.facts.push(fact(&name, highest, bound));
    Ok(())
}

fn note(server: &Process, name: &str, budget: Budget, report: &mut Report) -> anyhow::Result<()> {
    report
        .facts
        .push(fact(name, server.resident_bytes()?, budget));
    Ok(())
}

fn fact(name: &str, bytes: u64, budget: Budget) -> Fact {
    Fact::new(name, float(bytes) / MEGABYTE, "MB").within(budget)
}
