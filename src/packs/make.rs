//! Making a pack: its place is taken under its id, squares are dealt, and both are stored together.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    DEALT_SECS,
    model::{CELLS_OPEN_MAX, PACKS_OPEN_MAX, Pack, Stage, Wanted},
    queries,
};
use crate::{
    assignments::{self, Assignment, Dealer, Wish},
    campaigns::Running,
    db::DbError,
    geo::{CellId, Tile},
    http::Problem,
    state::App,
};

/// For how long a server may deal a pack before another does it anew. Shorter than [`DEALT_SECS`], so
/// that what is stored is still reserved.
const DEALING_SECS: f64 = 30.0;
/// How long a request waits for another that makes the same pack, and how often it looks.
const WAIT: Duration = Duration::from_secs(5);
const WAIT_STEP: Duration = Duration::from_millis(100);
/// Deals for one pack: a deal ends with the weight or level that comes next.
const DEALS_MAX: usize = 8;
const IN_WORK_RETRY_SECS: u32 = 2;

/// A pack that was made now or before.
pub struct Made {
    pub pack: Pack,
    /// When it is empty: in how many seconds there may be something.
    pub retry_after_secs: Option<i64>,
}

/// Whose turn it is to make a pack.
enum Place {
    /// Ours, until then.
    Ours(Timestamp),
    Others,
    Made(Box<Pack>),
}

/// Makes a pack, or finds the one that was made under its id.
pub async fn make(
    app: &App,
    dealer: &Dealer,
    volunteer_id: Uuid,
    campaign: &Arc<Running>,
    wanted: Wanted,
) -> Result<Made, Problem> {
    let began = Instant::now();
    loop {
        match take_place(app, volunteer_id, campaign, &wanted).await? {
            Place::Made(pack) => {
                return Ok(Made {
                    pack: *pack,
                    retry_after_secs: None,
                });
            }
            Place::Ours(until) => {
                let making = Making {
                    app: app.clone(),
                    dealer: dealer.clone(),
                    campaign: Arc::clone(campaign),
                    volunteer_id,
                    wanted,
                    until,
                };
                // A volunteer who hangs up gets the pack when they ask again.
                let made = tokio::spawn(making.carry_out()).await;
                return made.map_err(|e| Problem::internal(&e))?;
            }
            Place::Others if began.elapsed() > WAIT => {
                return Err(Problem::unavailable(
                    "pack_in_work",
                    "This pack is being made for another request. Ask for it again.",
                    IN_WORK_RETRY_SECS,
                ));
            }
            Place::Others => tokio::time::sleep(WAIT_STEP).await,
        }
    }
}

async fn take_place(
    app: &App,
    volunteer_id: Uuid,
    campaign: &Running,
    wanted: &Wanted,
) -> Result<Place, Problem> {
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    queries::hold(&tx, volunteer_id).await?;
    if let Some(pack) = queries::find(&tx, volunteer_id, wanted.id).await? {
        check_same(&pack, campaign, wanted)?;
        match pack.stage {
            Stage::Complete => return Ok(Place::Made(Box::new(pack))),
            Stage::InWork => return Ok(Place::Others),
            Stage::Abandoned => {}
        }
    } else {
        campaign.check_open(app.clock.now())?;
        let along = queries::along(&tx, volunteer_id).await?;
        check_room(along, wanted)?;
    }
    let until = queries::begin(&tx, volunteer_id, campaign.id, wanted, DEALING_SECS).await?;
    tx.commit().await?;
    Ok(Place::Ours(until))
}

fn check_same(pack: &Pack, campaign: &Running, wanted: &Wanted) -> Result<(), Problem> {
    if !pack.is_of(campaign.id, wanted) {
        return Err(Problem::conflict(
            "pack_id_reused",
            "Another pack was made under this id. Give each pack its own UUID.",
        ));
    }
    if pack.is_returned {
        return Err(Problem::conflict(
            "pack_returned",
            "This pack was given back. Ask for another one under another id.",
        ));
    }
    Ok(())
}

fn check_room(along: queries::Along, wanted: &Wanted) -> Result<(), Problem> {
    const WHAT_TO_DO: &str = "Send the looks that you have made, or give a pack back: GET …/packs lists them, DELETE …/packs/{id} gives one back.";
    if along.packs >= PACKS_OPEN_MAX {
        return Err(Problem::conflict(
            "packs_too_many",
            format!(
                "You have {} packs along, which is the most. {WHAT_TO_DO}",
                along.packs
            ),
        ));
    }
    if along.cells + i64::from(wanted.cells) > CELLS_OPEN_MAX {
        return Err(Problem::conflict(
            "pack_cells_too_many",
            format!(
                "You have {} squares along that are not answered, and may have {CELLS_OPEN_MAX}: ask for {} at most. {WHAT_TO_DO}",
                along.cells,
                (CELLS_OPEN_MAX - along.cells).max(0)
            ),
        ));
    }
    Ok(())
}

struct Making {
    app: App,
    dealer: Dealer,
    campaign: Arc<Running>,
    volunteer_id: Uuid,
    wanted: Wanted,
    until: Timestamp,
}

impl Making {
    async fn carry_out(self) -> Result<Made, Problem> {
        let made = match self.deal().await {
            Ok((dealt, retry_after_secs)) => self.store(&dealt, retry_after_secs).await,
            Err(problem) => Err(problem),
        };
        if made.is_err() {
            self.give_up().await;
        }
        made
    }

    /// Deals squares for a moment. Also says when there may be something, if nothing was dealt.
    async fn deal(&self) -> Result<(BTreeMap<CellId, Assignment>, Option<i64>), Problem> {
        let wanted = usize::from(self.wanted.cells);
        let mut dealt: BTreeMap<CellId, Assignment> = BTreeMap::new();
        for _ in 0..DEALS_MAX {
            let before = dealt.len();
            let wish = Wish {
                count: u16::try_from(wanted - before).unwrap_or(u16::MAX),
                near: self.centre()?,
                lease_secs: Some(DEALT_SECS),
            };
            let dealing = self
                .dealer
                .deal(&self.app, self.volunteer_id, &self.campaign, &wish);
            let deal = match dealing.await {
                Ok(deal) => deal,
                Err(problem) if before == 0 => return Err(problem),
                Err(_) => break,
            };
            let retry_after_secs = deal.retry_after_secs;
            dealt.extend(
                deal.assignments
                    .into_iter()
                    .map(|one| (one.cell.into(), one)),
            );
            if dealt.is_empty() {
                return Ok((dealt, retry_after_secs));
            }
            if dealt.len() == wanted || dealt.len() == before {
                break;
            }
        }
        Ok((dealt, None))
    }

    fn centre(&self) -> Result<Option<Tile>, Problem> {
        let zoom = self.campaign.cell_zoom;
        let centre = self.wanted.near;
        centre
            .map(|[lon, lat]| Tile::containing(lon, lat, zoom))
            .transpose()
            .map_err(|e| Problem::internal(&e))
    }

    async fn store(
        &self,
        dealt: &BTreeMap<CellId, Assignment>,
        retry_after_secs: Option<i64>,
    ) -> Result<Made, Problem> {
        let (volunteer_id, id) = (self.volunteer_id, self.wanted.id);
        let mut conn = self.app.db.get().await?;
        let tx = conn.begin().await?;
        let expires_at = queries::complete(&tx, volunteer_id, id, self.until).await?;
        let Some(expires_at) = expires_at else {
            return Err(overtaken());
        };
        let new = queries::put_cells(&tx, volunteer_id, self.campaign.id, id, dealt, expires_at);
        let stored = new.await?;
        let leases: Vec<(CellId, Timestamp)> = stored
            .iter()
            .filter_map(|cell| Some((*cell, dealt.get(cell)?.lease_expires_at)))
            .collect();
        assignments::keep(&tx, volunteer_id, self.campaign.id, &leases, expires_at).await?;
        let is_exhausted = stored.len() < usize::from(self.wanted.cells);
        queries::note_exhausted(&tx, volunteer_id, id, is_exhausted).await?;
        let pack = queries::find(&tx, volunteer_id, id).await?;
        let pack = pack.ok_or_else(overtaken)?;
        if stored.is_empty() {
            // Under its id, whoever asks again may find something.
            queries::forget(&tx, volunteer_id, id).await?;
        }
        tx.commit().await?;
        Ok(Made {
            pack,
            retry_after_secs,
        })
    }

    /// Lets the next request make the pack at once.
    async fn give_up(&self) {
        let given_up: Result<(), DbError> = async {
            let conn = self.app.db.get().await?;
            queries::give_up(&*conn, self.volunteer_id, self.wanted.id, self.until).await
        }
        .await;
        if let Err(cause) = given_up {
            tracing::warn!(%cause, "a pack that came to nothing keeps its place for half a minute");
        }
    }
}

fn overtaken() -> Problem {
    Problem::unavailable(
        "pack_in_work",
        "Making this pack took too long, or it was given back meanwhile. Ask for it again.",
        IN_WORK_RETRY_SECS,
    )
}
