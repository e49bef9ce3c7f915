//! Statements of tags that are synced, and of those that wait.

use std::collections::HashSet;

use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use super::{
    Kept,
    fit::{Looks, OfLook},
};
use crate::{
    db::DbError,
    http::Problem,
    sync::{PAGE_BYTES, Page, Position, collection::rows, epoch::Standing},
};

/// A volunteer's tags after a place, those that wait for their look too.
///
/// They are found by the volunteer, all of them, and sorted: an index in their order would cost
/// each tag that is stored. A page ends when its shapes are about as large as one may be.
pub async fn after(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    after: &Position,
    limit: usize,
) -> Result<Page, Problem> {
    let sql = "-- sync::tags_after
        SELECT s.epoch, s.horizon, s.floor, d.rows, d.xid, d.id, d.look_id, d.campaign_id, d.tag_type, d.place, d.note,
               d.revision, d.is_withdrawn, d.is_waiting
        FROM sync_standing($1, 'tags') AS s
        LEFT JOIN (
            SELECT p.*, count(*) OVER () AS rows,
                   sum(octet_length(p.place)) OVER (ORDER BY p.xid, p.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                       AS bytes_before
            FROM (
                SELECT o.xid::text::int8 AS xid, o.id, o.look_id, o.campaign_id, o.tag_type,
                       coalesce(ST_AsEWKB(o.shape), o.waiting_shape) AS place, o.note, o.revision,
                       o.withdrawn_at IS NOT NULL AS is_withdrawn, o.is_waiting
                FROM (SELECT *
                      FROM (SELECT xid, id, look_id, campaign_id, tag_type, place AS shape, NULL::bytea AS waiting_shape,
                                   note, revision, withdrawn_at, false AS is_waiting
                            FROM tags WHERE volunteer_id = $1
                            UNION ALL
                            SELECT xid, id, look_id, campaign_id, tag_type, NULL, place, note, revision, withdrawn_at, true
                            FROM waiting_tags WHERE volunteer_id = $1
                            OFFSET 0) AS a
                      WHERE (a.xid, a.id) > ($2::text::xid8, $3)
                        AND a.xid < (SELECT pg_snapshot_xmin(pg_current_snapshot()))
                      ORDER BY a.xid, a.id
                      LIMIT $4) AS o
            ) AS p
        ) AS d ON coalesce(d.bytes_before, 0) < $5
        ORDER BY d.xid, d.id";
    let bytes = rows(PAGE_BYTES / 2);
    let found = db
        .query_typed(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&after.xid.to_string(), Type::TEXT),
                (&after.id, Type::UUID),
                (&rows(limit), Type::INT8),
                (&bytes, Type::INT8),
            ],
        )
        .await?;
    let standing = found.first().map(Standing::of);
    let of_page: Option<i64> = found.first().and_then(|row| row.get("rows"));
    let documents = found
        .iter()
        .filter(|row| row.get::<_, Option<Uuid>>("id").is_some())
        .map(|row| from_row(row).document())
        .collect::<Result<Vec<_>, DbError>>()?;
    Ok(Page {
        standing: standing.ok_or_else(|| Problem::internal(&"no standing"))?,
        is_cut: of_page.is_some_and(|of_page| rows(documents.len()) < of_page),
        documents,
    })
}

/// Locks those of a volunteer's tags that have these ids.
pub async fn lock(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    ids: &[Uuid],
) -> Result<Vec<Kept>, DbError> {
    let sql = "-- sync::lock_tags
        SELECT xid::text::int8 AS xid, id, look_id, campaign_id, tag_type, ST_AsEWKB(place) AS place, note, revision,
               withdrawn_at IS NOT NULL AS is_withdrawn, false AS is_waiting
        FROM tags
        WHERE volunteer_id = $1 AND id = ANY ($2)
        ORDER BY id
        FOR UPDATE";
    let found = db
        .query_typed(
            sql,
            &[(&volunteer_id, Type::UUID), (&ids, Type::UUID_ARRAY)],
        )
        .await?;
    Ok(found.iter().map(from_row).collect())
}

/// Locks those of a volunteer's waiting tags that have these ids or wait for these looks.
pub async fn lock_waiting(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    ids: &[Uuid],
    look_ids: &[Uuid],
) -> Result<Vec<Kept>, DbError> {
    let sql = "-- sync::lock_waiting
        SELECT xid::text::int8 AS xid, id, look_id, campaign_id, tag_type, place, note, revision,
               withdrawn_at IS NOT NULL AS is_withdrawn, true AS is_waiting
        FROM waiting_tags
        WHERE volunteer_id = $1 AND (id = ANY ($2) OR look_id = ANY ($3) AND withdrawn_at IS NULL)
        ORDER BY id
        FOR UPDATE";
    let found = db
        .query_typed(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&ids, Type::UUID_ARRAY),
                (&look_ids, Type::UUID_ARRAY),
            ],
        )
        .await?;
    Ok(found.iter().map(from_row).collect())
}

/// Locks waiting tags whose look is there, with their volunteers.
pub async fn lock_settled(
    db: &impl GenericClient,
    limit: i64,
) -> Result<Vec<(Uuid, Kept)>, DbError> {
    let sql = "-- sync::lock_settled
        SELECT w.volunteer_id, w.xid::text::int8 AS xid, w.id, w.look_id, w.campaign_id, w.tag_type, w.place, w.note,
               w.revision, false AS is_withdrawn, true AS is_waiting
        FROM waiting_tags AS w JOIN looks AS l ON l.volunteer_id = w.volunteer_id AND l.id = w.look_id
        WHERE w.withdrawn_at IS NULL
        LIMIT $1
        FOR UPDATE OF w SKIP LOCKED";
    let found = db.query_typed(sql, &[(&limit, Type::INT8)]).await?;
    Ok(found
        .iter()
        .map(|row| (row.get("volunteer_id"), from_row(row)))
        .collect())
}

/// Those of these looks that are there, and how many tags they have.
pub async fn looks(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    ids: &[Uuid],
) -> Result<Looks, DbError> {
    let sql = "-- sync::looks_of_tags
        SELECT l.id, l.campaign_id, l.cell, l.campaign_version, n.tags
        FROM looks AS l,
        LATERAL (SELECT count(*) AS tags FROM tags AS t
                 WHERE t.campaign_id = l.campaign_id AND t.cell = l.cell AND t.withdrawn_at IS NULL
                   AND t.volunteer_id = l.volunteer_id AND t.look_id = l.id) AS n
        WHERE l.volunteer_id = $1 AND l.id = ANY ($2)";
    let found = db
        .query_typed(
            sql,
            &[(&volunteer_id, Type::UUID), (&ids, Type::UUID_ARRAY)],
        )
        .await?;
    Ok(found
        .iter()
        .map(|row| {
            let look = OfLook {
                campaign_id: row.get("campaign_id"),
                cell: row.get("cell"),
                campaign_version: row.get("campaign_version"),
                tags: usize::try_from(row.get::<_, i64>("tags")).unwrap_or_default(),
            };
            (row.get("id"), look)
        })
        .collect())
}

/// How many tags of a volunteer wait.
pub async fn count_waiting(db: &impl GenericClient, volunteer_id: Uuid) -> Result<i64, DbError> {
    let sql = "-- sync::count_waiting
        SELECT count(*) AS waiting FROM waiting_tags WHERE volunteer_id = $1";
    let row = db
        .query_typed_one(sql, &[(&volunteer_id, Type::UUID)])
        .await?;
    Ok(row.get("waiting"))
}

/// Stores tags that wait, new ones and changes alike.
pub async fn put_waiting(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    tags: &[&Kept],
) -> Result<(), DbError> {
    if tags.is_empty() {
        return Ok(());
    }
    let sql = "-- sync::put_waiting
        INSERT INTO waiting_tags (volunteer_id, id, look_id, campaign_id, tag_type, place, note, revision, withdrawn_at)
        SELECT $1, t.id, t.look_id, t.campaign_id, t.tag_type, t.place, t.note, t.revision, CASE WHEN t.is_withdrawn THEN now() END
        FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bytea[], $7::text[], $8::int4[], $9::bool[])
             AS t (id, look_id, campaign_id, tag_type, place, note, revision, is_withdrawn)
        ORDER BY t.id
        ON CONFLICT ON CONSTRAINT waiting_tags_pkey DO UPDATE
        SET tag_type = EXCLUDED.tag_type, place = EXCLUDED.place, note = EXCLUDED.note,
            received_at = CASE WHEN waiting_tags.withdrawn_at IS NULL THEN waiting_tags.received_at ELSE now() END,
            withdrawn_at = EXCLUDED.withdrawn_at, revision = waiting_tags.revision + 1, xid = pg_current_xact_id()";
    let ids: Vec<Uuid> = tags.iter().map(|tag| tag.at.id).collect();
    let looks: Vec<Uuid> = tags.iter().map(|tag| tag.look_id).collect();
    let campaigns: Vec<Uuid> = tags.iter().map(|tag| tag.campaign_id).collect();
    let types: Vec<&str> = tags.iter().map(|tag| tag.tag_type.as_str()).collect();
    let places: Vec<&[u8]> = tags.iter().map(|tag| tag.place.as_slice()).collect();
    let notes: Vec<Option<&str>> = tags.iter().map(|tag| tag.note.as_deref()).collect();
    let revisions: Vec<i32> = tags.iter().map(|tag| tag.revision).collect();
    let withdrawn: Vec<bool> = tags.iter().map(|tag| tag.is_withdrawn).collect();
    db.execute_typed(
        sql,
        &[
            (&volunteer_id, Type::UUID),
            (&ids, Type::UUID_ARRAY),
            (&looks, Type::UUID_ARRAY),
            (&campaigns, Type::UUID_ARRAY),
            (&types, Type::TEXT_ARRAY),
            (&places, Type::BYTEA_ARRAY),
            (&notes, Type::TEXT_ARRAY),
            (&revisions, Type::INT4_ARRAY),
            (&withdrawn, Type::BOOL_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

/// These tags wait no longer: they are among the tags now.
pub async fn end_waiting(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    ids: &[Uuid],
) -> Result<(), DbError> {
    let sql = "-- sync::end_waiting
        DELETE FROM waiting_tags WHERE volunteer_id = $1 AND id = ANY ($2)";
    db.execute_typed(
        sql,
        &[(&volunteer_id, Type::UUID), (&ids, Type::UUID_ARRAY)],
    )
    .await?;
    Ok(())
}

/// Those of these looks that were refused.
pub async fn refused_looks(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    ids: &[Uuid],
) -> Result<HashSet<Uuid>, DbError> {
    let sql = "-- sync::refused_looks
        SELECT id::uuid AS id FROM sync_refusals
        WHERE volunteer_id = $1 AND collection = 'looks' AND id = ANY ($2::uuid[]::text[])";
    let found = db
        .query_typed(
            sql,
            &[(&volunteer_id, Type::UUID), (&ids, Type::UUID_ARRAY)],
        )
        .await?;
    Ok(found.iter().map(|row| row.get("id")).collect())
}

/// Those of these tags that were withdrawn so long ago that nothing else is kept.
pub async fn forgotten(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    ids: &[Uuid],
) -> Result<HashSet<Uuid>, DbError> {
    let sql = "-- sync::forgotten_tags
        SELECT id FROM forgotten_tags WHERE volunteer_id = $1 AND id = ANY ($2)";
    let found = db
        .query_typed(
            sql,
            &[(&volunteer_id, Type::UUID), (&ids, Type::UUID_ARRAY)],
        )
        .await?;
    Ok(found.iter().map(|row| row.get("id")).collect())
}

/// These tags were restored.
pub async fn remember_again(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    ids: &[Uuid],
) -> Result<(), DbError> {
    let sql = "-- sync::remember_tags_again
        DELETE FROM forgotten_tags WHERE volunteer_id = $1 AND id = ANY ($2)";
    db.execute_typed(
        sql,
        &[(&volunteer_id, Type::UUID), (&ids, Type::UUID_ARRAY)],
    )
    .await?;
    Ok(())
}

/// Tags that wait for these looks will never have them.
pub async fn withdraw_of_looks(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    look_ids: &[Uuid],
) -> Result<(), DbError> {
    let sql = "-- sync::withdraw_of_looks
        UPDATE waiting_tags
        SET withdrawn_at = now(), revision = revision + 1, xid = pg_current_xact_id()
        WHERE volunteer_id = $1 AND look_id = ANY ($2) AND withdrawn_at IS NULL";
    db.execute_typed(
        sql,
        &[(&volunteer_id, Type::UUID), (&look_ids, Type::UUID_ARRAY)],
    )
    .await?;
    Ok(())
}

/// These tags did not fit their look.
pub async fn withdraw_waiting(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    ids: &[Uuid],
) -> Result<(), DbError> {
    let sql = "-- sync::withdraw_waiting
        UPDATE waiting_tags
        SET withdrawn_at = now(), revision = revision + 1, xid = pg_current_xact_id()
        WHERE volunteer_id = $1 AND id = ANY ($2)";
    db.execute_typed(
        sql,
        &[(&volunteer_id, Type::UUID), (&ids, Type::UUID_ARRAY)],
    )
    .await?;
    Ok(())
}

fn from_row(row: &Row) -> Kept {
    Kept {
        at: Position {
            xid: row.get("xid"),
            id: row.get("id"),
        },
        look_id: row.get("look_id"),
        campaign_id: row.get("campaign_id"),
        tag_type: row.get("tag_type"),
        place: row.get("place"),
        note: row.get("note"),
        revision: row.get("revision"),
        is_withdrawn: row.get("is_withdrawn"),
        is_waiting: row.get("is_waiting"),
    }
}
