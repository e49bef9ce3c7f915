//! What one simulated volunteer is like. Pure.

use std::{f64::consts::TAU, time::Duration};

use rand::{Rng, rngs::StdRng};

/// Middle of the time that people think about a square, and how much it varies.
const THINKING_SECS: f64 = 6.0;
const THINKING_SIGMA: f64 = 0.55;
/// Middle of the number of squares in a visit, and how much it varies.
const SQUARES: f64 = 9.0;
const SQUARES_SIGMA: f64 = 1.0;
const SQUARES_MAX: f64 = 300.0;
/// Share of volunteers with a phone that collects looks and sends them in batches.
const PHONES: f64 = 0.4;
/// Share of phones whose clock is off.
const WRONG_CLOCKS: f64 = 0.1;
/// Share of volunteers who walk away from the squares that they have got.
const WALK_AWAY: f64 = 0.15;

/// Traits that stay through a visit.
#[derive(Clone, Debug)]
pub struct Person {
    /// 0..1: chance of seeing what an attentive person sees.
    pub skill: f64,
    /// Standard deviation of a mark's place, in metres.
    pub hand_m: f64,
    /// Factor on the time for a square.
    slowness: f64,
    /// Squares until this person has had enough.
    pub squares: u32,
    /// Looks that are sent together; 1 without a phone.
    pub batch: u32,
    /// How far the clock is off.
    pub clock_off_secs: i64,
    pub walks_away: bool,
}

impl Person {
    pub fn new(dice: &mut StdRng) -> Self {
        let phone = dice.random_bool(PHONES);
        Self {
            skill: dice.random_range(0.55..1.0),
            hand_m: dice.random_range(2.0..4.0),
            slowness: log_normal(dice, 1.0, 0.3),
            squares: crate::geo::whole_u32(
                log_normal(dice, SQUARES, SQUARES_SIGMA).clamp(1.0, SQUARES_MAX),
            ),
            batch: if phone { dice.random_range(5..=20) } else { 1 },
            clock_off_secs: if phone && dice.random_bool(WRONG_CLOCKS) {
                dice.random_range(-7200..7200)
            } else {
                0
            },
            walks_away: dice.random_bool(WALK_AWAY),
        }
    }

    /// How long this person thinks about the next square.
    pub fn thinking(&self, dice: &mut StdRng) -> Duration {
        Duration::from_secs_f64(
            self.slowness * log_normal(dice, THINKING_SECS, THINKING_SIGMA).clamp(0.5, 120.0),
        )
    }
}

fn log_normal(dice: &mut StdRng, median: f64, sigma: f64) -> f64 {
    median * (sigma * normal(dice)).exp()
}

/// A number of the standard normal distribution, by Box and Muller.
pub fn normal(dice: &mut StdRng) -> f64 {
    let (a, b): (f64, f64) = (1.0 - dice.random::<f64>(), dice.random());
    (-2.0 * a.ln()).sqrt() * (TAU * b).cos()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn half_of_the_squares_take_less_than_six_seconds() {
        let mut dice = StdRng::seed_from_u64(1);
        let mut times: Vec<f64> = (0..4001)
            .map(|_| Person::new(&mut dice).thinking(&mut dice).as_secs_f64())
            .collect();
        times.sort_by(f64::total_cmp);
        assert!((5.4..6.6).contains(&times[2000]), "{}", times[2000]);
    }

    #[test]
    fn the_same_seed_makes_the_same_person() {
        let person = |seed| format!("{:?}", Person::new(&mut StdRng::seed_from_u64(seed)));
        assert_eq!(person(5), person(5));
        assert_ne!(person(5), person(6));
    }
}
