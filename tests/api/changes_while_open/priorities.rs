//! Priorities of a campaign that runs.

use std::time::Instant;

use super::{
    SOON, area, at_each, carried_out, each_gives, expected, two_servers, verified, weights,
};
use crate::harness::{Cell, json, within};

#[tokio::test]
async fn new_priorities_are_in_force_on_every_server_at_once() {
    let app = two_servers().await;
    let campaign = app.campaign().cells(16, 16).looks_wanted(5).open().await;
    // Both servers deal already.
    for volunteer in at_each(&app, &app.volunteer().await) {
        campaign.given(&volunteer, 3).await;
    }
    let corner = campaign.cells[0].step(12, 12);
    let wanted = |cell: Cell| cell.x >= corner.x && cell.y >= corner.y;
    campaign
        .change(json!({"priorities": [{"area": area(corner, 4, 4), "weight": 50}]}))
        .await
        .expect(200);
    each_gives(
        &app,
        &campaign,
        "both servers deal from the corner",
        |cell, reason| wanted(cell) && reason == "priority",
    )
    .await;
    carried_out(&campaign).await;
    assert_eq!(weights(&app).await, expected([("50", 16), ("1", 240)]));
    let dealt = campaign.ask(&app.volunteer().await, 2).await.expect(200);
    assert_eq!(dealt["assignments"][0]["reason"], "priority");
    verified(&app).await;
}

#[tokio::test]
async fn new_priorities_reach_a_server_while_another_deals_without_pause() {
    let app = two_servers().await;
    let campaign = app.campaign().cells(16, 16).looks_wanted(100).open().await;
    let corner = campaign.cells[0].step(12, 12);
    let wanted = |cell: Cell| cell.x >= corner.x && cell.y >= corner.y;
    let busy = async {
        loop {
            campaign.given(&app.volunteer().await, 1).await;
        }
    };
    let watched = async {
        campaign
            .change(json!({"priorities": [{"area": area(corner, 4, 4), "weight": 50}]}))
            .await
            .expect(200);
        each_gives(
            &app,
            &campaign,
            "both servers deal from the corner",
            |cell, reason| wanted(cell) && reason == "priority",
        )
        .await;
        carried_out(&campaign).await;
        let since = Instant::now();
        let mut in_force = 0;
        for server in app.servers.iter().cycle() {
            let volunteer = app.volunteer().await.at(&server.url);
            let is_in_force = since.elapsed() > SOON;
            let given = campaign.given(&volunteer, 1).await;
            if is_in_force {
                assert!(wanted(given[0]), "{given:?} was given before {corner:?}");
                in_force += 1;
            }
            if in_force == 10 {
                break;
            }
        }
    };
    tokio::select! {
        () = busy => unreachable!("it never ends"),
        () = watched => {}
    }
    verified(&app).await;
}

#[tokio::test]
async fn priorities_move_go_down_and_go_away() {
    let app = two_servers().await;
    let first = app.campaign().cells(10, 10).draft().await.cells[0];
    let campaign = app
        .campaign()
        .cells(10, 10)
        .looks_wanted(5)
        .with(
            "priorities",
            json!([{"area": area(first, 4, 4), "weight": 50}, {"area": area(first, 6, 1), "weight": 2}]),
        )
        .open()
        .await;
    assert_eq!(
        weights(&app).await,
        expected([("50", 16), ("2", 2), ("1", 82)])
    );
    for (priorities, then) in [
        (
            json!([{"area": area(first.step(2, 2), 4, 4), "weight": 50}]),
            expected([("50", 16), ("1", 84)]),
        ),
        (
            json!([{"area": area(first.step(2, 2), 4, 4), "weight": 0.5}]),
            expected([("0.5", 16), ("1", 84)]),
        ),
        (
            json!([{"area": area(first, 10, 1), "weight": 3}, {"area": area(first, 10, 2), "weight": 4}]),
            expected([("4", 20), ("1", 80)]),
        ),
        (json!([]), expected([("1", 100)])),
    ] {
        campaign
            .change(json!({"priorities": priorities}))
            .await
            .expect(200);
        within(SOON, "the weights follow", || async {
            (weights(&app).await == then).then_some(())
        })
        .await;
        carried_out(&campaign).await;
    }
    let dealt = campaign.ask(&app.volunteer().await, 5).await.expect(200);
    assert!(
        dealt["assignments"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["reason"] == "new"),
        "{dealt}"
    );
    verified(&app).await;
}
