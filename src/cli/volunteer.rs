//! `spotter volunteer`: for people who ask the operators, and not the service, what is stored of them.

use std::io::Write;

use clap::Subcommand;
use uuid::Uuid;

use crate::{
    state::App,
    volunteers::{self, Export},
};

#[derive(Subcommand)]
pub enum Command {
    /// Write all that is stored of a volunteer to standard output, as JSON.
    Export {
        /// As the service showed it; also the id of a device that was linked.
        volunteer: Uuid,
    },
    /// Delete all that is stored of a volunteer, for good. A worker carries it out.
    Forget {
        /// As the service showed it; also the id of a device that was linked.
        volunteer: Uuid,
    },
}

pub async fn run(app: App, command: Command) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match command {
        Command::Export { volunteer } => {
            let volunteer = volunteers::of_any(&app.db, volunteer).await?;
            let mut export = Export::new(app, volunteer);
            while let Some(piece) = export
                .next_piece()
                .await
                .map_err(|problem| anyhow::anyhow!("{problem}"))?
            {
                out.write_all(&piece)?;
            }
        }
        Command::Forget { volunteer } => {
            volunteers::forget(&app.db, volunteer).await?;
            writeln!(
                out,
                "{volunteer} is forgotten; a worker deletes what is stored"
            )?;
        }
    }
    Ok(out.flush()?)
}
