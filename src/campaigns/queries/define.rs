//! Statements that store what organisers define.

use serde_json::Value;
use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::Campaign;
use crate::{
    campaigns::{
        model::{CampaignDefinition, TagType},
        state::State,
        survey::SurveyedArea,
    },
    db::DbError,
};

/// What a draft stores beside what the organiser said.
pub struct Surveyed<'a> {
    pub area: &'a SurveyedArea,
    pub cells: i64,
    pub imagery_layer_id: Uuid,
    pub priorities: &'a Value,
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
