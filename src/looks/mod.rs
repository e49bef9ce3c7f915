//! Looks: one volunteer has looked at one cell, and what they marked there.
//!
//! **Invariant:** a look or tag is acknowledged after its transaction committed, never before.
//!
//! **Invariant:** `(volunteer, id)` is stored once. The same content again is answered as the
//! first time, other content under the same id is a conflict, also when both come at once.
//!
//! **Invariant:** a bad look never fails its neighbours in a batch.
//!
//! **Invariant:** a client's clock is kept as data and orders nothing.

mod check;
mod export;
mod handlers;
mod model;
mod queries;
mod tags;

use std::{collections::BTreeMap, sync::Arc};

use uuid::Uuid;

pub use export::{ExportedLook, LookPlace, export};
pub use handlers::routes;
pub use tags::{ExportedTag, TagPlace, TagRow, export as export_tags, feature};

use crate::{
    assignments,
    campaigns::{self, Running},
    db::DbError,
    geo::CellId,
    http::Problem,
    state::App,
};
use model::{Look, NewLook, Receipt, Stored, Verdict};

/// How often a write is tried when the database refuses it for a passing reason.
const ATTEMPTS_MAX: u32 = 4;

/// Stores looks of one volunteer and says what became of each, in order.
///
/// An `Err` among `given` is a look that could not even be read; it stays as it is.
pub async fn record(
    app: &App,
    volunteer_id: Uuid,
    reference: &str,
    given: Vec<Result<NewLook, Problem>>,
) -> Result<Vec<Verdict>, Problem> {
    let mut campaign = campaigns::running(app, reference).await?;
    let mut looks = check_all(&given, volunteer_id, &campaign);
    if looks.iter().any(Result::is_err) {
        // What we remember may be older than what the volunteer saw.
        let fresh = campaigns::load_running(app, reference).await?;
        if fresh.version != campaign.version {
            campaign = Arc::new(fresh);
            looks = check_all(&given, volunteer_id, &campaign);
        }
    }
    refuse_after_close(app, volunteer_id, &campaign, &mut looks).await?;
    let good: Vec<&Look> = looks.iter().filter_map(|look| look.as_ref().ok()).collect();
    let stored = store(app, &good).await?;
    Ok(judge_all(looks, &stored))
}

fn check_all(
    given: &[Result<NewLook, Problem>],
    volunteer_id: Uuid,
    campaign: &Running,
) -> Vec<Result<Look, Problem>> {
    given
        .iter()
        .map(|look| match look {
            Ok(look) => check::check(look, volunteer_id, campaign),
            Err(problem) => Err(problem.clone()),
        })
        .collect()
}

/// After the close only looks at cells that were given to the volunteer before are taken: the
/// work was begun in good faith, perhaps without a network.
async fn refuse_after_close(
    app: &App,
    volunteer_id: Uuid,
    campaign: &Running,
    looks: &mut [Result<Look, Problem>],
) -> Result<(), Problem> {
    if !campaign.is_closed(app.clock.now()) {
        return Ok(());
    }
    let cells: Vec<CellId> = looks
        .iter()
        .flatten()
        .filter_map(|look| CellId::try_from(look.cell).ok())
        .collect();
    let given = assignments::were_given(&app.db, volunteer_id, campaign.id, &cells).await?;
    let given: Vec<i64> = given.into_iter().map(CellId::get).collect();
    let conn = app.db.get().await?;
    let late: Vec<&Look> = looks
        .iter()
        .flatten()
        .filter(|look| !given.contains(&look.cell))
        .collect();
    // What was stored before the close is still answered as the first time.
    let kept = queries::find(&*conn, &late).await?;
    for look in looks {
        if matches!(look, Ok(look) if !given.contains(&look.cell) && !kept.contains_key(&look.id)) {
            *look = Err(Problem::conflict(
                "campaign_closed",
                "This search is closed, and this square was not given to you before it was.",
            ));
        }
    }
    Ok(())
}

/// Stores what is new and reads back what is kept under each id.
async fn store(app: &App, looks: &[&Look]) -> Result<BTreeMap<Uuid, Stored>, Problem> {
    let mut all = BTreeMap::new();
    let mut groups: Vec<Vec<&Look>> = vec![distinct(looks)];
    while let Some(group) = groups.pop() {
        if group.is_empty() {
            continue;
        }
        match store_group(app, &group).await {
            Ok(stored) => all.extend(stored),
            // A tag's id is taken: find the look by halving, so that its neighbours are stored.
            Err(e) if e.violates("tags_pkey") => match group.as_slice() {
                [one] => {
                    all.insert(one.id, Stored::TagIdTaken);
                }
                many => {
                    let (first, second) = many.split_at(many.len() / 2);
                    groups.extend([first.to_vec(), second.to_vec()]);
                }
            },
            Err(e) => return Err(e.into()),
        }
    }
    Ok(all)
}

/// One statement stores a group; a second reads what was there before, if anything was.
async fn store_group(app: &App, group: &[&Look]) -> Result<BTreeMap<Uuid, Stored>, DbError> {
    let mut attempt = 1;
    loop {
        match try_group(app, group).await {
            // Whether the commit happened is unknown after a lost connection, and does not
            // matter: the ids make the repetition harmless.
            Err(e) if attempt < ATTEMPTS_MAX && e.is_passing() && !matches!(e, DbError::Busy) => {
                tracing::warn!(cause = %e, attempt, "looks are stored again after a passing failure");
                attempt += 1;
            }
            result => return result,
        }
    }
}

async fn try_group(app: &App, group: &[&Look]) -> Result<BTreeMap<Uuid, Stored>, DbError> {
    let conn = app.db.get().await?;
    let mut all: BTreeMap<Uuid, Stored> = queries::insert(&*conn, group)
        .await?
        .into_iter()
        .map(|(id, receipt)| (id, Stored::Created(receipt)))
        .collect();
    let rest: Vec<&Look> = group
        .iter()
        .copied()
        .filter(|look| !all.contains_key(&look.id))
        .collect();
    if rest.is_empty() {
        return Ok(all);
    }
    let kept = queries::find(&*conn, &rest).await?;
    for look in rest {
        let stored = match kept.get(&look.id) {
            Some(kept) if kept.content_hash == look.content_hash => {
                Stored::Repeated(kept.receipt.clone())
            }
            Some(_) => Stored::Conflict,
            None => Stored::NoSuchCell,
        };
        all.insert(look.id, stored);
    }
    Ok(all)
}

/// The first look of each id: what comes later in a batch is judged against it. Ordered by id,
/// so that two batches with the same looks never wait for each other crosswise.
fn distinct<'a>(looks: &[&'a Look]) -> Vec<&'a Look> {
    let mut first: BTreeMap<Uuid, &Look> = BTreeMap::new();
    for look in looks {
        first.entry(look.id).or_insert(look);
    }
    first.into_values().collect()
}

fn judge_all(looks: Vec<Result<Look, Problem>>, stored: &BTreeMap<Uuid, Stored>) -> Vec<Verdict> {
    let mut seen: BTreeMap<Uuid, Vec<u8>> = BTreeMap::new();
    looks
        .into_iter()
        .map(|look| {
            let verdict = match look {
                Err(problem) => Verdict::Invalid(problem),
                Ok(look) => judge(&look, stored.get(&look.id), seen.get(&look.id)),
            };
            if let Verdict::Created(receipt) = &verdict {
                seen.insert(receipt.id, receipt.content_hash.clone());
            }
            metrics::counter!("looks_total", "verdict" => verdict.as_str()).increment(1);
            verdict
        })
        .collect()
}

/// `earlier` is the content under the same id earlier in the same batch.
fn judge(look: &Look, stored: Option<&Stored>, earlier: Option<&Vec<u8>>) -> Verdict {
    match (stored, earlier) {
        (Some(Stored::Created(_)), Some(earlier)) if *earlier != look.content_hash => {
            Verdict::Conflict(reused())
        }
        (Some(Stored::Created(receipt)), Some(_)) => Verdict::Repeated(receipt.clone()),
        (Some(Stored::Created(receipt)), None) => Verdict::Created(receipt.clone()),
        (Some(Stored::Repeated(receipt)), _) if receipt.content_hash == look.content_hash => {
            Verdict::Repeated(receipt.clone())
        }
        (Some(Stored::Repeated(_) | Stored::Conflict), _) => Verdict::Conflict(reused()),
        (Some(Stored::TagIdTaken), _) => Verdict::Conflict(Problem::conflict(
            "tag_id_reused",
            "A tag of this look has an id that another of your tags has. Give each tag its own UUID.",
        )),
        (Some(Stored::NoSuchCell), _) => Verdict::Invalid(check::no_such_cell()),
        (None, _) => Verdict::Invalid(Problem::internal(&"a look has no verdict")),
    }
}

fn reused() -> Problem {
    Problem::conflict(
        "look_id_reused",
        "Another look was stored under this id. Give each look its own UUID.",
    )
}

impl Receipt {
    fn of(look: &Look, received_at: jiff::Timestamp, campaign_version: i32) -> Self {
        Self {
            id: look.id,
            cell: look.cell_name.clone(),
            outcome: look.outcome,
            campaign_version,
            received_at,
            tags: look.tags.iter().map(|tag| tag.id).collect(),
            content_hash: look.content_hash.clone(),
        }
    }
}
