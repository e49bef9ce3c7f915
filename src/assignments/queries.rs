//! Statements of assignments.

use tokio_postgres::{
    GenericClient, Row,
    types::{ToSql, Type},
};
use uuid::Uuid;

use super::{Assignment, BAD_IMAGERY_REPORTS, Reason, TAIL_EXTRA, TAIL_PATIENCE_SECS};
use crate::{campaigns::Running, db::DbError, geo::CellId};

type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// Condition that a cell `c` still needs somebody: looks by distinct volunteers, counted from
/// the looks themselves, and live leases without a look are fewer than the looks wanted.
const NEEDS_LOOKS: &str = "
    c.looks < $3 AND c.bad_imagery < $4
    AND (SELECT count(DISTINCT l.volunteer_id) FROM looks AS l
         WHERE l.campaign_id = $1 AND l.cell = c.cell AND l.outcome IN ('tagged', 'nothing'))
      + (SELECT count(*) FROM assignments AS a
         WHERE a.campaign_id = $1 AND a.cell = c.cell AND a.volunteer_id <> $2
           AND a.lease_expires_at > now()
           AND NOT EXISTS (SELECT FROM looks AS l
                           WHERE l.campaign_id = $1 AND l.cell = c.cell AND l.volunteer_id = a.volunteer_id))
      < $3
    AND NOT EXISTS (SELECT FROM looks AS l
                    WHERE l.campaign_id = $1 AND l.cell = c.cell AND l.volunteer_id = $2)";

/// Condition that a cell `c` was never given to this volunteer.
const NEVER_GIVEN: &str = "
    AND NOT EXISTS (SELECT FROM assignments AS a
                    WHERE a.campaign_id = $1 AND a.cell = c.cell AND a.volunteer_id = $2)";

/// Condition that a cell `c` is one of the tail: it lacks looks, its youngest live lease of others
/// has been idle for a while, and not too many leases were added already.
const IDLE_TAIL: &str = "
    c.looks < $3 AND c.bad_imagery < $4
    AND (SELECT count(DISTINCT l.volunteer_id) FROM looks AS l
         WHERE l.campaign_id = $1 AND l.cell = c.cell AND l.outcome IN ('tagged', 'nothing')) < $3
    AND (SELECT count(*) < $3 + $7 AND max(a.dealt_at) < now() - make_interval(secs => $8)
         FROM assignments AS a
         WHERE a.campaign_id = $1 AND a.cell = c.cell AND a.lease_expires_at > now())
    AND NOT EXISTS (SELECT FROM looks AS l
                    WHERE l.campaign_id = $1 AND l.cell = c.cell AND l.volunteer_id = $2)";

/// Stores what was chosen and gives it back in its order.
const STORE: &str = "
    , stored AS (
        INSERT INTO assignments (campaign_id, cell, volunteer_id, lease_expires_at)
        SELECT $1, cell, $2, now() + make_interval(secs => $5) FROM chosen
        ON CONFLICT ON CONSTRAINT assignments_pkey
        DO UPDATE SET dealt_at = now(), lease_expires_at = excluded.lease_expires_at
        RETURNING cell, lease_expires_at
    )
    SELECT s.cell, s.lease_expires_at, chosen.weight
    FROM stored AS s JOIN chosen ON chosen.cell = s.cell
    ORDER BY chosen.place";

/// Longest wait for the deals before this one.
const LOCK_TIMEOUT: &str = "3s";

/// Waits until no other deal of this campaign is under way, until the end of the transaction.
pub async fn lock(db: &impl GenericClient, campaign_id: Uuid) -> Result<(), DbError> {
    let bound = db.execute_typed(
        "-- assignments::bound_lock
        SELECT set_config('lock_timeout', $1, true)",
        &[(&LOCK_TIMEOUT, Type::TEXT)],
    );
    let (_, low) = campaign_id.as_u64_pair();
    let key = low.cast_signed();
    let params: [Param<'_>; 1] = [(&key, Type::INT8)];
    let lock = db.execute_typed(
        "-- assignments::lock
        SELECT pg_advisory_xact_lock($1)",
        &params,
    );
    // Sent together: one round trip.
    futures_util::future::try_join(bound, lock).await?;
    Ok(())
}

/// Cells that were never given to this volunteer: highest weight, then fewest looks.
pub async fn deal_new(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign: &Running,
    count: i64,
) -> Result<Vec<Assignment>, DbError> {
    let sql = [
        "-- assignments::deal_new
        WITH chosen AS (
            SELECT cell, weight, row_number() OVER () AS place
            FROM (
                SELECT c.cell, c.weight
                FROM cells AS c
                WHERE c.campaign_id = $1 AND ",
        NEEDS_LOOKS,
        NEVER_GIVEN,
        " ORDER BY c.weight DESC, c.looks, c.shuffle LIMIT $6) AS first)",
        STORE,
    ]
    .concat();
    run(
        db,
        &sql,
        volunteer_id,
        campaign,
        &[(&count, Type::INT8)],
        |weight| {
            if weight > 1.0 {
                Reason::Priority
            } else {
                Reason::New
            }
        },
    )
    .await
}

/// The same among given cells, in their order.
pub async fn deal_among(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign: &Running,
    count: i64,
    cells: &[i64],
) -> Result<Vec<Assignment>, DbError> {
    let sql = [
        "-- assignments::deal_among
        WITH chosen AS (
            SELECT c.cell, c.weight, near.place
            FROM unnest($6::int8[]) WITH ORDINALITY AS near (cell, place)
            JOIN cells AS c ON c.campaign_id = $1 AND c.cell = near.cell
            WHERE ",
        NEEDS_LOOKS,
        NEVER_GIVEN,
        " ORDER BY near.place LIMIT $7)",
        STORE,
    ]
    .concat();
    let last: [Param<'_>; 2] = [(&cells, Type::INT8_ARRAY), (&count, Type::INT8)];
    run(db, &sql, volunteer_id, campaign, &last, |_| Reason::Near).await
}

/// Cells that this volunteer was given and did not answer, longest ago first.
pub async fn deal_again(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign: &Running,
    count: i64,
) -> Result<Vec<Assignment>, DbError> {
    let sql = [
        "-- assignments::deal_again
        WITH chosen AS (
            SELECT cell, weight, row_number() OVER () AS place
            FROM (
                SELECT c.cell, c.weight
                FROM assignments AS own
                JOIN cells AS c ON c.campaign_id = $1 AND c.cell = own.cell
                WHERE own.campaign_id = $1 AND own.volunteer_id = $2 AND ",
        NEEDS_LOOKS,
        " ORDER BY own.dealt_at, c.cell LIMIT $6) AS first)",
        STORE,
    ]
    .concat();
    run(
        db,
        &sql,
        volunteer_id,
        campaign,
        &[(&count, Type::INT8)],
        |_| Reason::Again,
    )
    .await
}

/// Cells of the tail, idle for longest first.
pub async fn deal_tail(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign: &Running,
    count: i64,
) -> Result<Vec<Assignment>, DbError> {
    let sql = [
        "-- assignments::deal_tail
        WITH chosen AS (
            SELECT cell, weight, row_number() OVER () AS place
            FROM (
                SELECT c.cell, max(c.weight) AS weight
                FROM assignments AS held
                JOIN cells AS c ON c.campaign_id = $1 AND c.cell = held.cell
                WHERE held.campaign_id = $1 AND held.lease_expires_at > now() AND ",
        IDLE_TAIL,
        " GROUP BY c.cell ORDER BY max(held.dealt_at), c.cell LIMIT $6) AS first)",
        STORE,
    ]
    .concat();
    let patience = f64::from(TAIL_PATIENCE_SECS);
    let extra = i64::from(TAIL_EXTRA);
    let last: [Param<'_>; 3] = [
        (&count, Type::INT8),
        (&extra, Type::INT8),
        (&patience, Type::FLOAT8),
    ];
    run(db, &sql, volunteer_id, campaign, &last, |_| Reason::Tail).await
}

/// Seconds until a cell that others hold can be given to this volunteer: its lease ends, or it
/// has been idle for long enough.
pub async fn next_chance(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign: &Running,
) -> Result<Option<i64>, DbError> {
    let sql = "-- assignments::next_chance
        SELECT ceil(extract(epoch FROM least(a.lease_expires_at,
                    greatest(a.dealt_at + make_interval(secs => $5), now())) - now()))::int8 AS seconds
        FROM assignments AS a
        JOIN cells AS c ON c.campaign_id = a.campaign_id AND c.cell = a.cell
        WHERE a.campaign_id = $1 AND a.volunteer_id <> $2 AND a.lease_expires_at > now()
          AND c.looks < $3 AND c.bad_imagery < $4
          AND NOT EXISTS (SELECT FROM looks AS l
                          WHERE l.campaign_id = $1 AND l.cell = a.cell
                            AND l.volunteer_id IN (a.volunteer_id, $2))
        ORDER BY seconds
        LIMIT 1";
    let patience = f64::from(TAIL_PATIENCE_SECS);
    let row = db
        .query_typed_opt(
            sql,
            &[
                (&campaign.id, Type::UUID),
                (&volunteer_id, Type::UUID),
                (&wanted(campaign), Type::INT2),
                (&BAD_IMAGERY_REPORTS, Type::INT2),
                (&patience, Type::FLOAT8),
            ],
        )
        .await?;
    Ok(row.map(|row| row.get::<_, i64>("seconds").max(1)))
}

pub async fn were_given(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    cells: &[i64],
) -> Result<Vec<i64>, DbError> {
    let sql = "-- assignments::were_given
        SELECT cell FROM assignments
        WHERE campaign_id = $1 AND volunteer_id = $2 AND cell = ANY ($3)";
    let rows = db
        .query_typed(
            sql,
            &[
                (&campaign_id, Type::UUID),
                (&volunteer_id, Type::UUID),
                (&cells, Type::INT8_ARRAY),
            ],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get("cell")).collect())
}

async fn run(
    db: &impl GenericClient,
    sql: &str,
    volunteer_id: Uuid,
    campaign: &Running,
    last: &[Param<'_>],
    reason: impl Fn(f32) -> Reason,
) -> Result<Vec<Assignment>, DbError> {
    let lease_secs = f64::from(campaign.lease_seconds);
    let wanted = wanted(campaign);
    let mut params: Vec<Param<'_>> = vec![
        (&campaign.id, Type::UUID),
        (&volunteer_id, Type::UUID),
        (&wanted, Type::INT2),
        (&BAD_IMAGERY_REPORTS, Type::INT2),
        (&lease_secs, Type::FLOAT8),
    ];
    params.extend_from_slice(last);
    let rows = db.query_typed(sql, &params).await?;
    rows.iter().map(|row| from_row(row, &reason)).collect()
}

fn wanted(campaign: &Running) -> i16 {
    i16::try_from(campaign.looks_wanted).unwrap_or(i16::MAX)
}

fn from_row(row: &Row, reason: impl Fn(f32) -> Reason) -> Result<Assignment, DbError> {
    let cell = CellId::try_from(row.get::<_, i64>("cell"))
        .map_err(|e| DbError::Damaged(format!("cells.cell: {e}")))?;
    Ok(Assignment {
        cell: cell.tile(),
        lease_expires_at: row.get("lease_expires_at"),
        reason: reason(row.get("weight")),
    })
}
