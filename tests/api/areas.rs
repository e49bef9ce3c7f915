//! Areas of interest: understood, put right, or refused with what was found and what to do.

use crate::harness::{App, Reply, Value, json, places::ring};

pub async fn preview(app: &App, area: Value) -> Reply {
    app.organiser()
        .await
        .post("/v1/campaigns/preview")
        .json(json!({"area": area, "cell_zoom": 14, "looks_wanted": 3}))
        .await
}

pub fn polygon(rings: Value) -> Value {
    json!({"type": "Polygon", "coordinates": rings})
}

pub fn square(west: f64, south: f64, side: f64) -> Value {
    json!(ring([west, south, west + side, south + side]))
}

pub fn codes(estimate: &Value) -> Vec<&str> {
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
        .get(&campaign.path("/progress/cells?bbox=179.99,-17.01,-179.99,-16.99"))
        .await
        .expect(200);
    assert_eq!(
        i64::try_from(map["cells"].as_array().unwrap().len()).unwrap(),
        cells
    );
}
