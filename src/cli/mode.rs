//! `spotter mode`: how the service is run.

use anyhow::bail;
use clap::Args;

use crate::{
    admission::{self, Change, Mode},
    db::Db,
};

#[derive(Args)]
pub struct Arguments {
    /// The new mode. `read_only`: nothing is changed, volunteers keep their looks. `maintenance`:
    /// nothing works but health, metrics and the mode. Without any argument the mode is shown.
    #[arg(value_enum)]
    mode: Option<Mode>,
    /// Let in so many of a hundred volunteers, 5 to 100, while a database gets warm.
    #[arg(long, value_name = "PERCENT")]
    admit: Option<u8>,
    /// What people are told. A new mode without it has none.
    #[arg(long, conflicts_with = "no_message")]
    message: Option<String>,
    /// Tell people nothing more.
    #[arg(long)]
    no_message: bool,
}

/// Carries it out and gives what is to be printed.
pub async fn run(db: &Db, arguments: Arguments) -> anyhow::Result<String> {
    let message = arguments.message.map(Some);
    let change = Change {
        mode: arguments.mode,
        admit_percent: arguments.admit,
        message: message.or_else(|| arguments.no_message.then_some(None)),
    };
    let service = if change == Change::default() {
        admission::read(db).await?
    } else {
        if let Err(errors) = change.check() {
            let errors = errors.into_vec();
            let of = |pointer: &str| match pointer {
                "/admit_percent" => "--admit",
                _ => "--message",
            };
            let wrong = errors
                .iter()
                .map(|e| format!("{}: {}", of(&e.pointer), e.detail));
            bail!("{}", wrong.collect::<Vec<_>>().join("; "));
        }
        admission::change(db, &change).await?
    };
    let mut shown = format!(
        "{}, {} % let in, since {}",
        service.mode.as_str(),
        service.admit_percent,
        service.changed_at.strftime("%Y-%m-%d %H:%M:%SZ")
    );
    if let Some(message) = &service.message {
        shown.push('\n');
        shown.push_str(message);
    }
    Ok(shown)
}
