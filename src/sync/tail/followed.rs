//! How far a server has read the feed, and when. Pure.

use std::{collections::VecDeque, time::Instant};

use super::FRESH;
use crate::sync::Checkpoint;

/// How far the feed was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Followed {
    /// The history that it is of.
    pub epoch: Option<i32>,
    /// Everything of transactions below.
    pub horizon: i64,
    /// When the statement began that read it.
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
}

/// What was read in the last seconds, oldest first, each with when its statement had ended.
#[derive(Default)]
pub struct Readings(VecDeque<(Instant, Followed)>);

impl Readings {
    pub fn last(&self) -> Option<Followed> {
        self.0.back().map(|(_, followed)| *followed)
    }

    /// What was read last, if it is to be believed.
    pub fn fresh(&self, now: Instant) -> Option<Followed> {
        self.last()
            .filter(|followed| now.duration_since(followed.began) < FRESH)
    }

    /// What was read when whatever any server still says from memory was read, or before.
    pub fn told_everywhere(&self, now: Instant) -> Option<Followed> {
        let mut latest_first = self.0.iter().rev();
        let passed = latest_first.find(|(ended, _)| now.duration_since(*ended) >= FRESH);
        passed.map(|(_, followed)| *followed)
    }

    /// Says whether it goes on from what was read before.
    pub fn push(&mut self, followed: Followed, now: Instant) -> bool {
        let goes_on = self
            .last()
            .is_some_and(|before| followed.goes_on_from(&before));
        if !goes_on {
            self.clear();
        }
        self.0.push_back((now, followed));
        let is_passed = |(ended, _): &(Instant, _)| now.duration_since(*ended) >= FRESH;
        while self.0.get(1).is_some_and(is_passed) {
            self.0.pop_front();
        }
        goes_on
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_every_server_knows_was_read_before_whatever_is_still_believed() {
        let zero = Instant::now();
        let at = |secs: f64| zero + Duration::from_secs_f64(secs);
        let mut readings = Readings::default();
        let fresh = FRESH.as_secs_f64();
        for second in 0..60_u8 {
            let began = at(f64::from(second));
            let followed = Followed {
                epoch: Some(1),
                horizon: i64::from(second),
                began,
            };
            let ended = began + Duration::from_millis(500);
            assert_eq!(readings.push(followed, ended), second > 0);
            assert_eq!(readings.fresh(ended), Some(followed));
            let told = readings.told_everywhere(ended).map(|told| told.horizon);
            let expected = f64::from(second) - fresh;
            assert_eq!(told.is_some(), expected >= 0.0, "{second}");
            assert!(
                told.is_none_or(|told| told == i64::from(second) - FRESH.as_secs().cast_signed())
            );
            assert!(readings.0.len() <= 5);
        }
        assert!(readings.fresh(at(59.0 + fresh)).is_none());
        assert_eq!(readings.told_everywhere(at(99.0)), readings.last());
    }

    #[test]
    fn another_history_begins_anew() {
        let now = Instant::now();
        let read = |epoch, horizon| Followed {
            epoch: Some(epoch),
            horizon,
            began: now,
        };
        let mut readings = Readings::default();
        for (followed, goes_on) in [
            (read(1, 10), false),
            (read(1, 10), true),
            (read(1, 11), true),
            (read(2, 12), false),
            (read(2, 11), false),
        ] {
            assert_eq!(readings.push(followed, now), goes_on);
        }
        assert_eq!(readings.0.len(), 1);
    }
}
