//! The state folder: its lock, and what is kept in it from run to run.
//!
//! **Invariant:** files with secrets are readable by their owner only, and a file is replaced
//! whole or not at all.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

/// A state folder that this process alone works in.
pub struct Folder {
    path: PathBuf,
    /// Held as long as the process lives; the kernel gives it up even after `kill -9`.
    lock: File,
}

impl Folder {
    /// Makes the folder if it is missing, and locks it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let unusable = || format!("--state: cannot use the folder {}", path.display());
        // Root's services run under another account, which must be able to pass through.
        let mode = if super::tools::is_root() {
            0o711
        } else {
            0o700
        };
        DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(path)
            .with_context(unusable)?;
        let path = path.canonicalize().with_context(unusable)?;
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .with_context(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("{}", taken(&path)),
            Err(TryLockError::Error(error)) => return Err(error).with_context(unusable),
        }
        lock.set_len(0)?;
        let folder = Self { path, lock };
        DirBuilder::new()
            .recursive(true)
            .create(folder.join("log"))?;
        Ok(folder)
    }

    /// Leaves a note for whoever finds the folder locked.
    pub fn announce(&self, address: &str) -> anyhow::Result<()> {
        let mut lock = &self.lock;
        self.lock.set_len(0)?;
        write!(lock, "{} {address}", std::process::id()).context("the lock file")
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A secret that is made once.
    pub fn secret(&self, name: &str, make: impl FnOnce() -> String) -> anyhow::Result<String> {
        let path = self.join(name);
        if let Some(kept) = read_word(&path)? {
            return Ok(kept);
        }
        let secret = make();
        write_private(&path, &secret)?;
        Ok(secret)
    }

    /// Writes settings as shell assignments.
    pub fn write_env(&self, settings: &[(&str, String)]) -> anyhow::Result<()> {
        use std::fmt::Write;
        let mut text =
            String::from("# Written by `spotter dev`. Use it so: set -a; . this-file; set +a\n");
        for (name, value) in settings {
            writeln!(text, "{name}={}", quoted(value))?;
        }
        write_private(&self.join("env"), &text)
    }
}

fn taken(path: &Path) -> String {
    let note = fs::read_to_string(path.join("lock")).unwrap_or_default();
    let who = match note.split_once(' ') {
        Some((pid, address)) => format!(" (process {pid}, {address})"),
        None => String::new(),
    };
    format!(
        "another `spotter dev`{who} works in {}; stop that one with Ctrl-C, or choose another folder with --state and another --port",
        path.display()
    )
}

/// The one word of a small file, if the file is there and not empty.
pub fn read_word(path: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|word| !word.is_empty())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Writes a file that only its owner reads.
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let beside = path.with_extension("new");
    // One left behind by a killed run could have another mode.
    let _missing = fs::remove_file(&beside);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)?;
    file.sync_all().with_context(failed)?;
    fs::rename(&beside, path).with_context(failed)
}

/// The value as one word of a POSIX shell.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_value_is_one_word_of_the_shell() {
        for value in [
            "plain",
            "",
            "two words",
            "it's",
            "$(rm x) `y` \"z\" \\ !",
            "a\nb",
        ] {
            let script = format!("printf %s {}", quoted(value));
            let said = std::process::Command::new("sh")
                .args(["-c", &script])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), value);
        }
    }
}
