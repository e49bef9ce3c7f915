//! What decisions about cells do to the numbers: each is equal to a recount, whatever happens at once.

use std::time::{Duration, Instant};

use super::cell_decisions::{answer, change, decide, listed, verdicts};
use super::feed::{caught_up, verify};
use crate::harness::{App, Campaign, Cell, Value, eventually, json, look, nothing, point, tagged};

/// Every number is what a recount gives.
pub async fn recounted(app: &App) {
    caught_up(app).await;
    let (right, report) = verify(app).await;
    assert!(right, "{report}");
    assert!(report.contains(" 0 cells pending"), "{report}");
}

/// Waits until progress has these numbers: cells done, closed, with bad imagery, and looks missing.
async fn shows(campaign: &Campaign, numbers: [i64; 4]) -> Value {
    eventually(&format!("progress shows {numbers:?}"), || async {
        let shown = campaign.progress().await;
        let names = [
            "cells_done",
            "cells_closed",
            "cells_bad_imagery",
            "looks_missing",
        ];
        (names.map(|name| shown[name].as_i64().unwrap()) == numbers).then_some(shown)
    })
    .await
}

async fn card(campaign: &Campaign, cell: Cell) -> Value {
    let path = campaign.path(&format!("/cells/{cell}"));
    campaign.organiser.get(&path).await.expect(200)
}

async fn map(campaign: &Campaign, zoom: u32) -> Vec<Value> {
    let path = campaign.path(&format!("/progress/cells?zoom={zoom}"));
    let map = campaign.organiser.get(&path).await.expect(200);
    map["cells"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_closed_cell_is_neither_done_nor_missing() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(2).open().await;
    let [first, second] = [campaign.cells[0], campaign.cells[1]];
    answer(&app, &campaign, first, "nothing", 2).await;
    answer(&app, &campaign, second, "nothing", 1).await;
    shows(&campaign, [1, 0, 0, 5]).await;
    let decided = Instant::now();
    change(&campaign, &[first], json!({"closed": true})).await;
    let shown = shows(&campaign, [0, 1, 0, 5]).await;
    assert!(decided.elapsed() < Duration::from_secs(2));
    assert_eq!(
        (&shown["cells"], &shown["looks_expected"]),
        (&json!(4), &json!(6))
    );
    change(&campaign, &[second], json!({"closed": true})).await;
    shows(&campaign, [0, 2, 0, 4]).await;
    recounted(&app).await;
    answer(&app, &campaign, campaign.cells[2], "nothing", 2).await;
    let shown = shows(&campaign, [1, 2, 0, 2]).await;
    assert_eq!(shown["coverage"], 0.5);
    let entry = app.public().get("/v1/campaigns").await.expect(200);
    assert_eq!(entry["campaigns"][0]["activity"]["cells_closed"], 2);

    // A look at a closed cell is kept, and counts once the cell is open again.
    answer(&app, &campaign, second, "nothing", 1).await;
    campaign.progress_shows("/looks", 6).await;
    shows(&campaign, [1, 2, 0, 2]).await;
    assert_eq!(card(&campaign, second).await["state"], "closed");
    for zoom in [10, 17] {
        let closed: i64 = map(&campaign, zoom)
            .await
            .iter()
            .map(|b| b["closed"].as_i64().unwrap())
            .sum();
        assert_eq!(closed, 2, "zoom {zoom}");
    }
    change(&campaign, &[first, second], json!({"closed": false})).await;
    shows(&campaign, [3, 0, 0, 2]).await;
    assert_eq!(card(&campaign, second).await["state"], "done");
    assert!(map(&campaign, 17).await.iter().all(|b| b["closed"] == 0));
    recounted(&app).await;
}

#[tokio::test]
async fn a_cell_that_three_people_report_waits_for_the_organiser() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(2).open().await;
    let cell = campaign.cells[0];
    answer(&app, &campaign, cell, "bad_imagery", 2).await;
    let again = app.volunteer().await;
    for _ in 0..2 {
        campaign
            .send(&again, &look(campaign.cells[1], "bad_imagery"))
            .await
            .expect(201);
    }
    campaign.progress_shows("/looks", 4).await;
    assert_eq!(listed(&campaign, "bad_imagery").await, Vec::<Value>::new());
    answer(&app, &campaign, cell, "bad_imagery", 1).await;
    shows(&campaign, [0, 0, 1, 8]).await;
    let found = listed(&campaign, "bad_imagery").await;
    let [west, south, east, north] = cell.block(1, 1);
    assert_eq!(found.len(), 1);
    let bbox: Vec<f64> = serde_json::from_value(found[0]["bbox"].clone()).unwrap();
    for (edge, there) in bbox.iter().zip([west, south, east, north]) {
        assert!((edge - there).abs() < 1e-9, "{found:?}");
    }
    let mut seen = found[0].clone();
    seen["bbox"] = Value::Null;
    assert_eq!(
        seen,
        json!({"cell": cell.to_string(), "bbox": null, "state": "bad_imagery", "looks": 0, "bad_imagery": 3,
               "tags": 0, "weight": 1.0, "imagery_layer": null, "decided_at": null})
    );
    assert_eq!(card(&campaign, cell).await["state"], "bad_imagery");
    recounted(&app).await;

    // Another layer: it leaves the list at once, and new reports put it there again.
    let layer = app
        .layer("https://tiles.example.org/b/{z}/{x}/{y}")
        .create()
        .await;
    change(&campaign, &[cell], json!({"imagery_layer": layer})).await;
    assert_eq!(listed(&campaign, "bad_imagery").await, Vec::<Value>::new());
    let decided = listed(&campaign, "decided").await;
    assert_eq!(
        (&decided[0]["imagery_layer"], &decided[0]["state"]),
        (&json!(layer), &json!("open"))
    );
    shows(&campaign, [0, 0, 0, 8]).await;
    assert_eq!(card(&campaign, cell).await["imagery_layer"], layer);
    answer(&app, &campaign, cell, "bad_imagery", 3).await;
    shows(&campaign, [0, 0, 1, 8]).await;
    assert_eq!(listed(&campaign, "bad_imagery").await[0]["bad_imagery"], 3);
    recounted(&app).await;

    // The same layer again, since its imagery is good now.
    change(&campaign, &[cell], json!({"imagery_layer": layer})).await;
    let again = decide(&campaign, &[cell], json!({"imagery_layer": layer})).await;
    assert_eq!(verdicts(&again.expect(200)), ["unchanged"]);
    shows(&campaign, [0, 0, 0, 8]).await;
    answer(&app, &campaign, cell, "bad_imagery", 3).await;
    shows(&campaign, [0, 0, 1, 8]).await;
    recounted(&app).await;

    // Closed: it waits no longer.
    change(&campaign, &[cell], json!({"closed": true})).await;
    assert_eq!(listed(&campaign, "bad_imagery").await, Vec::<Value>::new());
    assert_eq!(listed(&campaign, "closed").await[0]["state"], "closed");
    shows(&campaign, [0, 1, 0, 6]).await;
    recounted(&app).await;
    change(&campaign, &[cell], json!({"closed": false})).await;
    shows(&campaign, [0, 0, 1, 8]).await;
    recounted(&app).await;
}

#[tokio::test]
async fn a_cell_that_is_reset_is_wanted_anew_and_keeps_its_tags() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(2).open().await;
    let cell = campaign.cells[0];
    let sent = tagged(cell, [point(cell.middle())]);
    campaign
        .send(&app.volunteer().await, &sent)
        .await
        .expect(201);
    answer(&app, &campaign, cell, "nothing", 1).await;
    answer(&app, &campaign, cell, "bad_imagery", 3).await;
    shows(&campaign, [1, 0, 1, 6]).await;
    change(&campaign, &[cell], json!({"reset": true})).await;
    let shown = shows(&campaign, [0, 0, 0, 8]).await;
    assert_eq!((&shown["looks"], &shown["tags"]), (&json!(5), &json!(1)));
    let seen = card(&campaign, cell).await;
    assert_eq!(
        (&seen["looks"], &seen["bad_imagery"], &seen["tags"]),
        (&json!(0), &json!(0), &json!(1))
    );
    assert_eq!(
        (&seen["state"], seen["answers"].as_array().unwrap().len()),
        (&json!("open"), 5)
    );
    assert!(seen["decided_at"].is_string());
    recounted(&app).await;
    answer(&app, &campaign, cell, "nothing", 1).await;
    shows(&campaign, [0, 0, 0, 7]).await;
    recounted(&app).await;
}

#[tokio::test]
async fn a_reset_counts_looks_that_progress_has_not_read_yet_as_made_before_it() {
    let mut app = App::start().await;
    let campaign = app.campaign().looks_wanted(3).open().await;
    let [first, second] = [campaign.cells[0], campaign.cells[1]];
    answer(&app, &campaign, first, "nothing", 1).await;
    campaign.progress_shows("/looks", 1).await;
    app.workers.pop().unwrap().kill().await;
    answer(&app, &campaign, first, "nothing", 1).await;
    answer(&app, &campaign, second, "bad_imagery", 3).await;
    change(&campaign, &[first, second], json!({"reset": true})).await;
    answer(&app, &campaign, first, "nothing", 2).await;
    change(&campaign, &[second], json!({"closed": true})).await;
    // Nothing is counted yet, and what is shown is not called wrong.
    let (right, report) = verify(&app).await;
    assert!(right && report.contains(" 2 cells pending"), "{report}");
    let lag = campaign.progress().await["lag_seconds"].as_f64().unwrap();
    assert!(lag > 0.0);
    let next = app.start_worker();
    app.workers.push(next);
    shows(&campaign, [0, 1, 0, 7]).await;
    recounted(&app).await;
}

#[tokio::test]
async fn a_decision_is_not_skipped_when_another_transaction_commits_late() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let late = app.sql().await;
    let insert = format!(
        "BEGIN; INSERT INTO cell_decisions (campaign_id, cell, closed) VALUES ('{}', {}, true)",
        campaign.id,
        campaign.cells[1].packed()
    );
    late.batch_execute(&insert).await.unwrap();
    change(&campaign, &campaign.cells[..1], json!({"closed": true})).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    // The numbers wait, what is decided does not.
    assert_eq!(campaign.progress().await["cells_closed"], 0);
    assert_eq!(listed(&campaign, "closed").await.len(), 1);
    late.batch_execute("COMMIT").await.unwrap();
    shows(&campaign, [0, 2, 0, 2]).await;
    recounted(&app).await;
}

#[tokio::test]
async fn numbers_are_right_when_organisers_decide_while_the_crowd_looks() {
    let app = App::builder().servers(2).workers(3).start().await;
    let campaign = app.campaign().cells(4, 4).looks_wanted(3).open().await;
    let layer = app
        .layer("https://tiles.example.org/b/{z}/{x}/{y}")
        .create()
        .await;
    let crowd = (0..6).map(|n| {
        let (app, campaign) = (&app, &campaign);
        async move {
            let volunteer = app.volunteer().await;
            for (place, cell) in campaign.cells.iter().enumerate() {
                let sent = match (place + n) % 4 {
                    0 => look(*cell, "bad_imagery"),
                    1 => tagged(*cell, [point(cell.middle())]),
                    2 => look(*cell, "skipped"),
                    _ => nothing(*cell),
                };
                campaign.send(&volunteer, &sent).await.expect(201);
            }
        }
    });
    let organisers = (0..3).map(|n| {
        let (campaign, layer) = (&campaign, &layer);
        async move {
            for turn in 0..16 {
                let decision = match (turn + n) % 5 {
                    0 => json!({"reset": true}),
                    1 => json!({"closed": true}),
                    2 => json!({"imagery_layer": layer}),
                    3 => json!({"closed": false, "imagery_layer": null}),
                    _ => json!({"closed": false, "reset": true}),
                };
                let first = (turn * 5 + n * 3) % 12;
                let cells = &campaign.cells[first..first + 4];
                decide(campaign, cells, decision).await.expect(200);
            }
        }
    });
    let decided = futures_util::future::join_all(organisers);
    futures_util::future::join(futures_util::future::join_all(crowd), decided).await;
    eventually("all looks are counted", || async {
        (campaign.progress().await["looks"] == 96).then_some(())
    })
    .await;
    recounted(&app).await;
    let counted = app
        .number("SELECT count(*) FROM cell_decisions WHERE looks_since IS NOT NULL")
        .await;
    assert!(counted > 0);
}
