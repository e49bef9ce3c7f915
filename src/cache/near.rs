//! What the process itself remembers.
//!
//! **Invariant:** once something was forgotten here, nothing that was loaded before is given: what
//! is remembered lies under a generation, and forgetting begins the next one.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::keys::{Ages, Key};

/// How long a value is given from memory.
const USABLE: Duration = Duration::from_millis(500);
/// After this time it is looked up anew while it is still given, so that nobody waits.
const FRESH: Duration = Duration::from_millis(250);
/// Bytes of all values together.
const BYTES_MAX: u64 = 32 * 1024 * 1024;
/// What an entry takes beside its value, about.
const OVERHEAD_BYTES: usize = 256;

/// A key in a generation.
pub type Place = (u64, Key);

/// A value of any type, or that there is none.
pub struct Held {
    value: Option<Arc<dyn Any + Send + Sync>>,
    bytes: u32,
    usable_until: Instant,
    refresh_at: Instant,
    refreshing: AtomicBool,
}

impl Held {
    /// `bytes` is the length of the packed value; a value that is not `settled` is remembered, but
    /// not given without asking memcached.
    pub fn new(
        value: Option<Arc<dyn Any + Send + Sync>>,
        (made_ms, now_ms): (i64, i64),
        ages: Ages,
        bytes: usize,
        settled: bool,
    ) -> Self {
        let now = Instant::now();
        let age = u64::try_from(now_ms.saturating_sub(made_ms)).unwrap_or_default();
        let left = (ages.usable + USABLE).saturating_sub(Duration::from_millis(age));
        let usable = if settled {
            left.min(USABLE)
        } else {
            Duration::ZERO
        };
        Self {
            value,
            bytes: u32::try_from(bytes + OVERHEAD_BYTES).unwrap_or(u32::MAX),
            usable_until: now + usable,
            refresh_at: now + FRESH,
            refreshing: AtomicBool::new(false),
        }
    }

    pub fn value<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.value.clone()?.downcast().ok()
    }

    pub fn is_usable(&self, now: Instant) -> bool {
        now < self.usable_until
    }

    /// Whether the caller is to look it up anew; one caller is.
    pub fn takes_refresh(&self, now: Instant) -> bool {
        now >= self.refresh_at && !self.refreshing.swap(true, Ordering::Relaxed)
    }

    pub fn refresh_failed(&self) {
        self.refreshing.store(false, Ordering::Relaxed);
    }
}

pub struct Near {
    held: moka::future::Cache<Place, Arc<Held>>,
    generation: AtomicU64,
}

impl Near {
    pub fn new() -> Self {
        Self {
            held: moka::future::Cache::builder()
                .max_capacity(BYTES_MAX)
                .weigher(|_, held: &Arc<Held>| held.bytes)
                .time_to_live(Duration::from_mins(1))
                .build(),
            generation: AtomicU64::new(0),
        }
    }

    pub fn place(&self, key: Key) -> Place {
        (self.generation.load(Ordering::Acquire), key)
    }

    pub async fn get(&self, place: &Place) -> Option<Arc<Held>> {
        self.held.get(place).await
    }

    pub async fn put(&self, place: &Place, held: Held) -> Arc<Held> {
        let held = Arc::new(held);
        self.held.insert(place.clone(), Arc::clone(&held)).await;
        held
    }

    pub fn begin_generation(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}
