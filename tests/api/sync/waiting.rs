//! Tags that come before their look, as collections are synced side by side.

use super::phone::{Phone, change, deleted, id_of, look, new, tag, with};
use crate::harness::{App, Value, eventually, json};

#[tokio::test]
async fn a_tag_before_its_look_is_kept_and_becomes_a_tag_with_the_look() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = look(&campaign, campaign.cells[0], "tagged");
    let mut phone = Phone::new(&volunteer, "tags");
    let tag = tag(&campaign, &look, campaign.cells[0].middle());
    phone.pushes([new(&tag)]).await;
    phone.has(1).await;
    assert_eq!(phone.documents[id_of(&tag)], tag);
    let edited = with(&tag, "note", "while it waits");
    phone.pushes([change(&tag, &edited)]).await;
    Phone::new(&volunteer, "looks").pushes([new(&look)]).await;
    assert_eq!(app.number("SELECT count(*) FROM waiting_tags").await, 0);
    campaign.progress_shows("/tags", 1).await;
    let mut other = Phone::new(&volunteer, "tags");
    other.has(1).await;
    assert_eq!(other.documents[id_of(&tag)], edited);
    other.pushes([change(&edited, &tag)]).await;
    phone.sees(id_of(&tag), "/note", &Value::Null).await;
}

#[tokio::test]
async fn a_tag_that_does_not_fit_its_look_is_withdrawn_when_that_comes() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = look(&campaign, campaign.cells[0], "tagged");
    let mut phone = Phone::new(&volunteer, "tags");
    let elsewhere = tag(&campaign, &look, campaign.cells[1].middle());
    let good = tag(&campaign, &look, campaign.cells[0].middle());
    phone.pushes([new(&elsewhere), new(&good)]).await;
    Phone::new(&volunteer, "looks").pushes([new(&look)]).await;
    phone
        .sees(id_of(&elsewhere), "/_deleted", &json!(true))
        .await;
    phone.sees(id_of(&good), "/_deleted", &json!(false)).await;
    let again = phone.push([new(&elsewhere)]).await.expect(200);
    assert_eq!(again, json!([deleted(&elsewhere)]));
    // Moved to where it belongs it is one again.
    let moved = with(&elsewhere, "geometry", good["geometry"].clone());
    phone.pushes([change(&deleted(&elsewhere), &moved)]).await;
    campaign.progress_shows("/tags", 2).await;
    assert_eq!(app.number("SELECT count(*) FROM waiting_tags").await, 0);
}

#[tokio::test]
async fn tags_of_a_look_that_was_refused_are_withdrawn_and_no_others_are_taken() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let nowhere = campaign.cells[0].step(50, 50);
    let bad = look(&campaign, nowhere, "tagged");
    let mut phone = Phone::new(&volunteer, "tags");
    let [early, late] = [0.3, 0.6].map(|at| tag(&campaign, &bad, nowhere.place(at, at)));
    phone.pushes([new(&early)]).await;
    phone.has(1).await;
    let looks = Phone::new(&volunteer, "looks");
    let refused = looks.push([new(&bad)]).await.expect(200);
    assert_eq!(refused, json!([deleted(&bad)]));
    phone.sees(id_of(&early), "/_deleted", &json!(true)).await;
    let refused = phone.push([new(&late)]).await.expect(200);
    assert_eq!(refused, json!([deleted(&late)]));
    // Where the look is taken after all, the phone may have them again.
    let good = with(&bad, "cell", campaign.cells[0].to_string());
    looks.pushes([new(&good)]).await;
    let place = tag(&campaign, &good, campaign.cells[0].middle())["geometry"].clone();
    let [early_again, late_again] = [&early, &late].map(|tag| with(tag, "geometry", place.clone()));
    phone
        .pushes([change(&deleted(&early), &early_again), new(&late_again)])
        .await;
    campaign.progress_shows("/tags", 2).await;
}

#[tokio::test]
async fn the_worker_settles_tags_whose_look_came_in_another_way() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let sent = crate::harness::nothing(campaign.cells[0]);
    let phone = Phone::new(&volunteer, "tags");
    let tag = tag(&campaign, &sent, campaign.cells[0].middle());
    phone.pushes([new(&tag)]).await;
    campaign.send(&volunteer, &sent).await.expect(201);
    eventually("the tag is one", || async {
        (app.number("SELECT count(*) FROM tags").await == 1).then_some(())
    })
    .await;
    campaign.progress_shows("/tags", 1).await;
    assert!(super::super::feed::verify(&app).await.0);
}

#[tokio::test]
async fn a_waiting_tag_can_be_withdrawn_and_is_no_tag_of_the_look_then() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = look(&campaign, campaign.cells[0], "tagged");
    let mut phone = Phone::new(&volunteer, "tags");
    let tag = tag(&campaign, &look, campaign.cells[0].middle());
    phone.pushes([new(&tag)]).await;
    phone.pushes([change(&tag, &deleted(&tag))]).await;
    Phone::new(&volunteer, "looks").pushes([new(&look)]).await;
    phone.sees(id_of(&tag), "/_deleted", &json!(true)).await;
    assert_eq!(app.number("SELECT count(*) FROM tags").await, 0);
    phone.pushes([change(&deleted(&tag), &tag)]).await;
    phone.sees(id_of(&tag), "/_deleted", &json!(false)).await;
    assert_eq!(app.number("SELECT count(*) FROM tags").await, 1);
}
