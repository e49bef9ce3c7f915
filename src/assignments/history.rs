//! Who was given which cell, as the ledgers of the piles have it; and leases that are renewed.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::{
    lay::nudge,
    ledger::{self, Given, Ledger, VolunteerKey},
    order::pile_of,
    queries,
};
use crate::{
    accounts,
    db::{Db, DbError},
    geo::CellId,
};

/// How long to wait for a server that holds a pile to store what it dealt.
const HELD_WAIT: Duration = Duration::from_secs(5);
const HELD_STEP: Duration = Duration::from_millis(100);

/// What became of a lease that was to be renewed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Renewal {
    Renewed(Timestamp),
    /// The volunteer has looked at the cell already.
    Answered,
    /// It was not given to this volunteer.
    NotGiven,
}

/// Which of these cells were given to the volunteer, or looked at by them.
pub async fn were_given(
    db: &Db,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    cells: &[CellId],
) -> Result<Vec<CellId>, DbError> {
    let conn = db.get().await?;
    let mut known = queries::looked_at(&*conn, volunteer_id, campaign_id, cells).await?;
    let rest = without(cells, &known);
    known.extend(queries::taken_along(&*conn, volunteer_id, campaign_id, &rest).await?);
    drop(conn);
    let rest: Vec<CellId> = without(cells, &known);
    // Also to whoever the volunteer was before devices were linked.
    let mut names = accounts::formerly(&*db.get().await?, volunteer_id).await?;
    names.push(volunteer_id);
    let given = given_to(db, &names, campaign_id, &rest).await?;
    known.extend(given.into_keys());
    Ok(known)
}

/// Renews leases of cells that were given to the volunteer and not answered.
pub async fn renew(
    db: &Db,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    cells: &[CellId],
    until: Timestamp,
) -> Result<BTreeMap<CellId, Renewal>, DbError> {
    let conn = db.get().await?;
    let answered = queries::looked_at(&*conn, volunteer_id, campaign_id, cells).await?;
    drop(conn);
    let given = given_to(db, &[volunteer_id], campaign_id, &without(cells, &answered)).await?;
    let ends: Vec<(CellId, Timestamp)> = given
        .iter()
        .map(|(cell, given)| (*cell, until.max(given.lease_ends.timestamp())))
        .collect();
    queries::renew(&*db.get().await?, volunteer_id, campaign_id, &ends).await?;
    let renewed = ends
        .into_iter()
        .map(|(cell, end)| (cell, Renewal::Renewed(end)));
    let answered = answered.into_iter().map(|cell| (cell, Renewal::Answered));
    let unknown = cells.iter().map(|cell| (*cell, Renewal::NotGiven));
    Ok(unknown.chain(answered).chain(renewed).collect())
}

/// Keeps cells until a time that were dealt for a moment, in the transaction that notes whose they are.
/// `dealt` has the ends of the leases with which they were dealt.
pub async fn keep(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    dealt: &[(CellId, Timestamp)],
    until: Timestamp,
) -> Result<(), DbError> {
    queries::keep(db, volunteer_id, campaign_id, dealt, until).await
}

/// Gives cells back that were kept: others may be given them, and the volunteer only when nothing else
/// is left for them.
pub async fn give_back(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    cells: &[CellId],
) -> Result<(), DbError> {
    queries::give_back(db, volunteer_id, campaign_id, cells).await?;
    let cells: Vec<(Uuid, CellId)> = cells.iter().map(|cell| (campaign_id, *cell)).collect();
    nudge(db, &cells).await
}

/// How long a renewal that ended is kept, and how many are forgotten in one statement.
const RENEWAL_KEPT: Duration = Duration::from_hours(30 * 24);
const FORGET_MAX: i64 = 10_000;

/// Forgets renewals that ended long ago; says whether there may be more of them.
pub async fn forget_ended(db: &Db) -> Result<bool, DbError> {
    let kept_secs = RENEWAL_KEPT.as_secs_f64();
    let forgotten = queries::forget_ended(&*db.get().await?, kept_secs, FORGET_MAX).await?;
    Ok(i64::try_from(forgotten).unwrap_or(i64::MAX) >= FORGET_MAX)
}

/// How many volunteers hold a cell now and have not answered.
pub async fn leases(db: &Db, campaign_id: Uuid, cell: CellId) -> Result<usize, DbError> {
    let conn = db.get().await?;
    let (ledgers, _) = read(&conn, campaign_id, &[cell]).await?;
    let answered: Vec<VolunteerKey> = queries::who_looked(&*conn, campaign_id, cell)
        .await?
        .into_iter()
        .map(VolunteerKey::from)
        .collect();
    let now = queries::now(&*conn).await?.into();
    let given = ledgers.get(&cell).map(Vec::as_slice).unwrap_or_default();
    let is_live = |given: &&Given| given.lease_ends > now && !answered.contains(&given.to);
    Ok(given.iter().filter(is_live).count())
}

/// What the ledgers have of a volunteer, under any of these names. Waits for servers that may not have stored it.
async fn given_to(
    db: &Db,
    names: &[Uuid],
    campaign_id: Uuid,
    cells: &[CellId],
) -> Result<BTreeMap<CellId, Given>, DbError> {
    let keys: Vec<VolunteerKey> = names.iter().map(|name| (*name).into()).collect();
    let began = Instant::now();
    loop {
        let (ledgers, is_held) = read(&*db.get().await?, campaign_id, cells).await?;
        let found: BTreeMap<CellId, Given> = cells
            .iter()
            .filter_map(|cell| {
                let entries = ledgers.get(cell)?;
                let given = entries.iter().find(|given| keys.contains(&given.to))?;
                Some((*cell, *given))
            })
            .collect();
        if found.len() == cells.len() || !is_held || began.elapsed() > HELD_WAIT {
            return Ok(found);
        }
        tokio::time::sleep(HELD_STEP).await;
    }
}

/// The ledgers of cells, renewals included, and whether a server may not have stored all of them.
async fn read(
    db: &tokio_postgres::Client,
    campaign_id: Uuid,
    cells: &[CellId],
) -> Result<(Ledger, bool), DbError> {
    let piles: Vec<i64> = cells
        .iter()
        .map(|cell| pile_of(cell.tile()).get())
        .collect();
    let (mut all, mut is_held) = (Ledger::new(), false);
    for stored in queries::read(db, campaign_id, &piles).await? {
        all.extend(queries::ledger_of(stored.pile, &stored.ledger));
        is_held |= stored.is_held;
    }
    for (cell, volunteer, renewal) in queries::renewals(db, campaign_id, cells).await? {
        let entries = all.entry(cell).or_default();
        ledger::apply(entries, volunteer.into(), renewal);
    }
    Ok((all, is_held))
}

fn without(cells: &[CellId], known: &[CellId]) -> Vec<CellId> {
    cells
        .iter()
        .copied()
        .filter(|cell| !known.contains(cell))
        .collect()
}
