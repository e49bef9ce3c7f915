//! Progress: how far a campaign is. All of it is derived from looks, tags and decisions about cells
//! through the change feed, by the worker.
//!
//! **Invariant:** every number can be recounted. Numbers of cells are counted anew from the
//! looks of the cell whenever one of its looks or tags changes or something is decided about it;
//! totals move by the difference, or by looks that pass the feed exactly once. All of it moves
//! together with the cursor.
//!
//! **Invariant:** looks that are deleted leave the numbers in the same transaction, and those that
//! the feed had not given yet were in none.
//!
//! **Invariant:** a closed cell is neither done nor missing: no number of cells by looks has it.
//!
//! **Invariant:** "done" is not stored. It follows from how many cells have how many looks, so
//! it is right at once when the looks wanted change.

mod handlers;
mod job;
mod queries;
mod rates;
mod recount;
mod uncount;

pub use handlers::routes;
pub use job::{Step, step};
pub use queries::{BlockDelta, add_blocks, add_cells};
pub use uncount::uncount;

/// Name of this reader of the feed.
pub const READER: &str = "progress";

/// Zooms of the sums for maps that are zoomed out: two, four, six … above the cells.
pub fn block_zooms(cell_zoom: u8) -> impl Iterator<Item = u8> {
    (1..=cell_zoom / 2).map(move |step| cell_zoom - 2 * step)
}
