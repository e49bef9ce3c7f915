//! What was measured: one model for all scenarios, shown as Markdown and as a page.
//!
//! **Invariant:** nothing here decides whether a time is good enough. A budget is shown beside what
//! was found.

mod blocks;
mod html;
mod line;
mod markdown;
mod plot;
mod setting;

use std::{fs, path::PathBuf};

pub use line::{Line, Lines};
pub use setting::Setting;

/// What one scenario found.
#[derive(Default)]
pub struct Report {
    /// Name of the scenario.
    pub scenario: &'static str,
    /// What was measured, in sentences.
    pub about: Vec<String>,
    pub lines: Lines,
    pub facts: Vec<Fact>,
    pub tables: Vec<Table>,
    /// What a reader must know, the checker's words among them.
    pub notes: Vec<String>,
    /// Lines of a server's `/metrics`.
    pub metrics: Vec<String>,
}

/// One number, with its budget when it has one.
#[derive(Clone, Debug)]
pub struct Fact {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    pub budget: Option<Budget>,
}

#[derive(Clone, Copy, Debug)]
pub enum Budget {
    AtLeast(f64),
    AtMost(f64),
    Exactly(f64),
}

#[derive(Clone, Debug, Default)]
pub struct Table {
    pub title: String,
    pub head: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

impl Fact {
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            budget: None,
        }
    }

    pub fn within(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }
}

impl Budget {
    pub fn is_kept(self, value: f64) -> bool {
        match self {
            Self::AtLeast(limit) => value >= limit,
            Self::AtMost(limit) => value <= limit,
            Self::Exactly(wanted) => (value - wanted).abs() < 1e-9,
        }
    }

    pub fn words(self) -> String {
        match self {
            Self::AtLeast(limit) => format!("≥ {limit}"),
            Self::AtMost(limit) => format!("≤ {limit}"),
            Self::Exactly(wanted) => format!("exactly {wanted}"),
        }
    }
}

impl Report {
    pub fn new(scenario: &'static str) -> Self {
        Self {
            scenario,
            ..Self::default()
        }
    }
}

/// Writes reports under this name, as Markdown and as a page; gives both paths.
pub fn write(setting: &Setting, name: &str, reports: &[Report]) -> anyhow::Result<[PathBuf; 2]> {
    fs::create_dir_all(&setting.results)?;
    let paths = ["md", "html"].map(|ending| setting.results.join(format!("{name}.{ending}")));
    fs::write(&paths[0], markdown::document(setting, name, reports))?;
    fs::write(&paths[1], html::page(setting, name, reports))?;
    Ok(paths)
}

/// One report for the terminal.
pub fn text(report: &Report) -> String {
    markdown::section(report)
}
