//! Statements of campaigns.

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use super::{
    Reference,
    model::{CampaignDefinition, TagType},
    state::State,
    survey::{Repaired, RingProblem, SurveyedArea},
};
use crate::{db::DbError, http::text::Localised};

/// A campaign as it is kept, without its area and tag types.
#[derive(Clone, Debug)]
pub struct Campaign {
    pub id: Uuid,
    pub slug: String,
    pub state: State,
    pub version: i32,
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
    pub looks_wanted: u16,
    pub lease_seconds: u32,
    pub agreement_radius_m: f64,
    pub imagery_layer_id: Uuid,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub published_at: Option<Timestamp>,
}

/// What a draft stores beside what the organiser said.
pub struct Surveyed<'a> {
    pub area: &'a SurveyedArea,
    pub cells: i64,
    pub imagery_layer_id: Uuid,
    pub priorities: &'a Value,
}

const COLUMNS: &str = "id, slug, state, version, title, summary, instructions, message, area_km2,
    west, south, east, north, priorities, cell_zoom, cells, cells_prepared, looks_wanted,
    lease_seconds, agreement_radius_m, imagery_layer_id, starts_at, ends_at, created_at, updated_at,
    published_at";

/// Longest time that the repair of an area may take.
const REPAIR_TIMEOUT: &str = "20s";

/// Must run in a transaction, to which its time limit belongs.
pub async fn repair_area(
    db: &impl GenericClient,
    polygons: &[Vec<u8>],
) -> Result<Repaired, DbError> {
    // Compiling the statement would take longer than running it, and a hostile outline must not
    // hold a connection for ever.
    db.execute_typed(
        "-- campaigns::bound_repair
        SELECT set_config('jit', 'off', true), set_config('statement_timeout', $1, true)",
        &[(&REPAIR_TIMEOUT, Type::TEXT)],
    )
    .await?;
    let sql = include_str!("sql/area_repair.sql");
    let row = db
        .query_typed_one(sql, &[(&polygons, Type::BYTEA_ARRAY)])
        .await?;
    db.execute_typed(
        "-- campaigns::unbound_repair
        SELECT set_config('statement_timeout', '0', true)",
        &[],
    )
    .await?;
    let indices: Vec<i64> = row.get("problem_index");
    let reasons: Vec<Option<String>> = row.get("problem_reason");
    let lons: Vec<Option<f64>> = row.get("problem_lon");
    let lats: Vec<Option<f64>> = row.get("problem_lat");
    let problems = indices
        .into_iter()
        .zip(reasons)
        .zip(lons.into_iter().zip(lats))
        .map(|((polygon, reason), (lon, lat))| RingProblem {
            polygon,
            reason: reason.unwrap_or_default(),
            place: lon.zip(lat).map(|(lon, lat)| [lon, lat]),
        })
        .collect();
    Ok(Repaired {
        ewkb: row.get("area"),
        geojson: row.get("area_geojson"),
        area_km2: row.get("area_km2"),
        bbox: [row.get("west"), row.get("south"), row.get("east"), row.get("north")],
        problems,
        problems_total: row.get("problems"),
    })
}

pub async fn insert(
    db: &impl GenericClient,
    id: Uuid,
    definition: &CampaignDefinition,
    surveyed: &Surveyed<'_>,
    by: Uuid,
) -> Result<(), DbError> {
    let sql = "-- campaigns::insert
        INSERT INTO campaigns (id, slug, title, summary, instructions, area, area_km2, west, south,
            east, north, priorities, cell_zoom, cells, looks_wanted, lease_seconds,
            agreement_radius_m, imagery_layer_id, starts_at, ends_at, created_by)
        VALUES ($1, $2, $3, $4, $5, ST_GeomFromEWKB($6), $7, $8, $9, $10, $11, $12, $13, $14, $15,
            $16, $17, $18, $19, $20, $21)";
    let [west, south, east, north] = surveyed.area.bbox;
    db.execute_typed(
        sql,
        &[
            (&id, Type::UUID),
            (&definition.slug, Type::TEXT),
            (&json(&definition.title), Type::JSONB),
            (&json(&definition.summary), Type::JSONB),
            (&json(&definition.instructions), Type::JSONB),
            (&surveyed.area.ewkb, Type::BYTEA),
            (&surveyed.area.area_km2, Type::FLOAT8),
            (&west, Type::FLOAT8),
            (&south, Type::FLOAT8),
            (&east, Type::FLOAT8),
            (&north, Type::FLOAT8),
            (&surveyed.priorities, Type::JSONB),
            (&i16::from(definition.cell_zoom), Type::INT2),
            (&surveyed.cells, Type::INT8),
            (&small(definition.looks_wanted), Type::INT2),
            (&integer(definition.lease_seconds), Type::INT4),
            (&definition.agreement_radius_m, Type::FLOAT8),
            (&surveyed.imagery_layer_id, Type::UUID),
            (&definition.starts_at, Type::TIMESTAMPTZ),
            (&definition.ends_at, Type::TIMESTAMPTZ),
            (&by, Type::UUID),
        ],
    )
    .await?;
    Ok(())
}

/// Stores a change and makes a new version, unless the version is another by now.
pub async fn update(
    db: &impl GenericClient,
    campaign: &Campaign,
    definition: &CampaignDefinition,
    surveyed: &Surveyed<'_>,
) -> Result<bool, DbError> {
    let sql = "-- campaigns::update
        UPDATE campaigns
        SET slug = $3, title = $4, summary = $5, instructions = $6, area = ST_GeomFromEWKB($7),
            area_km2 = $8, west = $9, south = $10, east = $11, north = $12, priorities = $13,
            cell_zoom = $14, cells = $15, looks_wanted = $16, lease_seconds = $17,
            agreement_radius_m = $18, imagery_layer_id = $19, starts_at = $20, ends_at = $21,
            version = version + 1, updated_at = now()
        WHERE id = $1 AND version = $2";
    let [west, south, east, north] = surveyed.area.bbox;
    let changed = db
        .execute_typed(
            sql,
            &[
                (&campaign.id, Type::UUID),
                (&campaign.version, Type::INT4),
                (&definition.slug, Type::TEXT),
                (&json(&definition.title), Type::JSONB),
                (&json(&definition.summary), Type::JSONB),
                (&json(&definition.instructions), Type::JSONB),
                (&surveyed.area.ewkb, Type::BYTEA),
                (&surveyed.area.area_km2, Type::FLOAT8),
                (&west, Type::FLOAT8),
                (&south, Type::FLOAT8),
                (&east, Type::FLOAT8),
                (&north, Type::FLOAT8),
                (&surveyed.priorities, Type::JSONB),
                (&i16::from(definition.cell_zoom), Type::INT2),
                (&surveyed.cells, Type::INT8),
                (&small(definition.looks_wanted), Type::INT2),
                (&integer(definition.lease_seconds), Type::INT4),
                (&definition.agreement_radius_m, Type::FLOAT8),
                (&surveyed.imagery_layer_id, Type::UUID),
                (&definition.starts_at, Type::TIMESTAMPTZ),
                (&definition.ends_at, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// Replaces the tag types, in their order.
pub async fn put_tag_types(
    db: &impl GenericClient,
    campaign_id: Uuid,
    types: &[TagType],
) -> Result<(), DbError> {
    let sql = "-- campaigns::put_tag_types
        WITH given AS (
            SELECT t.key, t.position, t.geometry, t.definition
            FROM unnest($2::text[], $3::smallint[], $4::text[], $5::jsonb[])
                 AS t (key, position, geometry, definition)
        ), gone AS (
            DELETE FROM tag_types
            WHERE campaign_id = $1 AND key NOT IN (SELECT key FROM given)
        )
        INSERT INTO tag_types (campaign_id, key, position, geometry, definition)
        SELECT $1, key, position, geometry, definition FROM given
        ON CONFLICT ON CONSTRAINT tag_types_pkey DO UPDATE
        SET position = excluded.position, geometry = excluded.geometry,
            definition = excluded.definition";
    let keys: Vec<&str> = types.iter().map(|t| t.key.as_str()).collect();
    let positions: Vec<i16> = (0..).take(types.len()).collect();
    let geometries: Vec<&str> = types.iter().map(|t| t.geometry.as_str()).collect();
    let definitions: Vec<Value> = types.iter().map(json).collect();
    db.execute_typed(
        sql,
        &[
            (&campaign_id, Type::UUID),
            (&keys, Type::TEXT_ARRAY),
            (&positions, Type::INT2_ARRAY),
            (&geometries, Type::TEXT_ARRAY),
            (&definitions, Type::JSONB_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

pub async fn tag_types(
    db: &impl GenericClient,
    campaign_id: Uuid,
) -> Result<Vec<TagType>, DbError> {
    let sql = "-- campaigns::tag_types
        SELECT definition FROM tag_types WHERE campaign_id = $1 ORDER BY position";
    let rows = db.query_typed(sql, &[(&campaign_id, Type::UUID)]).await?;
    rows.iter()
        .map(|row| {
            serde_json::from_value(row.get("definition"))
                .map_err(|e| DbError::Damaged(format!("tag_types: {e}")))
        })
        .collect()
}

/// Keeps what is told at the campaign's present version.
pub async fn keep_version(
    db: &impl GenericClient,
    campaign_id: Uuid,
    version: i32,
    document: &Value,
    by: Option<Uuid>,
) -> Result<(), DbError> {
    let sql = "-- campaigns::keep_version
        INSERT INTO campaign_versions (campaign_id, version, document, made_by)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT ON CONSTRAINT campaign_versions_pkey DO NOTHING";
    db.execute_typed(
        sql,
        &[
            (&campaign_id, Type::UUID),
            (&version, Type::INT4),
            (&document, Type::JSONB),
            (&by, Type::UUID),
        ],
    )
    .await?;
    Ok(())
}

/// Moves a campaign to another state, unless its version is another by now.
pub async fn set_state(
    db: &impl GenericClient,
    campaign: &Campaign,
    state: State,
    message: Option<&str>,
) -> Result<bool, DbError> {
    let sql = "-- campaigns::set_state
        UPDATE campaigns
        SET state = $3, message = $4, version = version + 1, updated_at = now(),
            published_at = CASE WHEN $3 = 'preparing' THEN coalesce(published_at, now()) ELSE published_at END
        WHERE id = $1 AND version = $2";
    let changed = db
        .execute_typed(
            sql,
            &[
                (&campaign.id, Type::UUID),
                (&campaign.version, Type::INT4),
                (&state.as_str(), Type::TEXT),
                (&message, Type::TEXT),
            ],
        )
        .await?;
    Ok(changed == 1)
}

pub async fn find(
    db: &impl GenericClient,
    reference: &Reference,
) -> Result<Option<Campaign>, DbError> {
    let (id, slug) = match reference {
        Reference::Id(id) => (Some(*id), None),
        Reference::Slug(slug) => (None, Some(slug.as_str())),
    };
    let sql = concat_columns(
        "-- campaigns::find\nSELECT ",
        " FROM campaigns WHERE id = $1 OR slug = $2",
    );
    let row = db
        .query_typed_opt(&sql, &[(&id, Type::UUID), (&slug, Type::TEXT)])
        .await?;
    row.as_ref().map(from_row).transpose()
}

/// The area as EWKB and as GeoJSON.
pub async fn area(db: &impl GenericClient, id: Uuid) -> Result<(Vec<u8>, Value), DbError> {
    let sql = "-- campaigns::area
        SELECT ST_AsEWKB(area) AS area, ST_AsGeoJSON(area, 7, 0) AS geojson
        FROM campaigns WHERE id = $1";
    let row = db.query_typed_one(sql, &[(&id, Type::UUID)]).await?;
    let geojson: String = row.get("geojson");
    let geojson = serde_json::from_str(&geojson)
        .map_err(|e| DbError::Damaged(format!("campaigns.area: {e}")))?;
    Ok((row.get("area"), geojson))
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

/// The campaign whose cells are to be made next, for this transaction, with the column to go on
/// with; `None` when there is none or another worker has it.
pub async fn next_to_prepare(
    db: &impl GenericClient,
) -> Result<Option<(Campaign, i64)>, DbError> {
    let sql = concat_columns(
        "-- campaigns::next_to_prepare\nSELECT prepare_column, ",
        " FROM campaigns WHERE state = 'preparing' ORDER BY published_at, id
        LIMIT 1 FOR UPDATE SKIP LOCKED",
    );
    let row = db.query_typed_opt(&sql, &[]).await?;
    row.map(|row| Ok((from_row(&row)?, row.get("prepare_column"))))
        .transpose()
}

/// Notes how far preparation came, in the transaction that stored the cells.
pub async fn record_prepared(
    db: &impl GenericClient,
    id: Uuid,
    next_column: i64,
    cells: i64,
) -> Result<(), DbError> {
    let sql = "-- campaigns::record_prepared
        UPDATE campaigns SET prepare_column = $2, cells_prepared = cells_prepared + $3
        WHERE id = $1";
    db.execute_typed(
        sql,
        &[(&id, Type::UUID), (&next_column, Type::INT8), (&cells, Type::INT8)],
    )
    .await?;
    Ok(())
}

/// Opens a campaign whose cells are all there.
pub async fn finish_preparation(db: &impl GenericClient, id: Uuid) -> Result<(), DbError> {
    let sql = "-- campaigns::finish_preparation
        UPDATE campaigns SET state = 'open', version = version + 1, updated_at = now(),
            cells = cells_prepared
        WHERE id = $1 AND state = 'preparing'";
    db.execute_typed(sql, &[(&id, Type::UUID)]).await?;
    Ok(())
}

/// Closes campaigns whose end has come and gives their references.
pub async fn close_ended(db: &impl GenericClient) -> Result<Vec<(Uuid, String)>, DbError> {
    let sql = "-- campaigns::close_ended
        UPDATE campaigns SET state = 'closed', version = version + 1, updated_at = now()
        WHERE state IN ('open', 'paused') AND ends_at <= now()
        RETURNING id, slug";
    let rows = db.query_typed(sql, &[]).await?;
    Ok(rows.iter().map(|row| (row.get("id"), row.get("slug"))).collect())
}

fn concat_columns(before: &str, after: &str) -> String {
    [before, COLUMNS, after].concat()
}

fn json<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Both are limited far below what the column holds.
fn small(value: u16) -> i16 {
    i16::try_from(value).unwrap_or(i16::MAX)
}

fn integer(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
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
        title: texts("title")?,
        summary: texts("summary")?,
        instructions: texts("instructions")?,
        message: row.get("message"),
        area_km2: row.get("area_km2"),
        bbox: [row.get("west"), row.get("south"), row.get("east"), row.get("north")],
        priorities: row.get("priorities"),
        cell_zoom: u8::try_from(row.get::<_, i16>("cell_zoom")).map_err(|_e| damaged("cell_zoom"))?,
        cells: row.get("cells"),
        cells_prepared: row.get("cells_prepared"),
        looks_wanted: u16::try_from(row.get::<_, i16>("looks_wanted")).map_err(|_e| damaged("looks_wanted"))?,
        lease_seconds: u32::try_from(row.get::<_, i32>("lease_seconds")).map_err(|_e| damaged("lease_seconds"))?,
        agreement_radius_m: row.get("agreement_radius_m"),
        imagery_layer_id: row.get("imagery_layer_id"),
        starts_at: row.get("starts_at"),
        ends_at: row.get("ends_at"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
        published_at: row.get("published_at"),
    })
}
