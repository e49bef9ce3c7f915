//! A document as a client keeps it, before it is written for one of the wires.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Position;
use crate::db::DbError;

/// Members of a document by name.
pub type Members = Map<String, Value>;

/// A document of a collection.
#[derive(Clone, Debug)]
pub struct Document {
    pub at: Position,
    /// A tombstone: its other members are those it had.
    pub is_deleted: bool,
    pub members: Members,
}

impl Document {
    pub fn new(at: Position, is_deleted: bool, shape: &impl Serialize) -> Result<Self, DbError> {
        match serde_json::to_value(shape) {
            Ok(Value::Object(members)) => Ok(Self {
                at,
                is_deleted,
                members,
            }),
            Ok(_) => Err(DbError::Damaged("a document is no object".to_owned())),
            Err(e) => Err(DbError::Damaged(e.to_string())),
        }
    }

    /// As `RxDB` has it.
    pub fn for_rxdb(mut self) -> Value {
        self.members
            .insert("_deleted".to_owned(), Value::Bool(self.is_deleted));
        Value::Object(self.members)
    }
}

/// What a refused document becomes: the same, deleted.
pub fn tombstone(mut members: Members) -> Value {
    members.insert("_deleted".to_owned(), Value::Bool(true));
    Value::Object(members)
}

/// A time as JavaScript's `toISOString` writes it.
pub fn iso(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// A time without what [`iso`] leaves out.
pub fn whole_ms(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_javascript_writes_them() {
        for (given, written) in [
            ("2026-03-08T10:00:00Z", "2026-03-08T10:00:00.000Z"),
            (
                "2026-03-08T12:00:00.123456+02:00",
                "2026-03-08T10:00:00.123Z",
            ),
        ] {
            let time: Timestamp = given.parse().unwrap();
            assert_eq!(iso(time), written);
            assert_eq!(iso(whole_ms(time)), written);
        }
    }
}
