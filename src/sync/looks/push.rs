//! Looks that a phone made.

use std::collections::{BTreeMap, HashMap};

use tokio_postgres::Transaction;
use uuid::Uuid;

use super::{Kept, Pushed, queries};
use crate::{
    http::Problem,
    looks::{self, Look, Stored},
    state::App,
    sync::{
        document::Members,
        push::{Change, Objection, is_deleted, remember, unreadable},
        tags,
    },
};

/// Looks of a push, as far as it is known before its transaction what becomes of them.
#[derive(Default)]
pub struct Examined {
    objections: Vec<Objection>,
    /// With the documents from which they come.
    good: Vec<(Members, Look)>,
}

/// Checks looks that were pushed. Holds no connection afterwards.
pub async fn examine(
    app: &App,
    volunteer_id: Uuid,
    changes: Vec<Change>,
) -> Result<Examined, Problem> {
    let mut examined = Examined::default();
    let read: Vec<_> = changes
        .into_iter()
        .map(|change| (Pushed::of(&change.members), change.members))
        .collect();
    let ids: Vec<Uuid> = read
        .iter()
        .filter_map(|(pushed, members)| match pushed {
            Ok(pushed) => Some(pushed.id),
            Err(_) => id_of(members),
        })
        .collect();
    let kept = queries::find(&*app.db.get().await?, volunteer_id, &ids).await?;
    let kept: HashMap<Uuid, Kept> = kept.into_iter().map(|look| (look.at.id, look)).collect();
    let mut new: BTreeMap<String, Vec<(Members, Pushed)>> = BTreeMap::new();
    for (pushed, members) in read {
        let known = id_of(&members).and_then(|id| kept.get(&id));
        match (known, pushed) {
            (Some(known), Ok(pushed))
                if !is_deleted(&members) && known.is(&pushed, named(&pushed)) => {}
            (Some(known), _) => examined.objections.push(Objection::Kept(known.document()?)),
            // Made and deleted before it was ever sent.
            (None, _) if is_deleted(&members) => {}
            (None, Ok(pushed)) => {
                let at = new.entry(pushed.campaign.clone()).or_default();
                at.push((members, pushed));
            }
            (None, Err(cause)) => {
                let refused = Objection::Refused(members, unreadable(&cause));
                examined.objections.push(refused);
            }
        }
    }
    for (campaign, looks) in new {
        examined
            .add_new(app, volunteer_id, &campaign, looks)
            .await?;
    }
    Ok(examined)
}

/// The campaign's id, unless it was named by its slug.
fn named(pushed: &Pushed) -> Option<Uuid> {
    Uuid::try_parse(&pushed.campaign).ok()
}

fn id_of(members: &Members) -> Option<Uuid> {
    Uuid::try_parse(members.get("id")?.as_str()?).ok()
}

impl Examined {
    async fn add_new(
        &mut self,
        app: &App,
        volunteer_id: Uuid,
        campaign: &str,
        pushed: Vec<(Members, Pushed)>,
    ) -> Result<(), Problem> {
        let given = pushed.iter().map(|(_, pushed)| pushed.look()).collect();
        let checked = match looks::examine_apart(app, volunteer_id, campaign, given).await {
            Ok(checked) => checked,
            Err(problem) if problem.status().is_client_error() => {
                pushed.iter().map(|_| Err(problem.clone())).collect()
            }
            Err(problem) => return Err(problem),
        };
        for ((members, _), checked) in pushed.into_iter().zip(checked) {
            match checked {
                Ok(look) => self.good.push((members, look)),
                Err(problem) => self.objections.push(Objection::Refused(members, problem)),
            }
        }
        Ok(())
    }

    /// Stores what is good, with the tags that waited for it. What was objected to is given back.
    pub async fn write(
        self,
        tx: &Transaction<'_>,
        volunteer_id: Uuid,
    ) -> Result<Vec<Objection>, Problem> {
        let Self {
            mut objections,
            good,
        } = self;
        let looks: Vec<&Look> = good.iter().map(|(_, look)| look).collect();
        let stored = looks::store_apart(tx, &looks).await?;
        let mut taken = Vec::with_capacity(good.len());
        for ((members, look), stored) in good.into_iter().zip(stored) {
            metrics::counter!("looks_total", "verdict" => word(&stored)).increment(1);
            let refusal = match stored {
                Stored::Created(_) | Stored::Repeated(_) => {
                    taken.push(look.id);
                    continue;
                }
                Stored::NoSuchCell => looks::no_such_cell(),
                Stored::Failed(problem) => problem,
                Stored::Conflict | Stored::TagIdTaken => {
                    let kept = queries::find(tx, volunteer_id, &[look.id]).await?;
                    let Some(kept) = kept.first() else { continue };
                    objections.push(Objection::Kept(kept.document()?));
                    continue;
                }
            };
            objections.push(Objection::Refused(members, refusal));
        }
        tags::settle_waiting(tx, volunteer_id, &taken).await?;
        let refused = objections.iter().filter_map(|objection| match objection {
            Objection::Refused(members, _) => id_of(members),
            Objection::Kept(_) => None,
        });
        let refused: Vec<Uuid> = refused.collect();
        if !refused.is_empty() {
            tags::withdraw_of_looks(tx, volunteer_id, &refused).await?;
        }
        remember(tx, volunteer_id, "looks", &objections, &taken).await?;
        Ok(objections)
    }
}

fn word(stored: &Stored) -> &'static str {
    match stored {
        Stored::Created(_) => "created",
        Stored::Repeated(_) => "repeated",
        Stored::Conflict | Stored::TagIdTaken => "conflict",
        Stored::NoSuchCell | Stored::Failed(_) => "invalid",
    }
}
