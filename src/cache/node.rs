//! One memcached: its connections, how long it is waited for, and when it is left alone.
//!
//! **Invariant:** each exchange ends within [`CONNECT_TIMEOUT`] twice and [`EXCHANGE_TIMEOUT`]
//! once, a change of a number within [`CHANGE_TIMEOUT`], whatever the node does.

use std::{
    future::{Future, ready},
    time::{Duration, Instant},
};

use anyhow::Context;
use memcache::exp::{AsyncMemcache, Error, Result};
use tokio::time::timeout;

use super::breaker::Breaker;

/// Longest wait for a connection: for one that is free, and for a new one.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(100);
/// Longest wait for an answer.
const EXCHANGE_TIMEOUT: Duration = Duration::from_millis(100);
/// Connections that one process holds at most.
const CONNECTIONS_MAX: usize = 32;

/// Longest wait for a number to be read and written.
const CHANGE_TIMEOUT: Duration = Duration::from_millis(300);
/// How often a change of a number begins anew when others are faster; the client tries eight
/// times each.
const CHANGE_TRIALS: usize = 4;

/// Bytes of a text that grows.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// What is there stays as it is.
#[derive(Debug, thiserror::Error)]
#[error("unchanged")]
struct Unchanged;

pub struct Node {
    pub address: String,
    client: AsyncMemcache,
    breaker: Breaker,
    began: Instant,
}

/// What came of asking a node.
#[derive(Debug)]
pub enum Answer<T> {
    Given(T),
    /// It did not answer.
    Failed,
    /// It is being left alone.
    LeftAlone,
}

impl Node {
    /// Connects when first used: the node need not be there, but its name must be known.
    pub async fn open(address: &str) -> anyhow::Result<Self> {
        let client = AsyncMemcache::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(EXCHANGE_TIMEOUT)
            .max_connections(CONNECTIONS_MAX)
            .connect_async([address])
            .await
            .with_context(|| format!("MEMCACHED: cannot use {address}"))?;
        Ok(Self {
            address: address.to_owned(),
            client,
            breaker: Breaker::default(),
            began: Instant::now(),
        })
    }

    pub async fn get(&self, name: &str) -> Answer<Option<Vec<u8>>> {
        self.exchange(self.client.get(name)).await
    }

    pub async fn set(&self, name: &str, bytes: Vec<u8>, lifetime: Duration) -> Answer<()> {
        self.exchange(self.client.set(name, bytes, lifetime)).await
    }

    /// Stores where nothing is; whether it was so.
    pub async fn add(&self, name: &str, bytes: Vec<u8>, lifetime: Duration) -> Answer<bool> {
        self.exchange(self.client.add(name, bytes, lifetime)).await
    }

    /// Changes a number in one atomic step, or leaves it as it is when `change` gives nothing.
    /// `change` is asked again when somebody else was faster.
    pub async fn change(
        &self,
        name: &str,
        lifetime: Duration,
        mut change: impl FnMut(Option<u64>) -> Option<u64>,
    ) -> Answer<()> {
        let changing = async {
            for _ in 0..CHANGE_TRIALS {
                let step = |current| ready(change(current).ok_or(Unchanged));
                match self.client.try_update(name, lifetime, step).await {
                    Ok(_) | Err(Error::Callback(_)) => return Ok(()),
                    Err(Error::Conflict) => {}
                    Err(e) => return Err(e),
                }
            }
            Err(Error::Conflict)
        };
        let bounded = async {
            let late = |_| Error::Timeout {
                key: name.as_bytes().to_vec(),
            };
            timeout(CHANGE_TIMEOUT, changing)
                .await
                .unwrap_or_else(|e| Err(late(e)))
        };
        self.exchange(bounded).await
    }

    /// Adds to the end of a text, or begins it; not to one that is full. (memcached 1.6.18 does
    /// not begin a text that is appended to.)
    pub async fn append(&self, name: &str, text: &str, lifetime: Duration) -> Answer<()> {
        let append = |known: Option<String>| {
            let longer = known.unwrap_or_default() + text;
            ready(if longer.len() <= TEXT_BYTES_MAX {
                Ok(longer)
            } else {
                Err(Unchanged)
            })
        };
        let appending = async {
            match self.client.try_update(name, lifetime, append).await {
                Ok(_) | Err(Error::Callback(_)) => Ok(()),
                Err(e) => Err(e),
            }
        };
        self.exchange(appending).await
    }

    pub async fn delete(&self, name: &str) -> Answer<()> {
        self.exchange(self.client.delete(name)).await
    }

    /// Whether it answers now, also when it is being left alone.
    pub async fn is_up(&self, name: &str, lifetime: Duration) -> bool {
        let asked = self.client.set(name, b"up".to_vec(), lifetime).await;
        matches!(self.note(asked), Answer::Given(()))
    }

    async fn exchange<T>(&self, exchange: impl Future<Output = Result<T>>) -> Answer<T> {
        if !self.breaker.admits(self.began.elapsed()) {
            return Answer::LeftAlone;
        }
        self.note(exchange.await)
    }

    fn note<T>(&self, outcome: Result<T>) -> Answer<T> {
        match outcome {
            Ok(given) => {
                self.has_answered();
                Answer::Given(given)
            }
            Err(cause) => {
                if is_of_the_node(&cause) {
                    self.has_failed(&cause);
                } else {
                    self.has_answered();
                    tracing::warn!(cache.node = self.address, cause = %cause, "memcached refused an exchange");
                }
                Answer::Failed
            }
        }
    }

    fn has_answered(&self) {
        if self.breaker.succeeded() {
            tracing::info!(cache.node = self.address, "memcached answers again");
            self.show(0.0);
        }
    }

    fn has_failed(&self, cause: &Error) {
        if self.breaker.failed(self.began.elapsed()) {
            tracing::warn!(cache.node = self.address, cause = %cause, "memcached does not answer; it is left alone and tried once a second");
            self.show(1.0);
        }
    }

    fn show(&self, away: f64) {
        metrics::gauge!("cache_node_away", "node" => self.address.clone()).set(away);
    }
}

/// Whether an error says that the node is in trouble, and not only that it refused something.
fn is_of_the_node(error: &Error) -> bool {
    matches!(
        error,
        Error::Io(_) | Error::Timeout { .. } | Error::Ambiguous { .. } | Error::Protocol(_)
    )
}
