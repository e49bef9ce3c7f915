//! Pushes of one volunteer, from however many devices and servers, one after the other.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::{GenericClient, Transaction, types::Type};
use uuid::Uuid;

use crate::{db::DbError, http::Problem, state::App};

/// Longest wait for one's turn.
const TURN_WITHIN: Duration = Duration::from_secs(8);
/// Between two attempts, in which no connection is held.
const TURN_STEP: Duration = Duration::from_millis(30);
/// `Retry-After` of whoever had no turn, in seconds.
const BUSY_RETRY_SECS: u32 = 2;

/// Does something in one transaction while no other push of the volunteer is in work.
///
/// Errors: 503 `busy` when there was no turn in time.
pub async fn in_turn<T>(
    app: &App,
    volunteer_id: Uuid,
    work: impl AsyncFnOnce(&Transaction<'_>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let until = Instant::now() + TURN_WITHIN;
    loop {
        let mut conn = app.db.get().await?;
        let tx = conn.begin().await?;
        if take_turn(&tx, volunteer_id).await? {
            let made = work(&tx).await?;
            tx.commit().await?;
            return Ok(made);
        }
        drop(tx);
        drop(conn);
        if Instant::now() > until {
            return Err(Problem::unavailable(
                "busy",
                "Another of your devices is syncing. Send the same again after the time in Retry-After; nothing of it was stored.",
                BUSY_RETRY_SECS,
            ));
        }
        sleep(TURN_STEP).await;
    }
}

/// Takes the volunteer's lock until the transaction ends, unless another one has it.
async fn take_turn(db: &impl GenericClient, volunteer_id: Uuid) -> Result<bool, DbError> {
    let sql = "-- sync::take_turn
        SELECT pg_try_advisory_xact_lock($1) AS taken";
    let (high, low) = volunteer_id.as_u64_pair();
    let key = (high ^ low).cast_signed();
    let row = db.query_typed_one(sql, &[(&key, Type::INT8)]).await?;
    Ok(row.get("taken"))
}
