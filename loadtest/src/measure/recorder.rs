//! How long answers took, in all and second by second.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use super::{Histogram, float, float_of};

/// Seconds that are kept apart at most.
const SECONDS_MAX: usize = 3600;

/// What came of one measurement.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// What was done: answers, or looks where one answer is of many.
    pub done: u64,
    pub per_second: f64,
    pub times: Histogram,
    pub seconds: Vec<Second>,
}

/// Answers that came in one second.
#[derive(Clone, Debug, Default)]
pub struct Second {
    pub times: Histogram,
}

impl Measured {
    /// The answers of some of its seconds.
    pub fn between(&self, seconds: Range<usize>) -> Self {
        let last = seconds.end.min(self.seconds.len());
        let kept = self.seconds.get(seconds.start..last).unwrap_or_default();
        let mut times = Histogram::default();
        for second in kept {
            times.merge(&second.times);
        }
        Self {
            done: times.count(),
            per_second: float(times.count()) / float_of(kept.len().max(1)),
            times,
            seconds: kept.to_vec(),
        }
    }
}

/// Takes times while something is measured.
#[derive(Clone, Debug)]
pub struct Recorder {
    begin: Instant,
    times: Histogram,
    seconds: Vec<Second>,
}

impl Recorder {
    pub fn new(begin: Instant) -> Self {
        Self {
            begin,
            times: Histogram::default(),
            seconds: Vec::new(),
        }
    }

    /// An answer that came now, of a request that was due at `due`.
    pub fn answered(&mut self, due: Instant) {
        let now = Instant::now();
        let us = now.saturating_duration_since(due).as_micros();
        let us = u64::try_from(us).unwrap_or(u64::MAX);
        self.times.record(us);
        let second = now.saturating_duration_since(self.begin).as_secs();
        let second = usize::try_from(second).map_or(SECONDS_MAX, |second| second.min(SECONDS_MAX));
        if second >= self.seconds.len() {
            self.seconds.resize_with(second + 1, Second::default);
        }
        if let Some(second) = self.seconds.get_mut(second) {
            second.times.record(us);
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.times.merge(&other.times);
        if other.seconds.len() > self.seconds.len() {
            self.seconds
                .resize_with(other.seconds.len(), Second::default);
        }
        for (second, more) in self.seconds.iter_mut().zip(&other.seconds) {
            second.times.merge(&more.times);
        }
    }

    /// What was measured in so long, each answer being of `each` things.
    pub fn finish(mut self, elapsed: Duration, each: u64) -> Measured {
        // The last second is not a whole one.
        let whole = usize::try_from(elapsed.as_secs()).unwrap_or(SECONDS_MAX);
        self.seconds.truncate(whole.max(1));
        let done = self.times.count() * each;
        Measured {
            done,
            per_second: float(done) / elapsed.as_secs_f64().max(1e-6),
            times: self.times,
            seconds: self.seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_when_a_request_was_due() {
        let begin = Instant::now();
        let mut recorder = Recorder::new(begin);
        recorder.answered(begin.checked_sub(Duration::from_secs(3)).unwrap());
        let mut other = Recorder::new(begin);
        other.answered(begin);
        recorder.merge(&other);
        let measured = recorder.finish(Duration::from_secs(2), 100);
        assert_eq!(measured.done, 200);
        assert!((measured.per_second - 100.0).abs() < 1e-9);
        assert!(measured.times.max_ms() >= 3000.0);
        let counted: u64 = measured.seconds.iter().map(|s| s.times.count()).sum();
        assert_eq!(counted, 2);
    }

    #[test]
    fn a_second_that_is_not_whole_is_left_out() {
        let begin = Instant::now();
        let mut recorder = Recorder::new(begin.checked_sub(Duration::from_secs(2)).unwrap());
        recorder.answered(begin);
        let measured = recorder.finish(Duration::from_millis(2500), 1);
        assert_eq!((measured.done, measured.seconds.len()), (1, 2));
    }

    #[test]
    fn some_of_the_seconds_can_be_looked_at() {
        let seconds = [3, 1, 2].map(|answers| {
            let mut second = Second::default();
            (0..answers).for_each(|_| second.times.record(answers * 1000));
            second
        });
        let measured = Measured {
            seconds: seconds.to_vec(),
            ..Measured::default()
        };
        let last = measured.between(1..9);
        assert_eq!((last.done, last.seconds.len()), (3, 2));
        assert!((last.per_second - 1.5).abs() < 1e-9);
        assert_eq!(measured.between(7..9).done, 0);
    }
}
