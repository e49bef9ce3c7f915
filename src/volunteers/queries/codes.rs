//! Statements of link codes.

use jiff::Timestamp;
use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::db::DbError;

/// Stores a code, so that the volunteer has so many at most that can be used; says until when.
pub async fn make(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    hash: &[u8],
    lifetime_secs: f64,
    at_most: i64,
) -> Result<Timestamp, DbError> {
    let sql = "-- volunteers::make_code
        WITH too_many AS (
            DELETE FROM link_codes WHERE code_hash IN (
                SELECT code_hash FROM link_codes
                WHERE volunteer_id = $1 AND used_at IS NULL
                ORDER BY made_at DESC, code_hash OFFSET $4 - 1)
        )
        INSERT INTO link_codes (code_hash, volunteer_id, expires_at)
        VALUES ($2, $1, now() + make_interval(secs => $3))
        RETURNING expires_at";
    let row = db
        .query_typed_one(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&hash, Type::BYTEA),
                (&lifetime_secs, Type::FLOAT8),
                (&at_most, Type::INT8),
            ],
        )
        .await?;
    Ok(row.get("expires_at"))
}

/// A code that has not lapsed.
pub struct Found {
    pub volunteer_id: Uuid,
    /// The mark that its device got, when it was used.
    pub used: Option<u16>,
    pub attempt: Option<Uuid>,
}

pub async fn find(db: &impl GenericClient, hash: &[u8]) -> Result<Option<Found>, DbError> {
    let sql = "-- volunteers::find_code
        SELECT volunteer_id, CASE WHEN used_at IS NOT NULL THEN mark END AS used, attempt
        FROM link_codes WHERE code_hash = $1 AND expires_at > now()";
    let row = db.query_typed_opt(sql, &[(&hash, Type::BYTEA)]).await?;
    Ok(row.map(|row| Found {
        volunteer_id: row.get("volunteer_id"),
        used: row.get::<_, Option<i16>>("used").map(i16::unsigned_abs),
        attempt: row.get("attempt"),
    }))
}

pub async fn mark_used(
    db: &impl GenericClient,
    hash: &[u8],
    attempt: Option<Uuid>,
    mark: u16,
) -> Result<(), DbError> {
    let sql = "-- volunteers::mark_code_used
        UPDATE link_codes SET used_at = now(), attempt = $2, mark = $3 WHERE code_hash = $1";
    db.execute_typed(
        sql,
        &[
            (&hash, Type::BYTEA),
            (&attempt, Type::UUID),
            (&mark.cast_signed(), Type::INT2),
        ],
    )
    .await?;
    Ok(())
}

/// Deletes the codes of a volunteer.
pub async fn delete_of(db: &impl GenericClient, volunteer_id: Uuid) -> Result<(), DbError> {
    let sql = "-- volunteers::delete_codes
        DELETE FROM link_codes WHERE volunteer_id = $1";
    db.execute_typed(sql, &[(&volunteer_id, Type::UUID)])
        .await?;
    Ok(())
}

/// Deletes codes that lapsed, some at a time. Gives how many.
pub async fn delete_ended(db: &impl GenericClient, at_most: i64) -> Result<u64, DbError> {
    let sql = "-- volunteers::delete_ended_codes
        DELETE FROM link_codes WHERE code_hash IN (
            SELECT code_hash FROM link_codes WHERE expires_at < now() ORDER BY expires_at LIMIT $1)";
    Ok(db.execute_typed(sql, &[(&at_most, Type::INT8)]).await?)
}

/// Until when a volunteer's codes can be used, and which were.
pub async fn of_volunteer(
    db: &impl GenericClient,
    volunteer_id: Uuid,
) -> Result<Vec<(Timestamp, Timestamp, Option<Timestamp>)>, DbError> {
    let sql = "-- volunteers::codes
        SELECT made_at, expires_at, used_at FROM link_codes
        WHERE volunteer_id = $1 ORDER BY made_at, code_hash";
    let rows = db.query_typed(sql, &[(&volunteer_id, Type::UUID)]).await?;
    Ok(rows
        .iter()
        .map(|row| {
            (
                row.get("made_at"),
                row.get("expires_at"),
                row.get("used_at"),
            )
        })
        .collect())
}
