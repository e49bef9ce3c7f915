//! Up to where volunteers have nothing new, as far as it is remembered. Pure.
//!
//! **Invariant:** it holds [`Known::new`]'s number of volunteers at most; those that nobody asked for
//! longest are forgotten first, which costs a look into the database.

use std::collections::HashMap;

use uuid::Uuid;

use super::COLLECTIONS;
use crate::sync::Position;

/// Of each collection the place after which the volunteer has nothing.
type Places = [Option<Position>; COLLECTIONS];

pub struct Known {
    young: HashMap<Uuid, Places>,
    /// Takes the place of the young when these are half of what may be held.
    old: HashMap<Uuid, Places>,
    half: usize,
}

impl Known {
    pub fn new(volunteers: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            half: (volunteers / 2).max(1),
        }
    }

    pub fn place(&mut self, volunteer_id: Uuid, collection: usize) -> Option<Position> {
        if let Some(places) = self.young.get(&volunteer_id) {
            return places[collection];
        }
        let places = self.old.remove(&volunteer_id)?;
        self.put(volunteer_id, places);
        places[collection]
    }

    pub fn learn(&mut self, volunteer_id: Uuid, collection: usize, place: Position) {
        let mut places = self
            .young
            .remove(&volunteer_id)
            .or_else(|| self.old.remove(&volunteer_id))
            .unwrap_or_default();
        places[collection] = Some(place);
        self.put(volunteer_id, places);
    }

    /// Something of the volunteer changed.
    pub fn forget(&mut self, volunteer_id: Uuid, collection: usize) {
        for places in [&mut self.young, &mut self.old] {
            if let Some(places) = places.get_mut(&volunteer_id) {
                places[collection] = None;
            }
        }
    }

    /// The same for what all volunteers have in common.
    pub fn forget_of_all(&mut self, collection: usize) {
        for places in self.young.values_mut().chain(self.old.values_mut()) {
            places[collection] = None;
        }
    }

    pub fn clear(&mut self) {
        self.young = HashMap::new();
        self.old = HashMap::new();
    }

    fn put(&mut self, volunteer_id: Uuid, places: Places) {
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(volunteer_id, places);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(xid: i64) -> Position {
        Position {
            xid,
            id: Uuid::nil(),
        }
    }

    #[test]
    fn what_was_learnt_is_known_until_it_changes() {
        let mut known = Known::new(10);
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        known.learn(one, 0, place(7));
        known.learn(one, 1, place(8));
        known.learn(other, 0, place(9));
        known.forget(one, 0);
        assert_eq!(known.place(one, 0), None);
        assert_eq!(known.place(one, 1), Some(place(8)));
        assert_eq!(known.place(other, 0), Some(place(9)));
        known.forget_of_all(1);
        assert_eq!(known.place(one, 1), None);
        known.clear();
        assert_eq!(known.place(other, 0), None);
    }

    #[test]
    fn it_never_holds_more_than_it_may_and_keeps_who_is_asked_for() {
        let mut known = Known::new(10);
        let asked = Uuid::from_u128(1);
        known.learn(asked, 0, place(1));
        for n in 2..1000 {
            known.learn(Uuid::from_u128(n), 0, place(1));
            assert_eq!(known.place(asked, 0), Some(place(1)), "{n}");
            assert!(known.young.len() + known.old.len() <= 10);
        }
        assert_eq!(known.place(Uuid::from_u128(2), 0), None);
    }

    #[test]
    fn what_changed_is_forgotten_wherever_it_lies() {
        let mut known = Known::new(4);
        known.learn(Uuid::from_u128(1), 0, place(1));
        known.learn(Uuid::from_u128(2), 0, place(1));
        known.learn(Uuid::from_u128(3), 0, place(1));
        known.forget(Uuid::from_u128(1), 0);
        assert_eq!(known.place(Uuid::from_u128(1), 0), None);
    }
}
