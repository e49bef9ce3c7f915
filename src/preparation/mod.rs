//! Preparation: what a campaign's definition says of its cells is brought about, in the
//! background; when it is published and whenever its area or priorities change.
//!
//! **Invariant:** the cells of a piece, the numbers that count them and the place to go on with
//! are stored in one transaction, so a worker that dies loses one piece at most, and the next
//! goes on where it stood.
//!
//! **Invariant:** one worker at a time is at the cells of a campaign, and organisers' changes of
//! that campaign wait for its piece: it holds the campaign's row. Then it takes locks in the order
//! of those who count looks: cells by number, piles, sums.

mod plan;
mod queries;

use std::collections::{BTreeMap, HashMap, HashSet};

use actix_web::web;
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use crate::{
    assignments::{self, NewPile, PILE_ZOOMS},
    campaigns::{self, Campaign, Change, area::ParsedArea},
    geo::{CellId, Cover, MultiPolygon, Tile},
    http::Problem,
    progress,
    state::App,
};
use plan::{Definition, Piece, Place, Plan};

/// Cells of one piece, about: it ends with a whole column of piles. Organisers' changes of the
/// campaign wait for it.
const PIECE_CELLS: usize = 100_000;

/// What the change of a campaign needs, kept from piece to piece.
#[derive(Default)]
pub struct Preparation {
    plan: Option<(PlanOf, Plan)>,
}

/// What a plan was made from: it is old when any of it is another.
#[derive(Clone, Copy, Eq, PartialEq)]
struct PlanOf {
    campaign_id: Uuid,
    version: i32,
    change: i32,
}

/// What a step did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Nothing to prepare.
    Idle,
    Cells(usize),
    /// A change of a campaign is carried out wholly.
    Changed(Uuid),
    Opened(Uuid),
}

/// Makes the next piece of a campaign's change, and opens the campaign if it was the last before.
pub async fn step(app: &App, preparation: &mut Preparation) -> Result<Step, Problem> {
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    let Some(campaign) = campaigns::next_to_prepare(&tx).await? else {
        preparation.plan = None;
        return Ok(Step::Idle);
    };
    // None when another worker carried it out while this one asked.
    let Some(change) = campaigns::newest_change(&tx, campaign.id).await? else {
        return Ok(Step::Idle);
    };
    let of = PlanOf {
        campaign_id: campaign.id,
        version: campaign.version,
        change: change.version,
    };
    let plan = match preparation.plan.take() {
        Some((known, plan)) if known == of => plan,
        _ => read_plan(&tx, &campaign, &change).await?,
    };
    let from = Place {
        part: usize::try_from(change.areas_done).unwrap_or_default(),
        column: u32::try_from(change.next_column).unwrap_or_default(),
    };
    let (plan, piece) = web::block(move || {
        let piece = plan.piece(from, PIECE_CELLS);
        (plan, piece)
    })
    .await
    .map_err(|e| Problem::internal(&e))?;
    let new_cells = store(&tx, &campaign, &piece).await?;
    let step = if let Some(next) = piece.next {
        let change = Change {
            areas_done: i16::try_from(next.part).unwrap_or(i16::MAX),
            next_column: i64::from(next.column),
            ..change
        };
        campaigns::record_piece(&tx, campaign.id, &change, new_cells).await?;
        Step::Cells(piece.cells.len())
    } else {
        if change.reorders {
            assignments::wanted_changed(&tx, campaign.id).await?;
        }
        campaigns::record_piece(&tx, campaign.id, &change, new_cells).await?;
        campaigns::finish_change(&tx, campaign.id, change.version).await?;
        open_prepared(&tx, campaign.id).await?
    };
    tx.commit().await?;
    campaigns::forget(app, &campaign.slug, campaign.id).await;
    preparation.plan = Some((of, plan));
    Ok(step)
}

async fn open_prepared(db: &impl GenericClient, id: Uuid) -> Result<Step, Problem> {
    if !campaigns::open_prepared(db, id).await? {
        return Ok(Step::Changed(id));
    }
    queries::analyze(db).await?;
    campaigns::record_version(db, id, None).await?;
    Ok(Step::Opened(id))
}

/// Stores the cells of a piece with all that counts them; returns how many are new.
async fn store(
    db: &impl GenericClient,
    campaign: &Campaign,
    piece: &Piece,
) -> Result<i64, Problem> {
    let changed = queries::put_cells(db, campaign.id, &piece.cells).await?;
    if changed.is_empty() {
        return Ok(0);
    }
    assignments::lay(db, campaign.id, &piles(&piece.cells, &changed)).await?;
    let new: Vec<Tile> = changed
        .iter()
        .filter(|(_, is_new)| **is_new)
        .map(|(cell, _)| *cell)
        .collect();
    let count = i64::try_from(new.len()).unwrap_or(i64::MAX);
    if count > 0 {
        let blocks = plan::blocks(campaign.id, campaign.cell_zoom, new);
        progress::add_cells(db, campaign.id, count).await?;
        progress::add_blocks(db, &blocks).await?;
    }
    Ok(count)
}

/// The piles in which a cell changed, each with all its cells.
fn piles(cells: &[(Tile, f32)], changed: &HashMap<Tile, bool>) -> BTreeMap<CellId, NewPile> {
    let pile = |cell: Tile| cell.parent_at(cell.z().saturating_sub(PILE_ZOOMS));
    let touched: HashSet<_> = changed.keys().map(|cell| pile(*cell)).collect();
    let cells = cells
        .iter()
        .filter(|(cell, _)| touched.contains(&pile(*cell)));
    assignments::piles(cells.map(|(cell, weight)| {
        let is_new = changed.get(cell).copied().unwrap_or_default();
        (*cell, *weight, is_new)
    }))
}

#[derive(Deserialize)]
struct StoredPriority {
    area: Value,
    weight: f32,
}

/// An area or none, and its priorities, as they are kept.
struct Stored {
    area: MultiPolygon,
    priorities: Vec<StoredPriority>,
}

impl Stored {
    fn new(area: MultiPolygon, priorities: Value) -> Result<Self, Problem> {
        let priorities = serde_json::from_value(priorities).map_err(|e| Problem::internal(&e))?;
        Ok(Self { area, priorities })
    }

    fn definition(self, zoom: u8) -> Result<Definition, Problem> {
        let priorities = self
            .priorities
            .iter()
            .map(|priority| Ok((cover_of(&priority.area, zoom)?, priority.weight)))
            .collect::<Result<_, Problem>>()?;
        Ok(Definition::new(cover(&self.area, zoom)?, priorities))
    }
}

async fn read_plan(
    db: &impl GenericClient,
    campaign: &Campaign,
    change: &Change,
) -> Result<Plan, Problem> {
    let before = campaigns::before(db, campaign.id, change.version).await?;
    let area = match &before.area {
        Some(area) => campaigns::decode_area(area)?,
        None => MultiPolygon::default(),
    };
    let now = Stored::new(
        campaigns::stored_area(db, campaign.id).await?,
        campaign.priorities.clone(),
    )?;
    let first: Vec<Value> =
        serde_json::from_value(before.first).map_err(|e| Problem::internal(&e))?;
    let before = Stored::new(area, before.priorities)?;
    let zoom = campaign.cell_zoom;
    web::block(move || {
        Ok(Plan {
            now: now.definition(zoom)?,
            before: before.definition(zoom)?,
            first: first
                .iter()
                .map(|area| cover_of(area, zoom))
                .collect::<Result<_, Problem>>()?,
        })
    })
    .await
    .map_err(|e| Problem::internal(&e))?
}

fn cover_of(area: &Value, zoom: u8) -> Result<Cover, Problem> {
    let area = ParsedArea::parse(area, "").map_err(|e| Problem::internal(&e))?;
    cover(&area.into(), zoom)
}

fn cover(area: &MultiPolygon, zoom: u8) -> Result<Cover, Problem> {
    Cover::new(area, zoom).map_err(|e| Problem::internal(&e))
}
