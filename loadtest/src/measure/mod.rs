//! Chance with a seed, arrivals, times of answers.

mod arrivals;
mod histogram;
mod random;
mod recorder;

pub use arrivals::{Arrivals, Curve};
pub use histogram::Histogram;
pub use random::Random;
pub use recorder::{Measured, Recorder, Second};

/// A count as a number to divide.
pub fn float(count: u64) -> f64 {
    let low = u32::try_from(count & 0xFFFF_FFFF).unwrap_or(u32::MAX);
    let high = u32::try_from(count >> 32).unwrap_or(u32::MAX);
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

/// The same for a number of things in memory.
pub fn float_of(count: usize) -> f64 {
    float(u64::try_from(count).unwrap_or(u64::MAX))
}
