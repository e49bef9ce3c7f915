//! What is not settled between a server and the table of piles, after the database failed in the
//! middle of an exchange.
//!
//! **Invariant:** nothing is dealt from piles that are here.

use std::time::{Duration, Instant};

use super::card::Pile;
use crate::geo::CellId;

/// Rest after something failed.
const REST: Duration = Duration::from_millis(500);
/// For so long a statement whose connection was lost may still be carried out.
const DOUBT: Duration = Duration::from_secs(1);

/// Piles that have to be stored or freed.
#[derive(Default)]
pub struct Unsettled {
    /// Laid down, and could not be stored.
    unstored: Vec<Pile>,
    /// Claimed, and could not be read.
    unread: Vec<i64>,
    /// When a claim failed of which nobody knows what it took.
    doubted_at: Option<Instant>,
    failed_at: Option<Instant>,
}

impl Unsettled {
    /// Keeps piles that could not be stored until they can.
    pub fn keep_unstored(&mut self, piles: Vec<Pile>) {
        self.failed_at = Some(Instant::now());
        self.unstored.extend(piles);
    }

    pub fn take_unstored(&mut self) -> Vec<Pile> {
        std::mem::take(&mut self.unstored)
    }

    pub fn unstored(&self) -> impl Iterator<Item = CellId> {
        self.unstored.iter().map(|pile| pile.id)
    }

    /// Keeps in mind what was claimed and could not be read, to free it.
    pub fn keep_unread(&mut self, piles: impl IntoIterator<Item = i64>) {
        self.failed_at = Some(Instant::now());
        self.unread.extend(piles);
    }

    pub fn take_unread(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.unread)
    }

    /// Keeps in mind that the table may name this server as holder of piles that it does not know.
    pub fn doubt(&mut self) {
        self.failed_at = Some(Instant::now());
        self.doubted_at = self.failed_at;
    }

    pub fn is_in_doubt(&self) -> bool {
        self.doubted_at.is_some()
    }

    /// What this server does not know was freed; after a while there can be no more of it.
    pub fn freed(&mut self) {
        self.doubted_at = self.doubted_at.filter(|at| at.elapsed() < DOUBT);
    }

    /// Whether there is anything, and if so, whether it is time to try again.
    pub fn is_due(&self) -> Option<bool> {
        let is_any = !self.unstored.is_empty() || !self.unread.is_empty() || self.is_in_doubt();
        is_any.then(|| self.failed_at.is_none_or(|at| at.elapsed() > REST))
    }
}
