//! Asking until there is an answer, as the volunteer's page does.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::bail;

use super::{Kind, Tally};
use crate::{http::Answer, measure::Random, pool::Pool};

/// The page waits no longer before it tries again, unless it is told to.
const BACKOFF_MAX: Duration = Duration::from_mins(5);

/// Sends requests again until they are answered or a time is over, and counts what comes.
pub struct Asker {
    pool: Arc<Pool>,
    deadline: Instant,
    backoff: Duration,
    tally: Mutex<Tally>,
}

/// What one attempt came to.
enum Outcome<T> {
    Good(T),
    /// Refused for now, by 429 or 503.
    Shed(Option<u32>),
    Failed,
    Wrong(String),
}

impl Asker {
    pub fn new(pool: Arc<Pool>, begin: Instant, deadline: Instant, backoff: Duration) -> Self {
        Self {
            pool,
            deadline,
            backoff,
            tally: Mutex::new(Tally::new(begin)),
        }
    }

    /// What `read` takes from a good answer; `None` when there was none before the time was over. An
    /// answer that says that the request is at fault is an error of the whole run.
    pub async fn ask<T>(
        &self,
        kind: Kind,
        request: &[u8],
        due: Instant,
        chance: &mut Random,
        read: impl Fn(&Answer<'_>) -> T,
    ) -> anyhow::Result<Option<T>> {
        for attempt in 0.. {
            let answered = self.pool.ask(request, |answer| judge(answer, &read)).await;
            let outcome = answered.unwrap_or(Outcome::Failed);
            let retry_after = match outcome {
                Outcome::Good(taken) => {
                    self.tally().good(kind, due);
                    return Ok(Some(taken));
                }
                Outcome::Wrong(what) => bail!("a wrong answer to {}: {what}", kind.name()),
                Outcome::Shed(retry_after) => {
                    self.tally().shed(kind);
                    retry_after
                }
                Outcome::Failed => {
                    self.tally().failed(kind);
                    None
                }
            };
            let wait = self.wait(attempt, retry_after, chance);
            if Instant::now() + wait >= self.deadline {
                break;
            }
            tokio::time::sleep(wait).await;
        }
        self.tally().gave_up();
        Ok(None)
    }

    /// It doubles from time to time, is as long as was asked for at least, and has some chance in it.
    fn wait(&self, attempt: u32, retry_after: Option<u32>, chance: &mut Random) -> Duration {
        let own = self.backoff.saturating_mul(2_u32.saturating_pow(attempt));
        let asked = Duration::from_secs(retry_after.unwrap_or(0).into());
        own.min(BACKOFF_MAX)
            .max(asked)
            .mul_f64(1.0 + chance.unit() / 2.0)
    }

    pub fn abandoned(&self) {
        self.tally().abandoned += 1;
    }

    pub fn exhausted(&self) {
        self.tally().exhausted += 1;
    }

    /// What was counted. Nobody asks any more.
    pub fn finish(&self) -> Tally {
        let mut tally = self.tally().clone();
        tally.end();
        tally
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn judge<T>(answer: &Answer<'_>, read: impl Fn(&Answer<'_>) -> T) -> Outcome<T> {
    match answer.status {
        200 | 201 | 304 => Outcome::Good(read(answer)),
        429 | 503 => Outcome::Shed(answer.retry_after),
        408 | 500.. => Outcome::Failed,
        status => Outcome::Wrong(format!("{status} {}", String::from_utf8_lossy(answer.body))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_doubles_and_is_as_long_as_was_asked_for() {
        let pool = Arc::new(Pool::new(Vec::new(), 1));
        let now = Instant::now();
        let asker = Asker::new(pool, now, now, Duration::from_secs(1));
        let mut chance = Random::new(1);
        for (attempt, asked, least) in [
            (0, None, 1),
            (3, None, 8),
            (0, Some(30), 30),
            (20, None, 300),
        ] {
            let wait = asker.wait(attempt, asked, &mut chance).as_secs_f64();
            let least = f64::from(least);
            assert!(wait >= least && wait <= least * 1.5, "{attempt}: {wait}");
        }
    }
}
