//! Tags are edited and withdrawn by whoever made them.

use super::tags::{ids, list, tag_every_cell, tag_path};
use crate::harness::{App, Client, Reply, Value, json, point, tagged};

/// Edits the tag as its owner does.
async fn edit(volunteer: &Client, path: &str, change: Value) -> Reply {
    let tag = volunteer.get(path).await.etag().to_owned();
    volunteer.patch(path).if_match(&tag).json(change).await
}

#[tokio::test]
async fn an_edit_changes_what_it_names_and_makes_a_new_revision() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let (volunteer, tags) = tag_every_cell(&app, &campaign).await;
    let path = tag_path(&campaign, &tags[0]);
    let noted = edit(&volunteer, &path, json!({"note": "a wing"})).await;
    assert_eq!(noted.etag(), "\"2\"");
    let place = campaign.cells[0].place(0.25, 0.75);
    let moved = edit(
        &volunteer,
        &path,
        json!({"geometry": {"type": "Point", "coordinates": place}}),
    )
    .await
    .expect(200);
    assert_eq!(moved["properties"]["revision"], 3);
    assert_eq!(moved["properties"]["note"], "a wing");
    assert!((moved["geometry"]["coordinates"][0].as_f64().unwrap() - place[0]).abs() < 1e-8);
    let line = json!({"type": "LineString", "coordinates": [place, campaign.cells[0].middle()]});
    let changed = edit(
        &volunteer,
        &path,
        json!({"tag_type": "track", "geometry": line, "note": ""}),
    )
    .await
    .expect(200);
    assert_eq!(changed["properties"]["tag_type"], "track");
    assert_eq!(changed["properties"]["note"], Value::Null);
    assert_eq!(volunteer.get(&path).await.expect(200), changed);
}

#[tokio::test]
async fn an_edit_is_checked_as_a_new_tag_is() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let (volunteer, tags) = tag_every_cell(&app, &campaign).await;
    let path = tag_path(&campaign, &tags[0]);
    let outside = json!({"geometry": {"type": "Point", "coordinates": campaign.cells[1].middle()}});
    edit(&volunteer, &path, outside)
        .await
        .refused_at("look_refused", "/geometry");
    edit(&volunteer, &path, json!({"tag_type": "yeti"}))
        .await
        .refused_at("look_refused", "/tag_type");
    edit(&volunteer, &path, json!({"tag_type": "track"}))
        .await
        .refused_at("look_refused", "/geometry");
    edit(&volunteer, &path, json!({"note": "é".repeat(500)}))
        .await
        .expect(200);
    edit(&volunteer, &path, json!({"note": "é".repeat(501)}))
        .await
        .refused_at("look_refused", "/note");
    edit(&volunteer, &path, json!({"id": "x"}))
        .await
        .refused(422, "invalid_body");
}

#[tokio::test]
async fn a_change_needs_the_revision_that_was_read() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let (volunteer, tags) = tag_every_cell(&app, &campaign).await;
    let path = tag_path(&campaign, &tags[0]);
    let change = json!({"note": "x"});
    volunteer
        .patch(&path)
        .json(&change)
        .await
        .refused(428, "if_match_required");
    volunteer
        .delete(&path)
        .await
        .refused(428, "if_match_required");
    volunteer
        .patch(&path)
        .if_match("\"1\"")
        .json(&change)
        .await
        .expect(200);
    for old in ["\"1\"", "W/\"2\"", "2", "\"22\""] {
        volunteer
            .patch(&path)
            .if_match(old)
            .json(&change)
            .await
            .refused(412, "changed_meanwhile");
        volunteer
            .delete(&path)
            .if_match(old)
            .await
            .refused(412, "changed_meanwhile");
    }
    volunteer
        .patch(&path)
        .if_match("\"7\", \"2\"")
        .json(&change)
        .await
        .expect(200);
    volunteer.delete(&path).if_match("*").await.expect(204);
}

#[tokio::test]
async fn of_ten_edits_of_one_revision_at_once_one_wins() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let (volunteer, tags) = tag_every_cell(&app, &campaign).await;
    let path = tag_path(&campaign, &tags[0]);
    let edits = (0..10).map(|n| {
        volunteer
            .patch(&path)
            .if_match("\"1\"")
            .json(json!({"note": format!("edit {n}")}))
    });
    let answers = crate::harness::fixtures::at_once(edits).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1,
        "{answers:?}"
    );
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.refused(412, "changed_meanwhile");
    }
}

#[tokio::test]
async fn a_withdrawn_tag_is_shown_nowhere_and_progress_follows() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let (volunteer, tags) = tag_every_cell(&app, &campaign).await;
    campaign.progress_shows("/tags", 4).await;
    let path = tag_path(&campaign, &tags[0]);
    volunteer.delete(&path).if_match("\"1\"").await.expect(204);
    let shown = campaign.progress_shows("/tags", 3).await;
    assert_eq!(shown["tags_by_type"], json!({"wreckage": 3}));
    assert_eq!(shown["looks_by_outcome"]["tagged"], 4, "the look stays");
    volunteer.get(&path).await.refused(404, "tag_not_found");
    assert!(!ids(&list(&campaign.organiser, &campaign, "").await).contains(&tags[0]));
    assert!(!ids(&list(&volunteer, &campaign, "?volunteer=me").await).contains(&tags[0]));
    volunteer.delete(&path).if_match("\"1\"").await.expect(204);
}

#[tokio::test]
async fn a_changed_type_moves_between_the_numbers() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let (volunteer, tags) = tag_every_cell(&app, &campaign).await;
    campaign.progress_shows("/tags_by_type/wreckage", 4).await;
    let line = json!({"type": "LineString", "coordinates": [campaign.cells[0].place(0.1, 0.1), campaign.cells[0].middle()]});
    edit(
        &volunteer,
        &tag_path(&campaign, &tags[0]),
        json!({"tag_type": "track", "geometry": line}),
    )
    .await
    .expect(200);
    let shown = campaign.progress_shows("/tags_by_type/track", 1).await;
    assert_eq!(shown["tags_by_type"], json!({"wreckage": 3, "track": 1}));
    assert_eq!(shown["tags"], 4);
}

#[tokio::test]
async fn the_same_look_again_after_a_withdrawal_brings_nothing_back() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = tagged(campaign.cells[0], [point(campaign.cells[0].middle())]);
    campaign.send(&volunteer, &look).await.expect(201);
    let path = tag_path(&campaign, look["tags"][0]["id"].as_str().unwrap());
    volunteer.delete(&path).if_match("\"1\"").await.expect(204);
    campaign.send(&volunteer, &look).await.expect(200);
    volunteer.get(&path).await.refused(404, "tag_not_found");
}

#[tokio::test]
async fn a_tag_of_a_closed_campaign_is_edited_no_more() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let (volunteer, tags) = tag_every_cell(&app, &campaign).await;
    campaign.steer("close").await.expect(200);
    edit(
        &volunteer,
        &tag_path(&campaign, &tags[0]),
        json!({"note": "x"}),
    )
    .await
    .refused(409, "campaign_closed");
}
