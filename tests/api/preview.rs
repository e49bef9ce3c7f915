//! What a campaign would take and look like, before anything is stored.

use super::areas::polygon;
use crate::harness::{App, Cell, Value, json, places::ring};

/// A polygon around so many cells of zoom 17, a little inside them.
fn block(first: Cell, columns: u32, rows: u32) -> Value {
    let [west, south, east, north] = first.block(columns, rows);
    let (dx, dy) = ((east - west) * 0.01, (north - south) * 0.01);
    let (west, south, east, north) = (west + dx, south + dy, east - dx, north - dy);
    polygon(json!([[
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south]
    ]]))
}

fn first() -> Cell {
    Cell::at(17, -152.4, 57.6)
}

#[tokio::test]
async fn parts_of_the_area_are_estimated_with_it() {
    let app = App::start().await;
    let organiser = app.organiser().await;
    let seen = organiser
        .post("/v1/campaigns/preview")
        .json(json!({
            "area": block(first(), 4, 2),
            "leave_out": polygon(json!([ring(first().step(3, 0).block(3, 2))])),
            "priorities": [
                {"area": block(first(), 1, 2), "weight": 3, "name": "Last contact"},
                {"area": block(first().step(100, 0), 1, 1), "weight": 2}],
            "cell_zoom": 17,
            "looks_wanted": 2,
        }))
        .await
        .expect(200);
    assert_eq!(seen["cells"], 6, "the fourth column is left out: {seen}");
    assert_eq!(seen["looks_expected"], 12);
    assert_eq!(seen["priority_parts"][0]["cells"], 2);
    assert_eq!(seen["priority_parts"][1]["cells"], 0);
    assert_eq!(seen["leave_out"]["type"], "MultiPolygon");
    assert_eq!(seen["outline"]["type"], "MultiPolygon");
    let (area, cut) = (
        seen["area_km2"].as_f64().unwrap(),
        seen["leave_out_km2"].as_f64().unwrap(),
    );
    assert!(area > 0.0 && cut > area * 0.9, "{area} and {cut}");
    let notes = seen["notes"].as_array().unwrap();
    assert!(
        notes
            .iter()
            .any(|note| note["code"] == "outside" && note["pointer"] == "/priorities/1/area"),
        "{notes:?}"
    );
}

#[tokio::test]
async fn cells_to_try_out_are_cells_of_the_area() {
    let app = App::start().await;
    let organiser = app.organiser().await;
    let ask = async |columns: u32, rows: u32| {
        let of = json!({"area": block(first(), columns, rows)});
        let seen = organiser.post("/v1/campaigns/preview").json(of).await;
        let cells = seen.expect(200)["sample_cells"].clone();
        let cells = cells.as_array().unwrap().clone();
        cells
            .iter()
            .map(|cell| Cell::parse(cell.as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(ask(1, 1).await, [first()]);
    let many = ask(9, 7).await;
    assert_eq!(many.len(), 5);
    let is_inside = |cell: &Cell| {
        (first().x..first().x + 9).contains(&cell.x) && (first().y..first().y + 7).contains(&cell.y)
    };
    assert!(many.iter().all(is_inside), "{many:?}");
    let mut distinct = many.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 5, "{many:?}");
}

#[tokio::test]
async fn coverage_is_the_part_of_the_area_within_a_layers_bounds() {
    let app = App::start().await;
    let organiser = app.organiser().await;
    let [west, south, east, north] = first().block(4, 4);
    let middle = f64::midpoint(west, east);
    let half = app
        .layer("https://tiles.example.org/{z}/{x}/{y}")
        .with(
            "bounds",
            json!([west - 1.0, south - 1.0, middle, north + 1.0]),
        )
        .create()
        .await;
    let elsewhere = app
        .layer("https://tiles.example.org/{z}/{x}/{y}")
        .with("bounds", json!([10.0, 10.0, 11.0, 11.0]))
        .create()
        .await;
    let across = app
        .layer("https://tiles.example.org/{z}/{x}/{y}")
        .with(
            "bounds",
            json!([170.0, south - 1.0, west - 1.0 + 0.5, north + 1.0]),
        )
        .create()
        .await;
    let unbounded = app
        .layer("https://tiles.example.org/{z}/{x}/{y}")
        .create()
        .await;
    let area = polygon(json!([[
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south]
    ]]));
    let keys = [&half, &elsewhere, &across, &unbounded];
    let seen = organiser
        .post("/v1/campaigns/preview")
        .json(json!({"area": area, "imagery_layers": keys}))
        .await
        .expect(200);
    let shares: Vec<f64> = seen["coverage"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["share"].as_f64().unwrap())
        .collect();
    for (share, wanted) in shares.iter().zip([0.5, 0.0, 0.0, 1.0]) {
        assert!((share - wanted).abs() < 1e-3, "{shares:?}");
    }
    organiser
        .post("/v1/campaigns/preview")
        .json(json!({"area": area, "imagery_layers": ["none"]}))
        .await
        .refused_at("campaign_refused", "/imagery_layers/0");
}

#[tokio::test]
async fn coverage_of_50_layers_is_told_at_once_and_of_51_not() {
    let app = App::start().await;
    let organiser = app.organiser().await;
    let key = app
        .layer("https://tiles.example.org/{z}/{x}/{y}")
        .create()
        .await;
    let ask = |count: usize| {
        organiser
            .post("/v1/campaigns/preview")
            .json(json!({"area": block(first(), 1, 1), "imagery_layers": vec![key.clone(); count]}))
    };
    assert_eq!(
        ask(50).await.expect(200)["coverage"]
            .as_array()
            .unwrap()
            .len(),
        50
    );
    ask(51)
        .await
        .refused_at("campaign_refused", "/imagery_layers");
}

#[tokio::test]
async fn instructions_are_shown_as_volunteers_will_see_them_with_or_without_an_area() {
    let app = App::start().await;
    let organiser = app.organiser().await;
    let seen = organiser
        .post("/v1/campaigns/preview")
        .json(json!({"instructions": {"en": "**Look** <script>x</script>", "de": "*Schau*"}}))
        .await
        .expect(200);
    assert_eq!(seen["instructions_html"]["de"], "<p><em>Schau</em></p>\n");
    let english = seen["instructions_html"]["en"].as_str().unwrap();
    assert!(english.contains("<strong>Look</strong>") && !english.contains("script"));
    assert_eq!(seen["cells"], Value::Null);
    organiser
        .post("/v1/campaigns/preview")
        .json(json!({}))
        .await
        .refused_at("campaign_refused", "/area");
}
