//! Cells: what organisers decide about single ones. A cell may be shown on another imagery layer,
//! closed, or reset.
//!
//! **Invariant:** a decision is the truth; what the deck and the numbers make of it is derived from
//! it through the change feed. So nothing that is derived is written here.
//!
//! **Invariant:** a cell that is not of the campaign never fails its neighbours.
//!
//! **Invariant:** what was decided once and is decided again changes nothing and makes no version,
//! also when both come at once: decisions of one campaign follow each other.
//!
//! A cell that has a layer of its own keeps it when the campaign gets another.
//!
//! A look counts towards the looks wanted when it was received after `looks_since`, a report of bad
//! imagery when it was received after `reports_since` too. A look that does not count is kept, and
//! whoever made it is not given the cell again.

mod handlers;
mod model;
mod queries;

use std::collections::BTreeMap;

use tokio_postgres::GenericClient;
use uuid::Uuid;

pub use handlers::routes;
pub use model::{CellState, Decided};
pub use queries::decided;

use crate::{
    accounts::Organiser,
    assignments,
    campaigns::{self, Campaign, State},
    geo::{CellId, Tile},
    http::{FieldErrors, Problem},
    imagery::{self, Layer},
    state::App,
};
use model::{CELLS_MAX, Decision, NamedLayer, Verdict};

/// Decides about cells and says what became of each, in order.
pub async fn decide(
    app: &App,
    by: &Organiser,
    campaign: &Campaign,
    decision: &Decision,
) -> Result<Vec<Verdict>, Problem> {
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    let campaign = campaigns::hold(&tx, campaign.id)
        .await?
        .ok_or_else(|| campaigns::not_found(&campaign.slug))?;
    check_state(&campaign)?;
    let layer = check(&tx, decision).await?;
    let cells: Vec<Result<CellId, Problem>> = decision
        .cells
        .iter()
        .enumerate()
        .map(|(index, cell)| check_cell(index, cell, layer.as_ref()))
        .collect();
    let good: Vec<i64> = cells.iter().flatten().map(|cell| cell.get()).collect();
    let change = queries::Change {
        by: by.id,
        names_layer: decision.imagery_layer != NamedLayer::Unnamed,
        // The campaign's own layer is what a cell has that has none.
        imagery_layer_id: layer
            .map(|layer| layer.id)
            .filter(|id| *id != campaign.imagery_layer_id),
        closed: decision.closed,
        reset: decision.reset,
    };
    let known = queries::decide(&tx, &campaign, &good, &change).await?;
    let changed: Vec<(Uuid, CellId)> = cells
        .iter()
        .flatten()
        .filter(|cell| known.get(cell) == Some(&true))
        .map(|cell| (campaign.id, *cell))
        .collect();
    if !changed.is_empty() {
        campaigns::touch(&tx, campaign.id, by.id).await?;
        assignments::nudge(&tx, &changed).await?;
    }
    tx.commit().await?;
    if !changed.is_empty() {
        campaigns::forget(app, &campaign.slug, campaign.id).await;
    }
    Ok(judge_all(cells, known, &campaign))
}

/// Cells of a draft are not there yet; those of a closed campaign nobody is given any more.
fn check_state(campaign: &Campaign) -> Result<(), Problem> {
    let what_to_do = match campaign.state {
        State::Open | State::Paused => return Ok(()),
        State::Draft => "publish it first",
        State::Preparing => "wait until it is open",
        State::Closed => "clone it to search again",
    };
    Err(Problem::conflict(
        "state_conflict",
        format!(
            "The campaign is {}; its cells can be decided about while it is open or paused: {what_to_do}.",
            campaign.state.as_str()
        ),
    ))
}

/// What is wrong with a decision as a whole; gives the layer that it names.
async fn check(db: &impl GenericClient, decision: &Decision) -> Result<Option<Layer>, Problem> {
    let mut errors = FieldErrors::default();
    let count = decision.cells.len();
    errors.need((1..=CELLS_MAX).contains(&count), "/cells", || {
        format!("found {count} cells; a decision has 1 to {CELLS_MAX}")
    });
    let says_something = decision.imagery_layer != NamedLayer::Unnamed
        || decision.closed.is_some()
        || decision.reset;
    errors.need(says_something, "", || {
        "nothing is decided; name `imagery_layer`, `closed` or `reset`".to_owned()
    });
    let mut layer = None;
    if let NamedLayer::Key(key) = &decision.imagery_layer {
        layer = imagery::find(db, key).await?;
        errors.need(layer.is_some(), "/imagery_layer", || {
            format!(
                "there is no imagery layer {key:?}; GET /v1/imagery lists them, POST /v1/imagery adds one"
            )
        });
    }
    errors.into_result().map_err(refused)?;
    Ok(layer)
}

/// A cell that can be one, and of which the layer has imagery.
fn check_cell(index: usize, cell: &str, layer: Option<&Layer>) -> Result<CellId, Problem> {
    let invalid = |detail: String| {
        let mut errors = FieldErrors::default();
        errors.push(format!("/cells/{index}"), detail);
        refused(errors)
    };
    let tile: Tile = cell
        .parse()
        .map_err(|e| invalid(format!("found {cell:?}; {e}")))?;
    if let Some(layer) = layer
        && let Some(bounds) = layer.definition.bounds
        && !bounds.overlaps(tile.bbox())
    {
        return Err(invalid(format!(
            "{tile} lies outside the bounds of the layer {:?}; choose one that has imagery there",
            layer.definition.key
        )));
    }
    Ok(tile.into())
}

fn judge_all(
    cells: Vec<Result<CellId, Problem>>,
    mut known: BTreeMap<CellId, bool>,
    campaign: &Campaign,
) -> Vec<Verdict> {
    cells
        .into_iter()
        .map(|cell| match cell {
            Err(problem) => Verdict::Invalid(problem),
            // A cell that is named twice changes once.
            Ok(cell) => match known.get_mut(&cell).map(std::mem::take) {
                Some(true) => Verdict::Changed,
                Some(false) => Verdict::Unchanged,
                None => Verdict::Invalid(not_found(&cell.tile().to_string(), campaign)),
            },
        })
        .collect()
}

/// There is no such cell.
pub fn not_found(cell: &str, campaign: &Campaign) -> Problem {
    Problem::not_found(
        "cell_not_found",
        format!(
            "The campaign has no cell {cell}; its cells have zoom {}.",
            campaign.cell_zoom
        ),
    )
}

fn refused(errors: FieldErrors) -> Problem {
    Problem::unprocessable(
        "decision_refused",
        "This cannot be decided; `errors` says what to change.",
        errors,
    )
}
