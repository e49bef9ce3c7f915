//! Of which history of the database a place is, and whether it can be gone on from.
//!
//! **Invariant:** the epoch is read in the statement that reads the documents, so a database that was
//! restored or replaced in between is never mistaken for the one before.

use actix_web::http::StatusCode;
use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use super::{Checkpoint, Position};
use crate::{db::DbError, http::Problem};

/// Where a volunteer's pull of a collection stands, as the database has it.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// None when this history was not given a number yet.
    pub epoch: Option<i32>,
    /// What has a lower transaction is final.
    pub horizon: i64,
    /// Tombstones up to this transaction may be forgotten.
    pub floor: i64,
}

impl Standing {
    /// From the columns of `sync_standing`.
    pub fn of(row: &Row) -> Self {
        Self {
            epoch: row.get("epoch"),
            horizon: row.get("horizon"),
            floor: row.get("floor"),
        }
    }

    /// The first place from which no forgotten tombstone is missed.
    pub fn floor_position(&self) -> Position {
        Position {
            xid: self.floor,
            id: Uuid::nil(),
        }
    }

    /// Whether a pull can go on from there.
    ///
    /// Errors: 426 `sync_start_again`.
    pub fn check(&self, from: &Checkpoint) -> Result<(), Problem> {
        let Some(epoch) = from.epoch else {
            return Ok(());
        };
        let xid = from.at.xid;
        let is_ours = Some(epoch) == self.epoch;
        let is_of_future = xid >= self.horizon || from.known_below > self.horizon;
        let is_too_old = xid < self.floor && from.known_below <= self.floor;
        if !is_ours || is_of_future || is_too_old {
            return Err(start_again());
        }
        Ok(())
    }
}

/// Set in the epoch of each device that was somebody else before it was linked.
const MARKED: i32 = 1 << 30;

/// The epoch as a device with this mark is told it, and back again. What the device was told under
/// another mark was another volunteer's, so its places are those of another epoch here.
pub fn marked(epoch: i32, mark: u16) -> i32 {
    match mark {
        0 => epoch,
        mark => epoch ^ (MARKED | i32::from(mark)),
    }
}

/// The phone's place is of no use.
pub fn start_again() -> Problem {
    Problem::new(
        StatusCode::UPGRADE_REQUIRED,
        "sync_start_again",
        "This checkpoint cannot be gone on from: the database was restored, or you were away for longer than tombstones are kept. Sync again from the beginning, with a new replication: what you have is pushed again and nothing is stored twice.",
    )
}

/// Where the database stands, whatever the collection; the floor is 0.
pub async fn standing(db: &impl GenericClient, volunteer_id: Uuid) -> Result<Standing, DbError> {
    let sql = "-- sync::standing
        SELECT epoch, horizon, floor FROM sync_standing($1, '')";
    let row = db
        .query_typed_one(sql, &[(&volunteer_id, Type::UUID)])
        .await?;
    Ok(Standing::of(&row))
}

/// Gives this history a number, unless another process was faster.
pub async fn begin(db: &impl GenericClient) -> Result<(), DbError> {
    let sql = "-- sync::begin_epoch
        INSERT INTO sync_epoch (epoch, history)
        SELECT n.epoch, sync_history()
        FROM (SELECT 1 + floor(random() * 2147483646)::int AS epoch FROM generate_series(1, 16)) AS n
        WHERE NOT EXISTS (SELECT FROM sync_epoch AS e WHERE (e.epoch & 4095) = (n.epoch & 4095))
        LIMIT 1
        ON CONFLICT ON CONSTRAINT sync_epoch_pkey DO UPDATE
        SET epoch = EXCLUDED.epoch, history = EXCLUDED.history, began_at = now()
        WHERE sync_epoch.history <> EXCLUDED.history";
    db.execute_typed(sql, &[]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_makes_another_epoch_also_in_its_lowest_bits_and_is_taken_off_again() {
        for (epoch, mark) in [(7, 1), (i32::MAX, 4095), (4096, 512)] {
            assert_eq!(marked(marked(epoch, mark), mark), epoch);
            assert_ne!(marked(epoch, mark) & 4095, epoch & 4095);
        }
        assert_eq!(marked(7, 0), 7);
    }

    #[test]
    fn a_place_of_another_history_from_the_future_or_too_old_is_of_no_use() {
        let standing = Standing {
            epoch: Some(7),
            horizon: 100,
            floor: 10,
        };
        let check = |epoch, xid, known_below| {
            let id = Uuid::nil();
            let at = Position { xid, id };
            let from = Checkpoint {
                epoch,
                at,
                known_below,
                is_end: false,
            };
            standing.check(&from).is_ok()
        };
        assert!(check(None, 0, 0));
        assert!(check(Some(7), 10, 0));
        assert!(check(Some(7), 99, 100));
        assert!(!check(Some(7), 100, 0));
        assert!(!check(Some(7), 9, 10));
        assert!(!check(Some(7), 99, 101));
        assert!(!check(Some(8), 50, 0));
        // It began to read when what is forgotten was a tombstone already.
        assert!(check(Some(7), 9, 11));
    }
}
