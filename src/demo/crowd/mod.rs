//! Simulated volunteers in the demo's search: they look, tag, err and leave like people.
//!
//! They use the public API only, and know from [`scenery`] what lies where, as eyes do.
//! Their decisions come from a seeded generator; the order of their requests does not.

mod eyes;
mod patience;
mod person;
mod visit;

use std::{
    future::Future,
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use clap::Args;
use rand::{Rng, SeedableRng, rngs::StdRng};
use scenery::Scene;
use tokio::task::JoinSet;

use super::{SEED, api::Api, say};
use crate::clock::Clock;
use person::Person;
use visit::Leaving;

/// Over how long the first volunteers come.
const ARRIVAL: Duration = Duration::from_secs(20);
/// Pause before a newcomer takes a leaver's place: after a visit, and after one that found
/// nothing to do.
const REPLACED_AFTER: Duration = Duration::from_secs(3);
const NOTHING_TO_DO: Duration = Duration::from_mins(1);

/// Who comes, and where to.
#[derive(Args, Clone, Debug)]
pub struct CrowdConfig {
    /// Address of a server.
    #[arg(long, env = "BASE_URL", default_value = "http://127.0.0.1:8080")]
    pub base_url: String,

    /// Slug or id of a search of the demo's imagery.
    #[arg(long, default_value = super::definition::CAMPAIGN)]
    pub campaign: String,

    /// Volunteers at the same time.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub volunteers: u32,

    /// End after so many minutes; without it, at Ctrl-C.
    #[arg(long, value_parser = parse_minutes)]
    pub minutes: Option<f64>,

    /// How many times faster than people they are.
    #[arg(long, default_value_t = 1.0, value_parser = parse_speed)]
    pub speed: f64,
}

/// What all volunteers share.
struct Crowd {
    api: Api,
    /// Path of the campaign.
    path: String,
    scene: Scene,
    clock: Clock,
    speed: f64,
    tally: Tally,
}

/// What was sent, for the last line.
#[derive(Default)]
struct Tally {
    looks: AtomicU64,
    tags: AtomicU64,
    repeated: AtomicU64,
    refused: AtomicU64,
    changed: AtomicU64,
}

impl Crowd {
    /// A time that people take, at this crowd's speed.
    async fn rest(&self, time: Duration) {
        tokio::time::sleep(time.div_f64(self.speed)).await;
    }
}

/// Lets volunteers come and go until `stop` completes, the time is over or the search closes.
pub async fn run(config: CrowdConfig, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let crowd = Arc::new(Crowd {
        api: Api::new(&config.base_url)?,
        path: format!("/v1/campaigns/{}", config.campaign),
        scene: Scene::new(SEED),
        clock: Clock::default(),
        speed: config.speed,
        tally: Tally::default(),
    });
    // A wrong address or slug should be said at once, not by two hundred volunteers.
    crowd.api.get(&crowd.path).await?.good()?;
    let time_over = async {
        match config.minutes {
            Some(minutes) => tokio::time::sleep(Duration::from_mins(1).mul_f64(minutes)).await,
            None => std::future::pending().await,
        }
    };
    let closed = tokio::select! {
        () = stop => false,
        () = time_over => false,
        () = come_and_go(&crowd, config.volunteers) => true,
    };
    let tally = &crowd.tally;
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    say(&format!(
        "{}the crowd sent {} looks with {} tags, {} looks twice, changed {} tags; {} requests were refused",
        if closed { "the search is closed: " } else { "" },
        count(&tally.looks),
        count(&tally.tags),
        count(&tally.repeated),
        count(&tally.changed),
        count(&tally.refused)
    ));
    Ok(())
}

/// Completes when the search takes no more looks.
async fn come_and_go(crowd: &Arc<Crowd>, volunteers: u32) {
    let mut present = JoinSet::new();
    let mut dice = StdRng::seed_from_u64(SEED);
    for _ in 0..volunteers {
        let delay = ARRIVAL.mul_f64(dice.random());
        present.spawn(arrive(Arc::clone(crowd), delay, dice.random()));
    }
    while let Some(left) = present.join_next().await {
        let pause = match left {
            Ok(Leaving::SearchClosed) => return,
            Ok(Leaving::NothingToDo) => NOTHING_TO_DO,
            Ok(Leaving::HadEnough) | Err(_) => REPLACED_AFTER,
        };
        let delay = pause.mul_f64(dice.random_range(0.5..1.5));
        present.spawn(arrive(Arc::clone(crowd), delay, dice.random()));
    }
}

async fn arrive(crowd: Arc<Crowd>, delay: Duration, seed: u64) -> Leaving {
    crowd.rest(delay).await;
    let mut dice = StdRng::seed_from_u64(seed);
    let person = Person::new(&mut dice);
    visit::visit(&crowd, &person, dice).await
}

fn parse_minutes(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(minutes) if (0.01..=10_080.0).contains(&minutes) => Ok(minutes),
        _ => Err("a number from 0.01 to 10080 (a week) is needed".to_owned()),
    }
}

/// A speed that makes sense.
pub fn parse_speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.01..=1000.0).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.01 to 1000 is needed".to_owned()),
    }
}
