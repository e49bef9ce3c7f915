//! Where to look next: nobody twice, nothing too often, everything in the end.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::{
    App, Campaign, Cell, Client, Value, eventually,
    fixtures::{at_once, cells_of},
    json, look, nothing,
    places::ring,
};

/// Lets every lease of a campaign end.
async fn expire_leases(app: &App) {
    app.execute("UPDATE assignments SET lease_expires_at = now() - interval '1 second'")
        .await;
}

/// Asks for one cell after the other and answers each, until nothing is left.
async fn look_at_everything(campaign: &Campaign, volunteer: &Client, count: u32) -> Vec<Cell> {
    let mut seen = Vec::new();
    loop {
        let given = campaign.given(volunteer, count).await;
        if given.is_empty() {
            return seen;
        }
        for cell in given {
            campaign.look_at(volunteer, cell).await;
            seen.push(cell);
        }
    }
}

#[tokio::test]
async fn a_volunteer_is_given_a_square_with_its_box_and_lease() {
    let app = App::start().await;
    let campaign = app.campaign().with("lease_seconds", 600).open().await;
    let dealt = campaign.ask(&app.volunteer().await, 1).await.expect(200);
    let assignment = &dealt["assignments"][0];
    let cell = Cell::parse(assignment["cell"].as_str().unwrap());
    assert!(campaign.cells.contains(&cell), "{dealt}");
    for (edge, wanted) in assignment["bbox"]
        .as_array()
        .unwrap()
        .iter()
        .zip(cell.block(1, 1))
    {
        assert!((edge.as_f64().unwrap() - wanted).abs() < 1e-9, "{dealt}");
    }
    assert_eq!(assignment["reason"], "new");
    assert_eq!(
        assignment["campaign_version"],
        campaign.read().await["version"]
    );
    assert_eq!(dealt["exhausted"], false);
    let lease = app
        .number("SELECT extract(epoch FROM lease_expires_at - dealt_at)::int8 FROM assignments")
        .await;
    assert_eq!(lease, 600);
}

#[tokio::test]
async fn a_volunteer_is_given_every_cell_and_none_twice() {
    let app = App::start().await;
    let campaign = app.campaign().cells(5, 5).looks_wanted(3).open().await;
    let seen = look_at_everything(&campaign, &app.volunteer().await, 3).await;
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 25);
    assert_eq!(seen.len(), 25);
}

#[tokio::test]
async fn unanswered_squares_are_not_given_again_while_others_are_left() {
    let app = App::start().await;
    let campaign = app.campaign().cells(5, 5).open().await;
    let volunteer = app.volunteer().await;
    let mut seen = BTreeSet::new();
    for _ in 0..5 {
        for cell in campaign.given(&volunteer, 5).await {
            assert!(seen.insert(cell), "{cell} was given twice");
        }
        expire_leases(&app).await;
    }
    assert_eq!(seen.len(), 25);
}

#[tokio::test]
async fn at_the_end_own_unanswered_squares_are_given_again() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let all: BTreeSet<Cell> = campaign.given(&volunteer, 50).await.into_iter().collect();
    assert_eq!(all.len(), 4);
    campaign.look_at(&volunteer, campaign.cells[0]).await;
    let dealt = campaign.ask(&volunteer, 50).await.expect(200);
    let again: BTreeSet<Cell> = cells_of(&dealt).into_iter().collect();
    assert_eq!(again, campaign.cells[1..].iter().copied().collect());
    assert!(
        dealt["assignments"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["reason"] == "again"),
        "{dealt}"
    );
}

#[tokio::test]
async fn fifty_squares_may_be_asked_for_and_not_51() {
    let app = App::start().await;
    let campaign = app.campaign().cells(8, 8).open().await;
    let volunteer = app.volunteer().await;
    assert_eq!(campaign.given(&volunteer, 50).await.len(), 50);
    for count in [json!(0), json!(51)] {
        let asked = volunteer
            .post(&campaign.path("/assignments"))
            .json(json!({"count": count}))
            .await;
        asked.refused_at("invalid_body", "/count");
    }
    for count in [json!(-1), json!("5"), json!(1.5), json!(100_000)] {
        let asked = volunteer
            .post(&campaign.path("/assignments"))
            .json(json!({"count": count}))
            .await;
        asked.refused_at("invalid_body", "/count");
    }
    assert_eq!(
        volunteer
            .post(&campaign.path("/assignments"))
            .json(json!({}))
            .await
            .expect(200)["assignments"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn live_leases_and_looks_never_exceed_the_looks_wanted() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(4, 4).looks_wanted(3).open().await;
    let mut volunteers = Vec::new();
    for _ in 0..30 {
        volunteers.push(app.volunteer().await);
    }
    let asked = at_once(
        volunteers
            .iter()
            .map(|volunteer| campaign.ask(volunteer, 4)),
    )
    .await;
    let mut holders: BTreeMap<Cell, usize> = BTreeMap::new();
    for answer in &asked {
        for cell in cells_of(&answer.expect(200)) {
            *holders.entry(cell).or_default() += 1;
        }
    }
    assert_eq!(holders.len(), 16, "{holders:?}");
    assert!(holders.values().all(|held| *held == 3), "{holders:?}");
    let without = asked
        .iter()
        .filter(|answer| answer.json()["exhausted"] == true)
        .count();
    assert_eq!(
        without, 18,
        "48 places, 4 each, are enough for 12 volunteers"
    );
}

#[tokio::test]
async fn every_cell_gets_exactly_its_looks_by_distinct_volunteers() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(4, 4).looks_wanted(3).open().await;
    let crowd =
        (0..10).map(|_| async { look_at_everything(&campaign, &app.volunteer().await, 2).await });
    let done: Vec<_> = futures_util::future::join_all(crowd).await;
    assert_eq!(done.iter().map(Vec::len).sum::<usize>(), 48);
    let right = app
        .number("SELECT count(*) FROM (SELECT cell FROM looks GROUP BY cell HAVING count(*) = 3 AND count(DISTINCT volunteer_id) = 3) AS c")
        .await;
    assert_eq!(right, 16);
}

#[tokio::test]
async fn a_square_whose_lease_ended_comes_back_to_others() {
    let app = App::start().await;
    let campaign = app.campaign().cells(1, 1).open().await;
    let (left, next) = (app.volunteer().await, app.volunteer().await);
    assert_eq!(campaign.given(&left, 1).await.len(), 1);
    let dealt = campaign.ask(&next, 1).await.expect(200);
    assert_eq!(dealt["exhausted"], true, "{dealt}");
    let wait = dealt["retry_after_seconds"].as_i64().unwrap();
    assert!((1..=900).contains(&wait), "{dealt}");
    expire_leases(&app).await;
    assert_eq!(campaign.given(&next, 1).await, campaign.cells);
    // The late look counts all the same.
    campaign.look_at(&left, campaign.cells[0]).await;
}

#[tokio::test]
async fn who_has_seen_everything_is_told_so() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(5).open().await;
    let volunteer = app.volunteer().await;
    look_at_everything(&campaign, &volunteer, 4).await;
    let dealt = campaign.ask(&volunteer, 1).await.expect(200);
    assert_eq!(
        dealt,
        json!({"assignments": [], "exhausted": true, "retry_after_seconds": null})
    );
}

#[tokio::test]
async fn a_finished_campaign_gives_nothing() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    look_at_everything(&campaign, &app.volunteer().await, 4).await;
    let dealt = campaign.ask(&app.volunteer().await, 50).await.expect(200);
    assert_eq!(
        dealt,
        json!({"assignments": [], "exhausted": true, "retry_after_seconds": null})
    );
}

#[tokio::test]
async fn the_last_squares_are_found_by_a_volunteer_who_has_seen_the_others() {
    let app = App::start().await;
    let campaign = app.campaign().cells(6, 6).looks_wanted(2).open().await;
    let volunteer = app.volunteer().await;
    let all = campaign.given(&volunteer, 35).await;
    for cell in &all {
        campaign.look_at(&volunteer, *cell).await;
    }
    let last = campaign.given(&volunteer, 50).await;
    assert_eq!(last.len(), 1);
    assert!(!all.contains(&last[0]));
}

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
async fn a_campaign_that_is_dealt_elsewhere_for_too_long_answers_503() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let holder = app.sql().await;
    let id: uuid::Uuid = campaign.id.parse().unwrap();
    let (_, low) = id.as_u64_pair();
    holder
        .batch_execute(&format!(
            "BEGIN; SELECT pg_advisory_xact_lock({})",
            low.cast_signed()
        ))
        .await
        .unwrap();
    let asked = campaign.ask(&app.volunteer().await, 1).await;
    assert_eq!(asked.status, 503, "{asked:?}");
    assert!(
        asked.header("retry-after").parse::<u32>().unwrap() >= 1,
        "{asked:?}"
    );
    holder.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(campaign.given(&app.volunteer().await, 1).await.len(), 1);
}
