//! Which square comes first, and when none is given.

use crate::harness::{
    App, Cell, Value, eventually,
    fixtures::{at_once, cells_of},
    json, look, nothing,
    places::ring,
};

#[tokio::test]
async fn priority_areas_are_searched_first_by_weight() {
    let app = App::start().await;
    let first = app.campaign().cells(4, 4).draft().await.cells[0];
    let area = |cell: Cell| json!({"type": "Polygon", "coordinates": [ring(cell.block(1, 1))]});
    let (high, low) = (first.step(2, 1), first.step(3, 3));
    let campaign = app
        .campaign()
        .cells(4, 4)
        .with(
            "priorities",
            json!([{"area": area(low), "weight": 2}, {"area": area(high), "weight": 50}]),
        )
        .open()
        .await;
    let dealt = campaign.ask(&app.volunteer().await, 3).await.expect(200);
    assert_eq!(cells_of(&dealt)[..2], [high, low], "{dealt}");
    let reasons: Vec<&Value> = dealt["assignments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["reason"])
        .collect();
    assert_eq!(reasons, ["priority", "priority", "new"]);
}

#[tokio::test]
async fn squares_near_a_place_come_first_when_asked_for() {
    let app = App::start().await;
    let campaign = app.campaign().cells(12, 12).open().await;
    let volunteer = app.volunteer().await;
    let centre = campaign.cells[0].step(6, 6);
    let ask = json!({"count": 9, "near": centre.middle()});
    let dealt = volunteer
        .post(&campaign.path("/assignments"))
        .json(ask)
        .await
        .expect(200);
    let cells = cells_of(&dealt);
    assert_eq!(cells[0], centre);
    assert!(
        cells
            .iter()
            .all(|cell| cell.x.abs_diff(centre.x) <= 1 && cell.y.abs_diff(centre.y) <= 1),
        "{cells:?}"
    );
    assert!(
        dealt["assignments"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["reason"] == "near")
    );
}

#[tokio::test]
async fn near_a_place_far_away_any_square_is_given() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    for near in [[0.0, 0.0], [180.0, 85.0], [-180.0, -85.0]] {
        let dealt = app
            .volunteer()
            .await
            .post(&campaign.path("/assignments"))
            .json(json!({"near": near}))
            .await
            .expect(200);
        assert_eq!(cells_of(&dealt).len(), 1);
    }
}

#[tokio::test]
async fn a_place_that_is_none_is_refused() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    for near in [json!([999, 0]), json!([0, 91])] {
        let asked = volunteer
            .post(&campaign.path("/assignments"))
            .json(json!({"near": near}))
            .await;
        asked.refused_at("invalid_body", "/near");
    }
    for near in [json!([1]), json!("x"), json!([1, 2, 3]), json!({})] {
        let asked = volunteer
            .post(&campaign.path("/assignments"))
            .json(json!({"near": near}))
            .await;
        asked.refused(422, "invalid_body");
    }
    // Beyond the imagery, but a place all the same.
    let pole = volunteer
        .post(&campaign.path("/assignments"))
        .json(json!({"near": [0, 90]}))
        .await;
    assert!(matches!(pole.status, 200 | 422), "{pole:?}");
}

#[tokio::test]
async fn a_skipped_square_goes_to_others_at_once_and_not_back() {
    let app = App::start().await;
    let campaign = app.campaign().cells(1, 1).open().await;
    let (unsure, next) = (app.volunteer().await, app.volunteer().await);
    let cell = campaign.given(&unsure, 1).await[0];
    campaign
        .send(&unsure, &look(cell, "skipped"))
        .await
        .expect(201);
    assert!(campaign.given(&unsure, 1).await.is_empty());
    assert_eq!(campaign.given(&next, 1).await, [cell]);
}

#[tokio::test]
async fn a_square_that_three_report_as_bad_imagery_is_given_to_nobody_else() {
    let app = App::start().await;
    let campaign = app.campaign().cells(1, 1).looks_wanted(5).open().await;
    for report in 1..=3 {
        let volunteer = app.volunteer().await;
        let cell = campaign.given(&volunteer, 1).await[0];
        campaign
            .send(&volunteer, &look(cell, "bad_imagery"))
            .await
            .expect(201);
        campaign
            .progress_shows("/looks_by_outcome/bad_imagery", report)
            .await;
    }
    assert_eq!(campaign.progress().await["cells_bad_imagery"], 1);
    assert!(campaign.given(&app.volunteer().await, 1).await.is_empty());
}

#[tokio::test]
async fn a_paused_campaign_says_so_in_the_organisers_words() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    campaign
        .steer("pause")
        .json(json!({"message": "New pictures at 16:00."}))
        .await
        .expect(200);
    let told = eventually("both servers know", || async {
        let (one, two) = (
            campaign.ask(&volunteer, 1).await,
            campaign.ask(&volunteer, 1).await,
        );
        (one.status == 409 && two.status == 409).then_some(one)
    })
    .await;
    let problem = told.refused(409, "campaign_paused");
    assert_eq!(problem["message"], "New pictures at 16:00.");
    assert!(
        told.header("retry-after").parse::<u32>().unwrap() >= 1,
        "{told:?}"
    );
    campaign.steer("resume").await.expect(200);
    assert_eq!(campaign.given(&volunteer, 1).await.len(), 1);
}

#[tokio::test]
async fn a_closed_campaign_gives_nothing() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    campaign.steer("close").await.expect(200);
    eventually("the server knows", || async {
        (campaign.ask(&volunteer, 1).await.status == 409).then_some(())
    })
    .await;
    campaign
        .ask(&volunteer, 1)
        .await
        .refused(409, "campaign_closed");
}

#[tokio::test]
async fn a_campaign_gives_nothing_before_its_start() {
    let app = App::start().await;
    let campaign = app
        .campaign()
        .with("starts_at", "2099-01-01T00:00:00Z")
        .open()
        .await;
    campaign
        .ask(&app.volunteer().await, 1)
        .await
        .refused(409, "campaign_not_started");
}

#[tokio::test]
async fn a_campaign_closes_by_itself_at_its_end() {
    let app = App::start().await;
    let campaign = app
        .campaign()
        .with("ends_at", "2001-01-01T00:00:00Z")
        .open()
        .await;
    campaign
        .ask(&app.volunteer().await, 1)
        .await
        .refused(409, "campaign_closed");
    eventually("the worker closes it", || async {
        (campaign.read().await["state"] == "closed").then_some(())
    })
    .await;
}

#[tokio::test]
async fn fifty_anonymous_volunteers_behind_one_address_are_fifty_volunteers() {
    let app = App::start().await;
    let campaign = app.campaign().cells(1, 1).looks_wanted(50).open().await;
    let mut crowd = Vec::new();
    for _ in 0..51 {
        crowd.push(app.volunteer().await);
    }
    let given = at_once(crowd.iter().map(|volunteer| campaign.ask(volunteer, 1))).await;
    let with_one = given
        .iter()
        .filter(|answer| cells_of(&answer.expect(200)).len() == 1)
        .count();
    assert_eq!(with_one, 50);
    let sent = at_once(
        crowd
            .iter()
            .take(50)
            .map(|volunteer| campaign.send(volunteer, &nothing(campaign.cells[0]))),
    )
    .await;
    assert!(sent.iter().all(|answer| answer.status == 201));
    let shown = campaign.progress_shows("/volunteers", 50).await;
    assert_eq!(shown["volunteers_active"], 50);
}

#[tokio::test]
async fn while_a_lost_server_holds_what_is_left_others_say_when_to_come_back() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    app.execute(
        "UPDATE piles SET holder = gen_random_uuid(), held_until = now() + interval '1 hour'",
    )
    .await;
    let dealt = campaign.ask(&app.volunteer().await, 1).await.expect(200);
    assert_eq!(dealt["assignments"], json!([]));
    assert_eq!(dealt["retry_after_seconds"], 1, "{dealt}");
    app.execute("UPDATE piles SET held_until = now()").await;
    assert_eq!(campaign.given(&app.volunteer().await, 1).await.len(), 1);
}
