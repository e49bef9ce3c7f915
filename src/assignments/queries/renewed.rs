//! Statements about the renewed leases of one volunteer.

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{GenericClient, types::Type};
use utoipa::ToSchema;
use uuid::Uuid;

use super::cell_id;
use crate::db::DbError;

/// Renewed leases that are listed at most.
const LISTED_MAX: i64 = 10_000;

/// A lease that was renewed.
#[derive(Serialize, ToSchema)]
pub struct RenewedLease {
    pub campaign_id: Uuid,
    /// The square as `z/x/y`.
    #[schema(example = "17/10043/39631")]
    pub cell: String,
    #[schema(value_type = String, format = DateTime)]
    pub lease_expires_at: Timestamp,
}

/// The renewed leases of a volunteer, those that end last first.
pub async fn renewed_leases(
    db: &impl GenericClient,
    volunteer_id: Uuid,
) -> Result<Vec<RenewedLease>, DbError> {
    let sql = "-- assignments::renewed_leases
        SELECT campaign_id, cell, lease_expires_at FROM lease_renewals WHERE volunteer_id = $1
        ORDER BY lease_expires_at DESC, campaign_id, cell
        LIMIT $2";
    let rows = db
        .query_typed(
            sql,
            &[(&volunteer_id, Type::UUID), (&LISTED_MAX, Type::INT8)],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let cell = cell_id(row.get("cell"), "lease_renewals.cell")?;
            Ok(RenewedLease {
                campaign_id: row.get("campaign_id"),
                cell: cell.tile().to_string(),
                lease_expires_at: row.get("lease_expires_at"),
            })
        })
        .collect()
}

/// Stores the renewals of a volunteer for another one too.
pub async fn copy_renewals(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    to: Uuid,
) -> Result<(), DbError> {
    let sql = "-- assignments::copy_renewals
        INSERT INTO lease_renewals AS r (campaign_id, cell, volunteer_id, lease_expires_at)
        SELECT campaign_id, cell, $2, lease_expires_at FROM lease_renewals
        WHERE volunteer_id = $1 AND returned_at IS NULL
        ORDER BY campaign_id, cell
        ON CONFLICT ON CONSTRAINT lease_renewals_pkey DO UPDATE
        SET lease_expires_at = greatest(r.lease_expires_at, excluded.lease_expires_at)";
    db.execute_typed(sql, &[(&volunteer_id, Type::UUID), (&to, Type::UUID)])
        .await?;
    Ok(())
}

/// Deletes the renewals of a volunteer.
pub async fn delete_renewals(db: &impl GenericClient, volunteer_id: Uuid) -> Result<(), DbError> {
    let sql = "-- assignments::delete_renewals
        DELETE FROM lease_renewals WHERE volunteer_id = $1";
    db.execute_typed(sql, &[(&volunteer_id, Type::UUID)])
        .await?;
    Ok(())
}
