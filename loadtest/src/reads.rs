//! Scenario `campaign`: what are we looking for.
//!
//! In each round, one after the other: the yardstick with the same bytes and the campaign, plain
//! and as a browser asks for it; the front page; the campaign at a steady pace and at three
//! servers.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};

use crate::{
    Options,
    campaign::Organiser,
    http::Connection,
    load::{Load, Measured},
    place::{self, Place, Process},
    report::{Report, Series},
    statements::Statements,
};

const SERVERS: usize = 3;
const WARM_UP: Duration = Duration::from_secs(1);
/// The steady pace, as a part of what the same round had at most.
const STEADY_PART: f64 = 0.5;
/// Cells along an edge of the campaign. Its size does not matter here.
const EDGE: u32 = 10;
/// What the volunteers' page asks for, and what the start page does.
const CAMPAIGN: &str = "/v1/campaigns/aircraft?area=false";
const FRONT: &str = "/v1/campaigns?state=open";
/// What browsers accept.
const BROWSER: &str = "Accept-Encoding: gzip, deflate, br, zstd\r\n";

pub async fn run(mut options: Options) -> anyhow::Result<()> {
    if options.quick {
        (options.rounds, options.seconds) = (1, 1);
    }
    let place = Place::start(&options.spotter).await?;
    let outcome = measure(&options, &place).await;
    place.end().await?;
    let report = outcome?;
    let path = report.write(&options)?;
    eprintln!("{report}\nwritten to {}", path.display());
    Ok(())
}

/// One question, a yardstick that gives the same bytes, and how the names of both begin.
struct Question {
    name: &'static str,
    yardstick_name: &'static str,
    request: Vec<u8>,
    answer: Vec<u8>,
    yardstick: Process,
}

/// Everything that runs while it is measured.
struct Bench<'a> {
    options: &'a Options,
    servers: Vec<Process>,
    statements: Statements,
    questions: Vec<Question>,
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
    organiser.campaign("aircraft", EDGE, 1).await?;
    let mut bench = Bench {
        options,
        servers,
        statements: Statements::begin(place.setting("DATABASE_URL")?).await?,
        questions: Vec::new(),
    };
    for (name, yardstick_name, path, heads) in [
        ("campaign, plain", "yardstick, plain", CAMPAIGN, ""),
        ("campaign, browser", "yardstick, browser", CAMPAIGN, BROWSER),
        (
            "front page, browser",
            "yardstick, front page",
            FRONT,
            BROWSER,
        ),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: loadtest\r\n{heads}\r\n").into_bytes();
        let answer = sample(&first, &request).await?;
        let body = place.folder().join("answer");
        std::fs::write(&body, &answer)?;
        bench.questions.push(Question {
            name,
            yardstick_name,
            request,
            answer,
            yardstick: place::yardstick(&body).await?,
        });
    }
    let mut report = Report::new("campaign");
    let sizes = bench
        .questions
        .iter()
        .map(|question| format!("{}: {} bytes", question.name, question.answer.len()));
    report.about = sizes.collect::<Vec<_>>().join("; ");
    for round in 1..=options.rounds {
        eprintln!("round {round} of {} …", options.rounds);
        bench.round(&mut report.series).await?;
    }
    report.metrics = bench.metrics().await?;
    worker.kill().await?;
    Ok(report)
}

/// An answer, for the yardstick to return.
async fn sample(server: &str, request: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut connection = Connection::open(server).await?;
    let answer = connection.exchange(request).await?;
    ensure!(answer.status == 200, "answered {}", answer.status);
    Ok(answer.body.to_vec())
}

impl Bench<'_> {
    async fn round(&self, series: &mut Vec<Series>) -> anyhow::Result<()> {
        let one = &self.servers[..1];
        for question in &self.questions {
            let yardstick = self.load(std::slice::from_ref(&question.yardstick), question);
            yardstick.closed(WARM_UP).await?;
            let at_most = yardstick.closed(self.duration()).await?;
            Series::beside(series, question.yardstick_name, question.yardstick_name)
                .add(at_most, Vec::new());
            let found = self.at_most(one, question).await?;
            Series::beside(series, question.name, question.yardstick_name).add(found.0, found.1);
        }
        let [plain, ..] = self.questions.as_slice() else {
            return Ok(());
        };
        let known = Series::of(series, plain.name).last_per_second();
        let steady = self
            .load(one, plain)
            .open(known * STEADY_PART, self.duration())
            .await?;
        Series::beside(
            series,
            "campaign, plain, half of that",
            plain.yardstick_name,
        )
        .add(steady, Vec::new());
        let found = self.at_most(&self.servers, plain).await?;
        Series::beside(
            series,
            "campaign, plain, three servers",
            plain.yardstick_name,
        )
        .add(found.0, found.1);
        Ok(())
    }

    /// As much as can be, with the statements that it took.
    async fn at_most(
        &self,
        servers: &[Process],
        question: &Question,
    ) -> anyhow::Result<(Measured, Vec<crate::statements::Counted>)> {
        let load = self.load(servers, question);
        load.closed(WARM_UP).await?;
        self.statements.reset().await?;
        let found = load.closed(self.duration()).await?;
        Ok((found, self.statements.read().await?))
    }

    fn load(&self, servers: &[Process], question: &Question) -> Load {
        Load {
            servers: servers
                .iter()
                .map(|server| server.address.clone())
                .collect(),
            requests: Arc::new(vec![question.request.clone()]),
            connections: self.options.connections,
            // The front page also says how lively campaigns are.
            beginning: question.answer.iter().copied().take(8).collect(),
        }
    }

    fn duration(&self) -> Duration {
        Duration::from_secs(self.options.seconds.into())
    }

    /// What the first server says of its cache.
    async fn metrics(&self) -> anyhow::Result<Vec<String>> {
        let mut connection = Connection::open(&self.servers[0].address).await?;
        let asked = crate::http::request("GET", "/metrics", None, "");
        let answer = connection.exchange(&asked).await?;
        let text = std::str::from_utf8(answer.body).context("metrics are text")?;
        let of_cache = |line: &&str| line.starts_with("cache_") && !line.ends_with(" 0");
        Ok(text.lines().filter(of_cache).map(str::to_owned).collect())
    }
}
