//! Who departs: told at once, carried out by the job.

use std::collections::BTreeSet;

use rand::Rng;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::{JOINED_MAX, queries};
use crate::{
    accounts::{Volunteer, departure_hash},
    db::{Db, DbError},
    http::Problem,
};

/// Marks that there are, but for 0: as many as a cursor of `WatermelonDB` has room for.
const MARKS: std::ops::Range<u16> = 1..4096;

/// Has a volunteer forgotten: from now on their tokens are refused, and all that they sent will be
/// deleted, also what was joined to them. May be repeated.
pub async fn forget(db: &Db, volunteer_id: Uuid) -> Result<(), DbError> {
    let mut conn = db.get().await?;
    let tx = conn.begin().await?;
    queries::take_turn(&tx).await?;
    if let Some(volunteer) = present(&tx, volunteer_id).await? {
        queries::forget(&tx, volunteer.id).await?;
        queries::forget_joined(&tx, volunteer.id).await?;
        queries::codes::delete_of(&tx, volunteer.id).await?;
    }
    tx.commit().await?;
    metrics::counter!("volunteers_departed_total", "kind" => "forgotten").increment(1);
    // By it they are found again when an old back-up is restored.
    let hash = format!("{:032x}", u128::from_be_bytes(departure_hash(volunteer_id)));
    tracing::info!(volunteer.hash = hash, "a volunteer is forgotten");
    Ok(())
}

/// As whom a volunteer goes on, as the database knows it; nobody when they were forgotten.
pub async fn present(
    db: &impl GenericClient,
    volunteer_id: Uuid,
) -> Result<Option<Volunteer>, DbError> {
    let itself = Volunteer {
        id: volunteer_id,
        mark: 0,
    };
    Ok(match queries::departed(db, volunteer_id).await? {
        None => Some(itself),
        Some(continues) => continues,
    })
}

/// The volunteer whom an id stands for; an id that was forgotten stands for itself.
pub async fn of_any(db: &Db, volunteer_id: Uuid) -> Result<Uuid, DbError> {
    let present = present(&*db.get().await?, volunteer_id).await?;
    Ok(present.map_or(volunteer_id, |volunteer| volunteer.id))
}

/// Joins a volunteer, and all who were joined to them, to another. Gives the mark of their devices
/// from now on. Call it in one's turn.
pub async fn join(db: &impl GenericClient, volunteer: Volunteer, to: Uuid) -> Result<u16, Problem> {
    let joined = queries::joined(db, volunteer.id).await?;
    let others = queries::joined(db, to).await?;
    let count = i64::try_from(joined.len() + others.len() + 1).unwrap_or(i64::MAX);
    if count > JOINED_MAX {
        return Err(Problem::conflict(
            "too_many_joined",
            format!(
                "A volunteer can take in {JOINED_MAX} others at most. Link this device before it has a volunteer of its own: without its token."
            ),
        ));
    }
    let marks: BTreeSet<u16> = joined.into_iter().chain([volunteer.mark]).collect();
    let mark = new_mark(&marks);
    queries::join(db, volunteer.id, to, mark).await?;
    queries::move_joined(db, volunteer.id, to, mark).await?;
    metrics::counter!("volunteers_departed_total", "kind" => "joined").increment(1);
    Ok(mark)
}

/// A mark that is none of these.
pub fn new_mark(but: &BTreeSet<u16>) -> u16 {
    let mut rng = rand::rng();
    loop {
        let mark = rng.random_range(MARKS);
        if !but.contains(&mark) {
            return mark;
        }
    }
}
