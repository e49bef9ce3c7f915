//! One visit of a simulated volunteer, from signing up to leaving.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use rand::{Rng, rngs::StdRng};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::api::{Answer, Api},
    Crowd,
    eyes::{self, Mark},
    patience::{Request, send},
    person::Person,
};

/// Chances that a look is sent twice, that one of its tags is moved, and that one is withdrawn.
const SENT_TWICE: f64 = 0.03;
const MOVED: f64 = 0.04;
const WITHDRAWN: f64 = 0.02;
const CHANGED: f64 = MOVED + WITHDRAWN;
/// Longest wait for a square that somebody else may give back.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// Why a volunteer leaves.
pub enum Leaving {
    HadEnough,
    NothingToDo,
    SearchClosed,
}

#[derive(Deserialize)]
struct Assignment {
    cell: String,
    bbox: [f64; 4],
    campaign_version: i32,
}

struct Visitor<'a> {
    crowd: &'a Crowd,
    person: &'a Person,
    api: Api,
    dice: StdRng,
    /// Looks that are not sent yet.
    kept: Vec<Value>,
}

/// Comes, looks at squares, leaves.
pub async fn visit(crowd: &Crowd, person: &Person, mut dice: StdRng) -> Leaving {
    let sign_up = Request {
        method: Method::POST,
        path: "/v1/volunteers",
        if_match: None,
        body: None,
    };
    let answer = send(&crowd.api, sign_up, &mut dice).await;
    let Some(token) = answer
        .as_ref()
        .and_then(|answer| answer.body["token"].as_str())
    else {
        return Leaving::NothingToDo;
    };
    let api = crowd.api.with_bearer(token);
    let mut visitor = Visitor {
        crowd,
        person,
        api,
        dice,
        kept: Vec::new(),
    };
    let leaving = visitor.stay().await;
    visitor.flush().await;
    leaving
}

impl Visitor<'_> {
    async fn stay(&mut self) -> Leaving {
        let mut left = self.person.squares;
        let mut waited = false;
        while left > 0 {
            let wish = if self.person.batch > 1 {
                self.person.batch
            } else {
                self.dice.random_range(1..=5)
            };
            let Some(answer) = self.ask(wish).await else {
                return Leaving::NothingToDo;
            };
            if answer.status == StatusCode::CONFLICT {
                if answer.code() != "campaign_paused" {
                    return Leaving::SearchClosed;
                }
                tokio::time::sleep(answer.retry_after.unwrap_or(WAIT_MAX)).await;
                continue;
            }
            let squares: Vec<Assignment> =
                serde_json::from_value(answer.body["assignments"].clone()).unwrap_or_default();
            if squares.is_empty() {
                let Some(secs) = answer.body["retry_after_seconds"]
                    .as_u64()
                    .filter(|_| !waited)
                else {
                    return if left < self.person.squares {
                        Leaving::HadEnough
                    } else {
                        Leaving::NothingToDo
                    };
                };
                waited = true;
                self.crowd
                    .rest(Duration::from_secs(secs).min(WAIT_MAX))
                    .await;
                continue;
            }
            for square in squares {
                if left == 0 && self.person.walks_away {
                    return Leaving::HadEnough;
                }
                self.look_at(&square).await;
                left = left.saturating_sub(1);
            }
        }
        Leaving::HadEnough
    }

    async fn ask(&mut self, count: u32) -> Option<Answer> {
        let path = format!("{}/assignments", self.crowd.path);
        let body = json!({"count": count});
        let request = Request {
            method: Method::POST,
            path: &path,
            if_match: None,
            body: Some(&body),
        };
        let answer = send(&self.api, request, &mut self.dice).await?;
        if answer.status.is_success() || answer.status == StatusCode::CONFLICT {
            return Some(answer);
        }
        self.refused("squares", &answer);
        None
    }

    async fn look_at(&mut self, square: &Assignment) {
        let started_at = self.now();
        let thinking = self.person.thinking(&mut self.dice);
        self.crowd.rest(thinking).await;
        let [west, south, east, north] = square.bbox;
        let objects = self.crowd.scene.objects_in(west, south, east, north);
        let answer = eyes::look(self.person, square.bbox, &objects, &mut self.dice);
        let tags: Vec<Value> = answer.marks().iter().map(tag).collect();
        let look = json!({
            "id": Uuid::now_v7(),
            "cell": square.cell,
            "outcome": answer.outcome(),
            "started_at": started_at,
            "finished_at": self.now(),
            "campaign_version": square.campaign_version,
            "tags": tags,
        });
        if self.person.batch > 1 {
            self.kept.push(look);
            if self.kept.len() >= usize::try_from(self.person.batch).unwrap_or(usize::MAX) {
                self.flush().await;
            }
            return;
        }
        let stored = self.send_look(&look).await;
        if stored && self.dice.random_bool(SENT_TWICE) && self.send_look(&look).await {
            add(&self.crowd.tally.repeated, 1);
        }
        if stored {
            self.think_again(square, answer.marks(), &tags).await;
        }
    }

    async fn send_look(&mut self, look: &Value) -> bool {
        let path = format!("{}/looks", self.crowd.path);
        let request = Request {
            method: Method::POST,
            path: &path,
            if_match: None,
            body: Some(look),
        };
        let Some(answer) = send(&self.api, request, &mut self.dice).await else {
            return false;
        };
        match answer.status {
            StatusCode::CREATED => self.stored(look),
            StatusCode::OK => {}
            _ => self.refused("a look", &answer),
        }
        answer.status.is_success()
    }

    /// Sends the looks that a phone has kept; now and then twice, as if an answer was lost.
    async fn flush(&mut self) {
        let looks = std::mem::take(&mut self.kept);
        if looks.is_empty() {
            return;
        }
        let path = format!("{}/looks/batch", self.crowd.path);
        let body = json!({"looks": looks});
        for _ in 0..=u32::from(self.dice.random_bool(SENT_TWICE)) {
            let request = Request {
                method: Method::POST,
                path: &path,
                if_match: None,
                body: Some(&body),
            };
            let Some(answer) = send(&self.api, request, &mut self.dice).await else {
                return;
            };
            let results = answer.body["results"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            if results.len() != looks.len() {
                self.refused("a batch", &answer);
            }
            for (look, result) in looks.iter().zip(&results) {
                match result["verdict"].as_str() {
                    Some("created") => self.stored(look),
                    Some("repeated") => add(&self.crowd.tally.repeated, 1),
                    _ => {
                        add(&self.crowd.tally.refused, 1);
                        tracing::warn!(%result, "a look of a simulated volunteer was refused");
                    }
                }
            }
        }
    }

    /// Moves or withdraws a tag of the look that was just sent.
    async fn think_again(&mut self, square: &Assignment, marks: &[Mark], tags: &[Value]) {
        let (Some(mark), Some(tag)) = (marks.first(), tags.first()) else {
            return;
        };
        let path = format!(
            "{}/tags/{}",
            self.crowd.path,
            tag["id"].as_str().unwrap_or_default()
        );
        let chance: f64 = self.dice.random();
        let moved = eyes::mark(
            self.person,
            mark.kind,
            (mark.lon, mark.lat),
            square.bbox,
            &mut self.dice,
        );
        let body = json!({"geometry": point(&moved)});
        let (method, body) = match chance {
            ..MOVED => (Method::PATCH, Some(&body)),
            ..CHANGED => (Method::DELETE, None),
            _ => return,
        };
        let request = Request {
            method,
            path: &path,
            if_match: Some("\"1\""),
            body,
        };
        match send(&self.api, request, &mut self.dice).await {
            Some(answer) if answer.status.is_success() => add(&self.crowd.tally.changed, 1),
            Some(answer) => self.refused("a change of a tag", &answer),
            None => {}
        }
    }

    fn stored(&self, look: &Value) {
        let tags = look["tags"].as_array().map_or(0, Vec::len);
        add(&self.crowd.tally.looks, 1);
        add(
            &self.crowd.tally.tags,
            u64::try_from(tags).unwrap_or_default(),
        );
    }

    fn refused(&self, what: &str, answer: &Answer) {
        add(&self.crowd.tally.refused, 1);
        tracing::warn!(what, status = %answer.status, detail = answer.words(), "a simulated volunteer was refused");
    }

    /// By this person's clock.
    fn now(&self) -> Timestamp {
        let off = SignedDuration::from_secs(self.person.clock_off_secs);
        self.crowd
            .clock
            .now()
            .saturating_add(off)
            .unwrap_or(Timestamp::MAX)
    }
}

fn tag(mark: &Mark) -> Value {
    json!({"id": Uuid::now_v7(), "tag_type": mark.kind.key(), "geometry": point(mark)})
}

fn point(mark: &Mark) -> Value {
    json!({"type": "Point", "coordinates": [mark.lon, mark.lat]})
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
