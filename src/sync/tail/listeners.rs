//! Who listens, and the bell by which each is woken.
//!
//! **Invariant:** there are no more listeners than there is room for, and of one volunteer
//! [`STREAMS_OF_ONE_MAX`] at most.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::Notify;
use uuid::Uuid;

use super::Tail;
use crate::sync::{Checkpoint, Collection};

/// Streams of one volunteer at one server: a few devices with all collections each.
const STREAMS_OF_ONE_MAX: usize = 20;

/// Why nobody can listen here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refused {
    /// The server has no room.
    Full,
    /// The volunteer has as many as one may have.
    TooMany,
    /// The server stops.
    Ending,
    /// The database does not answer.
    Away,
}

impl Refused {
    pub const ALL: [Self; 4] = [Self::Full, Self::TooMany, Self::Ending, Self::Away];

    /// As metrics name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::TooMany => "too_many",
            Self::Ending => "ending",
            Self::Away => "away",
        }
    }
}

pub(super) struct Slot {
    collection: Collection,
    bell: Notify,
}

pub(super) struct Listeners {
    of: HashMap<Uuid, Vec<Arc<Slot>>>,
    count: usize,
    max: usize,
    is_ended: bool,
}

impl Listeners {
    pub fn new(max: usize) -> Self {
        Self {
            of: HashMap::new(),
            count: 0,
            max,
            is_ended: false,
        }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    pub fn add(
        &mut self,
        volunteer_id: Uuid,
        collection: Collection,
    ) -> Result<Arc<Slot>, Refused> {
        if self.is_ended {
            return Err(Refused::Ending);
        }
        if self.count >= self.max {
            return Err(Refused::Full);
        }
        let slots = self.of.entry(volunteer_id).or_default();
        if slots.len() >= STREAMS_OF_ONE_MAX {
            return Err(Refused::TooMany);
        }
        let slot = Arc::new(Slot {
            collection,
            bell: Notify::new(),
        });
        slots.push(Arc::clone(&slot));
        self.count += 1;
        Ok(slot)
    }

    fn remove(&mut self, volunteer_id: Uuid, slot: &Arc<Slot>) {
        let Some(slots) = self.of.get_mut(&volunteer_id) else {
            return;
        };
        slots.retain(|other| !Arc::ptr_eq(other, slot));
        if slots.is_empty() {
            self.of.remove(&volunteer_id);
        }
        self.count -= 1;
    }

    /// Something is new to a volunteer.
    pub fn ring(&self, volunteer_id: Uuid, collection: Collection) {
        let slots = self.of.get(&volunteer_id).into_iter().flatten();
        slots
            .filter(|slot| slot.collection == collection)
            .for_each(|slot| slot.bell.notify_one());
    }

    /// Something is new to everybody.
    pub fn ring_everybody(&self, collection: Collection) {
        self.all()
            .filter(|slot| slot.collection == collection)
            .for_each(|slot| slot.bell.notify_one());
    }

    /// Something may be new to anybody.
    pub fn ring_all(&self) {
        self.all().for_each(|slot| slot.bell.notify_one());
    }

    pub fn end(&mut self) {
        self.is_ended = true;
        self.ring_all();
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Slot>> {
        self.of.values().flatten()
    }
}

/// Listens for one volunteer and collection until it is dropped.
pub struct Listening {
    tail: Tail,
    volunteer_id: Uuid,
    slot: Arc<Slot>,
    /// Everything after this place is heard of.
    pub from: Checkpoint,
}

impl Listening {
    pub(super) fn new(tail: Tail, volunteer_id: Uuid, slot: Arc<Slot>, from: Checkpoint) -> Self {
        Self {
            tail,
            volunteer_id,
            slot,
            from,
        }
    }

    /// Completes when there may be something new, and at once when there was since the last time.
    pub async fn heard(&self) {
        self.slot.bell.notified().await;
    }

    /// Everything of transactions below is in the database, as far as is known here.
    pub fn horizon(&self) -> Option<i64> {
        let followed = self.tail.state().followed;
        followed.map(|followed| followed.horizon)
    }

    /// Whether the server ends all streams.
    pub fn is_ended(&self) -> bool {
        self.tail.state().listeners.is_ended
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut state = self.tail.state();
        state.listeners.remove(self.volunteer_id, &self.slot);
    }
}
