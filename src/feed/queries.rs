//! Statements of the feed. `xid8` crosses the wire as `int8`, by way of its text; `ORDER BY` names
//! the column with its table, or it would mean that text's number, which no index has in order.

use jiff::Timestamp;
use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use super::{Cursor, Decision, LookChange, Position, TagChange};
use crate::db::DbError;

/// Locks a reader's cursor, which whoever has it gives free at the end of its transaction.
const CURSOR_FOR_UPDATE: &str = "
        SELECT looks_xid::text::int8 AS looks_xid, looks_id, looks_owner,
               tags_xid::text::int8 AS tags_xid, tags_id, tags_owner,
               decisions_xid::text::int8 AS decisions_xid, decisions_campaign, decisions_cell
        FROM feed_cursors
        WHERE reader = $1
        FOR UPDATE";

/// The cursor, unless another process has it.
pub async fn lock_cursor(db: &impl GenericClient, reader: &str) -> Result<Option<Cursor>, DbError> {
    let sql = format!("-- feed::lock_cursor{CURSOR_FOR_UPDATE} SKIP LOCKED");
    let row = db.query_typed_opt(&sql, &[(&reader, Type::TEXT)]).await?;
    Ok(row.as_ref().map(cursor))
}

/// The cursor, once no other process has it.
pub async fn wait_for_cursor(db: &impl GenericClient, reader: &str) -> Result<Cursor, DbError> {
    let sql = format!("-- feed::wait_for_cursor{CURSOR_FOR_UPDATE}");
    let row = db.query_typed_one(&sql, &[(&reader, Type::TEXT)]).await?;
    Ok(cursor(&row))
}

pub async fn add_reader(db: &impl GenericClient, reader: &str) -> Result<(), DbError> {
    let sql = "-- feed::add_reader
        INSERT INTO feed_cursors (reader) VALUES ($1)
        ON CONFLICT ON CONSTRAINT feed_cursors_pkey DO NOTHING";
    db.execute_typed(sql, &[(&reader, Type::TEXT)]).await?;
    Ok(())
}

pub async fn looks_after(
    db: &impl GenericClient,
    after: &Position,
    limit: i64,
) -> Result<Vec<LookChange>, DbError> {
    let sql = "-- feed::looks_after
        SELECT xid::text::int8 AS xid, id, volunteer_id, campaign_id, cell, outcome, received_at
        FROM looks
        WHERE (xid, id, volunteer_id) > ($1::text::xid8, $2, $3)
          AND xid < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY looks.xid, id, volunteer_id
        LIMIT $4";
    let rows = db
        .query_typed(sql, &after_params(after, &after.xid.to_string(), &limit))
        .await?;
    Ok(rows
        .iter()
        .map(|row| LookChange {
            at: position(row),
            campaign_id: row.get("campaign_id"),
            cell: row.get("cell"),
            outcome: row.get("outcome"),
            received_at: row.get("received_at"),
        })
        .collect())
}

pub async fn tags_after(
    db: &impl GenericClient,
    after: &Position,
    limit: i64,
) -> Result<Vec<TagChange>, DbError> {
    let sql = "-- feed::tags_after
        SELECT xid::text::int8 AS xid, id, volunteer_id, campaign_id, cell
        FROM tags
        WHERE (xid, id, volunteer_id) > ($1::text::xid8, $2, $3)
          AND xid < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY tags.xid, id, volunteer_id
        LIMIT $4";
    let rows = db
        .query_typed(sql, &after_params(after, &after.xid.to_string(), &limit))
        .await?;
    Ok(rows
        .iter()
        .map(|row| TagChange {
            at: position(row),
            campaign_id: row.get("campaign_id"),
            cell: row.get("cell"),
        })
        .collect())
}

pub async fn decisions_after(
    db: &impl GenericClient,
    after: &Decision,
    limit: i64,
) -> Result<Vec<Decision>, DbError> {
    let sql = "-- feed::decisions_after
        SELECT xid::text::int8 AS xid, campaign_id, cell
        FROM cell_decisions
        WHERE (xid, campaign_id, cell) > ($1::text::xid8, $2, $3)
          AND xid < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY cell_decisions.xid, campaign_id, cell
        LIMIT $4";
    let rows = db
        .query_typed(
            sql,
            &[
                (&after.xid.to_string(), Type::TEXT),
                (&after.campaign_id, Type::UUID),
                (&after.cell, Type::INT8),
                (&limit, Type::INT8),
            ],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Decision {
            xid: row.get("xid"),
            campaign_id: row.get("campaign_id"),
            cell: row.get("cell"),
        })
        .collect())
}

pub async fn move_cursor(
    db: &impl GenericClient,
    reader: &str,
    to: &Cursor,
) -> Result<(), DbError> {
    let sql = "-- feed::move_cursor
        UPDATE feed_cursors
        SET looks_xid = $2::text::xid8, looks_id = $3, looks_owner = $4,
            tags_xid = $5::text::xid8, tags_id = $6, tags_owner = $7,
            decisions_xid = $8::text::xid8, decisions_campaign = $9, decisions_cell = $10,
            moved_at = now()
        WHERE reader = $1";
    db.execute_typed(
        sql,
        &[
            (&reader, Type::TEXT),
            (&to.looks.xid.to_string(), Type::TEXT),
            (&to.looks.id, Type::UUID),
            (&to.looks.volunteer_id, Type::UUID),
            (&to.tags.xid.to_string(), Type::TEXT),
            (&to.tags.id, Type::UUID),
            (&to.tags.volunteer_id, Type::UUID),
            (&to.decisions.xid.to_string(), Type::TEXT),
            (&to.decisions.campaign_id, Type::UUID),
            (&to.decisions.cell, Type::INT8),
        ],
    )
    .await?;
    Ok(())
}

/// How far a reader is behind.
#[derive(Clone, Copy, Debug)]
pub struct Lag {
    /// The database's clock.
    pub now: Timestamp,
    /// When the oldest change that was not read came in.
    pub oldest_unread: Option<Timestamp>,
}

pub async fn lag(db: &impl GenericClient, reader: &str) -> Result<Lag, DbError> {
    let sql = "-- feed::lag
        SELECT now() AS now, least(
            (SELECT received_at FROM looks
             WHERE (xid, id, volunteer_id) > (c.looks_xid, c.looks_id, c.looks_owner)
             ORDER BY xid, id, volunteer_id LIMIT 1),
            (SELECT updated_at FROM tags
             WHERE (xid, id, volunteer_id) > (c.tags_xid, c.tags_id, c.tags_owner)
             ORDER BY xid, id, volunteer_id LIMIT 1),
            (SELECT decided_at FROM cell_decisions
             WHERE (xid, campaign_id, cell) > (c.decisions_xid, c.decisions_campaign, c.decisions_cell)
             ORDER BY cell_decisions.xid, campaign_id, cell LIMIT 1)) AS oldest_unread
        FROM (SELECT 1) AS one
        LEFT JOIN feed_cursors AS c ON c.reader = $1";
    let row = db.query_typed_one(sql, &[(&reader, Type::TEXT)]).await?;
    Ok(Lag {
        now: row.get("now"),
        oldest_unread: row.get("oldest_unread"),
    })
}

/// Cells of a campaign with changes that a reader has not read.
pub async fn pending_cells(
    db: &impl GenericClient,
    reader: &str,
    campaign_id: Uuid,
) -> Result<Vec<i64>, DbError> {
    let sql = "-- feed::pending_cells
        SELECT l.cell FROM looks AS l
        LEFT JOIN feed_cursors AS c ON c.reader = $1
        WHERE l.campaign_id = $2
          AND (c.reader IS NULL OR (l.xid, l.id, l.volunteer_id) > (c.looks_xid, c.looks_id, c.looks_owner))
        UNION
        SELECT t.cell FROM tags AS t
        LEFT JOIN feed_cursors AS c ON c.reader = $1
        WHERE t.campaign_id = $2
          AND (c.reader IS NULL OR (t.xid, t.id, t.volunteer_id) > (c.tags_xid, c.tags_id, c.tags_owner))
        UNION
        SELECT d.cell FROM cell_decisions AS d
        LEFT JOIN feed_cursors AS c ON c.reader = $1
        WHERE d.campaign_id = $2
          AND (c.reader IS NULL OR (d.xid, d.campaign_id, d.cell)
                                   > (c.decisions_xid, c.decisions_campaign, c.decisions_cell))";
    let rows = db
        .query_typed(sql, &[(&reader, Type::TEXT), (&campaign_id, Type::UUID)])
        .await?;
    Ok(rows.iter().map(|row| row.get("cell")).collect())
}

fn cursor(row: &Row) -> Cursor {
    Cursor {
        looks: Position {
            xid: row.get("looks_xid"),
            id: row.get("looks_id"),
            volunteer_id: row.get("looks_owner"),
        },
        tags: Position {
            xid: row.get("tags_xid"),
            id: row.get("tags_id"),
            volunteer_id: row.get("tags_owner"),
        },
        decisions: Decision {
            xid: row.get("decisions_xid"),
            campaign_id: row.get("decisions_campaign"),
            cell: row.get("decisions_cell"),
        },
    }
}

fn position(row: &Row) -> Position {
    Position {
        xid: row.get("xid"),
        id: row.get("id"),
        volunteer_id: row.get("volunteer_id"),
    }
}

fn after_params<'a>(
    after: &'a Position,
    xid: &'a String,
    limit: &'a i64,
) -> [(&'a (dyn tokio_postgres::types::ToSql + Sync), Type); 4] {
    [
        (xid, Type::TEXT),
        (&after.id, Type::UUID),
        (&after.volunteer_id, Type::UUID),
        (limit, Type::INT8),
    ]
}
