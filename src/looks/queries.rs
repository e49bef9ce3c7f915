//! Statements of looks.

use std::collections::BTreeMap;

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::model::{Look, Receipt};
use crate::db::DbError;

/// A look that was stored before.
pub struct Kept {
    pub content_hash: Vec<u8>,
    pub receipt: Receipt,
}

/// Stores what is new, with its tags, in one statement; skips ids that are taken and cells that
/// are not of the campaign.
pub async fn insert(
    db: &impl GenericClient,
    looks: &[&Look],
) -> Result<Vec<(Uuid, Receipt)>, DbError> {
    let sql = "-- looks::insert
        WITH given AS (
            SELECT *
            FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int8[], $5::text[], $6::int4[],
                        $7::timestamptz[], $8::timestamptz[], $9::bytea[])
                 AS g (volunteer_id, id, campaign_id, cell, outcome, campaign_version,
                       started_at, finished_at, content_hash)
        ), new_looks AS (
            INSERT INTO looks (volunteer_id, id, campaign_id, cell, outcome, campaign_version,
                               started_at, finished_at, content_hash)
            SELECT g.volunteer_id, g.id, g.campaign_id, g.cell, g.outcome, g.campaign_version,
                   g.started_at, g.finished_at, g.content_hash
            FROM given AS g
            WHERE EXISTS (SELECT FROM cells AS c
                          WHERE c.campaign_id = g.campaign_id AND c.cell = g.cell)
            ORDER BY g.volunteer_id, g.id
            ON CONFLICT ON CONSTRAINT looks_pkey DO NOTHING
            RETURNING volunteer_id, id, campaign_id, cell, campaign_version, received_at
        ), new_tags AS (
            INSERT INTO tags (volunteer_id, id, look_id, campaign_id, cell, tag_type, place, note,
                              campaign_version)
            SELECT n.volunteer_id, t.id, n.id, n.campaign_id, n.cell, t.tag_type,
                   ST_GeomFromEWKB(t.place), t.note, n.campaign_version
            FROM unnest($10::uuid[], $11::uuid[], $12::uuid[], $13::text[], $14::bytea[], $15::text[])
                 AS t (volunteer_id, look_id, id, tag_type, place, note)
            JOIN new_looks AS n ON n.volunteer_id = t.volunteer_id AND n.id = t.look_id
        )
        SELECT id, received_at FROM new_looks";
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
                (&columns.tags.ids, Type::UUID_ARRAY),
                (&columns.tags.types, Type::TEXT_ARRAY),
                (&columns.tags.places, Type::BYTEA_ARRAY),
                (&columns.tags.notes, Type::TEXT_ARRAY),
            ],
        )
        .await?;
    let by_id: BTreeMap<Uuid, &Look> = looks.iter().map(|look| (look.id, *look)).collect();
    Ok(rows
        .iter()
        .filter_map(|row| {
            let look = by_id.get(&row.get("id"))?;
            let receipt = Receipt::of(look, row.get("received_at"), look.campaign_version);
            Some((look.id, receipt))
        })
        .collect())
}

/// What is kept under the ids of looks of one volunteer.
pub async fn find(
    db: &impl GenericClient,
    looks: &[&Look],
) -> Result<BTreeMap<Uuid, Kept>, DbError> {
    let Some(volunteer_id) = looks.first().map(|look| look.volunteer_id) else {
        return Ok(BTreeMap::new());
    };
    let sql = "-- looks::find
        SELECT id, content_hash, campaign_version, received_at
        FROM looks WHERE volunteer_id = $1 AND id = ANY ($2)";
    let ids: Vec<Uuid> = looks.iter().map(|look| look.id).collect();
    let rows = db
        .query_typed(
            sql,
            &[(&volunteer_id, Type::UUID), (&ids, Type::UUID_ARRAY)],
        )
        .await?;
    let by_id: BTreeMap<Uuid, &Look> = looks.iter().map(|look| (look.id, *look)).collect();
    Ok(rows
        .iter()
        .filter_map(|row| {
            let look = by_id.get(&row.get("id"))?;
            Some((
                look.id,
                Kept {
                    content_hash: row.get("content_hash"),
                    receipt: Receipt::of(look, row.get("received_at"), row.get("campaign_version")),
                },
            ))
        })
        .collect())
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
                columns.tags.ids.push(tag.id);
                columns.tags.types.push(&tag.tag_type);
                columns.tags.places.push(&tag.place);
                columns.tags.notes.push(tag.note.as_deref());
            }
        }
        columns
    }
}
