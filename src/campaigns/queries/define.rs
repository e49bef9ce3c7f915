//! Statements that store what organisers define.

use serde_json::Value;
use tokio_postgres::{
    GenericClient,
    types::{ToSql, Type},
};
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
    pub outline: Option<&'a Value>,
    pub leave_out: Option<&'a Value>,
    pub cells: i64,
    pub imagery_layer_id: Uuid,
    pub priorities: &'a Value,
}

/// The columns that a definition fills, as the parameters from `$3` on.
struct Members<'a> {
    definition: &'a CampaignDefinition,
    surveyed: &'a Surveyed<'a>,
    title: Value,
    summary: Value,
    instructions: Value,
    cell_zoom: i16,
    looks_wanted: i16,
    lease_seconds: i32,
    grace_days: i16,
}

type Param<'a> = (&'a (dyn ToSql + Sync), Type);

impl<'a> Members<'a> {
    fn new(definition: &'a CampaignDefinition, surveyed: &'a Surveyed<'a>) -> Self {
        Self {
            definition,
            surveyed,
            title: json(&definition.title),
            summary: json(&definition.summary),
            instructions: json(&definition.instructions),
            cell_zoom: i16::from(definition.cell_zoom),
            looks_wanted: small(definition.looks_wanted),
            lease_seconds: integer(definition.lease_seconds),
            grace_days: small(definition.grace_days),
        }
    }

    /// Each column with its value.
    fn columns(&self) -> Vec<(&'static str, Param<'_>)> {
        let (definition, surveyed) = (self.definition, self.surveyed);
        let [west, south, east, north] = &surveyed.area.bbox;
        vec![
            ("slug", (&definition.slug, Type::TEXT)),
            ("languages", (&definition.languages, Type::TEXT_ARRAY)),
            ("title", (&self.title, Type::JSONB)),
            ("summary", (&self.summary, Type::JSONB)),
            ("instructions", (&self.instructions, Type::JSONB)),
            ("area", (&surveyed.area.ewkb, Type::BYTEA)),
            ("area_km2", (&surveyed.area.area_km2, Type::FLOAT8)),
            ("west", (west, Type::FLOAT8)),
            ("south", (south, Type::FLOAT8)),
            ("east", (east, Type::FLOAT8)),
            ("north", (north, Type::FLOAT8)),
            ("outline", (&surveyed.outline, Type::JSONB)),
            ("leave_out", (&surveyed.leave_out, Type::JSONB)),
            ("priorities", (&surveyed.priorities, Type::JSONB)),
            ("cell_zoom", (&self.cell_zoom, Type::INT2)),
            ("cells", (&surveyed.cells, Type::INT8)),
            ("looks_wanted", (&self.looks_wanted, Type::INT2)),
            ("lease_seconds", (&self.lease_seconds, Type::INT4)),
            (
                "agreement_radius_m",
                (&definition.agreement_radius_m, Type::FLOAT8),
            ),
            ("imagery_layer_id", (&surveyed.imagery_layer_id, Type::UUID)),
            ("starts_at", (&definition.starts_at, Type::TIMESTAMPTZ)),
            ("ends_at", (&definition.ends_at, Type::TIMESTAMPTZ)),
            ("grace_days", (&self.grace_days, Type::INT2)),
        ]
    }

    /// The names of the columns and their values as parameters from `$3` on, for a statement.
    fn clauses(&self) -> (String, String) {
        let columns = self.columns();
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let values = names.iter().zip(3..).map(|(name, n)| {
            if *name == "area" {
                format!("ST_GeomFromEWKB(${n})")
            } else {
                format!("${n}")
            }
        });
        (names.join(", "), values.collect::<Vec<_>>().join(", "))
    }

    /// The parameters of a statement: two of its own, then the columns.
    fn params<'p>(&'p self, own: [Param<'p>; 2]) -> Vec<Param<'p>> {
        let columns = self.columns().into_iter().map(|(_, param)| param);
        own.into_iter().chain(columns).collect()
    }
}

pub async fn insert(
    db: &impl GenericClient,
    id: Uuid,
    definition: &CampaignDefinition,
    surveyed: &Surveyed<'_>,
    by: Uuid,
) -> Result<(), DbError> {
    let members = Members::new(definition, surveyed);
    let (names, values) = members.clauses();
    let sql = format!(
        "-- campaigns::insert
        INSERT INTO campaigns (id, created_by, {names}) VALUES ($1, $2, {values})"
    );
    let params = members.params([(&id, Type::UUID), (&by, Type::UUID)]);
    db.execute_typed(&sql, &params).await?;
    Ok(())
}

/// Stores a change and makes a new version, unless the version is another by now.
pub async fn update(
    db: &impl GenericClient,
    campaign: &Campaign,
    definition: &CampaignDefinition,
    surveyed: &Surveyed<'_>,
) -> Result<bool, DbError> {
    let members = Members::new(definition, surveyed);
    let (names, values) = members.clauses();
    let sql = format!(
        "-- campaigns::update
        UPDATE campaigns
        SET version = version + 1, updated_at = now(), xid = pg_current_xact_id(), ({names}) = ROW ({values})
        WHERE id = $1 AND version = $2"
    );
    let params = members.params([(&campaign.id, Type::UUID), (&campaign.version, Type::INT4)]);
    Ok(db.execute_typed(&sql, &params).await? == 1)
}

/// Deletes a draft with all that belongs to it, unless its version is another by now.
pub async fn delete_draft(db: &impl GenericClient, campaign: &Campaign) -> Result<bool, DbError> {
    let id: [(&(dyn ToSql + Sync), Type); 1] = [(&campaign.id, Type::UUID)];
    let dependent = [
        "-- campaigns::delete_tag_types\nDELETE FROM tag_types WHERE campaign_id = $1",
        "-- campaigns::delete_versions\nDELETE FROM campaign_versions WHERE campaign_id = $1",
    ];
    for sql in dependent {
        db.execute_typed(sql, &id).await?;
    }
    let sql = "-- campaigns::delete_draft
        DELETE FROM campaigns WHERE id = $1 AND version = $2 AND state = 'draft'";
    let deleted = db
        .execute_typed(
            sql,
            &[(&campaign.id, Type::UUID), (&campaign.version, Type::INT4)],
        )
        .await?;
    Ok(deleted == 1)
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
            xid = pg_current_xact_id(),
            published_at = CASE WHEN $3 = 'preparing' THEN coalesce(published_at, now()) ELSE published_at END,
            closed_at = CASE WHEN $3 = 'closed' THEN coalesce(closed_at, now()) ELSE closed_at END
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
