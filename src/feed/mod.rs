//! The change feed: looks, tags and decisions about cells in the order of their transactions, and
//! where each reader stands in it.
//!
//! **Invariant:** a row is given only when no transaction that is still open could put another
//! row before it: rows are ordered by `(xid, key of the row)` and taken below
//! `pg_snapshot_xmin(pg_current_snapshot())`. So a late commit is never skipped.
//!
//! **Invariant:** a cursor moves in the transaction that stores what was derived, so a reader
//! that dies in between repeats nothing and misses nothing.

mod queries;

use jiff::Timestamp;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use crate::db::DbError;

pub use queries::{Lag, lag, pending_cells};

/// A place in one table's order; everything up to and including it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The transaction of the row's last change.
    pub xid: i64,
    pub id: Uuid,
    pub volunteer_id: Uuid,
}

/// A place in the order of decisions about cells, which is also the cell that was decided about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decision {
    /// The transaction of the row's last change.
    pub xid: i64,
    pub campaign_id: Uuid,
    pub cell: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub looks: Position,
    pub tags: Position,
    pub decisions: Decision,
}

/// What comes after a cursor.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    pub looks: Vec<LookChange>,
    pub tags: Vec<TagChange>,
    pub decisions: Vec<Decision>,
    /// The cursor after all of it.
    pub next: Cursor,
}

impl Position {
    /// Behind all rows of older transactions.
    pub fn before(xid: i64) -> Self {
        Self {
            xid: xid - 1,
            id: Uuid::max(),
            volunteer_id: Uuid::max(),
        }
    }
}

impl Piece {
    /// Whether it holds no change.
    pub fn is_empty(&self) -> bool {
        self.looks.is_empty() && self.tags.is_empty() && self.decisions.is_empty()
    }

    /// Whether it may have ended at the limit that it was read with.
    pub fn is_whole(&self, limit: i64) -> bool {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let kinds = [self.looks.len(), self.tags.len(), self.decisions.len()];
        kinds.into_iter().any(|changes| changes >= limit)
    }
}

/// A look as the feed gives it.
#[derive(Clone, Debug)]
pub struct LookChange {
    pub at: Position,
    pub campaign_id: Uuid,
    pub cell: i64,
    pub outcome: String,
    pub received_at: Timestamp,
}

/// A tag that was made, edited or withdrawn.
#[derive(Clone, Debug)]
pub struct TagChange {
    pub at: Position,
    pub campaign_id: Uuid,
    pub cell: i64,
}

/// Takes the cursor of a reader for this transaction, or `None` when another process has it.
pub async fn take(db: &impl GenericClient, reader: &str) -> Result<Option<Cursor>, DbError> {
    if let Some(cursor) = queries::lock_cursor(db, reader).await? {
        return Ok(Some(cursor));
    }
    queries::add_reader(db, reader).await?;
    queries::lock_cursor(db, reader).await
}

/// Takes the cursor of a reader for this transaction, when nobody else has it any more: nothing of
/// the feed is read by it meanwhile.
pub async fn hold(db: &impl GenericClient, reader: &str) -> Result<Cursor, DbError> {
    queries::add_reader(db, reader).await?;
    queries::wait_for_cursor(db, reader).await
}

/// The next changes after the cursor, at most `limit` of each kind.
pub async fn read(db: &impl GenericClient, cursor: &Cursor, limit: i64) -> Result<Piece, DbError> {
    let looks = queries::looks_after(db, &cursor.looks, limit).await?;
    let tags = queries::tags_after(db, &cursor.tags, limit).await?;
    let decisions = queries::decisions_after(db, &cursor.decisions, limit).await?;
    let next = Cursor {
        looks: looks.last().map_or(cursor.looks, |look| look.at),
        tags: tags.last().map_or(cursor.tags, |tag| tag.at),
        decisions: decisions.last().copied().unwrap_or(cursor.decisions),
    };
    Ok(Piece {
        looks,
        tags,
        decisions,
        next,
    })
}

/// The next looks after a place, at most `limit`: for readers of looks alone.
pub async fn read_looks(
    db: &impl GenericClient,
    after: &Position,
    limit: i64,
) -> Result<Vec<LookChange>, DbError> {
    queries::looks_after(db, after, limit).await
}

/// Moves the cursor, in the transaction that took it.
pub async fn advance(db: &impl GenericClient, reader: &str, to: &Cursor) -> Result<(), DbError> {
    queries::move_cursor(db, reader, to).await
}
