//! Every limit of an upload at N and at N + 1.

use serde_json::{Value, json};

use super::tests::{boxed, codes, only_error, parse, polygon};
use super::*;

fn multi(polygons: usize, rings: usize, positions: usize) -> Value {
    // All on a circle: no repeats, three or more different places.
    let ring: Vec<_> = (0..u32::try_from(positions).unwrap_or_default())
        .map(|i| {
            json!([
                f64::from(i % 1000) * 0.01,
                f64::from(i / 1000) * 0.01 + f64::from(i % 2)
            ])
        })
        .collect();
    let one = vec![json!(ring); rings];
    json!({"type": "MultiPolygon", "coordinates": vec![json!(one); polygons]})
}

#[test]
fn two_hundred_thousand_positions_are_accepted_and_one_more_refused() {
    assert!(parse(&multi(1, 1, VERTICES_MAX)).is_ok());
    let flaw = only_error(&multi(1, 1, VERTICES_MAX + 1));
    assert_eq!(flaw.code, "too_many_vertices");
    assert!(flaw.detail.starts_with("found more than 200000 positions"));
}

#[test]
fn ten_thousand_polygons_are_accepted_and_one_more_refused() {
    assert!(parse(&multi(POLYGONS_MAX, 1, 4)).is_ok());
    assert_eq!(
        only_error(&multi(POLYGONS_MAX + 1, 1, 4)).code,
        "too_many_polygons"
    );
}

#[test]
fn fifty_thousand_rings_are_accepted_and_one_more_refused() {
    assert!(parse(&multi(1, RINGS_MAX, 3)).is_ok());
    assert_eq!(
        only_error(&multi(1, RINGS_MAX + 1, 3)).code,
        "too_many_rings"
    );
}

#[test]
fn twenty_errors_are_told_and_the_rest_counted() {
    let points = |count: usize| json!({"type": "GeometryCollection", "geometries": vec![json!({"type": "Point", "coordinates": [0, 0]}); count]});
    let twenty = parse(&points(ERRORS_MAX)).unwrap_err();
    assert_eq!((twenty.errors.len(), twenty.more), (20, 0));
    let more = parse(&points(ERRORS_MAX + 1)).unwrap_err();
    assert_eq!((more.errors.len(), more.more), (20, 1));
}

#[test]
fn projected_positions_are_told_even_after_many_other_errors() {
    let mut geometries = vec![json!({"type": "Point", "coordinates": [0, 0]}); 30];
    geometries.push(polygon(&json!([boxed(5e6, 5e6, 6e6, 6e6)])));
    let errors =
        parse(&json!({"type": "GeometryCollection", "geometries": geometries})).unwrap_err();
    assert_eq!((errors.errors.len(), errors.more), (20, 11));
    assert_eq!(errors.errors[19].code, "projected_coordinates");
}

#[test]
fn eight_collections_within_each_other_are_accepted_and_nine_refused() {
    let nested = |depth: usize| {
        (0..depth).fold(
            polygon(&json!([boxed(0.0, 0.0, 1.0, 1.0)])),
            |inner, _| json!({"type": "GeometryCollection", "geometries": [inner]}),
        )
    };
    assert!(parse(&nested(DEPTH_MAX)).is_ok());
    assert_eq!(codes(&nested(DEPTH_MAX + 1)), ["too_deep"]);
}

#[test]
fn the_edges_of_the_world_are_accepted_and_nothing_beyond() {
    assert!(parse(&polygon(&json!([boxed(-180.0, -90.0, 180.0, 90.0)]))).is_ok());
    assert_eq!(
        codes(&polygon(&json!([boxed(120.0, 0.0, 130.0, 90.1)]))),
        ["latitude_out_of_range"]
    );
    assert!(parse(&polygon(&json!([boxed(350.0, 0.0, 360.0, 1.0)]))).is_ok());
    assert_eq!(
        codes(&polygon(&json!([boxed(350.0, 0.0, 360.1, 1.0)]))),
        ["projected_coordinates"]
    );
}
