//! Statements of the map: cells, and blocks of them.

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::db::DbError;

/// A cell or block on the map.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// Packed like a cell, at its own zoom.
    pub tile: i64,
    pub cells: i64,
    pub looks: i64,
    pub bad_imagery: i64,
    pub tags: i64,
    pub closed: i64,
}

/// More cells than a column of a map answer can have.
const COLUMN_MAX: i64 = 100_000;

/// Ranges of packed cells: one for each column of a box.
pub struct Ranges {
    pub first: Vec<i64>,
    pub last: Vec<i64>,
}

/// Cells within ranges.
pub async fn cells_within(
    db: &impl GenericClient,
    campaign_id: Uuid,
    ranges: &Ranges,
) -> Result<Vec<Block>, DbError> {
    let sql = "-- progress::cells_within
        SELECT c.cell AS block, 1::int8 AS cells, c.looks::int8 AS looks,
               c.bad_imagery::int8 AS bad_imagery, c.tags::int8 AS tags,
               c.closed::int4::int8 AS closed
        FROM unnest($2::int8[], $3::int8[]) AS r (first, last)
        -- The limit keeps the planner from joining the whole table with all ranges.
        CROSS JOIN LATERAL (
            SELECT cell, looks, bad_imagery, tags, closed FROM cells
            WHERE campaign_id = $1 AND cell BETWEEN r.first AND r.last
            ORDER BY campaign_id, cell LIMIT $4) AS c";
    within(db, sql, campaign_id, ranges).await
}

/// Blocks within ranges.
pub async fn blocks_within(
    db: &impl GenericClient,
    campaign_id: Uuid,
    ranges: &Ranges,
) -> Result<Vec<Block>, DbError> {
    let sql = "-- progress::blocks_within
        SELECT b.block, b.cells, b.looks, b.bad_imagery, b.tags, b.closed
        FROM unnest($2::int8[], $3::int8[]) AS r (first, last)
        CROSS JOIN LATERAL (
            SELECT block, cells, looks, bad_imagery, tags, closed FROM blocks
            WHERE campaign_id = $1 AND block BETWEEN r.first AND r.last
            ORDER BY campaign_id, block LIMIT $4) AS b";
    within(db, sql, campaign_id, ranges).await
}

async fn within(
    db: &impl GenericClient,
    sql: &str,
    campaign_id: Uuid,
    ranges: &Ranges,
) -> Result<Vec<Block>, DbError> {
    let rows = db
        .query_typed(
            sql,
            &[
                (&campaign_id, Type::UUID),
                (&ranges.first, Type::INT8_ARRAY),
                (&ranges.last, Type::INT8_ARRAY),
                (&COLUMN_MAX, Type::INT8),
            ],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Block {
            tile: row.get("block"),
            cells: row.get("cells"),
            looks: row.get("looks"),
            bad_imagery: row.get("bad_imagery"),
            tags: row.get("tags"),
            closed: row.get("closed"),
        })
        .collect())
}
