//! Tags after their look: pages, edits, withdrawals.

use std::collections::BTreeSet;

use crate::harness::{App, Campaign, Client, Value, id, json, point, tag, tagged};

/// A volunteer with one tag in each cell; the ids of the tags.
pub async fn tag_every_cell(app: &App, campaign: &Campaign) -> (Client, Vec<String>) {
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

pub fn ids(page: &Value) -> Vec<String> {
    let features = page["features"].as_array().unwrap();
    features
        .iter()
        .map(|feature| feature["id"].as_str().unwrap().to_owned())
        .collect()
}

pub async fn list(client: &Client, campaign: &Campaign, query: &str) -> Value {
    client
        .get(&campaign.path(&format!("/tags{query}")))
        .await
        .expect(200)
}

pub fn tag_path(campaign: &Campaign, id: &str) -> String {
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
