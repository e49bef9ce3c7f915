//! Areas that are put right with a note, or refused with the place named.

use super::areas::{codes, polygon, preview, square};
use crate::harness::{App, json, places::ring};

#[tokio::test]
async fn what_can_be_understood_is_put_right_and_noted() {
    let app = App::start().await;
    let mut clockwise = square(10.0, 10.0, 0.1);
    clockwise.as_array_mut().unwrap().reverse();
    let mut open = square(10.0, 10.0, 0.1);
    open.as_array_mut().unwrap().pop();
    let high = json!([
        [10, 10, 500],
        [10.1, 10, 500],
        [10.1, 10.1, 500],
        [10, 10.1, 500],
        [10, 10, 500]
    ]);
    let doubled = json!([
        [10, 10],
        [10, 10],
        [10.1, 10],
        [10.1, 10.1],
        [10, 10.1],
        [10, 10]
    ]);
    let plain = preview(&app, polygon(json!([square(10.0, 10.0, 0.1)])))
        .await
        .expect(200);
    for (odd, code) in [
        (clockwise, "winding_fixed"),
        (open, "ring_closed"),
        (high, "height_dropped"),
        (doubled, "repeated_positions"),
    ] {
        let asked = preview(&app, polygon(json!([odd]))).await.expect(200);
        assert_eq!(codes(&asked), [code], "{asked}");
        assert_eq!(asked["notes"][0]["pointer"], "/area/coordinates/0");
        assert_eq!(asked["cells"], plain["cells"], "{code}");
    }
}

#[tokio::test]
async fn a_bow_tie_is_repaired_with_the_place_named() {
    let app = App::start().await;
    let bow_tie = polygon(json!([[
        [10, 10],
        [10.2, 10.2],
        [10.2, 10],
        [10, 10.2],
        [10, 10]
    ]]));
    let asked = preview(&app, bow_tie.clone()).await.expect(200);
    let note = asked["notes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|note| note["code"] == "repaired")
        .unwrap();
    assert!(
        (note["place"][0].as_f64().unwrap() - 10.1).abs() < 1e-6,
        "{note}"
    );
    assert!(
        (note["place"][1].as_f64().unwrap() - 10.1).abs() < 1e-3,
        "{note}"
    );
    let whole = preview(&app, polygon(json!([square(10.0, 10.0, 0.2)])))
        .await
        .expect(200);
    let ratio = asked["area_km2"].as_f64().unwrap() / whole["area_km2"].as_f64().unwrap();
    assert!((ratio - 0.5).abs() < 0.01, "{ratio}");
    let made = app
        .campaign()
        .with("area", bow_tie)
        .with("cell_zoom", 14)
        .attempt()
        .await
        .expect(201);
    assert!(codes(&made).contains(&"repaired"), "{made}");
}

#[tokio::test]
async fn a_projected_line_is_refused_for_both_reasons() {
    let app = App::start().await;
    let line = json!({"type": "LineString", "coordinates": [[-16_965_110.0, 7_898_000.0], [-16_965_000.0, 7_898_100.0], [-16_964_000.0, 7_898_100.0]]});
    let refused = preview(&app, line).await;
    let what = refused.refused_at("campaign_refused", "/area");
    assert!(
        what.contains("LineString with 3 points") && what.contains("must be a Polygon"),
        "{what}"
    );
    let where_ = refused.refused_at("campaign_refused", "/area/coordinates/0");
    assert!(
        where_.contains("EPSG:3857") && where_.contains("ogr2ogr") && where_.contains("-152.4"),
        "{where_}"
    );
}

#[tokio::test]
async fn a_foreign_coordinate_system_is_refused_and_wgs_84_is_not() {
    let app = App::start().await;
    let with_crs = |name: &str| {
        let mut area = polygon(json!([square(10.0, 10.0, 0.1)]));
        area["crs"] = json!({"type": "name", "properties": {"name": name}});
        area
    };
    let refused = preview(&app, with_crs("urn:ogc:def:crs:EPSG::32605")).await;
    let detail = refused.refused_at("campaign_refused", "/area/crs");
    assert!(
        detail.contains("32605") && detail.contains("ogr2ogr"),
        "{detail}"
    );
    preview(&app, with_crs("urn:ogc:def:crs:OGC:1.3:CRS84"))
        .await
        .expect(200);
    preview(&app, with_crs("EPSG:4326")).await.expect(200);
}

#[tokio::test]
async fn what_is_no_area_is_refused_with_the_place_in_the_file() {
    let app = App::start().await;
    for (area, pointer, words) in [
        (
            json!({"type": "FeatureCollection", "features": []}),
            "/area/features",
            "no features",
        ),
        (
            json!({"type": "Feature", "geometry": null}),
            "/area/geometry",
            "without geometry",
        ),
        (
            json!({"type": "Point", "coordinates": [1, 2]}),
            "/area",
            "a Point",
        ),
        (json!({"type": "Circle"}), "/area/type", "Circle"),
        (json!({}), "/area", "type"),
        (json!(null), "/area", "null"),
        (json!("x"), "/area", "GeoJSON"),
        (polygon(json!([])), "/area/coordinates", "rings"),
        (
            polygon(json!([[[0, 0], [1, 1], [0, 0]]])),
            "/area/coordinates/0",
            "fewer than 3",
        ),
        (
            polygon(json!([[[0, 0], ["x", 1], [1, 1], [0, 0]]])),
            "/area/coordinates/0/1",
            "x",
        ),
        (
            polygon(json!([[
                [57.6, -152.4],
                [57.7, -152.4],
                [57.7, -152.3],
                [57.6, -152.4]
            ]])),
            "/area/coordinates/0/0",
            "swapped",
        ),
        (
            polygon(json!([[[0, 95], [1, 95], [1, 94], [0, 95]]])),
            "/area/coordinates/0/0",
            "latitude",
        ),
    ] {
        let refused = preview(&app, area.clone()).await;
        let detail = refused.refused_at("campaign_refused", pointer);
        assert!(
            detail.to_lowercase().contains(&words.to_lowercase()),
            "{area}: {detail}"
        );
    }
}

#[tokio::test]
async fn an_area_of_no_cell_or_of_too_many_is_refused() {
    let app = App::start().await;
    preview(&app, polygon(json!([ring([0.0, 86.0, 10.0, 89.0])])))
        .await
        .refused_at("campaign_refused", "/area");
    let thin = polygon(json!([[[10, 10], [11, 10], [10.5, 10], [10, 10]]]));
    assert_eq!(preview(&app, thin).await.status, 422);
    let big = json!({"area": polygon(json!([ring([0.0, 0.0, 60.0, 60.0])])), "cell_zoom": 20, "looks_wanted": 1});
    let refused = app
        .organiser()
        .await
        .post("/v1/campaigns/preview")
        .json(big)
        .await;
    assert!(
        refused
            .refused_at("campaign_refused", "/cell_zoom")
            .contains("20000000")
    );
}

#[tokio::test]
async fn two_hundred_thousand_vertices_are_possible_and_one_more_is_not() {
    let app = App::start().await;
    let circle = |vertices: u32| {
        let mut ring: Vec<[f64; 2]> = (0..vertices - 1)
            .map(|n| {
                let angle = f64::from(n) / f64::from(vertices - 1) * std::f64::consts::TAU;
                [10.0 + angle.cos(), 10.0 + angle.sin()]
            })
            .collect();
        ring.push(ring[0]);
        polygon(json!([ring]))
    };
    let fits = preview(&app, circle(200_000)).await.expect(200);
    assert_eq!(fits["notes"], json!([]));
    let refused = preview(&app, circle(200_001)).await;
    assert!(
        refused
            .refused_at("campaign_refused", "/area/coordinates/0")
            .contains("200000")
    );
}
