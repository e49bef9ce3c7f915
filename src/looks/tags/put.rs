//! Many tags written at once, as phones sync them.

use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use crate::db::DbError;

/// A tag as it is to be.
#[derive(Clone, Debug)]
pub struct PutTag {
    pub id: Uuid,
    pub look_id: Uuid,
    pub campaign_id: Uuid,
    pub cell: i64,
    pub tag_type: String,
    /// Geometry as EWKB.
    pub place: Vec<u8>,
    pub note: Option<String>,
    pub campaign_version: i32,
    /// Of a new tag; that of one which is there grows by one.
    pub revision: i32,
    pub is_withdrawn: bool,
}

/// Stores tags of one volunteer, new ones and changes alike. Each id must be there once only.
pub async fn put(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    tags: &[&PutTag],
) -> Result<(), DbError> {
    if tags.is_empty() {
        return Ok(());
    }
    let sql = "-- tags::put
        INSERT INTO tags (volunteer_id, id, look_id, campaign_id, cell, tag_type, place, note, campaign_version, revision,
                          withdrawn_at)
        SELECT $1, t.id, t.look_id, t.campaign_id, t.cell, t.tag_type, ST_GeomFromEWKB(t.place), t.note,
               t.campaign_version, t.revision, CASE WHEN t.is_withdrawn THEN now() END
        FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::int8[], $6::text[], $7::bytea[], $8::text[], $9::int4[],
                    $10::int4[], $11::bool[])
             AS t (id, look_id, campaign_id, cell, tag_type, place, note, campaign_version, revision, is_withdrawn)
        ORDER BY t.id
        ON CONFLICT ON CONSTRAINT tags_pkey DO UPDATE
        SET tag_type = EXCLUDED.tag_type, place = EXCLUDED.place, note = EXCLUDED.note,
            withdrawn_at = EXCLUDED.withdrawn_at, revision = tags.revision + 1, updated_at = now(),
            xid = pg_current_xact_id()";
    let ids: Vec<Uuid> = tags.iter().map(|tag| tag.id).collect();
    let looks: Vec<Uuid> = tags.iter().map(|tag| tag.look_id).collect();
    let campaigns: Vec<Uuid> = tags.iter().map(|tag| tag.campaign_id).collect();
    let cells: Vec<i64> = tags.iter().map(|tag| tag.cell).collect();
    let types: Vec<&str> = tags.iter().map(|tag| tag.tag_type.as_str()).collect();
    let places: Vec<&[u8]> = tags.iter().map(|tag| tag.place.as_slice()).collect();
    let notes: Vec<Option<&str>> = tags.iter().map(|tag| tag.note.as_deref()).collect();
    let versions: Vec<i32> = tags.iter().map(|tag| tag.campaign_version).collect();
    let revisions: Vec<i32> = tags.iter().map(|tag| tag.revision).collect();
    let withdrawn: Vec<bool> = tags.iter().map(|tag| tag.is_withdrawn).collect();
    db.execute_typed(
        sql,
        &[
            (&volunteer_id, Type::UUID),
            (&ids, Type::UUID_ARRAY),
            (&looks, Type::UUID_ARRAY),
            (&campaigns, Type::UUID_ARRAY),
            (&cells, Type::INT8_ARRAY),
            (&types, Type::TEXT_ARRAY),
            (&places, Type::BYTEA_ARRAY),
            (&notes, Type::TEXT_ARRAY),
            (&versions, Type::INT4_ARRAY),
            (&revisions, Type::INT4_ARRAY),
            (&withdrawn, Type::BOOL_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

/// A tag that was withdrawn, and is no longer kept.
#[derive(Clone, Copy, Debug)]
pub struct ForgottenTag {
    pub volunteer_id: Uuid,
    pub id: Uuid,
    /// The transaction that withdrew it.
    pub xid: i64,
}

impl ForgottenTag {
    /// From the columns of a statement that deletes it.
    pub fn of(row: &Row) -> Self {
        Self {
            volunteer_id: row.get("volunteer_id"),
            id: row.get("id"),
            xid: row.get("xid"),
        }
    }
}

/// Forgets tags that were withdrawn so many days ago, some at once.
pub async fn forget_withdrawn(
    db: &impl GenericClient,
    days: i32,
    limit: i64,
) -> Result<Vec<ForgottenTag>, DbError> {
    let sql = "-- tags::forget_withdrawn
        DELETE FROM tags AS t
        USING (SELECT volunteer_id, id FROM tags
               WHERE withdrawn_at < now() - make_interval(days => $1)
               ORDER BY withdrawn_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
        WHERE t.volunteer_id = old.volunteer_id AND t.id = old.id
        RETURNING t.volunteer_id, t.id, t.xid::text::int8 AS xid";
    let gone = db
        .query_typed(sql, &[(&days, Type::INT4), (&limit, Type::INT8)])
        .await?;
    Ok(gone.iter().map(ForgottenTag::of).collect())
}
