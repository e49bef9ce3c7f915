//! Looks made on phones.

use super::phone::{Phone, THEN, change, deleted, id_of, look, new, with};
use crate::harness::{App, Value, json, nothing};

#[tokio::test]
async fn looks_come_back_as_they_were_pushed_and_count() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let mut phone = Phone::new(&volunteer, "looks");
    let looks: Vec<Value> = [
        look(&campaign, campaign.cells[0], "nothing"),
        look(&campaign, campaign.cells[1], "tagged"),
        with(
            &look(&campaign, campaign.cells[2], "skipped"),
            "campaign_version",
            1,
        ),
    ]
    .into();
    phone.pushes(looks.iter().map(new)).await;
    phone.has(3).await;
    for look in &looks {
        assert_eq!(phone.documents[id_of(look)], *look);
    }
    campaign.progress_shows("/looks", 3).await;
}

#[tokio::test]
async fn a_push_whose_answer_was_lost_is_taken_again_and_stored_once() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let phone = Phone::new(&volunteer, "looks");
    let look = look(&campaign, campaign.cells[0], "nothing");
    for _ in 0..3 {
        phone.pushes([new(&look)]).await;
    }
    let at_once = (0..8).map(|_| phone.push([new(&look)]));
    for reply in futures_util::future::join_all(at_once).await {
        assert_eq!(reply.expect(200), json!([]));
    }
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 1);
}

#[tokio::test]
async fn one_look_is_the_same_on_every_way() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let phone = Phone::new(&volunteer, "looks");
    let by_phone = look(&campaign, campaign.cells[0], "nothing");
    phone.pushes([new(&by_phone)]).await;
    let mut by_call = nothing(campaign.cells[0]);
    by_call["id"] = by_phone["id"].clone();
    by_call["started_at"] = THEN.into();
    by_call["finished_at"] = THEN.into();
    campaign.send(&volunteer, &by_call).await.expect(200);
    let mut other = nothing(campaign.cells[1]);
    other["started_at"] = THEN.into();
    other["finished_at"] = THEN.into();
    campaign.send(&volunteer, &other).await.expect(201);
    let mut same = look(&campaign, campaign.cells[1], "nothing");
    same["id"] = other["id"].clone();
    phone.pushes([new(&same)]).await;
}

#[tokio::test]
async fn a_look_is_never_changed_nor_deleted() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let phone = Phone::new(&volunteer, "looks");
    let look = look(&campaign, campaign.cells[0], "nothing");
    phone.pushes([new(&look)]).await;
    let changes = [
        new(&with(&look, "outcome", "skipped")),
        change(&look, &with(&look, "outcome", "skipped")),
        change(&look, &deleted(&look)),
        change(&look, &with(&look, "cell", campaign.cells[1].to_string())),
    ];
    for change in changes {
        assert_eq!(phone.push([change]).await.expect(200), json!([look]));
    }
}

#[tokio::test]
async fn a_bad_look_comes_back_deleted_and_its_neighbours_are_stored() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let phone = Phone::new(&volunteer, "looks");
    let good = look(&campaign, campaign.cells[0], "nothing");
    let outside = campaign.cells[0].step(50, 50);
    let bad = [
        look(&campaign, outside, "nothing"),
        with(&good, "id", "no-uuid"),
        with(
            &look(&campaign, campaign.cells[0], "nothing"),
            "cell",
            "1/2",
        ),
        with(
            &look(&campaign, campaign.cells[0], "nothing"),
            "campaign",
            "none-such",
        ),
        with(
            &look(&campaign, campaign.cells[0], "nothing"),
            "campaign_version",
            99,
        ),
        json!({"id": "7d7f2a4e-0000-4000-8000-000000000000"}),
    ];
    let rows = bad.iter().chain([&good]).map(new);
    let answered = phone.push(rows).await.expect(200);
    let answered = answered.as_array().unwrap();
    assert_eq!(answered.len(), bad.len());
    for bad in &bad {
        assert!(answered.contains(&deleted(bad)), "{bad}: {answered:?}");
    }
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 1);
    let told = app.number("SELECT count(*) FROM sync_refusals WHERE code IN ('look_refused', 'campaign_not_found', 'invalid_document')").await;
    assert_eq!(told, 6);
}

#[tokio::test]
async fn what_was_made_and_deleted_before_it_was_sent_needs_nothing() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let phone = Phone::new(&volunteer, "looks");
    let look = look(&campaign, campaign.cells[0], "nothing");
    phone.pushes([new(&deleted(&look))]).await;
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 0);
}

#[tokio::test]
async fn looks_are_taken_while_paused_and_after_the_close_where_squares_were_given() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let given = campaign.given(&volunteer, 1).await[0];
    let phone = Phone::new(&volunteer, "looks");
    campaign.steer("pause").await.expect(200);
    let paused = look(&campaign, campaign.cells[3], "nothing");
    phone.pushes([new(&paused)]).await;
    campaign.steer("close").await.expect(200);
    let late = look(&campaign, given, "nothing");
    let stranger = campaign
        .cells
        .iter()
        .find(|cell| ![given, campaign.cells[3]].contains(cell));
    let refused = look(&campaign, *stranger.unwrap(), "nothing");
    crate::harness::eventually("the close is known", || async {
        let answered = phone.push([new(&refused)]).await.expect(200);
        (answered == json!([deleted(&refused)])).then_some(())
    })
    .await;
    phone.pushes([new(&late), new(&paused)]).await;
}
