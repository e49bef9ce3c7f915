//! Preparation: a published campaign's area becomes cells, in the background.
//!
//! **Invariant:** the cells of a piece, the numbers that count them and the column to go on with
//! are stored in one transaction, so a worker that dies loses one piece at most, and the next
//! goes on where it stood.

mod queries;

use std::collections::{BTreeMap, HashMap};

use actix_web::web;
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use crate::{
    assignments::{self, NewPile, PILE_ZOOMS, WEIGHT_DEFAULT},
    campaigns::{self, Campaign, area::ParsedArea},
    geo::{Cover, MultiPolygon, cell::CellId, tile::Tile},
    http::Problem,
    progress::{self, BlockDelta},
    state::App,
};

/// Cells of one piece, about: it ends with a whole column.
const PIECE_CELLS: usize = 200_000;

/// What one campaign's preparation needs, kept from piece to piece.
#[derive(Default)]
pub struct Preparation {
    plan: Option<Plan>,
}

struct Plan {
    campaign_id: Uuid,
    cover: Cover,
    priorities: Vec<(Cover, f32)>,
    seed: u64,
}

/// What a step did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Nothing to prepare.
    Idle,
    Cells(usize),
    Opened(Uuid),
}

/// Makes the next piece of a campaign that is in preparation, or opens it.
pub async fn step(app: &App, preparation: &mut Preparation) -> Result<Step, Problem> {
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    let Some((campaign, column)) = campaigns::next_to_prepare(&tx).await? else {
        preparation.plan = None;
        return Ok(Step::Idle);
    };
    if preparation.plan.as_ref().map(|plan| plan.campaign_id) != Some(campaign.id) {
        preparation.plan = Some(plan(&tx, &campaign).await?);
    }
    let Some(plan) = preparation.plan.take() else {
        return Ok(Step::Idle);
    };
    let (plan, piece) = web::block(move || {
        let piece = plan.piece(column);
        (plan, piece)
    })
    .await
    .map_err(|e| Problem::internal(&e))?;
    preparation.plan = Some(plan);
    if piece.cells.is_empty() {
        campaigns::finish_preparation(&tx, campaign.id).await?;
        campaigns::record_version(&tx, campaign.id, None).await?;
        tx.commit().await?;
        campaigns::forget(app, &campaign).await;
        preparation.plan = None;
        return Ok(Step::Opened(campaign.id));
    }
    let count = piece.cells.len();
    let stored = i64::try_from(count).unwrap_or(i64::MAX);
    queries::insert_cells(&tx, campaign.id, &piece.cells).await?;
    assignments::lay(&tx, campaign.id, &piece.piles()).await?;
    progress::add_cells(&tx, campaign.id, stored).await?;
    progress::add_blocks(&tx, &piece.blocks(campaign.id, campaign.cell_zoom)).await?;
    campaigns::record_prepared(&tx, campaign.id, piece.next_column, stored).await?;
    tx.commit().await?;
    Ok(Step::Cells(count))
}

/// A cell as it is stored.
pub struct NewCell {
    pub cell: i64,
    pub weight: f32,
    pub shuffle: i32,
}

struct Piece {
    cells: Vec<NewCell>,
    next_column: i64,
}

impl Piece {
    fn piles(&self) -> BTreeMap<CellId, NewPile> {
        let cells = self.cells.iter().filter_map(|new| {
            let cell = CellId::try_from(new.cell).ok()?;
            Some((cell.tile(), new.weight, true))
        });
        assignments::piles(cells)
    }

    /// How many of the cells lie in each block of every block zoom. Each zoom is counted from
    /// the one below it, so that the work hardly grows with the number of zooms.
    fn blocks(&self, campaign_id: Uuid, cell_zoom: u8) -> BTreeMap<(Uuid, i64), BlockDelta> {
        let mut all = BTreeMap::new();
        let mut below: HashMap<Tile, i64> = HashMap::with_capacity(self.cells.len());
        for new in &self.cells {
            if let Ok(cell) = CellId::try_from(new.cell) {
                *below.entry(cell.tile()).or_default() += 1;
            }
        }
        for zoom in progress::block_zooms(cell_zoom) {
            let mut blocks: HashMap<Tile, i64> = HashMap::new();
            for (tile, cells) in below {
                if let Some(parent) = tile.parent_at(zoom) {
                    *blocks.entry(parent).or_default() += cells;
                }
            }
            all.extend(blocks.iter().map(|(block, cells)| {
                let delta = BlockDelta {
                    cells: *cells,
                    ..BlockDelta::default()
                };
                ((campaign_id, CellId::from(*block).get()), delta)
            }));
            below = blocks;
        }
        all
    }
}

impl Plan {
    /// Cells of whole columns from `column` on, about a piece's worth.
    fn piece(&self, column: i64) -> Piece {
        let mut piece = Piece {
            cells: Vec::new(),
            next_column: column,
        };
        let Ok(first) = u32::try_from(column) else {
            return piece;
        };
        for column in self.cover.columns_from(first) {
            piece.cells.extend(
                column
                    .ys()
                    .filter_map(|y| Tile::new(self.cover.z(), column.x, y).ok())
                    .map(|tile| self.cell(tile)),
            );
            piece.next_column = i64::from(column.x) + 1;
            // A pile is laid as a whole.
            let ends_piles = (column.x + 1) % (1 << PILE_ZOOMS) == 0;
            if ends_piles && piece.cells.len() >= PIECE_CELLS {
                break;
            }
        }
        // In the order of the index by shuffle, which is the larger one and otherwise touched
        // all over; the primary key's part of the piece is small and stays in memory.
        piece.cells.sort_unstable_by_key(|new| new.shuffle);
        piece
    }

    fn cell(&self, tile: Tile) -> NewCell {
        let cell = CellId::from(tile).get();
        let weight = self
            .priorities
            .iter()
            .filter(|(cover, _)| cover.contains(tile))
            .map(|(_, weight)| *weight)
            .reduce(f32::max)
            .unwrap_or(WEIGHT_DEFAULT);
        NewCell {
            cell,
            weight,
            shuffle: shuffle(cell.cast_unsigned() ^ self.seed),
        }
    }
}

#[derive(Deserialize)]
struct StoredPriority {
    area: Value,
    weight: f32,
}

async fn plan(db: &impl GenericClient, campaign: &Campaign) -> Result<Plan, Problem> {
    let area = campaigns::stored_area(db, campaign.id).await?;
    let priorities: Vec<StoredPriority> =
        serde_json::from_value(campaign.priorities.clone()).map_err(|e| Problem::internal(&e))?;
    let zoom = campaign.cell_zoom;
    let (high, low) = campaign.id.as_u64_pair();
    let campaign_id = campaign.id;
    web::block(move || {
        let cover = |area: &MultiPolygon| Cover::new(area, zoom).map_err(|e| Problem::internal(&e));
        let priorities = priorities
            .into_iter()
            .map(|priority| {
                let area =
                    ParsedArea::parse(&priority.area, "").map_err(|e| Problem::internal(&e))?;
                Ok((cover(&area.into())?, priority.weight))
            })
            .collect::<Result<_, Problem>>()?;
        Ok(Plan {
            campaign_id,
            cover: cover(&area)?,
            priorities,
            seed: high ^ low,
        })
    })
    .await
    .map_err(|e| Problem::internal(&e))?
}

/// A place in the order of a campaign's cells that looks random: the upper bits of
/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
fn shuffle(seed: u64) -> i32 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    i32::try_from((z ^ (z >> 31)) >> 33).unwrap_or(i32::MAX)
}
