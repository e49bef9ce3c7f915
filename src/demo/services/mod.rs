//! The services of one state folder: PostgreSQL, memcached, PgBouncer on request.

mod memcached;
mod pgbouncer;
mod place;
mod postgres;

use std::{net::Ipv4Addr, time::Duration};

use anyhow::Context;
use rand::Rng;
use tokio::net::TcpStream;

use super::{
    DevConfig,
    children::Children,
    folder::{Folder, read_word, write_private},
    hex,
    ports::Ports,
    tools::Account,
};
use crate::{
    accounts::{self, Scope},
    config::{Config, DatabaseConfig},
    db::{self, Db},
};

/// Longest wait for memcached or PgBouncer to listen.
const LISTEN_WAIT: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(20);

/// What is ready to be served with.
pub struct Ready {
    pub config: Config,
    pub organiser_key: String,
    pub pgbouncer_url: Option<String>,
}

/// Starts the services and brings the database's schema up to date.
pub async fn start(
    config: &DevConfig,
    folder: &Folder,
    children: &mut Children,
) -> anyhow::Result<Ready> {
    let account = Account::choose()?;
    let mut ports = Ports::open(folder);
    let place = place::choose(folder, &account)?;
    let postgres = postgres::start(config, folder, &account, &place, &mut ports, children).await?;
    let pgbouncer_url = if config.pgbouncer {
        Some(pgbouncer::start(folder, &account, &place, &postgres, &mut ports, children).await?)
    } else {
        None
    };
    let memcached = memcached::start(folder, &account, &mut ports, children).await?;
    let config = Config {
        database: DatabaseConfig {
            database_url: postgres.url(postgres::DATABASE),
            database_pool_size: 8,
            database_wait_ms: 2000,
        },
        memcached: vec![memcached],
        cache_prefix: "spotter".to_owned(),
        store: folder.join("store").to_string_lossy().into_owned(),
        token_keys: vec![folder.secret("token.keys", || format!("dev:{}", random_hex()))?],
        tile_memory_mb: 64,
        tile_wait_ms: 15_000,
        tile_fetch_ms: 30_000,
        tile_store_mb: None,
        public_url: None,
        allow_internal_sources: true,
        rates: config.rates.clone(),
    };
    let db = Db::open(&config.database)?;
    db::migrate(&db)
        .await
        .context("the schema could not be brought up to date")?;
    let organiser_key = organiser_key(folder, &db).await?;
    Ok(Ready {
        config,
        organiser_key,
        pgbouncer_url,
    })
}

/// The key of the last run, or a new one if that was revoked or belongs to another database.
async fn organiser_key(folder: &Folder, db: &Db) -> anyhow::Result<String> {
    let path = folder.join("organiser.key");
    let kept = read_word(&path)?;
    let known = accounts::list(db).await?;
    let works = |key: &String| {
        let prefix = key.split('_').nth(1);
        known
            .iter()
            .any(|row| row.revoked_at.is_none() && Some(row.prefix.as_str()) == prefix)
    };
    if let Some(key) = kept.filter(works) {
        return Ok(key);
    }
    let scopes = [Scope::Campaigns, Scope::Imagery, Scope::Read];
    let key = accounts::create(db, "spotter dev", &scopes).await?;
    write_private(&path, key.as_str())?;
    Ok(key.as_str().to_owned())
}

/// 256 random bits.
fn random_hex() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill(&mut bytes);
    hex(&bytes)
}

/// Waits until a service listens, and fails when it ended or never does.
async fn wait_for_port(
    name: &str,
    port: u16,
    folder: &Folder,
    children: &mut Children,
) -> anyhow::Result<()> {
    let waiting = async {
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .is_err()
        {
            if let Some(status) = children.ended(name) {
                anyhow::bail!(
                    "{name} ended at once ({status}):\n{}",
                    log_end(folder, name)
                );
            }
            tokio::time::sleep(STEP).await;
        }
        Ok(())
    };
    tokio::time::timeout(LISTEN_WAIT, waiting)
        .await
        .with_context(|| {
            format!(
                "{name} does not listen after {} s:\n{}",
                LISTEN_WAIT.as_secs(),
                log_end(folder, name)
            )
        })?
}

/// Log file of a service, opened by us, since its account may not reach the state folder.
fn log_file(folder: &Folder, name: &str) -> anyhow::Result<std::fs::File> {
    const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;
    let path = folder.join("log").join(format!("{name}.log"));
    if path
        .metadata()
        .is_ok_and(|found| found.len() > LOG_BYTES_MAX)
    {
        std::fs::rename(&path, path.with_extension("log.old"))?;
    }
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The last lines of a service's log, for an error.
fn log_end(folder: &Folder, name: &str) -> String {
    const LINES: usize = 12;
    let path = folder.join("log").join(format!("{name}.log"));
    let text = std::fs::read(&path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    format!(
        "{}\n(from {})",
        lines[lines.len().saturating_sub(LINES)..].join("\n"),
        path.display()
    )
}
