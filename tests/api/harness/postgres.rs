//! A PostgreSQL of the test's own, for tests that let it crash.

use std::{
    fs::{self, DirBuilder, File},
    os::unix::fs::DirBuilderExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio_postgres::NoTls;

use super::{db, id, within};

/// Longest wait for a new cluster.
const START_WAIT: Duration = Duration::from_secs(90);

/// `spotter dev --services` on a state of its own. It ends with the value.
pub struct Postgres {
    /// The address of its first database.
    pub url: String,
    /// The same past `PgBouncer`, where the run has one.
    pub pooled: Option<String>,
    state: PathBuf,
    services: Child,
}

impl Postgres {
    pub async fn start() -> Self {
        let state = std::env::temp_dir().join(format!("spotter-postgres-{}", id()));
        // PostgreSQL's own user has to pass through when the tests run as root.
        DirBuilder::new().mode(0o711).create(&state).unwrap();
        // Should the test be killed, it goes too.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig=TERM", "--", env!("CARGO_BIN_EXE_spotter")])
            .args(["dev", "--services", "--fast-and-unsafe", "--state"])
            .arg(&state);
        if db::pgbouncer().is_some() {
            command.arg("--pgbouncer");
        }
        let services = command
            .stdin(Stdio::null())
            .stdout(File::create(state.join("out")).unwrap())
            .stderr(File::create(state.join("err")).unwrap())
            .spawn()
            .unwrap();
        let mut postgres = Self {
            url: String::new(),
            pooled: None,
            state,
            services,
        };
        let said = || fs::read_to_string(postgres.state.join("out")).unwrap();
        within(START_WAIT, "the services are ready", || async {
            said().contains("the services are ready").then_some(())
        })
        .await;
        postgres.url = postgres.setting("DATABASE_URL");
        postgres.pooled = db::pgbouncer().map(|_| postgres.setting("PGBOUNCER_URL"));
        postgres
    }

    /// Kills a process of a session, upon which PostgreSQL ends all sessions, recovers as after a
    /// power cut, and takes nobody meanwhile. Waits for the end of it.
    pub async fn crash(&self) {
        // It may still recover from the crash before.
        let session = within(START_WAIT, "a session of PostgreSQL", || async {
            let (session, connection) = tokio_postgres::connect(&self.url, NoTls).await.ok()?;
            tokio::spawn(connection);
            let row = session.query_one("SELECT pg_backend_pid()", &[]).await;
            Some(row.ok()?.get(0))
        })
        .await;
        kill_process(Pid::from_raw(session).unwrap(), Signal::KILL).unwrap();
        self.recovered().await;
    }

    /// Waits until it takes somebody.
    pub async fn recovered(&self) {
        within(START_WAIT, "PostgreSQL is back", || async {
            // Before it notices, it still takes some, and ends them.
            let (session, connection) = tokio_postgres::connect(&self.url, NoTls).await.ok()?;
            tokio::spawn(connection);
            session
                .simple_query("SELECT pg_sleep(0.05)")
                .await
                .ok()
                .map(|_| ())
        })
        .await;
    }

    /// A setting of the env file, as a shell reads it.
    fn setting(&self, name: &str) -> String {
        let script = format!(
            ". '{}'; printf %s \"${name}\"",
            self.state.join("env").display()
        );
        let output = Command::new("sh").args(["-euc", &script]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ended_already = kill_process(Pid::from_child(&self.services), Signal::TERM);
        let _reaped = self.services.wait();
        let _best_effort = fs::remove_dir_all(&self.state);
    }
}
