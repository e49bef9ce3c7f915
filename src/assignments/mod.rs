//! Assignments: where to look next.
//!
//! Each campaign has a deck of piles, 4 × 4 cells each. A server claims piles, deals from them in
//! memory, and puts them back with a ledger of who was given what. ARCHITECTURE.md ("The deck")
//! explains it.
//!
//! **Invariant:** no volunteer is given a cell twice while another open cell is left for them.
//!
//! **Invariant:** looks by distinct volunteers and live leases of a cell together never exceed
//! the looks wanted at the moment of dealing, but for the tail: when nothing else is open for a
//! volunteer, a cell whose holders have been idle for a minute is given once more, two times beyond
//! the looks wanted at most.
//!
//! **Invariant:** a pile is in one hand at a time. Nothing is locked between requests: a hand is
//! a claim that lapses by itself, and whoever held it too long can store nothing.
//!
//! A lease only reserves. When it ends, the cell can be given to somebody else, and a look that
//! comes late still counts.

mod card;
mod dealer;
mod deck;
mod hand;
mod handlers;
mod held;
mod history;
mod lay;
pub mod leaving;
mod ledger;
mod near;
mod order;
mod queries;
mod rules;
#[cfg(test)]
mod tests;
mod turn;
mod unsettled;

use jiff::Timestamp;
use uuid::Uuid;

pub use dealer::Dealer;
pub use handlers::routes;
pub use history::{forget_ended, give_back, keep, leases, were_given};
pub use lay::{NewPile, lay, nudge, piles, wanted_changed};
pub use order::{PILE_ZOOMS, WEIGHT_DEFAULT};
pub use queries::{RenewedLease, renewed_leases};

use crate::geo::Tile;

/// Cells of one deal.
pub const COUNT_MAX: u16 = 50;
/// How many distinct volunteers must report bad imagery before a cell is not given any more.
pub const BAD_IMAGERY_REPORTS: i16 = 3;
/// How long somebody may take for a cell, or for each of several, before they count as idle and the
/// cell is given to somebody who finds nothing else. Who asks for a lease of their own does not
/// count as idle before its end.
const TAIL_PATIENCE_SECS: u32 = 60;
/// How many leases beyond the looks wanted the tail may take for a cell.
const TAIL_EXTRA: u16 = 2;
/// How far `near` reaches, in cells, and what it counts as close: the latter is given from the
/// hand, whatever the table may have nearer.
const NEAR_CELLS: u64 = 12;
const NEAR_CLOSE: u64 = 4;
/// Piles each way in which cells so far away lie.
const NEAR_RINGS: u32 = 3;

/// An offer of a cell.
#[derive(Clone, Copy, Debug)]
pub struct Assignment {
    pub cell: Tile,
    pub lease_expires_at: Timestamp,
    pub reason: Reason,
    /// The imagery layer that the cell has instead of the campaign's.
    pub layer: Option<Uuid>,
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
    pub const ALL: [Self; 5] = [
        Self::New,
        Self::Priority,
        Self::Near,
        Self::Tail,
        Self::Again,
    ];

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

/// What a volunteer wishes for.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub count: u16,
    pub near: Option<Tile>,
    /// How long the cells are to be reserved, instead of the campaign's lease.
    pub lease_secs: Option<u32>,
}

/// What a volunteer is given.
#[derive(Clone, Debug, Default)]
pub struct Deal {
    pub assignments: Vec<Assignment>,
    /// When nothing was given because others have the last cells: when the first can be had.
    pub retry_after_secs: Option<i64>,
}
