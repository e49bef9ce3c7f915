//! The cover against a slow, independent reckoning: cutting the polygon to each tile.

use proptest::prelude::*;

use super::super::ring::{Polygon, Ring, signed_area};
use super::*;

fn area(rings: Vec<Ring>) -> MultiPolygon {
    MultiPolygon {
        polygons: vec![Polygon { rings }],
    }
}

fn boxed(west: f64, south: f64, east: f64, north: f64) -> Ring {
    vec![
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
    ]
}

fn of_tile(tile: Tile) -> MultiPolygon {
    let [west, south, east, north] = tile.bbox().edges();
    area(vec![boxed(west, south, east, north)])
}

fn tiles(cover: &Cover) -> Vec<(u32, u32)> {
    cover
        .columns()
        .flat_map(|column| column.ys().map(|y| (column.x, y)).collect::<Vec<_>>())
        .collect()
}

/// Sutherland–Hodgman against one edge of a box: what lies beyond `limit` on an axis goes.
fn cut(ring: &[Position], axis: usize, limit: f64, keep_less: bool) -> Ring {
    let inside = |p: &Position| {
        if keep_less {
            p[axis] <= limit
        } else {
            p[axis] >= limit
        }
    };
    let mut kept = Vec::new();
    for pair in ring.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        if inside(&a) != inside(&b) {
            let part = (limit - a[axis]) / (b[axis] - a[axis]);
            kept.push([a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part]);
        }
        if inside(&b) {
            kept.push(b);
        }
    }
    kept.extend(kept.first().copied());
    kept
}

/// Part of the tile (in degrees squared) that a polygon without self-intersections covers.
fn overlap(rings: &[Ring], tile: Tile) -> f64 {
    let [west, south, east, north] = tile.bbox().edges();
    let within = |ring: &Ring| {
        let ring = cut(ring, 0, west, false);
        let ring = cut(&ring, 0, east, true);
        let ring = cut(&ring, 1, south, false);
        signed_area(&cut(&ring, 1, north, true)).abs()
    };
    let holes: f64 = rings.iter().skip(1).map(within).sum();
    (rings.first().map_or(0.0, within) - holes) / ((east - west) * (north - south))
}

/// A star-shaped polygon, and a hole of the same shape at a part of its size.
fn star() -> impl Strategy<Value = Vec<Ring>> {
    let radii = prop::collection::vec(0.1..1.0f64, 3..24);
    let hole = prop::option::of(0.2..0.95f64);
    (-100.0..100.0f64, -45.0..45.0f64, 1.0..35.0f64, radii, hole).prop_map(
        |(lon, lat, size, radii, hole)| {
            let corners = f64::from(u32::try_from(radii.len()).unwrap());
            let ring = |scale: f64| -> Ring {
                let mut ring: Ring = radii
                    .iter()
                    .zip(0u32..)
                    .map(|(radius, i)| {
                        let turn = f64::from(i) / corners * std::f64::consts::TAU;
                        [
                            lon + scale * radius * turn.cos(),
                            lat + scale * radius * turn.sin(),
                        ]
                    })
                    .collect();
                ring.extend(ring.first().copied());
                ring
            };
            std::iter::once(ring(size))
                .chain(hole.map(|part| ring(size * part)))
                .collect()
        },
    )
}

/// Ray casting, independent of the cover.
fn inside(rings: &[Ring], [lon, lat]: Position) -> bool {
    let crossings = rings
        .iter()
        .flat_map(|ring| ring.windows(2))
        .filter(|pair| {
            let ([ax, ay], [bx, by]) = (pair[0], pair[1]);
            (ay > lat) != (by > lat) && lon < ax + (lat - ay) / (by - ay) * (bx - ax)
        });
    crossings.count() % 2 == 1
}

#[test]
fn an_area_next_to_a_hole_of_whole_tiles_leaves_the_hole_out() {
    let [west, south, east, north] = Tile::new(8, 100, 100).unwrap().bbox().edges();
    let (dx, dy) = (east - west, north - south);
    let outer = boxed(west - dx, south - dy / 2.0, east + dx, north + dy / 2.0);
    let cover = Cover::new(&area(vec![outer, boxed(west, south, east, north)]), 8).unwrap();
    assert_eq!(cover.count(), 8);
    assert!(!cover.contains(Tile::new(8, 100, 100).unwrap()));
}

#[test]
fn a_box_rounded_to_seven_decimals_gains_no_neighbours() {
    let round = |edge: f64| format!("{edge:.7}").parse::<f64>().unwrap();
    for (x, y) in [(56_189, 25_355), (1, 30_000), (40_001, 20_003)] {
        let [west, south, east, north] = Tile::new(16, x, y).unwrap().bbox().edges().map(round);
        let cover = Cover::new(&area(vec![boxed(west, south, east, north)]), 16).unwrap();
        assert_eq!(tiles(&cover), vec![(x, y)]);
    }
}

#[test]
fn a_sliver_at_the_edge_of_its_column_is_covered() {
    let [west, south, _, north] = Tile::new(10, 500, 400).unwrap().bbox().edges();
    let cover = Cover::new(&area(vec![boxed(west, south, west + 1e-5, north)]), 10).unwrap();
    assert_eq!(tiles(&cover), vec![(500, 400)]);
}

#[test]
fn an_area_inside_one_tile_is_that_tile() {
    let cover = Cover::new(&area(vec![boxed(10.0001, 50.0001, 10.0002, 50.0002)]), 12).unwrap();
    assert_eq!(cover.count(), 1);
    assert!(cover.contains(Tile::containing(10.00015, 50.00015, 12).unwrap()));
}

#[test]
fn a_long_side_is_straight_in_degrees_and_not_in_mercator() {
    // Halfway along, the side is at 30°; a straight line on the map would be at 35.6°.
    let triangle = vec![[0.0, 0.0], [90.0, 0.0], [90.0, 60.0], [0.0, 0.0]];
    let cover = Cover::new(&area(vec![triangle]), 10).unwrap();
    assert!(cover.contains(Tile::containing(45.0, 29.9, 10).unwrap()));
    assert!(!cover.contains(Tile::containing(45.0, 31.0, 10).unwrap()));
}

#[test]
fn polygons_which_overlap_are_covered_once() {
    let one = Polygon {
        rings: vec![boxed(0.0, 0.0, 20.0, 20.0)],
    };
    let two = Polygon {
        rings: vec![boxed(5.0, 5.0, 30.0, 15.0)],
    };
    let both = Cover::new(
        &MultiPolygon {
            polygons: vec![one.clone(), one, two],
        },
        6,
    )
    .unwrap();
    assert!(both.contains(Tile::containing(12.0, 12.0, 6).unwrap()));
    assert_eq!(both.count(), u64::try_from(tiles(&both).len()).unwrap());
}

#[test]
fn longitudes_beyond_180_wrap() {
    let cover = Cover::new(&area(vec![boxed(170.0, -10.0, 190.0, 10.0)]), 5).unwrap();
    let split = MultiPolygon {
        polygons: vec![
            Polygon {
                rings: vec![boxed(170.0, -10.0, 180.0, 10.0)],
            },
            Polygon {
                rings: vec![boxed(-180.0, -10.0, -170.0, 10.0)],
            },
        ],
    };
    assert_eq!(tiles(&cover), tiles(&Cover::new(&split, 5).unwrap()));
    assert_eq!(
        cover.columns().map(|column| column.x).collect::<Vec<_>>(),
        vec![0, 31]
    );
}

#[test]
fn the_whole_world_is_every_tile_and_what_lies_beyond_mercator_is_none() {
    let world = Cover::new(&area(vec![boxed(-180.0, -90.0, 180.0, 90.0)]), 8).unwrap();
    assert_eq!(world.count(), 65_536);
    let pole = Cover::new(&area(vec![boxed(-180.0, 86.0, 180.0, 90.0)]), 8).unwrap();
    assert_eq!(pole.count(), 0);
    assert_eq!(Cover::new(&MultiPolygon::default(), 8).unwrap().count(), 0);
}

#[test]
fn a_cover_has_only_tiles_of_its_zoom() {
    let cover = Cover::new(&of_tile(Tile::new(3, 1, 1).unwrap()), 3).unwrap();
    assert!(cover.contains(Tile::new(3, 1, 1).unwrap()));
    assert!(!cover.contains(Tile::new(4, 2, 2).unwrap()));
}

#[test]
fn zoom_26_is_possible_and_27_is_refused() {
    let small = of_tile(Tile::new(26, 5, 5).unwrap());
    assert_eq!(Cover::new(&small, 26).unwrap().count(), 1);
    assert_eq!(Cover::new(&small, 27).err(), Some(CoverError::Zoom(27)));
}

#[test]
fn work_at_the_limit_is_done_and_one_column_more_refused() {
    // Two sides of equal length (the others stand upright on lines between columns and count
    // nothing) run through 5,000,000 columns each.
    let across = |columns: u32| {
        let east = lon_of_x(f64::from(columns), 24);
        area(vec![vec![
            [-180.0, 0.0],
            [east, 0.00001],
            [east, 1.0],
            [-180.0, 1.0],
            [-180.0, 0.0],
        ]])
    };
    assert!(Cover::new(&across(5_000_000), 24).is_ok());
    assert_eq!(
        Cover::new(&across(5_000_001), 24).err(),
        Some(CoverError::TooDetailed(10_000_002))
    );
}

proptest! {
    #[test]
    fn the_box_of_a_tile_is_covered_by_that_tile_alone(z in 0..=ZOOM_MAX, x in any::<u32>(), y in any::<u32>()) {
        let tile = Tile::new(z, x % tiles_across(z), y % tiles_across(z)).unwrap();
        let cover = Cover::new(&of_tile(tile), z).unwrap();
        prop_assert_eq!(tiles(&cover), vec![(tile.x(), tile.y())]);
    }

    #[test]
    fn tiles_are_covered_exactly_if_they_overlap(rings in star(), z in 1..6u8) {
        let cover = Cover::new(&area(rings.clone()), z).unwrap();
        for x in 0..tiles_across(z) {
            for y in 0..tiles_across(z) {
                let tile = Tile::new(z, x, y).unwrap();
                let part = overlap(&rings, tile);
                if part > 1e-5 {
                    prop_assert!(cover.contains(tile), "{} overlaps by {}", tile, part);
                } else if part < 1e-13 {
                    prop_assert!(!cover.contains(tile), "{} overlaps by {}", tile, part);
                }
            }
        }
    }

    #[test]
    fn the_count_is_the_number_of_tiles_in_ascending_order(rings in star(), z in 1..9u8) {
        let cover = Cover::new(&area(rings), z).unwrap();
        let all = tiles(&cover);
        prop_assert_eq!(cover.count(), u64::try_from(all.len()).unwrap());
        prop_assert!(all.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn columns_from_anywhere_are_the_rest_of_all_columns(rings in star(), z in 1..9u8, at in any::<u32>()) {
        let cover = Cover::new(&area(rings), z).unwrap();
        let at = at % tiles_across(z);
        let rest: Vec<_> = cover.columns().filter(|column| column.x >= at).collect();
        prop_assert_eq!(cover.columns_from(at).collect::<Vec<_>>(), rest);
    }

    #[test]
    fn every_place_inside_lies_in_a_covered_tile(rings in star(), z in 1..14u8, u in 0.0..1.0f64, v in 0.0..1.0f64) {
        let (west, east) = super::super::ring::lon_span(&rings[0]);
        let lats = rings[0].iter().map(|p| p[1]);
        let (south, north) = (lats.clone().fold(90.0, f64::min), lats.fold(-90.0, f64::max));
        let at = [west + u * (east - west), south + v * (north - south)];
        prop_assume!(inside(&rings, at));
        prop_assert!(Cover::new(&area(rings), z).unwrap().contains(Tile::containing(at[0], at[1], z).unwrap()));
    }
}

#[test]
fn a_sample_is_spread_over_the_tiles_and_has_none_twice() {
    let across = MultiPolygon {
        polygons: vec![
            Polygon {
                rings: vec![boxed(0.1, 0.1, 0.9, 0.9)],
            },
            Polygon {
                rings: vec![boxed(50.1, 0.1, 50.9, 0.9)],
            },
        ],
    };
    let cover = Cover::new(&across, 12).unwrap();
    let all = tiles(&cover);
    let place = |tile: &Tile| {
        all.iter()
            .position(|at| *at == (tile.x(), tile.y()))
            .unwrap()
    };
    let sample: Vec<usize> = cover.sample(5).iter().map(place).collect();
    let fifth = all.len() / 5;
    assert_eq!(sample.len(), 5);
    for (n, at) in sample.iter().enumerate() {
        assert!(
            (n * fifth..=(n + 1) * fifth + 1).contains(at),
            "{sample:?} of {}",
            all.len()
        );
    }
    assert_eq!(cover.sample(u64::MAX).len(), all.len());
    assert!(
        Cover::new(&MultiPolygon { polygons: vec![] }, 12)
            .unwrap()
            .sample(5)
            .is_empty()
    );
}
