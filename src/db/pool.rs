//! A small, fixed number of connections with bounded waits.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use anyhow::Context;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::NoTls;

use super::DbError;
use crate::config::DatabaseConfig;

/// Longest time to open a new connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A database that vanished without a word is noticed after the first and three of the second.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(5);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
const KEEPALIVE_RETRIES: u32 = 3;

/// The pool of one process. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
}

/// One connection, given back when dropped.
pub struct Connection(Object);

/// What the database says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Up,
    Away,
}

/// Longest wait for an answer about health.
const HEALTH_WITHIN: Duration = Duration::from_secs(1);
/// Connections that the crowd's requests never hold, for what must be known whatever the crowd.
const APART: usize = 2;

impl Db {
    pub fn open(config: &DatabaseConfig) -> anyhow::Result<Self> {
        Self::open_sized(config, usize::from(config.database_pool_size))
    }

    /// A few connections of their own, for health, metrics and the mode of the service.
    pub fn open_apart(config: &DatabaseConfig) -> anyhow::Result<Self> {
        Self::open_sized(config, APART)
    }

    fn open_sized(config: &DatabaseConfig, size: usize) -> anyhow::Result<Self> {
        let mut url: tokio_postgres::Config = config
            .database_url
            .parse()
            .context("DATABASE_URL is not a PostgreSQL URL")?;
        url.connect_timeout(CONNECT_TIMEOUT)
            .keepalives_idle(KEEPALIVE_IDLE)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_RETRIES);
        let manager = Manager::from_config(
            url,
            NoTls,
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let pool = Pool::builder(manager)
            .max_size(size)
            .wait_timeout(Some(config.wait()))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .recycle_timeout(Some(Duration::from_secs(1)))
            .runtime(Runtime::Tokio1)
            .build()
            .context("the pool of database connections")?;
        Ok(Self { pool })
    }

    /// A connection, or an error when none is free within the wait that is allowed.
    pub async fn get(&self) -> Result<Connection, DbError> {
        Ok(Connection(self.pool.get().await?))
    }

    /// Reads something small within a time. A connection that did not answer is given up, so that
    /// the next attempt has another one.
    pub async fn within<T>(
        &self,
        time: Duration,
        read: impl AsyncFnOnce(&tokio_postgres::Client) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let late = || DbError::Away(format!("no answer within {} ms", time.as_millis()));
        let until = Instant::now() + time;
        let Ok(conn) = timeout_at(until, self.get()).await else {
            return Err(late());
        };
        let conn = conn?;
        let answered = timeout_at(until, read(&conn)).await;
        answered.unwrap_or_else(|_| {
            drop(Object::take(conn.0));
            Err(late())
        })
    }

    pub async fn health(&self) -> Health {
        let answer = self.within(HEALTH_WITHIN, async |conn| {
            let sql = "-- db::health\nSELECT 1::int4 AS one";
            conn.query_typed_one(sql, &[]).await?;
            Ok(())
        });
        match answer.await {
            Ok(()) => Health::Up,
            Err(_) => Health::Away,
        }
    }

    /// Connections of the pool: open, idle, and requests that wait for one.
    pub fn status(&self) -> (usize, usize, usize) {
        let status = self.pool.status();
        (status.size, status.available, status.waiting)
    }
}

impl Connection {
    /// Begins a transaction that rolls back unless it is committed.
    pub async fn begin(&mut self) -> Result<tokio_postgres::Transaction<'_>, DbError> {
        let client: &mut tokio_postgres::Client = &mut self.0;
        Ok(client.transaction().await?)
    }

    /// Begins a transaction in which all statements see one state of the database.
    pub async fn begin_snapshot(&mut self) -> Result<tokio_postgres::Transaction<'_>, DbError> {
        let client: &mut tokio_postgres::Client = &mut self.0;
        Ok(client
            .build_transaction()
            .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await?)
    }
}

impl Deref for Connection {
    type Target = tokio_postgres::Client;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
