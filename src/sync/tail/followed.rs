//! How far a server has read the feed, and when. Pure.

use std::time::Instant;

use crate::sync::{Checkpoint, Position};

/// How far the feed was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Followed {
    /// The history that it is of.
    pub epoch: Option<i32>,
    /// Everything of transactions below.
    pub horizon: i64,
    /// Just before the statement began that read it.
    pub began: Instant,
}

impl Followed {
    /// Whether this is later in the same history.
    pub fn goes_on_from(&self, before: &Self) -> bool {
        self.epoch == before.epoch && self.horizon >= before.horizon
    }

    /// Whether nothing is known of this place but what is in the feed.
    pub fn has(&self, from: &Checkpoint) -> bool {
        let is_ours = from.epoch.is_none() || from.epoch == self.epoch;
        is_ours && from.at.xid < self.horizon && from.known_below <= self.horizon
    }

    /// The place up to which everything was read.
    pub fn place(&self) -> Checkpoint {
        Checkpoint {
            epoch: self.epoch,
            at: Position {
                xid: self.horizon - 1,
                id: uuid::Uuid::max(),
            },
            known_below: 0,
            is_end: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_history_or_an_earlier_time_does_not_go_on() {
        let began = Instant::now();
        let read = |epoch, horizon| Followed {
            epoch: Some(epoch),
            horizon,
            began,
        };
        let before = read(1, 10);
        for (followed, goes_on) in [
            (read(1, 10), true),
            (read(1, 11), true),
            (read(1, 9), false),
            (read(2, 11), false),
        ] {
            assert_eq!(followed.goes_on_from(&before), goes_on, "{followed:?}");
        }
    }

    #[test]
    fn a_place_of_another_history_or_from_the_future_is_not_known() {
        let followed = Followed {
            epoch: Some(1),
            horizon: 10,
            began: Instant::now(),
        };
        let place = |epoch, xid, known_below| Checkpoint {
            epoch,
            at: Position {
                xid,
                id: uuid::Uuid::nil(),
            },
            known_below,
            is_end: true,
        };
        assert!(followed.has(&Checkpoint::default()));
        assert!(followed.has(&followed.place()));
        assert!(followed.has(&place(Some(1), 9, 10)));
        assert!(!followed.has(&place(Some(1), 10, 10)));
        assert!(!followed.has(&place(Some(1), 9, 11)));
        assert!(!followed.has(&place(Some(2), 9, 10)));
    }
}
