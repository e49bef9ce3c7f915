//! Tags made, edited, withdrawn and restored on phones.

use super::phone::{Phone, change, deleted, id_of, look, new, tag, with};
use crate::harness::{App, Campaign, Client, Value, id, json};

/// A look that is stored.
async fn looked(campaign: &Campaign, volunteer: &Client) -> Value {
    let look = look(campaign, campaign.cells[0], "tagged");
    Phone::new(volunteer, "looks").pushes([new(&look)]).await;
    look
}

#[tokio::test]
async fn two_devices_have_the_same_tags_after_each_has_changed_them() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = looked(&campaign, &volunteer).await;
    let (mut one, mut two) = (
        Phone::new(&volunteer, "tags"),
        Phone::new(&volunteer, "tags"),
    );
    let first = tag(
        &campaign,
        &look,
        campaign.cells[0].place(0.123_456_789, 0.3),
    );
    let line = json!({"type": "LineString", "coordinates": [campaign.cells[0].place(0.1, 0.1), campaign.cells[0].middle()]});
    let second = with(&with(&first, "geometry", line), "tag_type", "track");
    let second = with(&second, "id", id());
    one.pushes([new(&first), new(&second)]).await;
    two.has(2).await;
    assert_eq!(two.documents[id_of(&first)], first);
    assert_eq!(two.documents[id_of(&second)], second);
    let edited = with(&first, "note", "a wing");
    two.pushes([change(&first, &edited), change(&second, &deleted(&second))])
        .await;
    one.sees(id_of(&first), "/note", &json!("a wing")).await;
    one.sees(id_of(&second), "/_deleted", &json!(true)).await;
    campaign.progress_shows("/tags", 1).await;
    one.pushes([change(&deleted(&second), &second), change(&edited, &first)])
        .await;
    two.sees(id_of(&second), "/_deleted", &json!(false)).await;
    assert_eq!(two.documents[id_of(&first)], first);
    campaign.progress_shows("/tags", 2).await;
    assert!(super::super::feed::verify(&app).await.0);
}

#[tokio::test]
async fn whoever_has_not_seen_the_present_state_gets_it() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = looked(&campaign, &volunteer).await;
    let phone = Phone::new(&volunteer, "tags");
    let tag = tag(&campaign, &look, campaign.cells[0].middle());
    phone.pushes([new(&tag)]).await;
    let mine = with(&tag, "note", "mine");
    phone.pushes([change(&tag, &mine)]).await;
    let theirs = with(&tag, "note", "theirs");
    for row in [
        change(&tag, &theirs),
        new(&theirs),
        change(&tag, &deleted(&tag)),
    ] {
        assert_eq!(phone.push([row]).await.expect(200), json!([mine]));
    }
    // The same state once more is no conflict, whatever was believed.
    phone.pushes([change(&tag, &mine), new(&mine)]).await;
    phone.pushes([change(&mine, &deleted(&mine))]).await;
    assert_eq!(
        phone.push([change(&mine, &theirs)]).await.expect(200),
        json!([deleted(&mine)])
    );
}

#[tokio::test]
async fn an_edit_after_a_lost_answer_is_no_conflict_unless_another_device_edited_too() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = looked(&campaign, &volunteer).await;
    let phone = Phone::new(&volunteer, "tags");
    let tag = tag(&campaign, &look, campaign.cells[0].middle());
    phone.pushes([new(&tag)]).await;
    let edited = with(&tag, "note", "made before the answer came");
    phone.pushes([new(&edited)]).await;
    let third = with(&tag, "note", "third");
    assert_eq!(phone.push([new(&third)]).await.expect(200), json!([edited]));
}

#[tokio::test]
async fn two_devices_that_push_at_once_store_a_tag_once_and_one_edit_wins() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = looked(&campaign, &volunteer).await;
    let phone = Phone::new(&volunteer, "tags");
    let tag = tag(&campaign, &look, campaign.cells[0].middle());
    let pushes = (0..6).map(|_| phone.push([new(&tag)]));
    for reply in futures_util::future::join_all(pushes).await {
        assert_eq!(reply.expect(200), json!([]));
    }
    assert_eq!(app.number("SELECT count(*) FROM tags").await, 1);
    let pushes = (0..6).map(|n| {
        let edited = with(&tag, "note", format!("edit {n}"));
        phone.push([change(&tag, &edited)])
    });
    let replies = futures_util::future::join_all(pushes).await;
    let answers: Vec<Value> = replies.iter().map(|reply| reply.expect(200)).collect();
    let won = answers
        .iter()
        .filter(|answer| **answer == json!([]))
        .count();
    assert_eq!(won, 1);
    let kept = answers.iter().find(|answer| **answer != json!([])).unwrap();
    assert!(
        answers
            .iter()
            .all(|answer| answer == kept || *answer == json!([]))
    );
    assert_eq!(app.number("SELECT revision::int8 FROM tags").await, 2);
}

#[tokio::test]
async fn a_bad_tag_comes_back_deleted_and_its_neighbours_are_stored() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = looked(&campaign, &volunteer).await;
    let phone = Phone::new(&volunteer, "tags");
    let fresh = || tag(&campaign, &look, campaign.cells[0].middle());
    let bad = [
        tag(&campaign, &look, campaign.cells[1].middle()),
        with(&fresh(), "tag_type", "yeti"),
        with(&fresh(), "tag_type", "track"),
        with(&fresh(), "note", "é".repeat(501)),
        with(&fresh(), "campaign", "none-such"),
        with(&fresh(), "look_id", "none"),
        with(&fresh(), "id", "none"),
    ];
    let good = with(&fresh(), "note", "é".repeat(500));
    let rows = bad.iter().chain([&good]).map(new);
    let answered = phone.push(rows).await.expect(200);
    let answered = answered.as_array().unwrap();
    assert_eq!(answered.len(), bad.len());
    for bad in &bad {
        assert!(answered.contains(&deleted(bad)), "{bad}: {answered:?}");
    }
    assert_eq!(app.number("SELECT count(*) FROM tags").await, 1);
    // An edit that cannot be read, or is too large to be read, leaves what is here too.
    let unreadable = with(&with(&good, "geometry", 7), "tag_type", Value::Null);
    let large = with(&good, "more", "x".repeat(128 * 1024));
    for edit in [unreadable, large] {
        let answered = phone.push([change(&good, &edit)]).await.expect(200);
        assert_eq!(answered, json!([good]));
    }
    let large = with(&fresh(), "more", "x".repeat(128 * 1024));
    let answered = phone.push([new(&large)]).await.expect(200);
    assert_eq!(answered, json!([{"id": large["id"], "_deleted": true}]));
    // An edit that does not fit leaves what is here.
    let moved = with(&good, "geometry", bad[0]["geometry"].clone());
    assert_eq!(
        phone.push([change(&good, &moved)]).await.expect(200),
        json!([good])
    );
}

#[tokio::test]
async fn a_look_has_a_hundred_tags_at_most() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = looked(&campaign, &volunteer).await;
    let phone = Phone::new(&volunteer, "tags");
    let tags: Vec<Value> = (0..101)
        .map(|_| tag(&campaign, &look, campaign.cells[0].middle()))
        .collect();
    phone.pushes(tags[..100].iter().map(new)).await;
    let one_more = phone.push([new(&tags[100])]).await.expect(200);
    assert_eq!(one_more, json!([deleted(&tags[100])]));
    phone.pushes([change(&tags[0], &deleted(&tags[0]))]).await;
    phone.pushes([new(&tags[100])]).await;
}

#[tokio::test]
async fn devices_that_push_at_once_do_not_give_a_look_more_than_a_hundred_tags() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = looked(&campaign, &volunteer).await;
    let phone = Phone::new(&volunteer, "tags");
    let pushes = (0..4).map(|_| {
        let tags = (0..40).map(|_| new(&tag(&campaign, &look, campaign.cells[0].middle())));
        phone.push(tags.collect::<Vec<_>>())
    });
    let replies = futures_util::future::join_all(pushes).await;
    let refused = replies
        .iter()
        .map(|reply| reply.expect(200).as_array().unwrap().len());
    assert_eq!(refused.sum::<usize>(), 60);
    assert_eq!(app.number("SELECT count(*) FROM tags").await, 100);
}

#[tokio::test]
async fn tags_of_the_other_calls_are_synced_too_and_edits_go_both_ways() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let (volunteer, _) = super::super::tags::tag_every_cell(&app, &campaign).await;
    let mut phone = Phone::new(&volunteer, "tags");
    phone.has(4).await;
    let known = phone.documents.values().next().unwrap().clone();
    phone
        .pushes([change(&known, &with(&known, "note", "by phone"))])
        .await;
    let path = campaign.path(&format!("/tags/{}", id_of(&known)));
    let read = volunteer.get(&path).await;
    assert_eq!(read.json()["properties"]["note"], "by phone");
    volunteer
        .delete(&path)
        .if_match(read.etag())
        .await
        .expect(204);
    phone.sees(id_of(&known), "/_deleted", &json!(true)).await;
}

#[tokio::test]
async fn volunteers_see_and_change_their_own_only() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = looked(&campaign, &volunteer).await;
    let phone = Phone::new(&volunteer, "tags");
    let tag = tag(&campaign, &look, campaign.cells[0].middle());
    phone.pushes([new(&tag)]).await;
    let mut stranger = Phone::new(&app.volunteer().await, "tags");
    stranger.pull().await;
    assert!(stranger.documents.is_empty());
    stranger.pushes([change(&tag, &deleted(&tag))]).await;
    let mut phone = phone;
    phone.has(1).await;
    assert_eq!(phone.documents[id_of(&tag)], tag);
}
