//! Leases of a volunteer who departs.

use std::collections::BTreeMap;

use tokio_postgres::GenericClient;
use uuid::Uuid;

pub use super::queries::{copy_renewals as copy, delete_renewals as delete};
use super::{
    history::give_back,
    queries::{self, LiveRenewal},
};
use crate::{db::DbError, geo::CellId};

/// Gives back all squares that a volunteer keeps, so that others get them before the leases end, and
/// deletes what was given back before, once it is counted. Says whether anything is left: then it is to
/// be called again.
pub async fn give_all_back(db: &impl GenericClient, volunteer_id: Uuid) -> Result<bool, DbError> {
    let live = queries::live_renewals(db, volunteer_id).await?;
    let (returned, kept): (Vec<LiveRenewal>, Vec<_>) =
        live.into_iter().partition(|one| one.is_returned);
    let mut cells: BTreeMap<Uuid, Vec<CellId>> = BTreeMap::new();
    for one in kept {
        cells.entry(one.campaign_id).or_default().push(one.cell);
    }
    for (campaign_id, cells) in cells {
        give_back(db, volunteer_id, campaign_id, &cells).await?;
    }
    queries::delete_counted(db, volunteer_id, &returned).await?;
    queries::has_renewals(db, volunteer_id).await
}
