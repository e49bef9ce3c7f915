//! Where and how something was measured.

use std::{fs, path::PathBuf, process::Command};

use crate::Options;

pub struct Setting {
    /// Folder of the reports.
    pub results: PathBuf,
    /// What was typed.
    pub command: String,
    pub rounds: String,
    pub commit: String,
    pub machine: String,
}

impl Setting {
    pub fn of(options: &Options) -> Self {
        Self {
            results: options.results.clone(),
            command: command(std::env::args().skip(1)),
            rounds: format!(
                "{} rounds of {:.1} s each, {} connections, seed {}",
                options.rounds(),
                options.duration().as_secs_f64(),
                options.connections,
                options.seed
            ),
            commit: commit(),
            machine: machine(),
        }
    }

    pub fn sentence(&self) -> String {
        let Self {
            command,
            rounds,
            commit,
            machine,
            ..
        } = self;
        format!(
            "Made by `{command}`; what each line means stands in `loadtest/README.md`. {rounds}; commit {commit}; {machine}."
        )
    }
}

/// As `./dev bench` was called, without what it adds itself.
fn command(arguments: impl Iterator<Item = String>) -> String {
    let mut words = vec!["./dev bench".to_owned()];
    let mut is_path = false;
    for word in arguments {
        if !is_path && word != "--spotter" {
            words.push(word.clone());
        }
        is_path = word == "--spotter";
    }
    words.join(" ")
}

/// The commit that is checked out.
fn commit() -> String {
    let asked = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .output();
    asked.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// Processor, cores and kernel.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{cores} cores of {model}, Linux {}", kernel.trim())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_names_no_path_of_this_machine() {
        let words = ["surge", "--spotter", "/a/b", "--rate", "50"];
        let command = super::command(words.iter().map(|word| (*word).to_owned()));
        assert_eq!(command, "./dev bench surge --rate 50");
    }
}
