//! Tags that were withdrawn longer ago than tombstones are kept.

use super::phone::{Phone, all_is_final, change, deleted, look, new, tag, with};
use crate::{
    harness::{App, Campaign, Client, Value, eventually, json},
    volunteer_links::{link, settled},
};

/// A volunteer with a look.
async fn stage(app: &App) -> (Campaign, Client, Value) {
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = look(&campaign, campaign.cells[0], "tagged");
    Phone::new(&volunteer, "looks").pushes([new(&look)]).await;
    (campaign, volunteer, look)
}

const FORGOTTEN: &str = "SELECT count(*) FROM forgotten_tags";
const WAITING: &str = "SELECT count(*) FROM waiting_tags";

/// Lets half a year pass, after which the worker leaves so many rows.
async fn half_a_year(app: &App, count: &str, rows: i64) {
    for table in ["tags", "waiting_tags"] {
        app.execute(&format!(
            "UPDATE {table} SET received_at = received_at - interval '181 days', withdrawn_at = withdrawn_at - interval '181 days'"
        ))
        .await;
    }
    all_is_final(app).await;
    let mut worker = app.start_worker();
    eventually("they are forgotten", || async {
        (app.number(count).await == rows).then_some(())
    })
    .await;
    worker.terminate();
    assert!(worker.ended(crate::harness::DEADLINE).await);
}

#[tokio::test]
async fn whoever_was_away_brings_no_withdrawn_tag_back() {
    let app = App::start().await;
    let (campaign, volunteer, look) = stage(&app).await;
    let phone = Phone::new(&volunteer, "tags");
    let place = campaign.cells[0].middle();
    let tags = [0, 1, 2].map(|_| tag(&campaign, &look, place));
    phone.pushes(tags.iter().map(new)).await;
    let withdrawals = tags.iter().map(|tag| change(tag, &deleted(tag)));
    phone.pushes(withdrawals.take(2)).await;
    half_a_year(&app, FORGOTTEN, 2).await;

    let [gone, other, kept] = &tags;
    let edited = with(gone, "note", "still here?");
    for away in [new(gone), change(gone, &edited)] {
        let answer = phone.push([away, new(kept)]).await.expect(200);
        assert_eq!(answer.as_array().unwrap().len(), 1, "{answer}");
        assert_eq!(answer[0]["id"], gone["id"]);
        assert_eq!(answer[0]["_deleted"], json!(true));
    }
    // Who has neither says nothing of it, and who knows that it was withdrawn restores it.
    phone.pushes([new(&deleted(gone))]).await;
    phone.pushes([change(&deleted(other), other)]).await;
    let mut fresh = Phone::new(&volunteer, "tags");
    fresh.has(2).await;
    // So it has a state again that whoever was away did not see.
    let old = [with(other, "note", "of old"), deleted(other)];
    for of_old in &old {
        let answer = phone.push([new(of_old)]).await.expect(200);
        assert_eq!(answer, json!([other]), "{of_old}");
    }

    let export = volunteer.get("/v1/volunteers/me/export").await.expect(200);
    assert_eq!(export["forgotten_tags"], json!([gone["id"]]));
}

#[tokio::test]
async fn a_watermelon_that_was_away_is_told_that_the_tag_is_gone() {
    let app = App::start().await;
    let (campaign, volunteer, look) = stage(&app).await;
    let gone = tag(&campaign, &look, campaign.cells[0].middle());
    let phone = Phone::new(&volunteer, "tags");
    phone.pushes([new(&gone)]).await;
    phone.pushes([change(&gone, &deleted(&gone))]).await;
    half_a_year(&app, FORGOTTEN, 1).await;

    let path = "/v1/sync/watermelondb?last_pulled_at=";
    let first = volunteer.get(&format!("{path}null")).await.expect(200);
    let since = &first["timestamp"];
    let mut row = gone.clone();
    row.as_object_mut().unwrap().remove("_deleted");
    row["geometry"] = row["geometry"].to_string().into();
    let push = volunteer.post(&format!("{path}{since}"));
    push.json(json!({"tags": {"created": [row]}}))
        .await
        .expect(204);
    eventually("its deletion is told", || async {
        let pulled = volunteer.get(&format!("{path}{since}")).await.expect(200);
        let tags = &pulled["changes"]["tags"];
        assert_eq!(tags["updated"], json!([]));
        (tags["deleted"] == json!([gone["id"]])).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_was_withdrawn_while_it_waited_stays_so_and_what_waited_in_vain_may_come_again() {
    let app = App::start().await;
    let (campaign, volunteer, _) = stage(&app).await;
    let late = look(&campaign, campaign.cells[1], "tagged");
    let [gone, lookless] = [0, 1].map(|_| tag(&campaign, &late, campaign.cells[1].middle()));
    let phone = Phone::new(&volunteer, "tags");
    phone.pushes([new(&gone), new(&lookless)]).await;
    phone.pushes([change(&gone, &deleted(&gone))]).await;
    half_a_year(&app, FORGOTTEN, 1).await;
    // What waits in vain is withdrawn now, and forgotten after half a year more.
    half_a_year(&app, WAITING, 0).await;

    Phone::new(&volunteer, "looks").pushes([new(&late)]).await;
    let answer = phone.push([new(&gone), new(&lookless)]).await.expect(200);
    assert_eq!(answer.as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(answer[0]["id"], gone["id"]);
}

#[tokio::test]
async fn what_waited_in_vain_waits_anew_when_it_is_restored() {
    let app = App::start().await;
    let (campaign, volunteer, _) = stage(&app).await;
    let late = look(&campaign, campaign.cells[1], "tagged");
    let lookless = tag(&campaign, &late, campaign.cells[1].middle());
    let phone = Phone::new(&volunteer, "tags");
    phone.pushes([new(&lookless)]).await;
    let withdrawn = "SELECT count(*) FROM waiting_tags WHERE withdrawn_at IS NOT NULL";
    half_a_year(&app, withdrawn, 1).await;
    phone.pushes([change(&deleted(&lookless), &lookless)]).await;
    let young = "SELECT count(*) FROM waiting_tags WHERE received_at > now() - interval '1 day' AND withdrawn_at IS NULL";
    assert_eq!(app.number(young).await, 1);
}

#[tokio::test]
async fn what_is_forgotten_goes_with_the_volunteer() {
    let app = App::builder().workers(1).start().await;
    let (campaign, tablet, look) = stage(&app).await;
    let gone = tag(&campaign, &look, campaign.cells[0].middle());
    let phone = Phone::new(&tablet, "tags");
    phone.pushes([new(&gone)]).await;
    phone.pushes([change(&gone, &deleted(&gone))]).await;
    half_a_year(&app, FORGOTTEN, 1).await;
    let linked = link(&tablet, &app.volunteer().await).await;
    settled(&app).await;
    let answer = Phone::new(&linked, "tags").push([new(&gone)]).await;
    assert_eq!(answer.expect(200)[0]["_deleted"], json!(true));
    assert_eq!(app.number(FORGOTTEN).await, 1);
    linked
        .delete("/v1/volunteers/me?confirm=forget")
        .await
        .expect(202);
    settled(&app).await;
    assert_eq!(app.number(FORGOTTEN).await, 0);
}
