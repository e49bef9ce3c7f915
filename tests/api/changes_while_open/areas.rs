//! The area of a campaign that runs grows, and never shrinks.

use futures_util::future::join_all;

use super::{SOON, area, areas, carried_out, each_gives, expected, two_servers, verified, weights};
use crate::harness::{Cell, json, places::ring, within};

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
