//! What changes of a campaign, and what stays.

use crate::harness::{App, CHANGES_SEEN_IN, Value, json, within};

#[tokio::test]
async fn every_change_makes_a_version_and_each_is_kept() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let opened = campaign.read().await["version"].as_i64().unwrap();
    campaign
        .change(json!({"title": {"en": "Second title"}}))
        .await
        .expect(200);
    campaign.steer("pause").await.expect(200);
    let now = campaign.read().await["version"].as_i64().unwrap();
    assert_eq!(now, opened + 2);
    assert_eq!(
        app.number("SELECT count(*) FROM campaign_versions").await,
        now
    );
    let kept = |version: i64, title: &str, state: &str| {
        format!(
            "SELECT count(*) FROM campaign_versions WHERE version = {version} AND document->'title'->>'en' = '{title}' AND document->>'state' = '{state}'"
        )
    };
    assert_eq!(
        app.number(&kept(opened, "Find the aircraft", "open")).await,
        1
    );
    assert_eq!(
        app.number(&kept(opened + 1, "Second title", "open")).await,
        1
    );
    assert_eq!(app.number(&kept(now, "Second title", "paused")).await, 1);
    assert_eq!(app.number(&kept(1, "Find the aircraft", "draft")).await, 1);
}

#[tokio::test]
async fn a_change_needs_the_version_that_was_read() {
    let app = App::start().await;
    let campaign = app.campaign().draft().await;
    let organiser = &campaign.organiser;
    let change = json!({"looks_wanted": 5});
    organiser
        .patch(&campaign.path(""))
        .json(&change)
        .await
        .refused(428, "if_match_required");
    organiser
        .patch(&campaign.path(""))
        .if_match("\"7\"")
        .json(&change)
        .await
        .refused(412, "changed_meanwhile");
    let changed = organiser
        .patch(&campaign.path(""))
        .if_match("\"1\"")
        .json(&change)
        .await;
    assert_eq!(changed.expect(200)["looks_wanted"], 5);
    assert_eq!(changed.etag(), "\"2\"");
    organiser
        .patch(&campaign.path(""))
        .if_match("\"1\"")
        .json(&change)
        .await
        .refused(412, "changed_meanwhile");
}

#[tokio::test]
async fn of_ten_changes_of_one_version_at_once_one_wins() {
    let app = App::start().await;
    let campaign = app.campaign().draft().await;
    let changes = (0..10).map(|n| {
        campaign
            .organiser
            .patch(&campaign.path(""))
            .if_match("\"1\"")
            .json(json!({"looks_wanted": n + 1}))
    });
    let answers = crate::harness::fixtures::at_once(changes).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1,
        "{answers:?}"
    );
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.refused(412, "changed_meanwhile");
    }
    assert_eq!(campaign.read().await["version"], 2);
}

#[tokio::test]
async fn what_makes_looks_comparable_stays_once_a_campaign_is_published() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    for member in [json!({"slug": "other"}), json!({"cell_zoom": 16})] {
        campaign
            .change(member)
            .await
            .refused(409, "campaign_published");
    }
    campaign
        .change(json!({"looks_wanted": 9, "title": {"en": "T", "de": "S"}, "lease_seconds": 60}))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_change_of_words_leaves_area_and_cells_as_they_are() {
    let app = App::start().await;
    let campaign = app.campaign().cells(7, 5).open().await;
    let before = campaign.read().await;
    let after = campaign
        .change(json!({"summary": {"en": "A small aircraft."}}))
        .await
        .expect(200);
    for member in ["area", "bbox", "area_km2", "cells", "priorities"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    let stored = "SELECT count(*) FROM campaigns AS c, campaign_versions AS v WHERE v.campaign_id = c.id AND v.version = 1 AND (v.document->>'area_km2')::float8 = c.area_km2";
    assert_eq!(app.number(stored).await, 1);
}

#[tokio::test]
async fn a_published_tag_type_stays_with_its_geometry() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let types = campaign.read().await["tag_types"].clone();
    let mut fewer = types.clone();
    fewer.as_array_mut().unwrap().pop();
    campaign
        .change(json!({"tag_types": fewer}))
        .await
        .refused(409, "tag_type_in_use");
    let mut other = types.clone();
    other[0]["geometry"] = "Polygon".into();
    campaign
        .change(json!({"tag_types": other}))
        .await
        .refused(409, "tag_type_in_use");
    let mut more = types.clone();
    more[0]["name"]["en"] = "Debris".into();
    more.as_array_mut()
        .unwrap()
        .push(json!({"key": "raft", "name": {"en": "Raft"}}));
    let changed = campaign
        .change(json!({"tag_types": more}))
        .await
        .expect(200);
    assert_eq!(changed["tag_types"][3]["key"], "raft");
    assert_eq!(changed["tag_types"][0]["name"]["en"], "Debris");
}

#[tokio::test]
async fn a_draft_may_lose_tag_types() {
    let app = App::start().await;
    let campaign = app.campaign().draft().await;
    let one = json!({"tag_types": [{"key": "raft", "name": {"en": "Raft"}}]});
    let changed = campaign.change(one).await.expect(200);
    assert_eq!(changed["tag_types"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_clone_is_a_draft_like_its_original_without_looks_and_dates() {
    let app = App::start().await;
    let campaign = app
        .campaign()
        .cells(6, 7)
        .with("ends_at", "2099-01-01T00:00:00Z")
        .open()
        .await;
    campaign
        .look_at(&app.volunteer().await, campaign.cells[0])
        .await;
    let original = campaign.read().await;
    let made = campaign.steer("clone").await;
    let copy = made.expect(201);
    assert_eq!(copy["slug"], format!("{}-2", campaign.slug));
    assert_eq!(
        made.header("location"),
        format!("/v1/campaigns/{}-2", campaign.slug)
    );
    assert_eq!(
        (
            &copy["state"],
            &copy["version"],
            &copy["ends_at"],
            &copy["published_at"]
        ),
        (&json!("draft"), &json!(1), &Value::Null, &Value::Null)
    );
    for member in [
        "title",
        "area",
        "cells",
        "area_km2",
        "cell_zoom",
        "looks_wanted",
        "tag_types",
        "imagery_layer",
        "bbox",
    ] {
        assert_eq!(copy[member], original[member], "{member}");
    }
    assert_eq!(
        campaign.steer("clone").await.expect(201)["slug"],
        format!("{}-3", campaign.slug)
    );
    assert_eq!(
        campaign
            .steer("clone")
            .json(json!({"slug": "own-name"}))
            .await
            .expect(201)["slug"],
        "own-name"
    );
    campaign
        .steer("clone")
        .json(json!({"slug": "own-name"}))
        .await
        .refused(409, "slug_taken");
    campaign
        .steer("clone")
        .json(json!({"slug": "Ä"}))
        .await
        .refused_at("campaign_refused", "/slug");
}

#[tokio::test]
async fn a_change_of_the_layer_shows_in_the_campaign_and_its_etag() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let read = app.public().get(&campaign.path("")).await;
    let layer = format!(
        "/v1/imagery/{}",
        read.json()["imagery_layer"].as_str().unwrap()
    );
    campaign
        .organiser
        .patch(&layer)
        .if_match("\"1\"")
        .json(json!({"attribution": "© New"}))
        .await
        .expect(200);
    let after = within(CHANGES_SEEN_IN, "everybody is given the change", || async {
        let after = app.public().get(&campaign.path(""));
        let after = after.header("If-None-Match", read.etag()).await;
        (after.status == 200).then_some(after)
    })
    .await;
    assert_eq!(after.expect(200)["imagery"]["attribution"], "© New");
    assert_ne!(after.etag(), read.etag());
    let patched = campaign
        .organiser
        .patch(&campaign.path(""))
        .if_match(after.etag())
        .json(json!({"looks_wanted": 2}))
        .await;
    patched.expect(200);
}
