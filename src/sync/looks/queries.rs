//! Statements of looks that are synced.

use serde_json::Value;
use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use super::{Kept, tile};
use crate::{
    db::DbError,
    http::Problem,
    looks::Outcome,
    sync::{
        Page, Position,
        collection::{after_params, rows},
        epoch::Standing,
    },
};

/// A volunteer's looks after a place.
///
/// They are found by the volunteer, all of them, and sorted: an index in their order would cost
/// each look that is stored.
pub async fn after(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    after: &Position,
    limit: usize,
) -> Result<Page, Problem> {
    let sql = "-- sync::looks_after
        SELECT s.epoch, s.horizon, s.floor, d.xid, d.id, d.campaign_id, d.cell, d.outcome, d.campaign_version,
               d.started_at, d.finished_at, d.content_hash
        FROM sync_standing($1, 'looks') AS s
        LEFT JOIN (
            SELECT o.xid::text::int8 AS xid, o.id, o.campaign_id, o.cell, o.outcome, o.campaign_version, o.started_at,
                   o.finished_at, o.content_hash
            FROM (SELECT xid, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, content_hash
                  FROM looks WHERE volunteer_id = $1 OFFSET 0) AS o
            WHERE (o.xid, o.id) > ($2::text::xid8, $3)
              AND o.xid < (SELECT pg_snapshot_xmin(pg_current_snapshot()))
            ORDER BY o.xid, o.id
            LIMIT $4
        ) AS d ON true
        ORDER BY d.xid, d.id";
    let (xid, limit) = (after.xid.to_string(), rows(limit));
    let params = after_params(&volunteer_id, &xid, &after.id, &limit);
    let found = db.query_typed(sql, &params).await?;
    let standing = found.first().map(Standing::of);
    let documents = found
        .iter()
        .filter(|row| row.get::<_, Option<Uuid>>("id").is_some())
        .map(|row| from_row(row)?.document())
        .collect::<Result<Vec<_>, DbError>>()?;
    Ok(Page {
        standing: standing.ok_or_else(|| Problem::internal(&"no standing"))?,
        documents,
        is_cut: false,
    })
}

/// Those of these looks that are kept.
pub async fn find(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    ids: &[Uuid],
) -> Result<Vec<Kept>, DbError> {
    let sql = "-- sync::find_looks
        SELECT xid::text::int8 AS xid, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at,
               content_hash
        FROM looks WHERE volunteer_id = $1 AND id = ANY ($2)";
    let found = db
        .query_typed(
            sql,
            &[(&volunteer_id, Type::UUID), (&ids, Type::UUID_ARRAY)],
        )
        .await?;
    found.iter().map(from_row).collect()
}

fn from_row(row: &Row) -> Result<Kept, DbError> {
    let outcome: String = row.get("outcome");
    let outcome: Outcome = serde_json::from_value(Value::String(outcome))
        .map_err(|e| DbError::Damaged(format!("looks.outcome: {e}")))?;
    Ok(Kept {
        at: Position {
            xid: row.get("xid"),
            id: row.get("id"),
        },
        campaign_id: row.get("campaign_id"),
        cell: tile(row.get("cell"))?,
        outcome,
        campaign_version: row.get("campaign_version"),
        started_at: row.get("started_at"),
        finished_at: row.get("finished_at"),
        content_hash: row.get("content_hash"),
    })
}
