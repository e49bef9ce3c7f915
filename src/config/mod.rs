//! Settings, by flag or environment, checked once at start.
//!
//! **Invariant:** nothing else reads the environment, but for the `AWS_…` of the object store, and a
//! wrong setting stops the start with a message that names it.

mod rates;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, ensure};
use clap::Args;

pub use rates::{Network, ProxyHeader, Rate, RateConfig};

/// What every command that touches the database needs.
#[derive(Args, Clone, Debug)]
pub struct DatabaseConfig {
    /// Where PostgreSQL (or `PgBouncer` in transaction mode) is reached, as a URL.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,

    /// Connections to the database that one process holds at most.
    #[arg(long, env = "DATABASE_POOL_SIZE", default_value_t = 8, value_parser = clap::value_parser!(u16).range(2..=512))]
    pub database_pool_size: u16,

    /// Longest wait for a free connection, in milliseconds. Beyond it the answer is 503.
    #[arg(long, env = "DATABASE_WAIT_MS", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub database_wait_ms: u64,
}

impl DatabaseConfig {
    pub fn wait(&self) -> Duration {
        Duration::from_millis(self.database_wait_ms)
    }
}

/// What `serve` and `worker` share.
#[derive(Args, Clone, Debug)]
pub struct Config {
    #[command(flatten)]
    pub database: DatabaseConfig,

    /// memcached servers, `host:port`, separated by commas.
    #[arg(
        long,
        env = "MEMCACHED",
        value_delimiter = ',',
        default_value = "127.0.0.1:11211"
    )]
    pub memcached: Vec<String>,

    /// Prefix of every key in memcached, so that two installations can share it.
    #[arg(long, env = "CACHE_PREFIX", default_value = "spotter")]
    pub cache_prefix: String,

    /// The object store (tiles, exports): a folder that all servers share, or `s3://bucket/prefix`.
    /// Then the environment says where the service is and who we are there, as for other clients of
    /// S3: `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` …
    #[arg(long, env = "STORE", default_value = ".state/store")]
    pub store: String,

    /// Mebibytes that tiles may take in a folder as object store. Beyond it workers throw away those
    /// of old revisions, then those that were used longest ago. Without it they stay for ever.
    #[arg(long, env = "TILE_STORE_MB", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub tile_store_mb: Option<u64>,

    /// Where clients reach the servers, such as `https://spotter.example.org`, for answers that name
    /// whole addresses. Without it they are made from what the request says.
    #[arg(long, env = "PUBLIC_URL")]
    pub public_url: Option<String>,

    /// Keys that sign volunteers' tokens: `name:64 hex digits`, separated by commas. The first
    /// signs; all verify, so that a key can be rotated without logging anybody out.
    #[arg(
        long,
        env = "TOKEN_KEYS",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub token_keys: Vec<String>,

    /// Mebibytes of tiles that one process keeps in its memory.
    #[arg(long, env = "TILE_MEMORY_MB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    pub tile_memory_mb: u64,

    /// Longest wait for a tile that is being fetched, in milliseconds. Beyond it the answer is 503;
    /// the fetch goes on.
    #[arg(long, env = "TILE_WAIT_MS", default_value_t = 15_000, value_parser = clap::value_parser!(u64).range(1..=120_000))]
    pub tile_wait_ms: u64,

    /// Longest time that a source may take for one tile, in milliseconds.
    #[arg(long, env = "TILE_FETCH_MS", default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(1..=300_000))]
    pub tile_fetch_ms: u64,

    /// Let imagery layers name sources at loopback and private addresses.
    #[arg(long, env = "ALLOW_INTERNAL_SOURCES", num_args = 0..=1, default_value_t = false, default_missing_value = "true")]
    pub allow_internal_sources: bool,

    #[command(flatten)]
    pub rates: RateConfig,
}

impl Config {
    /// Checks what clap cannot.
    pub fn check(&self) -> anyhow::Result<()> {
        self.database
            .database_url
            .parse::<tokio_postgres::Config>()
            .context("DATABASE_URL is not a PostgreSQL URL (postgres://user@host:port/database)")?;
        ensure!(
            self.memcached.iter().all(|node| node
                .rsplit_once(':')
                .is_some_and(|(host, port)| { !host.is_empty() && port.parse::<u16>().is_ok() })),
            "MEMCACHED must be host:port, separated by commas; found {:?}",
            self.memcached.join(",")
        );
        ensure!(
            !self.cache_prefix.is_empty()
                && self.cache_prefix.len() <= 32
                && self
                    .cache_prefix
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
            "CACHE_PREFIX must be 1 to 32 letters, digits, '-' or '_'"
        );
        if let Some(address) = &self.public_url {
            let is_web = url::Url::parse(address)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
                && !address.contains(['?', '#']);
            ensure!(
                is_web,
                "PUBLIC_URL must be an address such as https://spotter.example.org; found {address:?}"
            );
        }
        ensure!(
            self.tile_store_mb.is_none() || !self.store.contains("://"),
            "TILE_STORE_MB is for a folder; give the bucket of STORE a rule by which its service deletes"
        );
        ensure!(
            !self.token_keys.is_empty(),
            "TOKEN_KEYS is missing: give name:64 hex digits, for example k1:$(openssl rand -hex 32)"
        );
        Ok(())
    }
}

/// Connections of one server at most.
pub const MAX_CONNECTIONS: u32 = 16_384;
/// How long a connection is kept for its next request.
pub const KEEP_ALIVE_SECONDS: u64 = 30;
/// How long a client may keep the server waiting.
pub const SLOW_CLIENT_SECONDS: u64 = 10;

/// Where and how `serve` listens.
#[derive(Args, Clone, Debug)]
pub struct ListenConfig {
    /// Address to listen at.
    #[arg(long, env = "HOST", default_value = "127.0.0.1")]
    pub host: IpAddr,

    /// Port to listen at. 0 takes a free one.
    #[arg(long, env = "PORT", default_value_t = 8080)]
    pub port: u16,

    /// Threads that serve requests. 0 takes one for each core.
    #[arg(long, env = "HTTP_WORKERS", default_value_t = 0)]
    pub http_workers: usize,

    /// Connections that are open at once, at most; others wait for one of them to end. Fewer when
    /// the process may not open as many files.
    #[arg(long, env = "MAX_CONNECTIONS", default_value_t = MAX_CONNECTIONS, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,

    /// How long a connection is kept for its next request, in seconds. Longer than a load balancer
    /// keeps it.
    #[arg(long, env = "KEEP_ALIVE_SECONDS", default_value_t = KEEP_ALIVE_SECONDS, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub keep_alive_seconds: u64,

    /// How long a client may take for the head of a request, and how long a body or an answer may
    /// make no progress, in seconds.
    #[arg(long, env = "SLOW_CLIENT_SECONDS", default_value_t = SLOW_CLIENT_SECONDS, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub slow_client_seconds: u64,

    /// How long a stopping server waits for requests that it accepted, in seconds.
    #[arg(long, env = "SHUTDOWN_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub shutdown_seconds: u64,

    /// How long a stopping server goes on answering while `/readyz` already says 503, in seconds,
    /// so that a load balancer can take it out.
    #[arg(long, env = "DRAIN_SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=600))]
    pub drain_seconds: u64,

    #[command(flatten)]
    pub admission: AdmissionConfig,
}

/// How many requests of each class a server has in work at once. Each process counts for itself.
#[derive(Args, Clone, Debug)]
pub struct AdmissionConfig {
    /// Reads in work at once. Beyond each of these limits requests wait, and are refused with 503.
    #[arg(long, env = "IN_WORK_READS", default_value_t = 256, value_parser = in_work())]
    pub in_work_reads: u32,

    /// Looks, and changes of tags.
    #[arg(long, env = "IN_WORK_LOOKS", default_value_t = 2048, value_parser = in_work())]
    pub in_work_looks: u32,

    /// Questions where to look next.
    #[arg(long, env = "IN_WORK_ASSIGNMENTS", default_value_t = 2048, value_parser = in_work())]
    pub in_work_assignments: u32,

    /// Tiles of imagery.
    #[arg(long, env = "IN_WORK_TILES", default_value_t = 1024, value_parser = in_work())]
    pub in_work_tiles: u32,

    /// What organisers ask.
    #[arg(long, env = "IN_WORK_ORGANISERS", default_value_t = 64, value_parser = in_work())]
    pub in_work_organisers: u32,

    /// Downloads, each until its last byte.
    #[arg(long, env = "IN_WORK_EXPORTS", default_value_t = 8, value_parser = in_work())]
    pub in_work_exports: u32,

    /// Live streams of phones' changes that are open at once. Beyond it clients are told to come back.
    #[arg(long, env = "IN_WORK_STREAMS", default_value_t = 8192, value_parser = in_work())]
    pub in_work_streams: u32,

    /// For each of those in work so many may wait.
    #[arg(long, env = "QUEUE_FACTOR", default_value_t = 4, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub queue_factor: u32,

    /// Longest wait in such a queue, in milliseconds.
    #[arg(long, env = "QUEUE_WAIT_MS", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub queue_wait_ms: u64,

    /// Longest work on a read or a question where to look next, in seconds; twice that for a tile,
    /// eight times for organisers, forty for looks, whose batches may come over slow lines. Beyond
    /// it the answer is 503.
    #[arg(long, env = "REQUEST_SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub request_seconds: u64,
}

fn in_work() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=100_000)
}

impl Default for AdmissionConfig {
    /// As on the command line when nothing is said.
    fn default() -> Self {
        Self {
            in_work_reads: 256,
            in_work_looks: 2048,
            in_work_assignments: 2048,
            in_work_tiles: 1024,
            in_work_organisers: 64,
            in_work_exports: 8,
            in_work_streams: 8192,
            queue_factor: 4,
            queue_wait_ms: 2000,
            request_seconds: 15,
        }
    }
}

/// Where `worker` tells how it is.
#[derive(Args, Clone, Debug)]
pub struct WatchConfig {
    /// Address and port at which a worker answers `/livez` and `/metrics`, such as `0.0.0.0:9100`;
    /// without it, nowhere. Port 0 takes a free one.
    #[arg(long, env = "METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,
}

/// Form of the log on standard error.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

#[derive(Args, Clone, Debug)]
pub struct LogConfig {
    /// What is logged: a level, or directives such as `spotter=debug,info`.
    #[arg(long, env = "LOG", default_value = "info", global = true)]
    pub log: String,

    #[arg(
        long,
        env = "LOG_FORMAT",
        value_enum,
        default_value = "json",
        global = true
    )]
    pub log_format: LogFormat,
}
