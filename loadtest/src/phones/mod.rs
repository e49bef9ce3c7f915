//! Phones that sync as `RxDB` does: each polls all collections again and again, and pushes the looks and
//! tags of a day once.
//!
//! **Invariant:** an open model: no phone waits for another, and times count from when a poll or
//! push was due.

mod documents;
mod phone;
mod streams;
mod tally;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tokio::task::JoinSet;

pub use documents::Day;
pub use phone::Phone;
pub use streams::Streams;
pub use tally::{Kind, Tally};

use crate::{
    campaign::{self, Campaign},
    http,
    ledger::Ledger,
    measure::Random,
    pool::Pool,
    scenarios::spread,
};
use documents::TAGS_EACH;

/// Collections that phones pull, where the server has them.
const COLLECTIONS: [&str; 5] = ["campaigns", "assignments", "looks", "tags", "receipts"];
/// How long after the hour a phone tries to get everything.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two polls of a phone that wants everything.
const AGAIN: Duration = Duration::from_millis(500);

/// How phones are, in numbers.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// How long the hour is in which all phones push their day.
    pub hour: Duration,
    /// Time between two polls of a phone.
    pub poll: Duration,
    /// Looks of a day; each has three tags.
    pub day: usize,
    /// Looks of a full day, which each 200th phone had.
    pub full_day: usize,
}

/// All phones.
pub struct Fleet {
    pool: Pool,
    pub ledger: Ledger,
    /// Id of the campaign.
    campaign: String,
    edge: u32,
    pub collections: Vec<&'static str>,
    tally: Mutex<Tally>,
}

impl Fleet {
    pub async fn new(pool: Pool, campaign: &Campaign) -> anyhow::Result<Self> {
        let server = pool.first().context("no server")?.to_owned();
        let someone = campaign::volunteers(&server, 1).await?;
        let someone = someone.first().context("no volunteer")?;
        let mut collections = Vec::new();
        for name in COLLECTIONS {
            let path = format!("/v1/sync/rxdb/{name}/0/pull?lwt=0&id=&limit=1");
            let (status, _) = http::call(&server, "GET", &path, Some(&someone.token), "").await?;
            ensure!(status == 200 || status == 404, "{path} answered {status}");
            if status == 200 {
                collections.push(name);
            }
        }
        Ok(Self {
            pool,
            ledger: Ledger::default(),
            campaign: campaign.id.clone(),
            edge: campaign.edge,
            collections,
            tally: Mutex::new(Tally::new(Instant::now())),
        })
    }

    /// So many phones, each of a new volunteer.
    pub async fn phones(&self, count: usize, habits: &Habits) -> anyhow::Result<Vec<Phone>> {
        let server = self.pool.first().context("no server")?.to_owned();
        let volunteers = campaign::volunteers(&server, count).await?;
        let phone = |(nth, volunteer): (usize, campaign::Volunteer)| {
            let looks = if nth % 200 == 199 {
                habits.full_day
            } else {
                habits.day
            };
            let mut day = None;
            let mut cells = Vec::with_capacity(looks);
            for _ in 0..looks {
                let cell = spread(self.ledger.count(), self.edge);
                let number = self.ledger.enter(volunteer.id, cell, TAGS_EACH);
                day.get_or_insert(number);
                cells.push(cell);
            }
            let day = Day::new(day.unwrap_or_default(), cells);
            Phone::new(volunteer, day, self.collections.len())
        };
        Ok(volunteers.into_iter().enumerate().map(phone).collect())
    }

    /// The hour: each phone polls, and pushes its day at a time of its own, most in the middle.
    /// Afterwards each polls until it has everything.
    pub async fn live(
        self: &Arc<Self>,
        phones: Vec<Phone>,
        habits: Habits,
        seed: u64,
    ) -> anyhow::Result<(Vec<Phone>, Tally)> {
        let begin = self.begin();
        let mut random = Random::new(seed);
        let mut living = JoinSet::new();
        for mut phone in phones {
            let first = habits.poll.mul_f64(random.unit());
            let push = habits
                .hour
                .mul_f64(f64::midpoint(random.unit(), random.unit()));
            let fleet = Arc::clone(self);
            living.spawn(async move {
                phone.live(&fleet, begin, (first, push), habits).await?;
                anyhow::Ok(phone)
            });
        }
        self.gather(living).await
    }

    /// Each phone polls once, within a time, when nothing is new.
    pub async fn rest(
        self: &Arc<Self>,
        phones: Vec<Phone>,
        within: Duration,
        seed: u64,
    ) -> anyhow::Result<(Vec<Phone>, Tally)> {
        let begin = self.begin();
        let mut random = Random::new(seed);
        let mut resting = JoinSet::new();
        for mut phone in phones {
            let due = begin + within.mul_f64(random.unit());
            let fleet = Arc::clone(self);
            resting.spawn(async move {
                tokio::time::sleep_until(due.into()).await;
                phone.poll(&fleet, due).await?;
                anyhow::Ok(phone)
            });
        }
        self.gather(resting).await
    }

    fn begin(&self) -> Instant {
        let begin = Instant::now();
        *self.tally() = Tally::new(begin);
        begin
    }

    async fn gather(
        &self,
        mut tasks: JoinSet<anyhow::Result<Phone>>,
    ) -> anyhow::Result<(Vec<Phone>, Tally)> {
        let mut phones = Vec::with_capacity(tasks.len());
        while let Some(done) = tasks.join_next().await {
            phones.push(done??);
        }
        let mut tally = std::mem::replace(&mut *self.tally(), Tally::new(Instant::now()));
        tally.end();
        Ok((phones, tally))
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Phone {
    async fn live(
        &mut self,
        fleet: &Fleet,
        begin: Instant,
        (first, push): (Duration, Duration),
        habits: Habits,
    ) -> anyhow::Result<()> {
        let mut polls = first;
        let mut push = Some(push);
        while polls < habits.hour || push.is_some() {
            let is_push = push.is_some_and(|push| push <= polls);
            let at = if is_push { push.take() } else { Some(polls) };
            let due = begin + at.unwrap_or_default();
            tokio::time::sleep_until(due.into()).await;
            if is_push {
                self.push(fleet, due).await?;
            } else {
                self.poll(fleet, due).await?;
                polls += habits.poll;
            }
        }
        self.catch_up(fleet).await
    }

    /// Polls until everything came that was pushed.
    pub async fn catch_up(&mut self, fleet: &Fleet) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        while !self.day.is_whole() {
            ensure!(
                Instant::now() < until,
                "a phone does not get everything that it pushed"
            );
            self.poll(fleet, Instant::now()).await?;
            if !self.day.is_whole() {
                tokio::time::sleep(AGAIN).await;
            }
        }
        Ok(())
    }
}
