//! What is on its way in this process: whoever asks for the same waits for the first.
//!
//! **Invariant:** for one thing at most one task is under way. It is a task of its own, so nobody who
//! hangs up takes it along.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::watch;

/// Things that are on their way at the same time; beyond it nobody may begin another.
pub const FLIGHTS_MAX: usize = 4096;

type Landing<V> = watch::Receiver<Option<V>>;
type Map<K, V> = Mutex<HashMap<K, (Landing<V>, Urgency)>>;

#[derive(Clone)]
pub struct Flights<K, V>(Arc<Map<K, V>>);

/// Whether somebody waits who sees the result at once.
#[derive(Clone, Debug)]
struct Urgency(Arc<AtomicBool>);

/// What the task of a flight sees of those who wait.
pub struct Waiting<V> {
    sender: watch::Sender<Option<V>>,
    urgency: Urgency,
}

/// Begun or joined.
pub struct Flight<V> {
    landing: Landing<V>,
    pub is_first: bool,
}

/// Too much is on its way.
#[derive(Debug)]
pub struct Full;

impl<K, V> Flights<K, V>
where
    K: Copy + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Joins the flight of `key`, or begins it with the task that `begin` makes.
    pub fn join<F, T>(&self, key: K, is_urgent: bool, begin: F) -> Result<Flight<V>, Full>
    where
        F: FnOnce(Arc<Waiting<V>>) -> T,
        T: Future<Output = V> + Send + 'static,
    {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((landing, urgency)) = flights.get(&key) {
            urgency.0.fetch_or(is_urgent, Ordering::Relaxed);
            return Ok(Flight {
                landing: landing.clone(),
                is_first: false,
            });
        }
        if flights.len() >= FLIGHTS_MAX {
            return Err(Full);
        }
        let (sender, landing) = watch::channel(None);
        let urgency = Urgency(Arc::new(AtomicBool::new(is_urgent)));
        flights.insert(key, (landing.clone(), urgency.clone()));
        drop(flights);
        let waiting = Arc::new(Waiting { sender, urgency });
        let task = begin(Arc::clone(&waiting));
        let ended = Ended(self.clone(), key);
        tokio::spawn(async move {
            let value = task.await;
            // First nobody may join any more, then those who did are told.
            drop(ended);
            waiting.sender.send_replace(Some(value));
        });
        Ok(Flight {
            landing,
            is_first: true,
        })
    }
}

/// Takes the flight out, also when its task panics.
struct Ended<K: Eq + Hash, V>(Flights<K, V>, K);

impl<K: Eq + Hash, V> Drop for Ended<K, V> {
    fn drop(&mut self) {
        let mut flights = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        flights.remove(&self.1);
    }
}

impl<V> Waiting<V> {
    /// Whether anybody still waits. One receiver is that of the map.
    pub fn is_wanted(&self) -> bool {
        self.sender.receiver_count() > 1
    }

    pub fn is_urgent(&self) -> bool {
        self.urgency.0.load(Ordering::Relaxed)
    }
}

impl<V: Clone> Flight<V> {
    /// What came of it, or nothing when its task was broken off.
    pub async fn landed(&mut self) -> Option<V> {
        let landed = self.landing.wait_for(Option::is_some).await.ok()?;
        landed.clone()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn whoever_hangs_up_takes_nothing_along() {
        let flights = Flights::new();
        let (release, held) = oneshot::channel();
        let begin = |_| async move { held.await.unwrap_or(0) };
        let first = flights.join(1, true, begin).unwrap();
        let mut second = flights.join(1, true, |_| async { 2 }).unwrap();
        assert!(first.is_first && !second.is_first);
        drop(first);
        release.send(1).unwrap();
        assert_eq!(second.landed().await, Some(1));
        let mut third = flights.join(1, true, |_| async { 3 }).unwrap();
        assert_eq!(third.landed().await, Some(3));
    }

    #[tokio::test]
    async fn a_task_that_breaks_off_leaves_the_place_to_another() {
        let flights = Flights::new();
        let mut broken = flights
            .join(1, true, |_| async { panic!("as planned") })
            .unwrap();
        assert_eq!(broken.landed().await, None::<i32>);
        let mut next = flights.join(1, true, |_| async { 1 }).unwrap();
        assert_eq!(next.landed().await, Some(1));
    }

    #[tokio::test]
    async fn a_flight_knows_whether_it_is_wanted_and_how_urgently() {
        let flights = Flights::new();
        let (send, handle) = oneshot::channel();
        let begin = |waiting: Arc<Waiting<i32>>| {
            assert!(send.send(waiting).is_ok());
            std::future::pending()
        };
        let first = flights.join(1, false, begin).unwrap();
        let waiting = handle.await.unwrap();
        assert!(waiting.is_wanted() && !waiting.is_urgent());
        let second = flights.join(1, true, |_| async { 2 }).unwrap();
        assert!(waiting.is_urgent());
        drop((first, second));
        assert!(!waiting.is_wanted());
    }

    #[tokio::test]
    async fn no_more_are_on_their_way_than_the_limit() {
        let flights: Flights<usize, ()> = Flights::new();
        let begin = |_| std::future::pending();
        let held: Vec<_> = (0..FLIGHTS_MAX)
            .map(|key| flights.join(key, true, begin).unwrap())
            .collect();
        assert!(flights.join(FLIGHTS_MAX, true, begin).is_err());
        assert!(flights.join(0, true, begin).is_ok());
        drop(held);
    }
}
