//! All looks of a campaign, piece by piece.

use jiff::Timestamp;
use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::db::DbError;

/// Cell, volunteer and id of a look: its place in the export's order.
pub type LookPlace = (i64, Uuid, Uuid);

/// A look as it is exported.
#[derive(Clone, Debug)]
pub struct ExportedLook {
    pub id: Uuid,
    pub volunteer_id: Uuid,
    pub cell: i64,
    pub outcome: String,
    pub campaign_version: i32,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    pub received_at: Timestamp,
    /// Tags of this look that were not withdrawn.
    pub tags: i64,
}

/// The next looks of a campaign by cell, of those received until a time.
pub async fn export(
    db: &impl GenericClient,
    campaign_id: Uuid,
    until: Timestamp,
    after: Option<LookPlace>,
    limit: i64,
) -> Result<Vec<ExportedLook>, DbError> {
    let sql = "-- looks::export
        SELECT l.id, l.volunteer_id, l.cell, l.outcome, l.campaign_version, l.started_at,
               l.finished_at, l.received_at,
               (SELECT count(*) FROM tags AS t
                WHERE t.campaign_id = l.campaign_id AND t.cell = l.cell
                  AND t.volunteer_id = l.volunteer_id AND t.look_id = l.id
                  AND t.withdrawn_at IS NULL) AS tags
        FROM looks AS l
        WHERE l.campaign_id = $1 AND l.received_at <= $2
          AND ($3::int8 IS NULL OR (l.cell, l.volunteer_id, l.id) > ($3, $4, $5))
        ORDER BY l.cell, l.volunteer_id, l.id
        LIMIT $6";
    let (cell, volunteer, id) = match after {
        Some((cell, volunteer, id)) => (Some(cell), Some(volunteer), Some(id)),
        None => (None, None, None),
    };
    let rows = db
        .query_typed(
            sql,
            &[
                (&campaign_id, Type::UUID),
                (&until, Type::TIMESTAMPTZ),
                (&cell, Type::INT8),
                (&volunteer, Type::UUID),
                (&id, Type::UUID),
                (&limit, Type::INT8),
            ],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| ExportedLook {
            id: row.get("id"),
            volunteer_id: row.get("volunteer_id"),
            cell: row.get("cell"),
            outcome: row.get("outcome"),
            campaign_version: row.get("campaign_version"),
            started_at: row.get("started_at"),
            finished_at: row.get("finished_at"),
            received_at: row.get("received_at"),
            tags: row.get("tags"),
        })
        .collect())
}
