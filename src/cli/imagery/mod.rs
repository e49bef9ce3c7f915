//! `spotter imagery`: tiles fetched ahead, counted and thrown away.

mod bar;
mod prefetch;
mod store;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{imagery::Revisions, prefetch::Zooms, state::App};

#[derive(Subcommand)]
pub enum Command {
    /// Fetch the tiles of a campaign's cells before volunteers ask for them. Ctrl-C stops it, the same
    /// command goes on. Workers help. Ends with what could not be had, which the next run tries again.
    Prefetch {
        /// Slug or id.
        #[arg(long)]
        campaign: String,
        /// First and last zoom, such as `16-19`; unless told, those of before, at first those that the
        /// volunteers' page loads.
        #[arg(long, value_parser = zooms)]
        zooms: Option<Zooms>,
    },
    /// Throw the tiles of a layer away. Whoever asks for one gets it from the source again.
    Purge {
        /// Key of the layer.
        #[arg(long)]
        layer: String,
        /// `old` for those before the present revision, a number for one, or `all`.
        #[arg(long, default_value = "all", value_parser = revisions)]
        revision: Revisions,
    },
    /// Print tiles and bytes in the store for each layer and revision.
    Usage {
        /// Only this layer, by its key.
        #[arg(long)]
        layer: Option<String>,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Carries out a command.
pub async fn run(
    app: &App,
    command: Command,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Prefetch { campaign, zooms } => prefetch::run(app, &campaign, zooms, stop).await,
        Command::Purge { layer, revision } => store::purge(app, &layer, revision).await,
        Command::Usage { layer, json } => store::usage(app, layer.as_deref(), json).await,
    }
}

fn zooms(text: &str) -> Result<Zooms, String> {
    let (min, max) = text.split_once('-').unwrap_or((text, text));
    let zoom = |text: &str| {
        text.trim()
            .parse::<u8>()
            .map_err(|_e| format!("{text:?} is no zoom; write them as 16-19"))
    };
    Ok(Zooms {
        min: zoom(min)?,
        max: zoom(max)?,
    })
}

fn revisions(text: &str) -> Result<Revisions, String> {
    match text {
        "all" => Ok(Revisions::All),
        "old" => Ok(Revisions::Old),
        number => number
            .parse()
            .map(Revisions::One)
            .map_err(|_e| "write old, all, or the number of a revision".to_owned()),
    }
}
