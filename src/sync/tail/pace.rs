//! When the feed is read. Pure.
//!
//! A pull that finds nothing new in memory waits for a reading that began after it came. One that comes
//! alone has one at once; those of a crowd share one, and none waits long for it to begin.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// From one reading to the next while there is a crowd, or the database did not answer.
pub const APART: Duration = Duration::from_millis(100);
/// Pulls within [`APART`] that are a crowd.
pub const CROWD: usize = 16;
/// Pulls that do not wait for more to come.
pub const TOGETHER: usize = 100;
/// A reading that takes longer is not waited for by those who come later.
pub const SLOW: Duration = Duration::from_millis(500);
/// From one reading to the next while somebody listens.
pub const LISTENED: Duration = Duration::from_millis(250);

#[derive(Default)]
pub struct Pace {
    /// When the last pulls came, [`CROWD`] at most, oldest first.
    came: VecDeque<Instant>,
    /// Pulls that came since the last reading began.
    waiting: usize,
    began: Option<Instant>,
    is_under_way: bool,
    has_failed: bool,
}

impl Pace {
    /// A pull needs a reading that begins from now on.
    pub fn ask(&mut self, now: Instant) {
        self.waiting += 1;
        self.came.push_back(now);
        if self.came.len() > CROWD {
            self.came.pop_front();
        }
    }

    /// A reading begins.
    pub fn begin(&mut self, now: Instant) {
        self.waiting = 0;
        self.began = Some(now);
        self.is_under_way = true;
    }

    /// A reading ended.
    pub fn end(&mut self, is_read: bool) {
        self.is_under_way = false;
        self.has_failed = !is_read;
    }

    /// Whether nobody should wait for the next reading: the last one failed, or takes too long.
    pub fn is_hopeless(&self, now: Instant) -> bool {
        let is_slow = |began: Instant| now.duration_since(began) >= SLOW;
        self.has_failed || self.is_under_way && self.began.is_some_and(is_slow)
    }

    /// When the next reading is to begin, if anybody needs one.
    pub fn due(&self, is_listened: bool, now: Instant) -> Option<Instant> {
        let after = |rest| self.began.map_or(now, |began| began + rest);
        match self.waiting {
            0 => is_listened.then(|| after(LISTENED)),
            TOGETHER.. if !self.has_failed => Some(now),
            _ if self.has_failed || self.is_crowd(now) => Some(after(APART)),
            _ => Some(now),
        }
    }

    fn is_crowd(&self, now: Instant) -> bool {
        let first = self.came.front().filter(|_| self.came.len() == CROWD);
        first.is_some_and(|first| now.duration_since(*first) < APART)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    /// Lets pulls come at a steady rate for ten seconds, readings take two milliseconds: how many
    /// pulls one reading answers, and the longest wait of a pull for its reading.
    fn play(pulls_per_second: u32) -> (u32, Duration) {
        let between = Duration::from_secs(1) / pulls_per_second;
        let begun = Instant::now();
        let mut pace = Pace::default();
        let (mut pulls, mut readings) = (0, 0);
        let (mut now, mut next_pull, mut free) = (begun, begun, begun);
        let mut oldest = None;
        let mut longest = Duration::ZERO;
        while now < begun + Duration::from_secs(10) {
            while next_pull <= now {
                pace.ask(next_pull);
                oldest = oldest.or(Some(next_pull));
                next_pull += between;
                pulls += 1;
            }
            if free <= now && pace.due(false, now).is_some_and(|due| due <= now) {
                pace.begin(now);
                pace.end(true);
                readings += 1;
                longest = longest.max(now - oldest.take().unwrap());
                free = now + 2 * MILLI;
            }
            now += MILLI;
        }
        (pulls / readings, longest)
    }

    #[test]
    fn one_reading_answers_many_of_a_crowd_and_whoever_is_alone_does_not_wait() {
        for (rate, shared, longest) in [
            (1, 1, Duration::ZERO),
            (100, 1, Duration::ZERO),
            (500, 40, APART),
            (1000, 80, APART),
            (10_000, 80, 12 * MILLI),
        ] {
            let (together, waited) = play(rate);
            assert!(together >= shared, "{rate}: {together}");
            assert!(waited <= longest, "{rate}: {waited:?}");
        }
    }

    #[test]
    fn so_many_pulls_are_a_crowd_and_one_less_is_none() {
        let now = Instant::now();
        for (count, rest) in [(CROWD - 1, Duration::ZERO), (CROWD, APART)] {
            let mut pace = Pace::default();
            pace.begin(now);
            (0..count).for_each(|_| pace.ask(now));
            assert_eq!(pace.due(false, now), Some(now + rest), "{count}");
            // They came too long ago.
            let later = now + APART;
            assert_eq!(pace.due(false, later), Some(later));
        }
    }

    #[test]
    fn so_many_do_not_wait_for_more() {
        let now = Instant::now();
        for (count, rest) in [(TOGETHER - 1, APART), (TOGETHER, Duration::ZERO)] {
            let mut pace = Pace::default();
            pace.begin(now);
            (0..count).for_each(|_| pace.ask(now));
            assert_eq!(pace.due(false, now), Some(now + rest), "{count}");
        }
    }

    #[test]
    fn nobody_waits_behind_a_slow_reading_or_a_failed_one() {
        let now = Instant::now();
        let mut pace = Pace::default();
        assert!(!pace.is_hopeless(now));
        pace.begin(now);
        let slow = now + SLOW;
        assert!(!pace.is_hopeless(slow.checked_sub(MILLI).unwrap()));
        assert!(pace.is_hopeless(slow));
        pace.end(true);
        assert!(!pace.is_hopeless(now + SLOW));
        pace.begin(now + SLOW);
        pace.end(false);
        assert!(pace.is_hopeless(now + SLOW));
    }

    #[test]
    fn nothing_is_read_for_nobody_and_a_database_that_is_away_is_left_in_peace() {
        let now = Instant::now();
        let mut pace = Pace::default();
        assert_eq!(pace.due(false, now), None);
        assert_eq!(pace.due(true, now), Some(now));
        pace.begin(now);
        assert_eq!(pace.due(false, now), None);
        assert_eq!(pace.due(true, now), Some(now + LISTENED));
        pace.end(false);
        for count in 1..=TOGETHER {
            pace.ask(now);
            assert_eq!(pace.due(false, now), Some(now + APART), "{count}");
        }
        pace.end(true);
        assert_eq!(pace.due(false, now), Some(now));
    }
}
