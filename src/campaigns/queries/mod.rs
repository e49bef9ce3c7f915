//! Statements of campaigns: reading here, the rest beside.

mod define;
mod overlay;
mod prepare;
mod repair;
mod touch;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

pub use define::{Surveyed, delete_draft, insert, keep_version, put_tag_types, set_state, update};
pub use overlay::{Overlay, overlay, share_within};
pub use prepare::{
    Before, Change, before, close_ended, finish_change, newest_change, next_to_prepare,
    note_change, open_prepared, record_piece, weights_before,
};
pub use repair::repair_area;
pub use touch::{hold, touch};

use super::{Reference, model::TagType, state::State};
use crate::{db::DbError, http::text::Localised};

/// A campaign as it is kept, without its area and tag types.
#[derive(Clone, Debug)]
pub struct Campaign {
    pub id: Uuid,
    pub slug: String,
    pub state: State,
    pub version: i32,
    pub languages: Vec<String>,
    pub title: Localised,
    pub summary: Localised,
    pub instructions: Localised,
    pub message: Option<String>,
    pub area_km2: f64,
    pub bbox: [f64; 4],
    /// `[{"area": GeoJSON, "weight": number}]`
    pub priorities: Value,
    pub cell_zoom: u8,
    pub cells: i64,
    pub cells_prepared: i64,
    /// Grows whenever cells or their weights changed.
    pub deck: i32,
    /// Whether a change of what is searched is not carried out yet.
    pub changing: bool,
    pub looks_wanted: u16,
    pub lease_seconds: u32,
    pub agreement_radius_m: f64,
    pub imagery_layer_id: Uuid,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub grace_days: u16,
    pub closed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub published_at: Option<Timestamp>,
}

const COLUMNS: &str =
    "id, slug, state, version, languages, title, summary, instructions, message, area_km2,
    west, south, east, north, priorities, cell_zoom, cells, cells_prepared, deck, looks_wanted,
    lease_seconds, agreement_radius_m, imagery_layer_id, starts_at, ends_at, grace_days, closed_at,
    created_at, updated_at, published_at,
    EXISTS (SELECT FROM campaign_changes AS h WHERE h.campaign_id = campaigns.id) AS changing";

pub async fn tag_types(
    db: &impl GenericClient,
    campaign_id: Uuid,
) -> Result<Vec<TagType>, DbError> {
    let mut found = tag_types_of(db, &[campaign_id]).await?;
    Ok(found.remove(&campaign_id).unwrap_or_default())
}

/// The tag types of each of these campaigns, in their order.
pub async fn tag_types_of(
    db: &impl GenericClient,
    campaigns: &[Uuid],
) -> Result<BTreeMap<Uuid, Vec<TagType>>, DbError> {
    let sql = "-- campaigns::tag_types
        SELECT campaign_id, definition FROM tag_types
        WHERE campaign_id = ANY ($1)
        ORDER BY campaign_id, position";
    let rows = db
        .query_typed(sql, &[(&campaigns, Type::UUID_ARRAY)])
        .await?;
    let mut found: BTreeMap<Uuid, Vec<TagType>> = BTreeMap::new();
    for row in &rows {
        let tag_type = serde_json::from_value(row.get("definition"))
            .map_err(|e| DbError::Damaged(format!("tag_types: {e}")))?;
        found
            .entry(row.get("campaign_id"))
            .or_default()
            .push(tag_type);
    }
    Ok(found)
}

/// What tells whether a campaign is shown as before, and to whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Edition {
    pub state: State,
    pub version: i32,
    /// Of the imagery layer.
    pub revision: i32,
}

pub async fn edition(
    db: &impl GenericClient,
    reference: &Reference,
) -> Result<Option<Edition>, DbError> {
    let (id, slug) = reference.parts();
    let sql = "-- campaigns::edition
        SELECT c.state, c.version, l.revision
        FROM campaigns AS c JOIN imagery_layers AS l ON l.id = c.imagery_layer_id
        WHERE c.id = $1 OR c.slug = $2";
    let row = db
        .query_typed_opt(sql, &[(&id, Type::UUID), (&slug, Type::TEXT)])
        .await?;
    row.map(|row| {
        Ok(Edition {
            state: State::parse(row.get("state"))
                .ok_or_else(|| DbError::Damaged("campaigns.state".to_owned()))?,
            version: row.get("version"),
            revision: row.get("revision"),
        })
    })
    .transpose()
}

pub async fn find(
    db: &impl GenericClient,
    reference: &Reference,
) -> Result<Option<Campaign>, DbError> {
    let (id, slug) = reference.parts();
    let sql = concat_columns(
        "-- campaigns::find\nSELECT ",
        " FROM campaigns WHERE id = $1 OR slug = $2",
    );
    let row = db
        .query_typed_opt(&sql, &[(&id, Type::UUID), (&slug, Type::TEXT)])
        .await?;
    row.as_ref().map(from_row).transpose()
}

/// The area as it is kept.
pub struct StoredArea {
    pub ewkb: Vec<u8>,
    pub geojson: Value,
    /// Where a part was left out: the outline and that part, as GeoJSON with every digit.
    pub outline: Option<Value>,
    pub leave_out: Option<Value>,
}

pub async fn area(db: &impl GenericClient, id: Uuid) -> Result<StoredArea, DbError> {
    let sql = "-- campaigns::area
        SELECT ST_AsEWKB(area) AS area, ST_AsGeoJSON(area, 7, 0) AS geojson, outline, leave_out
        FROM campaigns WHERE id = $1";
    let row = db.query_typed_one(sql, &[(&id, Type::UUID)]).await?;
    let geojson: String = row.get("geojson");
    let geojson = serde_json::from_str(&geojson)
        .map_err(|e| DbError::Damaged(format!("campaigns.area: {e}")))?;
    Ok(StoredArea {
        ewkb: row.get("area"),
        geojson,
        outline: row.get("outline"),
        leave_out: row.get("leave_out"),
    })
}

/// A page of campaigns, newest first.
pub async fn list(
    db: &impl GenericClient,
    states: &[&str],
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<Campaign>, DbError> {
    let sql = concat_columns(
        "-- campaigns::list\nSELECT ",
        " FROM campaigns
        WHERE state = ANY ($1)
          AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
        ORDER BY created_at DESC, id DESC
        LIMIT $4",
    );
    let (time, id) = after.unzip();
    let rows = db
        .query_typed(
            &sql,
            &[
                (&states, Type::TEXT_ARRAY),
                (&time, Type::TIMESTAMPTZ),
                (&id, Type::UUID),
                (&limit, Type::INT8),
            ],
        )
        .await?;
    rows.iter().map(from_row).collect()
}

/// Campaigns whose looks may exist.
pub async fn published(db: &impl GenericClient) -> Result<Vec<Campaign>, DbError> {
    let sql = concat_columns(
        "-- campaigns::published\nSELECT ",
        " FROM campaigns WHERE published_at IS NOT NULL ORDER BY id",
    );
    let rows = db.query_typed(&sql, &[]).await?;
    rows.iter().map(from_row).collect()
}

/// These campaigns, in no order.
pub async fn by_ids(db: &impl GenericClient, ids: &[Uuid]) -> Result<Vec<Campaign>, DbError> {
    let sql = concat_columns(
        "-- campaigns::by_ids\nSELECT ",
        " FROM campaigns WHERE id = ANY ($1)",
    );
    let rows = db.query_typed(&sql, &[(&ids, Type::UUID_ARRAY)]).await?;
    rows.iter().map(from_row).collect()
}

fn concat_columns(before: &str, after: &str) -> String {
    [before, COLUMNS, after].concat()
}

fn from_row(row: &Row) -> Result<Campaign, DbError> {
    let damaged = |what: &str| DbError::Damaged(format!("campaigns.{what}"));
    let texts = |column: &str| -> Result<Localised, DbError> {
        serde_json::from_value(row.get(column)).map_err(|_e| damaged(column))
    };
    let state: String = row.get("state");
    Ok(Campaign {
        id: row.get("id"),
        slug: row.get("slug"),
        state: State::parse(&state).ok_or_else(|| damaged("state"))?,
        version: row.get("version"),
        languages: row.get("languages"),
        title: texts("title")?,
        summary: texts("summary")?,
        instructions: texts("instructions")?,
        message: row.get("message"),
        area_km2: row.get("area_km2"),
        bbox: [
            row.get("west"),
            row.get("south"),
            row.get("east"),
            row.get("north"),
        ],
        priorities: row.get("priorities"),
        cell_zoom: u8::try_from(row.get::<_, i16>("cell_zoom"))
            .map_err(|_e| damaged("cell_zoom"))?,
        cells: row.get("cells"),
        cells_prepared: row.get("cells_prepared"),
        deck: row.get("deck"),
        changing: row.get("changing"),
        looks_wanted: u16::try_from(row.get::<_, i16>("looks_wanted"))
            .map_err(|_e| damaged("looks_wanted"))?,
        lease_seconds: u32::try_from(row.get::<_, i32>("lease_seconds"))
            .map_err(|_e| damaged("lease_seconds"))?,
        agreement_radius_m: row.get("agreement_radius_m"),
        imagery_layer_id: row.get("imagery_layer_id"),
        starts_at: row.get("starts_at"),
        ends_at: row.get("ends_at"),
        grace_days: u16::try_from(row.get::<_, i16>("grace_days"))
            .map_err(|_e| damaged("grace_days"))?,
        closed_at: row.get("closed_at"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
        published_at: row.get("published_at"),
    })
}
