//! A server's share of what one caller may use in a window: pure, without clocks or connections.
//!
//! All servers count a caller's units in one shared number, which grows by an atomic step that never
//! passes the limit. While much is left, a step takes some units more than are needed: the server's
//! *lease*, from which the next calls pass without asking. The less is left, the smaller the leases;
//! near the limit there are none, and those that are out are called back.
//!
//! **Invariant:** no more than the limit passes in a window at all servers together, as long as the
//! shared number is not lost: a unit is counted before it passes.
//!
//! **Invariant:** once leases were called back, a call is refused only when fewer units are left than
//! it needs.

/// A lease is this part of what is left.
const LEASE_PART: u32 = 128;
/// Units of a lease.
const LEASE_MAX: u32 = 512;
/// Units below which a lease is not worth its being called back.
const LEASE_MIN: u32 = 4;

/// Units that may be taken ahead when so many are left.
const fn ahead(left: u32) -> u32 {
    let part = left / LEASE_PART;
    if part < LEASE_MIN {
        0
    } else if part < LEASE_MAX {
        part
    } else {
        LEASE_MAX
    }
}

/// Whether there are leases of a limit at all. Of a small one, each call is one atomic step.
pub const fn is_leased(limit: u32) -> bool {
    ahead(limit) > 0
}

/// What one server knows of a caller in a window.
#[derive(Clone, Copy, Debug, Default)]
pub struct Share {
    /// When the window ends, which names it too.
    pub ends_ms: i64,
    /// Units that were taken and not used.
    free: u32,
    /// Units that this server took in the window, used or not.
    taken: u32,
    /// Those of them that the shared number does not know, since it could not be asked.
    untold: u32,
    /// The shared number as it was last seen.
    seen: u32,
    /// Units for which calls at this server wait.
    pub waiting: u32,
    /// Since when there are no leases; 0 while there are.
    pub tight_since_ms: i64,
    /// Until then nothing is left, as was found out.
    pub closed_until_ms: i64,
}

/// The step that a server asks of the shared number.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    limit: u32,
    /// Units without which nothing is taken.
    needed: u32,
    /// Units for others who wait at this server.
    wished: u32,
    taken: u32,
    untold: u32,
    leases: bool,
}

/// What the step did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stepped {
    /// The shared number from now on, what was untold included.
    used: u32,
    granted: u32,
    /// The number needs not be written.
    pub is_unchanged: bool,
}

impl Stepped {
    pub fn used(self) -> u64 {
        u64::from(self.used)
    }

    pub fn is_granted(self) -> bool {
        self.granted > 0
    }
}

impl Step {
    /// Takes what can be taken. There is no number when nobody counted yet or it was lost; then
    /// this server's own units are the least that were used.
    pub fn apply(&self, shared: Option<u64>) -> Stepped {
        let before = match shared {
            Some(used) => u32::try_from(used)
                .unwrap_or(u32::MAX)
                .saturating_add(self.untold),
            None => self.taken,
        };
        let left = self.limit.saturating_sub(before);
        let granted = if left < self.needed {
            0
        } else {
            let lease = if self.leases { ahead(left) } else { 0 };
            left.min(
                self.needed
                    .saturating_add(self.wished)
                    .saturating_add(lease),
            )
        };
        Stepped {
            used: before.saturating_add(granted),
            granted,
            is_unchanged: granted == 0 && self.untold == 0,
        }
    }
}

impl Share {
    pub fn new(ends_ms: i64) -> Self {
        Self {
            ends_ms,
            ..Self::default()
        }
    }

    /// Takes units of the lease; whether there were enough.
    pub fn take(&mut self, units: u32) -> bool {
        let enough = self.free >= units;
        if enough {
            self.free -= units;
        }
        enough
    }

    /// What to ask for a call of so many units.
    pub fn step(&self, limit: u32, units: u32) -> Step {
        Step {
            limit,
            needed: units.saturating_sub(self.free),
            wished: self.waiting.saturating_sub(units),
            taken: self.taken,
            untold: self.untold,
            leases: self.tight_since_ms == 0,
        }
    }

    /// Notes what was granted. Whether this server has just found out that leases have come to
    /// their end.
    pub fn granted(&mut self, limit: u32, step: Step, stepped: Stepped, now_ms: i64) -> bool {
        self.free += stepped.granted;
        self.taken = self.taken.saturating_add(stepped.granted);
        self.untold = self.untold.saturating_sub(step.untold);
        self.seen = stepped.used;
        let left = limit.saturating_sub(stepped.used);
        is_leased(limit) && ahead(left) == 0 && self.tighten(now_ms)
    }

    /// No leases from now on. Whether there were until now.
    pub fn tighten(&mut self, now_ms: i64) -> bool {
        let were = self.tight_since_ms == 0;
        if were {
            self.tight_since_ms = now_ms;
        }
        were
    }

    /// Takes units by what this server alone knows, when the shared number cannot be asked.
    pub fn take_alone(&mut self, limit: u32, units: u32) -> bool {
        let needed = units.saturating_sub(self.free);
        let passes = self.used() + u64::from(needed) <= u64::from(limit);
        if passes {
            self.free = self.free.saturating_sub(units);
            self.taken = self.taken.saturating_add(needed);
            self.untold = self.untold.saturating_add(needed);
        }
        passes
    }

    /// Units that were taken for a call which then did not happen.
    pub fn put_back(&mut self, units: u32) {
        self.free = self.free.saturating_add(units).min(self.taken);
        self.closed_until_ms = 0;
    }

    /// Units that nobody here waits for.
    pub fn spare(&self) -> u32 {
        self.free.saturating_sub(self.waiting)
    }

    /// Takes spare units out, to be given back.
    pub fn take_spare(&mut self) -> u32 {
        let spare = self.spare();
        self.free -= spare;
        self.taken -= spare;
        // What the shared number does not know needs not be given back.
        let untold = self.untold.min(spare);
        self.untold -= untold;
        self.seen = self.seen.saturating_sub(spare - untold);
        spare - untold
    }

    /// Units that are left for the caller, as far as this server knows.
    pub fn left(&self, limit: u32) -> u32 {
        let used = u32::try_from(self.used()).unwrap_or(u32::MAX);
        limit.saturating_sub(used).saturating_add(self.free)
    }

    fn used(&self) -> u64 {
        u64::from(self.taken).max(u64::from(self.seen) + u64::from(self.untold))
    }
}

#[cfg(test)]
mod tests;
