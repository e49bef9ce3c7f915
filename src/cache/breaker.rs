//! When to leave a memcached alone: after failures in a row it is not asked for a while, then one
//! exchange finds out whether it is back.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

/// Failures in a row after which a node is left alone.
const FAILURES_MAX: u32 = 5;
/// How long it is left alone before the next trial.
const REST: Duration = Duration::from_secs(1);

/// Times are those since some moment that stays the same.
#[derive(Debug, Default)]
pub struct Breaker {
    failures: AtomicU32,
    trial_at_ms: AtomicU64,
}

impl Breaker {
    /// Whether the node may be asked now. While it is left alone, one caller a rest may.
    pub fn admits(&self, now: Duration) -> bool {
        if self.failures.load(Ordering::Relaxed) < FAILURES_MAX {
            return true;
        }
        let due = self.trial_at_ms.load(Ordering::Relaxed);
        let now_ms = millis(now);
        now_ms >= due
            && self
                .trial_at_ms
                .compare_exchange(
                    due,
                    now_ms + millis(REST),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok()
    }

    /// Notes an answer; whether the node was left alone until now.
    pub fn succeeded(&self) -> bool {
        self.failures.load(Ordering::Relaxed) != 0
            && self.failures.swap(0, Ordering::Relaxed) >= FAILURES_MAX
    }

    /// Notes a failure; whether the node is left alone from now on.
    pub fn failed(&self, now: Duration) -> bool {
        let before = self
            .failures
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |failures| {
                Some(failures.saturating_add(1))
            });
        let began = before.is_ok_and(|before| before + 1 == FAILURES_MAX);
        if began {
            self.trial_at_ms
                .store(millis(now + REST), Ordering::Relaxed);
        }
        began
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn broken() -> Breaker {
        let breaker = Breaker::default();
        for _ in 0..FAILURES_MAX - 1 {
            assert!(!breaker.failed(ms(100)));
            assert!(breaker.admits(ms(100)));
        }
        assert!(breaker.failed(ms(100)));
        breaker
    }

    #[test]
    fn after_failures_in_a_row_a_node_is_left_alone() {
        let breaker = broken();
        assert!(!breaker.admits(ms(100)));
        assert!(!breaker.admits(ms(1099)));
    }

    #[test]
    fn one_trial_a_rest_finds_out_whether_it_is_back() {
        let breaker = broken();
        assert!(breaker.admits(ms(1100)));
        assert!(!breaker.admits(ms(1100)), "one caller tries");
        breaker.failed(ms(1200));
        assert!(!breaker.admits(ms(2099)));
        assert!(breaker.admits(ms(2100)));
        assert!(breaker.succeeded());
        assert!(breaker.admits(ms(2101)) && breaker.admits(ms(2101)));
    }

    #[test]
    fn an_answer_in_between_begins_the_count_anew() {
        let breaker = Breaker::default();
        for _ in 0..20 {
            breaker.failed(ms(0));
            breaker.failed(ms(0));
            assert!(!breaker.succeeded());
        }
        assert!(breaker.admits(ms(0)));
    }
}
