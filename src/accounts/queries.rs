//! Statements of accounts.

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::{
    api_key::{KeyRow, KnownKey},
    departed::Departure,
};
use crate::db::DbError;

pub async fn insert_organiser(
    db: &impl GenericClient,
    name: &str,
    prefix: &str,
    secret_hash: &[u8],
    scopes: &[&str],
) -> Result<(), DbError> {
    let sql = "-- accounts::insert_organiser
        WITH organiser AS (
            INSERT INTO organisers (id, name) VALUES ($1, $2) RETURNING id
        )
        INSERT INTO api_keys (id, organiser_id, prefix, secret_hash, scopes)
        SELECT $3, organiser.id, $4, $5, $6 FROM organiser";
    db.execute_typed(
        sql,
        &[
            (&Uuid::now_v7(), Type::UUID),
            (&name, Type::TEXT),
            (&Uuid::now_v7(), Type::UUID),
            (&prefix, Type::TEXT),
            (&secret_hash, Type::BYTEA),
            (&scopes, Type::TEXT_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

pub async fn list_keys(db: &impl GenericClient) -> Result<Vec<KeyRow>, DbError> {
    let sql = "-- accounts::list_keys
        SELECT k.prefix, o.name, k.scopes, k.created_at, k.last_used_at, k.revoked_at
        FROM api_keys AS k JOIN organisers AS o ON o.id = k.organiser_id
        ORDER BY k.created_at, k.id
        LIMIT 10000";
    let rows = db.query_typed(sql, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| KeyRow {
            prefix: row.get("prefix"),
            organiser: row.get("name"),
            scopes: row.get("scopes"),
            created_at: row.get("created_at"),
            last_used_at: row.get("last_used_at"),
            revoked_at: row.get("revoked_at"),
        })
        .collect())
}

pub async fn revoke_key(db: &impl GenericClient, prefix: &str) -> Result<u64, DbError> {
    let sql = "-- accounts::revoke_key
        UPDATE api_keys SET revoked_at = now() WHERE prefix = $1 AND revoked_at IS NULL";
    Ok(db.execute_typed(sql, &[(&prefix, Type::TEXT)]).await?)
}

pub async fn find_key(db: &impl GenericClient, prefix: &str) -> Result<Option<KnownKey>, DbError> {
    let sql = "-- accounts::find_key
        SELECT k.id, k.organiser_id, o.name, k.secret_hash, k.scopes
        FROM api_keys AS k JOIN organisers AS o ON o.id = k.organiser_id
        WHERE k.prefix = $1 AND k.revoked_at IS NULL";
    let row = db.query_typed_opt(sql, &[(&prefix, Type::TEXT)]).await?;
    Ok(row.map(|row| KnownKey {
        id: row.get("id"),
        organiser_id: row.get("organiser_id"),
        name: row.get("name"),
        secret_hash: row.get("secret_hash"),
        scopes: row.get("scopes"),
    }))
}

/// Notes that a key was used, at most once a minute.
pub async fn touch_key(db: &impl GenericClient, id: Uuid) -> Result<(), DbError> {
    let sql = "-- accounts::touch_key
        UPDATE api_keys SET last_used_at = now()
        WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')";
    db.execute_typed(sql, &[(&id, Type::UUID)]).await?;
    Ok(())
}

/// Departures after a place in the order of their transactions, and the transaction before which all
/// are over.
pub async fn departures(
    db: &impl GenericClient,
    xid: i64,
    hash: &[u8],
    limit: i64,
) -> Result<(i64, Vec<Departure>), DbError> {
    let sql = "-- accounts::departures
        SELECT pg_snapshot_xmin(pg_current_snapshot())::text::int8 AS horizon,
               d.xid::text::int8 AS xid, d.volunteer_hash, d.continues_as, d.mark
        FROM (SELECT 1) AS one
        LEFT JOIN LATERAL (
            SELECT xid, volunteer_hash, continues_as, mark FROM departures
            WHERE (xid, volunteer_hash) > ($1::text::xid8, $2)
            ORDER BY xid, volunteer_hash LIMIT $3) AS d ON true
        ORDER BY d.xid, d.volunteer_hash";
    let rows = db
        .query_typed(
            sql,
            &[
                (&xid.to_string(), Type::TEXT),
                (&hash, Type::BYTEA),
                (&limit, Type::INT8),
            ],
        )
        .await?;
    let horizon = rows.first().map_or(xid, |row| row.get("horizon"));
    let departures = rows.iter().filter_map(|row| {
        Some(Departure {
            xid: row.get::<_, Option<i64>>("xid")?,
            hash: row.get("volunteer_hash"),
            continues_as: row.get("continues_as"),
            mark: row.get::<_, i16>("mark").unsigned_abs(),
        })
    });
    Ok((horizon, departures.collect()))
}

/// Who was joined to a volunteer: what was noted under these ids is the volunteer's.
pub async fn formerly(db: &impl GenericClient, volunteer_id: Uuid) -> Result<Vec<Uuid>, DbError> {
    let sql = "-- accounts::formerly
        SELECT volunteer_id FROM departures WHERE continues_as = $1 AND volunteer_id IS NOT NULL";
    let rows = db.query_typed(sql, &[(&volunteer_id, Type::UUID)]).await?;
    Ok(rows.iter().map(|row| row.get("volunteer_id")).collect())
}
