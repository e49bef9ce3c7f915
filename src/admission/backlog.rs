//! How long whoever is turned away has to wait: until those before them are answered. Pure.
//!
//! Before them are requests in work, those that wait, and those who were turned away earlier and
//! come back. They are answered at the rate at which the class finished since it became full.

use std::time::{Duration, Instant};

/// Shortest and longest wait that is told, in seconds.
pub const RETRY_SECS_MIN: u32 = 1;
pub const RETRY_SECS_MAX: u32 = 120;

/// After so long the rate is measured anew.
const WINDOW: Duration = Duration::from_secs(5);
/// How long all permits take to come back once, before anything was measured; and at most.
const ROUND: Duration = Duration::from_secs(1);
const ROUND_MAX: Duration = Duration::from_mins(2);
/// A class that turns requests away says so in the log once in this time.
const LOGGED_EVERY: Duration = Duration::from_secs(10);

/// Of one class, since somebody had to wait.
pub struct Backlog {
    since: Instant,
    /// How many had finished then.
    finished: u64,
    /// How long `limit` requests take, by what was measured before: as much is known at first.
    round: Duration,
    /// Who was turned away and has not had their turn yet.
    away: f64,
    counted_at: Instant,
    logged_at: Option<Instant>,
}

/// What a class is at a moment.
#[derive(Clone, Copy)]
pub struct Load {
    /// Requests that were finished since the process began.
    pub finished: u64,
    pub limit: u32,
    /// In work and waiting.
    pub here: u32,
}

impl Backlog {
    pub fn new(now: Instant) -> Self {
        Self {
            since: now,
            finished: 0,
            round: ROUND,
            away: 0.0,
            counted_at: now,
            logged_at: None,
        }
    }

    /// The class became full: somebody waits, and nobody did.
    pub fn begin(&mut self, now: Instant, load: Load) {
        self.measure(now, load);
        self.away = 0.0;
        self.counted_at = now;
    }

    /// Somebody is turned away: seconds until their turn.
    pub fn turn_away(&mut self, now: Instant, load: Load) -> u32 {
        let rate = self.rate(now, load);
        if now.duration_since(self.since) > WINDOW {
            self.round = Duration::from_secs_f64(f64::from(load.limit) / rate).min(ROUND_MAX);
            self.measure(now, load);
        }
        let answered = rate * now.duration_since(self.counted_at).as_secs_f64();
        self.away = (self.away - answered).max(0.0);
        self.counted_at = now;
        let secs = ((f64::from(load.here) + self.away) / rate).ceil();
        if secs > f64::from(RETRY_SECS_MAX) {
            return RETRY_SECS_MAX;
        }
        self.away += 1.0;
        whole(secs).clamp(RETRY_SECS_MIN, RETRY_SECS_MAX)
    }

    /// Whether it is time to write into the log that requests are turned away.
    pub fn is_news(&mut self, now: Instant) -> bool {
        let is_news = self
            .logged_at
            .is_none_or(|logged_at| now.duration_since(logged_at) >= LOGGED_EVERY);
        if is_news {
            self.logged_at = Some(now);
        }
        is_news
    }

    fn measure(&mut self, now: Instant, load: Load) {
        self.since = now;
        self.finished = load.finished;
    }

    /// Requests a second. What was known before weighs as much as one round of all permits.
    fn rate(&self, now: Instant, load: Load) -> f64 {
        let finished = u32::try_from(load.finished - self.finished).unwrap_or(u32::MAX);
        let took = now.duration_since(self.since) + self.round;
        let least = Duration::from_millis(1);
        (f64::from(finished) + f64::from(load.limit)) / took.max(least).as_secs_f64()
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the longest wait"
)]
fn whole(secs: f64) -> u32 {
    secs as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn load(finished: u64, here: u32) -> Load {
        Load {
            finished,
            limit: 10,
            here,
        }
    }

    fn after(start: Instant, secs: f64) -> Instant {
        start + Duration::from_secs_f64(secs)
    }

    #[test]
    fn who_is_turned_away_waits_until_those_before_are_answered() {
        let start = Instant::now();
        let mut backlog = Backlog::new(start);
        backlog.begin(start, load(0, 10));
        // Ten a second are answered; twenty are here, and each who is turned away comes later.
        let told: Vec<u32> = (0..100)
            .map(|_| backlog.turn_away(start, load(0, 20)))
            .collect();
        assert_eq!(told[0], 2);
        assert_eq!(told[99], 12);
        assert!(told.is_sorted());
    }

    #[test]
    fn whoever_has_had_their_turn_is_not_counted_any_more() {
        let start = Instant::now();
        let mut backlog = Backlog::new(start);
        backlog.begin(start, load(0, 10));
        for _ in 0..50 {
            backlog.turn_away(start, load(0, 20));
        }
        // Two seconds later twenty were answered.
        assert_eq!(backlog.turn_away(after(start, 2.0), load(20, 20)), 5);
        backlog.begin(after(start, 3.0), load(30, 10));
        assert_eq!(backlog.turn_away(after(start, 3.0), load(30, 20)), 2);
    }

    #[test]
    fn the_wait_grows_while_nothing_is_answered_and_has_an_end() {
        let start = Instant::now();
        let mut backlog = Backlog::new(start);
        backlog.begin(start, load(0, 10));
        let told: Vec<u32> = (0..100)
            .map(|secs| backlog.turn_away(after(start, f64::from(secs)), load(0, 20)))
            .collect();
        assert!(told.is_sorted(), "{told:?}");
        assert_eq!(told[99], RETRY_SECS_MAX);
    }

    #[test]
    fn the_wait_is_never_shorter_than_a_second() {
        let start = Instant::now();
        let mut backlog = Backlog::new(start);
        backlog.begin(start, load(0, 10));
        let quick = backlog.turn_away(after(start, 1.0), load(100_000, 20));
        assert_eq!(quick, RETRY_SECS_MIN);
    }

    #[test]
    fn what_was_measured_is_remembered_for_the_next_time() {
        let start = Instant::now();
        let mut backlog = Backlog::new(start);
        backlog.begin(start, load(0, 10));
        // A hundred a second for six seconds.
        backlog.turn_away(after(start, 6.0), load(600, 20));
        backlog.begin(after(start, 60.0), load(700, 10));
        for _ in 0..60 {
            backlog.turn_away(after(start, 60.0), load(700, 20));
        }
        assert_eq!(backlog.turn_away(after(start, 60.0), load(700, 20)), 1);
    }

    #[test]
    fn the_log_hears_of_it_now_and_then() {
        let start = Instant::now();
        let mut backlog = Backlog::new(start);
        assert!(backlog.is_news(start));
        assert!(!backlog.is_news(after(start, 9.0)));
        assert!(backlog.is_news(after(start, 10.0)));
    }
}
