//! One line of a report: the same measurement in each round, and what it is measured by.

use super::Budget;
use crate::{
    measure::{Histogram, Measured, Second, float},
    statements::Counted,
};

/// The lines of a report, in the order in which they first came.
#[derive(Default)]
pub struct Lines(pub Vec<Line>);

pub struct Line {
    pub name: String,
    /// The line that it is measured by, and what it must have of that one's rate.
    pub beside: Option<(String, Option<Budget>)>,
    pub rounds: Vec<Measured>,
    /// Of all rounds, most frequent first.
    pub statements: Vec<Counted>,
    /// Whether it was as fast as it could be. At a given pace a rate says nothing.
    pub is_paced: bool,
}

impl Lines {
    /// The line of this name, which is made when it is not there.
    pub fn of(&mut self, name: &str) -> &mut Line {
        let index = self.0.iter().position(|line| line.name == name);
        let index = index.unwrap_or_else(|| {
            self.0.push(Line {
                name: name.to_owned(),
                beside: None,
                rounds: Vec::new(),
                statements: Vec::new(),
                is_paced: false,
            });
            self.0.len() - 1
        });
        &mut self.0[index]
    }

    pub fn find(&self, name: &str) -> Option<&Line> {
        self.0.iter().find(|line| line.name == name)
    }

    /// What a line has of the rate of the one that it is measured by.
    pub fn ratio(&self, line: &Line) -> Option<f64> {
        let (yardstick, _) = line.beside.as_ref()?;
        let theirs = self.find(yardstick)?.per_second();
        (theirs > 0.0 && !line.is_paced).then(|| line.per_second() / theirs)
    }
}

impl Line {
    pub fn add(&mut self, measured: Measured) -> &mut Self {
        self.rounds.push(measured);
        self
    }

    pub fn beside(&mut self, yardstick: &str, budget: Option<Budget>) -> &mut Self {
        self.beside = Some((yardstick.to_owned(), budget));
        self
    }

    pub fn paced(&mut self) -> &mut Self {
        self.is_paced = true;
        self
    }

    pub fn count(&mut self, counted: Vec<Counted>) -> &mut Self {
        for one in counted {
            match self
                .statements
                .iter_mut()
                .find(|known| known.name == one.name)
            {
                Some(known) => {
                    known.calls += one.calls;
                    known.total_ms += one.total_ms;
                }
                None => self.statements.push(one),
            }
        }
        self.statements.sort_by_key(|counted| -counted.calls);
        self
    }

    /// The median of the rounds.
    pub fn per_second(&self) -> f64 {
        self.median(|round| round.per_second)
    }

    pub fn last_per_second(&self) -> f64 {
        self.rounds.last().map_or(0.0, |round| round.per_second)
    }

    /// The median of the rounds, when times are known.
    pub fn quantile_ms(&self, part: f64) -> Option<f64> {
        self.has_times()
            .then(|| self.median(|round| round.times.quantile_ms(part)))
    }

    /// The longest of all rounds.
    pub fn max_ms(&self) -> Option<f64> {
        let longest = self.rounds.iter().map(|round| round.times.max_ms());
        self.has_times().then(|| longest.fold(0.0, f64::max))
    }

    pub fn has_times(&self) -> bool {
        self.rounds.iter().any(|round| round.times.count() > 0)
    }

    /// The times of all rounds together.
    pub fn times(&self) -> Histogram {
        let mut all = Histogram::default();
        for round in &self.rounds {
            all.merge(&round.times);
        }
        all
    }

    /// One round after the other.
    pub fn seconds(&self) -> impl Iterator<Item = &Second> {
        self.rounds.iter().flat_map(|round| &round.seconds)
    }

    pub fn done(&self) -> u64 {
        self.rounds.iter().map(|round| round.done).sum()
    }

    pub fn calls(&self) -> u64 {
        let calls = self.statements.iter().map(|one| one.calls.unsigned_abs());
        calls.sum()
    }

    /// Statements for each answer or look.
    pub fn statements_each(&self, calls: u64) -> f64 {
        float(calls) / float(self.done().max(1))
    }

    fn median(&self, of: impl Fn(&Measured) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(per_second: f64) -> Measured {
        Measured {
            per_second,
            ..Measured::default()
        }
    }

    #[test]
    fn a_ratio_is_that_of_the_medians() {
        let mut lines = Lines::default();
        for (theirs, ours) in [(100.0, 80.0), (300.0, 20.0), (200.0, 60.0)] {
            lines.of("yardstick").add(round(theirs));
            let budget = Some(Budget::AtLeast(0.2));
            lines
                .of("ours")
                .beside("yardstick", budget)
                .add(round(ours));
        }
        let ours = lines.find("ours").unwrap();
        assert!((lines.ratio(ours).unwrap() - 0.3).abs() < 1e-9);
        assert!(lines.ratio(lines.find("yardstick").unwrap()).is_none());
        lines.of("ours").paced();
        assert!(lines.ratio(lines.find("ours").unwrap()).is_none());
    }
}
