//! Statements of preparation.

use std::collections::HashMap;

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::{
    db::DbError,
    geo::{CellId, Tile},
};

/// Stores cells with their weights, in their order; gives those that changed and whether they
/// are new. `unnest` and not `COPY`, whose statement the driver prepares under a name, which
/// collides with other processes behind a pooler. `ON CONFLICT` and not a join, whose plan may be
/// a walk over all cells of all campaigns.
pub async fn put_cells(
    db: &impl GenericClient,
    campaign_id: Uuid,
    cells: &[(Tile, f32)],
) -> Result<HashMap<Tile, bool>, DbError> {
    let sql = "-- preparation::put_cells
        INSERT INTO cells AS c (campaign_id, cell, weight)
        SELECT $1, n.cell, n.weight
        FROM unnest($2::int8[], $3::float4[]) AS n (cell, weight)
        ON CONFLICT ON CONSTRAINT cells_pkey DO UPDATE
        SET weight = excluded.weight WHERE c.weight <> excluded.weight
        RETURNING c.cell, c.xmax = 0 AS is_new";
    let ids: Vec<i64> = cells
        .iter()
        .map(|(cell, _)| CellId::from(*cell).get())
        .collect();
    let weights: Vec<f32> = cells.iter().map(|(_, weight)| *weight).collect();
    let rows = db
        .query_typed(
            sql,
            &[
                (&campaign_id, Type::UUID),
                (&ids, Type::INT8_ARRAY),
                (&weights, Type::FLOAT4_ARRAY),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let cell = CellId::try_from(row.get::<_, i64>("cell"))
                .map_err(|e| DbError::Damaged(format!("cells.cell: {e}")))?;
            Ok((cell.tile(), row.get("is_new")))
        })
        .collect()
}

/// Tells the planner of the new rows. Until it knows of them, it takes a claim of piles for cheap
/// and walks over all of them.
pub async fn analyze(db: &impl GenericClient) -> Result<(), DbError> {
    db.execute_typed("-- preparation::analyze\nANALYZE cells, piles", &[])
        .await?;
    Ok(())
}
