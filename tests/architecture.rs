//! Rules of the source that the compiler does not know.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Lines of one file.
const LINES_MAX: usize = 400;

/// Calls that prepare a statement under a name, which collides behind a pooler in transaction
/// mode. Their typed forms (`query_typed` …) do not.
const UNTYPED: [&str; 10] = [
    ".query(",
    ".query_one(",
    ".query_opt(",
    ".query_raw(",
    ".execute(",
    ".execute_raw(",
    ".prepare(",
    ".prepare_typed(",
    ".copy_in(",
    ".copy_out(",
];

/// Files where one of these names is something else than a statement.
const NOT_STATEMENTS: [(&str, &str); 1] = [("src/cache", ".prepare(")];

struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// The module of `lib.rs` that it belongs to.
    fn module(&self) -> String {
        let inside = self.path.strip_prefix(root().join("src")).unwrap();
        let first = inside.components().next().unwrap().as_os_str();
        Path::new(first)
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    }

    /// The code without line comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(n, line)| (n + 1, line))
    }

    fn name(&self) -> String {
        self.path
            .strip_prefix(root())
            .unwrap()
            .display()
            .to_string()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut folders = vec![root().join("src")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push(Source { path, text });
            }
        }
    }
    assert!(found.len() > 50, "the sources were not found");
    found
}

/// The modules of `lib.rs` in their order.
fn modules() -> Vec<String> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let names = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

/// Modules of the crate that a text names: `crate::a`, `crate::{a, b::c}`.
fn named(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text.get(at + 7..).unwrap();
        let Some(group) = rest.strip_prefix('{') else {
            found.push(first_word(rest));
            continue;
        };
        let mut depth = 0_i32;
        let mut start = true;
        for (at, sign) in group.char_indices() {
            match sign {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                sign if start && sign.is_alphabetic() => {
                    found.push(first_word(group.get(at..).unwrap()));
                    start = false;
                }
                _ => {}
            }
        }
    }
    found
}

fn first_word(text: &str) -> String {
    text.chars()
        .take_while(|sign| sign.is_alphanumeric() || *sign == '_')
        .collect()
}

#[test]
fn the_names_of_a_use_are_understood() {
    assert_eq!(named("use crate::geo::Tile;"), ["geo"]);
    assert_eq!(
        named("use crate::{\n    accounts::{self, Scope},\n    db::Db, state,\n};"),
        ["accounts", "db", "state"]
    );
    assert_eq!(named("body = crate::http::ProblemBody"), ["http"]);
}

#[test]
fn a_module_uses_only_modules_above_it() {
    let modules = modules();
    assert!(modules.len() > 15, "{modules:?}");
    let place = |name: &str| modules.iter().position(|module| module == name);
    let mut upward = Vec::new();
    for source in sources() {
        let Some(own) = place(&source.module()) else {
            continue;
        };
        let code = source
            .code()
            .map(|(_, line)| line)
            .collect::<Vec<_>>()
            .join("\n");
        for name in named(&code) {
            if place(&name).is_some_and(|used| used > own) {
                upward.push(format!(
                    "{} uses {name}, which stands below it in lib.rs",
                    source.name()
                ));
            }
        }
    }
    assert!(upward.is_empty(), "{upward:#?}");
}

#[test]
fn every_statement_is_typed() {
    let mut untyped = Vec::new();
    for source in sources() {
        let name = source.name();
        for (line, code) in source.code() {
            for call in UNTYPED {
                let other = NOT_STATEMENTS
                    .iter()
                    .any(|(file, what)| name.starts_with(file) && *what == call);
                // `.query(` of a request or address is not one of a database.
                let of_request = call == ".query("
                    && (code.contains(".query(&[(") || name.starts_with("src/demo"));
                if code.contains(call) && !other && !of_request {
                    untyped.push(format!("{name}:{line}: {}", code.trim()));
                }
            }
        }
    }
    assert!(untyped.is_empty(), "{untyped:#?}");
}

#[test]
fn every_statement_names_itself() {
    let mut nameless = Vec::new();
    for source in sources()
        .into_iter()
        .filter(|source| source.path.ends_with("queries.rs"))
    {
        for (at, _) in source.text.match_indices("let sql = \"") {
            let begin = source.text.get(at + 11..).unwrap();
            if !begin.starts_with("-- ") {
                nameless.push(format!(
                    "{}: {}",
                    source.name(),
                    begin.lines().next().unwrap()
                ));
            }
        }
    }
    assert!(nameless.is_empty(), "{nameless:#?}");
}

#[test]
fn no_file_is_longer_than_anyone_reads() {
    let long: Vec<String> = sources()
        .iter()
        .map(|source| (source.name(), source.text.lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(name, lines)| format!("{name} has {lines} lines"))
        .collect();
    assert!(long.is_empty(), "split at {LINES_MAX}: {long:#?}");
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<String> = sources()
        .iter()
        .filter(|source| !source.text.starts_with("//!"))
        .map(Source::name)
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn only_the_settings_read_the_environment() {
    let mut readers = Vec::new();
    for source in sources()
        .into_iter()
        .filter(|source| !matches!(source.module().as_str(), "config" | "demo" | "cli"))
    {
        readers.extend(
            source
                .code()
                .filter(|(_, code)| code.contains("env::var"))
                .map(|(line, _)| format!("{}:{line}", source.name())),
        );
    }
    assert!(readers.is_empty(), "{readers:#?}");
}

#[test]
fn no_module_folder_is_a_drawer_for_everything() {
    let drawers: Vec<String> = sources()
        .iter()
        .map(Source::name)
        .filter(|name| {
            ["utils", "helpers", "common", "misc"]
                .iter()
                .any(|word| name.contains(word))
        })
        .collect();
    assert!(drawers.is_empty(), "{drawers:?}");
}
