//! What organisers change while a campaign runs is in force at once, on every server.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;

use crate::harness::{
    App, Campaign, Cell, Client, Value, eventually, fixtures::cells_of, json, nothing,
    places::ring, within,
};

/// The longest that a change may take.
const SOON: Duration = Duration::from_secs(2);

async fn two_servers() -> App {
    App::builder().servers(2).start().await
}

fn area(cell: Cell, columns: u32, rows: u32) -> Value {
    areas([(cell, columns, rows)])
}

fn areas(blocks: impl IntoIterator<Item = (Cell, u32, u32)>) -> Value {
    let polygons = blocks
        .into_iter()
        .map(|(cell, columns, rows)| json!([ring(cell.block(columns, rows))]));
    json!({"type": "MultiPolygon", "coordinates": polygons.collect::<Vec<_>>()})
}

async fn verified(app: &App) {
    let checked = app.spotter(&["verify"]).await;
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );
}

/// Waits until every change of the campaign is carried out.
async fn carried_out(campaign: &Campaign) -> Value {
    eventually("the change is carried out", || async {
        let shown = campaign.progress().await;
        shown["preparation"].is_null().then_some(shown)
    })
    .await
}

/// How many cells have which weight.
async fn weights(app: &App) -> BTreeMap<String, i64> {
    let rows = app
        .sql()
        .await
        .query(
            "SELECT weight::text AS weight, count(*) AS cells FROM cells GROUP BY weight",
            &[],
        )
        .await
        .unwrap();
    rows.iter()
        .map(|row| (row.get("weight"), row.get("cells")))
        .collect()
}

fn expected<const N: usize>(weights: [(&str, i64); N]) -> BTreeMap<String, i64> {
    let weights = weights.into_iter();
    weights
        .map(|(weight, cells)| (weight.to_owned(), cells))
        .collect()
}

/// The same volunteer at each server.
fn at_each(app: &App, client: &Client) -> Vec<Client> {
    let servers = app.servers.iter();
    servers.map(|server| client.at(&server.url)).collect()
}

/// Waits until each server gives a new volunteer such a cell, for such a reason.
async fn each_gives(
    app: &App,
    campaign: &Campaign,
    what: &str,
    wanted: impl Fn(Cell, &str) -> bool,
) {
    let wanted = &wanted;
    join_all(app.servers.iter().map(|server| {
        within(SOON, what, move || async move {
            let volunteer = app.volunteer().await.at(&server.url);
            let given = campaign.ask(&volunteer, 1).await.expect(200);
            let reason = given["assignments"][0]["reason"].as_str()?;
            wanted(cells_of(&given)[0], reason).then_some(())
        })
    }))
    .await;
}

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
        for server in app.servers.iter().cycle().take(10) {
            let volunteer = app.volunteer().await.at(&server.url);
            let given = campaign.given(&volunteer, 1).await;
            assert!(wanted(given[0]), "{given:?} was given before {corner:?}");
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

#[tokio::test]
async fn an_area_that_grows_is_searched_while_the_campaign_stays_open() {
    let app = two_servers().await;
    let campaign = app.campaign().cells(3, 3).open().await;
    let volunteer = app.volunteer().await;
    for cell in campaign.given(&volunteer, 9).await {
        campaign.look_at(&volunteer, cell).await;
    }
    let shown = campaign.progress_shows("/cells_done", 9).await;
    assert_eq!(shown["coverage"], 1.0);
    let first = campaign.cells[0];
    let apart = first.step(100, 50);
    let changed = campaign
        .change(json!({"area": areas([(first, 5, 3), (apart, 2, 4)])}))
        .await
        .expect(200);
    assert_eq!(
        (&changed["state"], &changed["cells"]),
        (&json!("open"), &json!(23))
    );
    let new = |cell: Cell, _: &str| cell.x >= first.x + 3;
    each_gives(&app, &campaign, "both servers deal the new cells", new).await;
    let shown = carried_out(&campaign).await;
    assert_eq!(shown["cells"], 23);
    assert_eq!(shown["looks_missing"], 14);
    verified(&app).await;
    let others = (3..5).flat_map(|x| (0..3).map(move |y| first.step(x, y)));
    let far = (0..2).flat_map(|x| (0..4).map(move |y| apart.step(x, y)));
    let volunteer = app.volunteer().await;
    join_all(others.chain(far).map(|cell| {
        let (campaign, volunteer) = (&campaign, &volunteer);
        async move { campaign.look_at(volunteer, cell).await }
    }))
    .await;
    let shown = campaign.progress_shows("/cells_done", 23).await;
    assert_eq!(shown["coverage"], 1.0);
    verified(&app).await;
}

#[tokio::test]
async fn an_area_grows_across_the_antimeridian() {
    let app = two_servers().await;
    let last_column = (1 << 17) - 1;
    let east = Cell {
        z: 17,
        x: last_column - 2,
        y: 71_000,
    };
    let campaign = app
        .campaign()
        .with("area", area(east, 3, 2))
        .with(
            "priorities",
            json!([{"area": area(east, 1, 2), "weight": 9}]),
        )
        .open()
        .await;
    assert_eq!(campaign.read().await["cells"], 6);
    // Beyond 180 degrees it goes on at -180.
    let [west, south, _, north] = east.block(3, 2);
    let beyond = [west, south, east.place(7.0, 0.0)[0], north];
    let priority = [
        east.place(2.0, 0.0)[0],
        south,
        east.place(4.0, 0.0)[0],
        north,
    ];
    let polygon = |edges| json!({"type": "Polygon", "coordinates": [ring(edges)]});
    campaign
        .change(json!({
            "area": polygon(beyond),
            "priorities": [{"area": polygon(priority), "weight": 9}],
        }))
        .await
        .expect(200);
    within(SOON, "the cells are there", || async {
        (weights(&app).await == expected([("9", 4), ("1", 10)])).then_some(())
    })
    .await;
    carried_out(&campaign).await;
    let seen = campaign.read().await;
    assert_eq!(seen["cells"], 14);
    assert!(
        seen["bbox"][0].as_f64() > seen["bbox"][2].as_f64(),
        "{seen}"
    );
    let at_the_seam = Cell { x: 0, ..east };
    let given = campaign.given(&app.volunteer().await, 4).await;
    assert!(given.contains(&at_the_seam), "{given:?}");
    assert_eq!(
        app.number("SELECT count(*) FROM cells WHERE ((cell >> 29) & 536870911) < 4")
            .await,
        8
    );
    verified(&app).await;
}

#[tokio::test]
async fn what_was_left_out_can_be_taken_in_and_never_more_left_out() {
    let app = two_servers().await;
    let first = app.campaign().cells(6, 4).draft().await.cells[0];
    let campaign = app
        .campaign()
        .cells(6, 4)
        .with("leave_out", area(first.step(2, 0), 2, 4))
        .open()
        .await;
    assert_eq!(campaign.read().await["cells"], 16);
    let refused = campaign
        .change(json!({"leave_out": area(first.step(1, 0), 3, 4)}))
        .await;
    refused.refused(409, "area_shrinks");
    campaign
        .change(json!({"leave_out": area(first.step(2, 0), 1, 4)}))
        .await
        .expect(200);
    carried_out(&campaign).await;
    assert_eq!(app.number("SELECT count(*) FROM cells").await, 20);
    campaign
        .change(json!({"leave_out": null}))
        .await
        .expect(200);
    carried_out(&campaign).await;
    assert_eq!(app.number("SELECT count(*) FROM cells").await, 24);
    let seen = campaign.read().await;
    assert!(seen["outline"].is_null() && seen["cells"] == 24, "{seen}");
    verified(&app).await;
}

#[tokio::test]
async fn an_area_that_would_lose_cells_is_refused_with_a_count_and_an_example() {
    let app = two_servers().await;
    let campaign = app.campaign().cells(6, 4).open().await;
    let first = campaign.cells[0];
    let before = campaign.read().await;
    let refused = campaign
        .change(json!({"area": area(first.step(1, 0), 9, 4)}))
        .await
        .refused(409, "area_shrinks");
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.contains("4 cells") && detail.contains(&first.to_string()),
        "{detail}"
    );
    campaign
        .change(json!({"area": area(first.step(1000, 0), 9, 4)}))
        .await
        .refused(409, "area_shrinks");
    campaign
        .change(json!({"area": {"type": "Polygon", "coordinates": []}}))
        .await
        .refused(422, "campaign_refused");
    assert_eq!(campaign.read().await, before);
    // A draft is free.
    let draft = app.campaign().cells(6, 4).draft().await;
    draft
        .change(json!({"area": area(first, 1, 1)}))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_published_area_may_not_grow_beyond_what_a_campaign_can_have() {
    let app = two_servers().await;
    let campaign = app.campaign().open().await;
    let [west, south, ..] = campaign.cells[0].block(1, 1);
    let vast = json!({"type": "Polygon", "coordinates": [ring([west - 9.0, south - 9.0, west + 9.0, south + 9.0])]});
    campaign
        .change(json!({"area": vast}))
        .await
        .refused_at("campaign_refused", "/cell_zoom");
    let weight = json!([{"area": area(campaign.cells[0], 1, 1), "weight": 100.5}]);
    campaign
        .change(json!({"priorities": weight}))
        .await
        .refused_at("campaign_refused", "/priorities/0/weight");
}

#[tokio::test]
async fn a_closed_campaign_keeps_its_area_and_priorities() {
    let app = two_servers().await;
    let campaign = app.campaign().open().await;
    campaign.steer("close").await.expect(200);
    for patch in [
        json!({"priorities": []}),
        json!({"area": area(campaign.cells[0], 3, 3)}),
        json!({"leave_out": null}),
    ] {
        campaign.change(patch).await.refused(409, "campaign_closed");
    }
    campaign
        .change(json!({"title": {"en": "It is over"}}))
        .await
        .expect(200);
}

#[tokio::test]
async fn an_organiser_may_change_again_without_reading_anew() {
    let app = two_servers().await;
    let campaign = app.campaign().cells(4, 4).open().await;
    let organiser = &campaign.organiser;
    let patch = |tag: String, priorities: Value| {
        organiser
            .patch(&campaign.path(""))
            .if_match(&tag)
            .json(json!({"priorities": priorities}))
    };
    let tag = organiser.get(&campaign.path("")).await.etag().to_owned();
    let priorities = json!([{"area": area(campaign.cells[0], 1, 1), "weight": 2, "name": "x"}]);
    let changed = patch(tag, priorities).await;
    changed.expect(200);
    carried_out(&campaign).await;
    let again = patch(changed.etag().to_owned(), json!([])).await;
    again.expect(200);
    carried_out(&campaign).await;
    assert_eq!(organiser.get(&campaign.path("")).await.etag(), again.etag());
    assert_eq!(weights(&app).await, expected([("1", 16)]));
}

#[tokio::test]
async fn a_paused_campaign_is_changed_too_and_goes_on_with_it() {
    let app = two_servers().await;
    let campaign = app.campaign().cells(8, 8).open().await;
    let corner = campaign.cells[0].step(7, 7);
    campaign.steer("pause").await.expect(200);
    campaign
        .change(json!({"priorities": [{"area": area(corner, 1, 1), "weight": 50}]}))
        .await
        .expect(200);
    carried_out(&campaign).await;
    assert_eq!(campaign.read().await["state"], "paused");
    campaign.steer("resume").await.expect(200);
    let volunteer = app.volunteer().await;
    let given = within(SOON, "squares are given again", || async {
        let dealt = campaign.ask(&volunteer, 1).await;
        (dealt.status == 200).then(|| cells_of(&dealt.json()))
    })
    .await;
    assert_eq!(given, [corner]);
}

#[tokio::test]
async fn pause_resume_lease_and_end_are_in_force_on_every_server_at_once() {
    let app = two_servers().await;
    let campaign = app.campaign().cells(8, 8).looks_wanted(9).open().await;
    let ask = || async {
        let volunteer = app.volunteer().await;
        let calls = at_each(&app, &volunteer);
        join_all(calls.iter().map(|one| async { campaign.ask(one, 1).await })).await
    };
    let both = |what: &'static str, wanted: fn(&crate::harness::Reply) -> bool| async move {
        within(SOON, what, || async {
            ask().await.iter().all(wanted).then_some(())
        })
        .await;
    };
    both("both deal", |dealt| dealt.status == 200).await;
    campaign.steer("pause").await.expect(200);
    both("both are paused", |dealt| dealt.status == 409).await;
    campaign.steer("resume").await.expect(200);
    both("both deal again", |dealt| dealt.status == 200).await;
    campaign
        .change(json!({"lease_seconds": 86_400}))
        .await
        .expect(200);
    both("both lend for a day", |dealt| {
        let until = dealt.json()["assignments"][0]["lease_expires_at"].clone();
        let until: jiff::Timestamp = serde_json::from_value(until).unwrap();
        let told = jiff::fmt::rfc2822::parse(dealt.header("date")).unwrap();
        until.duration_since(told.timestamp()).as_secs() > 80_000
    })
    .await;
    campaign
        .change(json!({"ends_at": "2020-01-01T00:00:00Z"}))
        .await
        .expect(200);
    both("both have ended", |dealt| dealt.status == 409).await;
    verified(&app).await;
}

#[tokio::test]
async fn looks_wanted_go_up_and_down_on_every_server_at_once() {
    let app = two_servers().await;
    let campaign = app.campaign().cells(2, 2).looks_wanted(1).open().await;
    let look_all = async |volunteer: &Client| {
        for cell in &campaign.cells {
            campaign.look_at(volunteer, *cell).await;
        }
    };
    look_all(&app.volunteer().await).await;
    let shown = campaign.progress_shows("/cells_done", 4).await;
    assert_eq!(shown["looks_missing"], 0);
    let gives = |wanted: usize| {
        let (app, campaign) = (&app, &campaign);
        move || async move {
            for volunteer in at_each(app, &app.volunteer().await) {
                let given = campaign.given(&volunteer, 4).await;
                (given.len() == wanted).then_some(())?;
            }
            Some(())
        }
    };
    within(SOON, "nothing is left", gives(0)).await;
    campaign
        .change(json!({"looks_wanted": 9}))
        .await
        .expect(200);
    for server in 0..2 {
        within(SOON, "cells are wanted again", || async {
            let volunteer = at_each(&app, &app.volunteer().await).remove(server);
            (!campaign.given(&volunteer, 1).await.is_empty()).then_some(())
        })
        .await;
    }
    let shown = campaign.progress().await;
    assert_eq!(
        (
            &shown["cells_done"],
            &shown["looks_missing"],
            &shown["coverage"]
        ),
        (&json!(0), &json!(32), &json!(0.0))
    );
    look_all(&app.volunteer().await).await;
    campaign.progress_shows("/looks_missing", 28).await;
    campaign
        .change(json!({"looks_wanted": 2}))
        .await
        .expect(200);
    let shown = campaign.progress().await;
    assert_eq!(
        (
            &shown["cells_done"],
            &shown["looks_missing"],
            &shown["coverage"]
        ),
        (&json!(4), &json!(0), &json!(1.0))
    );
    within(SOON, "nothing is left again", gives(0)).await;
    verified(&app).await;
}

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
