//! What a running process holds: one value, shared by all handlers and jobs.

use std::{ops::Deref, sync::Arc};

use crate::{
    cache::Cache,
    clock::Clock,
    config::Config,
    db::Db,
    objects::{self, Objects},
};

/// Everything a feature may use. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

pub struct Parts {
    pub config: Arc<Config>,
    pub clock: Clock,
    pub db: Db,
    /// Connections for health, metrics and the mode, which the crowd's requests never hold.
    pub db_apart: Db,
    pub cache: Cache,
    pub objects: Objects,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Opens what the settings name. Neither the database nor memcached need be there yet; metrics
    /// that are to be seen must be.
    pub async fn open(config: Config) -> anyhow::Result<Self> {
        config.check()?;
        let clock = Clock::default();
        Ok(Self(Arc::new(Parts {
            db: Db::open(&config.database)?,
            db_apart: Db::open_apart(&config.database)?,
            cache: Cache::open(&config.memcached, &config.cache_prefix, clock.clone()).await?,
            objects: objects::open(&config.store, &clock).await?,
            clock,
            config: Arc::new(config),
        })))
    }
}
