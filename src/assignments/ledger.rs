//! Who was given which cell of a pile and has not answered, as the database keeps it: pure.
//!
//! Bytes: the version, then for each cell that has entries its place in the pile (`4·dx + dy`),
//! the number of entries, and the entries, oldest first: key of the volunteer (8), from when on the
//! volunteer counts as idle (4) and when the lease ends (4), both in seconds since 1970, big-endian.
//!
//! **Invariant:** what is written is read back the same; hostile bytes give an error.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::order::PILE_ZOOMS;
use crate::geo::{CellId, Tile};

const VERSION: u8 = 1;
const ENTRY_BYTES: usize = 16;
/// Entries that are kept of a cell; the oldest are forgotten first. Whoever was forgotten may be
/// given the cell again.
pub const ENTRIES_MAX: usize = 255;

/// A volunteer in a ledger: 64 of the bits of their id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub struct VolunteerKey(u64);

impl From<Uuid> for VolunteerKey {
    fn from(id: Uuid) -> Self {
        let (high, low) = id.as_u64_pair();
        Self(high.rotate_left(32) ^ low)
    }
}

/// Seconds since 1970, until 2106.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd)]
pub struct Seconds(u32);

impl Seconds {
    pub fn plus(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    pub fn since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }

    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_second(i64::from(self.0)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl From<Timestamp> for Seconds {
    fn from(time: Timestamp) -> Self {
        Self(u32::try_from(time.as_second()).unwrap_or_default())
    }
}

/// A cell was given to a volunteer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Given {
    pub to: VolunteerKey,
    /// From when on the volunteer counts as idle.
    pub idle_at: Seconds,
    pub lease_ends: Seconds,
}

/// The entries of a pile by cell, oldest first.
pub type Ledger = BTreeMap<CellId, Vec<Given>>;

/// Why bytes are no ledger.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the ledger of a pile is damaged")]
pub struct Damaged;

/// Moves the end of a volunteer's lease, or notes it anew when it was forgotten. Until then they do
/// not count as idle.
pub fn renew(entries: &mut Vec<Given>, to: VolunteerKey, lease_ends: Seconds) {
    match entries.iter_mut().find(|given| given.to == to) {
        Some(given) => {
            given.lease_ends = given.lease_ends.max(lease_ends);
            given.idle_at = given.idle_at.max(lease_ends);
        }
        None => entries.push(Given {
            to,
            idle_at: lease_ends,
            lease_ends,
        }),
    }
}

/// A lease that was renewed, or was given back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Renewal {
    Until(Seconds),
    /// With the ends of the lease that was given back, and of the one before that it took over from.
    /// A lease that ends at another time was given since.
    Returned([Seconds; 2]),
}

/// Ends the lease of a volunteer if it is one of those that were given back. That they know the
/// cell is not forgotten.
pub fn end(entries: &mut [Given], to: VolunteerKey, returned: [Seconds; 2]) {
    let given = entries.iter_mut().find(|given| given.to == to);
    if let Some(given) = given.filter(|given| returned.contains(&given.lease_ends)) {
        given.lease_ends = Seconds::default();
        given.idle_at = Seconds::default();
    }
}

/// Carries out what became of a lease.
pub fn apply(entries: &mut Vec<Given>, to: VolunteerKey, renewal: Renewal) {
    match renewal {
        Renewal::Until(ends) => renew(entries, to, ends),
        Renewal::Returned(ends) => end(entries, to, ends),
    }
}

pub fn encode<'a>(cells: impl IntoIterator<Item = (CellId, &'a [Given])>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (cell, entries) in cells {
        let kept = entries.len().min(ENTRIES_MAX);
        let Ok(count) = u8::try_from(kept) else {
            continue;
        };
        if count == 0 {
            continue;
        }
        if bytes.is_empty() {
            bytes.push(VERSION);
        }
        bytes.extend([place_in_pile(cell), count]);
        for entry in entries.iter().skip(entries.len() - kept) {
            bytes.extend(entry.to.0.to_be_bytes());
            bytes.extend(entry.idle_at.0.to_be_bytes());
            bytes.extend(entry.lease_ends.0.to_be_bytes());
        }
    }
    bytes
}

pub fn decode(pile: CellId, bytes: &[u8]) -> Result<Ledger, Damaged> {
    let mut ledger = Ledger::new();
    let Some((version, mut rest)) = bytes.split_first() else {
        return Ok(ledger);
    };
    if *version != VERSION {
        return Err(Damaged);
    }
    while let [place, count, tail @ ..] = rest {
        let (entries, after) = tail
            .split_at_checked(usize::from(*count) * ENTRY_BYTES)
            .ok_or(Damaged)?;
        let cell = cell_at(pile, *place).ok_or(Damaged)?;
        let entries = entries
            .chunks_exact(ENTRY_BYTES)
            .map(read_entry)
            .collect::<Result<_, _>>()?;
        if ledger.insert(cell, entries).is_some() {
            return Err(Damaged);
        }
        rest = after;
    }
    if rest.is_empty() {
        Ok(ledger)
    } else {
        Err(Damaged)
    }
}

fn read_entry(bytes: &[u8]) -> Result<Given, Damaged> {
    let (key, times) = bytes.split_first_chunk::<8>().ok_or(Damaged)?;
    let (idle, times) = times.split_first_chunk::<4>().ok_or(Damaged)?;
    let (ends, _) = times.split_first_chunk::<4>().ok_or(Damaged)?;
    Ok(Given {
        to: VolunteerKey(u64::from_be_bytes(*key)),
        idle_at: Seconds(u32::from_be_bytes(*idle)),
        lease_ends: Seconds(u32::from_be_bytes(*ends)),
    })
}

fn place_in_pile(cell: CellId) -> u8 {
    let (tile, across) = (cell.tile(), 1 << PILE_ZOOMS);
    u8::try_from(across * (tile.x() % across) + tile.y() % across).unwrap_or_default()
}

fn cell_at(pile: CellId, place: u8) -> Option<CellId> {
    let (tile, across) = (pile.tile(), 1 << PILE_ZOOMS);
    let (dx, dy) = (u32::from(place) / across, u32::from(place) % across);
    if dx >= across {
        return None;
    }
    let (x, y) = (tile.x() * across + dx, tile.y() * across + dy);
    Tile::new(tile.z() + PILE_ZOOMS, x, y)
        .ok()
        .map(CellId::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::order::cells_of, *};

    fn pile() -> CellId {
        CellId::from(Tile::new(15, 7000, 9000).unwrap())
    }

    fn any_given() -> impl Strategy<Value = Given> {
        (any::<u64>(), any::<u32>(), any::<u32>()).prop_map(|(to, idle, ends)| Given {
            to: VolunteerKey(to),
            idle_at: Seconds(idle),
            lease_ends: Seconds(ends),
        })
    }

    fn encode_ledger(ledger: &Ledger) -> Vec<u8> {
        encode(ledger.iter().map(|(cell, given)| (*cell, given.as_slice())))
    }

    #[test]
    fn the_newest_255_entries_of_a_cell_are_kept() {
        let cell = cells_of(pile()).next().unwrap();
        let entry = |n| Given {
            to: VolunteerKey(n),
            idle_at: Seconds(1),
            lease_ends: Seconds(2),
        };
        for (count, first) in [(255, 0), (256, 1)] {
            let ledger = Ledger::from([(cell, (0..count).map(entry).collect())]);
            let read = decode(pile(), &encode_ledger(&ledger)).unwrap();
            assert_eq!(read[&cell].len(), 255);
            assert_eq!(read[&cell][0], entry(first));
        }
    }

    #[test]
    fn only_a_lease_that_was_given_back_ends() {
        let at = |secs| Seconds(secs);
        let (to, other) = (VolunteerKey(1), VolunteerKey(2));
        let given = |to, ends| Given {
            to,
            idle_at: at(ends),
            lease_ends: at(ends),
        };
        for (ends, left) in [(60, 0), (900, 0), (700, 700), (901, 901)] {
            let mut entries = vec![given(other, 900), given(to, ends)];
            apply(&mut entries, to, Renewal::Returned([at(60), at(900)]));
            assert_eq!(entries, [given(other, 900), given(to, left)]);
        }
    }

    #[test]
    fn an_empty_ledger_takes_no_bytes() {
        assert!(encode_ledger(&Ledger::new()).is_empty());
        assert_eq!(decode(pile(), &[]).unwrap(), Ledger::new());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            entries in prop::collection::vec(prop::collection::vec(any_given(), 0..5), 16),
        ) {
            let ledger: Ledger = cells_of(pile())
                .zip(entries)
                .filter(|(_, given)| !given.is_empty())
                .collect();
            prop_assert_eq!(decode(pile(), &encode_ledger(&ledger)).unwrap(), ledger);
        }

        #[test]
        fn hostile_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(ledger) = decode(pile(), &bytes) {
                for cell in ledger.keys() {
                    prop_assert!(cells_of(pile()).any(|known| known == *cell));
                }
            }
        }
    }
}
