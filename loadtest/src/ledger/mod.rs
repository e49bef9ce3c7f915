//! What clients sent and what they were told, to be compared with what the database holds.
//!
//! Each look has a number. Its id and tags, and where these are, follow from number and cell; so a
//! ledger of a million looks stays small.
//!
//! **Invariant:** a look is entered before it is sent, and is acknowledged only by an answer that
//! says so.

mod checker;
mod content;

use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

pub use checker::check;
pub use content::{
    DECIMALS, FINISHED_AT, STARTED_AT, TAG_TYPE, look_id, number, outcome, tag_id, tag_number,
    tag_place,
};

use crate::campaign::Cell;

/// Tags of one look at most: each has its own bits in the ids.
pub const TAGS_MAX: u8 = 7;

/// The looks of one campaign.
#[derive(Default)]
pub struct Ledger {
    entries: Mutex<Vec<Entry>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    volunteer: Uuid,
    cell: Cell,
    tags: u8,
    is_acknowledged: bool,
}

impl Ledger {
    /// Enters a look that is going to be sent; gives its number.
    pub fn enter(&self, volunteer: Uuid, cell: Cell, tags: u8) -> u64 {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push(Entry {
            volunteer,
            cell,
            tags: tags.min(TAGS_MAX),
            is_acknowledged: false,
        });
        u64::try_from(entries.len() - 1).unwrap_or(u64::MAX)
    }

    /// Looks that were entered.
    pub fn count(&self) -> u64 {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        u64::try_from(entries.len()).unwrap_or(u64::MAX)
    }

    /// The client was told that the look is stored.
    pub fn acknowledge(&self, number: u64) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(entry) = entries.get_mut(index) {
            entry.is_acknowledged = true;
        }
    }

    /// The look of a number as JSON.
    pub fn write(&self, number: u64, body: &mut Vec<u8>) {
        let entry = {
            let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            let index = usize::try_from(number).unwrap_or(usize::MAX);
            entries.get(index).copied()
        };
        if let Some(entry) = entry {
            content::write(number, entry.cell, entry.tags, body);
        }
    }

    fn copy(&self) -> Vec<Entry> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clone()
    }
}
