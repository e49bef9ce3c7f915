//! Tags that a phone made, edited, withdrew or restored.

use std::collections::{HashMap, HashSet};

use actix_web::http::StatusCode;
use tokio_postgres::Transaction;
use uuid::Uuid;

use super::{
    Kept, Pushed,
    campaigns::Campaigns,
    decide::{Decision, decide},
    fit::{Looks, fits, has_room, look_refused, too_many},
    queries, waiting,
};
use crate::{
    http::Problem,
    looks::{self, PutTag},
    state::App,
    sync::{
        Position, WAITING_TAGS_MAX,
        document::Members,
        push::{Base, Change, Objection, is_deleted, remember, unreadable},
    },
};

/// `Retry-After` of whoever has too many tags without looks, in seconds.
const WAITING_RETRY_SECS: u32 = 30;

/// One tag of a push.
struct Row {
    id: Uuid,
    /// None when it is deleted; why it cannot be read otherwise.
    pushed: Result<Option<Pushed>, Problem>,
    members: Members,
    base: Base,
}

/// Tags of a push, as far as it is known before its transaction what becomes of them.
#[derive(Default)]
pub struct Examined {
    objections: Vec<Objection>,
    rows: Vec<Row>,
    campaigns: Campaigns,
}

/// Reads tags that were pushed, and their campaigns. Holds no connection afterwards.
pub async fn examine(app: &App, changes: Vec<Change>) -> Result<Examined, Problem> {
    let mut examined = Examined::default();
    for Change { members, base } in changes {
        let id = members.get("id").and_then(|id| id.as_str()?.parse().ok());
        let Some(id) = id else {
            // Nothing here can have that id.
            if !is_deleted(&members) {
                let refused = Objection::Refused(members, unreadable("its id is no UUID"));
                examined.objections.push(refused);
            }
            continue;
        };
        let pushed = (!is_deleted(&members)).then(|| Pushed::of(&members));
        let pushed = pushed.transpose().map_err(|cause| unreadable(&cause));
        if let Ok(Some(pushed)) = &pushed {
            examined.campaigns.learn(app, pushed).await?;
        }
        examined.rows.push(Row {
            id,
            pushed,
            members,
            base,
        });
    }
    Ok(examined)
}

impl Examined {
    /// Stores what may be stored. What was objected to is given back.
    pub async fn write(
        self,
        tx: &Transaction<'_>,
        volunteer_id: Uuid,
    ) -> Result<Vec<Objection>, Problem> {
        let Self {
            objections,
            rows,
            campaigns,
        } = self;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let look_ids: Vec<Uuid> = rows
            .iter()
            .filter_map(|row| Some(row.pushed.as_ref().ok()?.as_ref()?.look_id))
            .collect();
        // First those that wait: whoever makes tags of them meanwhile is seen by the next statement.
        let waiting = queries::lock_waiting(tx, volunteer_id, &ids, &look_ids).await?;
        let mut looks = queries::looks(tx, volunteer_id, &look_ids).await?;
        let waiting = waiting::settle_these(tx, volunteer_id, waiting, &mut looks).await?;
        let missing = look_ids.into_iter().filter(|id| !looks.contains_key(id));
        let missing: Vec<Uuid> = missing.collect();
        let refused_looks = if missing.is_empty() {
            HashSet::new()
        } else {
            queries::refused_looks(tx, volunteer_id, &missing).await?
        };
        let tags = queries::lock(tx, volunteer_id, &ids).await?;
        let kept = waiting.into_iter().chain(tags);
        let kept: HashMap<Uuid, Kept> = kept.map(|tag| (tag.at.id, tag)).collect();
        let unknown = ids.into_iter().filter(|id| !kept.contains_key(id));
        let unknown: Vec<Uuid> = unknown.collect();
        let forgotten = if unknown.is_empty() {
            HashSet::new()
        } else {
            queries::forgotten(tx, volunteer_id, &unknown).await?
        };
        let mut state = State {
            objections,
            campaigns,
            looks,
            refused_looks,
            forgotten,
            restored: Vec::new(),
            kept,
            changed: HashSet::new(),
            no_longer_waiting: Vec::new(),
        };
        for row in rows {
            state.take(row)?;
        }
        state.store(tx, volunteer_id).await
    }
}

/// What is kept, as it is after the rows that were taken.
struct State {
    objections: Vec<Objection>,
    campaigns: Campaigns,
    looks: Looks,
    refused_looks: HashSet<Uuid>,
    /// Tags that were withdrawn, and are no longer kept.
    forgotten: HashSet<Uuid>,
    /// Those of them that are kept again.
    restored: Vec<Uuid>,
    kept: HashMap<Uuid, Kept>,
    changed: HashSet<Uuid>,
    no_longer_waiting: Vec<Uuid>,
}

impl State {
    fn take(&mut self, row: Row) -> Result<(), Problem> {
        let pushed = match row.pushed {
            Ok(pushed) => pushed,
            Err(problem) => return self.refuse(row.id, row.members, &row.base, problem),
        };
        let kept = self.kept.get(&row.id);
        let ids = |name: &str| self.campaigns.id(name);
        match decide(pushed.as_ref(), &row.base, kept, &ids) {
            Decision::Same => Ok(()),
            Decision::Conflict => self.object(row.id, &row.base),
            Decision::Write => {
                let Some(pushed) = pushed else {
                    self.withdraw(row.id);
                    return Ok(());
                };
                let put = if self.forgotten.contains(&row.id) && !knows_of_withdrawal(&row.base) {
                    Err(withdrawn_long_ago())
                } else {
                    self.put(&pushed)
                };
                match put {
                    Ok(()) => Ok(()),
                    Err(problem) => self.refuse(row.id, row.members, &row.base, problem),
                }
            }
        }
    }

    /// It cannot be stored; what is kept stays, if anything is.
    fn refuse(
        &mut self,
        id: Uuid,
        members: Members,
        base: &Base,
        problem: Problem,
    ) -> Result<(), Problem> {
        if self.kept.contains_key(&id) {
            return self.object(id, base);
        }
        self.objections.push(Objection::Refused(members, problem));
        Ok(())
    }

    /// What is kept stays. A client that has seen it and wants what cannot be is not stopped: it is
    /// given what is kept once more, as if that had changed.
    fn object(&mut self, id: Uuid, base: &Base) -> Result<(), Problem> {
        if let Some(kept) = self.kept.get(&id) {
            if matches!(base, Base::Seen(below) if kept.at.xid < *below) {
                self.changed.insert(id);
            } else {
                self.objections.push(Objection::Kept(kept.document()?));
            }
        }
        Ok(())
    }

    fn withdraw(&mut self, id: Uuid) {
        if let Some(kept) = self.kept.get_mut(&id) {
            kept.is_withdrawn = true;
            if let Some(look) = self.looks.get_mut(&kept.look_id) {
                look.tags = look.tags.saturating_sub(1);
            }
            self.changed.insert(id);
        }
    }

    fn put(&mut self, pushed: &Pushed) -> Result<(), Problem> {
        let campaign = self.campaigns.find(&pushed.campaign)?;
        let look = self.looks.get_mut(&pushed.look_id);
        if look.is_none() && self.refused_looks.contains(&pushed.look_id) {
            return Err(look_refused());
        }
        let place = fits(pushed, campaign, look.as_deref())?;
        let kept = self.kept.get(&pushed.id);
        let is_one_more = kept.is_none_or(|kept| kept.is_withdrawn || kept.is_waiting);
        let is_waiting = look.is_none();
        if let Some(look) = look
            && is_one_more
        {
            if !has_room(look) {
                return Err(too_many());
            }
            look.tags += 1;
        }
        if kept.is_some_and(|kept| kept.is_waiting) && !is_waiting {
            self.no_longer_waiting.push(pushed.id);
        }
        // One that was forgotten had a state before, which somebody else may hold.
        let was_forgotten = self.forgotten.remove(&pushed.id);
        if was_forgotten {
            self.restored.push(pushed.id);
        }
        let tag = Kept {
            at: kept.map_or(
                Position {
                    xid: 0,
                    id: pushed.id,
                },
                |kept| kept.at,
            ),
            look_id: pushed.look_id,
            campaign_id: campaign.id,
            tag_type: pushed.tag_type.clone(),
            place,
            note: pushed.note.clone(),
            revision: kept.map_or(i32::from(was_forgotten), |kept| kept.revision) + 1,
            is_withdrawn: false,
            is_waiting,
        };
        self.kept.insert(pushed.id, tag);
        self.changed.insert(pushed.id);
        Ok(())
    }

    async fn store(
        self,
        tx: &Transaction<'_>,
        volunteer_id: Uuid,
    ) -> Result<Vec<Objection>, Problem> {
        let changed: Vec<&Kept> = self
            .changed
            .iter()
            .filter_map(|id| self.kept.get(id))
            .collect();
        let (waiting, tags): (Vec<&Kept>, Vec<&Kept>) =
            changed.iter().partition(|tag| tag.is_waiting);
        if !waiting.is_empty() {
            let before = queries::count_waiting(tx, volunteer_id).await?;
            if before + i64::try_from(waiting.len()).unwrap_or(i64::MAX) > WAITING_TAGS_MAX {
                return Err(too_many_waiting());
            }
            queries::put_waiting(tx, volunteer_id, &waiting).await?;
        }
        let put: Vec<PutTag> = tags.iter().map(|tag| self.as_put(tag)).collect();
        looks::put_tags(tx, volunteer_id, &put.iter().collect::<Vec<_>>()).await?;
        if !self.no_longer_waiting.is_empty() {
            queries::end_waiting(tx, volunteer_id, &self.no_longer_waiting).await?;
        }
        if !self.restored.is_empty() {
            queries::remember_again(tx, volunteer_id, &self.restored).await?;
        }
        let is_new = |tag: &&PutTag| tag.revision == 1 && !tag.is_withdrawn;
        count_created(put.iter().filter(is_new).count());
        let taken: Vec<Uuid> = self.changed.iter().copied().collect();
        remember(tx, volunteer_id, "tags", &self.objections, &taken).await?;
        Ok(self.objections)
    }

    fn as_put(&self, tag: &Kept) -> PutTag {
        let look = self.looks.get(&tag.look_id);
        PutTag {
            id: tag.at.id,
            look_id: tag.look_id,
            campaign_id: tag.campaign_id,
            cell: look.map_or(0, |look| look.cell),
            tag_type: tag.tag_type.clone(),
            place: tag.place.clone(),
            note: tag.note.clone(),
            campaign_version: look.map_or(0, |look| look.campaign_version),
            revision: tag.revision,
            is_withdrawn: tag.is_withdrawn,
        }
    }
}

/// For whoever watches.
pub fn count_created(tags: usize) {
    metrics::counter!("tags_created_total").increment(u64::try_from(tags).unwrap_or_default());
}

/// Whether the client saw that the tag was withdrawn, and restores it.
fn knows_of_withdrawal(base: &Base) -> bool {
    matches!(base, Base::Assumed(Some(assumed)) if is_deleted(assumed))
}

fn withdrawn_long_ago() -> Problem {
    Problem::new(
        StatusCode::GONE,
        "tag_withdrawn",
        "This tag was withdrawn, longer ago than tombstones are kept. Make another one if it is there after all.",
    )
}

fn too_many_waiting() -> Problem {
    Problem::unavailable(
        "looks_missing",
        format!(
            "More than {WAITING_TAGS_MAX} of your tags wait for their looks. Push the looks, then send the same again after the time in Retry-After; nothing of it was stored."
        ),
        WAITING_RETRY_SECS,
    )
}
