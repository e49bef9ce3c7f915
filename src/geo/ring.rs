//! Rings, polygons and multipolygons as plain numbers, and the arithmetic of rings.
//!
//! Sides are straight in longitude and latitude, as `GeoJSON` says (RFC 7946, 3.1.1).

use std::collections::HashSet;

/// Longitude and latitude in degrees.
pub type Position = [f64; 2];

/// A closed line: the last position repeats the first.
pub type Ring = Vec<Position>;

/// An outer ring followed by its holes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Polygon {
    pub rings: Vec<Ring>,
}

/// Several polygons which together are one area.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MultiPolygon {
    pub polygons: Vec<Polygon>,
}

/// Differences of longitude below this, in degrees (0.1 mm), are float noise.
pub(crate) const NOISE_DEG: f64 = 1e-9;

/// How a ring lies on the globe once its longitudes run on without jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unwrapped {
    /// It had no jump.
    AsItWas,
    /// Jumps of more than 180° were taken the short way round.
    Jumped,
    /// It goes once round the Earth, so it encloses a pole and no area on a flat map.
    AroundPole,
}

impl MultiPolygon {
    /// All rings, outer ones and holes.
    pub fn rings(&self) -> impl Iterator<Item = &Ring> {
        self.polygons.iter().flat_map(|polygon| &polygon.rings)
    }

    /// Number of positions, closing ones included.
    pub fn vertices(&self) -> usize {
        self.rings().map(Vec::len).sum()
    }
}

/// Removes positions which repeat the one before, and closes the ring. Says what it did.
pub(crate) fn tidy(ring: &mut Ring) -> Tidied {
    let before = ring.len();
    ring.dedup();
    let duplicates = before - ring.len();
    let open = ring.first() != ring.last();
    if open && let Some(&first) = ring.first() {
        ring.push(first);
    }
    Tidied {
        was_open: open,
        duplicates,
    }
}

/// What [`tidy`] had to do.
pub(crate) struct Tidied {
    pub was_open: bool,
    pub duplicates: usize,
}

/// Whether a ring has at least three different positions.
pub(crate) fn has_three_points(ring: &[Position]) -> bool {
    let mut seen = HashSet::new();
    // Adding 0.0 makes -0.0 and 0.0 the same bits.
    ring.iter().any(|[lon, lat]| {
        seen.insert(((lon + 0.0).to_bits(), (lat + 0.0).to_bits())) && seen.len() == 3
    })
}

/// Area in square degrees, positive if the ring runs anticlockwise (north up).
///
/// The shoelace formula, relative to the first position: far from 0° the products would
/// otherwise cancel the digits of a small ring.
pub(crate) fn signed_area(ring: &[Position]) -> f64 {
    let Some(&[x0, y0]) = ring.first() else {
        return 0.0;
    };
    let doubled: f64 = ring
        .windows(2)
        .map(|pair| {
            let ([ax, ay], [bx, by]) = (pair[0], pair[1]);
            (ax - x0) * (by - y0) - (bx - x0) * (ay - y0)
        })
        .sum();
    doubled / 2.0
}

/// Least and greatest longitude.
pub(crate) fn lon_span(ring: &[Position]) -> (f64, f64) {
    ring.iter().fold(
        (f64::INFINITY, f64::NEG_INFINITY),
        |(west, east), [lon, _]| (west.min(*lon), east.max(*lon)),
    )
}

/// Lets the longitudes of a closed ring run on across the antimeridian (179, 181, …) in place
/// of jumping (179, −179, …).
///
/// A side longer than 180° is taken the short way round. A side of exactly 360° has two
/// readings: a seam at ±180 with nothing between, or a side of a world-wide box. It is a seam
/// only if the ring then still closes and keeps a width.
pub(crate) fn unwrap(ring: &mut Ring) -> Unwrapped {
    let is_turn = |step: f64| (step.abs() - 360.0).abs() < NOISE_DEG;
    let has_turn = ring.windows(2).any(|pair| is_turn(pair[1][0] - pair[0][0]));
    if has_turn {
        let mut seamed = ring.clone();
        let closes = run_on(&mut seamed, |_| true).closes;
        let (west, east) = lon_span(&seamed);
        if closes && east - west > NOISE_DEG {
            *ring = seamed;
            return Unwrapped::Jumped;
        }
    }
    let outcome = run_on(ring, |step| !is_turn(step));
    match outcome {
        RunOn { closes: false, .. } => Unwrapped::AroundPole,
        RunOn { jumps: 0, .. } => Unwrapped::AsItWas,
        RunOn { .. } => Unwrapped::Jumped,
    }
}

struct RunOn {
    jumps: usize,
    closes: bool,
}

/// Shortens each step of more than 180° that `wanted` accepts.
fn run_on(ring: &mut Ring, wanted: impl Fn(f64) -> bool) -> RunOn {
    let mut turns = 0.0;
    let mut jumps = 0;
    let mut before = None;
    for position in ring.iter_mut() {
        let lon = position[0];
        let step = before.map_or(0.0, |before| lon - before);
        before = Some(lon);
        // Up to ±360 is accepted, so a step may be as long as two turns.
        if step.abs() > 180.0 && wanted(step) {
            turns -= (step / 360.0).round();
            jumps += 1;
        }
        position[0] = lon + 360.0 * turns;
    }
    RunOn {
        jumps,
        closes: turns == 0.0,
    }
}

/// Moves a polygon by whole turns so that its middle lies within ±180, and its holes to it.
pub(crate) fn settle(rings: &mut [Ring]) {
    let Some((outer, holes)) = rings.split_first_mut() else {
        return;
    };
    let (west, east) = lon_span(outer);
    let middle = f64::midpoint(west, east);
    if middle.abs() > 180.0 {
        shift(outer, -360.0 * (middle / 360.0).round());
    }
    let (west, east) = lon_span(outer);
    for hole in holes {
        let (hole_west, hole_east) = lon_span(hole);
        let fits = |turn: &f64| {
            hole_west + turn >= west - NOISE_DEG && hole_east + turn <= east + NOISE_DEG
        };
        if let Some(turn) = [0.0, 360.0, -360.0, 720.0, -720.0].into_iter().find(fits) {
            shift(hole, turn);
        }
    }
}

/// Moves a ring by whole turns.
fn shift(ring: &mut Ring, degrees: f64) {
    for position in ring {
        position[0] += degrees;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(west: f64, east: f64) -> Ring {
        vec![
            [west, 0.0],
            [east, 0.0],
            [east, 1.0],
            [west, 1.0],
            [west, 0.0],
        ]
    }

    #[test]
    fn anticlockwise_is_positive() {
        assert!((signed_area(&boxed(10.0, 12.0)) - 2.0).abs() < 1e-12);
        assert!((signed_area(&boxed(12.0, 10.0)) + 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_jump_is_taken_the_short_way() {
        let mut ring = boxed(170.0, -170.0);
        assert_eq!(unwrap(&mut ring), Unwrapped::Jumped);
        assert_eq!(ring, boxed(170.0, 190.0));
    }

    #[test]
    fn a_ring_without_a_jump_stays() {
        for mut ring in [
            boxed(-170.0, 10.0),
            boxed(170.0, 190.0),
            boxed(-180.0, 180.0),
        ] {
            let before = ring.clone();
            assert_eq!(unwrap(&mut ring), Unwrapped::AsItWas);
            assert_eq!(ring, before);
        }
    }

    #[test]
    fn a_side_of_180_degrees_stays_and_a_longer_one_turns() {
        let mut half = boxed(0.0, 180.0);
        assert_eq!(unwrap(&mut half), Unwrapped::AsItWas);
        let mut more = boxed(0.0, 180.1);
        assert_eq!(unwrap(&mut more), Unwrapped::Jumped);
    }

    #[test]
    fn a_world_wide_box_with_points_along_one_side_stays() {
        let mut ring = vec![
            [-180.0, 0.0],
            [0.0, 0.0],
            [180.0, 0.0],
            [180.0, 1.0],
            [-180.0, 1.0],
            [-180.0, 0.0],
        ];
        assert_eq!(unwrap(&mut ring), Unwrapped::AsItWas);
    }

    #[test]
    fn a_seam_at_the_antimeridian_is_closed() {
        let mut ring = vec![
            [179.0, 0.0],
            [180.0, 0.0],
            [-180.0, 0.0],
            [-179.0, 0.0],
            [-179.0, 1.0],
            [-180.0, 1.0],
            [180.0, 1.0],
            [179.0, 1.0],
            [179.0, 0.0],
        ];
        assert_eq!(unwrap(&mut ring), Unwrapped::Jumped);
        assert_eq!(lon_span(&ring), (179.0, 181.0));
    }

    #[test]
    fn a_ring_round_the_pole_is_recognised() {
        let mut ring = vec![[0.0, -70.0], [120.0, -70.0], [-120.0, -70.0], [0.0, -70.0]];
        assert_eq!(unwrap(&mut ring), Unwrapped::AroundPole);
    }

    #[test]
    fn tidying_closes_and_removes_repeats() {
        let mut ring = vec![[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [1.0, 1.0]];
        let tidied = tidy(&mut ring);
        assert!(tidied.was_open);
        assert_eq!(tidied.duplicates, 2);
        assert_eq!(ring, vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]);
    }

    #[test]
    fn three_points_are_needed() {
        assert!(!has_three_points(&[
            [0.0, 0.0],
            [1.0, 1.0],
            [-0.0, 0.0],
            [1.0, 1.0]
        ]));
        assert!(has_three_points(&[[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]]));
    }
}
