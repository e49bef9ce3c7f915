//! Statements about who was given what, and who looked.

use jiff::Timestamp;
use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::cell_id;
use crate::{assignments::ledger::Renewal, db::DbError, geo::CellId};

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
        SET lease_expires_at = greatest(r.lease_expires_at, excluded.lease_expires_at),
            returned_at = NULL";
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

/// Keeps cells that were dealt for a moment, until a time: each with the end of the lease with which it
/// was dealt.
pub async fn keep(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    dealt: &[(CellId, Timestamp)],
    until: Timestamp,
) -> Result<(), DbError> {
    let sql = "-- assignments::keep
        INSERT INTO lease_renewals AS r (campaign_id, cell, volunteer_id, lease_expires_at, replaces)
        SELECT $1, g.cell, $2, $5, g.ends
        FROM unnest($3::int8[], $4::timestamptz[]) AS g (cell, ends)
        ORDER BY g.cell
        ON CONFLICT ON CONSTRAINT lease_renewals_pkey DO UPDATE
        SET lease_expires_at = CASE WHEN r.returned_at IS NULL
                                    THEN greatest(r.lease_expires_at, excluded.lease_expires_at)
                                    ELSE excluded.lease_expires_at END,
            replaces = excluded.replaces, returned_at = NULL";
    let (cells, ends): (Vec<i64>, Vec<Timestamp>) =
        dealt.iter().map(|(cell, end)| (cell.get(), *end)).unzip();
    db.execute_typed(
        sql,
        &[
            (&campaign_id, Type::UUID),
            (&volunteer_id, Type::UUID),
            (&cells, Type::INT8_ARRAY),
            (&ends, Type::TIMESTAMPTZ_ARRAY),
            (&until, Type::TIMESTAMPTZ),
        ],
    )
    .await?;
    Ok(())
}

/// Gives kept cells back.
pub async fn give_back(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    cells: &[CellId],
) -> Result<(), DbError> {
    let sql = "-- assignments::give_back
        UPDATE lease_renewals SET returned_at = now()
        WHERE campaign_id = $1 AND volunteer_id = $2 AND cell = ANY ($3) AND returned_at IS NULL";
    db.execute_typed(
        sql,
        &[
            (&campaign_id, Type::UUID),
            (&volunteer_id, Type::UUID),
            (&ids(cells), Type::INT8_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

/// Which of these cells a volunteer took along at any time.
pub async fn taken_along(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    cells: &[CellId],
) -> Result<Vec<CellId>, DbError> {
    let sql = "-- assignments::taken_along
        SELECT DISTINCT cell FROM pack_cells
        WHERE volunteer_id = $1 AND campaign_id = $2 AND cell = ANY ($3)";
    let rows = db
        .query_typed(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&campaign_id, Type::UUID),
                (&ids(cells), Type::INT8_ARRAY),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| cell_id(row.get("cell"), "pack_cells.cell"))
        .collect()
}

/// What became of a lease, as it is kept.
pub fn renewal(ends: Timestamp, replaces: Option<Timestamp>, is_returned: bool) -> Renewal {
    if is_returned {
        Renewal::Returned([ends.into(), replaces.unwrap_or(ends).into()])
    } else {
        Renewal::Until(ends.into())
    }
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

/// Renewed leases of cells, and those that were given back.
pub async fn renewals(
    db: &impl GenericClient,
    campaign_id: Uuid,
    cells: &[CellId],
) -> Result<Vec<(CellId, Uuid, Renewal)>, DbError> {
    let sql = "-- assignments::renewals
        SELECT cell, volunteer_id, lease_expires_at, replaces, returned_at IS NOT NULL AS is_returned
        FROM lease_renewals
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
            let ends = row.get("lease_expires_at");
            let renewal = renewal(ends, row.get("replaces"), row.get("is_returned"));
            Ok((cell, row.get("volunteer_id"), renewal))
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
