//! What a running process holds: one value, shared by all handlers and jobs.

use std::sync::Arc;

use object_store::ObjectStore;

use crate::{cache::Cache, clock::Clock, config::Config, db::Db, objects};

/// Everything a feature may use. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub config: Arc<Config>,
    pub clock: Clock,
    pub db: Db,
    pub cache: Cache,
    pub objects: Arc<dyn ObjectStore>,
}

impl App {
    /// Opens what the settings name. Neither the database nor memcached need be there yet.
    pub async fn open(config: Config) -> anyhow::Result<Self> {
        config.check()?;
        Ok(Self {
            clock: Clock::default(),
            db: Db::open(&config.database)?,
            cache: Cache::open(&config.memcached, &config.cache_prefix).await?,
            objects: objects::open(&config.store)?,
            config: Arc::new(config),
        })
    }
}
