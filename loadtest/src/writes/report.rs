//! What was measured, as Markdown.

use std::{fmt, fs, path::PathBuf};

use super::{Scenario, checker::Checked};
use crate::{
    Options,
    load::Measured,
    report::{commit, machine},
    statements::Counted,
};

/// Statements that the report lists for each series.
const LISTED_MAX: usize = 6;

pub struct Report {
    scenario: Scenario,
    cells: u64,
    series: Vec<Series>,
    /// Lines of `/metrics`.
    pub metrics: Vec<String>,
    pub checked: Option<Checked>,
}

/// The same measurement in each round.
pub struct Series {
    name: String,
    rounds: Vec<Measured>,
    /// Of each round.
    statements: Vec<Vec<Counted>>,
}

impl Series {
    pub fn add(&mut self, measured: Measured, counted: Vec<Counted>) {
        self.rounds.push(measured);
        self.statements.push(counted);
    }

    fn median(&self, of: impl Fn(&Measured) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    }

    fn looks(&self) -> u64 {
        self.rounds.iter().map(|round| round.answers).sum()
    }

    /// Calls of each statement in all rounds, most frequent first.
    fn calls(&self) -> Vec<(&str, u64, f64)> {
        let mut sums: Vec<(&str, u64, f64)> = Vec::new();
        for counted in self.statements.iter().flatten() {
            let calls = counted.calls.unsigned_abs();
            match sums.iter_mut().find(|(name, ..)| *name == counted.name) {
                Some((_, sum, ms)) => (*sum, *ms) = (*sum + calls, *ms + counted.total_ms),
                None => sums.push((&counted.name, calls, counted.total_ms)),
            }
        }
        sums.sort_by_key(|(_, calls, _)| std::cmp::Reverse(*calls));
        sums
    }
}

impl Report {
    pub fn new(scenario: Scenario, cells: u64) -> Self {
        Self {
            scenario,
            cells,
            series: Vec::new(),
            metrics: Vec::new(),
            checked: None,
        }
    }

    /// The series of this name, which is made when it is not there; the first is the yardstick.
    pub fn series(&mut self, name: &str) -> &mut Series {
        let index = self.series.iter().position(|series| series.name == name);
        let index = index.unwrap_or_else(|| {
            self.series.push(Series {
                name: name.to_owned(),
                rounds: Vec::new(),
                statements: Vec::new(),
            });
            self.series.len() - 1
        });
        &mut self.series[index]
    }

    pub fn write(&self, options: &Options) -> anyhow::Result<PathBuf> {
        fs::create_dir_all(&options.results)?;
        let (title, name) = match self.scenario {
            Scenario::Looks => ("Looks", "looks"),
            Scenario::Batch => ("Batches of looks", "batch"),
        };
        let ending = if options.quick { "-quick" } else { "" };
        let path = options.results.join(format!("{name}{ending}.md"));
        let text = format!(
            "# {title}\n\nMade by `./dev bench {name}`; what each line means stands in `loadtest/README.md`.\n\n\
             {} rounds of {} s each; commit {}; {}.\n\n{self}",
            options.rounds,
            options.seconds,
            commit(),
            machine()
        );
        fs::write(&path, text)?;
        Ok(path)
    }

    fn write_series(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yardstick = self
            .series
            .first()
            .map_or(0.0, |series| series.median(|round| round.per_second));
        f.write_str(
            "| | looks/s | of the yardstick | p50 ms | p99 ms | longest ms | each round/s |\n",
        )?;
        f.write_str("|---|--:|--:|--:|--:|--:|---|\n")?;
        for series in &self.series {
            let rate = series.median(|round| round.per_second);
            let ms = |of: fn(&Measured) -> f64| match series.median(of) {
                ms if ms.is_nan() => "–".to_owned(),
                ms => format!("{ms:.2}"),
            };
            let rounds: Vec<String> = series
                .rounds
                .iter()
                .map(|round| format!("{:.0}", round.per_second))
                .collect();
            writeln!(
                f,
                "| {} | {rate:.0} | {:.2} | {} | {} | {} | {} |",
                series.name,
                rate / yardstick,
                ms(|round| round.p50_ms),
                ms(|round| round.p99_ms),
                ms(|round| round.max_ms),
                rounds.join(", ")
            )?;
        }
        Ok(())
    }

    fn write_statements(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |series: &&Series| series.statements.iter().any(|round| !round.is_empty());
        for series in self.series.iter().filter(counted) {
            let looks = series.looks();
            writeln!(f, "\n{}, {looks} looks:\n", series.name)?;
            f.write_str(
                "| statement | calls | looks for each | ms in the database |\n|---|--:|--:|--:|\n",
            )?;
            for (name, calls, ms) in series.calls().into_iter().take(LISTED_MAX) {
                let each = looks / calls.max(1);
                writeln!(f, "| `{name}` | {calls} | {each} | {ms:.0} |")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cells.\n", self.cells)?;
        self.write_series(f)?;
        if let Some(checked) = &self.checked {
            writeln!(f, "\nChecked afterwards: {checked}")?;
        }
        f.write_str("\n## SQL statements of the server\n")?;
        self.write_statements(f)?;
        f.write_str("\n## Metrics of the server\n\n```\n")?;
        for line in &self.metrics {
            writeln!(f, "{line}")?;
        }
        f.write_str("```\n")
    }
}
