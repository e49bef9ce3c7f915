//! Scenario `assignments`: a volunteer gets the next square.
//!
//! In each round, one after the other: the yardstick, a small campaign at one server, the large one
//! at one server, the large one at a steady pace, the large one near places, both at three servers.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};

use crate::{
    Options,
    campaign::{self, Campaign, Organiser},
    http::{self, Connection},
    load::{Load, Measured},
    place::{self, Place, Process},
    report::{Report, Series},
    statements::Statements,
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
const WARM_UP: Duration = Duration::from_secs(1);
/// The steady pace, as a part of what the same round had at most.
const STEADY_PART: f64 = 0.5;
/// How an answer begins that has an assignment.
const BEGINNING: &[u8] = br#"{"assignments":[{"#;

pub async fn run(mut options: Options) -> anyhow::Result<()> {
    if options.quick {
        (options.rounds, options.seconds, options.edge) = (1, 1, options.edge.min(100));
    }
    let place = Place::start(&options.spotter).await?;
    let outcome = measure(&options, &place).await;
    place.end().await?;
    let report = outcome?;
    let path = report.write(&options)?;
    eprintln!("{report}\nwritten to {}", path.display());
    Ok(())
}

/// Everything that runs while it is measured.
struct Bench<'a> {
    options: &'a Options,
    yardstick: Process,
    servers: Vec<Process>,
    organiser: Organiser<'a>,
    statements: Statements,
    tokens: Vec<String>,
}

async fn measure(options: &Options, place: &Place) -> anyhow::Result<Report> {
    let mut servers = Vec::new();
    for _ in 0..SERVERS {
        servers.push(place.server().await?);
    }
    let first = servers[0].address.clone();
    let mut worker = place.worker()?;
    let organiser = Organiser {
        server: &first,
        key: place.setting("ORGANISER_KEY")?,
    };
    organiser.layer().await?;
    eprintln!("publishing {0} × {0} cells …", options.edge);
    // A small one would be used up.
    let looks = if options.quick {
        SMALL_LOOKS
    } else {
        LARGE_LOOKS
    };
    let large = organiser.campaign("large", options.edge, looks).await?;
    let tokens = campaign::volunteers(&first, VOLUNTEERS).await?;
    let sample = sample(&first, &large, &tokens).await?;
    let body = place.folder().join("answer");
    std::fs::write(&body, &sample)?;
    let bench = Bench {
        options,
        yardstick: place::yardstick(&body).await?,
        servers,
        organiser,
        statements: Statements::begin(place.setting("DATABASE_URL")?).await?,
        tokens,
    };
    let mut report = Report::new("assignments");
    for round in 1..=options.rounds {
        eprintln!("round {round} of {} …", options.rounds);
        bench.round(round, &large, &mut report).await?;
    }
    report.about = format!(
        "Small: {} cells; large: {} cells, prepared in {:.1} s. An answer has {} bytes.",
        u64::from(SMALL_EDGE).pow(2),
        large.cells,
        large.prepared_in.as_secs_f64(),
        sample.len()
    );
    report.metrics = bench.metrics().await?;
    worker.kill().await?;
    Ok(report)
}

/// An answer, for the yardstick to return.
async fn sample(server: &str, campaign: &Campaign, tokens: &[String]) -> anyhow::Result<Vec<u8>> {
    let questions = campaign.questions(tokens.get(..1).context("no volunteer")?);
    let mut connection = Connection::open(server).await?;
    let answer = connection.exchange(&questions[0]).await?;
    ensure!(
        answer.status == 200,
        "answered {}: {}",
        answer.status,
        String::from_utf8_lossy(answer.body)
    );
    Ok(answer.body.to_vec())
}

impl Bench<'_> {
    async fn round(&self, round: u16, large: &Campaign, report: &mut Report) -> anyhow::Result<()> {
        let small = self
            .organiser
            .campaign(&format!("small-{round}"), SMALL_EDGE, SMALL_LOOKS)
            .await?;
        let yardstick = self.load(std::slice::from_ref(&self.yardstick), large);
        let one = &self.servers[..1];
        yardstick.closed(WARM_UP).await?;
        let series = &mut report.series;
        let at_most = yardstick.closed(self.duration()).await?;
        Series::of(series, "yardstick").add(at_most, Vec::new());
        self.at_most(series, "small, one server", one, &small)
            .await?;
        let found = self
            .at_most(series, "large, one server", one, large)
            .await?;
        let pace = found.per_second * STEADY_PART;
        let steady = self.load(one, large).open(pace, self.duration()).await?;
        Series::of(series, "large, one server, half of that").add(steady, Vec::new());
        let half = at_most.per_second * STEADY_PART;
        let steady = yardstick.open(half, self.duration()).await?;
        Series::of(series, "yardstick, half of that").add(steady, Vec::new());
        let near = Load {
            requests: Arc::new(large.questions_near(&self.tokens, PLACES)),
            ..self.load(one, large)
        };
        self.measured(series, "large, near places, one server", near)
            .await?;
        self.at_most(series, "small, three servers", &self.servers, &small)
            .await?;
        self.at_most(series, "large, three servers", &self.servers, large)
            .await?;
        Ok(())
    }

    /// As much as can be, with the statements that it took.
    async fn at_most(
        &self,
        series: &mut Vec<Series>,
        name: &'static str,
        servers: &[Process],
        campaign: &Campaign,
    ) -> anyhow::Result<Measured> {
        self.measured(series, name, self.load(servers, campaign))
            .await
    }

    async fn measured(
        &self,
        series: &mut Vec<Series>,
        name: &'static str,
        load: Load,
    ) -> anyhow::Result<Measured> {
        load.closed(WARM_UP).await?;
        self.statements.reset().await?;
        let found = load.closed(self.duration()).await?;
        let counted = self.statements.read().await?;
        Series::of(series, name).add(found, counted);
        Ok(found)
    }

    fn load(&self, servers: &[Process], campaign: &Campaign) -> Load {
        Load {
            servers: servers
                .iter()
                .map(|server| server.address.clone())
                .collect(),
            requests: Arc::new(campaign.questions(&self.tokens)),
            connections: self.options.connections,
            beginning: BEGINNING.to_vec(),
        }
    }

    fn duration(&self) -> Duration {
        Duration::from_secs(self.options.seconds.into())
    }

    /// What the first server says of its deals.
    async fn metrics(&self) -> anyhow::Result<Vec<String>> {
        let mut connection = Connection::open(&self.servers[0].address).await?;
        let asked = http::request("GET", "/metrics", None, "");
        let answer = connection.exchange(&asked).await?;
        let text = String::from_utf8_lossy(answer.body).into_owned();
        let of_deals = |line: &&str| line.starts_with("assignments") || line.starts_with("deck");
        Ok(text.lines().filter(of_deals).map(str::to_owned).collect())
    }
}
