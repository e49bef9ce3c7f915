//! One rule each, through `ParsedArea::parse`.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::geo::ewkb::decode_ewkb_multipolygon;

pub(super) fn parse(value: &Value) -> Result<ParsedArea, AreaErrors> {
    ParsedArea::parse(value, "/area")
}

pub(super) fn polygon(rings: &Value) -> Value {
    json!({"type": "Polygon", "coordinates": rings})
}

pub(super) fn boxed(west: f64, south: f64, east: f64, north: f64) -> Value {
    json!([
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south]
    ])
}

pub(super) fn codes(value: &Value) -> Vec<&'static str> {
    parse(value)
        .err()
        .into_iter()
        .flat_map(|e| e.errors)
        .map(|flaw| flaw.code)
        .collect()
}

pub(super) fn only_error(value: &Value) -> Flaw {
    let AreaErrors { mut errors, more } = parse(value).expect_err("refused");
    assert_eq!((errors.len(), more), (1, 0), "{errors:?}");
    errors.remove(0)
}

fn notes(area: &ParsedArea) -> Vec<&'static str> {
    area.notes.iter().map(|note| note.code).collect()
}

#[test]
fn every_kind_of_geojson_with_polygons_is_read() {
    let one = polygon(&json!([boxed(0.0, 0.0, 1.0, 1.0)]));
    let feature = json!({"type": "Feature", "properties": null, "geometry": one});
    for (value, count) in [
        (one.clone(), 1),
        (
            json!({"type": "MultiPolygon", "coordinates": [[boxed(0.0, 0.0, 1.0, 1.0)], [boxed(2.0, 0.0, 3.0, 1.0)]]}),
            2,
        ),
        (feature.clone(), 1),
        (
            json!({"type": "FeatureCollection", "features": [feature, feature]}),
            2,
        ),
        (
            json!({"type": "GeometryCollection", "geometries": [one, one]}),
            2,
        ),
    ] {
        let area = parse(&value).unwrap();
        assert_eq!((area.polygons.len(), area.notes.len()), (count, 0));
    }
}

#[test]
fn heights_are_dropped_with_one_note() {
    let area = parse(&polygon(&json!([[
        [0, 0, 5],
        [1, 0, 5],
        [1, 1, 5],
        [0, 0, 5]
    ]])))
    .unwrap();
    assert_eq!(area.polygons[0].rings[0].get(1), Some(&[1.0, 0.0]));
    assert_eq!(notes(&area), ["height_dropped"]);
    assert_eq!(area.notes[0].count, 4);
}

#[test]
fn rings_are_turned_to_the_right_hand_rule() {
    let hole = json!([[2, 2], [3, 2], [3, 3], [2, 3], [2, 2]]);
    let outer = json!([[0, 0], [0, 9], [9, 9], [9, 0], [0, 0]]);
    let area = parse(&polygon(&json!([outer, hole]))).unwrap();
    let rings = &area.polygons[0].rings;
    assert!(
        crate::geo::ring::signed_area(&rings[0]) > 0.0
            && crate::geo::ring::signed_area(&rings[1]) < 0.0
    );
    assert_eq!(area.notes[0].code, "winding_fixed");
    assert_eq!(
        (area.notes[0].count, area.notes[0].pointer.as_str()),
        (2, "/area/coordinates/0")
    );
}

#[test]
fn an_open_ring_is_closed_and_repeats_are_removed() {
    let area = parse(&polygon(&json!([[[0, 0], [1, 0], [1, 0], [1, 1]]]))).unwrap();
    assert_eq!(
        area.polygons[0].rings[0],
        vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]
    );
    assert_eq!(notes(&area), ["repeated_positions", "ring_closed"]);
}

#[test]
fn a_ring_of_two_places_is_refused_at_its_pointer() {
    let flaw = only_error(&polygon(&json!([
        boxed(0.0, 0.0, 9.0, 9.0),
        [[1, 1], [2, 2], [1, 1], [1, 1]]
    ])));
    assert_eq!(
        (flaw.code, flaw.pointer.as_str()),
        ("too_few_positions", "/area/coordinates/1")
    );
}

#[test]
fn a_line_is_refused_with_its_points_and_how_far_its_ends_are() {
    let line = |positions: Value| {
        only_error(&json!({"type": "LineString", "coordinates": positions})).detail
    };
    let closed = line(json!([[0, 0], [1, 0], [1, 1], [0, 0]]));
    assert!(closed.starts_with(
        "found a LineString with 4 points; an area must be a Polygon or MultiPolygon."
    ));
    assert!(closed.contains("its two ends meet"), "{closed}");
    assert!(line(json!([[0, 0], [1, 0], [1, 1], [0, 0.001]])).contains("nearly meet, 111 m apart"));
    assert!(line(json!([[0, 0], [1, 0], [1, 1], [0, 1]])).contains("are 111.3 km apart"));
}

#[test]
fn points_and_bundles_are_refused_by_name() {
    for (kind, coordinates, words) in [
        ("Point", json!([0, 0]), "found a Point;"),
        (
            "MultiPoint",
            json!([[0, 0], [1, 1]]),
            "found a MultiPoint with 2 points;",
        ),
        (
            "MultiLineString",
            json!([[[0, 0], [1, 1]]]),
            "found a MultiLineString with 1 lines;",
        ),
    ] {
        let flaw = only_error(&json!({"type": kind, "coordinates": coordinates}));
        assert_eq!(flaw.code, "not_an_area");
        assert!(flaw.detail.starts_with(words), "{}", flaw.detail);
    }
}

#[test]
fn empty_things_and_other_things_are_refused() {
    let cases = [
        (json!(null), "not_geojson", "/area"),
        (json!([[0, 0]]), "not_geojson", "/area"),
        (json!({}), "not_geojson", "/area"),
        (json!({"type": "Topology"}), "unknown_type", "/area/type"),
        (
            json!({"type": "FeatureCollection", "features": []}),
            "empty_collection",
            "/area/features",
        ),
        (
            json!({"type": "FeatureCollection"}),
            "not_geojson",
            "/area/features",
        ),
        (
            json!({"type": "Feature", "geometry": null}),
            "null_geometry",
            "/area/geometry",
        ),
        (
            json!({"type": "Polygon", "coordinates": []}),
            "empty_geometry",
            "/area/coordinates",
        ),
        (
            json!({"type": "Polygon"}),
            "empty_geometry",
            "/area/coordinates",
        ),
        (
            json!({"type": "MultiPolygon", "coordinates": [[]]}),
            "empty_geometry",
            "/area/coordinates/0",
        ),
        (
            json!({"type": "Polygon", "coordinates": [[1, 2]]}),
            "bad_position",
            "/area/coordinates/0/0",
        ),
        (
            json!({"type": "Polygon", "coordinates": [5]}),
            "bad_coordinates",
            "/area/coordinates/0",
        ),
    ];
    for (value, code, pointer) in cases {
        let flaw = only_error(&value);
        assert_eq!(
            (flaw.code, flaw.pointer.as_str()),
            (code, pointer),
            "{value}"
        );
    }
}

#[test]
fn mercator_metres_are_recognised_and_placed() {
    let flaw = only_error(&polygon(&json!([boxed(
        -10_127_048.2,
        1_617_084.3,
        -10_120_000.0,
        1_620_000.0
    )])));
    assert_eq!(
        (flaw.code, flaw.pointer.as_str()),
        ("projected_coordinates", "/area/coordinates/0/0")
    );
    for words in [
        "[-10127048.2, 1617084.3]",
        "EPSG:3857",
        "longitude -90.97",
        "latitude 14.37",
        "-t_srs EPSG:4326",
        "4 more positions",
    ] {
        assert!(flaw.detail.contains(words), "{words}: {}", flaw.detail);
    }
}

#[test]
fn utm_metres_are_called_projected() {
    let flaw = only_error(&polygon(&json!([boxed(
        448_262.0,
        5_411_932.0,
        449_000.0,
        5_412_000.0
    )])));
    assert_eq!(flaw.code, "projected_coordinates");
    assert!(flaw.detail.contains("such as UTM"), "{}", flaw.detail);
}

#[test]
fn swapped_coordinates_are_recognised() {
    let flaw = only_error(&polygon(&json!([boxed(-17.0, 177.0, -16.0, 179.0)])));
    assert_eq!(flaw.code, "swapped_coordinates");
    assert!(flaw.detail.contains("look swapped"));
}

#[test]
fn a_foreign_crs_is_refused_by_name_and_wgs_84_is_not() {
    let with = |name: &str| json!({"type": "Polygon", "coordinates": [boxed(0.0, 0.0, 1.0, 1.0)], "crs": {"type": "name", "properties": {"name": name}}});
    for name in [
        "urn:ogc:def:crs:OGC:1.3:CRS84",
        "EPSG:4326",
        "urn:ogc:def:crs:EPSG::4326",
        "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
    ] {
        assert!(parse(&with(name)).is_ok(), "{name}");
    }
    for name in ["EPSG:3857", "urn:ogc:def:crs:EPSG::32615", "EPSG:14326"] {
        let flaw = only_error(&with(name));
        assert_eq!(
            (flaw.code, flaw.pointer.as_str()),
            ("foreign_crs", "/area/crs")
        );
        assert!(flaw.detail.contains(name));
    }
}

#[test]
fn a_real_projected_line_is_refused_for_both_reasons() {
    let line: Vec<_> = (0..121)
        .map(|i| {
            json!([
                -10_127_048.2 - f64::from(i * (120 - i)),
                1_617_084.3 + f64::from(i)
            ])
        })
        .collect();
    let collection = json!({"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "LineString", "coordinates": line}}]});
    let errors = parse(&collection).unwrap_err().errors;
    assert_eq!(errors.len(), 2);
    assert!(errors[0].detail.contains("LineString with 121 points"));
    assert!(errors[1].detail.contains("projected EPSG:3857 metres"));
    assert_eq!(errors[1].pointer, "/area/features/0/geometry/coordinates/0");
}

#[test]
fn geojson_one_member_further_in_is_named_and_its_mistakes_told() {
    let value = json!({"areaOfInterest": {"type": "Point", "coordinates": [0, 0]}, "clip": true});
    let errors = parse(&value).unwrap_err().errors;
    assert_eq!(
        errors.iter().map(|flaw| flaw.code).collect::<Vec<_>>(),
        ["not_geojson", "not_an_area"]
    );
    assert!(errors[0].detail.contains("`areaOfInterest`"));
    assert_eq!(errors[1].pointer, "/area/areaOfInterest");
}

#[test]
fn an_area_across_the_antimeridian_runs_on() {
    let wanted = parse(&polygon(&json!([boxed(170.0, -5.0, 190.0, 5.0)]))).unwrap();
    assert_eq!(notes(&wanted), ["crosses_antimeridian"]);
    let jumping = parse(&polygon(&json!([boxed(170.0, -5.0, -170.0, 5.0)]))).unwrap();
    assert_eq!(jumping, wanted);
}

#[test]
fn an_area_split_at_the_antimeridian_stays_as_it_is() {
    let value = json!({"type": "MultiPolygon", "coordinates": [[boxed(170.0, 0.0, 180.0, 1.0)], [boxed(-180.0, 0.0, -170.0, 1.0)]]});
    let area = parse(&value).unwrap();
    assert!(area.notes.is_empty());
    assert_eq!(area.polygons[1].rings[0].first(), Some(&[-180.0, 0.0]));
}

#[test]
fn a_hole_follows_its_outer_ring_across_the_antimeridian() {
    let area = parse(&polygon(&json!([
        boxed(170.0, -5.0, -170.0, 5.0),
        boxed(-178.0, -1.0, -176.0, 1.0)
    ])))
    .unwrap();
    assert_eq!(
        crate::geo::ring::lon_span(&area.polygons[0].rings[1]),
        (182.0, 184.0)
    );
}

#[test]
fn a_ring_round_a_pole_and_one_wider_than_the_world_are_refused() {
    assert_eq!(
        codes(&polygon(&json!([[
            [0, -70],
            [120, -70],
            [-120, -70],
            [0, -70]
        ]]))),
        ["encloses_pole"]
    );
    let zigzag = json!([
        [-180, 0],
        [-60, 0],
        [60, 0],
        [180, 0],
        [300, 0],
        [180, 1],
        [60, 1],
        [-60, 1],
        [-180, 0]
    ]);
    assert_eq!(codes(&polygon(&json!([zigzag]))), ["wider_than_the_world"]);
}

#[test]
fn an_area_beyond_web_mercator_is_noted() {
    assert!(
        parse(&polygon(&json!([boxed(0.0, 80.0, 1.0, 85.05)])))
            .unwrap()
            .notes
            .is_empty()
    );
    assert_eq!(
        notes(&parse(&polygon(&json!([boxed(0.0, 80.0, 1.0, 85.06)]))).unwrap()),
        ["beyond_web_mercator"]
    );
}

proptest! {
    #[test]
    fn what_is_accepted_keeps_the_invariants(ring in prop::collection::vec((-360.0..360.0f64, -90.0..90.0f64), 0..12)) {
        let ring: Vec<_> = ring.into_iter().map(|(lon, lat)| [lon, lat]).collect();
        if let Ok(area) = parse(&polygon(&json!([ring]))) {
            let ring = &area.polygons[0].rings[0];
            prop_assert_eq!(ring.first(), ring.last());
            prop_assert!(ring.windows(2).all(|pair| (pair[0][0] - pair[1][0]).abs() <= 360.0));
            prop_assert!(ring.iter().all(|[lon, lat]| lon.abs() <= 540.0 && lat.abs() <= 90.0));
            prop_assert!(crate::geo::ring::signed_area(ring) >= 0.0);
            let bytes = area.to_ewkb_polygons().unwrap();
            prop_assert_eq!(&decode_ewkb_multipolygon(&bytes[0]).unwrap().polygons, &area.polygons);
        }
    }
}
