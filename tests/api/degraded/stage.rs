//! Two servers, and what becomes of memcached or the database while they are in use.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::harness::{
    App, Client, Reply, app::Process, client::Call, db::Database, memcached::Memcached,
    postgres::Postgres, proxy::Proxy,
};

/// Longest time until an answer, whatever is away.
const ANSWERED_IN: Duration = Duration::from_secs(20);
/// Longest time for which a client tries again.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who the volunteers talk to.
pub struct Stage {
    pub app: App,
    /// Servers that stand apart from those of the app.
    apart: Vec<Process>,
    /// Whether 503 is an answer: the database is away now and then.
    patient: bool,
    /// Ends after the servers.
    postgres: Option<Arc<Postgres>>,
}

/// What happens while they talk.
pub enum Trouble {
    /// What is wrong is wrong from the beginning.
    Lasting,
    Flushed(Memcached),
    Killed(Memcached),
    /// The network to the database is cut.
    Cut(Proxy),
    /// The database crashes and recovers.
    Crashes(Arc<Postgres>),
}

impl Stage {
    /// With this memcached.
    pub async fn with_memcached(address: &str) -> Self {
        let app = App::builder().servers(2).setting("MEMCACHED", address);
        Self {
            app: app.start().await,
            apart: Vec::new(),
            patient: false,
            postgres: None,
        }
    }

    /// With two servers behind a stretch of network, beside one that is not.
    pub async fn behind_a_proxy() -> (Self, Proxy) {
        let app = App::builder().servers(1).start().await;
        let proxy = Proxy::before(&app.database.url()).await;
        let settings = [
            ("DATABASE_URL", proxy.url.as_str()),
            ("DATABASE_WAIT_MS", "1000"),
        ];
        let apart = vec![
            app.start_server(&settings).await,
            app.start_server(&settings).await,
        ];
        let stage = Self {
            app,
            apart,
            patient: true,
            postgres: None,
        };
        (stage, proxy)
    }

    /// With a database of its own.
    pub async fn with_postgres(postgres: &Arc<Postgres>) -> Self {
        let database = Database::create_empty_at(postgres).await;
        // The cluster is a fast and unsafe one; what it told to be stored must outlive a crash.
        let durable = format!(
            "ALTER DATABASE {} SET synchronous_commit = on",
            database.name
        );
        database
            .elsewhere()
            .await
            .batch_execute(&durable)
            .await
            .unwrap();
        let app = App::builder()
            .database(database)
            .servers(2)
            .setting("DATABASE_WAIT_MS", "2000");
        Self {
            app: app.start().await,
            apart: Vec::new(),
            patient: true,
            postgres: Some(Arc::clone(postgres)),
        }
    }

    fn servers(&self) -> &[Process] {
        if self.apart.is_empty() {
            &self.app.servers
        } else {
            &self.apart
        }
    }

    /// How many servers there are.
    pub fn count(&self) -> usize {
        self.servers().len()
    }

    pub fn is_patient(&self) -> bool {
        self.patient
    }

    /// Looks beyond the looks wanted that all cells of a small campaign together may have. A
    /// database that crashes forgets who held what for the last half second.
    pub fn beyond_max(&self) -> i64 {
        match (&self.postgres, self.patient) {
            (Some(_), _) => 12,
            (None, true) => 2,
            (None, false) => 0,
        }
    }

    /// The same caller at the servers that are in trouble.
    pub fn here(&self, client: &Client) -> Client {
        let urls: Vec<String> = self.servers().iter().map(|one| one.url.clone()).collect();
        client.among(&urls)
    }

    pub async fn volunteers(&self, count: usize) -> Vec<Client> {
        let crowd = self.app.volunteers(count).await;
        crowd.iter().map(|one| self.here(one)).collect()
    }

    /// The answer, as somebody gets it who tries again when told so. Nothing but 503 is a reason,
    /// and that only where the database is away.
    pub async fn insist(&self, call: impl Fn() -> Call) -> Reply {
        let begin = Instant::now();
        loop {
            let asked = Instant::now();
            let answer = call().await;
            assert!(asked.elapsed() < ANSWERED_IN, "{answer:?}");
            if answer.status != 503 || !self.patient || begin.elapsed() > PATIENCE {
                assert!(answer.status < 500, "{answer:?}");
                return answer;
            }
            assert!(
                answer.header("retry-after").parse::<u32>().unwrap() >= 1,
                "{answer:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Trouble {
    /// Goes on until nobody waits for it any more.
    pub async fn go_on(&mut self) {
        loop {
            match self {
                Self::Lasting => std::future::pending().await,
                Self::Flushed(memcached) => memcached.flush().await,
                Self::Killed(memcached) => {
                    memcached.kill().await;
                    pause(300).await;
                    memcached.restart().await;
                    pause(300).await;
                }
                Self::Cut(proxy) => {
                    proxy.close();
                    pause(250).await;
                    proxy.open();
                    pause(500).await;
                }
                Self::Crashes(postgres) => {
                    postgres.crash().await;
                    pause(700).await;
                }
            }
            pause(20).await;
        }
    }

    /// Ends it.
    pub async fn end(&mut self) {
        match self {
            Self::Lasting | Self::Flushed(_) | Self::Killed(_) => {}
            Self::Cut(proxy) => proxy.open(),
            // It may have been left in the middle of one.
            Self::Crashes(postgres) => postgres.recovered().await,
        }
    }
}

async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
