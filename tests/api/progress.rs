//! Progress: derived through the change feed, nothing skipped, nothing counted twice.

use crate::harness::{App, Campaign, Value, json, look, nothing, point, tagged};

/// One look of each kind by distinct volunteers.
pub async fn looks_of_each_kind(app: &App, campaign: &Campaign) {
    let cell = campaign.cells[0];
    for sent in [
        tagged(cell, [point(cell.middle()), point(cell.middle())]),
        nothing(cell),
        look(cell, "skipped"),
        look(cell, "bad_imagery"),
    ] {
        campaign
            .send(&app.volunteer().await, &sent)
            .await
            .expect(201);
    }
}

#[tokio::test]
async fn progress_counts_looks_volunteers_tags_and_cells() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(2).open().await;
    looks_of_each_kind(&app, &campaign).await;
    let shown = campaign.progress_shows("/looks", 4).await;
    assert_eq!(shown["campaign"], campaign.slug);
    assert_eq!(shown["state"], "open");
    assert_eq!(shown["cells"], 4);
    assert_eq!(shown["cells_done"], 1);
    assert_eq!(shown["coverage"], 0.25);
    assert_eq!(shown["looks_expected"], 8);
    assert_eq!(
        shown["looks_by_outcome"],
        json!({"tagged": 1, "nothing": 1, "skipped": 1, "bad_imagery": 1})
    );
    assert_eq!(shown["volunteers"], 4);
    assert_eq!(shown["volunteers_active"], 4);
    assert_eq!(shown["tags"], 2);
    assert_eq!(shown["tags_by_type"], json!({"wreckage": 2}));
    assert_eq!(shown["looks_missing"], 6);
    assert!(shown["last_look_at"].is_string() && shown["first_look_at"].is_string());
    let rates: i64 = shown["rates"]["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rate| rate["looks"].as_i64().unwrap())
        .sum();
    assert_eq!(rates, 4);
    assert_eq!(shown["preparation"], Value::Null);
    assert_eq!(shown["cells_bad_imagery"], 0);
    assert_eq!(shown["cells_closed"], 0);
}

#[tokio::test]
async fn two_looks_of_one_volunteer_at_a_cell_count_once() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(2).open().await;
    let volunteer = app.volunteer().await;
    campaign.look_at(&volunteer, campaign.cells[0]).await;
    campaign.look_at(&volunteer, campaign.cells[0]).await;
    let shown = campaign.progress_shows("/looks", 2).await;
    assert_eq!(shown["cells_done"], 0);
    assert_eq!(shown["volunteers"], 1);
}

#[tokio::test]
async fn done_follows_at_once_when_the_looks_wanted_change() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(2).open().await;
    campaign
        .look_at(&app.volunteer().await, campaign.cells[0])
        .await;
    campaign.progress_shows("/looks", 1).await;
    campaign
        .change(json!({"looks_wanted": 1}))
        .await
        .expect(200);
    let shown = campaign.progress().await;
    assert_eq!(
        (&shown["cells_done"], &shown["looks_expected"]),
        (&json!(1), &json!(4))
    );
    campaign
        .change(json!({"looks_wanted": 3}))
        .await
        .expect(200);
    assert_eq!(campaign.progress().await["cells_done"], 0);
}

#[tokio::test]
async fn the_cells_of_a_map_show_their_looks_and_tags() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(3).open().await;
    looks_of_each_kind(&app, &campaign).await;
    campaign.progress_shows("/looks", 4).await;
    let map = app
        .public()
        .get(&campaign.path("/progress/cells"))
        .await
        .expect(200);
    assert_eq!(
        (&map["zoom"], &map["looks_wanted"]),
        (&json!(17), &json!(3))
    );
    let cells = map["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 4);
    let name = campaign.cells[0].to_string();
    let first = cells.iter().find(|cell| cell["cell"] == name).unwrap();
    assert_eq!(
        first,
        &json!({"cell": name, "cells": 1, "looks": 2.0, "bad_imagery": 1, "tags": 2, "closed": 0})
    );
}

#[tokio::test]
async fn the_blocks_of_a_map_sum_up_to_the_campaign_at_every_zoom() {
    let app = App::start().await;
    let campaign = app.campaign().cells(9, 7).open().await;
    for cell in campaign.cells.iter().step_by(4) {
        let sent = tagged(*cell, [point(cell.middle())]);
        campaign
            .send(&app.volunteer().await, &sent)
            .await
            .expect(201);
    }
    campaign.progress_shows("/looks", 16).await;
    let mut zooms = Vec::new();
    for zoom in 0..=17 {
        let map = app
            .public()
            .get(&campaign.path(&format!("/progress/cells?zoom={zoom}")))
            .await
            .expect(200);
        let blocks = map["cells"].as_array().unwrap();
        let sum = |of: &dyn Fn(&Value) -> f64| -> f64 { blocks.iter().map(of).sum() };
        let cells = sum(&|block| block["cells"].as_f64().unwrap());
        let looks =
            sum(&|block| block["cells"].as_f64().unwrap() * block["looks"].as_f64().unwrap());
        let tags = sum(&|block| block["tags"].as_f64().unwrap());
        assert!(
            (cells - 63.0).abs() < 1e-6
                && (looks - 16.0).abs() < 1e-6
                && (tags - 16.0).abs() < 1e-6,
            "{zoom}: {map}"
        );
        zooms.push(map["zoom"].as_u64().unwrap());
    }
    assert!(zooms.is_sorted(), "{zooms:?}");
    assert_eq!(zooms.last(), Some(&17));
    assert!(zooms[0] < 10, "{zooms:?}");
}

#[tokio::test]
async fn a_map_of_a_box_shows_its_cells_only() {
    let app = App::start().await;
    let campaign = app.campaign().cells(4, 4).open().await;
    let ([west, south], [east, north]) = (
        campaign.cells[0].place(0.1, 0.9),
        campaign.cells[0].place(1.9, 0.1),
    );
    let map = app
        .public()
        .get(&campaign.path(&format!(
            "/progress/cells?bbox={west},{south},{east},{north}"
        )))
        .await
        .expect(200);
    assert_eq!(map["cells"].as_array().unwrap().len(), 2, "{map}");
    for wrong in [
        "bbox=1,2,3",
        "zoom=-1",
        "zoom=27",
        "zoom=x",
        "zoom=NaN",
        "colour=red",
    ] {
        app.public()
            .get(&campaign.path(&format!("/progress/cells?{wrong}")))
            .await
            .refused(400, "invalid_query");
    }
}

#[tokio::test]
async fn progress_of_a_draft_is_for_organisers() {
    let app = App::start().await;
    let draft = app.campaign().draft().await;
    app.public()
        .get(&draft.path("/progress"))
        .await
        .refused(404, "campaign_not_found");
    app.public()
        .get(&draft.path("/progress/cells"))
        .await
        .refused(404, "campaign_not_found");
    draft
        .organiser
        .get(&draft.path("/progress"))
        .await
        .expect(200);
}

#[tokio::test]
async fn the_series_of_rates_covers_an_hour_a_day_or_everything() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(9).open().await;
    let nothing_yet = campaign.progress().await;
    assert_eq!(nothing_yet["looks_per_minute"], Value::Null);
    assert_eq!(nothing_yet["rates"]["points"], json!([]));
    looks_of_each_kind(&app, &campaign).await;
    campaign.progress_shows("/looks", 4).await;
    // As if looks had come two minutes, two hours and three weeks ago.
    for (ago, looks) in [("2 hours", 10), ("3 weeks", 100), ("2 minutes", 15)] {
        app.execute(&format!(
            "INSERT INTO campaign_minutes SELECT id, date_trunc('minute', now() - interval '{ago}'), {looks} FROM campaigns WHERE slug = '{}'",
            campaign.slug
        ))
        .await;
    }
    for (period, step, total) in [("hour", 60, 19), ("day", 600, 29), ("all", 21_600, 129)] {
        let path = campaign.path(&format!("/progress?period={period}"));
        let shown = app.public().get(&path).await.expect(200);
        let rates = &shown["rates"];
        assert_eq!(rates["step_seconds"], step, "{period}");
        let points = rates["points"].as_array().unwrap();
        let sum: i64 = points.iter().map(|p| p["looks"].as_i64().unwrap()).sum();
        assert_eq!(sum, total, "{period}: {points:?}");
        let starts: Vec<_> = points
            .iter()
            .map(|p| p["start"].as_str().unwrap())
            .collect();
        assert!(starts.is_sorted(), "{starts:?}");
        assert!(starts[0] >= rates["from"].as_str().unwrap(), "{rates}");
    }
    let mean = campaign.progress().await["looks_per_minute"]
        .as_f64()
        .unwrap();
    assert!(
        (3.0..=3.8).contains(&mean),
        "15 looks, and perhaps the 4 new ones, in 5 minutes: {mean}"
    );
    let path = campaign.path("/progress?period=year");
    app.public().get(&path).await.refused(400, "invalid_query");
}
