//! Looks that are deleted leave the numbers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::{
    READER,
    job::{cell_id, minute, move_by_cells, store_cells},
    queries::{self, TotalsDelta},
    recount,
};
use crate::{
    assignments,
    db::DbError,
    feed::{self, LookChange},
};

/// Takes looks out of all numbers, in the transaction that deleted them and their tags, and has
/// their cells dealt again.
///
/// The reader's cursor is held until the transaction ends. So it is certain which of them were
/// counted: those that the feed has given. The others nobody will see.
pub async fn uncount(db: &impl GenericClient, gone: &[LookChange]) -> Result<(), DbError> {
    let cursor = feed::hold(db, READER).await?;
    let touched: BTreeSet<(Uuid, i64)> = gone.iter().map(|g| (g.campaign_id, g.cell)).collect();
    let touched: Vec<(Uuid, i64)> = touched.into_iter().collect();
    // In the order of a step of the derivation.
    let cells = recount::cells(db, &touched).await?;
    let dealt = touched
        .iter()
        .map(|(campaign, cell)| Ok((*campaign, cell_id(*cell)?)))
        .collect::<Result<Vec<_>, DbError>>()?;
    assignments::nudge(db, &dealt).await?;
    store_cells(db, &cells).await?;
    recount::tags(db, &touched).await?;
    let mut volunteers: BTreeMap<(Uuid, Uuid), i32> = BTreeMap::new();
    let mut minutes: BTreeMap<(Uuid, Timestamp), i32> = BTreeMap::new();
    let mut totals: BTreeMap<Uuid, TotalsDelta> = BTreeMap::new();
    move_by_cells(&mut totals, &cells);
    for look in gone.iter().filter(|look| look.at <= cursor.looks) {
        let volunteer = (look.campaign_id, look.at.volunteer_id);
        *volunteers.entry(volunteer).or_default() += 1;
        let minute = (look.campaign_id, minute(look.received_at));
        *minutes.entry(minute).or_default() += 1;
        let total = totals.entry(look.campaign_id).or_default();
        total.count(&look.outcome, -1);
    }
    for campaign_id in queries::less_of_volunteers(db, &volunteers).await? {
        totals.entry(campaign_id).or_default().volunteers -= 1;
    }
    queries::less_of_minutes(db, &minutes).await?;
    queries::add_totals(db, &totals).await
}
