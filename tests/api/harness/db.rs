//! One database per test, cloned from a template that is migrated once per run.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    process::Stdio,
};

use tokio::sync::OnceCell;
use tokio_postgres::{Config, NoTls};

use super::postgres::Postgres;

/// Databases of crashed runs are dropped when they are older than this, in seconds.
const STALE_SECS: i64 = 1800;
/// Key of the lock under which the template is made.
const LOCK: i64 = 0x7465_7374;

/// Name of the template, once it is there.
static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// A database of one test. It is dropped with the value.
pub struct Database {
    pub name: String,
    /// The server's address, and that of its pooler.
    server: String,
    pooled: Option<String>,
}

impl Database {
    /// A migrated database.
    pub async fn create() -> Self {
        let template = TEMPLATE.get_or_init(template).await;
        Self::make(
            &format!("TEMPLATE {template} STRATEGY file_copy"),
            server(),
            pgbouncer(),
        )
        .await
    }

    /// A database without any table.
    pub async fn create_empty() -> Self {
        Self::make("", server(), pgbouncer()).await
    }

    /// One without any table at another server.
    pub async fn create_empty_at(postgres: &Postgres) -> Self {
        Self::make("", postgres.url.clone(), postgres.pooled.clone()).await
    }

    async fn make(options: &str, server: String, pooled: Option<String>) -> Self {
        let administrator = connect(&server).await;
        let name = format!(
            "spt_{}_{}",
            now_secs(&administrator).await,
            uuid::Uuid::new_v4().simple()
        );
        administrator
            .batch_execute(&format!("CREATE DATABASE {name} {options}"))
            .await
            .unwrap();
        Self {
            name,
            server,
            pooled,
        }
    }

    /// The address for the program under test: past the pooler where the run has one.
    pub fn url(&self) -> String {
        match &self.pooled {
            Some(url) => with_database(url, &self.name),
            None => self.direct_url(),
        }
    }

    pub fn direct_url(&self) -> String {
        with_database(&self.server, &self.name)
    }

    /// A connection to another database of the same server, for what cannot be done from within.
    pub async fn elsewhere(&self) -> tokio_postgres::Client {
        connect(&self.server).await
    }

    /// A connection of the test's own, straight to the server.
    pub async fn connect(&self) -> tokio_postgres::Client {
        connect(&self.direct_url()).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let server = self.server.clone();
        // A thread of its own: the test's runtime cannot be waited for while it is dropped.
        let dropping = std::thread::spawn(move || {
            if let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
            {
                let _best_effort = runtime
                    .block_on(async { connect(&server).await.batch_execute(&statement).await });
            }
        });
        let _best_effort = dropping.join();
    }
}

/// Whether this run goes through `PgBouncer`, and its address.
pub fn pgbouncer() -> Option<String> {
    let mode = std::env::var("SPOTTER_TEST_MODE").unwrap_or_default();
    (mode == "pgbouncer").then(|| {
        std::env::var("PGBOUNCER_URL").expect("SPOTTER_TEST_MODE=pgbouncer needs PGBOUNCER_URL")
    })
}

pub async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = url.parse::<Config>().unwrap().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn server() -> String {
    std::env::var("DATABASE_URL").expect(
        "DATABASE_URL must name a PostgreSQL with PostGIS for the tests; `./dev test` starts one",
    )
}

fn with_database(address: &str, name: &str) -> String {
    let mut url = url::Url::parse(address).unwrap();
    url.set_path(name);
    url.to_string()
}

async fn now_secs(server: &tokio_postgres::Client) -> i64 {
    let row = server
        .query_one("SELECT extract(epoch FROM now())::int8", &[])
        .await
        .unwrap();
    row.get(0)
}

/// Makes the template unless another test process has made it, and drops what crashed runs left.
async fn template() -> String {
    let name = format!("spt_template_{:016x}", hash_of_migrations());
    let server = connect(&server()).await;
    server
        .batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))
        .await
        .unwrap();
    let known = server
        .query_opt("SELECT FROM pg_database WHERE datname = $1", &[&name])
        .await
        .unwrap();
    if known.is_none() {
        drop_stale(&server).await;
        let building = format!("{name}_new");
        let make = format!("DROP DATABASE IF EXISTS {building} WITH (FORCE)");
        server.batch_execute(&make).await.unwrap();
        let make = format!("CREATE DATABASE {building}");
        server.batch_execute(&make).await.unwrap();
        migrate(&with_database(&self::server(), &building)).await;
        let finish = format!("ALTER DATABASE {building} RENAME TO {name}");
        server.batch_execute(&finish).await.unwrap();
    }
    server
        .batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})"))
        .await
        .unwrap();
    name
}

async fn migrate(url: &str) {
    let done = tokio::process::Command::new(env!("CARGO_BIN_EXE_spotter"))
        .arg("migrate")
        .env("DATABASE_URL", url)
        .env("LOG", "warn")
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert!(done.status.success(), "spotter migrate: {done:?}");
}

/// Best effort: another run may be dropping the same ones.
async fn drop_stale(server: &tokio_postgres::Client) {
    let oldest = now_secs(server).await - STALE_SECS;
    let rows = server
        .query(
            "SELECT datname FROM pg_database
             WHERE datname ~ '^spt_template_'
                OR CASE WHEN datname ~ '^spt_[0-9]+_' THEN split_part(datname, '_', 2)::int8 < $1 END",
            &[&oldest],
        )
        .await
        .unwrap();
    for row in rows {
        let name: String = row.get(0);
        let _best_effort = server
            .batch_execute(&format!("DROP DATABASE IF EXISTS {name}"))
            .await;
    }
}

/// Tells schemas apart, so that the template is made anew when a migration changes.
fn hash_of_migrations() -> u64 {
    let mut files: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "sql"));
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        std::fs::read(file).unwrap().hash(&mut hasher);
    }
    hasher.finish()
}
