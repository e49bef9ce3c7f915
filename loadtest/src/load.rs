//! The same kind of request over many connections, and how long the answers take.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tokio::task::JoinSet;

use crate::{
    http::Connection,
    measure::{Arrivals, Curve, Measured, Recorder},
};

/// Requests that wait to be sent at most; beyond it the machine cannot keep the pace at all.
const WAITING_MAX: usize = 100_000;

/// What is asked, of whom.
#[derive(Clone)]
pub struct Load {
    /// Addresses; connections are spread over them.
    pub servers: Vec<String>,
    /// Sent in turn.
    pub asks: Arc<Vec<Ask>>,
    pub connections: u16,
}

/// A request as bytes, and how an answer begins that counts.
#[derive(Clone, Debug)]
pub struct Ask {
    pub request: Vec<u8>,
    pub beginning: Arc<[u8]>,
}

impl Ask {
    /// The same beginning for all of these.
    pub fn all(requests: Vec<Vec<u8>>, beginning: &[u8]) -> Arc<Vec<Self>> {
        let beginning: Arc<[u8]> = beginning.into();
        let ask = |request| Self {
            request,
            beginning: Arc::clone(&beginning),
        };
        Arc::new(requests.into_iter().map(ask).collect())
    }

    /// Sends it and reads the answer, which must be the right one.
    pub async fn exchange(&self, connection: &mut Connection) -> anyhow::Result<()> {
        let answer = connection.exchange(&self.request).await?;
        ensure!(
            answer.status == 200 && answer.body.starts_with(&self.beginning),
            "answered {}: {}",
            answer.status,
            String::from_utf8_lossy(answer.body)
        );
        Ok(())
    }
}

impl Load {
    /// A closed loop: each connection asks again when it has its answer. How much can be done.
    pub async fn closed(&self, duration: Duration) -> anyhow::Result<Measured> {
        let connections = self.connect().await?;
        let next = Arc::new(AtomicU64::new(0));
        let begin = Instant::now();
        let mut tasks = JoinSet::new();
        for mut connection in connections {
            let (asks, next) = (Arc::clone(&self.asks), Arc::clone(&next));
            tasks.spawn(async move {
                let mut recorder = Recorder::new(begin);
                loop {
                    let due = Instant::now();
                    if due >= begin + duration {
                        return anyhow::Ok(recorder);
                    }
                    ask_of(&asks, next.fetch_add(1, Ordering::Relaxed))?
                        .exchange(&mut connection)
                        .await?;
                    recorder.answered(due);
                }
            });
        }
        gather(tasks, begin).await
    }

    /// An open model: requests are due at random times, so many a second, whatever the answers do.
    /// They are sent over the connections that are free, and their times count from when they were
    /// due.
    pub async fn open(
        &self,
        per_second: f64,
        duration: Duration,
        seed: u64,
    ) -> anyhow::Result<Measured> {
        let connections = self.connect().await?;
        let (dues, waiting) = async_channel(WAITING_MAX);
        let begin = Instant::now();
        let mut tasks = JoinSet::new();
        for mut connection in connections {
            let (asks, waiting) = (Arc::clone(&self.asks), Arc::clone(&waiting));
            tasks.spawn(async move {
                let mut recorder = Recorder::new(begin);
                loop {
                    let next = waiting.lock().await.recv().await;
                    let Some((nth, due)) = next else {
                        return anyhow::Ok(recorder);
                    };
                    ask_of(&asks, nth)?.exchange(&mut connection).await?;
                    recorder.answered(due);
                }
            });
        }
        for (nth, at) in (0..).zip(Arrivals::new(Curve::steady(per_second, duration), seed)) {
            let due = begin + at;
            if due > Instant::now() {
                tokio::time::sleep_until(due.into()).await;
            }
            if let Err(refused) = dues.try_send((nth, due)) {
                // A connection that failed ended its task: its error says more.
                drop(dues);
                gather(tasks, begin).await?;
                return Err(refused).context("the pace cannot be kept");
            }
        }
        drop(dues);
        gather(tasks, begin).await
    }

    async fn connect(&self) -> anyhow::Result<Vec<Connection>> {
        let mut connections = Vec::new();
        for (_, server) in (0..self.connections).zip(self.servers.iter().cycle()) {
            let opened = Connection::open(server).await;
            connections.push(opened.with_context(|| format!("cannot connect to {server}"))?);
        }
        Ok(connections)
    }
}

type Due = (u64, Instant);
type Waiting = Arc<tokio::sync::Mutex<tokio::sync::mpsc::Receiver<Due>>>;

/// A queue that many take from.
fn async_channel(capacity: usize) -> (tokio::sync::mpsc::Sender<Due>, Waiting) {
    let (sender, receiver) = tokio::sync::mpsc::channel(capacity);
    (sender, Arc::new(tokio::sync::Mutex::new(receiver)))
}

fn ask_of(asks: &[Ask], nth: u64) -> anyhow::Result<&Ask> {
    let index = usize::try_from(nth)? % asks.len().max(1);
    asks.get(index).context("nothing to ask")
}

async fn gather(
    mut tasks: JoinSet<anyhow::Result<Recorder>>,
    begin: Instant,
) -> anyhow::Result<Measured> {
    let mut all = Recorder::new(begin);
    while let Some(done) = tasks.join_next().await {
        all.merge(&done??);
    }
    Ok(all.finish(begin.elapsed(), 1))
}
