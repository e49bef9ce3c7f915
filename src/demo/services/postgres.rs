//! A private PostgreSQL with PostGIS.
//!
//! **Invariant:** nothing is asked of a server before it has named our folder as its own.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio_postgres::{NoTls, types::Type};

use super::super::{
    DevConfig,
    children::Children,
    folder::{Folder, read_word, write_private},
    ports::Ports,
    say,
    tools::{self, Account},
};

pub const DATABASE: &str = "spotter";
pub const USER: &str = "spotter";
const NAME: &str = "postgres";
/// Longest wait for a start, which may have to recover from a crash.
const START_WAIT: Duration = Duration::from_mins(2);
/// Longest wait for the server of an earlier run that was killed.
const EARLIER_WAIT: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(50);
const SETTINGS: [&str; 10] = [
    "listen_addresses=127.0.0.1",
    // Nothing to make in /var/run, and no limit of 107 bytes on the folder's name.
    "unix_socket_directories=",
    "max_connections=300",
    "shared_buffers=256MB",
    "max_wal_size=2GB",
    "jit=off",
    "idle_in_transaction_session_timeout=60s",
    "log_min_messages=warning",
    "log_line_prefix=%m [%p] %d ",
    "timezone=UTC",
];
const UNSAFE_SETTINGS: [&str; 3] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
];

/// How to reach it.
pub struct Postgres {
    pub port: u16,
    pub password: String,
}

impl Postgres {
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{USER}:{}@127.0.0.1:{}/{database}",
            self.password, self.port
        )
    }
}

/// Starts it and returns when it can be used.
pub async fn start(
    config: &DevConfig,
    folder: &Folder,
    account: &Account,
    place: &Path,
    ports: &mut Ports<'_>,
    children: &mut Children,
) -> anyhow::Result<Postgres> {
    let data = place.join("pg");
    let version = read_word(&data.join("PG_VERSION"))?
        .map(|version| {
            version
                .parse()
                .with_context(|| format!("PG_VERSION {version:?}"))
        })
        .transpose()?;
    let programs = tools::Postgres::find(version)?;
    let password_file = place.join("password");
    if version.is_none() {
        write_private(&password_file, &super::random_hex())?;
        account.own(&password_file)?;
        make_cluster(config, account, &programs.initdb, &password_file, &data).await?;
    } else {
        wait_for_earlier(&data).await?;
    }
    let password = read_word(&password_file)?.with_context(|| {
        format!(
            "{} is gone; delete the state folder to start anew",
            password_file.display()
        )
    })?;
    let postgres = Postgres {
        port: ports.choose(NAME)?,
        password,
    };
    let mut command = account.command(&programs.postgres, "INT");
    command
        .arg("-D")
        .arg(&data)
        .args(["-c", &format!("port={}", postgres.port)]);
    let settings = SETTINGS
        .iter()
        .chain(UNSAFE_SETTINGS.iter().filter(|_| config.fast_and_unsafe));
    for setting in settings {
        command.args(["-c", setting]);
    }
    let log = super::log_file(folder, NAME)?;
    command.stdout(log.try_clone()?).stderr(log);
    // SIGINT is PostgreSQL's "fast shutdown": open transactions are rolled back.
    children.start(NAME, command, Signal::INT)?;
    tokio::time::timeout(START_WAIT, prepare(&postgres, &data, folder, children))
        .await
        .with_context(|| {
            format!(
                "PostgreSQL is not ready after {} s:\n{}",
                START_WAIT.as_secs(),
                super::log_end(folder, NAME)
            )
        })??;
    Ok(postgres)
}

/// Makes the cluster beside its place and moves it there whole.
async fn make_cluster(
    config: &DevConfig,
    account: &Account,
    initdb: &Path,
    password_file: &Path,
    data: &Path,
) -> anyhow::Result<()> {
    say("making a database …");
    let unfinished = data.with_extension("new");
    match fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).context("an unfinished database");
        }
        _ => {}
    }
    let mut command = account.command(initdb, "TERM");
    command
        .arg("--pgdata")
        .arg(&unfinished)
        .arg("--pwfile")
        .arg(password_file)
        .args([
            "--username",
            USER,
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]);
    if config.fast_and_unsafe {
        command.arg("--no-sync");
    }
    let output = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(
        output.status.success(),
        "initdb failed ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    fs::rename(&unfinished, data).context("the new database")
}

/// After `kill -9` of a run, its PostgreSQL still needs a moment to stop.
async fn wait_for_earlier(data: &Path) -> anyhow::Result<()> {
    let Some(pid) = earlier(data) else {
        return Ok(());
    };
    let _gone = kill_process(pid, Signal::INT);
    let waiting = async {
        while earlier(data).is_some() {
            tokio::time::sleep(STEP).await;
        }
    };
    tokio::time::timeout(EARLIER_WAIT, waiting)
        .await
        .with_context(|| {
            format!(
                "PostgreSQL of an earlier run (process {}) does not stop",
                pid.as_raw_nonzero()
            )
        })
}

/// The process that runs this cluster, if one does. A number alone says nothing: it may by now
/// be another program's.
fn earlier(data: &Path) -> Option<Pid> {
    let note = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid: i32 = note.lines().next()?.trim().parse().ok()?;
    let cwd: PathBuf = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    (cwd == data).then(|| Pid::from_raw(pid))?
}

/// Waits for it, makes sure that it is ours, and makes the database.
async fn prepare(
    postgres: &Postgres,
    data: &Path,
    folder: &Folder,
    children: &mut Children,
) -> anyhow::Result<()> {
    let url = postgres.url("postgres");
    let (client, connection) = loop {
        if let Some(status) = children.ended(NAME) {
            bail!(
                "PostgreSQL ended at once ({status}):\n{}",
                super::log_end(folder, NAME)
            );
        }
        match tokio_postgres::connect(&url, NoTls).await {
            Ok(connected) => break connected,
            Err(_) => tokio::time::sleep(STEP).await,
        }
    };
    let conversation = async {
        let named: String = client
            .query_typed(
                "-- demo::data_directory\nSELECT current_setting('data_directory') AS folder",
                &[],
            )
            .await?
            .first()
            .context("data_directory")?
            .get("folder");
        ensure!(
            Path::new(&named) == data,
            "port {} answers for the database in {named}, which is not ours",
            postgres.port
        );
        let there = client
            .query_typed("-- demo::database_exists\nSELECT 1::int4 AS one FROM pg_database WHERE datname = $1", &[(&DATABASE, Type::TEXT)])
            .await?;
        if there.is_empty() {
            client.batch_execute("CREATE DATABASE spotter").await?;
        }
        Ok(())
    };
    tokio::select! {
        outcome = conversation => outcome,
        broken = connection => bail!("PostgreSQL ended the connection: {broken:?}"),
    }
}
