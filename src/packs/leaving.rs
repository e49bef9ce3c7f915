//! Packs of a volunteer who departs, or asks for all that is stored of them.

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{GenericClient, Row, types::Type};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{db::DbError, geo::CellId};

/// A pack as its volunteer is told of it.
#[derive(Serialize, ToSchema)]
pub struct OwnPack {
    id: Uuid,
    campaign_id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Its squares as `z/x/y`; those that went are kept for 180 days.
    cells: Vec<String>,
}

/// All packs of a volunteer, oldest first.
pub async fn own(db: &impl GenericClient, volunteer_id: Uuid) -> Result<Vec<OwnPack>, DbError> {
    let sql = "-- packs::own
        SELECT p.id, p.campaign_id, p.made_at, p.expires_at,
               ARRAY (SELECT c.cell FROM pack_cells AS c
                      WHERE c.volunteer_id = $1 AND c.campaign_id = p.campaign_id AND c.pack_id = p.id
                      ORDER BY c.cell) AS cells
        FROM packs AS p WHERE p.volunteer_id = $1
        ORDER BY p.made_at, p.id";
    let rows = db.query_typed(sql, &[(&volunteer_id, Type::UUID)]).await?;
    rows.iter().map(own_pack).collect()
}

fn own_pack(row: &Row) -> Result<OwnPack, DbError> {
    let cells = row.get::<_, Vec<i64>>("cells").into_iter().map(|cell| {
        CellId::try_from(cell)
            .map(|cell| cell.tile().to_string())
            .map_err(|e| DbError::Damaged(format!("pack_cells.cell: {e}")))
    });
    Ok(OwnPack {
        id: row.get("id"),
        campaign_id: row.get("campaign_id"),
        made_at: row.get("made_at"),
        expires_at: row.get("expires_at"),
        cells: cells.collect::<Result<_, _>>()?,
    })
}

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
