//! Assignments: where to look next.
//!
//! **Invariant:** no volunteer is given a cell twice while another open cell is left for them.
//!
//! **Invariant:** looks by distinct volunteers and live leases of a cell together never exceed
//! the looks wanted at the moment of dealing, but for the tail: when nothing else is open for a
//! volunteer, a cell whose lease has been idle for a minute is given once more, two times beyond
//! the looks wanted at most. Deals of one campaign follow each other under a lock that lasts as
//! long as the deal; nothing is locked between requests.
//!
//! A lease only reserves. When it ends, the cell can be given to somebody else, and a look that
//! comes late still counts.

mod handlers;
mod lay;
mod order;
mod queries;

use jiff::Timestamp;
use tokio_postgres::GenericClient;
use uuid::Uuid;

pub use handlers::routes;
pub use lay::{NewPile, lay, nudge, piles};
pub use order::{PILE_ZOOMS, WEIGHT_DEFAULT};

use crate::{
    campaigns::Running,
    db::DbError,
    geo::{CellId, Tile},
    http::Problem,
    state::App,
};

/// Cells of one deal.
pub const COUNT_MAX: u16 = 50;
/// How many distinct volunteers must report bad imagery before a cell is not given any more.
pub const BAD_IMAGERY_REPORTS: i16 = 3;
/// How long a lease must be idle before its cell is given to somebody who finds nothing else.
const TAIL_PATIENCE_SECS: i32 = 60;
/// How many leases beyond the looks wanted the tail may take for a cell.
const TAIL_EXTRA: i16 = 2;
/// How far `near` reaches, in cells each way, before any other cell is taken.
const NEAR_CELLS: u32 = 8;

/// An offer of a cell.
#[derive(Clone, Copy, Debug)]
pub struct Assignment {
    pub cell: Tile,
    pub lease_expires_at: Timestamp,
    pub reason: Reason,
}

/// Why a cell was given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    New,
    /// It lies in a priority area.
    Priority,
    /// It lies near the place that the volunteer named.
    Near,
    /// One of the last: others were given it some time ago and have not answered.
    Tail,
    /// It was given to the same volunteer before, and nothing else is left.
    Again,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Priority => "priority",
            Self::Near => "near",
            Self::Tail => "tail",
            Self::Again => "again",
        }
    }
}

/// What a volunteer is given.
#[derive(Clone, Debug, Default)]
pub struct Deal {
    pub assignments: Vec<Assignment>,
    /// When nothing was given because others have the last cells: when the first can be had.
    pub retry_after_secs: Option<i64>,
}

/// Gives a volunteer up to `count` cells.
pub async fn deal(
    app: &App,
    volunteer_id: Uuid,
    campaign: &Running,
    count: u16,
    near: Option<(f64, f64)>,
) -> Result<Deal, Problem> {
    let around = near
        .map(|(lon, lat)| Tile::containing(lon, lat, campaign.cell_zoom))
        .transpose()
        .map_err(|e| Problem::bad_request("invalid_query", format!("near: {e}")))?
        .map(around);
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    queries::lock(&tx, campaign.id).await?;
    let mut left = i64::from(count);
    let mut dealt = Vec::new();
    if let Some(around) = around {
        let near = queries::deal_among(&tx, volunteer_id, campaign, left, &around).await?;
        left -= i64::try_from(near.len()).unwrap_or(left);
        dealt.extend(near);
    }
    if left > 0 {
        let new = queries::deal_new(&tx, volunteer_id, campaign, left).await?;
        left -= i64::try_from(new.len()).unwrap_or(left);
        dealt.extend(new);
    }
    if dealt.is_empty() {
        dealt = queries::deal_again(&tx, volunteer_id, campaign, left).await?;
    }
    if dealt.is_empty() {
        dealt = queries::deal_tail(&tx, volunteer_id, campaign, left).await?;
    }
    let retry_after_secs = if dealt.is_empty() {
        queries::next_chance(&tx, volunteer_id, campaign).await?
    } else {
        None
    };
    tx.commit().await?;
    for assignment in &dealt {
        metrics::counter!("assignments_total", "reason" => assignment.reason.as_str()).increment(1);
    }
    Ok(Deal {
        assignments: dealt,
        retry_after_secs,
    })
}

/// Which of these cells were ever given to the volunteer.
pub async fn were_given(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    cells: &[i64],
) -> Result<Vec<i64>, DbError> {
    queries::were_given(db, volunteer_id, campaign_id, cells).await
}

/// Cells within reach of one, nearest first.
fn around(centre: Tile) -> Vec<i64> {
    let across = 1_u32 << centre.z();
    let mut found: Vec<(u32, i64)> = Vec::new();
    let (x, y) = (centre.x(), centre.y());
    for row in y.saturating_sub(NEAR_CELLS)..=(y + NEAR_CELLS).min(across - 1) {
        for step in 0..=2 * NEAR_CELLS {
            // Columns go round the world.
            let column = (x + across + step - NEAR_CELLS) % across;
            let dx = step.abs_diff(NEAR_CELLS);
            let dy = row.abs_diff(y);
            if let Ok(tile) = Tile::new(centre.z(), column, row) {
                found.push((dx * dx + dy * dy, CellId::from(tile).get()));
            }
        }
    }
    found.sort_unstable();
    found.into_iter().map(|(_, cell)| cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_around_a_place_come_nearest_first_and_go_round_the_world() {
        let centre = Tile::new(17, 0, 50_000).unwrap();
        let cells = around(centre);
        assert_eq!(cells.len(), 17 * 17);
        assert_eq!(cells.first(), Some(&CellId::from(centre).get()));
        let west = Tile::new(17, (1 << 17) - 1, 50_000).unwrap();
        assert!(cells.get(..5).unwrap().contains(&CellId::from(west).get()));
    }
}
