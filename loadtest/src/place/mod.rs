//! A place to measure in: private services, servers, a worker, a source of tiles. All of it ends with
//! us, and all of it is at loopback.

mod cut;
mod nginx;
mod process;
mod services;

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, ensure};
use tokio::process::{Child, Command};

pub use cut::Cut;
pub use nginx::Nginx;
pub use process::{Process, allow_connections, free_port};
pub use services::Service;

use crate::{
    http,
    statements::{self, ROLE},
};
use process::{dying_with_us, ourselves};

/// Limits that would only measure themselves: all clients here come from one address.
const SWITCHED_OFF: [(&str, &str); 6] = [
    ("RATE_VOLUNTEER", "0"),
    ("RATE_ORGANISER", "0"),
    ("RATE_NETWORK", "0"),
    ("RATE_SIGN_UPS", "0"),
    ("RATE_UNKNOWN_KEYS", "0"),
    ("RATE_TILES", "0"),
];

/// `spotter dev --services` on a state of its own.
pub struct Place {
    spotter: PathBuf,
    state: PathBuf,
    services: Process,
    /// What the services wrote for whoever uses them.
    settings: Vec<(String, String)>,
    /// Draws tiles.
    pub source: Process,
}

/// How a server is started, where it differs from the ordinary.
#[derive(Clone, Debug, Default)]
pub struct ServerPlan {
    /// By way of `PgBouncer` instead of directly, under the role whose statements are counted.
    pub is_pooled: bool,
    /// Where it finds memcached.
    pub memcached: Option<String>,
    /// Where it listens.
    pub port: Option<u16>,
}

impl Place {
    pub async fn start(spotter: &Path) -> anyhow::Result<Self> {
        ensure!(
            spotter.exists(),
            "{} is not there: ./dev bench builds it",
            spotter.display()
        );
        let state = std::env::temp_dir().join(format!("spotter-loadtest-{}", std::process::id()));
        // PostgreSQL's own user has to pass through when this runs as root.
        fs::DirBuilder::new().mode(0o711).create(&state)?;
        let services = start_services(spotter, &state).await?;
        let mut place = Self {
            spotter: spotter.to_owned(),
            settings: read_settings(&state)?,
            state,
            services,
            source: ourselves(&[OsStr::new("source")]).await?,
        };
        place.count_statements().await?;
        Ok(place)
    }

    /// The library that counts statements is loaded at PostgreSQL's start only.
    async fn count_statements(&mut self) -> anyhow::Result<()> {
        let url = self.setting("DATABASE_URL")?.to_owned();
        let password = url
            .split_once("//")
            .and_then(|(_, rest)| rest.split_once(':')?.1.split_once('@'))
            .map(|(password, _)| password)
            .context("DATABASE_URL has no password")?;
        let database = statements::connect(&url).await?;
        database
            .batch_execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
            .await?;
        database
            .batch_execute(&format!(
                "CREATE ROLE {ROLE} SUPERUSER LOGIN PASSWORD '{password}'"
            ))
            .await?;
        drop(database);
        self.services.end().await?;
        self.services = start_services(&self.spotter, &self.state).await?;
        self.settings = read_settings(&self.state)?;
        Ok(())
    }

    pub fn setting(&self, name: &str) -> anyhow::Result<&str> {
        let found = self.settings.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.as_str())
            .with_context(|| format!("the services have no {name}"))
    }

    pub fn folder(&self) -> &Path {
        &self.state
    }

    /// An ordinary server.
    pub async fn server(&self) -> anyhow::Result<Process> {
        self.server_of(&ServerPlan::default()).await
    }

    /// So many of them.
    pub async fn servers(&self, count: usize) -> anyhow::Result<Vec<Process>> {
        let mut servers = Vec::new();
        for _ in 0..count {
            servers.push(self.server().await?);
        }
        Ok(servers)
    }

    pub async fn server_of(&self, plan: &ServerPlan) -> anyhow::Result<Process> {
        let url = if plan.is_pooled {
            self.setting("PGBOUNCER_URL")?.to_owned()
        } else {
            let url = self.setting("DATABASE_URL")?;
            let rest = url
                .split_once("//")
                .and_then(|(_, rest)| rest.split_once(':'));
            let (_, rest) = rest.context("DATABASE_URL has no user")?;
            format!("postgres://{ROLE}:{rest}")
        };
        let mut command = self.spotter(&["serve"]);
        command
            .env("DATABASE_URL", url)
            .env("PORT", plan.port.unwrap_or_default().to_string());
        if let Some(memcached) = &plan.memcached {
            command.env("MEMCACHED", memcached);
        }
        Process::start(command, "serving at ").await
    }

    /// A worker, which says nothing.
    pub fn worker(&self) -> anyhow::Result<Child> {
        let mut command = self.spotter(&["worker"]);
        command.stdout(Stdio::null());
        Ok(command.spawn()?)
    }

    /// Runs `spotter` with these arguments, which must end well.
    pub async fn run_to_end(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = self.spotter(arguments).output().await?;
        ensure!(
            output.status.success(),
            "spotter {} failed: {}{}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    fn spotter(&self, arguments: &[&str]) -> Command {
        let mut command = dying_with_us(&self.spotter);
        command
            .args(arguments)
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .envs(SWITCHED_OFF)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LOG", "error");
        command
    }

    /// A handler of the same framework that returns these bytes from memory.
    pub async fn yardstick(&self, body: &[u8]) -> anyhow::Result<Process> {
        let path = self.state.join("answer");
        fs::write(&path, body)?;
        ourselves(&[OsStr::new("yardstick"), path.as_os_str()]).await
    }

    /// Ends the services and deletes their state.
    pub async fn end(mut self) -> anyhow::Result<()> {
        self.services.end().await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _best_effort = fs::remove_dir_all(&self.state);
    }
}

/// Lines of a server's `/metrics` that begin so and are not zero, without the steps of histograms.
pub async fn metrics(server: &Process, beginnings: &[&str]) -> anyhow::Result<Vec<String>> {
    let text = http::fetch(&server.address, &http::get("/metrics")).await?;
    let wanted = |line: &&str| {
        beginnings.iter().any(|begin| line.starts_with(begin))
            && !line.ends_with(" 0")
            && !line.contains("_bucket{")
    };
    let text = String::from_utf8_lossy(&text);
    Ok(text.lines().filter(wanted).map(str::to_owned).collect())
}

async fn start_services(spotter: &Path, state: &Path) -> anyhow::Result<Process> {
    let mut command = dying_with_us(spotter);
    command
        .args(["dev", "--services", "--pgbouncer", "--revive", "--state"])
        .arg(state)
        .env_remove("LOG")
        .env_remove("LOG_FORMAT");
    Process::start(command, "the services are ready").await
}

/// The env file: lines of `NAME='value'`.
fn read_settings(state: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let text = fs::read_to_string(state.join("env")).context("the services' settings")?;
    let settings = text.lines().filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        let value = value.strip_prefix('\'')?.strip_suffix('\'')?;
        Some((name.to_owned(), value.to_owned()))
    });
    Ok(settings.collect())
}
