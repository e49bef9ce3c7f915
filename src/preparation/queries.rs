//! Statements of preparation.

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::NewCell;
use crate::db::DbError;

/// Stores new cells. `unnest` and not `COPY`, whose statement the driver prepares under a name,
/// which collides with other processes behind a pooler.
pub async fn insert_cells(
    db: &impl GenericClient,
    campaign_id: Uuid,
    cells: &[NewCell],
) -> Result<(), DbError> {
    let sql = "-- preparation::insert_cells
        INSERT INTO cells (campaign_id, cell, weight, shuffle)
        SELECT $1, n.cell, n.weight, n.shuffle
        FROM unnest($2::int8[], $3::float4[], $4::int4[]) AS n (cell, weight, shuffle)";
    let ids: Vec<i64> = cells.iter().map(|new| new.cell).collect();
    let weights: Vec<f32> = cells.iter().map(|new| new.weight).collect();
    let shuffles: Vec<i32> = cells.iter().map(|new| new.shuffle).collect();
    db.execute_typed(
        sql,
        &[
            (&campaign_id, Type::UUID),
            (&ids, Type::INT8_ARRAY),
            (&weights, Type::FLOAT4_ARRAY),
            (&shuffles, Type::INT4_ARRAY),
        ],
    )
    .await?;
    Ok(())
}
