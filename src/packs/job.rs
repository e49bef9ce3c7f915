//! What becomes of the squares of packs, in the worker: answered ones are noted from the change feed,
//! those whose lease ended go, and so do answered ones a while later.
//!
//! **Invariant:** a square of a pack that was looked at is noted as answered, whatever workers do it and
//! die: the place in the feed moves in the same transaction.

use std::time::Duration;

use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use crate::{
    db::{Db, DbError},
    feed::{self, LookChange, Position},
    state::App,
};

/// The reader's name among the cursors.
const READER: &str = "packs";
/// Looks of one step, and squares of one statement.
const STEP_MAX: i64 = 5000;
/// While nobody has a pack, looks are not read: the place in the feed is only moved on, each time so
/// many transactions have passed.
const SKIP_XIDS: i64 = 10_000;
/// For how long an answered square is still shown as such.
const ANSWERED_SHOWN: Duration = Duration::from_hours(24);
/// For how long a pack is known by its id, at least, and how many are forgotten in one statement.
const PACK_KEPT: Duration = Duration::from_hours(180 * 24);
const FORGET_MAX: i64 = 10_000;

/// Does a piece of all three; says whether there is more to do at once.
pub async fn step(app: &App) -> Result<bool, DbError> {
    let answered = answer(app).await?;
    let conn = app.db.get().await?;
    let ended = end_leases(&*conn).await?;
    let hidden = hide_answered(&*conn).await?;
    Ok(answered || ended >= STEP_MAX.unsigned_abs() || hidden >= STEP_MAX.unsigned_abs())
}

/// Notes squares as answered by the looks that come next in the feed.
async fn answer(app: &App) -> Result<bool, DbError> {
    let mut conn = app.db.get().await?;
    let standing = standing(&*conn).await?;
    if !standing.any_open && standing.horizon - standing.at < SKIP_XIDS {
        return Ok(false);
    }
    let tx = conn.begin().await?;
    let Some(mut cursor) = feed::take(&tx, READER).await? else {
        return Ok(false);
    };
    let looks = if standing.any_open {
        feed::read_looks(&tx, &cursor.looks, STEP_MAX).await?
    } else {
        Vec::new()
    };
    if let Some(last) = looks.last() {
        cursor.looks = last.at;
        note_answered(&tx, &looks).await?;
    } else if !standing.any_open {
        // Squares that are taken along from now on are looked at in later transactions.
        cursor.looks = cursor.looks.max(Position::before(standing.horizon));
    } else {
        return Ok(false);
    }
    feed::advance(&tx, READER, &cursor).await?;
    tx.commit().await?;
    Ok(i64::try_from(looks.len()).is_ok_and(|read| read >= STEP_MAX))
}

struct Standing {
    /// Whether anybody has a square along.
    any_open: bool,
    /// Rows of older transactions are all there, in the same view of the database.
    horizon: i64,
    /// The transaction up to which looks were read.
    at: i64,
}

async fn standing(db: &impl GenericClient) -> Result<Standing, DbError> {
    let sql = "-- packs::standing
        SELECT EXISTS (SELECT FROM pack_cells WHERE state = 'open') AS any_open,
               pg_snapshot_xmin(pg_current_snapshot())::text::int8 AS horizon,
               coalesce((SELECT looks_xid::text::int8 FROM feed_cursors WHERE reader = $1), 0) AS at";
    let row = db.query_typed_one(sql, &[(&READER, Type::TEXT)]).await?;
    Ok(Standing {
        any_open: row.get("any_open"),
        horizon: row.get("horizon"),
        at: row.get("at"),
    })
}

async fn note_answered(db: &impl GenericClient, looks: &[LookChange]) -> Result<(), DbError> {
    let sql = "-- packs::note_answered
        WITH locked AS (
            SELECT p.volunteer_id, p.id
            FROM (SELECT DISTINCT volunteer_id, campaign_id, cell
                  FROM unnest($1::uuid[], $2::uuid[], $3::int8[])
                       AS g (volunteer_id, campaign_id, cell)) AS g
            JOIN pack_cells AS p ON p.volunteer_id = g.volunteer_id
                 AND p.campaign_id = g.campaign_id AND p.cell = g.cell AND p.state = 'open'
            ORDER BY p.volunteer_id, p.id
            FOR UPDATE OF p
        )
        UPDATE pack_cells AS p
        SET state = 'answered', changed_at = now(), xid = pg_current_xact_id()
        FROM locked AS l
        WHERE p.volunteer_id = l.volunteer_id AND p.id = l.id";
    let volunteers: Vec<Uuid> = looks.iter().map(|look| look.at.volunteer_id).collect();
    let campaigns: Vec<Uuid> = looks.iter().map(|look| look.campaign_id).collect();
    let cells: Vec<i64> = looks.iter().map(|look| look.cell).collect();
    db.execute_typed(
        sql,
        &[
            (&volunteers, Type::UUID_ARRAY),
            (&campaigns, Type::UUID_ARRAY),
            (&cells, Type::INT8_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

/// Squares whose lease ended go. Gives how many.
async fn end_leases(db: &impl GenericClient) -> Result<u64, DbError> {
    let sql = "-- packs::end_leases
        WITH ended AS (
            SELECT volunteer_id, id FROM pack_cells
            WHERE state = 'open' AND lease_expires_at < now()
            ORDER BY lease_expires_at
            LIMIT $1
            FOR UPDATE SKIP LOCKED
        )
        UPDATE pack_cells AS p
        SET state = 'gone', changed_at = now(), xid = pg_current_xact_id()
        FROM ended AS e
        WHERE p.volunteer_id = e.volunteer_id AND p.id = e.id";
    Ok(db.execute_typed(sql, &[(&STEP_MAX, Type::INT8)]).await?)
}

/// Squares that were answered a while ago go. Gives how many.
async fn hide_answered(db: &impl GenericClient) -> Result<u64, DbError> {
    let sql = "-- packs::hide_answered
        WITH shown AS (
            SELECT volunteer_id, id FROM pack_cells
            WHERE state = 'answered' AND changed_at < now() - make_interval(secs => $2)
            ORDER BY changed_at
            LIMIT $1
            FOR UPDATE SKIP LOCKED
        )
        UPDATE pack_cells AS p
        SET state = 'gone', changed_at = now(), xid = pg_current_xact_id()
        FROM shown AS s
        WHERE p.volunteer_id = s.volunteer_id AND p.id = s.id";
    let secs = ANSWERED_SHOWN.as_secs_f64();
    let hidden = db
        .execute_typed(sql, &[(&STEP_MAX, Type::INT8), (&secs, Type::FLOAT8)])
        .await?;
    Ok(hidden)
}

/// Forgets squares that went so many days ago, some at a time. Gives whose they were, and the transactions
/// in which they went.
pub async fn forget_gone(
    db: &impl GenericClient,
    days: i32,
    at_most: i64,
) -> Result<Vec<(Uuid, i64)>, DbError> {
    let sql = "-- packs::forget_gone
        DELETE FROM pack_cells AS p
        USING (SELECT volunteer_id, id FROM pack_cells
               WHERE state = 'gone' AND changed_at < now() - make_interval(days => $1)
               ORDER BY changed_at
               LIMIT $2
               FOR UPDATE SKIP LOCKED) AS g
        WHERE p.volunteer_id = g.volunteer_id AND p.id = g.id
        RETURNING p.volunteer_id, p.xid::text::int8 AS xid";
    let gone = db
        .query_typed(sql, &[(&days, Type::INT4), (&at_most, Type::INT8)])
        .await?;
    let of = |row: &Row| (row.get("volunteer_id"), row.get("xid"));
    Ok(gone.iter().map(of).collect())
}

/// Forgets packs that were made long ago and have no squares any more; says whether there may be more.
pub async fn forget_empty(db: &Db) -> Result<bool, DbError> {
    let sql = "-- packs::forget_empty
        DELETE FROM packs AS p
        USING (SELECT volunteer_id, id FROM packs AS o
               WHERE made_at < now() - make_interval(secs => $2)
                 AND NOT EXISTS (SELECT FROM pack_cells AS c
                                 WHERE c.volunteer_id = o.volunteer_id AND c.pack_id = o.id)
               ORDER BY made_at
               LIMIT $1
               FOR UPDATE SKIP LOCKED) AS e
        WHERE p.volunteer_id = e.volunteer_id AND p.id = e.id";
    let secs = PACK_KEPT.as_secs_f64();
    let conn = db.get().await?;
    let forgotten = conn
        .execute_typed(sql, &[(&FORGET_MAX, Type::INT8), (&secs, Type::FLOAT8)])
        .await?;
    Ok(forgotten >= FORGET_MAX.unsigned_abs())
}
