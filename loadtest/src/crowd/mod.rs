//! Volunteers as they come in the story: they load the page, are given squares, think, tag, leave
//! some unanswered, return with the same token; dashboards poll. They try again as the page does.
//!
//! **Invariant:** arrivals are an open model: nobody's coming waits for anybody's answer, and times
//! count from when a request was due.

mod asking;
mod page;
mod tally;
mod visit;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tokio::task::JoinSet;

pub use asking::Asker;
use page::Page;
pub use tally::{Kind, Tally};

use crate::{
    campaign::{self, Campaign, Volunteer},
    http,
    ledger::Ledger,
    measure::{Arrivals, Curve, Random},
    pool::Pool,
};

/// People who are there at the same moment at most.
const CLIENTS_MAX: usize = 300_000;

/// For how much longer than they think people are busy with a square, when there are to be enough.
const SLACK_SECS: f64 = 10.0;

/// How people are, in numbers.
#[derive(Clone, Debug)]
pub struct Habits {
    /// Squares of one visit, in the mean.
    pub views: f64,
    /// The part of visits that are returns, with the same token and what the browser kept.
    pub returns: f64,
    /// Seconds for a square, in the mean.
    pub think_secs: f64,
    /// The part of squares that are given and never answered.
    pub abandoned: f64,
    /// The part of looks that have tags.
    pub tagged: f64,
    /// Tiles of a square that no browser and no CDN had, in the mean.
    pub tiles: f64,
    /// Dashboards that poll, and how often.
    pub dashboards: u16,
    pub poll: Duration,
    /// The first wait before a request is sent again; it doubles.
    pub backoff: Duration,
    /// How long after the last arrival somebody still tries.
    pub patience: Duration,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            views: 40.0,
            returns: 0.3,
            think_secs: 5.0,
            abandoned: 0.03,
            tagged: 0.15,
            tiles: 1.0,
            dashboards: 20,
            poll: Duration::from_secs(5),
            backoff: Duration::from_secs(1),
            patience: Duration::from_mins(1),
        }
    }
}

/// Everybody who searches one campaign.
pub struct Crowd {
    pub pool: Arc<Pool>,
    pub ledger: Ledger,
    pub habits: Habits,
    slug: String,
    pub page: Page,
    tiles: Vec<Vec<u8>>,
    /// Who has a token and is not looking at a square just now; who waited longest goes first.
    idle: Mutex<VecDeque<Volunteer>>,
}

impl Crowd {
    /// `tiles` are requests for some that are warm. So many people are there already as views at
    /// this rate need at the same moment: who comes first is no newcomer only because nobody was
    /// there before.
    pub async fn gather(
        pool: Arc<Pool>,
        campaign: &Campaign,
        tiles: Vec<Vec<u8>>,
        habits: Habits,
        rate: f64,
    ) -> anyhow::Result<Arc<Self>> {
        let server = pool.first().context("no server")?;
        let page = Page::read(server, &campaign.slug).await?;
        let present = format!("{:.0}", rate * (habits.think_secs + SLACK_SECS)).parse()?;
        let people = campaign::volunteers(server, present).await?;
        Ok(Arc::new(Self {
            pool,
            ledger: Ledger::default(),
            habits,
            slug: campaign.slug.clone(),
            page,
            tiles,
            idle: Mutex::new(people.into()),
        }))
    }

    /// People come as the curve says, until the last one has left. Fails at the first wrong answer.
    pub async fn come(
        self: &Arc<Self>,
        curve: Curve,
        duration: Duration,
        seed: u64,
    ) -> anyhow::Result<Tally> {
        let begin = Instant::now();
        let end = begin + duration;
        let asker = Arc::new(Asker::new(
            Arc::clone(&self.pool),
            begin,
            end + self.habits.patience,
            self.habits.backoff,
        ));
        let mut people = JoinSet::new();
        let mut random = Random::new(seed);
        for nth in 0..self.habits.dashboards {
            let first = begin + self.habits.poll.mul_f64(random.unit());
            let chance = Random::new(random.next() ^ u64::from(nth));
            people.spawn(Arc::clone(self).dashboard(Arc::clone(&asker), first, end, chance));
        }
        for at in Arrivals::new(curve, seed) {
            let due = begin + at;
            if due > Instant::now() {
                tokio::time::sleep_until(due.into()).await;
            }
            while let Some(left) = people.try_join_next() {
                left??;
            }
            ensure!(
                people.len() < CLIENTS_MAX,
                "{CLIENTS_MAX} people are there at once: the servers do not keep up"
            );
            let chance = Random::new(random.next());
            people.spawn(Arc::clone(self).view(Arc::clone(&asker), due, chance));
        }
        while let Some(left) = people.join_next().await {
            left??;
        }
        Ok(asker.finish())
    }

    /// Polls the campaign's progress until the end.
    async fn dashboard(
        self: Arc<Self>,
        asker: Arc<Asker>,
        first: Instant,
        end: Instant,
        mut chance: Random,
    ) -> anyhow::Result<()> {
        let request = http::browser_get(&format!("/v1/campaigns/{}/progress", self.slug), "");
        let mut due = first;
        while due < end {
            tokio::time::sleep_until(due.into()).await;
            asker
                .ask(Kind::Progress, &request, due, &mut chance, |_| ())
                .await?;
            due = (due + self.habits.poll).max(Instant::now());
        }
        Ok(())
    }

    fn take_idle(&self) -> Option<Volunteer> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop_front()
    }

    fn rest(&self, volunteer: Volunteer) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push_back(volunteer);
    }
}
