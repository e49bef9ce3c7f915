//! Packs of a volunteer who departs.

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::db::DbError;

/// Stores the packs of a volunteer for another one too, but for squares that they have along already.
pub async fn copy(db: &impl GenericClient, volunteer_id: Uuid, to: Uuid) -> Result<(), DbError> {
    let packs = "-- packs::copy
        INSERT INTO packs (volunteer_id, id, campaign_id, cells_wanted, lease_hours, near_lon, near_lat,
                           dealt_until, exhausted, expires_at, made_at, returned_at)
        SELECT $2, id, campaign_id, cells_wanted, lease_hours, near_lon, near_lat, dealt_until, exhausted,
               expires_at, made_at, returned_at
        FROM packs WHERE volunteer_id = $1
        ON CONFLICT DO NOTHING";
    let cells = "-- packs::copy_cells
        INSERT INTO pack_cells (volunteer_id, id, pack_id, campaign_id, cell, imagery_layer_id,
                                lease_expires_at, state, changed_at)
        SELECT $2, id, pack_id, campaign_id, cell, imagery_layer_id, lease_expires_at, state, changed_at
        FROM pack_cells WHERE volunteer_id = $1
        ON CONFLICT DO NOTHING";
    for sql in [packs, cells] {
        db.execute_typed(sql, &[(&volunteer_id, Type::UUID), (&to, Type::UUID)])
            .await?;
    }
    Ok(())
}

/// Deletes the packs of a volunteer.
pub async fn delete(db: &impl GenericClient, volunteer_id: Uuid) -> Result<(), DbError> {
    let cells = "-- packs::delete_cells
        DELETE FROM pack_cells WHERE volunteer_id = $1";
    let packs = "-- packs::delete
        DELETE FROM packs WHERE volunteer_id = $1";
    for sql in [cells, packs] {
        db.execute_typed(sql, &[(&volunteer_id, Type::UUID)])
            .await?;
    }
    Ok(())
}
