//! Scenario `stampede`: servers that were just started, memcached that is empty, and everybody asks
//! the same at the same moment.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tokio::task::JoinSet;

use super::stage::{Stage, addresses};
use crate::{
    Options,
    campaign::{self, tile_path},
    crowd::{Asker, Kind, Tally},
    http,
    measure::{Random, float, float_of},
    place::{Place, Process},
    pool::Pool,
    report::{Budget, Fact, Report},
};

const SERVERS: usize = 3;
const EDGE: u32 = 100;
/// Looks wanted, so that the campaign is not used up.
const LOOKS_WANTED: u32 = 100;
/// Clients at each server of the wave for one tile (DESIGN.md 6).
const TILE_CLIENTS: usize = 500;
/// How long somebody tries.
const PATIENCE: Duration = Duration::from_mins(2);
const BACKOFF: Duration = Duration::from_secs(1);

/// What everybody asks.
struct Wave {
    name: &'static str,
    kind: Kind,
    requests: Vec<Vec<u8>>,
    clients: usize,
}

pub async fn run(options: &Options, place: &Place) -> anyhow::Result<Report> {
    let mut stage = Stage::set(options, place, "stampede", place.servers(1).await?).await?;
    let crowd = usize::try_from(options.open_connections() / 5)?.max(SERVERS);
    let waves = waves(&stage, crowd).await?;
    // The first waves find no server that knows anything.
    stage.rest_worker().await?;
    let mut report = Report::new("stampede");
    report.about.push(format!(
        "{SERVERS} servers that were just started and an empty memcached, anew for each line; {crowd} clients over as many \
         connections, all of them due at the same moment. No worker runs."
    ));
    for wave in &waves {
        eprintln!("{} × {} …", wave.clients, wave.name);
        one(&stage, wave, &mut report).await?;
    }
    stage.end().await?;
    Ok(report)
}

async fn waves(stage: &Stage<'_>, crowd: usize) -> anyhow::Result<Vec<Wave>> {
    let edge = stage.options.edge(EDGE);
    let campaign = stage.organiser.campaign("rush", edge, LOOKS_WANTED).await?;
    let volunteers = campaign::volunteers(&stage.first().address, crowd).await?;
    let path = format!("/v1/campaigns/{}", campaign.slug);
    // Nobody asked for it yet.
    let (z, x, y) = campaign::tiles(1).first().copied().context("no tile")?;
    let cold = http::get(&tile_path(z + 1, x * 2, y * 2));
    let tile_clients = TILE_CLIENTS.min(crowd) * SERVERS;
    let wave = |name, kind, requests, clients| Wave {
        name,
        kind,
        requests,
        clients,
    };
    let read = |path: &str| vec![http::browser_get(path, "")];
    Ok(vec![
        wave(
            "campaign",
            Kind::Campaign,
            read(&format!("{path}?area=false")),
            crowd,
        ),
        wave(
            "front page",
            Kind::Campaign,
            read("/v1/campaigns?state=open"),
            crowd,
        ),
        wave(
            "assignment",
            Kind::Assignment,
            campaign.questions(&volunteers),
            crowd,
        ),
        wave(
            "progress",
            Kind::Progress,
            read(&format!("{path}/progress")),
            crowd,
        ),
        wave("one cold tile", Kind::Tile, vec![cold], tile_clients),
    ])
}

async fn one(stage: &Stage<'_>, wave: &Wave, report: &mut Report) -> anyhow::Result<()> {
    let place = stage.place;
    place.flush_memcached().await?;
    let (one, two, three) = tokio::try_join!(place.server(), place.server(), place.server())?;
    let mut servers = [one, two, three];
    let before = times_asked(&place.source).await?;
    stage.statements.reset().await?;
    let tally = rush(&servers, wave, stage.options.seed).await?;
    let statements = stage.statements.read().await?;
    let calls: u64 = statements.iter().map(|one| one.calls.unsigned_abs()).sum();
    let name = format!("{} × {}", wave.clients, wave.name);
    report.facts.push(Fact::new(
        format!("{name}: SQL statements"),
        float(calls),
        "",
    ));
    if tally.sheds() + tally.failures() > 0 {
        let refused = Fact::new(
            format!("{name}: refused, and sent again"),
            float(tally.sheds()),
            "",
        );
        let failed = Fact::new(
            format!("{name}: failed, and sent again"),
            float(tally.failures()),
            "",
        );
        report.facts.extend([refused, failed]);
    }
    if wave.kind == Kind::Tile {
        let fetches = times_asked(&place.source).await? - before;
        ensure!(
            (1..=u64::try_from(SERVERS)?).contains(&fetches),
            "{SERVERS} servers fetched one tile {fetches} times"
        );
        let name = format!("{name}: fetches from its source");
        let fact = Fact::new(name, float(fetches), "").within(Budget::Exactly(1.0));
        report.facts.push(fact);
    }
    let measured = tally.measured(wave.kind).context("nobody was answered")?;
    ensure!(
        (float(measured.done) - float_of(wave.clients)).abs() < 0.5,
        "{name}: {} of {} were answered",
        measured.done,
        wave.clients
    );
    report.lines.of(&name).add(measured).count(statements);
    for server in &mut servers {
        server.end().await?;
    }
    Ok(())
}

/// Everybody asks at once.
async fn rush(servers: &[Process], wave: &Wave, seed: u64) -> anyhow::Result<Tally> {
    let pool = Arc::new(Pool::new(addresses(servers), wave.clients));
    pool.open(wave.clients).await?;
    let requests: Arc<[Vec<u8>]> = wave.requests.clone().into();
    let due = Instant::now();
    let asker = Arc::new(Asker::new(pool, due, due + PATIENCE, BACKOFF));
    let mut clients = JoinSet::new();
    let mut random = Random::new(seed);
    for nth in 0..wave.clients {
        let (asker, requests, kind) = (Arc::clone(&asker), Arc::clone(&requests), wave.kind);
        let mut chance = Random::new(random.next());
        clients.spawn(async move {
            let request = &requests[nth % requests.len()];
            asker.ask(kind, request, due, &mut chance, |_| ()).await
        });
    }
    while let Some(answered) = clients.join_next().await {
        answered??;
    }
    Ok(asker.finish())
}

/// How many tiles the source was asked for.
async fn times_asked(source: &Process) -> anyhow::Result<u64> {
    let told = http::fetch(&source.address, &http::get("/asked")).await?;
    Ok(std::str::from_utf8(&told)?.parse()?)
}
