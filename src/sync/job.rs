//! What the worker forgets: withdrawn tags and refusals, long after phones were told of them.
//!
//! **Invariant:** what is forgotten raises the floor of its volunteer in the same transaction, so a
//! phone that was not told is told to start again.

use tokio_postgres::{GenericClient, types::Type};

use super::TOMBSTONE_DAYS;
use crate::{db::DbError, state::App};

/// Rows that are forgotten in one statement.
const FORGET_MAX: i64 = 5000;

/// Forgets some of what is older than [`TOMBSTONE_DAYS`]; says whether there may be more.
pub async fn forget_some(app: &App) -> Result<bool, DbError> {
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    let tags = forget_tags(&tx).await?;
    let hopeless = withdraw_hopeless(&tx).await?;
    let waiting = forget_waiting(&tx).await?;
    let refusals = forget_refusals(&tx).await?;
    tx.commit().await?;
    Ok(tags >= FORGET_MAX
        || hopeless >= FORGET_MAX
        || waiting >= FORGET_MAX
        || refusals >= FORGET_MAX)
}

async fn forget_tags(db: &impl GenericClient) -> Result<i64, DbError> {
    let sql = "-- sync::forget_tags
        WITH gone AS (
            DELETE FROM tags AS t
            USING (SELECT volunteer_id, id FROM tags
                   WHERE withdrawn_at < now() - make_interval(days => $1)
                   ORDER BY withdrawn_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
            WHERE t.volunteer_id = old.volunteer_id AND t.id = old.id AND t.withdrawn_at IS NOT NULL
            RETURNING t.volunteer_id, t.xid::text::bigint AS xid
        ), floors AS (
            INSERT INTO sync_floors AS f (volunteer_id, collection, xid)
            SELECT g.volunteer_id, 'tags', max(g.xid)::text::xid8 FROM gone AS g GROUP BY g.volunteer_id
            ORDER BY g.volunteer_id
            ON CONFLICT ON CONSTRAINT sync_floors_pkey DO UPDATE SET xid = greatest(f.xid, EXCLUDED.xid)
        )
        SELECT count(*) AS gone FROM gone";
    forgotten(db, sql).await
}

/// Tags whose look never came.
async fn withdraw_hopeless(db: &impl GenericClient) -> Result<i64, DbError> {
    let sql = "-- sync::withdraw_hopeless
        WITH hopeless AS (
            UPDATE waiting_tags AS t
            SET withdrawn_at = now(), revision = revision + 1, xid = pg_current_xact_id()
            FROM (SELECT volunteer_id, id FROM waiting_tags
                  WHERE received_at < now() - make_interval(days => $1) AND withdrawn_at IS NULL
                  ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
            WHERE t.volunteer_id = old.volunteer_id AND t.id = old.id
            RETURNING t.id
        )
        SELECT count(*) AS gone FROM hopeless";
    forgotten(db, sql).await
}

async fn forget_waiting(db: &impl GenericClient) -> Result<i64, DbError> {
    let sql = "-- sync::forget_waiting
        WITH gone AS (
            DELETE FROM waiting_tags AS t
            USING (SELECT volunteer_id, id FROM waiting_tags
                   WHERE withdrawn_at < now() - make_interval(days => $1)
                   LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
            WHERE t.volunteer_id = old.volunteer_id AND t.id = old.id
            RETURNING t.volunteer_id, t.xid::text::bigint AS xid
        ), floors AS (
            INSERT INTO sync_floors AS f (volunteer_id, collection, xid)
            SELECT g.volunteer_id, 'tags', max(g.xid)::text::xid8 FROM gone AS g GROUP BY g.volunteer_id
            ORDER BY g.volunteer_id
            ON CONFLICT ON CONSTRAINT sync_floors_pkey DO UPDATE SET xid = greatest(f.xid, EXCLUDED.xid)
        )
        SELECT count(*) AS gone FROM gone";
    forgotten(db, sql).await
}

async fn forget_refusals(db: &impl GenericClient) -> Result<i64, DbError> {
    let sql = "-- sync::forget_refusals
        WITH gone AS (
            DELETE FROM sync_refusals AS r
            USING (SELECT volunteer_id, collection, id FROM sync_refusals
                   WHERE refused_at < now() - make_interval(days => $1)
                   ORDER BY refused_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
            WHERE r.volunteer_id = old.volunteer_id AND r.collection = old.collection AND r.id = old.id
            RETURNING r.volunteer_id
        )
        SELECT count(*) AS gone FROM gone";
    forgotten(db, sql).await
}

async fn forgotten(db: &impl GenericClient, sql: &str) -> Result<i64, DbError> {
    let row = db
        .query_typed_one(
            sql,
            &[(&TOMBSTONE_DAYS, Type::INT4), (&FORGET_MAX, Type::INT8)],
        )
        .await?;
    Ok(row.get("gone"))
}
