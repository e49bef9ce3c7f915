//! How much the tiles in a folder may take: beyond it, those of old revisions go first, then those
//! that were used longest ago.
//!
//! One round measures all tiles, prefix by prefix; if they are too many, another throws away. What
//! is remembered between the steps are sums by the minute of the last use, so memory does not grow
//! with the tiles.
//!
//! **Invariant:** a tile that was written or used in the last minutes stays, whatever the budget.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::{
    SPREADS, Used,
    files::{self, Sizes, TileFile},
    present,
};
use crate::state::App;

/// So long after its last use a tile stays. Longer than uses are noted apart.
const KEPT_AFTER_USE: Duration = Duration::from_mins(5);
/// What is left when a round of throwing away ends, in parts of a hundred of the budget, so that the
/// next one is not due at once.
const LEFT_PERCENT: u64 = 90;

/// Order in which tiles go: those of old revisions (`false`), then by the minute of the last use.
type Age = (bool, u64);

/// What a step needs to know of the present.
#[derive(Clone)]
struct Moment {
    now: SystemTime,
    revisions: BTreeMap<Uuid, i32>,
}

#[derive(Clone, Debug, Default)]
struct Measured {
    used: Used,
    /// Of those that may go.
    by_age: Sizes<Age>,
}

/// What is to go: all up to an age, until so many bytes are freed.
#[derive(Clone, Copy, Debug)]
struct Excess {
    up_to: Age,
    bytes: u64,
}

enum Round {
    Measuring(Measured),
    ThrowingAway(Excess),
}

/// Keeps the tiles of a folder within a budget.
pub struct Budget {
    folder: PathBuf,
    bytes_max: u64,
    round: Round,
    /// The prefix that comes next.
    spread: u16,
}

impl Budget {
    /// For the folder of the object store.
    pub fn new(folder: &Path, bytes_max: u64) -> Self {
        metrics::counter!("tiles_evicted_total").increment(0);
        Self {
            folder: folder.join("tiles"),
            bytes_max,
            round: Round::Measuring(Measured::default()),
            spread: 0,
        }
    }

    /// Looks through one prefix. Says whether the round goes on.
    pub async fn step(&mut self, app: &App) -> anyhow::Result<bool> {
        let conn = app.db.get().await?;
        let moment = Moment {
            revisions: present(&*conn).await?,
            now: SystemTime::from(app.clock.now()),
        };
        drop(conn);
        let below = self.folder.join(format!("{:02x}", self.spread));
        match &mut self.round {
            Round::Measuring(measured) => {
                let mut so_far = std::mem::take(measured);
                *measured =
                    spawn_blocking(move || measure(&below, &moment, &mut so_far).map(|()| so_far))
                        .await??;
            }
            Round::ThrowingAway(excess) => {
                let so_far = *excess;
                let (left, gone) =
                    spawn_blocking(move || throw_away(&below, &moment, so_far)).await??;
                metrics::counter!("tiles_evicted_total").increment(gone.tiles);
                *excess = left;
            }
        }
        Ok(self.turn())
    }

    fn turn(&mut self) -> bool {
        self.spread += 1;
        let is_enough = matches!(&self.round, Round::ThrowingAway(excess) if excess.bytes == 0);
        if self.spread < SPREADS && !is_enough {
            return true;
        }
        self.spread = 0;
        let excess = match &self.round {
            Round::Measuring(measured) => {
                tell(measured.used);
                excess_of(measured, self.bytes_max)
            }
            Round::ThrowingAway(_) => None,
        };
        let goes_on = excess.is_some();
        self.round = excess.map_or_else(
            || Round::Measuring(Measured::default()),
            |excess| {
                tracing::info!(
                    bytes = excess.bytes,
                    "the tiles take more than TILE_STORE_MB; some are thrown away"
                );
                Round::ThrowingAway(excess)
            },
        );
        goes_on
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a gauge has 53 bits"
)]
fn tell(used: Used) {
    metrics::gauge!("tile_store_bytes").set(used.bytes as f64);
    metrics::gauge!("tile_store_tiles").set(used.tiles as f64);
}

/// What must go so that a part of the budget is free again; `None` while it is kept, or when nothing
/// may go.
fn excess_of(measured: &Measured, bytes_max: u64) -> Option<Excess> {
    if measured.used.bytes <= bytes_max {
        return None;
    }
    let goal = bytes_max / 100 * LEFT_PERCENT;
    let bytes = measured.used.bytes - goal;
    let mut freed = 0;
    let ages = measured.by_age.iter().map(|(age, bytes)| {
        freed += bytes;
        (*age, freed)
    });
    let mut last = None;
    for (age, freed) in ages {
        last = Some(age);
        if freed >= bytes {
            break;
        }
    }
    last.map(|up_to| Excess { up_to, bytes })
}

fn measure(below: &Path, moment: &Moment, measured: &mut Measured) -> io::Result<()> {
    files::visit(below, moment.now, &mut |tile| {
        measured.used += Used {
            tiles: 1,
            bytes: tile.bytes,
        };
        if let Some(age) = age(&tile, moment) {
            *measured.by_age.entry(age).or_default() += tile.bytes;
        }
        Ok(())
    })
}

fn throw_away(below: &Path, moment: &Moment, mut excess: Excess) -> io::Result<(Excess, Used)> {
    let mut gone = Used::default();
    files::visit(below, moment.now, &mut |tile| {
        let goes = age(&tile, moment).is_some_and(|age| age <= excess.up_to);
        if goes && excess.bytes > 0 && files::remove(&tile.path, below)? {
            excess.bytes = excess.bytes.saturating_sub(tile.bytes);
            gone += Used {
                tiles: 1,
                bytes: tile.bytes,
            };
        }
        Ok(())
    })?;
    Ok((excess, gone))
}

/// `None` while the tile stays.
fn age(tile: &TileFile, moment: &Moment) -> Option<Age> {
    let since = moment.now.duration_since(tile.used_at).ok()?;
    if since < KEPT_AFTER_USE {
        return None;
    }
    let is_present = moment
        .revisions
        .get(&tile.layer)
        .is_some_and(|present| tile.revision >= *present);
    let used = tile.used_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Some((is_present, used.as_secs() / 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(ages: &[(Age, u64)]) -> Measured {
        let by_age: Sizes<Age> = ages.iter().copied().collect();
        Measured {
            used: Used {
                tiles: 9,
                bytes: by_age.values().sum(),
            },
            by_age,
        }
    }

    #[test]
    fn old_revisions_go_first_and_then_what_was_used_longest_ago() {
        let all = measured(&[
            ((true, 10), 300),
            ((true, 20), 300),
            ((false, 15), 200),
            ((false, 30), 200),
        ]);
        assert!(excess_of(&all, 1000).is_none(), "exactly the budget");
        let excess = excess_of(&all, 999).unwrap();
        assert_eq!((excess.up_to, excess.bytes), ((false, 15), 190));
        let excess = excess_of(&all, 700).unwrap();
        assert_eq!((excess.up_to, excess.bytes), ((false, 30), 370));
        let excess = excess_of(&all, 400).unwrap();
        assert_eq!((excess.up_to, excess.bytes), ((true, 10), 640));
    }
}
