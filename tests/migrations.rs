//! Migrations: applied twice they change nothing, each table has an owner, each constraint a name.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{fs, path::Path, process::Output};

use tokio_postgres::{Client, NoTls};

/// A database without any table, dropped with the value.
struct Empty {
    name: String,
}

impl Empty {
    async fn create() -> Self {
        let name = format!("spt_migrations_{}", uuid::Uuid::new_v4().simple());
        connect("postgres")
            .await
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        Self { name }
    }

    async fn connect(&self) -> Client {
        connect(&self.name).await
    }

    async fn migrate(&self) -> Output {
        tokio::process::Command::new(env!("CARGO_BIN_EXE_spotter"))
            .arg("migrate")
            .env("DATABASE_URL", address(&self.name))
            .env("LOG", "warn")
            .output()
            .await
            .unwrap()
    }

    async fn remove(self) {
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        connect("postgres")
            .await
            .batch_execute(&statement)
            .await
            .unwrap();
    }
}

fn address(database: &str) -> String {
    let server = std::env::var("DATABASE_URL").expect("DATABASE_URL; `./dev test` sets it");
    let mut url = url::Url::parse(&server).unwrap();
    url.set_path(database);
    url.to_string()
}

async fn connect(database: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(&address(database), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

/// Names and texts of the migrations, in order.
fn migrations() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "sql"));
    files.sort();
    files
        .into_iter()
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read_to_string(path).unwrap(),
            )
        })
        .collect()
}

async fn shape(db: &Client) -> Vec<String> {
    let rows = db
        .query(
            "SELECT format('%s.%s %s %s', table_name, column_name, data_type, is_nullable) AS line
             FROM information_schema.columns WHERE table_schema = 'public'
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY line",
            &[],
        )
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn migrations_apply_to_an_empty_database_and_a_second_time_change_nothing() {
    let database = Empty::create().await;
    let first = database.migrate().await;
    assert!(first.status.success(), "{first:?}");
    let count = migrations().len();
    let told = String::from_utf8(first.stdout).unwrap();
    assert!(
        told.starts_with(&format!("{count} migrations applied")),
        "{told}"
    );
    let db = database.connect().await;
    let before = shape(&db).await;
    let second = database.migrate().await;
    let told = String::from_utf8(second.stdout).unwrap();
    assert!(told.starts_with("0 migrations applied"), "{told}");
    assert_eq!(shape(&db).await, before);
    drop(db);
    database.remove().await;
}

#[tokio::test]
async fn eight_who_migrate_at_once_apply_each_migration_once() {
    let database = Empty::create().await;
    let runs = futures_util::future::join_all((0..8).map(|_| database.migrate())).await;
    assert!(runs.iter().all(|run| run.status.success()), "{runs:?}");
    let applied: usize = runs
        .iter()
        .map(|run| {
            String::from_utf8_lossy(&run.stdout)
                .split(' ')
                .next()
                .unwrap()
                .parse::<usize>()
                .unwrap()
        })
        .sum();
    assert_eq!(applied, migrations().len());
    database.remove().await;
}

#[tokio::test]
async fn every_constraint_is_named_after_its_table() {
    let database = Empty::create().await;
    assert!(database.migrate().await.status.success());
    let db = database.connect().await;
    let rows = db
        .query(
            "SELECT c.conname, t.relname FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid
             JOIN pg_namespace AS n ON n.oid = t.relnamespace
             WHERE n.nspname = 'public' AND t.relname <> 'spatial_ref_sys'",
            &[],
        )
        .await
        .unwrap();
    assert!(rows.len() > 20);
    let text: String = migrations().into_iter().map(|(_, sql)| sql).collect();
    for row in rows {
        let (constraint, table): (String, String) = (row.get(0), row.get(1));
        if table == "schema_migrations" {
            continue;
        }
        let begin = table.trim_end_matches('s');
        assert!(constraint.starts_with(begin), "{constraint} of {table}");
        assert!(
            text.contains(&format!("CONSTRAINT {constraint} ")),
            "{constraint} of {table} was named by PostgreSQL"
        );
    }
    drop(db);
    database.remove().await;
}

#[test]
fn every_migration_names_its_owner_and_the_module_exists() {
    for (name, sql) in migrations() {
        let owner = sql
            .strip_prefix("-- Owner: ")
            .unwrap_or_else(|| panic!("{name} begins with `-- Owner: <module>.`"));
        let module: String = owner.chars().take_while(char::is_ascii_lowercase).collect();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src")
            .join(&module);
        assert!(folder.is_dir(), "{name}: there is no module {module:?}");
    }
}

#[test]
fn migrations_are_numbered_without_gaps_and_all_are_embedded() {
    let embedded = include_str!("../src/db/migrate.rs");
    for (n, (name, _)) in migrations().iter().enumerate() {
        assert!(name.starts_with(&format!("{:04}_", n + 1)), "{name}");
        assert!(embedded.contains(name.as_str()), "{name} is not embedded");
    }
}

#[test]
fn every_reference_to_a_hot_table_goes_by_volunteer() {
    for (name, sql) in migrations() {
        for line in sql
            .lines()
            .filter(|line| line.contains("REFERENCES looks") || line.contains("REFERENCES tags"))
        {
            assert!(line.contains("(volunteer_id,"), "{name}: {line}");
        }
    }
}
