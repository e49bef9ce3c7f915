//! What a worker does: it takes a piece, fetches its tiles some at a time, and stores every second
//! what came of them.

mod carry_out;
mod replan;

use std::sync::Arc;

use actix_web::web;
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    area_hash,
    plan::{Plan, Zooms},
    queries::{self, Piece, Running},
};
use crate::{
    campaigns,
    geo::{CellId, Tile},
    http::Problem,
    imagery::Tiles,
    state::App,
};
use carry_out::OUTCOMES;
use replan::replan;

/// Tiles of one piece.
const PIECE_TILES: usize = 1000;
/// A worker of prefetches, and what it remembers from piece to piece.
pub struct Prefetcher {
    tiles: Tiles,
    holder: Uuid,
    plan: Option<(PlanOf, Arc<Plan>)>,
    /// Whose turn it is among the prefetches that run.
    turn: usize,
}

#[derive(Clone, Eq, PartialEq)]
struct PlanOf {
    campaign: Uuid,
    area_hash: String,
    zooms: Zooms,
}

/// A piece with its tiles.
struct Work {
    of: Running,
    first: i64,
    tiles: Vec<Tile>,
    /// What follows them in the piece.
    after: Option<Tile>,
}

impl Prefetcher {
    pub fn new(tiles: Tiles) -> Self {
        for outcome in OUTCOMES {
            metrics::counter!("prefetch_tiles_total", "outcome" => outcome).increment(0);
        }
        Self {
            tiles,
            holder: Uuid::now_v7(),
            plan: None,
            turn: 0,
        }
    }

    /// Works on a piece until it is finished or `stop` turns true; of one campaign or of any. Says
    /// whether there was something to do.
    pub async fn step(
        &mut self,
        app: &App,
        stop: &watch::Receiver<bool>,
        only: Option<Uuid>,
    ) -> anyhow::Result<bool> {
        let conn = app.db.get().await?;
        let mut running = queries::running(&*conn).await?;
        drop(conn);
        running.retain(|one| only.is_none_or(|campaign| one.campaign == campaign));
        if running.is_empty() {
            self.plan = None;
            return Ok(false);
        }
        let begin = self.turn % running.len();
        running.rotate_left(begin);
        for of in running {
            self.turn = self.turn.wrapping_add(1);
            if let Some(work) = self
                .take(app, of)
                .await
                .map_err(|problem| error(&problem))?
            {
                return Box::pin(self.carry_out(app, work, stop.clone()))
                    .await
                    .map(|()| true);
            }
        }
        Ok(false)
    }

    async fn take(&mut self, app: &App, of: Running) -> Result<Option<Work>, Problem> {
        if !of.is_current && !replan(app, &of).await? {
            return Ok(None);
        }
        let conn = app.db.get().await?;
        let left = queries::abandoned(&*conn, &of, self.holder).await?;
        if left.is_none() && of.next_tile.is_none() {
            if queries::finish(&*conn, &of).await? {
                tracing::info!(campaign.id = %of.campaign, "a prefetch is done");
            }
            return Ok(None);
        }
        drop(conn);
        let plan = self.plan(app, &of).await?;
        if let Some(piece) = left {
            return Ok(Some(work_of(of, piece, plan).await?));
        }
        let Some(first) = of.next_tile else {
            return Ok(None);
        };
        let from = CellId::try_from(first)
            .map_err(|e| Problem::internal(&e))?
            .tile();
        let (tiles, ends_at) = enumerate(plan, from).await?;
        let conn = app.db.get().await?;
        let is_ours = queries::new_piece(&*conn, &of, self.holder, first, ends_at).await?;
        Ok(is_ours.then_some(Work {
            of,
            first,
            tiles,
            after: None,
        }))
    }

    async fn plan(&mut self, app: &App, of: &Running) -> Result<Arc<Plan>, Problem> {
        let wanted = PlanOf {
            campaign: of.campaign,
            area_hash: of.area_hash.clone(),
            zooms: of.zooms,
        };
        if let Some((known, plan)) = &self.plan
            && *known == wanted
        {
            return Ok(Arc::clone(plan));
        }
        let conn = app.db.get().await?;
        let area = campaigns::stored_area(&*conn, of.campaign).await?;
        drop(conn);
        let (cell_zoom, zooms) = (of.cell_zoom, of.zooms);
        let (hash, plan) = web::block(move || {
            let plan = Plan::new(&area, cell_zoom, zooms).map_err(|e| Problem::internal(&e))?;
            Ok::<_, Problem>((area_hash(&area, cell_zoom), Arc::new(plan)))
        })
        .await
        .map_err(|e| Problem::internal(&e))??;
        // Of another area since a moment: it serves once, and the change is seen at the next piece.
        self.plan = (hash == wanted.area_hash).then(|| (wanted, Arc::clone(&plan)));
        Ok(plan)
    }
}

async fn work_of(of: Running, piece: Piece, plan: Arc<Plan>) -> Result<Work, Problem> {
    let (mut tiles, mut after) = match piece.tiles {
        Some(mut tiles) => {
            tiles.retain(|tile| CellId::from(*tile) >= CellId::from(piece.next));
            (tiles, None)
        }
        None => enumerate(plan, piece.next).await?,
    };
    if let Some(end) = piece.ends_at.map(CellId::from) {
        tiles.retain(|tile| CellId::from(*tile) < end);
        after = after.filter(|tile| CellId::from(*tile) < end);
    }
    Ok(Work {
        of,
        first: piece.first,
        tiles,
        after,
    })
}

async fn enumerate(plan: Arc<Plan>, from: Tile) -> Result<(Vec<Tile>, Option<Tile>), Problem> {
    web::block(move || plan.piece(from, PIECE_TILES))
        .await
        .map_err(|e| Problem::internal(&e))
}

fn error(problem: &Problem) -> anyhow::Error {
    anyhow::anyhow!("{problem}")
}
