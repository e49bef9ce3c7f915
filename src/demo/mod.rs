//! `spotter dev`: all of Spotter on one machine, with a search to try it on.
//!
//! A private PostgreSQL and memcached run as child processes; server and worker run in this
//! process; the demo's imagery is drawn by [`scenery`], and its search is made through the public API.
//!
//! **Invariant:** one `spotter dev` at a time works in a state folder.
//!
//! **Invariant:** no child outlives this process: it stops them in order, and the kernel signals
//! them should it be killed.

mod api;
mod area;
mod children;
mod crowd;
mod definition;
mod folder;
mod ports;
mod seed;
mod serve;
mod services;
mod source;
mod tools;

use std::{
    future::Future,
    io::{ErrorKind, Write},
    net::{IpAddr, SocketAddr, TcpListener},
    path::PathBuf,
};

use anyhow::{Context, bail};
use clap::Args;
use futures_util::FutureExt;

pub use crowd::{CrowdConfig, run as crowd};

use crate::config::RateConfig;
use children::Children;
use folder::Folder;

/// Seed of the demo's scenery.
const SEED: u64 = 7;

/// How `spotter dev` runs.
#[derive(Args, Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct DevConfig {
    /// Address to listen at.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: IpAddr,

    /// Port to listen at. 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,

    /// Folder of the database, the tiles, the keys and the logs. Delete it to start anew.
    #[arg(long, default_value = ".state")]
    pub state: PathBuf,

    /// Simulated volunteers in the demo's search.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub crowd: u32,

    /// How many times faster than people they are.
    #[arg(long, default_value_t = 1.0, value_parser = crowd::parse_speed)]
    pub crowd_speed: f64,

    /// Start without the demo's search.
    #[arg(long, conflicts_with = "crowd")]
    pub no_demo: bool,

    /// Only PostgreSQL and memcached, for tests and for a server of your own.
    #[arg(long)]
    pub services: bool,

    /// Start PgBouncer too, in transaction mode; its URL is `PGBOUNCER_URL` in the env file.
    #[arg(long)]
    pub pgbouncer: bool,

    /// Start a service again that ends, instead of stopping everything: to try out what happens
    /// when one is killed.
    #[arg(long, requires = "services")]
    pub revive: bool,

    /// Let PostgreSQL lose data in a crash, to be faster. For tests.
    #[arg(long)]
    pub fast_and_unsafe: bool,

    #[command(flatten)]
    pub rates: RateConfig,
}

/// Runs until `stop` completes, then stops everything that it started.
pub async fn run(config: DevConfig, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let stop = stop.shared();
    let folder = Folder::open(&config.state)?;
    // Before anything is started: a port that is taken should be known at once.
    let listener = if config.services {
        None
    } else {
        Some(listen(&config)?)
    };
    if let Some(listener) = &listener {
        folder.announce(&base_url(listener.local_addr()?))?;
    }
    let mut children = Children::default();
    let started = tokio::select! {
        started = services::start(&config, &folder, &mut children) => Some(started),
        () = stop.clone() => None,
    };
    let outcome = match (started, listener) {
        (None, _) => Ok(()),
        (Some(Err(error)), _) => Err(error),
        (Some(Ok(ready)), Some(listener)) => {
            Box::pin(serve::run(
                &config,
                &folder,
                ready,
                listener,
                &mut children,
                stop,
            ))
            .await
        }
        (Some(Ok(ready)), None) => {
            serve::only_services(&config, &folder, &ready, &mut children, stop).await
        }
    };
    children.stop().await;
    outcome
}

fn listen(config: &DevConfig) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::new(config.host, config.port);
    match TcpListener::bind(address) {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "port {} at {} is taken by another program; choose another with --port",
            config.port,
            config.host
        ),
        Err(error) => {
            Err(error).with_context(|| format!("--host, --port: cannot listen at {address}"))
        }
    }
}

/// Where a browser on this machine finds a server that listens at `address`.
fn base_url(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}

/// Tells the person at the terminal. One who went away is no reason to stop.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _gone = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            let _infallible = write!(text, "{byte:02x}");
            text
        })
}
