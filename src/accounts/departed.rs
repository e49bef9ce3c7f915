//! Volunteers who are no longer themselves: forgotten, or joined to another volunteer.
//!
//! Everybody else has no row. Each process keeps all of them in its memory and asks the database
//! once a second for new ones, so that a token costs no statement.
//!
//! **Invariant:** a departure is known at every server within two seconds. While the database does
//! not answer, what was known stays.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sha2::{Digest, Sha256};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::{Volunteer, queries, token::Token};
use crate::db::{Db, DbError};

/// How often a process asks; with the wait for an answer, less than two seconds.
const ASKED_EVERY: Duration = Duration::from_secs(1);
const ANSWER_WITHIN: Duration = Duration::from_millis(700);
/// Departures that one statement gives.
const PAGE: i64 = 10_000;
/// Bytes of a hash as it is stored.
const HASH_BYTES: usize = 16;

/// What became of a volunteer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    Present,
    /// They go on as another volunteer.
    Joined(Volunteer),
    Forgotten,
}

/// A departure as the feed of departures gives it.
#[derive(Clone, Debug)]
pub struct Departure {
    pub xid: i64,
    pub hash: Vec<u8>,
    pub continues_as: Option<Uuid>,
    pub mark: u16,
}

/// Under which name a departure is stored. An id has 74 random bits or more, so that nobody finds it
/// by its hash, and a key that is changed one day would make the hashes useless.
pub fn departure_hash(volunteer: Uuid) -> [u8; HASH_BYTES] {
    let mut hash = Sha256::new();
    hash.update(b"departed volunteer ");
    hash.update(volunteer.as_bytes());
    let bytes = hash.finalize();
    let mut short = [0; HASH_BYTES];
    short.copy_from_slice(&bytes[..HASH_BYTES]);
    short
}

/// What a process knows of them. Cheap to clone.
#[derive(Clone, Default)]
pub struct Departed(Arc<Known>);

#[derive(Default)]
struct Known {
    /// By the first half of the hash.
    by_hash: RwLock<HashMap<u64, Option<Volunteer>>>,
    is_any: AtomicBool,
    /// All transactions before this one were read. Who holds it reads, one after the other, so that
    /// what is older never replaces what is newer.
    read_until: tokio::sync::Mutex<i64>,
}

impl Departed {
    pub fn standing(&self, volunteer: Uuid) -> Standing {
        if !self.0.is_any.load(Ordering::Acquire) {
            return Standing::Present;
        }
        let key = key(&departure_hash(volunteer));
        let known = self.0.by_hash.read();
        match known.unwrap_or_else(PoisonError::into_inner).get(&key) {
            None => Standing::Present,
            Some(Some(joined)) => Standing::Joined(*joined),
            Some(None) => Standing::Forgotten,
        }
    }

    /// As whom the holder of a token acts; nobody when they were forgotten.
    pub fn holder(&self, token: Token) -> Option<Volunteer> {
        match self.standing(token.volunteer) {
            Standing::Present => Some(Volunteer {
                id: token.volunteer,
                mark: token.mark,
            }),
            Standing::Joined(volunteer) => Some(volunteer),
            Standing::Forgotten => None,
        }
    }

    /// Asks the database for what is new.
    pub async fn refresh(&self, db: &Db) -> Result<(), DbError> {
        let mut read_until = self.0.read_until.lock().await;
        let (mut after, mut horizon) = ((*read_until, Vec::new()), None);
        loop {
            let read = db.within(ANSWER_WITHIN, async |conn| {
                queries::departures(conn, after.0, &after.1, PAGE).await
            });
            let (horizon_now, found) = read.await?;
            // What commits while pages are read may lie before the last page, not before the first.
            let first = *horizon.get_or_insert(horizon_now);
            let more = i64::try_from(found.len()).is_ok_and(|count| count >= PAGE);
            if let Some(last) = found.last() {
                after = (last.xid, last.hash.clone());
            }
            self.put(found);
            if !more {
                *read_until = first;
                return Ok(());
            }
        }
    }

    fn put(&self, found: Vec<Departure>) {
        if found.is_empty() {
            return;
        }
        let mut known = self
            .0
            .by_hash
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for departure in found {
            let continues = departure.continues_as.map(|id| Volunteer {
                id,
                mark: departure.mark,
            });
            known.insert(key(&departure.hash), continues);
        }
        self.0.is_any.store(true, Ordering::Release);
    }

    /// Asks again and again.
    pub async fn follow(&self, db: &Db) {
        let mut beat = tokio::time::interval(ASKED_EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut was_answered = true;
        loop {
            beat.tick().await;
            let asked = self.refresh(db).await;
            if let Err(cause) = &asked
                && was_answered
            {
                tracing::warn!(cause = %cause, "departed volunteers cannot be read; those known stay");
            }
            was_answered = asked.is_ok();
        }
    }
}

fn key(hash: &[u8]) -> u64 {
    let first = hash.iter().take(8);
    first.fold(0, |key, byte| key << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn departure(volunteer: Uuid, continues_as: Option<Uuid>) -> Departure {
        Departure {
            xid: 1,
            hash: departure_hash(volunteer).to_vec(),
            continues_as,
            mark: 7,
        }
    }

    #[test]
    fn who_departed_is_told_from_who_did_not() {
        let (departed, [a, b, c]) = (Departed::default(), [(); 3].map(|()| Uuid::now_v7()));
        assert_eq!(departed.standing(a), Standing::Present);
        departed.put(vec![departure(a, Some(c)), departure(b, None)]);
        let joined = Volunteer { id: c, mark: 7 };
        assert_eq!(departed.standing(a), Standing::Joined(joined));
        assert_eq!(departed.standing(b), Standing::Forgotten);
        assert_eq!(departed.standing(c), Standing::Present);
    }

    #[test]
    fn a_token_stands_for_whom_its_volunteer_goes_on_as() {
        let (departed, [a, b]) = (Departed::default(), [(); 2].map(|()| Uuid::now_v7()));
        let token = Token {
            volunteer: a,
            mark: 3,
        };
        assert_eq!(departed.holder(token), Some(Volunteer { id: a, mark: 3 }));
        departed.put(vec![departure(a, Some(b))]);
        assert_eq!(departed.holder(token), Some(Volunteer { id: b, mark: 7 }));
        departed.put(vec![departure(a, None)]);
        assert_eq!(departed.holder(token), None);
    }
}
