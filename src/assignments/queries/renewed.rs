//! Statements about the renewed leases of one volunteer.

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{GenericClient, types::Type};
use utoipa::ToSchema;
use uuid::Uuid;

use super::cell_id;
use crate::{assignments::order::pile_of, db::DbError, geo::CellId};

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

/// A lease that was renewed and has not ended.
pub struct LiveRenewal {
    pub campaign_id: Uuid,
    pub cell: CellId,
    pub is_returned: bool,
}

/// Those of a volunteer that were not given back come first.
pub async fn live_renewals(
    db: &impl GenericClient,
    volunteer_id: Uuid,
) -> Result<Vec<LiveRenewal>, DbError> {
    let sql = "-- assignments::live_renewals
        SELECT campaign_id, cell, returned_at IS NOT NULL AS is_returned FROM lease_renewals
        WHERE volunteer_id = $1 AND lease_expires_at > now()
        ORDER BY returned_at NULLS FIRST, campaign_id, cell
        LIMIT $2";
    let rows = db
        .query_typed(
            sql,
            &[(&volunteer_id, Type::UUID), (&LISTED_MAX, Type::INT8)],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(LiveRenewal {
                campaign_id: row.get("campaign_id"),
                cell: cell_id(row.get("cell"), "lease_renewals.cell")?,
                is_returned: row.get("is_returned"),
            })
        })
        .collect()
}

/// Deletes renewals of a volunteer that have ended, and those of these that were given back and are
/// counted as such: nobody deals from their pile, and nothing of it is left to be counted.
pub async fn delete_counted(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    returned: &[LiveRenewal],
) -> Result<(), DbError> {
    let sql = "-- assignments::delete_counted
        DELETE FROM lease_renewals AS r
        WHERE r.volunteer_id = $1
          AND (r.lease_expires_at <= now()
               OR EXISTS (SELECT FROM unnest($2::uuid[], $3::int8[], $4::int8[]) AS g (campaign_id, cell, pile)
                          LEFT JOIN piles AS p ON p.campaign_id = g.campaign_id AND p.pile = g.pile
                          WHERE g.campaign_id = r.campaign_id AND g.cell = r.cell
                            AND p.nudged IS NOT TRUE AND p.holder IS NULL))";
    let campaigns: Vec<Uuid> = returned.iter().map(|one| one.campaign_id).collect();
    let cells: Vec<i64> = returned.iter().map(|one| one.cell.get()).collect();
    let piles: Vec<i64> = returned
        .iter()
        .map(|one| pile_of(one.cell.tile()).get())
        .collect();
    db.execute_typed(
        sql,
        &[
            (&volunteer_id, Type::UUID),
            (&campaigns, Type::UUID_ARRAY),
            (&cells, Type::INT8_ARRAY),
            (&piles, Type::INT8_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

pub async fn has_renewals(db: &impl GenericClient, volunteer_id: Uuid) -> Result<bool, DbError> {
    let sql = "-- assignments::has_renewals
        SELECT EXISTS (SELECT FROM lease_renewals WHERE volunteer_id = $1) AS found";
    let row = db
        .query_typed_one(sql, &[(&volunteer_id, Type::UUID)])
        .await?;
    Ok(row.get("found"))
}
