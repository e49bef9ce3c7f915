//! Asking the number that all servers share, and giving back what is not needed.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::{sleep, timeout};

use super::{
    Caller, Rates,
    limit::{Limit, Rule, Standing},
    lock,
    share::{Share, is_leased},
};
use crate::cache::Tally;

/// Longest wait of a call for others of the same caller who ask. Beyond it the server decides alone.
pub const TURN_WAIT: Duration = Duration::from_millis(250);
/// How often a server looks for callers whose leases are called back, and gives back what it does
/// not need.
const TIDY_EVERY: Duration = Duration::from_millis(100);
/// In this time all servers have given back what was called back. Who would be refused earlier waits
/// until then, once, and asks again.
const RECALL_WAIT_MS: i64 = 300;
/// How far apart the clocks of servers are when they look for such callers.
const RECALL_SLACK_MS: i64 = 300;
/// Recalled callers that one server looks at each time.
const RECALLS_MAX: usize = 1000;
/// That nothing is left is remembered so long: units may come back, memcached may forget.
const CLOSED_MS: i64 = 500;
/// How often ended windows are forgotten.
const SWEEP_EVERY_MS: i64 = 10_000;
/// How often a call that others outran asks again.
const TRIALS: usize = 8;

enum Asked {
    Passed(Standing),
    Refused(Standing),
    /// Something changed meanwhile, or may after a while.
    Again {
        after_ms: i64,
        standing: Standing,
    },
}

/// What one exchange led to, and whether leases are to be called back from now on.
struct Exchanged {
    asked: Asked,
    tightened: bool,
}

/// Units for which a call waits, as long as it does.
struct Waiting<'a> {
    rates: &'a Rates,
    rule: &'a Rule,
    caller: Caller,
    units: u32,
}

impl<'a> Waiting<'a> {
    fn begin(rates: &'a Rates, rule: &'a Rule, caller: Caller, units: u32) -> Self {
        rates.on_share(rule, caller, |share, _| {
            share.waiting = share.waiting.saturating_add(units);
        });
        Self {
            rates,
            rule,
            caller,
            units,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let needless = self.rates.on_share(self.rule, self.caller, |share, _| {
            share.waiting = share.waiting.saturating_sub(self.units);
            self.rule.is_needless(share)
        });
        if needless {
            self.rates.return_later(self.caller);
        }
    }
}

impl Rates {
    /// Whether so many units pass, by what all servers know together.
    pub(super) async fn ask(&self, caller: Caller, units: u32) -> Result<Standing, Standing> {
        let Some(rule) = self.rule(caller.limit) else {
            return Err(Standing::none(caller.limit));
        };
        let mut last = Standing::none(caller.limit);
        for _ in 0..TRIALS {
            let exchanged = self.ask_once(rule, caller, units).await;
            if exchanged.tightened {
                self.recall(caller).await;
            }
            match exchanged.asked {
                Asked::Passed(standing) => return Ok(standing),
                Asked::Refused(standing) => return Err(standing),
                Asked::Again { after_ms, standing } => {
                    last = standing;
                    sleep(Duration::from_millis(after_ms.unsigned_abs())).await;
                }
            }
        }
        Err(last)
    }

    async fn ask_once(&self, rule: &Rule, caller: Caller, units: u32) -> Exchanged {
        let _waiting = Waiting::begin(self, rule, caller, units);
        let Ok(_turn) = timeout(TURN_WAIT, self.turn(caller).lock()).await else {
            return self.decide_alone(rule, caller, units);
        };
        // Others may have asked meanwhile.
        let step = self.on_share(rule, caller, |share, now_ms| {
            if share.take(units) {
                Err(Asked::Passed(Standing::of(rule, share, now_ms)))
            } else if now_ms < share.closed_until_ms {
                Err(Asked::Refused(Standing::of(rule, share, now_ms)))
            } else {
                Ok((share.step(rule.units, units), share.ends_ms))
            }
        });
        let (step, ends_ms) = match step {
            Ok(step) => step,
            Err(asked) => {
                self.0.counts.shared.increment(1);
                return Exchanged {
                    asked,
                    tightened: false,
                };
            }
        };
        let mut stepped = None;
        let answered = self
            .0
            .cache
            .change(&tally(rule, caller, ends_ms), |shared| {
                let made = step.apply(shared);
                stepped = Some(made);
                (!made.is_unchanged).then_some(made.used())
            })
            .await;
        let Some(stepped) = stepped.filter(|_| answered) else {
            return self.decide_alone(rule, caller, units);
        };
        self.0.counts.shared.increment(1);
        self.on_share(rule, caller, |share, now_ms| {
            let in_time = share.ends_ms == ends_ms;
            let tightened = in_time && share.granted(rule.units, step, stepped, now_ms);
            // What was granted in a window that ended meanwhile is used up at once.
            let passes = if in_time {
                share.take(units)
            } else {
                stepped.is_granted()
            };
            let asked = if passes {
                Asked::Passed(Standing::of(rule, share, now_ms))
            } else if in_time && !stepped.is_granted() {
                refuse(rule, share, now_ms)
            } else {
                // Another call took it, or the window is a new one.
                Asked::Again {
                    after_ms: 0,
                    standing: Standing::of(rule, share, now_ms),
                }
            };
            Exchanged { asked, tightened }
        })
    }

    fn decide_alone(&self, rule: &Rule, caller: Caller, units: u32) -> Exchanged {
        self.0.counts.fallback.increment(1);
        let asked = self.on_share(rule, caller, |share, now_ms| {
            let passes = share.take_alone(rule.units, units);
            let standing = Standing::of(rule, share, now_ms);
            if passes {
                Asked::Passed(standing)
            } else {
                Asked::Refused(standing)
            }
        });
        Exchanged {
            asked,
            tightened: false,
        }
    }

    /// Asks all servers to give back what they took ahead for a caller.
    async fn recall(&self, caller: Caller) {
        let second = self.now_ms().div_euclid(1000);
        let note = format!("{}:{:016x};", caller.limit.index(), caller.hash);
        self.0
            .cache
            .note(&Tally::RateRecalls { second }, &note)
            .await;
    }

    /// Gives back what others may need, and forgets what ended, until it is dropped.
    pub async fn tidy(self) {
        let mut swept_ms = self.now_ms();
        loop {
            sleep(TIDY_EVERY).await;
            let now_ms = self.now_ms();
            for caller in self.recalled(now_ms).await {
                let Some(rule) = self.rule(caller.limit) else {
                    continue;
                };
                let spare = self.on_share(rule, caller, |share, now_ms| {
                    share.tighten(now_ms);
                    rule.is_needless(share)
                });
                if spare {
                    self.give_back(rule, caller).await;
                }
            }
            let returns = std::mem::take(&mut *lock(&self.0.returns));
            for caller in returns {
                if let Some(rule) = self.rule(caller.limit) {
                    self.give_back(rule, caller).await;
                }
            }
            if now_ms - swept_ms >= SWEEP_EVERY_MS {
                self.0.table.sweep(now_ms);
                swept_ms = now_ms;
            }
        }
    }

    async fn recalled(&self, now_ms: i64) -> Vec<Caller> {
        if self
            .0
            .rules
            .iter()
            .flatten()
            .all(|rule| !is_leased(rule.units))
        {
            return Vec::new();
        }
        let first = (now_ms - RECALL_SLACK_MS).div_euclid(1000);
        let last = (now_ms + RECALL_SLACK_MS).div_euclid(1000);
        let mut notes = Vec::new();
        for second in first..=last {
            let found = self.0.cache.notes(&Tally::RateRecalls { second }).await;
            notes.extend_from_slice(&found);
        }
        let text = String::from_utf8_lossy(&notes);
        let named: BTreeSet<(usize, u64)> = text
            .split_terminator(';')
            .filter_map(|note| {
                let (limit, hash) = note.split_once(':')?;
                Some((limit.parse().ok()?, u64::from_str_radix(hash, 16).ok()?))
            })
            .take(RECALLS_MAX)
            .collect();
        named
            .into_iter()
            .filter_map(|(limit, hash)| {
                let limit = Limit::ALL.get(limit).copied()?;
                Some(Caller { limit, hash })
            })
            .collect()
    }

    async fn give_back(&self, rule: &Rule, caller: Caller) {
        let Ok(_turn) = timeout(TURN_WAIT, self.turn(caller).lock()).await else {
            self.return_later(caller);
            return;
        };
        let (units, ends_ms) =
            self.on_share(rule, caller, |share, _| (share.take_spare(), share.ends_ms));
        if units > 0 {
            let tally = tally(rule, caller, ends_ms);
            let less = |shared: Option<u64>| Some(shared?.saturating_sub(u64::from(units)));
            self.0.cache.change(&tally, less).await;
        }
    }

    fn turn(&self, caller: Caller) -> &tokio::sync::Mutex<()> {
        let turns = &self.0.turns;
        let index = usize::try_from(caller.hash & 0xffff_ffff).unwrap_or_default();
        &turns[index % turns.len()]
    }

    fn on_share<T>(
        &self,
        rule: &Rule,
        caller: Caller,
        work: impl FnOnce(&mut Share, i64) -> T,
    ) -> T {
        let now_ms = self.now_ms();
        let ends = || rule.window_end(caller.hash, now_ms);
        let table = &self.0.table;
        table.with(caller.hash, now_ms, ends, |share| work(share, now_ms))
    }
}

/// Nothing is left, unless other servers may still give something back.
fn refuse(rule: &Rule, share: &mut Share, now_ms: i64) -> Asked {
    let standing = Standing::of(rule, share, now_ms);
    let recalled_ms = share.tight_since_ms + RECALL_WAIT_MS - now_ms;
    if is_leased(rule.units) && recalled_ms > 0 {
        return Asked::Again {
            after_ms: recalled_ms,
            standing,
        };
    }
    if standing.left == 0 {
        share.closed_until_ms = (now_ms + CLOSED_MS).min(share.ends_ms);
    }
    Asked::Refused(standing)
}

fn tally(rule: &Rule, caller: Caller, window_ends_ms: i64) -> Tally {
    Tally::Rate {
        limit: caller.limit.as_str(),
        caller: caller.hash,
        window_ends_ms,
        window: Duration::from_millis(rule.window_ms.unsigned_abs()),
    }
}
