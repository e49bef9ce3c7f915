//! How fast Spotter is, beside a yardstick that is measured in the same minutes.
//!
//! Each scenario starts its own services, servers and yardstick, and writes a report. Nothing here
//! decides whether a time is good enough: machines differ, so ratios are what counts.

mod assignments;
mod campaign;
mod http;
mod load;
mod place;
mod reads;
mod report;
mod statements;
mod writes;
mod yardstick;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;

/// The yardstick's as well: that of the server it is compared with.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Parser)]
#[command(about, version)]
struct Arguments {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Subcommand)]
enum Scenario {
    /// Where to look next: assignments a second beside a handler that returns the same bytes.
    Assignments(Options),
    /// What are we looking for: reads of a campaign beside a handler that returns the same bytes.
    Campaign(Options),
    /// Looks one by one beside pgbench with the same rows.
    Looks(Options),
    /// Looks in batches beside the same rows by unnest.
    Batch(Options),
    /// The handler that returns the same bytes: started by the scenarios.
    #[command(hide = true)]
    Yardstick {
        /// What it returns.
        body: PathBuf,
    },
}

#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// The program that is measured.
    #[arg(long, default_value = "target/release/spotter")]
    pub spotter: PathBuf,

    /// How often everything is measured; the report has the medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=99))]
    pub rounds: u16,

    /// How long each measurement takes.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=600))]
    pub seconds: u16,

    /// Connections that are kept open.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub connections: u16,

    /// Cells along an edge of the large campaign: 2000 make four million.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(10..=4000))]
    pub edge: u32,

    /// One round of a second each on small campaigns: whether it works, not how fast it is.
    #[arg(long)]
    pub quick: bool,

    /// Folder of the reports.
    #[arg(long, default_value = "loadtest/results")]
    pub results: PathBuf,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().scenario {
        Scenario::Assignments(options) => on_one_thread(assignments::run(options)),
        Scenario::Campaign(options) => on_one_thread(reads::run(options)),
        Scenario::Looks(options) => on_one_thread(writes::run(writes::Scenario::Looks, options)),
        Scenario::Batch(options) => on_one_thread(writes::run(writes::Scenario::Batch, options)),
        Scenario::Yardstick { body } => yardstick::serve(&body),
    }
}

/// The generator shares the machine with what it measures.
fn on_one_thread(scenario: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(scenario)
}
