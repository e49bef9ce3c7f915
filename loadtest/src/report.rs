//! What was measured, as Markdown.

use std::{
    fmt::{self, Write},
    fs,
    path::PathBuf,
    process::Command,
};

use crate::{Options, load::Measured, statements::Counted};

/// Statements that the report lists for each series.
const LISTED_MAX: usize = 8;

pub struct Report {
    scenario: &'static str,
    /// What was measured, in a line.
    pub about: String,
    pub series: Vec<Series>,
    /// Lines of `/metrics`.
    pub metrics: Vec<String>,
}

/// The same measurement in each round.
pub struct Series {
    name: &'static str,
    /// The series that it is measured by.
    yardstick: &'static str,
    rounds: Vec<Measured>,
    /// Of all rounds.
    statements: Vec<Counted>,
}

impl Series {
    /// The series of this name, which is made when it is not there and measured by the series
    /// `yardstick`.
    pub fn of<'a>(all: &'a mut Vec<Self>, name: &'static str) -> &'a mut Self {
        Self::beside(all, name, "yardstick")
    }

    /// The same, measured by a yardstick of its own.
    pub fn beside<'a>(
        all: &'a mut Vec<Self>,
        name: &'static str,
        yardstick: &'static str,
    ) -> &'a mut Self {
        let index = all.iter().position(|series| series.name == name);
        let index = index.unwrap_or_else(|| {
            all.push(Self {
                name,
                yardstick,
                rounds: Vec::new(),
                statements: Vec::new(),
            });
            all.len() - 1
        });
        &mut all[index]
    }

    pub fn add(&mut self, measured: Measured, counted: Vec<Counted>) {
        self.rounds.push(measured);
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
    }

    /// What the latest round had.
    pub fn last_per_second(&self) -> f64 {
        self.rounds.last().map_or(0.0, |round| round.per_second)
    }

    fn median(&self, of: impl Fn(&Measured) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    }

    fn answers(&self) -> u64 {
        self.rounds.iter().map(|round| round.answers).sum()
    }

    /// Statements for each answer.
    fn statements_each(&self, calls: i64) -> f64 {
        let whole = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        whole(calls.unsigned_abs()) / whole(self.answers().max(1))
    }
}

impl Report {
    pub fn new(scenario: &'static str) -> Self {
        Self {
            scenario,
            about: String::new(),
            series: Vec::new(),
            metrics: Vec::new(),
        }
    }

    pub fn write(&self, options: &Options) -> anyhow::Result<PathBuf> {
        fs::create_dir_all(&options.results)?;
        let scenario = self.scenario;
        let quick = if options.quick { "-quick" } else { "" };
        let path = options.results.join(format!("{scenario}{quick}.md"));
        let text = format!(
            "# `{scenario}`\n\nMade by `./dev bench {scenario}`; {}\n\n{} rounds of {} s each, {} connections; commit {}; {}.\n\n{self}",
            "what each line means stands in `loadtest/README.md`.",
            options.rounds,
            options.seconds,
            options.connections,
            commit(),
            machine()
        );
        fs::write(&path, text)?;
        Ok(path)
    }

    fn write_series(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate_of = |name: &str| {
            let found = self.series.iter().find(|series| series.name == name);
            found.map_or(0.0, |series| series.median(|round| round.per_second))
        };
        f.write_str("| | answers/s | of the yardstick | p50 ms | p99 ms | longest ms | SQL statements each | each round/s |\n")?;
        f.write_str("|---|--:|--:|--:|--:|--:|--:|---|\n")?;
        for series in &self.series {
            let rate = series.median(|round| round.per_second);
            let calls: i64 = series.statements.iter().map(|one| one.calls).sum();
            let each = if series.statements.is_empty() {
                "–".to_owned()
            } else {
                format!("{:.4}", series.statements_each(calls))
            };
            let rounds: Vec<String> = series
                .rounds
                .iter()
                .map(|round| format!("{:.0}", round.per_second))
                .collect();
            writeln!(
                f,
                "| {} | {rate:.0} | {:.2} | {:.2} | {:.2} | {:.1} | {each} | {} |",
                series.name,
                rate / rate_of(series.yardstick),
                series.median(|round| round.p50_ms),
                series.median(|round| round.p99_ms),
                series.median(|round| round.max_ms),
                rounds.join(", ")
            )?;
        }
        Ok(())
    }

    fn write_statements(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for series in self
            .series
            .iter()
            .filter(|series| !series.statements.is_empty())
        {
            writeln!(f, "\n{}, {} answers:\n", series.name, series.answers())?;
            f.write_str(
                "| statement | calls | for each answer | ms in the database |\n|---|--:|--:|--:|\n",
            )?;
            for one in series.statements.iter().take(LISTED_MAX) {
                let each = series.statements_each(one.calls);
                let Counted {
                    name,
                    calls,
                    total_ms,
                } = one;
                writeln!(f, "| `{name}` | {calls} | {each:.5} | {total_ms:.0} |")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.about)?;
        self.write_series(f)?;
        f.write_str("\n## SQL statements of the servers\n")?;
        self.write_statements(f)?;
        f.write_str("\n## Metrics of one server\n\n```\n")?;
        for line in &self.metrics {
            writeln!(f, "{line}")?;
        }
        f.write_str("```\n")
    }
}

/// The commit that is checked out.
pub fn commit() -> String {
    let asked = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .output();
    asked.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// Processor, cores and kernel.
pub fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut text = String::new();
    let kernel = read("/proc/sys/kernel/osrelease");
    let _infallible = write!(text, "{cores} cores of {model}, Linux {}", kernel.trim());
    text
}
