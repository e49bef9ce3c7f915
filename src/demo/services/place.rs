//! Where the services keep their files.
//!
//! In the state folder, unless we are root and the account of the services cannot get there
//! (below `/root`, say): then in a folder of its own under `/var/lib`.

use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use sha2::{Digest, Sha256};

use super::super::{
    folder::{Folder, read_word, write_private},
    hex, say,
    tools::Account,
};

const ELSEWHERE: &str = "/var/lib/spotter-dev";

/// A folder that the account, and nobody else, works in.
pub fn choose(folder: &Folder, account: &Account) -> anyhow::Result<PathBuf> {
    let inside = folder.join("services");
    let note = folder.join("services.at");
    let noted = read_word(&note)?.map(PathBuf::from);
    if noted.is_none() {
        account.make_folder(&inside)?;
        if account.reaches(&inside) {
            return Ok(inside);
        }
        fs::remove_dir_all(&inside).context("the folder of the services")?;
    }
    let outside = Path::new(ELSEWHERE).join(name_of(folder.path()));
    if noted.is_none() && outside.exists() {
        // It belonged to a state folder of this name that was deleted.
        fs::remove_dir_all(&outside)
            .with_context(|| format!("cannot delete {}", outside.display()))?;
    }
    fs::create_dir_all(ELSEWHERE).with_context(|| format!("cannot make {ELSEWHERE}"))?;
    account.make_folder(&outside)?;
    say(&format!(
        "{} cannot be entered by the user of PostgreSQL: its files are in {}",
        folder.path().display(),
        outside.display()
    ));
    write_private(&note, &outside.to_string_lossy())?;
    Ok(outside)
}

fn name_of(path: &Path) -> String {
    let hash = Sha256::digest(path.as_os_str().as_bytes());
    hex(&hash[..8])
}
