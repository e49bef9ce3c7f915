//! Areas of interest: understood, put right, or refused with what was found and what to do.

use crate::harness::{App, Reply, Value, json, places::ring};

async fn preview(app: &App, area: Value) -> Reply {
    app.organiser()
        .await
        .post("/v1/campaigns/preview")
        .json(json!({"area": area, "cell_zoom": 14, "looks_wanted": 3}))
        .await
}

fn polygon(rings: Value) -> Value {
    json!({"type": "Polygon", "coordinates": rings})
}

fn square(west: f64, south: f64, side: f64) -> Value {
    json!(ring([west, south, west + side, south + side]))
}

fn codes(estimate: &Value) -> Vec<&str> {
    estimate["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note["code"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_preview_says_what_a_campaign_takes_and_stores_nothing() {
    let app = App::start().await;
    let shape = app.campaign().cells(10, 5).definition().await["area"].clone();
    let asked = app
        .organiser()
        .await
        .post("/v1/campaigns/preview")
        .json(json!({"area": shape, "cell_zoom": 17, "looks_wanted": 3}))
        .await
        .expect(200);
    assert_eq!(asked["cells"], 50);
    assert_eq!(asked["looks_expected"], 150);
    let hours = asked["volunteer_hours"].as_f64().unwrap();
    assert!((hours - 150.0 * asked["seconds_per_look"].as_f64().unwrap() / 3600.0).abs() < 1e-9);
    // A tile of zoom 17 is 305.7 m wide at the equator.
    let side = 305.748 * 57.6_f64.to_radians().cos();
    assert!(
        (asked["cell_side_m"].as_f64().unwrap() / side - 1.0).abs() < 0.01,
        "{asked}"
    );
    assert!(
        (asked["area_km2"].as_f64().unwrap() / (50.0 * side * side / 1e6) - 1.0).abs() < 0.02,
        "{asked}"
    );
    assert_eq!(asked["notes"], json!([]));
    assert_eq!(app.number("SELECT count(*) FROM campaigns").await, 0);
    app.public()
        .post("/v1/campaigns/preview")
        .json(json!({}))
        .await
        .refused(401, "credentials_missing");
}

#[tokio::test]
async fn the_cells_of_a_campaign_are_those_of_its_preview() {
    let app = App::start().await;
    let bounds = [-152.437, 57.561, -152.301, 57.633];
    let [w, s, e, n] = bounds;
    let crooked = polygon(json!([[
        [w, s],
        [e, s + 0.01],
        [e - 0.02, n],
        [w + 0.03, n - 0.01],
        [w, s]
    ]]));
    let campaign = app.campaign().with("area", crooked.clone()).open().await;
    let asked = app
        .organiser()
        .await
        .post("/v1/campaigns/preview")
        .json(json!({"area": crooked, "cell_zoom": 17, "looks_wanted": 1}))
        .await
        .expect(200);
    let cells = asked["cells"].as_i64().unwrap();
    assert!(cells > 500, "{cells}");
    assert_eq!(campaign.read().await["cells"], cells);
    assert_eq!(app.number("SELECT count(*) FROM cells").await, cells);
}

#[tokio::test]
async fn an_area_may_be_a_geometry_a_feature_or_a_collection() {
    let app = App::start().await;
    let shape = polygon(json!([square(10.0, 10.0, 0.1)]));
    let feature = json!({"type": "Feature", "properties": null, "geometry": shape});
    let multi = json!({"type": "MultiPolygon", "coordinates": [[square(10.0, 10.0, 0.1)]]});
    let plain = preview(&app, shape.clone()).await.expect(200)["cells"].clone();
    for form in [
        feature.clone(),
        multi,
        json!({"type": "FeatureCollection", "features": [feature, feature]}),
        json!({"type": "GeometryCollection", "geometries": [shape]}),
    ] {
        assert_eq!(
            preview(&app, form.clone()).await.expect(200)["cells"],
            plain,
            "{form}"
        );
    }
}

#[tokio::test]
async fn a_hole_is_left_out() {
    let app = App::start().await;
    let whole = preview(&app, polygon(json!([square(10.0, 10.0, 1.0)])))
        .await
        .expect(200);
    let mut hole = square(10.25, 10.25, 0.5);
    hole.as_array_mut().unwrap().reverse();
    let holed = preview(&app, polygon(json!([square(10.0, 10.0, 1.0), hole])))
        .await
        .expect(200);
    let ratio = holed["area_km2"].as_f64().unwrap() / whole["area_km2"].as_f64().unwrap();
    assert!((ratio - 0.75).abs() < 0.001, "{ratio}");
    assert!(holed["cells"].as_i64() < whole["cells"].as_i64());
    assert_eq!(holed["notes"], json!([]));
}

#[tokio::test]
async fn parts_of_a_multipolygon_are_counted_once_where_they_overlap() {
    let app = App::start().await;
    let one = preview(&app, polygon(json!([square(10.0, 10.0, 1.0)])))
        .await
        .expect(200);
    let both = json!({"type": "MultiPolygon", "coordinates": [[square(10.0, 10.0, 1.0)], [square(10.0, 10.0, 1.0)]]});
    let both = preview(&app, both).await.expect(200);
    assert_eq!(both["cells"], one["cells"]);
    assert!(
        (both["area_km2"].as_f64().unwrap() / one["area_km2"].as_f64().unwrap() - 1.0).abs() < 1e-6
    );
}

#[tokio::test]
async fn an_area_over_the_antimeridian_is_one_area() {
    let app = App::start().await;
    let straight = preview(&app, polygon(json!([ring([0.0, -17.5, 2.0, -16.5])])))
        .await
        .expect(200);
    let beyond = polygon(json!([ring([179.0, -17.5, 181.0, -16.5])]));
    let jumping = polygon(json!([[
        [179, -17.5],
        [-179, -17.5],
        [-179, -16.5],
        [179, -16.5],
        [179, -17.5]
    ]]));
    let split = json!({"type": "MultiPolygon", "coordinates": [[ring([179.0, -17.5, 180.0, -16.5])], [ring([-180.0, -17.5, -179.0, -16.5])]]});
    for (form, noted) in [(beyond, true), (jumping, true), (split, false)] {
        let asked = preview(&app, form).await.expect(200);
        assert_eq!(
            codes(&asked).contains(&"crosses_antimeridian"),
            noted,
            "{asked}"
        );
        let ratio = asked["area_km2"].as_f64().unwrap() / straight["area_km2"].as_f64().unwrap();
        assert!((ratio - 1.0).abs() < 1e-6, "{ratio}");
        assert_eq!(
            (&asked["bbox"][0], &asked["bbox"][2]),
            (&json!(179.0), &json!(-179.0)),
            "{asked}"
        );
        assert!(
            (asked["cells"].as_i64().unwrap() - straight["cells"].as_i64().unwrap()).abs() <= 100,
            "{asked}"
        );
    }
}

#[tokio::test]
async fn a_campaign_over_the_antimeridian_is_prepared_and_dealt() {
    let app = App::start().await;
    let area = polygon(json!([ring([179.999, -17.002, 180.001, -17.0])]));
    let campaign = app.campaign().with("area", area).open().await;
    let cells = app.number("SELECT count(*) FROM cells").await;
    assert_eq!(campaign.read().await["cells"], cells);
    let given = campaign.given(&app.volunteer().await, 50).await;
    assert_eq!(i64::try_from(given.len()).unwrap(), cells);
    assert!(
        given.iter().any(|cell| cell.x == 0) && given.iter().any(|cell| cell.x == (1 << 17) - 1),
        "{given:?}"
    );
    let west = given.iter().find(|cell| cell.x == 0).unwrap();
    campaign.look_at(&app.volunteer().await, *west).await;
    campaign.progress_shows("/looks", 1).await;
    let map = app
        .public()
        .get(&campaign.path("/progress/cells?bbox=179.9,-18,-179.9,-16"))
        .await
        .expect(200);
    assert_eq!(
        i64::try_from(map["cells"].as_array().unwrap().len()).unwrap(),
        cells
    );
}

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
