//! Cells are made in the background, once each, also when workers die.

use crate::harness::{App, Campaign, eventually, json, places::ring};

/// About 300,000 cells: three pieces or more of the worker's work.
async fn big(app: &App) -> (Campaign, i64) {
    let area = json!({"type": "Polygon", "coordinates": [ring([-153.0, 57.0, -151.4, 57.8])]});
    let campaign = app
        .campaign()
        .with("area", area.clone())
        .with("cell_zoom", 17)
        .draft()
        .await;
    let asked = app
        .organiser()
        .await
        .post("/v1/campaigns/preview")
        .json(json!({"area": area, "cell_zoom": 17, "looks_wanted": 1}))
        .await
        .expect(200);
    let cells = asked["cells"].as_i64().unwrap();
    assert!(cells > 250_000, "{cells}");
    (campaign, cells)
}

async fn verified(app: &App) {
    let checked = app.spotter(&["verify"]).await;
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );
}

#[tokio::test]
async fn preparation_goes_on_after_a_worker_was_killed_and_makes_each_cell_once() {
    let mut app = App::builder().workers(1).start().await;
    let (campaign, cells) = big(&app).await;
    campaign.steer("publish").await.expect(200);
    let shown = eventually("the first cells are made", || async {
        let shown = campaign
            .organiser
            .get(&campaign.path("/progress"))
            .await
            .expect(200);
        (shown["preparation"]["cells_prepared"].as_i64() > Some(0) || shown["state"] == "open")
            .then_some(shown)
    })
    .await;
    assert_eq!(
        shown["state"], "preparing",
        "the area is too small for this test"
    );
    assert_eq!(shown["preparation"]["cells"], cells);
    app.workers.pop().unwrap().kill().await;
    // Publishing again while the cells are made changes nothing.
    assert_eq!(
        campaign.steer("publish").await.expect(200)["state"],
        "preparing"
    );
    app.public()
        .get(&campaign.path(""))
        .await
        .refused(404, "campaign_not_found");
    let next = app.start_worker();
    app.workers.push(next);
    campaign.publish().await;
    assert_eq!(app.number("SELECT count(*) FROM cells").await, cells);
    assert_eq!(
        app.number("SELECT count(DISTINCT cell) FROM cells").await,
        cells
    );
    assert_eq!(campaign.read().await["cells"], cells);
    assert_eq!(campaign.progress().await["preparation"], json!(null));
    verified(&app).await;
}

#[tokio::test]
async fn three_workers_prepare_together_without_doubles() {
    let app = App::builder().workers(3).start().await;
    let (campaign, cells) = big(&app).await;
    let other = app.campaign().cells(9, 9).draft().await;
    campaign.steer("publish").await.expect(200);
    other.publish().await;
    campaign.publish().await;
    assert_eq!(app.number("SELECT count(*) FROM cells").await, cells + 81);
    verified(&app).await;
}

#[tokio::test]
async fn ten_who_publish_at_once_publish_once() {
    let app = App::start().await;
    let campaign = app.campaign().draft().await;
    let answers =
        crate::harness::fixtures::at_once((0..10).map(|_| campaign.steer("publish"))).await;
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer.status, 200 | 412)),
        "{answers:?}"
    );
    campaign.publish().await;
    assert_eq!(app.number("SELECT count(*) FROM cells").await, 4);
    verified(&app).await;
}

#[tokio::test]
async fn the_weight_of_a_cell_is_the_highest_of_its_priorities() {
    let app = App::start().await;
    let first = app.campaign().cells(3, 3).draft().await.cells[0];
    let area = |columns| json!({"type": "Polygon", "coordinates": [ring(first.block(columns, 1))]});
    app.campaign()
        .cells(3, 3)
        .with(
            "priorities",
            json!([{"area": area(2), "weight": 3}, {"area": area(1), "weight": 7}]),
        )
        .open()
        .await;
    for (weight, cells) in [(7, 1), (3, 1), (1, 7)] {
        assert_eq!(
            app.number(&format!(
                "SELECT count(*) FROM cells WHERE weight = {weight}"
            ))
            .await,
            cells,
            "{weight}"
        );
    }
}
