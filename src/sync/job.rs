//! What the worker forgets: withdrawn tags, squares of packs that went, and refusals, long after phones were told of them.
//!
//! **Invariant:** what is forgotten raises the floor of its volunteer in the same transaction, so a
//! phone that was not told is told to start again. Of tags the ids are kept, so it brings none back.

use std::collections::BTreeMap;

use tokio_postgres::{
    GenericClient,
    types::{ToSql, Type},
};
use uuid::Uuid;

use super::TOMBSTONE_DAYS;
use crate::{
    db::DbError,
    looks::{self, ForgottenTag},
    packs,
    state::App,
};

/// Rows that are forgotten in one statement.
const FORGET_MAX: i64 = 5000;

/// Forgets some of what is older than [`TOMBSTONE_DAYS`]; says whether there may be more.
pub async fn forget_some(app: &App) -> Result<bool, DbError> {
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    let tags = looks::forget_withdrawn(&tx, TOMBSTONE_DAYS, FORGET_MAX).await?;
    let hopeless = withdraw_hopeless(&tx).await?;
    let waiting = forget_waiting(&tx, false).await?;
    // These may come once more, with their looks.
    let lookless = forget_waiting(&tx, true).await?;
    let refusals = forget_refusals(&tx).await?;
    let squares = packs::forget_gone(&tx, TOMBSTONE_DAYS, FORGET_MAX).await?;
    let mut floors = Floors::default();
    for tag in tags.iter().chain(&waiting).chain(&lookless) {
        floors.raise(tag.volunteer_id, "tags", tag.xid);
    }
    for (volunteer_id, xid) in &squares {
        floors.raise(*volunteer_id, "assignments", *xid);
    }
    floors.store(&tx).await?;
    note_forgotten(&tx, tags.iter().chain(&waiting)).await?;
    tx.commit().await?;
    let is_full = |rows: usize| i64::try_from(rows).is_ok_and(|rows| rows >= FORGET_MAX);
    let most = FORGET_MAX.unsigned_abs();
    Ok(is_full(tags.len())
        || is_full(waiting.len())
        || is_full(lookless.len())
        || is_full(squares.len())
        || hopeless >= most
        || refusals >= most)
}

/// Of whose tombstones in which collection some are forgotten in this transaction, and the last one that made
/// such a tombstone.
#[derive(Default)]
struct Floors(BTreeMap<(Uuid, &'static str), i64>);

impl Floors {
    fn raise(&mut self, volunteer_id: Uuid, collection: &'static str, xid: i64) {
        let floor = self.0.entry((volunteer_id, collection)).or_default();
        *floor = (*floor).max(xid);
    }

    async fn store(self, db: &impl GenericClient) -> Result<(), DbError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let sql = "-- sync::raise_floors
            INSERT INTO sync_floors AS f (volunteer_id, collection, xid)
            SELECT g.volunteer_id, g.collection, g.xid::text::xid8
            FROM unnest($1::uuid[], $2::text[], $3::int8[]) AS g (volunteer_id, collection, xid)
            ORDER BY g.volunteer_id, g.collection
            ON CONFLICT ON CONSTRAINT sync_floors_pkey DO UPDATE SET xid = greatest(f.xid, EXCLUDED.xid)";
        let (keys, xids): (Vec<_>, Vec<i64>) = self.0.into_iter().unzip();
        let (volunteers, collections): (Vec<Uuid>, Vec<&str>) = keys.into_iter().unzip();
        db.execute_typed(
            sql,
            &[
                (&volunteers, Type::UUID_ARRAY),
                (&collections, Type::TEXT_ARRAY),
                (&xids, Type::INT8_ARRAY),
            ],
        )
        .await?;
        Ok(())
    }
}

/// Of these tags the ids are kept.
async fn note_forgotten(
    db: &impl GenericClient,
    tags: impl Iterator<Item = &ForgottenTag>,
) -> Result<(), DbError> {
    let (volunteers, ids): (Vec<Uuid>, Vec<Uuid>) =
        tags.map(|tag| (tag.volunteer_id, tag.id)).unzip();
    if ids.is_empty() {
        return Ok(());
    }
    let sql = "-- sync::note_forgotten_tags
        INSERT INTO forgotten_tags (volunteer_id, id)
        SELECT g.volunteer_id, g.id FROM unnest($1::uuid[], $2::uuid[]) AS g (volunteer_id, id)
        ORDER BY g.volunteer_id, g.id
        ON CONFLICT ON CONSTRAINT forgotten_tags_pkey DO NOTHING";
    db.execute_typed(
        sql,
        &[(&volunteers, Type::UUID_ARRAY), (&ids, Type::UUID_ARRAY)],
    )
    .await?;
    Ok(())
}

/// Tags whose look never came.
async fn withdraw_hopeless(db: &impl GenericClient) -> Result<u64, DbError> {
    let sql = "-- sync::withdraw_hopeless
        UPDATE waiting_tags AS t
        SET withdrawn_at = now(), revision = revision + 1, xid = pg_current_xact_id()
        FROM (SELECT volunteer_id, id FROM waiting_tags
              WHERE received_at < now() - make_interval(days => $1) AND withdrawn_at IS NULL
              ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
        WHERE t.volunteer_id = old.volunteer_id AND t.id = old.id";
    Ok(db.execute_typed(sql, &parameters()).await?)
}

/// Forgets tags that waited: those of whose looks nothing was heard, or those that were withdrawn for
/// another reason.
async fn forget_waiting(
    db: &impl GenericClient,
    is_hopeless: bool,
) -> Result<Vec<ForgottenTag>, DbError> {
    let sql = "-- sync::forget_waiting
        DELETE FROM waiting_tags AS t
        USING (SELECT volunteer_id, id FROM waiting_tags
               WHERE withdrawn_at < now() - make_interval(days => $1)
                 AND (withdrawn_at >= received_at + make_interval(days => $1)) = $3
               LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
        WHERE t.volunteer_id = old.volunteer_id AND t.id = old.id
        RETURNING t.volunteer_id, t.id, t.xid::text::int8 AS xid";
    let [days, limit] = parameters();
    let gone = db
        .query_typed(sql, &[days, limit, (&is_hopeless, Type::BOOL)])
        .await?;
    Ok(gone.iter().map(ForgottenTag::of).collect())
}

async fn forget_refusals(db: &impl GenericClient) -> Result<u64, DbError> {
    let sql = "-- sync::forget_refusals
        DELETE FROM sync_refusals AS r
        USING (SELECT volunteer_id, collection, id FROM sync_refusals
               WHERE refused_at < now() - make_interval(days => $1)
               ORDER BY refused_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
        WHERE r.volunteer_id = old.volunteer_id AND r.collection = old.collection AND r.id = old.id";
    Ok(db.execute_typed(sql, &parameters()).await?)
}

fn parameters() -> [(&'static (dyn ToSql + Sync), Type); 2] {
    [(&TOMBSTONE_DAYS, Type::INT4), (&FORGET_MAX, Type::INT8)]
}
