//! Statements about who was given what, and who looked.

use jiff::Timestamp;
use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::cell_id;
use crate::{db::DbError, geo::CellId};

/// A pile as it is stored.
pub struct Stored {
    pub pile: CellId,
    pub ledger: Vec<u8>,
    /// Whether a server holds it, so that the ledger may lack what it dealt.
    pub is_held: bool,
}

/// Reads piles without claiming them.
pub async fn read(
    db: &impl GenericClient,
    campaign_id: Uuid,
    piles: &[i64],
) -> Result<Vec<Stored>, DbError> {
    let sql = "-- assignments::read
        SELECT pile, ledger, coalesce(held_until >= now(), false) AS is_held
        FROM piles WHERE campaign_id = $1 AND pile = ANY ($2)";
    let rows = db
        .query_typed(
            sql,
            &[(&campaign_id, Type::UUID), (&piles, Type::INT8_ARRAY)],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Stored {
                pile: cell_id(row.get("pile"), "piles.pile")?,
                ledger: row.get("ledger"),
                is_held: row.get("is_held"),
            })
        })
        .collect()
}

/// Which of these cells a volunteer has looked at.
pub async fn looked_at(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    cells: &[CellId],
) -> Result<Vec<CellId>, DbError> {
    let sql = "-- assignments::looked_at
        SELECT DISTINCT cell FROM looks
        WHERE campaign_id = $1 AND volunteer_id = $2 AND cell = ANY ($3)";
    let rows = db
        .query_typed(
            sql,
            &[
                (&campaign_id, Type::UUID),
                (&volunteer_id, Type::UUID),
                (&ids(cells), Type::INT8_ARRAY),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| cell_id(row.get("cell"), "looks.cell"))
        .collect()
}

/// Who has looked at a cell.
pub async fn who_looked(
    db: &impl GenericClient,
    campaign_id: Uuid,
    cell: CellId,
) -> Result<Vec<Uuid>, DbError> {
    let sql = "-- assignments::who_looked
        SELECT DISTINCT volunteer_id FROM looks WHERE campaign_id = $1 AND cell = $2";
    let rows = db
        .query_typed(
            sql,
            &[(&campaign_id, Type::UUID), (&cell.get(), Type::INT8)],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get("volunteer_id")).collect())
}

/// Keeps until when leases were renewed.
pub async fn renew(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    ends: &[(CellId, Timestamp)],
) -> Result<(), DbError> {
    let sql = "-- assignments::renew
        INSERT INTO lease_renewals AS r (campaign_id, cell, volunteer_id, lease_expires_at)
        SELECT $1, g.cell, $2, g.ends FROM unnest($3::int8[], $4::timestamptz[]) AS g (cell, ends)
        ORDER BY g.cell
        ON CONFLICT ON CONSTRAINT lease_renewals_pkey DO UPDATE
        SET lease_expires_at = greatest(r.lease_expires_at, excluded.lease_expires_at)";
    let (cells, ends): (Vec<i64>, Vec<Timestamp>) =
        ends.iter().map(|(cell, end)| (cell.get(), *end)).unzip();
    db.execute_typed(
        sql,
        &[
            (&campaign_id, Type::UUID),
            (&volunteer_id, Type::UUID),
            (&cells, Type::INT8_ARRAY),
            (&ends, Type::TIMESTAMPTZ_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

/// Forgets renewals that ended so long ago, some at a time. Gives how many.
pub async fn forget_ended(
    db: &impl GenericClient,
    ended_secs: f64,
    at_most: i64,
) -> Result<u64, DbError> {
    let sql = "-- assignments::forget_ended
        DELETE FROM lease_renewals AS r
        USING (SELECT campaign_id, cell, volunteer_id FROM lease_renewals
               WHERE lease_expires_at < now() - make_interval(secs => $1)
               ORDER BY lease_expires_at
               LIMIT $2
               FOR UPDATE SKIP LOCKED) AS e
        WHERE r.campaign_id = e.campaign_id AND r.cell = e.cell
          AND r.volunteer_id = e.volunteer_id";
    let forgotten = db
        .execute_typed(sql, &[(&ended_secs, Type::FLOAT8), (&at_most, Type::INT8)])
        .await?;
    Ok(forgotten)
}

/// Renewed leases of cells.
pub async fn renewals(
    db: &impl GenericClient,
    campaign_id: Uuid,
    cells: &[CellId],
) -> Result<Vec<(CellId, Uuid, Timestamp)>, DbError> {
    let sql = "-- assignments::renewals
        SELECT cell, volunteer_id, lease_expires_at FROM lease_renewals
        WHERE campaign_id = $1 AND cell = ANY ($2)";
    let rows = db
        .query_typed(
            sql,
            &[(&campaign_id, Type::UUID), (&ids(cells), Type::INT8_ARRAY)],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let cell = cell_id(row.get("cell"), "lease_renewals.cell")?;
            Ok((cell, row.get("volunteer_id"), row.get("lease_expires_at")))
        })
        .collect()
}

/// The database's clock.
pub async fn now(db: &impl GenericClient) -> Result<Timestamp, DbError> {
    let row = db
        .query_typed_one("-- assignments::now\nSELECT now() AS now", &[])
        .await?;
    Ok(row.get("now"))
}

/// Open campaigns, newest first: slug and title.
pub async fn open_campaigns(
    db: &impl GenericClient,
    limit: i64,
) -> Result<Vec<(String, serde_json::Value)>, DbError> {
    let sql = "-- assignments::open_campaigns
        SELECT slug, title FROM campaigns
        WHERE state = 'open'
          AND (starts_at IS NULL OR starts_at <= now()) AND (ends_at IS NULL OR ends_at > now())
        ORDER BY created_at DESC, id
        LIMIT $1";
    let rows = db.query_typed(sql, &[(&limit, Type::INT8)]).await?;
    Ok(rows
        .iter()
        .map(|row| (row.get("slug"), row.get("title")))
        .collect())
}

fn ids(cells: &[CellId]) -> Vec<i64> {
    cells.iter().map(|cell| cell.get()).collect()
}
