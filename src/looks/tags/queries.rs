//! Statements of tags.

use jiff::Timestamp;
use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use super::{ExportedTag, TagPlace, TagRow};
use crate::{db::DbError, geo::bbox::Bbox};

/// What is listed.
pub struct Filter<'a> {
    pub campaign_id: Uuid,
    pub volunteer_id: Option<Uuid>,
    pub tag_type: Option<&'a str>,
    pub bbox: Option<Bbox>,
    /// Received, id and volunteer of the last tag of the page before.
    pub after: Option<TagPlace>,
    pub limit: i64,
}

/// A page of tags, newest first by the server's clock.
pub async fn list(db: &impl GenericClient, filter: &Filter<'_>) -> Result<Vec<TagRow>, DbError> {
    let sql = "-- tags::list
        SELECT id, volunteer_id, look_id, cell, tag_type, ST_AsGeoJSON(place, 9, 0) AS geometry,
               note, campaign_version, revision, received_at, updated_at
        FROM tags
        WHERE campaign_id = $1 AND withdrawn_at IS NULL AND tag_type <> ''
          AND ($2::uuid IS NULL OR volunteer_id = $2)
          AND ($3::text IS NULL OR tag_type = $3)
          AND ($4::float8[] IS NULL OR place && ANY (
                SELECT ST_MakeEnvelope(b.w, b.s, b.e, b.n, 4326)
                FROM unnest($4, $5, $6, $7::float8[]) AS b (w, s, e, n)))
          AND ($8::timestamptz IS NULL OR (received_at, id, volunteer_id) < ($8, $9, $10))
        ORDER BY received_at DESC, id DESC, volunteer_id DESC
        LIMIT $11";
    let boxes = filter.bbox.map(Bbox::split);
    let edges = |index: usize| -> Option<Vec<f64>> {
        let boxes = boxes.as_ref()?;
        Some(
            boxes
                .iter()
                .filter_map(|b| b.edges().get(index).copied())
                .collect(),
        )
    };
    let (wests, souths, easts, norths) = (edges(0), edges(1), edges(2), edges(3));
    let (time, id, volunteer) = match filter.after {
        Some((time, id, volunteer)) => (Some(time), Some(id), Some(volunteer)),
        None => (None, None, None),
    };
    let rows = db
        .query_typed(
            sql,
            &[
                (&filter.campaign_id, Type::UUID),
                (&filter.volunteer_id, Type::UUID),
                (&filter.tag_type, Type::TEXT),
                (&wests, Type::FLOAT8_ARRAY),
                (&souths, Type::FLOAT8_ARRAY),
                (&easts, Type::FLOAT8_ARRAY),
                (&norths, Type::FLOAT8_ARRAY),
                (&time, Type::TIMESTAMPTZ),
                (&id, Type::UUID),
                (&volunteer, Type::UUID),
                (&filter.limit, Type::INT8),
            ],
        )
        .await?;
    rows.iter().map(from_row).collect()
}

/// A volunteer's own tag, unless it was withdrawn.
pub async fn find(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    id: Uuid,
) -> Result<Option<TagRow>, DbError> {
    let sql = "-- tags::find
        SELECT id, volunteer_id, look_id, cell, tag_type, ST_AsGeoJSON(place, 9, 0) AS geometry,
               note, campaign_version, revision, received_at, updated_at
        FROM tags
        WHERE volunteer_id = $1 AND id = $2 AND campaign_id = $3 AND withdrawn_at IS NULL";
    let row = db
        .query_typed_opt(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&id, Type::UUID),
                (&campaign_id, Type::UUID),
            ],
        )
        .await?;
    row.as_ref().map(from_row).transpose()
}

/// Stores an edit unless the tag has another revision by now.
pub async fn update(
    db: &impl GenericClient,
    tag: &TagRow,
    tag_type: &str,
    place: &[u8],
    note: Option<&str>,
) -> Result<Option<TagRow>, DbError> {
    let sql = "-- tags::update
        UPDATE tags
        SET tag_type = $4, place = ST_GeomFromEWKB($5), note = $6, revision = revision + 1,
            updated_at = now(), xid = pg_current_xact_id()
        WHERE volunteer_id = $1 AND id = $2 AND revision = $3 AND withdrawn_at IS NULL
        RETURNING id, volunteer_id, look_id, cell, tag_type, ST_AsGeoJSON(place, 9, 0) AS geometry,
                  note, campaign_version, revision, received_at, updated_at";
    let row = db
        .query_typed_opt(
            sql,
            &[
                (&tag.volunteer_id, Type::UUID),
                (&tag.id, Type::UUID),
                (&tag.revision, Type::INT4),
                (&tag_type, Type::TEXT),
                (&place, Type::BYTEA),
                (&note, Type::TEXT),
            ],
        )
        .await?;
    row.as_ref().map(from_row).transpose()
}

/// Withdraws a tag unless it has another revision by now.
pub async fn withdraw(db: &impl GenericClient, tag: &TagRow) -> Result<bool, DbError> {
    let sql = "-- tags::withdraw
        UPDATE tags
        SET withdrawn_at = now(), revision = revision + 1, updated_at = now(),
            xid = pg_current_xact_id()
        WHERE volunteer_id = $1 AND id = $2 AND revision = $3 AND withdrawn_at IS NULL";
    let changed = db
        .execute_typed(
            sql,
            &[
                (&tag.volunteer_id, Type::UUID),
                (&tag.id, Type::UUID),
                (&tag.revision, Type::INT4),
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// Whether the volunteer has withdrawn such a tag.
pub async fn was_withdrawn(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    id: Uuid,
) -> Result<bool, DbError> {
    let sql = "-- tags::was_withdrawn
        SELECT 1::int4 AS one FROM tags
        WHERE volunteer_id = $1 AND id = $2 AND campaign_id = $3 AND withdrawn_at IS NOT NULL";
    let row = db
        .query_typed_opt(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&id, Type::UUID),
                (&campaign_id, Type::UUID),
            ],
        )
        .await?;
    Ok(row.is_some())
}

/// The next tags of a campaign in the order in which they came, of those received until a time.
pub async fn export(
    db: &impl GenericClient,
    campaign_id: Uuid,
    until: Timestamp,
    after: Option<TagPlace>,
    limit: i64,
) -> Result<Vec<ExportedTag>, DbError> {
    let sql = "-- tags::export
        SELECT id, volunteer_id, look_id, cell, tag_type, ST_AsGeoJSON(place, 9, 0) AS geometry,
               note, campaign_version, revision, received_at, updated_at,
               ST_X(ST_PointOnSurface(place)) AS lon, ST_Y(ST_PointOnSurface(place)) AS lat,
               ST_AsText(place, 9) AS wkt
        FROM tags
        WHERE campaign_id = $1 AND withdrawn_at IS NULL AND tag_type <> '' AND received_at <= $2
          AND ($3::timestamptz IS NULL OR (received_at, id, volunteer_id) > ($3, $4, $5))
        ORDER BY received_at, id, volunteer_id
        LIMIT $6";
    let (time, id, volunteer) = match after {
        Some((time, id, volunteer)) => (Some(time), Some(id), Some(volunteer)),
        None => (None, None, None),
    };
    let rows = db
        .query_typed(
            sql,
            &[
                (&campaign_id, Type::UUID),
                (&until, Type::TIMESTAMPTZ),
                (&time, Type::TIMESTAMPTZ),
                (&id, Type::UUID),
                (&volunteer, Type::UUID),
                (&limit, Type::INT8),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(ExportedTag {
                tag: from_row(row)?,
                point: [row.get("lon"), row.get("lat")],
                wkt: row.get("wkt"),
            })
        })
        .collect()
}

fn from_row(row: &Row) -> Result<TagRow, DbError> {
    let geometry: String = row.get("geometry");
    Ok(TagRow {
        id: row.get("id"),
        volunteer_id: row.get("volunteer_id"),
        look_id: row.get("look_id"),
        cell: row.get("cell"),
        tag_type: row.get("tag_type"),
        geometry: serde_json::from_str(&geometry)
            .map_err(|e| DbError::Damaged(format!("tags.place: {e}")))?,
        note: row.get("note"),
        campaign_version: row.get("campaign_version"),
        revision: row.get("revision"),
        received_at: row.get("received_at"),
        updated_at: row.get("updated_at"),
    })
}
