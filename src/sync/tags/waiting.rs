//! Tags that came before their look.

use std::collections::BTreeMap;

use tokio_postgres::{GenericClient, Transaction};
use uuid::Uuid;

use super::{
    Kept,
    fit::{Looks, fits_its_look},
    push::count_created,
    queries,
};
use crate::{
    db::DbError,
    http::Problem,
    looks::{self, PutTag},
    state::App,
};

/// Tags that the worker settles in one transaction.
const SETTLE_MAX: i64 = 2000;

/// Gives these looks the tags that waited for them.
pub async fn settle(
    tx: &Transaction<'_>,
    volunteer_id: Uuid,
    look_ids: &[Uuid],
) -> Result<(), DbError> {
    if look_ids.is_empty() {
        return Ok(());
    }
    let waiting = queries::lock_waiting(tx, volunteer_id, &[], look_ids).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let mut looks = queries::looks(tx, volunteer_id, look_ids).await?;
    settle_these(tx, volunteer_id, waiting, &mut looks).await?;
    Ok(())
}

/// Makes tags of those that wait and whose look is there; those that do not fit it are withdrawn.
/// Gives back what is not among the tags.
pub async fn settle_these(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    waiting: Vec<Kept>,
    looks: &mut Looks,
) -> Result<Vec<Kept>, DbError> {
    let (mut good, mut bad, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    for tag in waiting {
        let look = looks.get_mut(&tag.look_id);
        match look.filter(|_| !tag.is_withdrawn) {
            None => rest.push(tag),
            Some(look) if fits_its_look(&tag, look) => {
                look.tags += 1;
                good.push(PutTag {
                    id: tag.at.id,
                    look_id: tag.look_id,
                    campaign_id: look.campaign_id,
                    cell: look.cell,
                    tag_type: tag.tag_type,
                    place: tag.place,
                    note: tag.note,
                    campaign_version: look.campaign_version,
                    revision: tag.revision,
                    is_withdrawn: false,
                });
            }
            Some(_) => {
                bad.push(tag.at.id);
                rest.push(Kept {
                    is_withdrawn: true,
                    ..tag
                });
            }
        }
    }
    looks::put_tags(db, volunteer_id, &good.iter().collect::<Vec<_>>()).await?;
    count_created(good.len());
    let ids: Vec<Uuid> = good.iter().map(|tag| tag.id).collect();
    if !ids.is_empty() {
        queries::end_waiting(db, volunteer_id, &ids).await?;
    }
    if !bad.is_empty() {
        queries::withdraw_waiting(db, volunteer_id, &bad).await?;
    }
    Ok(rest)
}

/// The worker's step: settles tags whose look came in another way. Says whether there may be more.
pub async fn settle_some(app: &App) -> Result<bool, Problem> {
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    let waiting = queries::lock_settled(&tx, SETTLE_MAX).await?;
    let is_full = i64::try_from(waiting.len()).is_ok_and(|count| count >= SETTLE_MAX);
    let mut by_volunteer: BTreeMap<Uuid, Vec<Kept>> = BTreeMap::new();
    for (volunteer_id, tag) in waiting {
        by_volunteer.entry(volunteer_id).or_default().push(tag);
    }
    for (volunteer_id, tags) in by_volunteer {
        let ids: Vec<Uuid> = tags.iter().map(|tag| tag.look_id).collect();
        let mut looks = queries::looks(&tx, volunteer_id, &ids).await?;
        settle_these(&tx, volunteer_id, tags, &mut looks).await?;
    }
    tx.commit().await?;
    Ok(is_full)
}
