//! `spotter organiser`: who may define campaigns.

use std::fmt::Write;

use clap::Subcommand;

use crate::{
    accounts::{self, Scope},
    db::Db,
};

#[derive(Subcommand)]
pub enum Command {
    /// Make an organiser with one API key and print the key. It is shown this once.
    Create {
        /// Who it is for.
        #[arg(long)]
        name: String,
        /// What the key allows; everything but admin unless told.
        #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Scope::Campaigns, Scope::Imagery, Scope::Read])]
        scope: Vec<Scope>,
        /// Allow everything, managing organisers too.
        #[arg(long)]
        admin: bool,
    },
    /// List keys by their public prefix.
    List,
    /// Revoke a key at once.
    Revoke {
        /// Prefix of the key, or the whole key.
        key: String,
    },
}

/// Carries out a command and gives what is to be printed.
pub async fn run(db: &Db, command: Command) -> anyhow::Result<String> {
    match command {
        Command::Create { name, scope, admin } => {
            let scopes = if admin { vec![Scope::Admin] } else { scope };
            let key = accounts::create(db, &name, &scopes).await?;
            Ok(key.as_str().to_owned())
        }
        Command::List => list(db).await,
        Command::Revoke { key } => {
            accounts::revoke(db, &key).await?;
            Ok("revoked".to_owned())
        }
    }
}

async fn list(db: &Db) -> anyhow::Result<String> {
    let mut table = format!(
        "{:<10}{:<24}{:<26}{:<22}{:<22}{}",
        "key", "organiser", "scopes", "made", "last used", "revoked"
    );
    for key in accounts::list(db).await? {
        let time = |time: Option<jiff::Timestamp>| {
            time.map_or_else(
                || "-".to_owned(),
                |t| t.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            )
        };
        write!(
            table,
            "\n{:<10}{:<24}{:<26}{:<22}{:<22}{}",
            key.prefix,
            key.organiser,
            key.scopes.join(","),
            time(Some(key.created_at)),
            time(key.last_used_at),
            time(key.revoked_at)
        )?;
    }
    Ok(table)
}
