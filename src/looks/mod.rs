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

mod apart;
mod batcher;
mod check;
mod export;
mod handlers;
pub mod leaving;
mod model;
pub mod own;
mod queries;
mod standing;
mod tags;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use uuid::Uuid;

pub use apart::{examine as examine_apart, hash as hash_apart, store as store_apart};
pub use batcher::Batcher;
pub use check::{TOLERANCE_DEG, check_place, no_such_cell, refused};
pub use export::{ExportedLook, LookPlace, export};
pub use handlers::routes;
pub use model::{Look, NOTE_CHARS_MAX, NewLook, Outcome, Stored, TAGS_MAX};
pub use standing::{Standing, standings};
pub use tags::{
    ExportedTag, ForgottenTag, PutTag, TagPlace, TagRow, export as export_tags, feature,
    forget_withdrawn, put as put_tags,
};

use crate::{
    assignments,
    campaigns::{self, Running},
    geo::CellId,
    http::Problem,
    state::App,
};
use model::{Receipt, Verdict};

/// How a look is checked.
type Check = fn(&NewLook, Uuid, &Running) -> Result<Look, Problem>;

/// Stores looks of one volunteer and says what became of each, in order.
///
/// An `Err` among `given` is a look that could not even be read; it stays as it is.
pub async fn record(
    app: &App,
    batcher: &Batcher,
    volunteer_id: Uuid,
    reference: &str,
    given: Vec<Result<NewLook, Problem>>,
) -> Result<Vec<Verdict>, Problem> {
    let looks = examine(app, volunteer_id, reference, &given, check::check).await?;
    let mut good = Vec::with_capacity(looks.len());
    let refused: Vec<Option<Problem>> = looks
        .into_iter()
        .map(|look| look.map(|look| good.push(look)).err())
        .collect();
    let (good, stored) = batcher.store(good).await?;
    let mut judged = good.into_iter().zip(stored).map(judge);
    let verdicts = refused.into_iter().map(|problem| match problem {
        Some(problem) => Verdict::Invalid(problem),
        None => judged.next().unwrap_or_else(without_verdict),
    });
    let verdicts: Vec<Verdict> = verdicts.collect();
    count(&verdicts);
    Ok(verdicts)
}

fn count(verdicts: &[Verdict]) {
    let mut by_name: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut tags = 0;
    for verdict in verdicts {
        *by_name.entry(verdict.as_str()).or_default() += 1;
        if let Verdict::Created(receipt) = verdict {
            tags += receipt.tags.len();
        }
    }
    for (name, count) in by_name {
        metrics::counter!("looks_total", "verdict" => name).increment(count);
    }
    if tags > 0 {
        metrics::counter!("tags_created_total").increment(u64::try_from(tags).unwrap_or(u64::MAX));
    }
}

/// The looks in the form in which they are stored, or why they are refused.
async fn examine(
    app: &App,
    volunteer_id: Uuid,
    reference: &str,
    given: &[Result<NewLook, Problem>],
    check: Check,
) -> Result<Vec<Result<Look, Problem>>, Problem> {
    let mut campaign = campaigns::running(app, reference).await?;
    let mut looks = check_all(given, volunteer_id, &campaign, check);
    if looks.iter().any(Result::is_err) {
        // What we remember may be older than what the volunteer saw.
        let fresh = campaigns::load_running(app, reference).await?;
        if fresh.version != campaign.version {
            campaign = Arc::new(fresh);
            looks = check_all(given, volunteer_id, &campaign, check);
        }
    }
    refuse_after_close(app, volunteer_id, &campaign, &mut looks).await?;
    Ok(looks)
}

fn check_all(
    given: &[Result<NewLook, Problem>],
    volunteer_id: Uuid,
    campaign: &Running,
    check: Check,
) -> Vec<Result<Look, Problem>> {
    given
        .iter()
        .map(|look| match look {
            Ok(look) => check(look, volunteer_id, campaign),
            Err(problem) => Err(problem.clone()),
        })
        .collect()
}

/// After the close only looks at cells that were given to the volunteer before are taken, within the
/// campaign's grace: the work was begun in good faith, perhaps without a network.
async fn refuse_after_close(
    app: &App,
    volunteer_id: Uuid,
    campaign: &Running,
    looks: &mut [Result<Look, Problem>],
) -> Result<(), Problem> {
    let now = app.clock.now();
    if !campaign.is_closed(now) {
        return Ok(());
    }
    let grace_ends = campaign.grace_ends();
    let is_over = grace_ends.is_some_and(|ends| ends <= now);
    let cells: Vec<CellId> = looks
        .iter()
        .flatten()
        .filter_map(|look| CellId::try_from(look.cell).ok())
        .collect();
    let given = if is_over {
        Vec::new()
    } else {
        assignments::were_given(&app.db, volunteer_id, campaign.id, &cells).await?
    };
    let given: Vec<i64> = given.into_iter().map(CellId::get).collect();
    let late: Vec<Uuid> = looks
        .iter()
        .flatten()
        .filter(|look| !given.contains(&look.cell))
        .map(|look| look.id)
        .collect();
    let conn = app.db.get().await?;
    // What was stored before the close is still answered as the first time.
    let kept: BTreeSet<Uuid> = queries::find_ids(&*conn, volunteer_id, &late)
        .await?
        .into_iter()
        .collect();
    for look in looks {
        if matches!(look, Ok(look) if !given.contains(&look.cell) && !kept.contains(&look.id)) {
            *look = Err(if is_over {
                grace_over(grace_ends)
            } else {
                Problem::conflict(
                    "campaign_closed",
                    "This search is closed, and this square was not given to you before it was.",
                )
            });
        }
    }
    Ok(())
}

fn grace_over(ended: Option<Timestamp>) -> Problem {
    let until = ended.map_or_else(String::new, |ended| format!(" until {ended:.0}"));
    Problem::conflict(
        "grace_over",
        format!(
            "This search is closed. Looks that were on their way were taken{until}; nothing is taken any more."
        ),
    )
}

fn judge((look, stored): (Look, Stored)) -> Verdict {
    match stored {
        Stored::Created(stamp) => Verdict::Created(Receipt::of(look, stamp)),
        Stored::Repeated(stamp) => Verdict::Repeated(Receipt::of(look, stamp)),
        Stored::Conflict => Verdict::Conflict(Problem::conflict(
            "look_id_reused",
            "Another look was stored under this id. Give each look its own UUID.",
        )),
        Stored::TagIdTaken => Verdict::Conflict(Problem::conflict(
            "tag_id_reused",
            "A tag of this look has an id that another of your tags has. Give each tag its own UUID.",
        )),
        Stored::NoSuchCell => Verdict::Invalid(no_such_cell()),
        Stored::Failed(problem) => Verdict::Invalid(problem),
    }
}

fn without_verdict() -> Verdict {
    Verdict::Invalid(Problem::internal(&"a look has no verdict"))
}
