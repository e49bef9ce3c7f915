//! One phone: polls each minute, and pushes its day once.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use super::{
    Fleet,
    documents::{Checkpoint, Day, Page},
    tally::Kind,
};
use crate::{campaign::Volunteer, http};

/// Documents of a page, and of a push.
const BATCH: usize = 1000;
/// Longest wait before a refused request is sent again.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// How often a request is sent before the phone gives up, which ends the run.
const ATTEMPTS_MAX: u32 = 20;

pub struct Phone {
    pub volunteer: Volunteer,
    pub day: Day,
    /// Where it stands in each collection.
    checkpoints: Vec<Checkpoint>,
}

impl Phone {
    pub fn new(volunteer: Volunteer, day: Day, collections: usize) -> Self {
        Self {
            volunteer,
            day,
            checkpoints: vec![Checkpoint::default(); collections],
        }
    }

    /// Pulls everything that is new.
    pub async fn poll(&mut self, fleet: &Fleet, due: Instant) -> anyhow::Result<()> {
        let mut due = due;
        for (nth, collection) in fleet.collections.iter().enumerate() {
            loop {
                let page = self.pull(fleet, collection, nth, due).await?;
                let count = page.documents.len();
                self.checkpoints[nth] = page.checkpoint;
                for document in &page.documents {
                    match *collection {
                        "looks" => self.day.take_look(document)?,
                        "tags" => self.day.take_tag(document)?,
                        _ => {}
                    }
                }
                due = Instant::now();
                if count < BATCH {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn pull(
        &self,
        fleet: &Fleet,
        collection: &str,
        nth: usize,
        due: Instant,
    ) -> anyhow::Result<Page> {
        let Checkpoint { lwt, id } = &self.checkpoints[nth];
        let path = format!("/v1/sync/rxdb/{collection}/0/pull?lwt={lwt}&id={id}&limit={BATCH}");
        let request = http::request("GET", &path, Some(&self.volunteer.token), "");
        let (body, bytes) = fleet.ask(Kind::Pull, &request).await?;
        let page: Page = serde_json::from_slice(&body)?;
        let kind = if page.documents.is_empty() {
            Kind::Idle
        } else {
            Kind::Pull
        };
        fleet.tally().answered(kind, due, (request.len(), bytes));
        Ok(page)
    }

    /// Pushes the whole day; each fourth phone its tags before the looks that they belong to.
    pub async fn push(&self, fleet: &Fleet, due: Instant) -> anyhow::Result<()> {
        let looks = (Kind::Looks, self.day.looks(&fleet.campaign, BATCH));
        let tags = (Kind::Tags, self.day.tags(&fleet.campaign, BATCH));
        let is_odd = self.volunteer.id.as_u128().trailing_zeros() >= 2;
        let order = if is_odd { [tags, looks] } else { [looks, tags] };
        let mut due = due;
        for (kind, bodies) in order {
            for body in bodies {
                self.push_one(fleet, kind, &body, due).await?;
                due = Instant::now();
            }
        }
        for (number, _) in self.day.numbers() {
            fleet.ledger.acknowledge(number);
        }
        Ok(())
    }

    async fn push_one(
        &self,
        fleet: &Fleet,
        kind: Kind,
        body: &[u8],
        due: Instant,
    ) -> anyhow::Result<()> {
        let collection = if kind == Kind::Looks { "looks" } else { "tags" };
        let path = format!("/v1/sync/rxdb/{collection}/0/push");
        let text = std::str::from_utf8(body)?;
        let request = http::request("POST", &path, Some(&self.volunteer.token), text);
        let (answer, bytes) = fleet.ask(kind, &request).await?;
        ensure!(
            answer == b"[]",
            "a push was not taken: {}",
            String::from_utf8_lossy(&answer)
        );
        fleet.tally().answered(kind, due, (request.len(), bytes));
        Ok(())
    }
}

impl Fleet {
    /// Sends a request until it is answered well; gives the body, and how many bytes the answer had.
    async fn ask(&self, kind: Kind, request: &[u8]) -> anyhow::Result<(Vec<u8>, usize)> {
        for _ in 0..ATTEMPTS_MAX {
            let read = |answer: &http::Answer<'_>| {
                let wait = answer.retry_after.unwrap_or(1);
                (answer.status, wait, answer.body.to_vec(), answer.bytes)
            };
            let wait = match self.pool.ask(request, read).await {
                Ok((200, _, body, bytes)) => return Ok((body, bytes)),
                Ok((429 | 503, wait, ..)) => Duration::from_secs(wait.into()),
                Ok((status, _, body, _)) => {
                    bail!("answered {status}: {}", String::from_utf8_lossy(&body))
                }
                Err(_) => Duration::from_secs(1),
            };
            self.tally().shed(kind);
            tokio::time::sleep(wait.min(WAIT_MAX)).await;
        }
        bail!("a phone was refused {ATTEMPTS_MAX} times")
    }
}
