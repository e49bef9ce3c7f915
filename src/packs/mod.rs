//! Packs: squares that a volunteer takes along to where there is no network, with all that is needed
//! to look at them there.
//!
//! **Invariant:** a pack is dealt once: the same id again, after a lost answer, at the same moment or at
//! another server, is answered with the same squares.
//!
//! **Invariant:** a square is reserved for as long as the pack says only once the pack is stored, in the
//! same transaction. What was dealt and not stored comes free within a minute.
//!
//! **Invariant:** a pack only reserves. Looks are taken whenever they come: see `looks`.

mod handlers;
mod job;
pub mod leaving;
mod make;
mod model;
mod queries;
mod ranges;
mod tiles;

use uuid::Uuid;

pub use handlers::routes;
pub use job::{forget_empty, forget_gone, step};

use crate::{assignments, db::DbError, state::App};

/// For how long squares are dealt until the pack is stored.
const DEALT_SECS: u32 = 60;

/// Gives back what was not answered of a pack; `None` if there is no such pack of this volunteer in the
/// campaign. Gives how many squares that were.
async fn give_back(
    app: &App,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    id: Uuid,
) -> Result<Option<usize>, DbError> {
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    if !queries::note_returned(&tx, volunteer_id, campaign_id, id).await? {
        return Ok(None);
    }
    let cells = queries::take_back(&tx, volunteer_id, id).await?;
    assignments::give_back(&tx, volunteer_id, campaign_id, &cells).await?;
    tx.commit().await?;
    Ok(Some(cells.len()))
}
