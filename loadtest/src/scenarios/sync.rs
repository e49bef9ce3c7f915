//! Scenario `sync`: phones that poll each minute and push a day's looks and tags; one full day alone;
//! and live streams.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::ensure;

use super::stage::Stage;
use crate::{
    Options, ledger,
    measure::{Histogram, float, float_of},
    phones::{Fleet, Habits, Kind, Streams, Tally},
    place::{self, Place, Process},
    pool::Pool,
    report::{Budget, Fact, Report, Table},
    statements::Counted,
};

const SERVERS: usize = 2;
const EDGE_MAX: u32 = 1000;
const LOOKS_WANTED: u32 = 100;
/// Connections between phones and servers, as of a load balancer.
const CONNECTIONS: usize = 512;
/// A full day: a thousand looks, three thousand tags.
const FULL_DAY: usize = 1000;
/// Full days that are pushed alone.
const DAYS_ALONE: usize = 10;
/// Longest wait for the events of all streams.
const EVENTS_WAIT: Duration = Duration::from_secs(30);
const MEGABYTE: f64 = 1_048_576.0;
const MINUTE: Duration = Duration::from_mins(1);

const DAY_MS: Budget = Budget::AtMost(1000.0);
const STATEMENTS_EACH: Budget = Budget::AtMost(0.02);
/// DESIGN.md 6: with 10,000 connections.
const OPEN_MB: Budget = Budget::AtMost(300.0);

pub async fn run(options: &Options, place: &Place) -> anyhow::Result<Report> {
    let stage = Stage::set(options, place, "sync", place.servers(SERVERS).await?).await?;
    let edge = options.edge(EDGE_MAX);
    let campaign = stage
        .organiser
        .campaign("phones", edge, LOOKS_WANTED)
        .await?;
    let pool = Pool::new(stage.addresses(), CONNECTIONS);
    let fleet = Arc::new(Fleet::new(pool, &campaign).await?);
    let habits = habits(options);
    let mut report = Report::new("sync");
    about(options, &habits, &fleet, &mut report);
    days_alone(&stage, &fleet, &habits, &mut report).await?;
    the_hour(&stage, &fleet, habits, &mut report).await?;
    streams(&stage, &fleet, &habits, &mut report).await?;
    report.metrics = place::metrics(stage.first(), &["sync_", "http_requests_shed"]).await?;

    eprintln!("comparing what was told with what is stored …");
    let checked = ledger::check(place, &campaign.id, &fleet.ledger).await?;
    report.notes.push(format!("Checked afterwards: {checked}"));
    report.notes.push("Each phone pulled every look that it had pushed exactly once and all of its tags, with their content, and nothing else.".to_owned());
    stage.end().await?;
    Ok(report)
}

fn habits(options: &Options) -> Habits {
    let hour = options.hour();
    Habits {
        hour,
        poll: if options.quick { hour / 3 } else { MINUTE },
        day: options.day().into(),
        full_day: if options.quick { 60 } else { FULL_DAY },
    }
}

fn about(options: &Options, habits: &Habits, fleet: &Fleet, report: &mut Report) {
    let hour = habits.hour.as_secs_f64();
    report.about.push(format!(
        "{} phones at {SERVERS} servers. Each polls {} collections ({}) every {:.0} s, pages of 1,000, and pushes its day once in an hour, \
         most in the middle of it: {} looks and three times as many tags, each 200th phone {} looks. The hour has {hour:.0} s: \
         days come {:.0} times as fast as they would, polls as they would.",
        options.phones(),
        fleet.collections.len(),
        fleet.collections.join(", "),
        habits.poll.as_secs_f64(),
        habits.day,
        habits.full_day,
        3600.0 / hour
    ));
    report.about.push(
        "Each fourth phone pushes its tags before their looks. Answers are not packed; bytes are with heads. A sync is one poll of all collections.".to_owned(),
    );
}

/// Full days, one after the other, with nothing beside them.
async fn days_alone(
    stage: &Stage<'_>,
    fleet: &Arc<Fleet>,
    habits: &Habits,
    report: &mut Report,
) -> anyhow::Result<()> {
    eprintln!("pushing full days alone …");
    let full = Habits {
        day: habits.full_day,
        ..*habits
    };
    stage.statements.reset().await?;
    let mut times = Histogram::default();
    let phones = fleet.phones(DAYS_ALONE, &full).await?;
    for phone in &phones {
        let begin = Instant::now();
        phone.push(fleet, begin).await?;
        times.record(u64::try_from(begin.elapsed().as_micros())?);
    }
    let each = calls(&stage.statements.read().await?) / float_of(DAYS_ALONE);
    let name = format!(
        "a day's push ({} looks, {} tags), median",
        habits.full_day,
        habits.full_day * 3
    );
    report.facts.extend([
        Fact::new(name, times.quantile_ms(0.5), "ms").within(DAY_MS),
        Fact::new("the slowest of them", times.max_ms(), "ms").within(DAY_MS),
        Fact::new("SQL statements of such a push", each, ""),
    ]);
    for mut phone in phones {
        phone.catch_up(fleet).await?;
    }
    Ok(())
}

/// All phones, and then a minute in which nothing is new.
async fn the_hour(
    stage: &Stage<'_>,
    fleet: &Arc<Fleet>,
    habits: Habits,
    report: &mut Report,
) -> anyhow::Result<()> {
    let count = usize::try_from(stage.options.phones())?;
    let phones = fleet.phones(count, &habits).await?;
    eprintln!(
        "{count} phones sync for {:.0} s …",
        habits.hour.as_secs_f64()
    );
    stage.statements.reset().await?;
    let (phones, tally) = fleet.live(phones, habits, stage.options.seed).await?;
    let statements = stage.statements.read().await?;
    numbers("the hour", &tally, &statements, fleet, report);
    eprintln!("nothing is new …");
    // Places are remembered from one poll to the next.
    let (phones, _) = fleet.rest(phones, habits.poll, stage.options.seed).await?;
    stage.statements.reset().await?;
    let (_, tally) = fleet
        .rest(phones, habits.poll, stage.options.seed + 1)
        .await?;
    let statements = stage.statements.read().await?;
    numbers("nothing new", &tally, &statements, fleet, report);
    let each = calls(&statements) / float(tally.measured(Kind::Idle).done.max(1));
    let fact = Fact::new("SQL statements for each pull with nothing new", each, "");
    report.facts.push(fact.within(STATEMENTS_EACH));
    Ok(())
}

fn numbers(what: &str, tally: &Tally, statements: &[Counted], fleet: &Fleet, report: &mut Report) {
    let pulls = tally.measured(Kind::Idle).done + tally.measured(Kind::Pull).done;
    let syncs = float(pulls) / float_of(fleet.collections.len().max(1));
    let bytes = tally.bytes(&[Kind::Idle, Kind::Pull]);
    let row = |name: &str, value: f64| vec![name.to_owned(), format!("{value:.3}")];
    let mut rows = vec![
        row("syncs", syncs),
        row(
            "SQL statements for each sync, pushes included",
            calls(statements) / syncs.max(1.0),
        ),
        row("bytes up for each sync", float(bytes.up) / syncs.max(1.0)),
        row(
            "bytes down for each sync",
            float(bytes.down) / syncs.max(1.0),
        ),
        row(
            "refused with 503 or 429, and sent again",
            float(tally.sheds()),
        ),
    ];
    for kind in Kind::ALL {
        let measured = tally.measured(kind);
        if measured.done == 0 {
            continue;
        }
        let bytes = tally.bytes(&[kind]);
        let of = |way: u64| float(way) / float(measured.done);
        rows.push(row(
            &format!("bytes up for each: {}", kind.name()),
            of(bytes.up),
        ));
        rows.push(row(
            &format!("bytes down for each: {}", kind.name()),
            of(bytes.down),
        ));
        let line = report.lines.of(&format!("{what}: {}", kind.name()));
        line.add(measured).paced();
        if kind == Kind::Idle {
            line.count(statements.to_vec());
        }
    }
    report.tables.push(Table {
        title: what.to_owned(),
        head: vec!["", ""],
        rows,
    });
}

fn calls(statements: &[Counted]) -> f64 {
    float(statements.iter().map(|one| one.calls.unsigned_abs()).sum())
}

/// Many quiet streams at a server that does nothing else, and then an event on each.
async fn streams(
    stage: &Stage<'_>,
    fleet: &Arc<Fleet>,
    habits: &Habits,
    report: &mut Report,
) -> anyhow::Result<()> {
    let count = stage.options.streams();
    eprintln!("opening {count} streams …");
    let mut server = stage.place.server().await?;
    let one = Habits {
        day: 1,
        full_day: 1,
        ..*habits
    };
    let mut phones = fleet.phones(usize::try_from(count)?, &one).await?;
    let volunteers: Vec<_> = phones.iter().map(|phone| phone.volunteer.clone()).collect();
    note(&server, "memory without streams", None, report)?;
    let streams = Streams::open(&server.address, &volunteers).await?;
    let name = format!("memory with {count} streams");
    note(&server, &name, Some(OPEN_MB), report)?;
    let begin = Instant::now();
    for phone in &phones {
        phone.push(fleet, Instant::now()).await?;
    }
    let pushed = begin.elapsed();
    while streams.events() < u64::from(count) {
        ensure!(
            begin.elapsed() < pushed + EVENTS_WAIT && streams.ended() == 0,
            "{} of {count} events came, {} streams ended",
            streams.events(),
            streams.ended()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let after = begin.elapsed().saturating_sub(pushed).as_secs_f64() * 1000.0;
    let name = "from the last push to the last of all events";
    report.facts.push(Fact::new(name, after, "ms"));
    let name = format!("memory with {count} streams, after an event on each");
    note(&server, &name, Some(OPEN_MB), report)?;
    for phone in &mut phones {
        phone.catch_up(fleet).await?;
    }
    let end = Instant::now();
    server.end().await?;
    while streams.ended() < u64::from(count) {
        ensure!(end.elapsed() < EVENTS_WAIT, "streams outlive their server");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

fn note(
    server: &Process,
    name: &str,
    budget: Option<Budget>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let megabytes = float(server.resident_bytes()?) / MEGABYTE;
    let mut fact = Fact::new(name, megabytes, "MB");
    fact.budget = budget;
    report.facts.push(fact);
    Ok(())
}
