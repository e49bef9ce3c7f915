//! A report as a sequence of parts, the same for both forms.

use super::{Budget, Fact, Lines, Report, Table, plot};

/// Statements that are listed for each line.
const STATEMENTS_MAX: usize = 8;
/// What stands where there is nothing to say.
const NOTHING: &str = "–";

pub enum Block {
    Heading(String),
    Text(String),
    Table(Table),
    /// Pictures, as SVG. Markdown has none.
    Plots(Vec<String>),
    Listing(Vec<String>),
}

impl Report {
    pub(super) fn blocks(&self) -> Vec<Block> {
        let mut blocks = vec![Block::Heading(self.scenario.to_owned())];
        blocks.extend(self.about.iter().cloned().map(Block::Text));
        blocks.push(Block::Table(self.numbers()));
        blocks.push(Block::Table(lines(&self.lines)));
        blocks.push(Block::Plots(plot::all(&self.lines)));
        blocks.extend(self.tables.iter().cloned().map(Block::Table));
        blocks.extend(self.notes.iter().cloned().map(Block::Text));
        blocks.extend(statements(&self.lines).into_iter().map(Block::Table));
        blocks.push(Block::Listing(self.metrics.clone()));
        blocks.retain(|block| match block {
            Block::Table(table) => !table.rows.is_empty(),
            Block::Plots(plots) => !plots.is_empty(),
            Block::Listing(lines) => !lines.is_empty(),
            _ => true,
        });
        blocks
    }

    /// What has a budget, and other single numbers.
    pub(super) fn numbers(&self) -> Table {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for line in &self.lines.0 {
            let Some((yardstick, Some(budget))) = &line.beside else {
                continue;
            };
            if let Some(ratio) = self.lines.ratio(line) {
                let name = format!("{} ÷ {yardstick}", line.name);
                rows.push(verdict(name, format!("{ratio:.2} ×"), ratio, Some(*budget)));
            }
        }
        for fact in &self.facts {
            let Fact {
                name,
                value,
                unit,
                budget,
            } = fact;
            let found = format!("{} {unit}", number(*value)).trim().to_owned();
            rows.push(verdict(name.clone(), found, *value, *budget));
        }
        Table {
            title: String::new(),
            head: vec!["", "found", "budget", "kept"],
            rows,
        }
    }
}

fn verdict(name: String, found: String, value: f64, budget: Option<Budget>) -> Vec<String> {
    let (words, kept) = match budget {
        Some(budget) if budget.is_kept(value) => (budget.words(), "yes"),
        Some(budget) => (budget.words(), "no"),
        None => (NOTHING.to_owned(), ""),
    };
    vec![name, found, words, kept.to_owned()]
}

fn lines(lines: &Lines) -> Table {
    let ms = |found: Option<f64>| found.map_or(NOTHING.to_owned(), |ms| format!("{ms:.2}"));
    let rows = lines.0.iter().map(|line| {
        let ratio = lines.ratio(line);
        let rounds: Vec<String> = line
            .rounds
            .iter()
            .map(|round| format!("{:.0}", round.per_second))
            .collect();
        vec![
            line.name.clone(),
            format!("{:.0}", line.per_second()),
            ratio.map_or(NOTHING.to_owned(), |ratio| format!("{ratio:.2}")),
            ms(line.quantile_ms(0.5)),
            ms(line.quantile_ms(0.99)),
            ms(line.quantile_ms(0.999)),
            ms(line.max_ms()),
            if line.statements.is_empty() {
                NOTHING.to_owned()
            } else {
                format!("{:.4}", line.statements_each(line.calls()))
            },
            if rounds.len() > 1 {
                rounds.join(", ")
            } else {
                NOTHING.to_owned()
            },
        ]
    });
    let table = Table {
        title: String::new(),
        head: vec![
            "",
            "per second",
            "of its yardstick",
            "p50 ms",
            "p99 ms",
            "p99.9 ms",
            "longest ms",
            "SQL statements each",
            "each round per second",
        ],
        rows: rows.collect(),
    };
    without_empty_columns(table)
}

/// Leaves out columns in which nothing stands.
fn without_empty_columns(mut table: Table) -> Table {
    let is_used = |nth: usize| {
        let cells = table.rows.iter().filter_map(|row| row.get(nth));
        nth == 0 || cells.into_iter().any(|cell| cell != NOTHING)
    };
    let used: Vec<bool> = (0..table.head.len()).map(is_used).collect();
    let mut keep = used.iter();
    table.head.retain(|_| keep.next().is_some_and(|used| *used));
    for row in &mut table.rows {
        let mut keep = used.iter();
        row.retain(|_| keep.next().is_some_and(|used| *used));
    }
    table
}

fn statements(lines: &Lines) -> Vec<Table> {
    let counted = lines.0.iter().filter(|line| !line.statements.is_empty());
    let table = |line: &super::Line| Table {
        title: format!("SQL statements of “{}” ({} done)", line.name, line.done()),
        head: vec!["statement", "calls", "each", "ms in the database"],
        rows: line
            .statements
            .iter()
            .take(STATEMENTS_MAX)
            .map(|one| {
                let calls = one.calls.unsigned_abs();
                vec![
                    format!("`{}`", one.name),
                    calls.to_string(),
                    format!("{:.5}", line.statements_each(calls)),
                    format!("{:.0}", one.total_ms),
                ]
            })
            .collect(),
    };
    counted.map(table).collect()
}

/// With as many decimals as help.
fn number(value: f64) -> String {
    match value.abs() {
        size if (size - size.round()).abs() < 1e-9 => format!("{value:.0}"),
        size if size < 0.1 => format!("{value:.4}"),
        size if size < 100.0 => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    }
}
