//! Where a phone stands in a collection, and how it is written on the wire.

use serde::Serialize;
use uuid::Uuid;

use super::epoch;
use crate::http::Problem;

/// A place in a volunteer's order of one collection; everything up to and including it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The transaction of the document's last change.
    pub xid: i64,
    pub id: Uuid,
}

/// A place in one history of the database; `RxDB` keeps it as
/// `{"id": "<epoch>.<uuid>.<known below>", "lwt": xid}`, with `.end` behind it at an end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// None at the very beginning.
    pub epoch: Option<i32>,
    pub at: Position,
    /// Whoever stands here needs no word of what changed last below this transaction: it has read
    /// that, or began to read after it.
    pub known_below: i64,
    /// Nothing was left then: everything of transactions below `known_below` was read.
    pub is_end: bool,
}

/// The same on the wire.
#[derive(Serialize)]
struct Written {
    id: String,
    lwt: i64,
}

/// Last part of the `id` of an end.
const END: &str = "end";
/// Numbers up to here are exact in JavaScript.
const EXACT_MAX: i64 = 1 << 53;

impl Checkpoint {
    /// Reads the members of a query; both absent, or 0 and empty, is the beginning.
    ///
    /// Errors: 400 `invalid_checkpoint`.
    pub fn parse(lwt: Option<&str>, id: Option<&str>) -> Result<Self, Problem> {
        let refused = || {
            Problem::bad_request(
                "invalid_checkpoint",
                "`lwt` and `id` are those of the last answer's checkpoint; at the very beginning they are 0 and empty.",
            )
        };
        let lwt: i64 = match lwt {
            None | Some("") => 0,
            Some(text) => text.parse().map_err(|_e| refused())?,
        };
        let id = id.unwrap_or_default();
        if lwt == 0 && id.is_empty() {
            return Ok(Self::default());
        }
        let parts: Vec<&str> = id.split('.').collect();
        let (epoch, id, known_below, is_end) = match parts.as_slice() {
            [epoch, id, known_below] => (epoch, id, known_below, false),
            [epoch, id, known_below, END] => (epoch, id, known_below, true),
            _ => return Err(refused()),
        };
        let epoch: i32 = epoch.parse().map_err(|_e| refused())?;
        let id = Uuid::try_parse(id).map_err(|_e| refused())?;
        let known_below: i64 = known_below.parse().map_err(|_e| refused())?;
        if epoch < 1 || known_below < 0 || !(1..=EXACT_MAX).contains(&lwt) {
            return Err(refused());
        }
        Ok(Self {
            epoch: Some(epoch),
            at: Position { xid: lwt, id },
            known_below,
            is_end,
        })
    }

    /// As one word, by which `EventSource` remembers it.
    pub fn as_id(&self) -> String {
        let epoch = self.epoch.unwrap_or_default();
        format!("{}.{}", self.at.xid, self.id(epoch))
    }

    fn id(&self, epoch: i32) -> String {
        let Self {
            at, known_below, ..
        } = self;
        let place = format!("{epoch}.{}.{known_below}", at.id);
        if self.is_end {
            format!("{place}.{END}")
        } else {
            place
        }
    }

    /// Reads such a word.
    ///
    /// Errors: 400 `invalid_checkpoint`.
    pub fn of_id(id: &str) -> Result<Self, Problem> {
        let (lwt, id) = id.split_once('.').unwrap_or_default();
        Self::parse(Some(lwt), Some(id))
    }

    /// As it is here, or as a device with this mark is told it.
    #[must_use]
    pub fn marked(self, mark: u16) -> Self {
        Self {
            epoch: self.epoch.map(|epoch| epoch::marked(epoch, mark)),
            ..self
        }
    }

    /// As JSON.
    pub fn written(&self) -> String {
        let id = self.epoch.map_or_else(String::new, |epoch| self.id(epoch));
        let written = Written {
            id,
            lwt: self.at.xid,
        };
        serde_json::to_string(&written).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_comes_back_as_it_was_written() {
        let amid = Checkpoint {
            epoch: Some(77),
            at: Position {
                xid: 1234,
                id: Uuid::from_u128(5),
            },
            known_below: 1300,
            is_end: false,
        };
        let end = Checkpoint {
            is_end: true,
            ..amid
        };
        for checkpoint in [amid, end] {
            let written: serde_json::Value = serde_json::from_str(&checkpoint.written()).unwrap();
            let (lwt, id) = (written["lwt"].to_string(), written["id"].as_str());
            assert_eq!(Checkpoint::parse(Some(&lwt), id).unwrap(), checkpoint);
            assert_eq!(Checkpoint::of_id(&checkpoint.as_id()).unwrap(), checkpoint);
        }
        assert_eq!(Checkpoint::default().written(), r#"{"id":"","lwt":0}"#);
        assert_eq!(
            Checkpoint::parse(Some("0"), Some("")).unwrap(),
            Checkpoint::default()
        );
    }

    #[test]
    fn what_is_no_checkpoint_is_refused() {
        let id = "77.00000000-0000-0000-0000-000000000005.9";
        assert!(Checkpoint::parse(Some("1"), Some(id)).is_ok());
        for (lwt, id) in [
            ("x", id),
            ("-1", id),
            ("1.5", id),
            ("0", id),
            ("9007199254740993", id),
            ("1", ""),
            ("1", "77"),
            ("1", "77.x"),
            ("1", "77.00000000-0000-0000-0000-000000000005"),
            ("1", "0.00000000-0000-0000-0000-000000000005.9"),
            ("1", "x.00000000-0000-0000-0000-000000000005.9"),
            ("1", "77.00000000-0000-0000-0000-000000000005.-9"),
            ("1", "77.00000000-0000-0000-0000-000000000005.9.9"),
            ("1", "77.00000000-0000-0000-0000-000000000005.9.end.end"),
            ("1", "77.00000000-0000-0000-0000-000000000005.end"),
        ] {
            assert!(
                Checkpoint::parse(Some(lwt), Some(id)).is_err(),
                "{lwt} {id}"
            );
        }
    }
}
