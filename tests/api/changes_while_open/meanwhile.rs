//! Changes that take long: what happens meanwhile.

use futures_util::future::join_all;

use super::{area, carried_out, each_gives, expected, two_servers, verified, weights};
use crate::harness::{App, Campaign, Cell, Value, eventually, json, nothing, places::ring};

/// The west half of about 300,000 cells, and all of it: several pieces of the worker's work.
const WEST: [f64; 4] = [-153.0, 57.0, -152.9, 57.8];
const WHOLE: [f64; 4] = [-153.0, 57.0, -151.4, 57.8];

fn boxed(edges: [f64; 4]) -> Value {
    json!({"type": "Polygon", "coordinates": [ring(edges)]})
}

async fn estimated(app: &App, area: &Value) -> i64 {
    let asked = app
        .organiser()
        .await
        .post("/v1/campaigns/preview")
        .json(json!({"area": area, "cell_zoom": 17, "looks_wanted": 1}))
        .await
        .expect(200);
    asked["cells"].as_i64().unwrap()
}

/// Waits until a change is carried out in part, and gives how many cells there are then.
async fn partly(campaign: &Campaign, from: i64) -> i64 {
    eventually("a piece is carried out", || async {
        let preparation = campaign
            .organiser
            .get(&campaign.path("/progress"))
            .await
            .expect(200)["preparation"]
            .clone();
        assert!(
            !preparation.is_null(),
            "the area is too small for this test"
        );
        preparation["cells_prepared"]
            .as_i64()
            .filter(|cells| *cells > from)
    })
    .await
}

#[tokio::test]
async fn a_large_change_goes_on_after_a_worker_was_killed() {
    let mut app = App::builder().servers(2).workers(1).start().await;
    let campaign = app.campaign().with("area", boxed(WEST)).open().await;
    let before = campaign.read().await["cells"].as_i64().unwrap();
    let whole = estimated(&app, &boxed(WHOLE)).await;
    assert!(whole > before + 250_000, "{before} {whole}");
    campaign
        .change(json!({"area": boxed(WHOLE)}))
        .await
        .expect(200);
    let so_far = partly(&campaign, before).await;
    app.workers.pop().unwrap().kill().await;
    let shown = campaign.progress().await;
    assert_eq!(
        (&shown["state"], &shown["cells"]),
        (&json!("open"), &json!(whole))
    );
    assert!(so_far < whole);
    // It is searched meanwhile, and what is told of it is what there is.
    assert_eq!(campaign.given(&app.volunteer().await, 5).await.len(), 5);
    verified(&app).await;
    let next = app.start_worker();
    app.workers.push(next);
    carried_out(&campaign).await;
    assert_eq!(app.number("SELECT count(*) FROM cells").await, whole);
    verified(&app).await;
}

#[tokio::test]
async fn changes_during_a_change_end_as_the_last_one_says() {
    let app = App::builder().servers(2).workers(2).start().await;
    let campaign = app
        .campaign()
        .with("area", boxed(WEST))
        .looks_wanted(3)
        .open()
        .await;
    let before = campaign.read().await["cells"].as_i64().unwrap();
    campaign
        .change(json!({"area": boxed(WHOLE), "priorities": [{"area": boxed(WHOLE), "weight": 2}]}))
        .await
        .expect(200);
    partly(&campaign, before).await;
    let east = Cell::at(17, -151.45, 57.4);
    let north = Cell::at(17, -152.0, 58.5);
    campaign
        .change(json!({"priorities": [{"area": area(east, 8, 8), "weight": 50}]}))
        .await
        .expect(200);
    each_gives(
        &app,
        &campaign,
        "the newest priorities go first",
        |cell, _| cell.x >= east.x && cell.x < east.x + 8,
    )
    .await;
    let [west, south, eastern, northern] = WHOLE;
    let grown = json!({"type": "MultiPolygon", "coordinates": [
        [ring([west, south, eastern, northern])], [ring(north.block(4, 4))]]});
    let whole = estimated(&app, &grown).await;
    campaign
        .change(json!({"area": grown, "priorities": [{"area": area(east, 8, 8), "weight": 50}, {"area": area(north, 1, 4), "weight": 0.5}]}))
        .await
        .expect(200);
    // What was promised once cannot be taken back, made or not.
    campaign
        .change(json!({"area": boxed(WEST)}))
        .await
        .refused(409, "area_shrinks");
    carried_out(&campaign).await;
    assert_eq!(
        weights(&app).await,
        expected([("50", 64), ("0.5", 4), ("1", whole - 68)])
    );
    assert_eq!(campaign.read().await["cells"], whole);
    verified(&app).await;
}

#[tokio::test]
async fn a_campaign_in_preparation_is_changed_before_it_opens() {
    let app = two_servers().await;
    let campaign = app
        .campaign()
        .with("area", boxed(WHOLE))
        .with("priorities", json!([{"area": boxed(WEST), "weight": 7}]))
        .draft()
        .await;
    campaign.steer("publish").await.expect(200);
    partly(&campaign, 0).await;
    let north = Cell::at(17, -152.0, 58.5);
    let [west, south, east, top] = WHOLE;
    let grown = json!({"type": "MultiPolygon", "coordinates": [
        [ring([west, south, east, top])], [ring(north.block(4, 4))]]});
    let changed = campaign
        .change(json!({"area": grown, "priorities": [{"area": area(north, 2, 2), "weight": 5}]}))
        .await
        .expect(200);
    assert_eq!(changed["state"], "preparing");
    campaign.publish().await;
    let whole = estimated(&app, &grown).await;
    assert_eq!(campaign.read().await["cells"], whole);
    assert_eq!(weights(&app).await, expected([("5", 4), ("1", whole - 4)]));
    verified(&app).await;
}

#[tokio::test]
async fn looks_that_come_during_changes_are_all_counted() {
    let app = App::builder().servers(2).workers(2).start().await;
    let campaign = app.campaign().cells(40, 40).looks_wanted(2).open().await;
    let first = campaign.cells[0];
    let crowd = join_all((0..8).map(|_| async {
        let volunteer = app.volunteer().await;
        for _ in 0..12 {
            let given = campaign.given(&volunteer, 10).await;
            let looks: Vec<Value> = given.iter().map(|cell| nothing(*cell)).collect();
            campaign.send_batch(&volunteer, &looks).await.expect(200);
        }
    }));
    let organiser = async {
        for n in 1..12 {
            let weight = f64::from(n % 3) + 0.5;
            let patch = json!({
                "area": area(first, 40 + n, 40),
                "priorities": [{"area": area(first.step(n, n), 20, 20), "weight": weight}],
            });
            campaign.change(patch).await.expect(200);
        }
    };
    futures_util::future::join(crowd, organiser).await;
    carried_out(&campaign).await;
    campaign
        .progress_shows("/looks_by_outcome/nothing", 960)
        .await;
    assert_eq!(app.number("SELECT count(*) FROM cells").await, 51 * 40);
    assert_eq!(
        weights(&app).await,
        expected([("2.5", 400), ("1", 51 * 40 - 400)])
    );
    assert!(!app.log().contains("deadlock"), "{}", app.log());
    verified(&app).await;
}
