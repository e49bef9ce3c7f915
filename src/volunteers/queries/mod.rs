//! Statements of volunteers: departures here, link codes beside.

pub mod codes;

use jiff::Timestamp;
use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::{
    accounts::{Volunteer, departure_hash},
    db::DbError,
};

/// Key of the lock under which volunteers depart, one after the other; "vol" as a number.
const TURN: i64 = 0x0076_6f6c;

/// Waits until nobody else departs; the turn ends with the transaction.
pub async fn take_turn(db: &impl GenericClient) -> Result<(), DbError> {
    let sql = "-- volunteers::take_turn
        SELECT pg_advisory_xact_lock($1)";
    db.execute_typed(sql, &[(&TURN, Type::INT8)]).await?;
    Ok(())
}

/// Whether a volunteer departed, and as whom they go on.
pub async fn departed(
    db: &impl GenericClient,
    volunteer_id: Uuid,
) -> Result<Option<Option<Volunteer>>, DbError> {
    let sql = "-- volunteers::departed
        SELECT continues_as, mark FROM departures WHERE volunteer_hash = $1";
    let hash = departure_hash(volunteer_id).to_vec();
    let row = db.query_typed_opt(sql, &[(&hash, Type::BYTEA)]).await?;
    Ok(row.map(|row| {
        Some(Volunteer {
            id: row.get::<_, Option<Uuid>>("continues_as")?,
            mark: row.get::<_, i16>("mark").unsigned_abs(),
        })
    }))
}

/// Notes that a volunteer is to be forgotten.
pub async fn forget(db: &impl GenericClient, volunteer_id: Uuid) -> Result<(), DbError> {
    let sql = "-- volunteers::forget
        INSERT INTO departures (volunteer_hash, volunteer_id) VALUES ($1, $2)
        ON CONFLICT ON CONSTRAINT departures_pkey DO NOTHING";
    let hash = departure_hash(volunteer_id).to_vec();
    db.execute_typed(sql, &[(&hash, Type::BYTEA), (&volunteer_id, Type::UUID)])
        .await?;
    Ok(())
}

/// The same for all who were joined to them.
pub async fn forget_joined(db: &impl GenericClient, volunteer_id: Uuid) -> Result<(), DbError> {
    let sql = "-- volunteers::forget_joined
        UPDATE departures
        SET continues_as = NULL, mark = 0, departed_at = now(), settled_at = NULL, due_at = now(),
            xid = pg_current_xact_id()
        WHERE continues_as = $1";
    db.execute_typed(sql, &[(&volunteer_id, Type::UUID)])
        .await?;
    Ok(())
}

/// Notes that a volunteer goes on as another one.
pub async fn join(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    to: Uuid,
    mark: u16,
) -> Result<(), DbError> {
    let sql = "-- volunteers::join
        INSERT INTO departures (volunteer_hash, volunteer_id, continues_as, mark) VALUES ($1, $2, $3, $4)";
    let hash = departure_hash(volunteer_id).to_vec();
    db.execute_typed(
        sql,
        &[
            (&hash, Type::BYTEA),
            (&volunteer_id, Type::UUID),
            (&to, Type::UUID),
            (&mark.cast_signed(), Type::INT2),
        ],
    )
    .await?;
    Ok(())
}

/// Marks of those who were joined to a volunteer.
pub async fn joined(db: &impl GenericClient, volunteer_id: Uuid) -> Result<Vec<u16>, DbError> {
    let sql = "-- volunteers::joined
        SELECT mark FROM departures WHERE continues_as = $1";
    let rows = db.query_typed(sql, &[(&volunteer_id, Type::UUID)]).await?;
    let marks = rows.iter().map(|row| row.get::<_, i16>("mark"));
    Ok(marks.map(i16::unsigned_abs).collect())
}

/// Lets those who were joined to a volunteer go on as another one.
pub async fn move_joined(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    to: Uuid,
    mark: u16,
) -> Result<(), DbError> {
    let sql = "-- volunteers::move_joined
        UPDATE departures SET continues_as = $2, mark = $3, xid = pg_current_xact_id()
        WHERE continues_as = $1";
    db.execute_typed(
        sql,
        &[
            (&volunteer_id, Type::UUID),
            (&to, Type::UUID),
            (&mark.cast_signed(), Type::INT2),
        ],
    )
    .await?;
    Ok(())
}

/// A departure that somebody has to look at.
pub struct Due {
    pub hash: Vec<u8>,
    pub volunteer_id: Uuid,
    pub continues_as: Option<Uuid>,
    /// How long ago they departed.
    pub seconds: f64,
    pub is_settled: bool,
}

/// Takes a departure that is due for this transaction.
pub async fn take_due(db: &impl GenericClient) -> Result<Option<Due>, DbError> {
    let sql = "-- volunteers::take_due
        SELECT volunteer_hash, volunteer_id, continues_as, settled_at IS NOT NULL AS is_settled,
               extract(epoch FROM now() - departed_at)::float8 AS seconds
        FROM departures
        WHERE due_at <= now() AND volunteer_id IS NOT NULL
        ORDER BY due_at
        LIMIT 1
        FOR UPDATE SKIP LOCKED";
    let row = db.query_typed_opt(sql, &[]).await?;
    Ok(row.map(|row| Due {
        hash: row.get("volunteer_hash"),
        volunteer_id: row.get("volunteer_id"),
        continues_as: row.get("continues_as"),
        seconds: row.get("seconds"),
        is_settled: row.get("is_settled"),
    }))
}

/// Notes that nothing is stored under the id of a departed volunteer, and when to look again; when
/// never, the id of who was forgotten goes too.
pub async fn settle(
    db: &impl GenericClient,
    hash: &[u8],
    again_secs: Option<f64>,
) -> Result<(), DbError> {
    let sql = "-- volunteers::settle
        UPDATE departures
        SET settled_at = coalesce(settled_at, now()), due_at = now() + make_interval(secs => $2),
            volunteer_id = CASE WHEN $2 IS NULL AND continues_as IS NULL THEN NULL ELSE volunteer_id END
        WHERE volunteer_hash = $1";
    db.execute_typed(sql, &[(&hash, Type::BYTEA), (&again_secs, Type::FLOAT8)])
        .await?;
    Ok(())
}

/// Whether what somebody else had is still on its way to a volunteer.
pub async fn is_joining(db: &impl GenericClient, volunteer_id: Uuid) -> Result<bool, DbError> {
    let sql = "-- volunteers::is_joining
        SELECT EXISTS (SELECT FROM departures WHERE continues_as = $1 AND settled_at IS NULL) AS is_joining";
    let row = db
        .query_typed_one(sql, &[(&volunteer_id, Type::UUID)])
        .await?;
    Ok(row.get("is_joining"))
}

/// Who was joined to a volunteer, and when.
pub async fn joined_since(
    db: &impl GenericClient,
    volunteer_id: Uuid,
) -> Result<Vec<(Uuid, Timestamp)>, DbError> {
    let sql = "-- volunteers::joined_since
        SELECT volunteer_id, departed_at FROM departures
        WHERE continues_as = $1 ORDER BY departed_at, volunteer_id";
    let rows = db.query_typed(sql, &[(&volunteer_id, Type::UUID)]).await?;
    Ok(rows
        .iter()
        .map(|row| (row.get("volunteer_id"), row.get("departed_at")))
        .collect())
}
