//! What the command line says.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Parser, Subcommand, ValueEnum};

/// Where reports are kept.
const RESULTS: &str = "loadtest/results";
/// The story's peak: a billion views a week, five times the mean.
const PEAK_VIEWS: f64 = 8300.0;
const QUICK_VIEWS: f64 = 60.0;
/// Measurements of a quick run are no longer than this.
const QUICK: Duration = Duration::from_millis(300);
const QUICK_EDGE: u32 = 64;
const QUICK_OPEN: u64 = 300;

#[derive(Parser)]
#[command(about, version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub role: Option<Role>,

    /// What is measured; everything when it is left out.
    pub scenario: Option<Scenario>,

    #[command(flatten)]
    pub options: Options,
}

/// Helpers that scenarios start.
#[derive(Subcommand)]
pub enum Role {
    /// A handler that returns the same bytes.
    #[command(hide = true)]
    Yardstick {
        /// What it returns.
        body: PathBuf,
    },
    /// Draws tiles.
    #[command(hide = true)]
    Source,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Scenario {
    /// Where to look next: assignments beside a handler that returns the same bytes.
    Assignments,
    /// What are we looking for: reads of a campaign beside a handler that returns the same bytes.
    Campaign,
    /// Looks one by one beside pgbench with the same rows.
    Looks,
    /// Looks in batches beside the same rows by unnest.
    Batch,
    /// Cached tiles beside nginx.
    Tiles,
    /// Everybody at the same moment, and nothing in any cache.
    Stampede,
    /// The story: people come, look, tag, leave and return, up to a billion views a week.
    Surge,
    /// Memory of a server, idle and with many open connections.
    Memory,
    /// Phones that poll each minute and push a day's looks and tags, and live streams.
    Sync,
    /// Services and servers are killed, flushed and cut off under load.
    Chaos,
}

impl Scenario {
    pub const ALL: [Self; 10] = [
        Self::Assignments,
        Self::Campaign,
        Self::Looks,
        Self::Batch,
        Self::Tiles,
        Self::Stampede,
        Self::Surge,
        Self::Memory,
        Self::Sync,
        Self::Chaos,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Assignments => "assignments",
            Self::Campaign => "campaign",
            Self::Looks => "looks",
            Self::Batch => "batch",
            Self::Tiles => "tiles",
            Self::Stampede => "stampede",
            Self::Surge => "surge",
            Self::Memory => "memory",
            Self::Sync => "sync",
            Self::Chaos => "chaos",
        }
    }
}

#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// The program that is measured.
    #[arg(long, default_value = "target/release/spotter")]
    pub spotter: PathBuf,

    /// How often everything is measured; the report has the medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=99))]
    rounds: u16,

    /// How long each measurement takes.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=600))]
    seconds: u16,

    /// Connections that are kept open.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub connections: u16,

    /// Cells along an edge of the large campaign: 2000 make four million.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(10..=4000))]
    edge: u32,

    /// surge: views a second at the peak.
    #[arg(long, value_parser = rate)]
    rate: Option<f64>,

    /// surge: how long the rise to the peak takes, in seconds; the peak is held as long.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=3600))]
    rise: u16,

    /// surge: tiles of a square that no browser and no CDN had, in the mean (a square has four).
    #[arg(long, default_value_t = 1.0, value_parser = share)]
    pub tiles: f64,

    /// tiles: how many the large set has; 64 MB of them fit into a server's memory.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(64..=1_000_000))]
    tile_set: u32,

    /// memory: connections that are kept open. stampede: a fifth of it comes at once.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(10..=25_000))]
    open: u64,

    /// sync: phones.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(10..=200_000))]
    phones: u32,

    /// sync: how many seconds the hour has in which all phones push their day. 3600 is the truth.
    #[arg(long, default_value_t = 240, value_parser = clap::value_parser!(u16).range(10..=3600))]
    hour: u16,

    /// sync: looks that most phones push, each with three tags; each 200th pushes a thousand.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    day: u16,

    /// sync: live streams that are kept open at one server.
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    streams: u32,

    /// Of everything that chance decides.
    #[arg(long, default_value_t = 2014)]
    pub seed: u64,

    /// A moment of each on small campaigns: whether it works, not how fast it is. Nothing is written.
    #[arg(long)]
    pub quick: bool,

    /// Folder of the reports.
    #[arg(long, default_value = RESULTS)]
    pub results: PathBuf,
}

impl Options {
    pub fn rounds(&self) -> u16 {
        if self.quick { 1 } else { self.rounds }
    }

    pub fn duration(&self) -> Duration {
        if self.quick {
            return QUICK;
        }
        Duration::from_secs(self.seconds.into())
    }

    /// What passes before each measurement and does not count.
    pub fn warm_up(&self) -> Duration {
        if self.quick {
            return QUICK / 3;
        }
        Duration::from_secs(1)
    }

    /// Cells along an edge of a campaign that is to have so many at most.
    pub fn edge(&self, most: u32) -> u32 {
        let edge = if self.quick { QUICK_EDGE } else { self.edge };
        edge.min(most)
    }

    pub fn rate(&self) -> f64 {
        let usual = if self.quick { QUICK_VIEWS } else { PEAK_VIEWS };
        self.rate.unwrap_or(usual)
    }

    /// How long the surge rises, and how long it then stays.
    pub fn rise(&self) -> Duration {
        if self.quick {
            return Duration::from_millis(1500);
        }
        Duration::from_secs(self.rise.into())
    }

    pub fn tile_set(&self) -> u32 {
        if self.quick { 256 } else { self.tile_set }
    }

    pub fn open_connections(&self) -> u64 {
        if self.quick { QUICK_OPEN } else { self.open }
    }

    pub fn phones(&self) -> u32 {
        if self.quick { 200 } else { self.phones }
    }

    pub fn streams(&self) -> u32 {
        if self.quick { 40 } else { self.streams }
    }

    pub fn hour(&self) -> Duration {
        if self.quick {
            return Duration::from_secs(3);
        }
        Duration::from_secs(self.hour.into())
    }

    /// Looks of an ordinary day.
    pub fn day(&self) -> u16 {
        if self.quick { 5 } else { self.day }
    }

    /// A quick run writes its report only where somebody asked for it.
    pub fn keeps_quick_results(&self) -> bool {
        self.results != Path::new(RESULTS)
    }
}

fn rate(text: &str) -> Result<f64, String> {
    within(text, 1.0, 100_000.0)
}

fn share(text: &str) -> Result<f64, String> {
    within(text, 0.0, 4.0)
}

fn within(text: &str, least: f64, most: f64) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("a number from {least} to {most}")),
    }
}
