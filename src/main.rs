//! The one binary. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    spotter::cli::run()
}
