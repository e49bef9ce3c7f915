//! One step of the derivation: a piece of the feed, counted and stored with the cursor.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::{
    READER, block_zooms,
    queries::{self, BlockDelta},
    recount::{self, CellChange},
};
use crate::{
    assignments::{self, BAD_IMAGERY_REPORTS},
    db::DbError,
    feed::{self, LookChange},
    geo::cell::CellId,
    state::App,
};

/// Changes of each kind that one step reads at most.
const STEP_MAX: i64 = 5000;

/// What a step found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Nothing, or another worker at it.
    Nothing,
    /// All that there was. It is better to rest then: a step costs much the same for few changes as for
    /// many.
    All,
    /// As much as one step takes, so that more is to be expected at once.
    Piece,
}

/// Reads the next piece of the feed, counts it and stores what was counted.
pub async fn step(app: &App) -> Result<Step, DbError> {
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    let Some(cursor) = feed::take(&tx, READER).await? else {
        return Ok(Step::Nothing);
    };
    let piece = feed::read(&tx, &cursor, STEP_MAX).await?;
    if piece.is_empty() {
        tx.commit().await?;
        return Ok(Step::Nothing);
    }
    let of_looks = piece.looks.iter().map(|look| (look.campaign_id, look.cell));
    let of_tags = piece.tags.iter().map(|tag| (tag.campaign_id, tag.cell));
    let decided = piece.decisions.iter().map(|d| (d.campaign_id, d.cell));
    let touched: BTreeSet<(Uuid, i64)> = of_looks.chain(of_tags).chain(decided).collect();
    let touched: Vec<(Uuid, i64)> = touched.into_iter().collect();
    // Cells, piles, sums: the order in which preparation takes them too, so that neither waits for
    // the other crosswise.
    let cells = recount::cells(&tx, &touched).await?;
    nudge_given_back(&tx, &piece.looks).await?;
    store_cells(&tx, &cells).await?;
    recount::tags(&tx, &touched).await?;
    store_totals(&tx, &piece.looks, &cells).await?;
    feed::advance(&tx, READER, &piece.next).await?;
    tx.commit().await?;
    Ok(if piece.is_whole(STEP_MAX) {
        Step::Piece
    } else {
        Step::All
    })
}

/// Moves the numbers that are sums over cells by how the cells changed.
pub(super) async fn store_cells(
    db: &impl GenericClient,
    cells: &[CellChange],
) -> Result<(), DbError> {
    let mut by_looks: BTreeMap<(Uuid, i16), i64> = BTreeMap::new();
    let mut blocks: BTreeMap<(Uuid, i64), BlockDelta> = BTreeMap::new();
    for cell in cells {
        if (cell.looks, cell.closed) != (cell.looks_before, cell.closed_before) {
            let before = (cell.campaign_id, cell.looks_before);
            let now = (cell.campaign_id, cell.looks);
            *by_looks.entry(before).or_default() -= i64::from(!cell.closed_before);
            *by_looks.entry(now).or_default() += i64::from(!cell.closed);
        }
        let tile = cell_id(cell.cell)?.tile();
        for zoom in block_zooms(tile.z()) {
            let Some(parent) = tile.parent_at(zoom) else {
                continue;
            };
            let block = blocks
                .entry((cell.campaign_id, CellId::from(parent).get()))
                .or_default();
            block.looks += i64::from(cell.looks) - i64::from(cell.looks_before);
            block.bad_imagery += i64::from(cell.bad_imagery) - i64::from(cell.bad_imagery_before);
            block.tags += i64::from(cell.tags) - i64::from(cell.tags_before);
            block.closed += i64::from(cell.closed) - i64::from(cell.closed_before);
        }
    }
    queries::add_cell_counts(db, &by_looks).await?;
    queries::add_blocks(db, &blocks).await
}

/// Moves totals, volunteers and minutes by looks that pass the feed for the first and only time.
async fn store_totals(
    db: &impl GenericClient,
    looks: &[LookChange],
    cells: &[CellChange],
) -> Result<(), DbError> {
    let mut volunteers: BTreeMap<(Uuid, Uuid), (i32, Timestamp)> = BTreeMap::new();
    let mut minutes: BTreeMap<(Uuid, Timestamp), i32> = BTreeMap::new();
    let mut totals: BTreeMap<Uuid, queries::TotalsDelta> = BTreeMap::new();
    for look in looks {
        let seen = volunteers
            .entry((look.campaign_id, look.at.volunteer_id))
            .or_insert((0, look.received_at));
        seen.0 += 1;
        seen.1 = seen.1.max(look.received_at);
        *minutes
            .entry((look.campaign_id, minute(look.received_at)))
            .or_default() += 1;
        totals
            .entry(look.campaign_id)
            .or_default()
            .count(&look.outcome, 1);
    }
    move_by_cells(&mut totals, cells);
    for campaign_id in queries::add_volunteers(db, &volunteers).await? {
        totals.entry(campaign_id).or_default().volunteers += 1;
    }
    queries::add_minutes(db, &minutes).await?;
    queries::add_totals(db, &totals).await
}

/// Moves the totals that are sums over cells by how the cells changed.
pub(super) fn move_by_cells(
    totals: &mut BTreeMap<Uuid, queries::TotalsDelta>,
    cells: &[CellChange],
) {
    for cell in cells {
        let was = cell.bad_imagery_before >= BAD_IMAGERY_REPORTS && !cell.closed_before;
        let is = cell.bad_imagery >= BAD_IMAGERY_REPORTS && !cell.closed;
        if is != was || cell.closed != cell.closed_before {
            let total = totals.entry(cell.campaign_id).or_default();
            total.cells_bad_imagery += i64::from(is) - i64::from(was);
            total.cells_closed += i64::from(cell.closed) - i64::from(cell.closed_before);
        }
    }
}

/// A skip or a report of bad imagery gives the place back, which the holder of the pile cannot know.
async fn nudge_given_back(db: &impl GenericClient, looks: &[LookChange]) -> Result<(), DbError> {
    let cells = looks
        .iter()
        .filter(|look| matches!(look.outcome.as_str(), "skipped" | "bad_imagery"))
        .map(|look| Ok((look.campaign_id, cell_id(look.cell)?)))
        .collect::<Result<Vec<_>, DbError>>()?;
    assignments::nudge(db, &cells).await
}

pub(super) fn cell_id(cell: i64) -> Result<CellId, DbError> {
    CellId::try_from(cell).map_err(|e| DbError::Damaged(format!("cells.cell: {e}")))
}

pub(super) fn minute(time: Timestamp) -> Timestamp {
    let second = time.as_second();
    Timestamp::from_second(second - second.rem_euclid(60)).unwrap_or(time)
}
