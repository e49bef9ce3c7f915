//! Where to look next: nobody twice, nothing too often, everything in the end.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::{
    App, Campaign, Cell, Client, Value, eventually,
    fixtures::{at_once, cells_of},
    json,
};

/// Seconds until the lease of an assignment ends.
fn lease_of(assignment: &Value) -> f64 {
    let ends: jiff::Timestamp = assignment["lease_expires_at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    ends.duration_since(spotter::clock::Clock::default().now())
        .as_secs_f64()
        .ceil()
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
    let left = lease_of(assignment);
    assert!((598.0..=600.0).contains(&left), "{dealt}");
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
    let campaign = app
        .campaign()
        .cells(5, 5)
        .with("lease_seconds", 5)
        .open()
        .await;
    let volunteer = app.volunteer().await;
    let dealt = campaign.ask(&volunteer, 24).await.expect(200);
    let first: BTreeSet<Cell> = cells_of(&dealt).into_iter().collect();
    let ended = |assignment: &Value| lease_of(assignment) < 0.0;
    eventually("the leases end", || async {
        let assignments = dealt["assignments"].as_array().unwrap();
        assignments.iter().all(ended).then_some(())
    })
    .await;
    let last = campaign.given(&volunteer, 1).await;
    assert_eq!(last.len(), 1);
    assert!(last.iter().all(|cell| !first.contains(cell)), "{last:?}");
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
    let campaign = app
        .campaign()
        .cells(1, 1)
        .with("lease_seconds", 5)
        .open()
        .await;
    let (left, next) = (app.volunteer().await, app.volunteer().await);
    assert_eq!(campaign.given(&left, 1).await.len(), 1);
    let dealt = campaign.ask(&next, 1).await.expect(200);
    assert_eq!(dealt["exhausted"], true, "{dealt}");
    let wait = dealt["retry_after_seconds"].as_i64().unwrap();
    assert!((1..=5).contains(&wait), "{dealt}");
    let given = eventually("the lease ends", || async {
        Some(campaign.given(&next, 1).await).filter(|given| !given.is_empty())
    })
    .await;
    assert_eq!(given, campaign.cells);
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
        json!({"assignments": [], "exhausted": true, "retry_after_seconds": null, "other_campaigns": []})
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
        json!({"assignments": [], "exhausted": true, "retry_after_seconds": null, "other_campaigns": []})
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
async fn somebody_without_a_token_is_signed_up_with_the_first_squares() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let dealt = campaign.ask(&app.public(), 2).await.expect(200);
    assert_eq!(dealt["assignments"].as_array().unwrap().len(), 2);
    let token = dealt["volunteer"]["token"].as_str().unwrap();
    let volunteer = app.public().with_bearer(token);
    let again = campaign.ask(&volunteer, 50).await.expect(200);
    assert!(again.get("volunteer").is_none(), "{again}");
    // The squares of the first answer are this volunteer's: a look at one of them is theirs.
    campaign.look_at(&volunteer, campaign.cells[0]).await;
    campaign.steer("close").await.expect(200);
    let first = Cell::parse(dealt["assignments"][0]["cell"].as_str().unwrap());
    campaign.look_at(&volunteer, first).await;
    let refused = campaign.ask(&app.public().with_bearer("s1.k.x.y"), 1).await;
    refused.refused(401, "token_refused");
}
