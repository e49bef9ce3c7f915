//! Statements of looks.

use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use super::model::{Kept, Look, Stamp};
use crate::db::DbError;

/// Stores what is new, with its tags, in one statement; what is kept under the ids of the looks.
///
/// Left out are looks at cells that are not of their campaign. The same look must not be given
/// twice, but several may have one id: the first is stored.
pub async fn store(db: &impl GenericClient, looks: &[&Look]) -> Result<Vec<Kept>, DbError> {
    let sql = "-- looks::store
        SELECT volunteer_id, id, content_hash, campaign_version, received_at, is_new
        FROM store_looks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    let columns = Columns::of(looks);
    let rows = db
        .query_typed(
            sql,
            &[
                (&columns.volunteer_ids, Type::UUID_ARRAY),
                (&columns.ids, Type::UUID_ARRAY),
                (&columns.campaign_ids, Type::UUID_ARRAY),
                (&columns.cells, Type::INT8_ARRAY),
                (&columns.outcomes, Type::TEXT_ARRAY),
                (&columns.versions, Type::INT4_ARRAY),
                (&columns.started, Type::TIMESTAMPTZ_ARRAY),
                (&columns.finished, Type::TIMESTAMPTZ_ARRAY),
                (&columns.hashes, Type::BYTEA_ARRAY),
                (&columns.tags.volunteer_ids, Type::UUID_ARRAY),
                (&columns.tags.look_ids, Type::UUID_ARRAY),
                (&columns.tags.look_hashes, Type::BYTEA_ARRAY),
                (&columns.tags.ids, Type::UUID_ARRAY),
                (&columns.tags.types, Type::TEXT_ARRAY),
                (&columns.tags.places, Type::BYTEA_ARRAY),
                (&columns.tags.notes, Type::TEXT_ARRAY),
            ],
        )
        .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &Row) -> Result<Kept, DbError> {
    let content_hash: &[u8] = row.get("content_hash");
    Ok(Kept {
        volunteer_id: row.get("volunteer_id"),
        id: row.get("id"),
        content_hash: content_hash
            .try_into()
            .map_err(|e| DbError::Damaged(format!("looks.content_hash: {e}")))?,
        stamp: Stamp {
            received_at: row.get("received_at"),
            campaign_version: row.get("campaign_version"),
        },
        is_new: row.get("is_new"),
    })
}

/// Places, among these looks, of those that are not stored and have a tag whose id is taken.
pub async fn find_taken_tags(
    db: &impl GenericClient,
    looks: &[&Look],
) -> Result<Vec<usize>, DbError> {
    let sql = "-- looks::find_taken_tags
        SELECT DISTINCT l.n - 1 AS place
        FROM unnest($1::uuid[], $2::uuid[], $3::bytea[])
             WITH ORDINALITY AS l (volunteer_id, id, content_hash, n)
        JOIN unnest($4::uuid[], $5::uuid[], $6::bytea[], $7::uuid[])
             AS t (volunteer_id, look_id, look_hash, id)
          ON t.volunteer_id = l.volunteer_id AND t.look_id = l.id
             AND t.look_hash = l.content_hash
        WHERE EXISTS (SELECT FROM tags AS k
                      WHERE k.volunteer_id = t.volunteer_id AND k.id = t.id AND k.look_id <> l.id)
          AND NOT EXISTS (SELECT FROM looks AS k
                          WHERE k.volunteer_id = l.volunteer_id AND k.id = l.id)
        ORDER BY place";
    let columns = Columns::of(looks);
    let rows = db
        .query_typed(
            sql,
            &[
                (&columns.volunteer_ids, Type::UUID_ARRAY),
                (&columns.ids, Type::UUID_ARRAY),
                (&columns.hashes, Type::BYTEA_ARRAY),
                (&columns.tags.volunteer_ids, Type::UUID_ARRAY),
                (&columns.tags.look_ids, Type::UUID_ARRAY),
                (&columns.tags.look_hashes, Type::BYTEA_ARRAY),
                (&columns.tags.ids, Type::UUID_ARRAY),
            ],
        )
        .await?;
    let places = rows.iter().map(|row| row.get::<_, i64>("place"));
    Ok(places.filter_map(|place| place.try_into().ok()).collect())
}

/// Which of these ids of a volunteer are taken.
pub async fn find_ids(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    ids: &[Uuid],
) -> Result<Vec<Uuid>, DbError> {
    let sql = "-- looks::find_ids
        SELECT id FROM looks WHERE volunteer_id = $1 AND id = ANY ($2)";
    let rows = db
        .query_typed(
            sql,
            &[(&volunteer_id, Type::UUID), (&ids, Type::UUID_ARRAY)],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get("id")).collect())
}

/// Looks as columns for `unnest`; all of one length.
#[derive(Default)]
struct Columns<'a> {
    volunteer_ids: Vec<Uuid>,
    ids: Vec<Uuid>,
    campaign_ids: Vec<Uuid>,
    cells: Vec<i64>,
    outcomes: Vec<&'static str>,
    versions: Vec<i32>,
    started: Vec<jiff::Timestamp>,
    finished: Vec<jiff::Timestamp>,
    hashes: Vec<&'a [u8]>,
    tags: TagColumns<'a>,
}

#[derive(Default)]
struct TagColumns<'a> {
    volunteer_ids: Vec<Uuid>,
    look_ids: Vec<Uuid>,
    look_hashes: Vec<&'a [u8]>,
    ids: Vec<Uuid>,
    types: Vec<&'a str>,
    places: Vec<&'a [u8]>,
    notes: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn of(looks: &[&'a Look]) -> Self {
        let mut columns = Self::default();
        for look in looks {
            columns.volunteer_ids.push(look.volunteer_id);
            columns.ids.push(look.id);
            columns.campaign_ids.push(look.campaign_id);
            columns.cells.push(look.cell);
            columns.outcomes.push(look.outcome.as_str());
            columns.versions.push(look.campaign_version);
            columns.started.push(look.started_at);
            columns.finished.push(look.finished_at);
            columns.hashes.push(&look.content_hash);
            for tag in &look.tags {
                columns.tags.volunteer_ids.push(look.volunteer_id);
                columns.tags.look_ids.push(look.id);
                columns.tags.look_hashes.push(&look.content_hash);
                columns.tags.ids.push(tag.id);
                columns.tags.types.push(&tag.tag_type);
                columns.tags.places.push(&tag.place);
                columns.tags.notes.push(tag.note.as_deref());
            }
        }
        columns
    }
}
