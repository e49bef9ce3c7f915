//! The permits of one class, and the queue before them.
//!
//! **Invariant:** no more requests are in work than there are permits, and no more wait than the
//! queue holds; whoever came first is first, and who hangs up gives their place back.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use super::{
    backlog::{Backlog, Load},
    class::Class,
};

pub struct Gate {
    class: Class,
    limit: u32,
    queue_max: u32,
    permits: Semaphore,
    waiting: AtomicU32,
    finished: AtomicU64,
    backlog: Mutex<Backlog>,
}

/// Why nobody was let through.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shut {
    /// The queue is full.
    Full,
    /// No permit came free in time.
    Late,
}

impl Gate {
    pub fn new(class: Class, limit: u32, queue_factor: u32) -> Self {
        let permits = usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            class,
            limit,
            queue_max: limit.saturating_mul(queue_factor),
            permits: Semaphore::new(permits.min(Semaphore::MAX_PERMITS)),
            waiting: AtomicU32::new(0),
            finished: AtomicU64::new(0),
            backlog: Mutex::new(Backlog::new(Instant::now())),
        }
    }

    pub fn class(&self) -> Class {
        self.class
    }

    pub fn limit(&self) -> u32 {
        self.limit
    }

    pub fn in_work(&self) -> u32 {
        let free = u32::try_from(self.permits.available_permits()).unwrap_or(u32::MAX);
        self.limit.saturating_sub(free)
    }

    pub fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A permit when one is free and nobody waits for it.
    pub fn try_enter(self: &Arc<Self>) -> Option<Permit> {
        let permit = self.permits.try_acquire().ok()?;
        permit.forget();
        Some(Permit(Arc::clone(self)))
    }

    /// A permit when it is this caller's turn, if that comes in time.
    pub async fn enter(self: &Arc<Self>, longest: Duration) -> Result<Permit, Shut> {
        let Some(_place) = self.queue() else {
            return Err(Shut::Full);
        };
        match tokio::time::timeout(longest, self.permits.acquire()).await {
            Ok(Ok(permit)) => {
                permit.forget();
                Ok(Permit(Arc::clone(self)))
            }
            _ => Err(Shut::Late),
        }
    }

    /// Notes that somebody is turned away; seconds until their turn.
    pub fn turn_away(&self) -> u32 {
        let now = Instant::now();
        let load = self.load();
        let mut backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        let secs = backlog.turn_away(now, load);
        if backlog.is_news(now) {
            tracing::warn!(
                class = self.class.as_str(),
                in_work = self.in_work(),
                waiting = self.waiting(),
                retry_after_seconds = secs,
                "requests are turned away"
            );
        }
        secs
    }

    fn queue(&self) -> Option<Place<'_>> {
        let one_more = |waiting: u32| (waiting < self.queue_max).then_some(waiting + 1);
        let order = Ordering::Relaxed;
        let before = self.waiting.fetch_update(order, order, one_more).ok()?;
        if before == 0 {
            let mut backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
            backlog.begin(Instant::now(), self.load());
        }
        Some(Place(self))
    }

    fn load(&self) -> Load {
        Load {
            finished: self.finished.load(Ordering::Relaxed),
            limit: self.limit,
            here: self.in_work() + self.waiting(),
        }
    }
}

/// A place in the queue, given back when dropped.
struct Place<'a>(&'a Gate);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The right to be in work, given back when dropped.
pub struct Permit(Arc<Gate>);

impl Permit {
    pub fn class(&self) -> Class {
        self.0.class
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.finished.fetch_add(1, Ordering::Relaxed);
        self.0.permits.add_permits(1);
    }
}
