//! The shared cache tier: a near cache in the process, then memcached, then whoever loads.
//!
//! **Invariant:** memcached may be empty, slow, flushed or gone, and every answer is still
//! right. So nothing is kept in it that cannot be loaded again, and each wait is bounded.
//!
//! **Invariant:** every look-up is counted exactly once, as near, shared, miss or bypass.

mod keys;
mod router;

use std::{any::Any, future::Future, sync::Arc, time::Duration};

use anyhow::Context;
use memcache::exp::AsyncMemcache;
use serde::{Serialize, de::DeserializeOwned};

pub use keys::Key;

/// Longest time to open a connection to memcached.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(150);
/// Longest time of one exchange with memcached.
const EXCHANGE_TIMEOUT: Duration = Duration::from_millis(100);
/// Connections to each memcached that one process holds at most.
const CONNECTIONS_MAX: usize = 64;
/// How long a value may be served from the process itself.
const NEAR_LIFETIME: Duration = Duration::from_millis(500);
/// Values in the near cache.
const NEAR_ENTRIES_MAX: u64 = 10_000;

#[derive(Clone)]
pub struct Cache {
    near: moka::future::Cache<String, Arc<dyn Any + Send + Sync>>,
    shared: Arc<AsyncMemcache>,
    prefix: Arc<str>,
}

/// Whether memcached answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Up,
    Away,
}

impl Cache {
    /// Connects when first used: memcached need not be there.
    pub async fn open(nodes: &[String], prefix: &str) -> anyhow::Result<Self> {
        let shared = AsyncMemcache::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(EXCHANGE_TIMEOUT)
            .max_connections(CONNECTIONS_MAX)
            .router(router::Rendezvous)
            .connect_async(nodes.iter().cloned())
            .await
            .with_context(|| format!("MEMCACHED: cannot use {}", nodes.join(",")))?;
        Ok(Self {
            near: moka::future::Cache::builder()
                .max_capacity(NEAR_ENTRIES_MAX)
                .time_to_live(NEAR_LIFETIME)
                .build(),
            shared: Arc::new(shared),
            prefix: prefix.into(),
        })
    }

    /// The value under a key; loaded once for all who ask at the same time in this process.
    ///
    /// A value that `keep` refuses is given to those who wait and then forgotten.
    pub async fn get_or_load<T, E, F>(
        &self,
        key: &Key,
        keep: impl Fn(&T) -> bool,
        load: F,
    ) -> Result<Arc<T>, E>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
        E: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T, E>>,
    {
        let name = key.name(&self.prefix);
        if let Some(value) = self.near.get(&name).await.and_then(|v| v.downcast().ok()) {
            count(key, "near");
            return Ok(value);
        }
        let fill = async {
            if let Some(value) = self.read_shared::<T>(key, &name).await {
                return Ok::<Arc<dyn Any + Send + Sync>, E>(Arc::new(value));
            }
            let value = load.await?;
            if keep(&value) {
                self.write_shared(key, &name, &value).await;
            }
            Ok(Arc::new(value))
        };
        let value = self
            .near
            .try_get_with(name.clone(), fill)
            .await
            .map_err(|e: Arc<E>| (*e).clone())?;
        let value: Arc<T> = match value.downcast() {
            Ok(value) => value,
            Err(_) => unreachable!("a key names values of one type"),
        };
        if !keep(&value) {
            self.near.invalidate(&name).await;
        }
        Ok(value)
    }

    /// Forgets a value here and in memcached, after a change was committed. Other processes
    /// forget it within their near cache's lifetime.
    pub async fn forget(&self, key: &Key) {
        let name = key.name(&self.prefix);
        self.near.invalidate(&name).await;
        if let Err(e) = self.shared.delete(&name).await {
            tracing::warn!(cache.key = name, cause = %e, "memcached kept an old value; it lapses by itself");
        }
    }

    /// Raises a flag that all servers see for its lifetime; a hint, since memcached may be away.
    pub async fn raise(&self, key: &Key) {
        self.write_shared(key, &key.name(&self.prefix), &true).await;
    }

    /// Whether any server raised a flag; not when memcached is away.
    pub async fn is_raised(&self, key: &Key) -> bool {
        let flag = self.read_shared::<bool>(key, &key.name(&self.prefix)).await;
        flag.unwrap_or_default()
    }

    pub async fn health(&self) -> Health {
        let name = Key::Health.name(&self.prefix);
        match self
            .shared
            .set(&name, b"up".to_vec(), Key::Health.lifetime())
            .await
        {
            Ok(()) => Health::Up,
            Err(_) => Health::Away,
        }
    }

    async fn read_shared<T: DeserializeOwned>(&self, key: &Key, name: &str) -> Option<T> {
        match self.shared.get::<Vec<u8>>(name).await {
            Ok(Some(bytes)) => {
                let value = serde_json::from_slice(&bytes).ok();
                count(key, if value.is_some() { "shared" } else { "miss" });
                value
            }
            Ok(None) => {
                count(key, "miss");
                None
            }
            Err(_) => {
                count(key, "bypass");
                None
            }
        }
    }

    async fn write_shared<T: Serialize>(&self, key: &Key, name: &str, value: &T) {
        let Ok(bytes) = serde_json::to_vec(value) else {
            return;
        };
        if let Err(e) = self.shared.set(name, bytes, key.lifetime()).await {
            tracing::debug!(cache.key = name, cause = %e, "memcached did not take a value");
        }
    }
}

fn count(key: &Key, outcome: &'static str) {
    metrics::counter!("cache_lookups_total", "family" => key.family(), "outcome" => outcome)
        .increment(1);
}
