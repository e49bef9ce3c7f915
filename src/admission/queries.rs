//! Statements of admission.

use tokio_postgres::{GenericClient, Row, types::Type};

use super::mode::{ADMIT_ALL, Change, Mode, ServiceMode};
use crate::db::DbError;

pub async fn read(db: &impl GenericClient) -> Result<Option<ServiceMode>, DbError> {
    let sql = "-- admission::read
        SELECT mode, admit_percent, message, changed_at FROM service_mode";
    let row = db.query_typed_opt(sql, &[]).await?;
    Ok(row.as_ref().map(from_row))
}

/// Changes what is named, and gives what is in force from now on.
pub async fn change(db: &impl GenericClient, change: &Change) -> Result<ServiceMode, DbError> {
    let sql = "-- admission::change
        INSERT INTO service_mode AS known (mode, admit_percent, message)
        VALUES (coalesce($1, 'normal'), coalesce($2, 100::int2), $4)
        ON CONFLICT ON CONSTRAINT service_mode_pkey DO UPDATE SET
            mode = coalesce($1, known.mode),
            admit_percent = coalesce($2, known.admit_percent),
            message = CASE
                WHEN $3 THEN $4
                WHEN coalesce($1, known.mode) = known.mode THEN known.message
            END,
            changed_at = clock_timestamp()
        RETURNING mode, admit_percent, message, changed_at";
    let mode = change.mode.map(Mode::as_str);
    let percent = change.admit_percent.map(i16::from);
    let is_said = change.message.is_some();
    let message = change.message.clone().flatten();
    let row = db
        .query_typed_one(
            sql,
            &[
                (&mode, Type::TEXT),
                (&percent, Type::INT2),
                (&is_said, Type::BOOL),
                (&message, Type::TEXT),
            ],
        )
        .await?;
    Ok(from_row(&row))
}

/// A mode that this program does not know was stored by a later one; until it is replaced, too,
/// the safe one is to change nothing.
fn from_row(row: &Row) -> ServiceMode {
    let percent: i16 = row.get("admit_percent");
    ServiceMode {
        mode: Mode::parse(row.get("mode")).unwrap_or(Mode::ReadOnly),
        admit_percent: u8::try_from(percent).unwrap_or(ADMIT_ALL),
        message: row.get("message"),
        changed_at: row.get("changed_at"),
    }
}
