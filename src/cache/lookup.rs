//! What a look-up does when the process's own memory has nothing to give.

use std::{any::Any, sync::Arc, time::Duration};

use rand::Rng;

use super::{
    Cache, Cached, Failure, Inner, Load, Loaded,
    count::Outcome,
    entry::{Age, Entry},
    keys::Ages,
    near::{Held, Place},
    shared::{Lease, Reading},
};

/// Pauses between looks for what another server loads. After the last one we load it too.
const WAITS_MS: [u64; 5] = [10, 20, 40, 80, 160];

/// What memcached has of a value.
struct Found<T> {
    made_ms: i64,
    age: Age,
    bytes: usize,
    value: Option<Arc<T>>,
}

impl Cache {
    /// Looks a value up anew while the present one is given.
    pub(super) fn refresh<T: Cached, E: Failure>(
        &self,
        place: Place,
        held: Arc<Held>,
        load: Load<T, E>,
    ) {
        let cache = self.clone();
        tokio::spawn(async move {
            let mut outcome = Outcome::Miss;
            let found = cache.look_up(&place, load, &mut outcome).await;
            cache.0.refreshes.add(place.1.family(), outcome);
            if let Err(e) = found {
                tracing::debug!(cache.key = ?place.1, cause = %e, "a value was not refreshed");
                held.refresh_failed();
            }
        });
    }

    /// The value from memcached or whoever loads.
    pub(super) async fn look_up<T: Cached, E: Failure>(
        &self,
        place: &Place,
        load: Load<T, E>,
        outcome: &mut Outcome,
    ) -> Result<Arc<Held>, E> {
        let shared = &self.0.shared;
        let name = place.1.name(shared.prefix());
        let (found, lease) = match shared.read(&name).await {
            Reading::Failed => {
                *outcome = Outcome::Error;
                (None, Lease::Unknown)
            }
            Reading::LeftAlone => {
                *outcome = Outcome::Bypass;
                (None, Lease::Unknown)
            }
            reading => {
                *outcome = Outcome::Miss;
                let found = self.found::<T>(place.1.ages(), reading);
                if let Some(found) = &found
                    && found.age == Age::Fresh
                {
                    *outcome = Outcome::Hit;
                    return Ok(self.remember(place, found).await);
                }
                (found, shared.lease(&name).await)
            }
        };
        if let Some(found) = &found
            && found.age == Age::Stale
        {
            *outcome = Outcome::Stale;
            let held = self.remember(place, found).await;
            if matches!(lease, Lease::Ours(_)) {
                let known = found.value.clone();
                tokio::spawn(self.clone().reload(place.clone(), known, load, lease));
            }
            return Ok(held);
        }
        let known = found.as_ref().and_then(|found| found.value.clone());
        if lease == Lease::Taken
            && let Some(found) = self.wait_for_others::<T>(place, found.as_ref()).await
        {
            *outcome = Outcome::Hit;
            return Ok(self.remember(place, &found).await);
        }
        // On its own, so that nobody who hangs up takes it along.
        let loading = tokio::spawn(self.clone().reload(place.clone(), known, load, lease));
        match loading.await {
            Ok(held) => held,
            Err(e) => match e.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The process ends, and whoever waits with it.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Loads a value and keeps it.
    async fn reload<T: Cached, E: Failure>(
        self,
        place: Place,
        known: Option<Arc<T>>,
        load: Load<T, E>,
        lease: Lease,
    ) -> Result<Arc<Held>, E> {
        let Inner { near, shared, .. } = &*self.0;
        let (key, ages) = (&place.1, place.1.ages());
        let mut entry = self.entry(ages, None);
        let known = match known {
            Some(known) => Some(known),
            None => near.get(&place).await.and_then(|held| held.value()),
        };
        let loaded = load(known.clone()).await;
        let name = key.name(shared.prefix());
        match loaded {
            Ok(loaded) => {
                let value = match loaded {
                    Loaded::Value(value) => Some(Arc::new(value)),
                    Loaded::Unchanged => known,
                    Loaded::Absent => None,
                };
                entry.value = value.as_ref().map(|value| value.pack());
                let found = Found {
                    made_ms: entry.made_ms,
                    age: Age::Fresh,
                    bytes: entry.value.as_ref().map_or(0, Vec::len),
                    value,
                };
                if let Lease::Ours(token) = lease {
                    shared
                        .write_leased(&name, token, entry.pack(), ages.kept)
                        .await;
                }
                Ok(self.remember(&place, &found).await)
            }
            Err(e) => {
                if matches!(lease, Lease::Ours(_)) {
                    shared.end_lease(&name).await;
                }
                Err(e)
            }
        }
    }

    /// What another server loads meanwhile, unless that takes too long.
    async fn wait_for_others<T: Cached>(
        &self,
        place: &Place,
        before: Option<&Found<T>>,
    ) -> Option<Found<T>> {
        let name = place.1.name(self.0.shared.prefix());
        for wait_ms in WAITS_MS {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            let reading = self.0.shared.read(&name).await;
            if matches!(reading, Reading::Failed | Reading::LeftAlone) {
                return None;
            }
            let found = self.found::<T>(place.1.ages(), reading);
            if let Some(found) = found
                && found.age != Age::Old
                && before.is_none_or(|before| found.made_ms > before.made_ms)
            {
                return Some(found);
            }
        }
        None
    }

    fn found<T: Cached>(&self, ages: Ages, reading: Reading) -> Option<Found<T>> {
        let Reading::Found(entry) = reading else {
            return None;
        };
        let value = match &entry.value {
            Some(bytes) => Some(Arc::new(T::unpack(bytes)?)),
            None => None,
        };
        Some(Found {
            made_ms: entry.made_ms,
            age: entry.age(self.now_ms(), ages),
            bytes: entry.value.as_ref().map_or(0, Vec::len),
            value,
        })
    }

    async fn remember<T: Cached>(&self, place: &Place, found: &Found<T>) -> Arc<Held> {
        let settled = found.value.as_ref().is_some_and(|value| value.is_settled());
        let value = found.value.clone();
        let held = Held::new(
            value.map(|value| -> Arc<dyn Any + Send + Sync> { value }),
            (found.made_ms, self.now_ms()),
            place.1.ages(),
            found.bytes,
            settled,
        );
        self.0.near.put(place, held).await
    }

    /// An entry that is made now.
    pub(super) fn entry(&self, ages: Ages, value: Option<Vec<u8>>) -> Entry {
        let fresh_ms = u32::try_from(ages.fresh.as_millis()).unwrap_or(u32::MAX);
        let fifth = fresh_ms / 5;
        Entry {
            made_ms: self.now_ms(),
            fresh_ms: rand::rng().random_range(fresh_ms - fifth..=fresh_ms.saturating_add(fifth)),
            value,
        }
    }

    fn now_ms(&self) -> i64 {
        self.0.clock.now().as_millisecond()
    }
}
