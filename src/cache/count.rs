//! What became of each look-up. The handles are kept, since finding a metric by its labels costs
//! more than the look-up.

use metrics::Counter;

use super::keys::Family;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// From the process's own memory.
    Near,
    /// Together with another look-up that was under way in the process.
    Joined,
    /// Fresh in memcached.
    Hit,
    /// From memcached, while it is loaded anew.
    Stale,
    /// Loaded, since memcached had nothing that could be given.
    Miss,
    /// Loaded, since memcached is being left alone.
    Bypass,
    /// Loaded, since memcached did not answer.
    Error,
}

impl Outcome {
    const ALL: [Self; 7] = [
        Self::Near,
        Self::Joined,
        Self::Hit,
        Self::Stale,
        Self::Miss,
        Self::Bypass,
        Self::Error,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Near => "near",
            Self::Joined => "joined",
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
            Self::Error => "error",
        }
    }
}

/// One counter for each family and outcome, of one metric.
pub struct Counts(Vec<(Family, Vec<(Outcome, Counter)>)>);

impl Counts {
    /// Of what somebody asked for. The recorder of metrics must be there.
    pub fn of_lookups() -> Self {
        Self::new("cache_lookups_total")
    }

    /// Of what the process asked for while it gave what it had.
    pub fn of_refreshes() -> Self {
        Self::new("cache_refreshes_total")
    }

    fn new(metric: &'static str) -> Self {
        let of_family = |family: Family| {
            let counters = Outcome::ALL.map(|outcome| {
                let counter = metrics::counter!(metric, "family" => family.as_str(), "outcome" => outcome.as_str());
                (outcome, counter)
            });
            (family, counters.into())
        };
        Self(Family::ALL.map(of_family).into())
    }

    pub fn add(&self, family: Family, outcome: Outcome) {
        let counters = self.0.iter().find(|(known, _)| *known == family);
        let counter =
            counters.and_then(|(_, counters)| counters.iter().find(|(known, _)| *known == outcome));
        if let Some((_, counter)) = counter {
            counter.increment(1);
        }
    }
}
