//! The form of a value in memcached: when it was made, how long it is fresh, and its bytes under
//! a checksum.
//!
//! **Invariant:** bytes that were not written here, or not all of them, are no entry.

use sha2::{Digest, Sha256};

use super::keys::Ages;

/// The first bytes of every entry. They change with the form.
const MARK: &[u8; 4] = b"spo1";
/// Bytes of the hash at the end.
const CHECKSUM_BYTES: usize = 8;
/// Mark, kind, time, freshness.
const HEAD_BYTES: usize = 4 + 1 + 8 + 4;
/// How far another server's clock may be ahead.
const AHEAD_MAX_MS: i64 = 250;

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// When its loading began, in milliseconds since 1970, by the clock of the server that did it.
    pub made_ms: i64,
    pub fresh_ms: u32,
    /// `None` says that there is no such thing.
    pub value: Option<Vec<u8>>,
}

/// What may be done with an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Age {
    /// It may be given.
    Fresh,
    /// It may be given while somebody loads it anew.
    Stale,
    /// It has to be loaded, or found unchanged, before it is given.
    Old,
}

impl Entry {
    pub fn pack(&self) -> Vec<u8> {
        let value = self.value.as_deref().unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEAD_BYTES + value.len() + CHECKSUM_BYTES);
        bytes.extend_from_slice(MARK);
        bytes.push(u8::from(self.value.is_some()));
        bytes.extend_from_slice(&self.made_ms.to_be_bytes());
        bytes.extend_from_slice(&self.fresh_ms.to_be_bytes());
        bytes.extend_from_slice(value);
        let hash = Sha256::digest(&bytes);
        bytes.extend(hash.iter().take(CHECKSUM_BYTES));
        bytes
    }

    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (content, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        if !Sha256::digest(content).starts_with(checksum) {
            return None;
        }
        let (mark, rest) = content.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first()?;
        let (made, rest) = rest.split_first_chunk()?;
        let (fresh, value) = rest.split_first_chunk()?;
        (mark == MARK).then(|| Self {
            made_ms: i64::from_be_bytes(*made),
            fresh_ms: u32::from_be_bytes(*fresh),
            value: (*kind == 1).then(|| value.to_vec()),
        })
    }

    /// An entry from the future is old: clocks differ, and nobody knows by how much.
    pub fn age(&self, now_ms: i64, ages: Ages) -> Age {
        let age_ms = now_ms.saturating_sub(self.made_ms);
        let usable_ms = i64::try_from(ages.usable.as_millis()).unwrap_or(i64::MAX);
        if age_ms < -AHEAD_MAX_MS || age_ms >= usable_ms {
            Age::Old
        } else if age_ms < self.fresh_ms.into() {
            Age::Fresh
        } else {
            Age::Stale
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn entry() -> Entry {
        Entry {
            made_ms: 1_000_000,
            fresh_ms: 500,
            value: Some(b"{\"a\":1}".to_vec()),
        }
    }

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let absent = Entry {
            value: None,
            ..entry()
        };
        let empty = Entry {
            value: Some(Vec::new()),
            ..entry()
        };
        for entry in [entry(), absent, empty] {
            assert_eq!(Entry::parse(&entry.pack()), Some(entry));
        }
    }

    #[test]
    fn a_changed_byte_or_a_missing_one_makes_it_no_entry() {
        let whole = entry().pack();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert_eq!(Entry::parse(&changed), None);
            assert_eq!(Entry::parse(&whole[..at]), None);
        }
    }

    #[test]
    fn an_entry_ages() {
        let ages = Ages {
            fresh: Duration::from_millis(500),
            usable: Duration::from_secs(1),
            kept: Duration::from_mins(1),
        };
        let cases = [
            (-251, Age::Old),
            (-250, Age::Fresh),
            (499, Age::Fresh),
            (500, Age::Stale),
            (999, Age::Stale),
            (1000, Age::Old),
        ];
        for (later_ms, age) in cases {
            assert_eq!(entry().age(1_000_000 + later_ms, ages), age, "{later_ms}");
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_in_memcached_is_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(Entry::parse(&bytes), None);
        }
    }
}
