//! What waits, was refused and was forgotten of one volunteer: for themselves, for another one, or deleted.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::{GenericClient, types::Type};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::DbError;

/// Refusals that are listed at most, the newest.
const REFUSALS_MAX: i64 = 10_000;
/// Forgotten tags that are listed at most.
const FORGOTTEN_TAGS_MAX: i64 = 10_000;

/// A tag that waits for its look, as its volunteer gets it.
#[derive(Serialize, ToSchema)]
pub struct OwnWaitingTag {
    pub id: Uuid,
    pub look_id: Uuid,
    pub campaign_id: Uuid,
    pub tag_type: String,
    /// GeoJSON geometry.
    #[schema(value_type = Object)]
    pub geometry: Value,
    pub note: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub withdrawn_at: Option<Timestamp>,
}

/// A document that was pushed and refused, as its volunteer gets it.
#[derive(Serialize, ToSchema)]
pub struct OwnRefusal {
    /// `looks` or `tags`.
    collection: String,
    id: String,
    campaign: Option<String>,
    cell: Option<String>,
    code: String,
    detail: String,
    #[schema(value_type = String, format = DateTime)]
    refused_at: Timestamp,
}

/// The next waiting tags of a volunteer by id.
pub async fn waiting_tags(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    after: Uuid,
    limit: i64,
) -> Result<Vec<OwnWaitingTag>, DbError> {
    let sql = "-- sync::own_waiting_tags
        SELECT id, look_id, campaign_id, tag_type, ST_AsGeoJSON(ST_GeomFromEWKB(place), 9, 0) AS geometry, note,
               received_at, withdrawn_at
        FROM waiting_tags WHERE volunteer_id = $1 AND id > $2
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
            Ok(OwnWaitingTag {
                id: row.get("id"),
                look_id: row.get("look_id"),
                campaign_id: row.get("campaign_id"),
                tag_type: row.get("tag_type"),
                geometry: serde_json::from_str(&geometry)
                    .map_err(|e| DbError::Damaged(format!("waiting_tags.place: {e}")))?,
                note: row.get("note"),
                received_at: row.get("received_at"),
                withdrawn_at: row.get("withdrawn_at"),
            })
        })
        .collect()
}

/// What a volunteer pushed and was refused.
pub async fn refusals(
    db: &impl GenericClient,
    volunteer_id: Uuid,
) -> Result<Vec<OwnRefusal>, DbError> {
    let sql = "-- sync::own_refusals
        SELECT collection, id, campaign, cell, code, detail, refused_at
        FROM sync_refusals WHERE volunteer_id = $1
        ORDER BY refused_at DESC, collection, id LIMIT $2";
    let rows = db
        .query_typed(
            sql,
            &[(&volunteer_id, Type::UUID), (&REFUSALS_MAX, Type::INT8)],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| OwnRefusal {
            collection: row.get("collection"),
            id: row.get("id"),
            campaign: row.get("campaign"),
            cell: row.get("cell"),
            code: row.get("code"),
            detail: row.get("detail"),
            refused_at: row.get("refused_at"),
        })
        .collect())
}

/// Ids of tags that the volunteer withdrew so long ago that nothing else is kept.
pub async fn forgotten_tags(
    db: &impl GenericClient,
    volunteer_id: Uuid,
) -> Result<Vec<Uuid>, DbError> {
    let sql = "-- sync::own_forgotten_tags
        SELECT id FROM forgotten_tags WHERE volunteer_id = $1 ORDER BY id LIMIT $2";
    let rows = db
        .query_typed(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&FORGOTTEN_TAGS_MAX, Type::INT8),
            ],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get("id")).collect())
}

/// Stores what a volunteer has here for another one too, as changes of this transaction.
pub async fn copy(db: &impl GenericClient, volunteer_id: Uuid, to: Uuid) -> Result<(), DbError> {
    let tags = "-- sync::copy_waiting_tags
        INSERT INTO waiting_tags (volunteer_id, id, look_id, campaign_id, tag_type, place, note, revision, received_at,
                                  withdrawn_at)
        SELECT $2, id, look_id, campaign_id, tag_type, place, note, revision, received_at, withdrawn_at
        FROM waiting_tags AS w
        WHERE volunteer_id = $1
          AND NOT EXISTS (SELECT FROM tags AS t WHERE t.volunteer_id = $2 AND t.id = w.id)
        ORDER BY id
        ON CONFLICT ON CONSTRAINT waiting_tags_pkey DO NOTHING";
    let refusals = "-- sync::copy_refusals
        INSERT INTO sync_refusals (volunteer_id, collection, id, campaign, cell, code, detail, refused_at)
        SELECT $2, collection, id, campaign, cell, code, detail, refused_at
        FROM sync_refusals WHERE volunteer_id = $1
        ORDER BY collection, id
        ON CONFLICT ON CONSTRAINT sync_refusals_pkey DO NOTHING";
    for sql in [tags, refusals] {
        db.execute_typed(sql, &[(&volunteer_id, Type::UUID), (&to, Type::UUID)])
            .await?;
    }
    Ok(())
}

/// Notes for another volunteer too which tags were forgotten.
pub async fn copy_forgotten_tags(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    to: Uuid,
) -> Result<(), DbError> {
    let sql = "-- sync::copy_forgotten_tags
        INSERT INTO forgotten_tags (volunteer_id, id)
        SELECT $2, id FROM forgotten_tags WHERE volunteer_id = $1
        ORDER BY id
        ON CONFLICT ON CONSTRAINT forgotten_tags_pkey DO NOTHING";
    db.execute_typed(sql, &[(&volunteer_id, Type::UUID), (&to, Type::UUID)])
        .await?;
    Ok(())
}

/// Deletes what a volunteer has here.
pub async fn delete(db: &impl GenericClient, volunteer_id: Uuid) -> Result<(), DbError> {
    let tags = "-- sync::delete_waiting_tags
        DELETE FROM waiting_tags WHERE volunteer_id = $1";
    let refusals = "-- sync::delete_refusals
        DELETE FROM sync_refusals WHERE volunteer_id = $1";
    let floors = "-- sync::delete_floors
        DELETE FROM sync_floors WHERE volunteer_id = $1";
    let forgotten = "-- sync::delete_forgotten_tags
        DELETE FROM forgotten_tags WHERE volunteer_id = $1";
    for sql in [tags, refusals, floors, forgotten] {
        db.execute_typed(sql, &[(&volunteer_id, Type::UUID)])
            .await?;
    }
    Ok(())
}
