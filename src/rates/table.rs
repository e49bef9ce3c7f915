//! What a server knows of callers: bounded, and in pieces, so that calls seldom wait for each other.
//!
//! **Invariant:** no more than [`CALLERS_MAX`] callers are kept, whoever comes. Beyond that one is
//! forgotten for each that is new; what it used stays in the shared number.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{Mutex, PoisonError},
};

use super::share::Share;

/// Callers of all limits together: about 25 MB.
const CALLERS_MAX: usize = 1 << 18;
const PIECES: usize = 64;
const PIECE_MAX: usize = CALLERS_MAX / PIECES;
/// How many are looked at for one that can be forgotten.
const LOOKED_AT: usize = 32;

/// A caller under a limit: a keyed hash, so it needs not be hashed again.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

type Piece = HashMap<u64, Share, BuildHasherDefault<AsItIs>>;

pub struct Table(Box<[Mutex<Piece>]>);

impl Default for Table {
    fn default() -> Self {
        Self((0..PIECES).map(|_| Mutex::default()).collect())
    }
}

impl Table {
    /// Works on the share of a caller in the present window, a new one if need be.
    /// `ends` says when the window that begins now ends.
    pub fn with<T>(
        &self,
        caller: u64,
        now_ms: i64,
        ends: impl FnOnce() -> i64,
        work: impl FnOnce(&mut Share) -> T,
    ) -> T {
        let mut piece = self.piece(caller);
        if let Some(share) = piece.get_mut(&caller) {
            if share.ends_ms <= now_ms {
                // Whoever waits still does so, and says so when they are done.
                let waiting = share.waiting;
                *share = Share::new(ends());
                share.waiting = waiting;
            }
            return work(share);
        }
        if piece.len() >= PIECE_MAX {
            make_room(&mut piece, now_ms);
        }
        work(piece.entry(caller).or_insert_with(|| Share::new(ends())))
    }

    /// Forgets whoever did not come in the present window.
    pub fn sweep(&self, now_ms: i64) {
        for piece in &self.0 {
            let mut piece = piece.lock().unwrap_or_else(PoisonError::into_inner);
            piece.retain(|_, share| share.ends_ms > now_ms || share.waiting > 0);
            if piece.len() < piece.capacity() / 4 {
                piece.shrink_to_fit();
            }
        }
    }

    fn piece(&self, caller: u64) -> std::sync::MutexGuard<'_, Piece> {
        // Not the bits by which the map chooses its places.
        let index = usize::try_from(caller >> 48).unwrap_or_default() % PIECES;
        self.0[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room(piece: &mut Piece, now_ms: i64) {
    let some = || piece.iter().take(LOOKED_AT);
    let ended = some().find(|(_, share)| share.ends_ms <= now_ms);
    let idle = || some().find(|(_, share)| share.waiting == 0);
    if let Some(caller) = ended.or_else(idle).map(|(caller, _)| *caller) {
        piece.remove(&caller);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_window_begins_anew_and_not_a_moment_before() {
        let table = Table::default();
        let left = |now_ms, take| {
            table.with(
                7,
                now_ms,
                || now_ms + 1000,
                |share| {
                    share.take_alone(10, take);
                    share.left(10)
                },
            )
        };
        assert_eq!(left(5000, 4), 6);
        assert_eq!(left(5999, 0), 6);
        assert_eq!(left(6000, 0), 10);
    }

    #[test]
    fn whoever_comes_no_more_than_the_most_are_kept() {
        let table = Table::default();
        let count = || table.0.iter().map(|piece| piece.lock().unwrap().len());
        // All in one piece, which is the worst.
        for caller in 0..u64::try_from(PIECE_MAX + 1).unwrap() {
            table.with(caller, 0, || 1000, |_| ());
        }
        assert_eq!(count().sum::<usize>(), PIECE_MAX);
        table.sweep(1000);
        assert_eq!(count().sum::<usize>(), 0);
    }
}
