//! A place to measure in: private services, servers, a worker, the yardstick. All of it ends with us.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::statements::{self, ROLE};

/// Longest wait for a process to be ready, or to end.
const PATIENCE: Duration = Duration::from_mins(2);

/// `spotter dev --services` on a state of its own.
pub struct Place {
    spotter: PathBuf,
    state: PathBuf,
    services: Process,
    /// What the services wrote for whoever uses them.
    settings: Vec<(String, String)>,
}

/// A child that said that it is ready.
pub struct Process {
    child: Child,
    /// Where it listens, when it does.
    pub address: String,
    /// Kept open, so that the child can write.
    _stdout: Lines<BufReader<ChildStdout>>,
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

    /// A server under the role whose statements are counted.
    pub async fn server(&self) -> anyhow::Result<Process> {
        let url = self.setting("DATABASE_URL")?.to_owned();
        let rest = url
            .split_once("//")
            .and_then(|(_, rest)| rest.split_once(':'));
        let (_, rest) = rest.context("DATABASE_URL has no user")?;
        let url = format!("postgres://{ROLE}:{rest}");
        let mut command = self.spotter(&["serve"]);
        command.env("DATABASE_URL", url).env("PORT", "0");
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
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LOG", "warn");
        command
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

impl Process {
    /// Waits until the process writes a line that begins so; the rest of it is the address.
    pub async fn start(mut command: Command, ready: &str) -> anyhow::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let waiting = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(rest) = line.strip_prefix(ready) {
                    return Ok(rest.trim_start_matches("http://").to_owned());
                }
            }
            anyhow::bail!("it ended before it was ready; it was to write {ready:?}")
        };
        let address = tokio::time::timeout(PATIENCE, waiting)
            .await
            .context("a process is not ready")??;
        Ok(Self {
            child,
            address,
            _stdout: lines,
        })
    }

    /// Asks it to stop and waits for its end.
    pub async fn end(&mut self) -> anyhow::Result<()> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = id.and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM)?;
        }
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .context("a process does not end")??;
        Ok(())
    }
}

/// The handler that returns the bytes of this file.
pub async fn yardstick(body: &Path) -> anyhow::Result<Process> {
    let mut command = dying_with_us(std::env::current_exe()?);
    command.arg("yardstick").arg(body);
    Process::start(command, "serving at ").await
}

async fn start_services(spotter: &Path, state: &Path) -> anyhow::Result<Process> {
    let mut command = dying_with_us(spotter);
    command
        .args(["dev", "--services", "--state"])
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

/// A command that is signalled should we be killed, and is killed when its handle is dropped.
fn dying_with_us(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig=TERM", "--"])
        .arg(program)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}
