//! Phones that work without a network, and stock clients that sync them: `RxDB` and `WatermelonDB`.
//!
//! A collection gives documents in the order `(xid, id)` of their last change, below the oldest
//! transaction that is still open. What a phone has read is a place in that order.
//!
//! **Invariant:** nothing is skipped and nothing comes twice without a change, whatever the order in
//! which transactions commit: rows at or after `pg_snapshot_xmin` are not given yet.
//!
//! **Invariant:** a place belongs to one history of the database. One of another history, from the
//! future, or from before tombstones that were forgotten is answered by 426 `sync_start_again`.
//!
//! **Invariant:** documents that are pushed have no member that the server writes.
//!
//! **Invariant:** pushes of one volunteer take turns, and each is one transaction. On `RxDB`'s wire a
//! bad document never fails its neighbours.

mod assignments;
mod campaigns;
mod collection;
mod document;
mod ends;
mod epoch;
mod job;
pub mod leaving;
mod looks;
mod position;
mod push;
mod receipts;
mod rxdb;
mod stream;
mod tags;
mod tail;
mod tickets;
mod turn;
mod watermelon;

use crate::http::Routes;

pub use collection::{Collection, Page};
pub use document::Document;
pub use job::forget_some;
pub use position::{Checkpoint, Position};
pub use stream::Streams;
pub use tags::settle_some as settle_waiting;
pub use tail::Tail;

/// Version of the documents' shapes; it is part of the addresses.
pub const SCHEMA_VERSION: u32 = 0;
/// Documents of one pull or push.
pub const DOCUMENTS_MAX: usize = 1000;
/// Bytes after which a page ends, unless it is one document.
pub const PAGE_BYTES: usize = 1024 * 1024;
/// Days for which withdrawn tags, squares of packs that went, and refusals are kept, so that phones are
/// told. A square is known to have been given for at least as long as looks at it are taken.
pub const TOMBSTONE_DAYS: i32 = 180;
/// Tags that may wait for their look, of one volunteer.
pub const WAITING_TAGS_MAX: i64 = 20_000;
/// Pushed tags that count as one call.
pub const TAGS_PER_CALL: usize = 4;

pub fn routes(config: &mut Routes<'_>) {
    rxdb::routes(config);
    watermelon::routes(config);
    tickets::routes(config);
    stream::routes(config);
}
