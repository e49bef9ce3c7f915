//! Statements of imagery.

use std::collections::BTreeMap;

use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use super::model::{Checked, Layer, LayerDefinition};
use crate::db::DbError;

pub async fn insert(
    db: &impl GenericClient,
    id: Uuid,
    layer: &Checked,
    by: Uuid,
) -> Result<Layer, DbError> {
    let sql = "-- imagery::insert
        INSERT INTO imagery_layers (id, key, definition, secrets, created_by)
        VALUES ($1, $2, $3, $4, $5)
        RETURNING id, revision, tiles_revision, definition, secrets, created_at, updated_at";
    let row = db
        .query_typed_one(
            sql,
            &[
                (&id, Type::UUID),
                (&layer.definition.key, Type::TEXT),
                (&json(&layer.definition), Type::JSONB),
                (&json(&layer.definition.secrets), Type::JSONB),
                (&by, Type::UUID),
            ],
        )
        .await?;
    from_row(&row)
}

/// Stores a change unless the layer has another revision by now.
pub async fn update(
    db: &impl GenericClient,
    before: &Layer,
    layer: &Checked,
) -> Result<Option<Layer>, DbError> {
    let keeps_tiles = layer.definition.has_tiles_of(&before.definition);
    let sql = "-- imagery::update
        UPDATE imagery_layers
        SET definition = $3, secrets = $4, revision = revision + 1, updated_at = now(),
            xid = pg_current_xact_id(),
            tiles_revision = CASE WHEN $5 THEN tiles_revision ELSE revision + 1 END
        WHERE id = $1 AND revision = $2
        RETURNING id, revision, tiles_revision, definition, secrets, created_at, updated_at";
    let row = db
        .query_typed_opt(
            sql,
            &[
                (&before.id, Type::UUID),
                (&before.revision, Type::INT4),
                (&json(&layer.definition), Type::JSONB),
                (&json(&layer.definition.secrets), Type::JSONB),
                (&keeps_tiles, Type::BOOL),
            ],
        )
        .await?;
    row.as_ref().map(from_row).transpose()
}

pub async fn find_by_key(db: &impl GenericClient, key: &str) -> Result<Option<Layer>, DbError> {
    let sql = "-- imagery::find_by_key
        SELECT id, revision, tiles_revision, definition, secrets, created_at, updated_at
        FROM imagery_layers WHERE key = $1";
    let row = db.query_typed_opt(sql, &[(&key, Type::TEXT)]).await?;
    row.as_ref().map(from_row).transpose()
}

pub async fn find_by_id(db: &impl GenericClient, id: Uuid) -> Result<Option<Layer>, DbError> {
    let sql = "-- imagery::find_by_id
        SELECT id, revision, tiles_revision, definition, secrets, created_at, updated_at
        FROM imagery_layers WHERE id = $1";
    let row = db.query_typed_opt(sql, &[(&id, Type::UUID)]).await?;
    row.as_ref().map(from_row).transpose()
}

pub async fn find_by_ids(db: &impl GenericClient, ids: &[Uuid]) -> Result<Vec<Layer>, DbError> {
    let sql = "-- imagery::find_by_ids
        SELECT id, revision, tiles_revision, definition, secrets, created_at, updated_at
        FROM imagery_layers WHERE id = ANY ($1)";
    let rows = db.query_typed(sql, &[(&ids, Type::UUID_ARRAY)]).await?;
    rows.iter().map(from_row).collect()
}

/// A page of layers by key.
pub async fn list(
    db: &impl GenericClient,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Layer>, DbError> {
    let sql = "-- imagery::list
        SELECT id, revision, tiles_revision, definition, secrets, created_at, updated_at
        FROM imagery_layers
        WHERE $1::text IS NULL OR key > $1
        ORDER BY key
        LIMIT $2";
    let rows = db
        .query_typed(sql, &[(&after, Type::TEXT), (&limit, Type::INT8)])
        .await?;
    rows.iter().map(from_row).collect()
}

/// The present revision of the tiles of each layer.
pub async fn revisions(db: &impl GenericClient) -> Result<BTreeMap<Uuid, i32>, DbError> {
    let sql = "-- imagery::revisions
        SELECT id, tiles_revision FROM imagery_layers";
    let rows = db.query_typed(sql, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| (row.get("id"), row.get("tiles_revision")))
        .collect())
}

/// The newest campaigns that anybody may see on a layer, as slug and id.
pub async fn campaigns(
    db: &impl GenericClient,
    layer: Uuid,
    limit: i64,
) -> Result<Vec<(String, Uuid)>, DbError> {
    let sql = "-- imagery::campaigns
        SELECT slug, id FROM campaigns
        WHERE imagery_layer_id = $1 AND published_at IS NOT NULL
        ORDER BY published_at DESC
        LIMIT $2";
    let rows = db
        .query_typed(sql, &[(&layer, Type::UUID), (&limit, Type::INT8)])
        .await?;
    Ok(rows
        .iter()
        .map(|row| (row.get("slug"), row.get("id")))
        .collect())
}

fn json<T: serde::Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn from_row(row: &Row) -> Result<Layer, DbError> {
    let decoded = |e: serde_json::Error| DbError::Damaged(format!("imagery_layers: {e}"));
    let mut definition: LayerDefinition =
        serde_json::from_value(row.get("definition")).map_err(decoded)?;
    definition.secrets = serde_json::from_value(row.get("secrets")).map_err(decoded)?;
    Ok(Layer {
        id: row.get("id"),
        revision: row.get("revision"),
        tiles_revision: row.get("tiles_revision"),
        definition,
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    })
}
