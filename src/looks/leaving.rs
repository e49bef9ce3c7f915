//! Looks and tags of a volunteer who leaves: to be deleted, or to be another volunteer's.
//!
//! **Invariant:** whoever calls these holds the cursors of those who count looks before it commits,
//! and tells them what is gone.

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::{
    db::DbError,
    feed::{LookChange, Position},
};

/// The first looks of a volunteer, as they stand in the feed. Until the transaction ends nobody
/// adds a tag to them.
pub async fn hold(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    at_most: i64,
) -> Result<Vec<LookChange>, DbError> {
    let sql = "-- looks::hold
        SELECT id, xid::text::int8 AS xid, campaign_id, cell, outcome, received_at
        FROM looks WHERE volunteer_id = $1
        ORDER BY id
        LIMIT $2
        FOR UPDATE";
    let rows = db
        .query_typed(sql, &[(&volunteer_id, Type::UUID), (&at_most, Type::INT8)])
        .await?;
    Ok(rows
        .iter()
        .map(|row| LookChange {
            at: Position {
                xid: row.get("xid"),
                id: row.get("id"),
                volunteer_id,
            },
            campaign_id: row.get("campaign_id"),
            cell: row.get("cell"),
            outcome: row.get("outcome"),
            received_at: row.get("received_at"),
        })
        .collect())
}

/// Stores these looks of a volunteer for another one too, with their tags, as changes of this
/// transaction. What the other one has under the same id stays as it is.
pub async fn copy(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    to: Uuid,
    ids: &[Uuid],
) -> Result<(), DbError> {
    let looks = "-- looks::copy
        INSERT INTO looks (volunteer_id, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at,
                           content_hash, received_at)
        SELECT $2, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, content_hash, received_at
        FROM looks WHERE volunteer_id = $1 AND id = ANY ($3)
        ORDER BY id
        ON CONFLICT ON CONSTRAINT looks_pkey DO NOTHING";
    let tags = "-- looks::copy_tags
        INSERT INTO tags (volunteer_id, id, look_id, campaign_id, cell, tag_type, place, note, campaign_version, revision,
                          received_at, updated_at, withdrawn_at)
        SELECT $2, t.id, t.look_id, t.campaign_id, t.cell, t.tag_type, t.place, t.note, t.campaign_version, t.revision,
               t.received_at, t.updated_at, t.withdrawn_at
        FROM tags AS t
        JOIN looks AS l ON l.volunteer_id = $2 AND l.id = t.look_id AND l.campaign_id = t.campaign_id AND l.cell = t.cell
        WHERE t.volunteer_id = $1 AND t.look_id = ANY ($3)
        ORDER BY t.id
        ON CONFLICT ON CONSTRAINT tags_pkey DO NOTHING";
    for sql in [looks, tags] {
        db.execute_typed(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&to, Type::UUID),
                (&ids, Type::UUID_ARRAY),
            ],
        )
        .await?;
    }
    Ok(())
}

/// Deletes these looks of a volunteer and their tags.
pub async fn delete(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    ids: &[Uuid],
) -> Result<(), DbError> {
    let tags = "-- looks::delete_tags
        DELETE FROM tags WHERE volunteer_id = $1 AND look_id = ANY ($2)";
    let looks = "-- looks::delete
        DELETE FROM looks WHERE volunteer_id = $1 AND id = ANY ($2)";
    for sql in [tags, looks] {
        db.execute_typed(
            sql,
            &[(&volunteer_id, Type::UUID), (&ids, Type::UUID_ARRAY)],
        )
        .await?;
    }
    Ok(())
}
