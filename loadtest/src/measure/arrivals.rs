//! When people come: independently of each other (Poisson), at a rate that follows a curve.
//!
//! **Invariant:** arrivals depend on curve and seed alone. No answer delays one.

use std::time::Duration;

use super::Random;

/// Arrivals a second over time: straight lines between points, and nothing after the last.
#[derive(Clone, Debug)]
pub struct Curve(Vec<Point>);

#[derive(Clone, Copy, Debug)]
struct Point {
    at: f64,
    rate: f64,
}

impl Curve {
    /// The same rate all the time.
    pub fn steady(rate: f64, duration: Duration) -> Self {
        Self(vec![
            Point { at: 0.0, rate },
            Point {
                at: duration.as_secs_f64(),
                rate,
            },
        ])
    }

    /// From a twentieth up to `peak`, which is held.
    pub fn rise(peak: f64, rising: Duration, holding: Duration) -> Self {
        let (risen, end) = (rising.as_secs_f64(), (rising + holding).as_secs_f64());
        let points = [(0.0, peak / 20.0), (risen, peak), (end, peak)];
        Self(points.map(|(at, rate)| Point { at, rate }).to_vec())
    }

    fn rate_at(&self, at: f64) -> f64 {
        self.0
            .windows(2)
            .find_map(|pair| {
                let [from, to] = pair else { return None };
                let within = at >= from.at && at < to.at;
                let part = (at - from.at) / (to.at - from.at);
                within.then_some(from.rate + (to.rate - from.rate) * part)
            })
            .unwrap_or(0.0)
    }

    fn peak(&self) -> f64 {
        self.0.iter().map(|point| point.rate).fold(0.0, f64::max)
    }

    fn end(&self) -> f64 {
        self.0.last().map_or(0.0, |point| point.at)
    }
}

/// Times of arrivals since the begin, by thinning: candidates at the peak's rate, of which as many
/// stay as the curve wants.
pub struct Arrivals {
    curve: Curve,
    random: Random,
    at: f64,
}

impl Arrivals {
    pub fn new(curve: Curve, seed: u64) -> Self {
        Self {
            curve,
            random: Random::new(seed),
            at: 0.0,
        }
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let peak = self.curve.peak();
        if peak <= 0.0 {
            return None;
        }
        loop {
            self.at += self.random.exponential(1.0 / peak);
            if self.at >= self.curve.end() {
                return None;
            }
            if self.random.chance(self.curve.rate_at(self.at) / peak) {
                return Some(Duration::from_secs_f64(self.at));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECONDS: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn as_many_come_as_the_curve_says() {
        let steady = Arrivals::new(Curve::steady(1000.0, SECONDS(20)), 1).count();
        assert!((19_500..20_500).contains(&steady), "{steady}");
        // 10 s at a mean of 525 and 10 s at 1000.
        let curve = Curve::rise(1000.0, SECONDS(10), SECONDS(10));
        let rising: Vec<Duration> = Arrivals::new(curve, 1).collect();
        assert!((14_800..15_700).contains(&rising.len()), "{}", rising.len());
        assert!(rising.is_sorted());
        let first = rising.iter().filter(|at| **at < SECONDS(10)).count();
        assert!((4900..5600).contains(&first), "{first}");
    }

    #[test]
    fn arrivals_are_independent_of_each_other() {
        // Of a Poisson process the times between have a deviation as large as their mean.
        let times: Vec<Duration> = Arrivals::new(Curve::steady(1000.0, SECONDS(20)), 3).collect();
        let gaps: Vec<f64> = times
            .windows(2)
            .map(|pair| pair[1].as_secs_f64() - pair[0].as_secs_f64())
            .collect();
        let count = super::super::float_of(gaps.len());
        let mean = gaps.iter().sum::<f64>() / count;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count;
        let ratio = variance.sqrt() / mean;
        assert!((0.95..1.05).contains(&ratio), "{ratio}");
    }

    #[test]
    fn nobody_comes_at_no_rate() {
        assert_eq!(Arrivals::new(Curve::steady(0.0, SECONDS(9)), 1).count(), 0);
    }
}
