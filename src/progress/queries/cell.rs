//! Statements about one cell.

use jiff::Timestamp;
use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::db::DbError;

/// Answers that are listed of one cell.
pub const ANSWERS_MAX: i64 = 100;

/// The numbers of a cell.
pub struct Cell {
    pub weight: f32,
    pub looks: i16,
    pub bad_imagery: i16,
    pub tags: i32,
}

/// A look at a cell.
pub struct Answer {
    pub look_id: Uuid,
    pub volunteer_id: Uuid,
    pub outcome: String,
    pub tags: i64,
    pub seconds: f64,
    pub received_at: Timestamp,
}

pub async fn cell(
    db: &impl GenericClient,
    campaign_id: Uuid,
    cell: i64,
) -> Result<Option<Cell>, DbError> {
    let sql = "-- progress::cell
        SELECT weight, looks, bad_imagery, tags
        FROM cells WHERE campaign_id = $1 AND cell = $2";
    let row = db
        .query_typed_opt(sql, &[(&campaign_id, Type::UUID), (&cell, Type::INT8)])
        .await?;
    Ok(row.map(|row| Cell {
        weight: row.get("weight"),
        looks: row.get("looks"),
        bad_imagery: row.get("bad_imagery"),
        tags: row.get("tags"),
    }))
}

/// The newest looks at a cell, newest first.
pub async fn answers(
    db: &impl GenericClient,
    campaign_id: Uuid,
    cell: i64,
) -> Result<Vec<Answer>, DbError> {
    let sql = "-- progress::answers
        SELECT l.id, l.volunteer_id, l.outcome, l.received_at,
               extract(epoch FROM l.finished_at - l.started_at)::float8 AS seconds,
               (SELECT count(*) FROM tags AS t
                WHERE t.campaign_id = l.campaign_id AND t.cell = l.cell
                  AND t.volunteer_id = l.volunteer_id AND t.look_id = l.id
                  AND t.withdrawn_at IS NULL) AS tags
        FROM looks AS l
        WHERE l.campaign_id = $1 AND l.cell = $2
        ORDER BY l.received_at DESC, l.id DESC, l.volunteer_id DESC
        LIMIT $3";
    let rows = db
        .query_typed(
            sql,
            &[
                (&campaign_id, Type::UUID),
                (&cell, Type::INT8),
                (&ANSWERS_MAX, Type::INT8),
            ],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Answer {
            look_id: row.get("id"),
            volunteer_id: row.get("volunteer_id"),
            outcome: row.get("outcome"),
            tags: row.get("tags"),
            seconds: row.get("seconds"),
            received_at: row.get("received_at"),
        })
        .collect())
}
