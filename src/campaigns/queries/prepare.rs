//! Statements of preparation, of changes that are to be carried out, and of the end of a campaign.

use serde_json::Value;
use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::{Campaign, concat_columns, from_row};
use crate::db::DbError;

/// What was searched before a change.
#[derive(Debug)]
pub struct Before {
    /// EWKB; `None` when nothing was.
    pub area: Option<Vec<u8>>,
    pub priorities: Value,
    /// GeoJSON areas whose cells go first.
    pub first: Value,
    /// Whether the looks wanted change.
    pub reorders: bool,
}

/// How far a change is carried out.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// The version that brought it.
    pub version: i32,
    /// Whether the looks wanted changed.
    pub reorders: bool,
    pub areas_done: i16,
    pub next_column: i64,
}

/// Has the worker carry out a change, in the transaction that makes it.
pub async fn note_change(
    db: &impl GenericClient,
    campaign_id: Uuid,
    version: i32,
    before: &Before,
) -> Result<(), DbError> {
    let sql = "-- campaigns::note_change
        INSERT INTO campaign_changes (campaign_id, version, area, priorities, first, reorders)
        VALUES ($1, $2, ST_GeomFromEWKB($3), $4, $5, $6)";
    db.execute_typed(
        sql,
        &[
            (&campaign_id, Type::UUID),
            (&version, Type::INT4),
            (&before.area, Type::BYTEA),
            (&before.priorities, Type::JSONB),
            (&before.first, Type::JSONB),
            (&before.reorders, Type::BOOL),
        ],
    )
    .await?;
    Ok(())
}

/// The campaign whose cells are to be made or changed next, for this transaction; `None` when
/// there is none or other workers have them. Campaigns that are searched now come first.
pub async fn next_to_prepare(db: &impl GenericClient) -> Result<Option<Campaign>, DbError> {
    let sql = concat_columns(
        "-- campaigns::next_to_prepare\nSELECT ",
        " FROM campaigns
        WHERE state <> 'closed' AND id IN (SELECT campaign_id FROM campaign_changes)
        ORDER BY state = 'preparing', published_at, id
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED",
    );
    let row = db.query_typed_opt(&sql, &[]).await?;
    row.as_ref().map(from_row).transpose()
}

/// The newest change that is not carried out.
pub async fn newest_change(
    db: &impl GenericClient,
    campaign_id: Uuid,
) -> Result<Option<Change>, DbError> {
    let sql = "-- campaigns::newest_change
        SELECT version, reorders, areas_done, next_column FROM campaign_changes
        WHERE campaign_id = $1
        ORDER BY version DESC
        LIMIT 1";
    let row = db
        .query_typed_opt(sql, &[(&campaign_id, Type::UUID)])
        .await?;
    Ok(row.map(|row| Change {
        version: row.get("version"),
        reorders: row.get("reorders"),
        areas_done: row.get("areas_done"),
        next_column: row.get("next_column"),
    }))
}

/// What was searched before a change that is not carried out.
pub async fn before(
    db: &impl GenericClient,
    campaign_id: Uuid,
    version: i32,
) -> Result<Before, DbError> {
    let sql = "-- campaigns::before
        SELECT ST_AsEWKB(area) AS area, priorities, first, reorders FROM campaign_changes
        WHERE campaign_id = $1 AND version = $2";
    let row = db
        .query_typed_one(sql, &[(&campaign_id, Type::UUID), (&version, Type::INT4)])
        .await?;
    Ok(Before {
        area: row.get("area"),
        priorities: row.get("priorities"),
        first: row.get("first"),
        reorders: row.get("reorders"),
    })
}

/// Weights that cells may have from before changes that are not carried out.
pub async fn weights_before(
    db: &impl GenericClient,
    campaign_id: Uuid,
) -> Result<Vec<f32>, DbError> {
    let sql = "-- campaigns::weights_before
        SELECT DISTINCT (p ->> 'weight')::float4 AS weight
        FROM campaign_changes, jsonb_array_elements(priorities) AS p
        WHERE campaign_id = $1";
    let rows = db.query_typed(sql, &[(&campaign_id, Type::UUID)]).await?;
    Ok(rows.iter().map(|row| row.get("weight")).collect())
}

/// Notes how far a change came, in the transaction that stored the cells.
pub async fn record_piece(
    db: &impl GenericClient,
    campaign_id: Uuid,
    change: &Change,
    new_cells: i64,
) -> Result<(), DbError> {
    let sql = "-- campaigns::record_piece
        WITH moved AS (
            UPDATE campaign_changes SET areas_done = $3, next_column = $4
            WHERE campaign_id = $1 AND version = $2
        )
        UPDATE campaigns SET cells_prepared = cells_prepared + $5, deck = deck + 1 WHERE id = $1";
    db.execute_typed(
        sql,
        &[
            (&campaign_id, Type::UUID),
            (&change.version, Type::INT4),
            (&change.areas_done, Type::INT2),
            (&change.next_column, Type::INT8),
            (&new_cells, Type::INT8),
        ],
    )
    .await?;
    Ok(())
}

/// Takes a change that is carried out off the list.
pub async fn finish_change(
    db: &impl GenericClient,
    campaign_id: Uuid,
    version: i32,
) -> Result<(), DbError> {
    let sql = "-- campaigns::finish_change
        DELETE FROM campaign_changes WHERE campaign_id = $1 AND version = $2";
    db.execute_typed(sql, &[(&campaign_id, Type::UUID), (&version, Type::INT4)])
        .await?;
    Ok(())
}

/// Opens a campaign in preparation if all its cells are there; says whether it did.
pub async fn open_prepared(db: &impl GenericClient, id: Uuid) -> Result<bool, DbError> {
    let sql = "-- campaigns::open_prepared
        UPDATE campaigns SET state = 'open', version = version + 1, updated_at = now(),
            cells = cells_prepared, xid = pg_current_xact_id()
        WHERE id = $1 AND state = 'preparing'
          AND NOT EXISTS (SELECT FROM campaign_changes WHERE campaign_id = $1)";
    Ok(db.execute_typed(sql, &[(&id, Type::UUID)]).await? == 1)
}

/// Closes campaigns whose end has come and gives their references.
pub async fn close_ended(db: &impl GenericClient) -> Result<Vec<(Uuid, String)>, DbError> {
    let sql = "-- campaigns::close_ended
        UPDATE campaigns SET state = 'closed', version = version + 1, updated_at = now(),
            xid = pg_current_xact_id(),
            closed_at = ends_at
        WHERE state IN ('open', 'paused') AND ends_at <= now()
        RETURNING id, slug";
    let rows = db.query_typed(sql, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| (row.get("id"), row.get("slug")))
        .collect())
}
