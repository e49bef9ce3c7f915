//! All looks and tags of one volunteer, piece by piece, for themselves.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::{GenericClient, types::Type};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{db::DbError, geo::CellId};

/// A look as its volunteer gets it.
#[derive(Serialize, ToSchema)]
pub struct OwnLook {
    pub id: Uuid,
    pub campaign_id: Uuid,
    /// The square as `z/x/y`.
    #[schema(example = "17/10043/39631")]
    pub cell: String,
    pub outcome: String,
    pub campaign_version: i32,
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub finished_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
}

/// A tag as its volunteer gets it, withdrawn or not.
#[derive(Serialize, ToSchema)]
pub struct OwnTag {
    pub id: Uuid,
    pub look_id: Uuid,
    pub campaign_id: Uuid,
    /// The square as `z/x/y`.
    #[schema(example = "17/10043/39631")]
    pub cell: String,
    pub tag_type: String,
    /// GeoJSON geometry.
    #[schema(value_type = Object)]
    pub geometry: Value,
    pub note: Option<String>,
    pub campaign_version: i32,
    pub revision: i32,
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub withdrawn_at: Option<Timestamp>,
}

/// The next looks of a volunteer by id.
pub async fn looks(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    after: Uuid,
    limit: i64,
) -> Result<Vec<OwnLook>, DbError> {
    let sql = "-- looks::own
        SELECT id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, received_at
        FROM looks WHERE volunteer_id = $1 AND id > $2
        ORDER BY id LIMIT $3";
    let rows = db
        .query_typed(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&after, Type::UUID),
                (&limit, Type::INT8),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(OwnLook {
                id: row.get("id"),
                campaign_id: row.get("campaign_id"),
                cell: cell_name(row.get("cell"))?,
                outcome: row.get("outcome"),
                campaign_version: row.get("campaign_version"),
                started_at: row.get("started_at"),
                finished_at: row.get("finished_at"),
                received_at: row.get("received_at"),
            })
        })
        .collect()
}

/// The next tags of a volunteer by id.
pub async fn tags(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    after: Uuid,
    limit: i64,
) -> Result<Vec<OwnTag>, DbError> {
    let sql = "-- looks::own_tags
        SELECT id, look_id, campaign_id, cell, tag_type, ST_AsGeoJSON(place, 9, 0) AS geometry, note, campaign_version,
               revision, received_at, updated_at, withdrawn_at
        FROM tags WHERE volunteer_id = $1 AND id > $2
        ORDER BY id LIMIT $3";
    let rows = db
        .query_typed(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&after, Type::UUID),
                (&limit, Type::INT8),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let geometry: String = row.get("geometry");
            Ok(OwnTag {
                id: row.get("id"),
                look_id: row.get("look_id"),
                campaign_id: row.get("campaign_id"),
                cell: cell_name(row.get("cell"))?,
                tag_type: row.get("tag_type"),
                geometry: serde_json::from_str(&geometry)
                    .map_err(|e| DbError::Damaged(format!("tags.place: {e}")))?,
                note: row.get("note"),
                campaign_version: row.get("campaign_version"),
                revision: row.get("revision"),
                received_at: row.get("received_at"),
                updated_at: row.get("updated_at"),
                withdrawn_at: row.get("withdrawn_at"),
            })
        })
        .collect()
}

fn cell_name(cell: i64) -> Result<String, DbError> {
    CellId::try_from(cell)
        .map(|cell| cell.tile().to_string())
        .map_err(|e| DbError::Damaged(format!("looks.cell: {e}")))
}
