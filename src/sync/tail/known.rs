//! What a server knows of who has something new. Pure.
//!
//! Two things are remembered of each volunteer and collection: the place after which nothing came,
//! once it was read from the database; and the last change that the feed told. The second answers
//! also whoever was never asked about here: a phone whose checkpoint is the end of what there was has
//! nothing new unless the feed told of a change since.
//!
//! **Invariant:** "nothing new" is never said of somebody about whom a change may have been
//! forgotten: what is forgotten moves up [`Known::since`].
//!
//! **Invariant:** each of the two holds [`Known::new`]'s number of volunteers at most; those that
//! nobody asked for longest are forgotten first, which costs a look into the database.

use uuid::Uuid;

use super::{COLLECTIONS, generations::Generations};
use crate::sync::{Checkpoint, Position};

pub struct Known {
    /// Of each collection the place after which the volunteer has nothing.
    ends: Generations<[Option<Position>; COLLECTIONS]>,
    /// Of each collection the transaction of the volunteer's last change.
    changes: Generations<[i64; COLLECTIONS]>,
    /// All changes of transactions from this one on are remembered.
    since: [i64; COLLECTIONS],
    /// The same of those that the older generation of changes does not hold.
    young_since: i64,
    /// Everything of transactions below was told, or is being told.
    told_below: i64,
}

impl Known {
    pub fn new(volunteers: usize) -> Self {
        Self {
            ends: Generations::new(volunteers),
            changes: Generations::new(volunteers),
            since: [i64::MAX; COLLECTIONS],
            young_since: i64::MAX,
            told_below: i64::MAX,
        }
    }

    /// Forgets everything; changes from this transaction on will be told.
    pub fn begin(&mut self, horizon: i64) {
        self.ends.clear();
        self.changes.clear();
        self.since = [horizon; COLLECTIONS];
        self.young_since = horizon;
        self.told_below = horizon;
    }

    /// Everything of transactions below the horizon is told now.
    pub fn tell(&mut self, horizon: i64) {
        self.told_below = horizon;
    }

    /// Whether nothing was ever read of the volunteer.
    pub fn is_stranger(&self, volunteer_id: Uuid) -> bool {
        self.ends.peek(volunteer_id).is_none()
    }

    /// Whether no document comes after a place.
    pub fn has_nothing_after(
        &mut self,
        from: &Checkpoint,
        volunteer_id: Uuid,
        collection: usize,
    ) -> bool {
        let ends = self.ends.get(volunteer_id);
        ends.is_some_and(|ends| ends[collection].is_some_and(|end| end <= from.at))
            || self.heard_nothing_since(from, volunteer_id, collection)
    }

    /// Whether the feed told of nothing, documents or refusals, since everything was read.
    pub fn heard_nothing_since(
        &self,
        from: &Checkpoint,
        volunteer_id: Uuid,
        collection: usize,
    ) -> bool {
        from.is_end
            && self.since[collection] <= from.known_below
            && self.changed(volunteer_id, collection) < from.known_below
    }

    /// The transaction of the last change that is remembered.
    fn changed(&self, volunteer_id: Uuid, collection: usize) -> i64 {
        let changes = self.changes.peek(volunteer_id);
        changes.map_or(0, |changes| changes[collection])
    }

    /// The volunteer's part was read to its end, which is this place; below the horizon that is final.
    /// It is not believed when the feed told, or may have told, of something later.
    pub fn learn(&mut self, end: Position, horizon: i64, volunteer_id: Uuid, collection: usize) {
        let is_last = self.changed(volunteer_id, collection) < horizon;
        if is_last && self.since[collection] <= horizon {
            self.ends
                .put(volunteer_id, |ends| ends[collection] = Some(end));
        }
    }

    /// The volunteer's last change of those that are told.
    pub fn change(&mut self, xid: i64, volunteer_id: Uuid, collection: usize) {
        if let Some(ends) = self.ends.peek_mut(volunteer_id) {
            ends[collection] = None;
        }
        let has_forgotten = self
            .changes
            .put(volunteer_id, |changes| changes[collection] = xid);
        if has_forgotten {
            for since in &mut self.since {
                *since = (*since).max(self.young_since);
            }
            self.young_since = self.told_below;
        }
    }

    /// Anybody may have something new of transactions below.
    pub fn change_of_all(&mut self, below: i64, collection: usize) {
        self.since[collection] = self.since[collection].max(below);
        self.ends.each(|ends| ends[collection] = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOLUNTEERS: usize = 10;

    fn place(xid: i64) -> Position {
        Position {
            xid,
            id: Uuid::nil(),
        }
    }

    /// In the middle of what there is.
    fn amid(xid: i64) -> Checkpoint {
        Checkpoint {
            epoch: Some(1),
            at: place(xid),
            known_below: xid + 1,
            is_end: false,
        }
    }

    /// After everything below a transaction.
    fn end(xid: i64, known_below: i64) -> Checkpoint {
        Checkpoint {
            known_below,
            is_end: true,
            ..amid(xid)
        }
    }

    fn known() -> Known {
        let mut known = Known::new(VOLUNTEERS);
        known.begin(100);
        known
    }

    fn nobody(nth: u128) -> Uuid {
        Uuid::from_u128(nth)
    }

    #[test]
    fn what_was_read_to_its_end_is_known_until_it_changes() {
        let mut known = known();
        let (one, other) = (nobody(1), nobody(2));
        known.learn(place(7), 100, one, 0);
        known.learn(place(8), 100, one, 1);
        known.learn(place(9), 100, other, 0);
        assert!(known.has_nothing_after(&amid(7), one, 0));
        assert!(!known.has_nothing_after(&amid(6), one, 0));
        // A refusal is no document.
        assert!(!known.heard_nothing_since(&amid(7), one, 0));
        assert!(!known.is_stranger(one) && known.is_stranger(nobody(3)));
        known.tell(102);
        known.change(101, one, 0);
        assert!(!known.has_nothing_after(&amid(7), one, 0));
        assert!(known.has_nothing_after(&amid(8), one, 1));
        assert!(known.has_nothing_after(&amid(9), other, 0));
        known.change_of_all(103, 1);
        assert!(!known.has_nothing_after(&amid(8), one, 1));
        known.begin(104);
        assert!(!known.has_nothing_after(&amid(9), other, 0));
    }

    #[test]
    fn what_was_read_before_a_change_is_not_believed() {
        let mut known = known();
        let (one, other) = (nobody(1), nobody(2));
        known.tell(110);
        known.change(105, one, 0);
        known.learn(place(7), 105, one, 0);
        known.learn(place(7), 105, other, 0);
        assert!(!known.has_nothing_after(&amid(7), one, 0));
        // The feed was read since then, and told of nothing.
        assert!(known.has_nothing_after(&amid(7), other, 0));
        known.learn(place(105), 106, one, 0);
        assert!(known.has_nothing_after(&amid(105), one, 0));
        known.change_of_all(120, 0);
        known.learn(place(105), 119, one, 0);
        assert!(!known.has_nothing_after(&amid(105), one, 0));
    }

    #[test]
    fn who_had_everything_has_nothing_new_until_a_change_is_told() {
        let mut known = known();
        let one = nobody(1);
        assert!(known.has_nothing_after(&end(7, 100), one, 0));
        assert!(!known.has_nothing_after(&end(7, 99), one, 0), "not heard");
        assert!(!known.has_nothing_after(&amid(100), one, 0), "amid");
        known.tell(103);
        known.change(101, one, 0);
        assert!(!known.has_nothing_after(&end(7, 100), one, 0));
        assert!(!known.has_nothing_after(&end(7, 101), one, 0));
        assert!(known.has_nothing_after(&end(101, 102), one, 0));
        assert!(known.has_nothing_after(&end(7, 100), one, 1));
        known.change_of_all(110, 0);
        assert!(!known.has_nothing_after(&end(101, 109), one, 0));
        assert!(known.has_nothing_after(&end(101, 110), one, 0));
    }

    #[test]
    fn a_change_that_was_forgotten_is_never_taken_for_none() {
        let mut known = known();
        known.tell(102);
        known.change(101, nobody(1), 0);
        for nth in 2..100 {
            let xid = 100 + i64::try_from(nth).unwrap();
            assert!(!known.has_nothing_after(&end(7, 101), nobody(1), 0));
            known.tell(xid + 1);
            known.change(xid, nobody(nth), 0);
            // Whoever had everything a moment ago has nothing new.
            assert!(known.has_nothing_after(&end(7, xid), nobody(1), 0));
            assert!(!known.has_nothing_after(&end(7, xid), nobody(nth), 0));
        }
    }
}
