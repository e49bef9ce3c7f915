//! The program under test: real `spotter` processes on a database of their own.
//!
//! `SPOTTER_TEST_MODE=pgbouncer` starts two servers and puts `PgBouncer` before the database;
//! otherwise there is one server. A worker runs beside them.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Output, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    sync::OnceCell,
};

use super::{
    Client, DEADLINE,
    db::{self, Database},
    fixtures::{CampaignBuilder, LayerBuilder},
};

/// Signs tokens unless a test says otherwise.
const TOKEN_KEY: &str = "k1:00000000000000000000000000000000000000000000000000000000000000aa";

/// A running installation. Dropping it kills its processes and drops its database.
pub struct App {
    pub servers: Vec<Process>,
    pub workers: Vec<Process>,
    pub database: Database,
    folder: PathBuf,
    settings: Vec<(String, String)>,
    client: Client,
    organiser: OnceCell<Client>,
}

/// How an installation is to be started.
pub struct Builder {
    settings: Vec<(String, String)>,
    servers: Option<usize>,
    workers: usize,
    empty: bool,
    database: Option<Database>,
}

/// One child process.
pub struct Process {
    child: Child,
    /// Where a server listens; empty for a worker.
    pub url: String,
    /// Kept open, so that the child can write.
    _stdout: Option<Lines<BufReader<ChildStdout>>>,
}

impl App {
    /// An installation as the run's mode says.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    pub fn builder() -> Builder {
        Builder {
            settings: Vec::new(),
            servers: None,
            workers: 1,
            empty: false,
            database: None,
        }
    }

    /// Somebody without credentials.
    pub fn public(&self) -> Client {
        self.client.clone()
    }

    /// An organiser with everything but `admin`, always the same one.
    pub async fn organiser(&self) -> Client {
        self.organiser
            .get_or_init(|| async { self.client.with_bearer(&self.new_key(&[]).await) })
            .await
            .clone()
    }

    /// An organiser with these scopes.
    pub async fn organiser_with(&self, scopes: &str) -> Client {
        self.client
            .with_bearer(&self.new_key(&["--scope", scopes]).await)
    }

    /// An organiser who may do everything.
    pub async fn admin(&self) -> Client {
        self.client.with_bearer(&self.new_key(&["--admin"]).await)
    }

    async fn new_key(&self, arguments: &[&str]) -> String {
        let made = self
            .spotter(&[&["organiser", "create", "--name", "Test"], arguments].concat())
            .await;
        assert!(made.status.success(), "{made:?}");
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }

    /// A new volunteer.
    pub async fn volunteer(&self) -> Client {
        let signed_up = self.client.post("/v1/volunteers").await.expect(201);
        let mut volunteer = self
            .client
            .with_bearer(signed_up["token"].as_str().unwrap());
        signed_up["volunteer_id"]
            .as_str()
            .unwrap()
            .clone_into(&mut volunteer.id);
        volunteer
    }

    /// So many new volunteers.
    pub async fn volunteers(&self, count: usize) -> Vec<Client> {
        let mut crowd = Vec::with_capacity(count);
        for _ in 0..count {
            crowd.push(self.volunteer().await);
        }
        crowd
    }

    /// Begins the definition of an imagery layer.
    pub fn layer(&self, url_template: &str) -> LayerBuilder<'_> {
        LayerBuilder::new(self, url_template)
    }

    /// Begins the definition of a campaign.
    pub fn campaign(&self) -> CampaignBuilder<'_> {
        CampaignBuilder::new(self)
    }

    /// A connection of the test's own to the database.
    pub async fn sql(&self) -> tokio_postgres::Client {
        self.database.connect().await
    }

    /// Runs a statement that gives one number.
    pub async fn number(&self, sql: &str) -> i64 {
        let row = self.sql().await.query_one(sql, &[]).await.unwrap();
        row.get(0)
    }

    /// Runs statements.
    pub async fn execute(&self, sql: &str) {
        self.sql().await.batch_execute(sql).await.unwrap();
    }

    /// A number of the first server's metrics, by its name and labels as they are shown.
    pub async fn metric(&self, name: &str) -> Option<i64> {
        let text = self.public().get("/metrics").await.text();
        let number = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        number?.parse().ok()
    }

    /// Runs `spotter` with these arguments to its end.
    pub async fn spotter(&self, arguments: &[&str]) -> Output {
        self.spotter_with(arguments, &[]).await
    }

    /// The same with other settings.
    pub async fn spotter_with(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
        let mut command = self.command(arguments, settings);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        tokio::time::timeout(DEADLINE, command.output())
            .await
            .unwrap()
            .unwrap()
    }

    /// Starts one more server, with other settings where they are given.
    pub async fn start_server(&self, settings: &[(&str, &str)]) -> Process {
        self.listening(self.command(&["serve"], settings), "serving at ")
            .await
    }

    /// Starts one more server that may open so many files.
    pub async fn start_server_with_files(&self, files: u32) -> Process {
        let limit = format!("--nofile={files}:{files}");
        let program = env!("CARGO_BIN_EXE_spotter");
        let command = self.command_of("prlimit", &[&limit, program, "serve"], &[]);
        self.listening(command, "serving at ").await
    }

    async fn listening(&self, mut command: Command, announced: &str) -> Process {
        command.stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reading = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(url) = line.strip_prefix(announced) {
                    return url.to_owned();
                }
            }
            panic!("the process ended before it listened:\n{}", self.log());
        };
        let url = tokio::time::timeout(DEADLINE, reading).await.unwrap();
        Process {
            child,
            url,
            _stdout: Some(lines),
        }
    }

    /// Starts one more worker, which tells how it is, and gives its address too.
    pub async fn start_watched_worker(&self) -> Process {
        let settings = [("METRICS_LISTEN", "127.0.0.1:0")];
        self.listening(self.command(&["worker"], &settings), "metrics at ")
            .await
    }

    pub fn start_worker(&self) -> Process {
        self.start_worker_with(&[])
    }

    /// The same with other settings.
    pub fn start_worker_with(&self, settings: &[(&str, &str)]) -> Process {
        self.start_command(&["worker"], settings)
    }

    /// Starts `spotter` with these arguments, and with other settings where they are given.
    pub fn start_command(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Process {
        let mut command = self.command(arguments, settings);
        command.stdout(Stdio::null());
        Process {
            child: command.spawn().unwrap(),
            url: String::new(),
            _stdout: None,
        }
    }

    /// Everything that the processes logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("log")).unwrap()).into_owned()
    }

    /// The folder that is the object store, unless a test said otherwise.
    pub fn store(&self) -> PathBuf {
        self.folder.join("store")
    }

    fn command(&self, arguments: &[&str], more: &[(&str, &str)]) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_spotter"), arguments, more)
    }

    fn command_of(&self, program: &str, arguments: &[&str], more: &[(&str, &str)]) -> Command {
        let log = File::options()
            .append(true)
            .open(self.folder.join("log"))
            .unwrap();
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        command
    }
}

impl Builder {
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// So many servers, whatever the run's mode.
    pub fn servers(mut self, count: usize) -> Self {
        self.servers = Some(count);
        self
    }

    pub fn workers(mut self, count: usize) -> Self {
        self.workers = count;
        self
    }

    /// On a database that was not migrated.
    pub fn empty_database(mut self) -> Self {
        self.empty = true;
        self
    }

    /// On this database.
    pub fn database(mut self, database: Database) -> Self {
        self.database = Some(database);
        self
    }

    pub async fn start(self) -> App {
        let database = match self.database {
            Some(database) => database,
            None if self.empty => Database::create_empty().await,
            None => Database::create().await,
        };
        let folder = std::env::temp_dir().join(&database.name);
        fs::create_dir_all(folder.join("store")).unwrap();
        File::create(folder.join("log")).unwrap();
        let mut settings: Vec<(String, String)> = [
            ("DATABASE_URL", database.url()),
            ("DATABASE_POOL_SIZE", "3".to_owned()),
            ("DATABASE_WAIT_MS", "10000".to_owned()),
            ("MEMCACHED", std::env::var("MEMCACHED").expect("MEMCACHED")),
            (
                "CACHE_PREFIX",
                database.name.chars().rev().take(24).collect(),
            ),
            ("STORE", folder.join("store").display().to_string()),
            ("TOKEN_KEYS", TOKEN_KEY.to_owned()),
            ("ALLOW_INTERNAL_SOURCES", "true".to_owned()),
            ("HTTP_WORKERS", "2".to_owned()),
            ("PORT", "0".to_owned()),
            ("LOG", "warn".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        // The last of two settings of one name wins.
        settings.extend(self.settings);
        let mut app = App {
            servers: Vec::new(),
            workers: Vec::new(),
            database,
            folder,
            settings,
            client: Client::new(Vec::new()),
            organiser: OnceCell::new(),
        };
        let wanted = if db::pgbouncer().is_some() { 2 } else { 1 };
        for _ in 0..self.servers.unwrap_or(wanted) {
            app.servers.push(app.start_server(&[]).await);
        }
        app.workers = (0..self.workers).map(|_| app.start_worker()).collect();
        app.client = Client::new(
            app.servers
                .iter()
                .map(|server| server.url.clone())
                .collect(),
        );
        app
    }
}

impl Process {
    /// Asks the process to stop, as an operator does.
    pub fn terminate(&self) {
        let id = self
            .child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .unwrap();
        kill_process(Pid::from_raw(id).unwrap(), Signal::TERM).unwrap();
    }

    /// Memory of the process in MiB: `VmRSS`, or `VmHWM` for the most that it ever was.
    pub fn memory(&self, kind: &str) -> u64 {
        let path = format!("/proc/{}/status", self.child.id().unwrap());
        let status = fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with(kind)).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024
    }

    /// Ends the process at once, as a power cut does.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Waits for the end; whether the process was content.
    pub async fn ended(&mut self, deadline: Duration) -> bool {
        let ended = tokio::time::timeout(deadline, self.child.wait()).await;
        ended.expect("the process did not end").unwrap().success()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(20).collect();
            for line in tail.iter().rev() {
                eprintln!("log: {line}");
            }
        }
        for process in self.servers.iter_mut().chain(&mut self.workers) {
            let _ended_already = process.child.start_kill();
        }
        let _best_effort = fs::remove_dir_all(&self.folder);
    }
}
