//! Carries departures out: what was a volunteer's is deleted, or becomes that of whom they go on as.
//!
//! Each step is one transaction: some looks with their tags leave the tables and all numbers, and,
//! where they have a new owner, come again under that name through the change feed. A worker that
//! dies leaves nothing half done. When all is gone, it is looked again for a while, with growing
//! pauses, for what servers stored that did not know yet.

use std::time::Duration;

use tokio_postgres::Transaction;
use uuid::Uuid;

use super::{
    PIECE_LOOKS, WATCHED_AFTER_MAX, WATCHED_AFTER_MIN, WATCHED_FOR,
    queries::{self, Due},
};
use crate::{assignments, db::DbError, looks::leaving, packs, progress, state::App, sync};

/// How long squares of who was forgotten are being given back, where nobody deals or counts them. What
/// is left then stays reserved until its lease ends, for nobody.
const GIVEN_BACK_FOR: Duration = Duration::from_hours(24);

/// One piece of one departure; says whether there was one that is due.
pub async fn step(app: &App) -> Result<bool, DbError> {
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    let Some(due) = queries::take_due(&tx).await? else {
        return Ok(false);
    };
    if let Some(to) = due.continues_as {
        // First, so that a device that goes on as that one does not bring them back meanwhile.
        sync::leaving::copy_forgotten_tags(&tx, due.volunteer_id, to).await?;
    }
    let left = looks_leave(&tx, &due).await?;
    if left < PIECE_LOOKS {
        let is_left = rest_leaves(&tx, &due).await?;
        let pause = next(&due).or(is_left.then_some(WATCHED_AFTER_MAX.as_secs_f64()));
        queries::settle(&tx, &due.hash, pause).await?;
    }
    tx.commit().await?;
    if left < PIECE_LOOKS && !due.is_settled {
        tracing::info!(
            joined = due.continues_as.is_some(),
            "a departed volunteer has nothing left"
        );
    }
    Ok(true)
}

/// Gives how many looks left.
async fn looks_leave(tx: &Transaction<'_>, due: &Due) -> Result<i64, DbError> {
    let gone = leaving::hold(tx, due.volunteer_id, PIECE_LOOKS).await?;
    if gone.is_empty() {
        return Ok(0);
    }
    let ids: Vec<Uuid> = gone.iter().map(|look| look.at.id).collect();
    if let Some(to) = due.continues_as {
        leaving::copy(tx, due.volunteer_id, to, &ids).await?;
    }
    leaving::delete(tx, due.volunteer_id, &ids).await?;
    progress::uncount(tx, &gone).await?;
    Ok(i64::try_from(gone.len()).unwrap_or(i64::MAX))
}

/// What is stored beside looks and tags. Says whether squares are left that are being given back.
async fn rest_leaves(tx: &Transaction<'_>, due: &Due) -> Result<bool, DbError> {
    if let Some(to) = due.continues_as {
        sync::leaving::copy(tx, due.volunteer_id, to).await?;
        assignments::leaving::copy(tx, due.volunteer_id, to).await?;
        packs::leaving::copy(tx, due.volunteer_id, to).await?;
    }
    packs::leaving::delete(tx, due.volunteer_id).await?;
    sync::leaving::delete(tx, due.volunteer_id).await?;
    if due.continues_as.is_none() {
        queries::codes::delete_of(tx, due.volunteer_id).await?;
        if due.seconds < GIVEN_BACK_FOR.as_secs_f64() {
            return assignments::leaving::give_all_back(tx, due.volunteer_id).await;
        }
    }
    assignments::leaving::delete(tx, due.volunteer_id).await?;
    Ok(false)
}

/// Seconds until it is looked again.
fn next(due: &Due) -> Option<f64> {
    let passed = due.seconds.max(0.0);
    (passed < WATCHED_FOR.as_secs_f64()).then(|| {
        passed.clamp(
            WATCHED_AFTER_MIN.as_secs_f64(),
            WATCHED_AFTER_MAX.as_secs_f64(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_again_until_no_call_can_be_on_its_way() {
        let (mut seconds, mut looks) = (0.0, 0);
        let due = |seconds| Due {
            hash: Vec::new(),
            volunteer_id: Uuid::nil(),
            continues_as: None,
            seconds,
            is_settled: true,
        };
        while let Some(pause) = next(&due(seconds)) {
            seconds += pause;
            looks += 1;
        }
        assert!(seconds >= WATCHED_FOR.as_secs_f64());
        assert!((8..30).contains(&looks), "{looks}");
    }
}
