//! Squares that a volunteer has along, as documents: one for each square of their packs.

use std::collections::BTreeMap;

use serde::Serialize;
use tokio_postgres::{GenericClient, Row};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Document, Page, Position,
    collection::{after_params, rows},
    document::iso,
    epoch::Standing,
};
use crate::{
    campaigns::{self, ImageryView},
    db::DbError,
    geo::{CellId, Tile},
    http::Problem,
    imagery,
};

/// A square of a pack.
#[derive(Serialize, ToSchema)]
pub struct AssignmentDocument {
    /// Of this square in this pack.
    id: Uuid,
    pack_id: Uuid,
    campaign: Uuid,
    /// The square as `z/x/y`.
    #[schema(value_type = String, example = "17/10043/39631")]
    cell: Tile,
    /// West, south, east, north.
    #[schema(value_type = Vec<f64>, min_items = 4, max_items = 4)]
    bbox: [f64; 4],
    /// Until then nobody else is given the square in your stead. A later look is taken all the same.
    #[schema(format = DateTime)]
    lease_expires_at: String,
    /// `open`; `answered` for a day after you looked at it; `gone` when it is deleted.
    #[schema(example = "open")]
    state: String,
    /// The imagery of this square, where the organisers gave it another than the campaign's.
    #[serde(skip_serializing_if = "Option::is_none")]
    imagery: Option<ImageryView>,
}

/// Squares of a volunteer's packs that changed after a place.
pub async fn after(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    after: &Position,
    limit: usize,
) -> Result<Page, Problem> {
    let sql = "-- sync::assignments_after
        SELECT s.epoch, s.horizon, s.floor, d.xid::text::int8 AS xid, d.id, d.pack_id, d.campaign_id, d.cell,
               d.imagery_layer_id, d.lease_expires_at, d.state
        FROM sync_standing($1, 'assignments') AS s
        LEFT JOIN (
            SELECT xid, id, pack_id, campaign_id, cell, imagery_layer_id, lease_expires_at, state
            FROM pack_cells
            WHERE volunteer_id = $1 AND (xid, id) > ($2::text::xid8, $3)
              AND xid < (SELECT pg_snapshot_xmin(pg_current_snapshot()))
            ORDER BY xid, id
            LIMIT $4
        ) AS d ON true
        ORDER BY d.xid, d.id";
    let (xid, limit) = (after.xid.to_string(), rows(limit));
    let params = after_params(&volunteer_id, &xid, &after.id, &limit);
    let found = db.query_typed(sql, &params).await?;
    let standing = found.first().map(Standing::of);
    let layers: Vec<Option<Uuid>> = found
        .iter()
        .map(|row| row.get("imagery_layer_id"))
        .collect();
    let imagery = imagery_of(db, layers.into_iter().flatten()).await?;
    let documents = found
        .iter()
        .filter(|row| row.get::<_, Option<Uuid>>("id").is_some())
        .map(|row| document(row, &imagery))
        .collect::<Result<Vec<_>, DbError>>()?;
    Ok(Page {
        standing: standing.ok_or_else(|| Problem::internal(&"no standing"))?,
        documents,
        is_cut: false,
    })
}

async fn imagery_of(
    db: &impl GenericClient,
    layers: impl Iterator<Item = Uuid>,
) -> Result<BTreeMap<Uuid, ImageryView>, DbError> {
    let mut layers: Vec<Uuid> = layers.collect();
    if layers.is_empty() {
        return Ok(BTreeMap::new());
    }
    layers.sort_unstable();
    layers.dedup();
    let found = imagery::by_ids(db, &layers).await?;
    let views = found.into_iter();
    Ok(views
        .map(|layer| (layer.id, campaigns::imagery_view(layer)))
        .collect())
}

fn document(row: &Row, imagery: &BTreeMap<Uuid, ImageryView>) -> Result<Document, DbError> {
    let cell = CellId::try_from(row.get::<_, i64>("cell"))
        .map_err(|e| DbError::Damaged(format!("pack_cells.cell: {e}")))?
        .tile();
    let layer: Option<Uuid> = row.get("imagery_layer_id");
    let state: String = row.get("state");
    let at = Position {
        xid: row.get("xid"),
        id: row.get("id"),
    };
    let is_gone = state == "gone";
    let shape = AssignmentDocument {
        id: at.id,
        pack_id: row.get("pack_id"),
        campaign: row.get("campaign_id"),
        cell,
        bbox: cell.bbox().edges(),
        lease_expires_at: iso(row.get("lease_expires_at")),
        state,
        imagery: layer.and_then(|layer| imagery.get(&layer).cloned()),
    };
    Document::new(at, is_gone, &shape)
}
