//! Tags after their look: pages, edits, withdrawals.

use std::collections::BTreeSet;

use crate::harness::{App, Campaign, Client, Reply, Value, id, json, point, tag, tagged};

/// A volunteer with one tag in each cell; the ids of the tags.
async fn tag_every_cell(app: &App, campaign: &Campaign) -> (Client, Vec<String>) {
    let volunteer = app.volunteer().await;
    let looks: Vec<Value> = campaign
        .cells
        .iter()
        .map(|cell| tagged(*cell, [point(cell.middle())]))
        .collect();
    campaign.send_batch(&volunteer, &looks).await.expect(200);
    let ids = looks
        .iter()
        .map(|look| look["tags"][0]["id"].as_str().unwrap().to_owned())
        .collect();
    (volunteer, ids)
}

fn ids(page: &Value) -> Vec<String> {
    let features = page["features"].as_array().unwrap();
    features
        .iter()
        .map(|feature| feature["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn list(client: &Client, campaign: &Campaign, query: &str) -> Value {
    client
        .get(&campaign.path(&format!("/tags{query}")))
        .await
        .expect(200)
}

fn tag_path(campaign: &Campaign, id: &str) -> String {
    campaign.path(&format!("/tags/{id}"))
}

#[tokio::test]
async fn a_tag_is_a_geojson_feature_with_where_and_by_whom() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let cell = campaign.cells[0];
    let mut sent = point(cell.middle());
    sent["note"] = "a wing?".into();
    let look = tagged(cell, [sent.clone()]);
    campaign.send(&volunteer, &look).await.expect(201);
    let page = list(&campaign.organiser, &campaign, "").await;
    assert_eq!(page["type"], "FeatureCollection");
    let feature = &page["features"][0];
    assert_eq!(feature["type"], "Feature");
    assert_eq!(feature["id"], sent["id"]);
    assert_eq!(feature["geometry"]["type"], "Point");
    for (axis, wanted) in cell.middle().into_iter().enumerate() {
        let shown = feature["geometry"]["coordinates"][axis].as_f64().unwrap();
        assert!((shown - wanted).abs() < 1e-8, "{feature}");
    }
    let properties = &feature["properties"];
    assert_eq!(properties["tag_type"], "wreckage");
    assert_eq!(properties["note"], "a wing?");
    assert_eq!(properties["cell"], look["cell"]);
    assert_eq!(properties["look_id"], look["id"]);
    assert_eq!(properties["volunteer_id"], volunteer.id);
    assert_eq!(properties["revision"], 1);
    assert!(properties["received_at"].is_string() && properties["updated_at"].is_string());
}

#[tokio::test]
async fn pages_are_complete_and_without_doubles() {
    let app = App::start().await;
    let campaign = app.campaign().cells(5, 6).open().await;
    let (volunteer, all) = tag_every_cell(&app, &campaign).await;
    let mut seen = Vec::new();
    let mut next = campaign.path("/tags?volunteer=me&limit=7");
    let mut pages = 0;
    loop {
        let page = volunteer.get(&next).await;
        let body = page.expect(200);
        assert!(ids(&body).len() <= 7);
        seen.extend(ids(&body));
        pages += 1;
        match body["next"].as_str() {
            Some(address) => {
                assert_eq!(page.header("link"), format!("<{address}>; rel=\"next\""));
                address.clone_into(&mut next);
            }
            None => break,
        }
    }
    assert_eq!(pages, 5);
    assert_eq!(seen.len(), 30);
    assert_eq!(
        seen.into_iter().collect::<BTreeSet<_>>(),
        all.into_iter().collect()
    );
}

#[tokio::test]
async fn the_newest_tag_comes_first() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let mut sent = Vec::new();
    for cell in &campaign.cells {
        let look = tagged(*cell, [point(cell.middle())]);
        campaign.send(&volunteer, &look).await.expect(201);
        sent.insert(0, look["tags"][0]["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids(&list(&campaign.organiser, &campaign, "").await), sent);
}

#[tokio::test]
async fn a_page_has_1_to_1000_tags() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let ask = |limit: &str| {
        campaign
            .organiser
            .get(&campaign.path(&format!("/tags?limit={limit}")))
    };
    ask("1").await.expect(200);
    ask("1000").await.expect(200);
    for wrong in ["0", "1001", "-1", "x", "99999999999"] {
        ask(wrong).await.refused(400, "invalid_query");
    }
}

#[tokio::test]
async fn a_cursor_that_is_none_of_ours_is_refused() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    for cursor in ["x", "%00", "W10", "bnVsbA", "WyJ4Il0"] {
        let asked = campaign
            .organiser
            .get(&campaign.path(&format!("/tags?cursor={cursor}")))
            .await;
        assert!(
            asked.status == 400 || asked.status == 200 && cursor == "bnVsbA",
            "{asked:?}"
        );
    }
    campaign
        .organiser
        .get(&campaign.path("/tags?colour=red"))
        .await
        .refused(400, "invalid_query");
}

#[tokio::test]
async fn a_box_shows_only_what_lies_in_it() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).open().await;
    let (_, all) = tag_every_cell(&app, &campaign).await;
    let [west, south, east, north] = campaign.cells[0].block(2, 1);
    let page = list(
        &campaign.organiser,
        &campaign,
        &format!("?bbox={west},{south},{east},{north}"),
    )
    .await;
    let wanted: BTreeSet<&String> = [&all[0], &all[3]].into();
    assert_eq!(ids(&page).iter().collect::<BTreeSet<_>>(), wanted);
    // The whole world the other way round, over the antimeridian, leaves out what lies between.
    let around = list(
        &campaign.organiser,
        &campaign,
        &format!("?bbox={east},-80,{west},80"),
    )
    .await;
    assert_eq!(ids(&around).len(), 3, "the third column");
    let elsewhere = list(&campaign.organiser, &campaign, "?bbox=170,-80,-170,80").await;
    assert!(ids(&elsewhere).is_empty());
}

#[tokio::test]
async fn a_box_that_is_none_is_refused() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    for wrong in [
        "1,2,3",
        "a,b,c,d",
        "0,10,10,0",
        "-181,0,0,1",
        "0,-91,1,1",
        "NaN,0,1,1",
        "1,2,3,4,5",
        "",
    ] {
        campaign
            .organiser
            .get(&campaign.path(&format!("/tags?bbox={wrong}")))
            .await
            .refused(400, "invalid_query");
    }
}

#[tokio::test]
async fn tags_can_be_listed_by_type() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let cell = campaign.cells[0];
    let line = json!({"type": "LineString", "coordinates": [cell.place(0.1, 0.1), cell.middle()]});
    let sent = tagged(cell, [point(cell.middle()), tag("track", line)]);
    campaign
        .send(&app.volunteer().await, &sent)
        .await
        .expect(201);
    let page = list(&campaign.organiser, &campaign, "?tag_type=track").await;
    assert_eq!(ids(&page), [sent["tags"][1]["id"].as_str().unwrap()]);
    assert!(ids(&list(&campaign.organiser, &campaign, "?tag_type=yeti").await).is_empty());
}

#[tokio::test]
async fn a_volunteer_sees_own_tags_only() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(2).open().await;
    let (one, own) = tag_every_cell(&app, &campaign).await;
    let (_, _) = tag_every_cell(&app, &campaign).await;
    let page = list(&one, &campaign, "?volunteer=me").await;
    assert_eq!(
        ids(&page).into_iter().collect::<BTreeSet<_>>(),
        own.into_iter().collect()
    );
    assert_eq!(
        ids(&list(&campaign.organiser, &campaign, "").await).len(),
        8
    );
    one.get(&campaign.path("/tags"))
        .await
        .refused(403, "organiser_needed");
    app.public()
        .get(&campaign.path("/tags"))
        .await
        .refused(401, "credentials_missing");
    app.public()
        .get(&campaign.path("/tags?volunteer=me"))
        .await
        .refused(401, "credentials_missing");
    campaign
        .organiser
        .get(&campaign.path("/tags?volunteer=me"))
        .await
        .refused(403, "volunteer_needed");
    one.get(&campaign.path("/tags?volunteer=you"))
        .await
        .refused(400, "invalid_query");
    app.organiser_with("imagery")
        .await
        .get(&campaign.path("/tags"))
        .await
        .refused(403, "scope_missing");
}

#[tokio::test]
async fn a_tag_of_somebody_else_is_not_found() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let (owner, tags) = tag_every_cell(&app, &campaign).await;
    let stranger = app.volunteer().await;
    let path = tag_path(&campaign, &tags[0]);
    owner.get(&path).await.expect(200);
    stranger.get(&path).await.refused(404, "tag_not_found");
    stranger
        .patch(&path)
        .if_match("\"1\"")
        .json(json!({"note": "x"}))
        .await
        .refused(404, "tag_not_found");
    stranger
        .delete(&path)
        .if_match("\"1\"")
        .await
        .refused(404, "tag_not_found");
    owner
        .get(&tag_path(&campaign, &id()))
        .await
        .refused(404, "tag_not_found");
    owner
        .get(&tag_path(&campaign, "x"))
        .await
        .refused(404, "not_found");
}

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
