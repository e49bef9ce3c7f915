//! Looks in batches, across versions of a campaign, and after its close.

use crate::harness::{
    App, Campaign, Value, eventually, fixtures::at_once, id, json, nothing, point, tagged,
};

/// Waits until no server gives squares any more; somebody else asks, who may still be given some.
async fn closed_everywhere(app: &App, campaign: &Campaign) {
    let other = app.volunteer().await;
    eventually("every server knows of the close", || async {
        let asked = (campaign.ask(&other, 1).await, campaign.ask(&other, 1).await);
        (asked.0.status == 409 && asked.1.status == 409).then_some(())
    })
    .await;
}

fn verdicts(answer: &Value) -> Vec<&str> {
    let results = answer["results"].as_array().unwrap();
    results
        .iter()
        .map(|result| result["verdict"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_batch_is_judged_item_by_item_in_order() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 2).open().await;
    let volunteer = app.volunteer().await;
    let cell = |n: usize| campaign.cells[n];
    let before = nothing(cell(0));
    campaign.send(&volunteer, &before).await.expect(201);
    let mut conflicting = before.clone();
    conflicting["outcome"] = "skipped".into();
    let good = tagged(cell(1), [point(cell(1).middle())]);
    let mut other = nothing(cell(2));
    other["id"] = good["id"].clone();
    let outside = nothing(cell(0).step(50, 0));
    let looks = vec![
        good.clone(),
        json!({"id": "x"}),
        before,
        json!(7),
        good,
        conflicting,
        other,
        outside,
        nothing(cell(3)),
        json!({"id": id(), "cell": "x"}),
    ];
    let answer = campaign.send_batch(&volunteer, &looks).await.expect(200);
    assert_eq!(
        verdicts(&answer),
        [
            "created", "invalid", "repeated", "invalid", "repeated", "conflict", "conflict",
            "invalid", "created", "invalid"
        ],
        "{answer}"
    );
    for (result, look) in answer["results"].as_array().unwrap().iter().zip(&looks) {
        assert_eq!(result["id"], look.get("id").cloned().unwrap_or_default());
        let bad = matches!(result["verdict"].as_str(), Some("conflict" | "invalid"));
        assert_eq!(result["problem"]["code"].is_string(), bad, "{result}");
    }
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 3);
}

#[tokio::test]
async fn a_batch_sent_twice_is_stored_once() {
    let app = App::start().await;
    let campaign = app.campaign().cells(5, 5).open().await;
    let volunteer = app.volunteer().await;
    let looks: Vec<Value> = campaign
        .cells
        .iter()
        .map(|cell| tagged(*cell, [point(cell.middle())]))
        .collect();
    let first = campaign.send_batch(&volunteer, &looks).await.expect(200);
    assert!(
        verdicts(&first).iter().all(|verdict| *verdict == "created"),
        "{first}"
    );
    let again = campaign.send_batch(&volunteer, &looks).await.expect(200);
    assert!(
        verdicts(&again)
            .iter()
            .all(|verdict| *verdict == "repeated"),
        "{again}"
    );
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 25);
    assert_eq!(app.number("SELECT count(*) FROM tags").await, 25);
}

#[tokio::test]
async fn the_same_batch_eight_times_at_once_in_any_order_is_stored_once() {
    let app = App::start().await;
    let campaign = app.campaign().cells(5, 5).open().await;
    let volunteer = app.volunteer().await;
    let looks: Vec<Value> = campaign
        .cells
        .iter()
        .map(|cell| tagged(*cell, [point(cell.middle())]))
        .collect();
    let backwards: Vec<Value> = looks.iter().rev().cloned().collect();
    let calls = (0..8)
        .map(|n| campaign.send_batch(&volunteer, if n % 2 == 0 { &looks } else { &backwards }));
    let mut created = 0;
    for answer in at_once(calls).await {
        created += verdicts(&answer.expect(200))
            .iter()
            .filter(|verdict| **verdict == "created")
            .count();
    }
    assert_eq!(created, 25);
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 25);
    assert_eq!(app.number("SELECT count(*) FROM tags").await, 25);
}

#[tokio::test]
async fn a_batch_has_1_to_500_looks() {
    let app = App::start().await;
    let campaign = app.campaign().cells(23, 22).open().await;
    let volunteer = app.volunteer().await;
    let looks: Vec<Value> = campaign
        .cells
        .iter()
        .take(501)
        .map(|cell| nothing(*cell))
        .collect();
    campaign
        .send_batch(&volunteer, &looks)
        .await
        .refused_at("invalid_body", "/looks");
    campaign
        .send_batch(&volunteer, &[])
        .await
        .refused_at("invalid_body", "/looks");
    let answer = campaign
        .send_batch(&volunteer, &looks[..500])
        .await
        .expect(200);
    assert!(
        verdicts(&answer)
            .iter()
            .all(|verdict| *verdict == "created")
    );
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 500);
}

#[tokio::test]
async fn a_tag_id_reused_in_a_batch_fails_its_own_look_only() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).open().await;
    let volunteer = app.volunteer().await;
    let taken = point(campaign.cells[0].middle());
    campaign
        .send(&volunteer, &tagged(campaign.cells[0], [taken.clone()]))
        .await
        .expect(201);
    let mut looks: Vec<Value> = campaign.cells[1..]
        .iter()
        .map(|cell| tagged(*cell, [point(cell.middle())]))
        .collect();
    looks[4]["tags"][0]["id"] = taken["id"].clone();
    let answer = campaign.send_batch(&volunteer, &looks).await.expect(200);
    let mut wanted = vec!["created"; 8];
    wanted[4] = "conflict";
    assert_eq!(verdicts(&answer), wanted, "{answer}");
    assert_eq!(answer["results"][4]["problem"]["code"], "tag_id_reused");
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 8);
}

#[tokio::test]
async fn two_looks_of_one_batch_with_the_same_tag_id_store_one_of_them() {
    let app = App::start().await;
    let campaign = app.campaign().cells(2, 2).open().await;
    let volunteer = app.volunteer().await;
    let mut looks: Vec<Value> = campaign
        .cells
        .iter()
        .map(|cell| tagged(*cell, [point(cell.middle())]))
        .collect();
    looks[3]["tags"][0]["id"] = looks[0]["tags"][0]["id"].clone();
    let answer = campaign.send_batch(&volunteer, &looks).await.expect(200);
    assert_eq!(
        verdicts(&answer)
            .iter()
            .filter(|verdict| **verdict == "created")
            .count(),
        3,
        "{answer}"
    );
    assert_eq!(
        verdicts(&answer)
            .iter()
            .filter(|verdict| **verdict == "conflict")
            .count(),
        1,
        "{answer}"
    );
}

#[tokio::test]
async fn a_look_keeps_the_version_under_which_it_was_made() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let seen = campaign.read().await["version"].clone();
    campaign
        .change(json!({"title": {"en": "Find the boat"}}))
        .await
        .expect(200);
    let mut old = tagged(campaign.cells[0], [point(campaign.cells[0].middle())]);
    old["campaign_version"] = seen.clone();
    let receipt = campaign.send(&volunteer, &old).await.expect(201);
    assert_eq!(receipt["campaign_version"], seen);
    let feature = volunteer
        .get(&campaign.path("/tags?volunteer=me"))
        .await
        .expect(200);
    assert_eq!(
        feature["features"][0]["properties"]["campaign_version"],
        seen
    );
    for impossible in [0, -1, 99] {
        let mut wrong = nothing(campaign.cells[1]);
        wrong["campaign_version"] = impossible.into();
        campaign
            .send(&volunteer, &wrong)
            .await
            .refused_at("look_refused", "/campaign_version");
    }
}

#[tokio::test]
async fn a_look_under_a_version_that_this_server_has_not_heard_of_is_taken() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let [one, two] = [&app.servers[0].url, &app.servers[1].url];
    campaign
        .send(&volunteer.at(two), &nothing(campaign.cells[0]))
        .await
        .expect(201);
    let tag = campaign
        .organiser
        .at(one)
        .get(&campaign.path(""))
        .await
        .etag()
        .to_owned();
    let types = json!({"tag_types": [
        {"key": "wreckage", "name": {"en": "Wreckage"}}, {"key": "track", "name": {"en": "T"}, "geometry": "LineString"},
        {"key": "slick", "name": {"en": "S"}, "geometry": "Polygon"}, {"key": "raft", "name": {"en": "Raft"}}]});
    let changed = campaign
        .organiser
        .at(one)
        .patch(&campaign.path(""))
        .if_match(&tag)
        .json(types)
        .await
        .expect(200);
    let mut raft = point(campaign.cells[1].middle());
    raft["tag_type"] = "raft".into();
    let mut look = tagged(campaign.cells[1], [raft]);
    look["campaign_version"] = changed["version"].clone();
    campaign.send(&volunteer.at(two), &look).await.expect(201);
}

#[tokio::test]
async fn a_look_that_was_begun_before_the_close_is_still_taken() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).open().await;
    let volunteer = app.volunteer().await;
    let given = campaign.given(&volunteer, 1).await[0];
    let never_given = campaign.cells.iter().find(|cell| **cell != given).unwrap();
    campaign.steer("close").await.expect(200);
    closed_everywhere(&app, &campaign).await;
    campaign
        .send(&volunteer, &nothing(*never_given))
        .await
        .refused(409, "campaign_closed");
    campaign.send(&volunteer, &nothing(given)).await.expect(201);
    let batch = [
        nothing(*never_given),
        tagged(given, [point(given.middle())]),
    ];
    let answer = campaign.send_batch(&volunteer, &batch).await.expect(200);
    assert_eq!(
        answer["results"][0]["problem"]["code"], "campaign_closed",
        "{answer}"
    );
    assert_eq!(answer["results"][1]["verdict"], "created", "{answer}");
}

#[tokio::test]
async fn a_look_that_was_stored_before_the_close_is_repeated_after_it() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    // Nobody gave this square, and the look is taken all the same; so its repetition must be.
    let look = nothing(campaign.cells[0]);
    campaign.send(&volunteer, &look).await.expect(201);
    campaign.steer("close").await.expect(200);
    closed_everywhere(&app, &campaign).await;
    campaign.send(&volunteer, &look).await.expect(200);
}

#[tokio::test]
async fn looks_at_a_paused_campaign_are_taken() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let given = campaign.given(&volunteer, 1).await[0];
    campaign.steer("pause").await.expect(200);
    campaign.send(&volunteer, &nothing(given)).await.expect(201);
}

#[tokio::test]
async fn a_look_at_a_draft_is_refused_as_if_it_did_not_exist() {
    let app = App::start().await;
    let draft = app.campaign().draft().await;
    let volunteer = app.volunteer().await;
    draft
        .send(&volunteer, &nothing(draft.cells[0]))
        .await
        .refused(404, "campaign_not_found");
    draft
        .ask(&volunteer, 1)
        .await
        .refused(404, "campaign_not_found");
}
