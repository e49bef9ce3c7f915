//! The bar that shows how far a prefetch is.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use crate::prefetch::PrefetchView;

/// Letters of the bar itself.
const LETTERS: i64 = 24;
/// How often a line is written where nobody watches.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Moves in place at a terminal; elsewhere a line now and then.
#[derive(Default)]
pub struct Bar {
    lined_at: Option<Instant>,
    is_drawn: bool,
}

impl Bar {
    pub fn draw(&mut self, view: &PrefetchView) {
        let mut out = io::stderr();
        let line = line(view);
        // Who has closed standard error wants no bar.
        let _unread = if out.is_terminal() {
            self.is_drawn = true;
            write!(out, "\r\x1b[2K{line}").and_then(|()| out.flush())
        } else if self.lined_at.is_none_or(|at| at.elapsed() >= LINE_EVERY) {
            self.lined_at = Some(Instant::now());
            writeln!(out, "{line}")
        } else {
            Ok(())
        };
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.is_drawn {
            let _unread = writeln!(io::stderr());
        }
    }
}

fn line(view: &PrefetchView) -> String {
    let tiles = view.tiles.max(1);
    let full = usize::try_from((view.done * LETTERS / tiles).clamp(0, LETTERS)).unwrap_or_default();
    let empty = usize::try_from(LETTERS).unwrap_or_default() - full;
    let mut line = format!(
        "[{}{}] {}%  {} done, {} left, {:.1}/s",
        "#".repeat(full),
        "-".repeat(empty),
        view.done * 100 / tiles,
        view.done,
        view.left,
        view.rate_per_second
    );
    if let Some(seconds) = view.seconds_left {
        let _infallible = write!(line, ", {} to go", duration(seconds));
    }
    let _infallible = write!(line, ", {} errors, {} missing", view.failed, view.missing);
    if let Some(trouble) = &view.trouble {
        let _infallible = write!(line, "; waiting: {}", trouble.reason);
    }
    line
}

/// Hours, minutes and seconds.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, which is what is wanted"
)]
fn duration(seconds: f64) -> String {
    let seconds = seconds as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}
