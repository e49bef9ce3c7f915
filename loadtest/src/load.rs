//! Requests over many connections, and how long the answers take.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tokio::task::JoinSet;

use crate::http::Connection;

/// What is asked, of whom.
#[derive(Clone)]
pub struct Load {
    /// Addresses; connections are spread over them.
    pub servers: Vec<String>,
    /// Sent in turn.
    pub requests: Arc<Vec<Vec<u8>>>,
    pub connections: u16,
    /// How every answer begins that counts.
    pub beginning: Vec<u8>,
}

/// How requests follow each other.
#[derive(Clone, Copy, Debug)]
enum Pace {
    /// The next one when the answer is there: how much can be done at most.
    Closed,
    /// So many a second, whatever the answers do: how long people wait. An answer that comes late
    /// delays the requests behind it, and their time counts from when they should have been sent.
    Open(f64),
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Measured {
    pub answers: u64,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// What all connections share.
struct Run {
    load: Load,
    pace: Pace,
    begin: Instant,
    end: Instant,
    next: AtomicU64,
}

impl Load {
    /// As many requests as the connections can carry.
    pub async fn closed(&self, duration: Duration) -> anyhow::Result<Measured> {
        self.run(Pace::Closed, duration).await
    }

    /// So many requests a second.
    pub async fn open(&self, per_second: f64, duration: Duration) -> anyhow::Result<Measured> {
        self.run(Pace::Open(per_second), duration).await
    }

    async fn run(&self, pace: Pace, duration: Duration) -> anyhow::Result<Measured> {
        let mut connections = Vec::new();
        for (_, server) in (0..self.connections).zip(self.servers.iter().cycle()) {
            let opened = Connection::open(server).await;
            connections.push(opened.with_context(|| format!("cannot connect to {server}"))?);
        }
        let begin = Instant::now();
        let run = Arc::new(Run {
            load: self.clone(),
            pace,
            begin,
            end: begin + duration,
            next: AtomicU64::new(0),
        });
        let mut tasks = JoinSet::new();
        for connection in connections {
            tasks.spawn(Arc::clone(&run).drive(connection));
        }
        let mut times_us = Vec::new();
        while let Some(done) = tasks.join_next().await {
            times_us.extend(done??);
        }
        Ok(summary(times_us, begin.elapsed()))
    }
}

impl Run {
    /// Sends and reads until the end; gives the microseconds of each answer.
    async fn drive(self: Arc<Self>, mut connection: Connection) -> anyhow::Result<Vec<u32>> {
        let mut times_us = Vec::with_capacity(64 * 1024);
        loop {
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            let begin = match self.pace {
                Pace::Closed => Instant::now(),
                Pace::Open(per_second) => {
                    let nth = u32::try_from(turn).context("too many requests")?;
                    self.begin + Duration::from_secs_f64(f64::from(nth) / per_second)
                }
            };
            if begin >= self.end {
                return Ok(times_us);
            }
            if begin > Instant::now() {
                tokio::time::sleep_until(begin.into()).await;
            }
            let requests = &self.load.requests;
            let index = usize::try_from(turn)? % requests.len();
            let answer = connection.exchange(&requests[index]).await?;
            ensure!(
                answer.status == 200 && answer.body.starts_with(&self.load.beginning),
                "answered {}: {}",
                answer.status,
                String::from_utf8_lossy(answer.body)
            );
            let us = begin.elapsed().as_micros();
            times_us.push(u32::try_from(us).unwrap_or(u32::MAX));
        }
    }
}

/// Rates and times of so many answers.
pub fn summary(mut times_us: Vec<u32>, elapsed: Duration) -> Measured {
    times_us.sort_unstable();
    let at = |percent: usize| {
        let index = (times_us.len() * percent / 100).min(times_us.len().saturating_sub(1));
        f64::from(times_us.get(index).copied().unwrap_or_default()) / 1000.0
    };
    let answers = u32::try_from(times_us.len()).unwrap_or(u32::MAX);
    Measured {
        answers: answers.into(),
        per_second: f64::from(answers) / elapsed.as_secs_f64(),
        p50_ms: at(50),
        p99_ms: at(99),
        max_ms: at(100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_times_are_summed_up() {
        let times: Vec<u32> = (1..=100).rev().map(|ms| ms * 1000).collect();
        let measured = summary(times, Duration::from_secs(2));
        assert_eq!(measured.answers, 100);
        let found = [
            measured.per_second,
            measured.p50_ms,
            measured.p99_ms,
            measured.max_ms,
        ];
        for (found, wanted) in found.iter().zip([50.0, 51.0, 100.0, 100.0]) {
            assert!((found - wanted).abs() < 1e-9, "{measured:?}");
        }
    }

    #[test]
    fn nothing_is_summed_up_to_nothing() {
        assert_eq!(summary(Vec::new(), Duration::from_secs(1)).answers, 0);
    }
}
