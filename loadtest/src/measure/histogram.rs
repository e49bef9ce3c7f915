//! Times of answers in buckets whose width grows with the time: at most 1.6 % off, few bytes.

/// Values below twice this have a bucket each; above, each power of two has so many.
const STEPS: u64 = 64;
const STEP_BITS: u32 = STEPS.ilog2();

/// Microseconds and how often they were seen.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    buckets: Vec<u32>,
    count: u64,
    max_us: u64,
}

impl Histogram {
    pub fn record(&mut self, us: u64) {
        let index = index(us);
        if index >= self.buckets.len() {
            self.buckets.resize(index + 1, 0);
        }
        if let Some(bucket) = self.buckets.get_mut(index) {
            *bucket = bucket.saturating_add(1);
        }
        self.count += 1;
        self.max_us = self.max_us.max(us);
    }

    pub fn merge(&mut self, other: &Self) {
        if other.buckets.len() > self.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (bucket, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *bucket = bucket.saturating_add(*more);
        }
        self.count += other.count;
        self.max_us = self.max_us.max(other.max_us);
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn max_ms(&self) -> f64 {
        super::float(self.max_us) / 1000.0
    }

    /// The milliseconds that this part of all times does not exceed; 0 when there are none.
    pub fn quantile_ms(&self, part: f64) -> f64 {
        let wanted = (super::float(self.count) * part).ceil().max(1.0);
        let mut seen = 0.0;
        for (index, bucket) in self.buckets.iter().enumerate() {
            seen += f64::from(*bucket);
            if seen >= wanted {
                return super::float(highest(index).min(self.max_us)) / 1000.0;
            }
        }
        self.max_ms()
    }
}

fn index(us: u64) -> usize {
    let shift = (u64::BITS - us.leading_zeros()).saturating_sub(STEP_BITS + 1);
    let index = u64::from(shift) * STEPS + (us >> shift);
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// The largest value of a bucket.
fn highest(index: usize) -> u64 {
    let index = u64::try_from(index).unwrap_or(u64::MAX);
    let shift = (index / STEPS).saturating_sub(1);
    ((index - shift * STEPS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_falls_into_a_bucket_that_is_narrow() {
        let mut last = 0;
        for us in (0..5000).chain((5000..80_000_000).step_by(9973)) {
            let index = index(us);
            assert!(index >= last, "{us}");
            last = index;
            let top = highest(index);
            assert!(top >= us && (top - us) * 60 <= us.max(1), "{us} {top}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_values() {
        let (mut some, mut others) = (Histogram::default(), Histogram::default());
        (1..=50).for_each(|us| some.record(us * 1000));
        (51..=100).for_each(|us| others.record(us * 1000));
        some.merge(&others);
        assert_eq!(some.count(), 100);
        for (part, ms) in [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.0, 1.0)] {
            let found = some.quantile_ms(part);
            assert!((found - ms).abs() <= ms * 0.017, "{part}: {found}");
        }
    }

    #[test]
    fn nothing_was_seen_of_nothing() {
        let empty = Histogram::default();
        assert!(
            empty.quantile_ms(0.99).abs() < f64::EPSILON && empty.max_ms().abs() < f64::EPSILON
        );
    }
}
