//! The wire of `WatermelonDB`'s `synchronize()`: everything that changed in one answer, everything
//! that was made in one push.
//!
//! **Invariant:** a push is stored as a whole or not at all, and no content of a row makes it fail:
//! what cannot be stored is left out, and the next pull tells.

mod handlers;
mod pull;
mod push;
mod row;

pub use handlers::routes;

use super::{
    Position,
    epoch::{Standing, start_again},
};
use crate::http::Problem;

/// Rows of one push, all tables together.
pub const PUSHED_MAX: usize = 20_000;
/// Pages of one table after which a pull ends, where a transaction does: 20,000 rows, or about so many MiB.
pub const PULLED_PAGES_MAX: usize = 20;

/// Bits of the epoch in a timestamp, and of the transaction id below it.
const EPOCH_BITS: u32 = 12;
const XID_BITS: u32 = 41;

/// What `WatermelonDB` keeps as the time of its last pull: one whole number below 2^53, made of the
/// epoch and of the transaction id below which everything was read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Since {
    /// None at the very beginning.
    epoch: Option<i64>,
    pub xid: i64,
}

impl Since {
    /// Errors: 400 `invalid_checkpoint`.
    pub fn parse(text: Option<&str>) -> Result<Self, Problem> {
        let text = text.unwrap_or_default();
        // As the client's sample writes it when there was no pull.
        if matches!(text, "" | "null" | "undefined" | "0") {
            return Ok(Self::default());
        }
        let number = text.parse::<i64>().ok();
        let number = number.filter(|number| (1..1 << (EPOCH_BITS + XID_BITS)).contains(number));
        let number = number.ok_or_else(|| {
            Problem::bad_request(
                "invalid_checkpoint",
                "`last_pulled_at` is the `timestamp` of the last pull; at the very beginning it is null.",
            )
        })?;
        Ok(Self {
            epoch: Some(number >> XID_BITS),
            xid: number & ((1 << XID_BITS) - 1),
        })
    }

    /// The timestamp of a pull that has read everything below a transaction id.
    fn timestamp(epoch: i32, xid: i64) -> i64 {
        (short(epoch) << XID_BITS) | xid
    }

    /// Whether it is of this history.
    fn is_of(self, epoch: i32) -> bool {
        self.epoch == Some(short(epoch))
    }

    /// As it is here, or as a device with this mark is told it.
    #[must_use]
    pub fn marked(self, mark: u16) -> Self {
        Self {
            epoch: self.epoch.map(|epoch| epoch ^ i64::from(mark)),
            ..self
        }
    }

    pub fn is_beginning(self) -> bool {
        self.epoch.is_none()
    }

    /// Just before everything that was not read.
    fn position(self) -> Position {
        match self.xid.checked_sub(1) {
            Some(xid @ 0..) => Position {
                xid,
                id: uuid::Uuid::max(),
            },
            _ => Position::default(),
        }
    }

    /// Whether it can be gone on from.
    ///
    /// Errors: 426 `sync_start_again`.
    pub fn check(self, standing: &Standing) -> Result<(), Problem> {
        let Some(epoch) = self.epoch else {
            return Ok(());
        };
        let is_ours = standing.epoch.is_some_and(|ours| short(ours) == epoch);
        if is_ours && self.xid <= standing.horizon && self.xid > standing.floor {
            return Ok(());
        }
        Err(start_again())
    }
}

/// A timestamp as a device with this mark is told it: see [`super::epoch::marked`].
fn marked(timestamp: i64, mark: u16) -> i64 {
    timestamp ^ (i64::from(mark) << XID_BITS)
}

fn short(epoch: i32) -> i64 {
    i64::from(epoch) & ((1 << EPOCH_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_comes_back_as_it_was_given_and_is_exact_in_javascript() {
        for (epoch, xid) in [(1, 3), (i32::MAX, (1 << XID_BITS) - 1), (4096, 700)] {
            let timestamp = Since::timestamp(epoch, xid);
            assert!(timestamp < 1 << 53);
            let since = Since::parse(Some(&timestamp.to_string())).unwrap();
            assert_eq!(since.xid, xid);
            let standing = |epoch, horizon, floor| Standing {
                epoch: Some(epoch),
                horizon,
                floor,
            };
            assert!(since.check(&standing(epoch, xid, xid - 1)).is_ok());
            assert!(since.check(&standing(epoch, xid - 1, 0)).is_err());
            assert!(since.check(&standing(epoch, xid, xid)).is_err());
            assert!(since.check(&standing(epoch ^ 1, xid, 0)).is_err());
        }
    }

    #[test]
    fn no_pull_before_is_written_in_more_than_one_way() {
        for text in [None, Some(""), Some("null"), Some("undefined"), Some("0")] {
            assert!(Since::parse(text).unwrap().is_beginning());
        }
        for text in ["x", "-1", "1.5", "9007199254740992"] {
            assert!(Since::parse(Some(text)).is_err(), "{text}");
        }
    }
}
