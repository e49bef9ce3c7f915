//! Migrations: embedded, forward only, all in one transaction under one lock.
//!
//! **Invariant:** four servers may start at once: one migrates, the others wait and find it
//! done. The lock belongs to the transaction, so this also works through `PgBouncer`.

use anyhow::{Context, bail};
use tokio_postgres::types::Type;

use super::Db;

/// In order; a number is never used twice.
const MIGRATIONS: [(i32, &str, &str); 15] = [
    (
        1,
        "platform",
        include_str!("../../migrations/0001_platform.sql"),
    ),
    (
        2,
        "accounts",
        include_str!("../../migrations/0002_accounts.sql"),
    ),
    (
        3,
        "imagery",
        include_str!("../../migrations/0003_imagery.sql"),
    ),
    (
        4,
        "campaigns",
        include_str!("../../migrations/0004_campaigns.sql"),
    ),
    (
        5,
        "assignments",
        include_str!("../../migrations/0005_assignments.sql"),
    ),
    (6, "looks", include_str!("../../migrations/0006_looks.sql")),
    (
        7,
        "progress",
        include_str!("../../migrations/0007_progress.sql"),
    ),
    (
        8,
        "cell_decisions",
        include_str!("../../migrations/0008_cell_decisions.sql"),
    ),
    (
        9,
        "store_looks",
        include_str!("../../migrations/0009_store_looks.sql"),
    ),
    (
        10,
        "service_mode",
        include_str!("../../migrations/0010_service_mode.sql"),
    ),
    (
        11,
        "tile_fetches",
        include_str!("../../migrations/0011_tile_fetches.sql"),
    ),
    (
        12,
        "prefetch",
        include_str!("../../migrations/0012_prefetch.sql"),
    ),
    (13, "sync", include_str!("../../migrations/0013_sync.sql")),
    (
        14,
        "volunteers",
        include_str!("../../migrations/0014_volunteers.sql"),
    ),
    (15, "packs", include_str!("../../migrations/0015_packs.sql")),
];

/// Key of the lock; "spot" as a number.
const LOCK: i64 = 0x7370_6f74;

/// The schema that this program needs.
pub fn schema_version() -> i32 {
    MIGRATIONS.last().map_or(0, |(version, ..)| *version)
}

/// Brings the schema up to date and returns how many migrations that took.
///
/// Fails if the database is newer than this program.
pub async fn migrate(db: &Db) -> anyhow::Result<usize> {
    let mut conn = db.get().await.context("DATABASE_URL")?;
    let tx = conn.begin().await?;
    tx.execute_typed(
        "-- db::migrate_lock
         SELECT pg_advisory_xact_lock($1)",
        &[(&LOCK, Type::INT8)],
    )
    .await?;
    tx.batch_execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations (
            version    int NOT NULL CONSTRAINT schema_migrations_pkey PRIMARY KEY,
            name       text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )",
    )
    .await?;
    let found: i32 = tx
        .query_typed_one(
            "-- db::schema_version
             SELECT coalesce(max(version), 0) AS version FROM schema_migrations",
            &[],
        )
        .await?
        .get("version");
    if found > schema_version() {
        bail!(
            "the database has schema {found}, this program knows {} at most: start a newer program",
            schema_version()
        );
    }
    let mut applied = 0;
    for (version, name, sql) in MIGRATIONS.iter().filter(|(version, ..)| *version > found) {
        tx.batch_execute(sql)
            .await
            .with_context(|| format!("migration {version} {name}"))?;
        tx.execute_typed(
            "-- db::record_migration
             INSERT INTO schema_migrations (version, name) VALUES ($1, $2)",
            &[(version, Type::INT4), (name, Type::TEXT)],
        )
        .await?;
        applied += 1;
    }
    tx.commit().await?;
    Ok(applied)
}
