//! States, looks wanted and leases of a campaign that runs.

use futures_util::future::join_all;

use super::{SOON, area, at_each, carried_out, expected, two_servers, verified, weights};
use crate::harness::{Client, Value, fixtures::cells_of, json, within};

#[tokio::test]
async fn an_organiser_may_change_again_without_reading_anew() {
    let app = two_servers().await;
    let campaign = app.campaign().cells(4, 4).open().await;
    let organiser = &campaign.organiser;
    let patch = |tag: String, priorities: Value| {
        organiser
            .patch(&campaign.path(""))
            .if_match(&tag)
            .json(json!({"priorities": priorities}))
    };
    let tag = organiser.get(&campaign.path("")).await.etag().to_owned();
    let priorities = json!([{"area": area(campaign.cells[0], 1, 1), "weight": 2, "name": "x"}]);
    let changed = patch(tag, priorities).await;
    changed.expect(200);
    carried_out(&campaign).await;
    let again = patch(changed.etag().to_owned(), json!([])).await;
    again.expect(200);
    carried_out(&campaign).await;
    assert_eq!(organiser.get(&campaign.path("")).await.etag(), again.etag());
    assert_eq!(weights(&app).await, expected([("1", 16)]));
}

#[tokio::test]
async fn a_paused_campaign_is_changed_too_and_goes_on_with_it() {
    let app = two_servers().await;
    let campaign = app.campaign().cells(8, 8).open().await;
    let corner = campaign.cells[0].step(7, 7);
    campaign.steer("pause").await.expect(200);
    campaign
        .change(json!({"priorities": [{"area": area(corner, 1, 1), "weight": 50}]}))
        .await
        .expect(200);
    carried_out(&campaign).await;
    assert_eq!(campaign.read().await["state"], "paused");
    campaign.steer("resume").await.expect(200);
    let volunteer = app.volunteer().await;
    let given = within(SOON, "squares are given again", || async {
        let dealt = campaign.ask(&volunteer, 1).await;
        (dealt.status == 200).then(|| cells_of(&dealt.json()))
    })
    .await;
    assert_eq!(given, [corner]);
}

#[tokio::test]
async fn pause_resume_lease_and_end_are_in_force_on_every_server_at_once() {
    let app = two_servers().await;
    let campaign = app.campaign().cells(8, 8).looks_wanted(9).open().await;
    let ask = || async {
        let volunteer = app.volunteer().await;
        let calls = at_each(&app, &volunteer);
        join_all(calls.iter().map(|one| async { campaign.ask(one, 1).await })).await
    };
    let both = |what: &'static str, wanted: fn(&crate::harness::Reply) -> bool| async move {
        within(SOON, what, || async {
            ask().await.iter().all(wanted).then_some(())
        })
        .await;
    };
    both("both deal", |dealt| dealt.status == 200).await;
    campaign.steer("pause").await.expect(200);
    both("both are paused", |dealt| dealt.status == 409).await;
    campaign.steer("resume").await.expect(200);
    both("both deal again", |dealt| dealt.status == 200).await;
    campaign
        .change(json!({"lease_seconds": 86_400}))
        .await
        .expect(200);
    both("both lend for a day", |dealt| {
        let until = dealt.json()["assignments"][0]["lease_expires_at"].clone();
        let until: jiff::Timestamp = serde_json::from_value(until).unwrap();
        let told = jiff::fmt::rfc2822::parse(dealt.header("date")).unwrap();
        until.duration_since(told.timestamp()).as_secs() > 80_000
    })
    .await;
    campaign
        .change(json!({"ends_at": "2020-01-01T00:00:00Z"}))
        .await
        .expect(200);
    both("both have ended", |dealt| dealt.status == 409).await;
    verified(&app).await;
}

#[tokio::test]
async fn looks_wanted_go_up_and_down_on_every_server_at_once() {
    let app = two_servers().await;
    let campaign = app.campaign().cells(2, 2).looks_wanted(1).open().await;
    let look_all = async |volunteer: &Client| {
        for cell in &campaign.cells {
            campaign.look_at(volunteer, *cell).await;
        }
    };
    look_all(&app.volunteer().await).await;
    let shown = campaign.progress_shows("/cells_done", 4).await;
    assert_eq!(shown["looks_missing"], 0);
    let gives = |wanted: usize| {
        let (app, campaign) = (&app, &campaign);
        move || async move {
            for volunteer in at_each(app, &app.volunteer().await) {
                let given = campaign.given(&volunteer, 4).await;
                (given.len() == wanted).then_some(())?;
            }
            Some(())
        }
    };
    within(SOON, "nothing is left", gives(0)).await;
    campaign
        .change(json!({"looks_wanted": 9}))
        .await
        .expect(200);
    for server in 0..2 {
        within(SOON, "cells are wanted again", || async {
            let volunteer = at_each(&app, &app.volunteer().await).remove(server);
            (!campaign.given(&volunteer, 1).await.is_empty()).then_some(())
        })
        .await;
    }
    let shown = campaign.progress().await;
    assert_eq!(
        (
            &shown["cells_done"],
            &shown["looks_missing"],
            &shown["coverage"]
        ),
        (&json!(0), &json!(32), &json!(0.0))
    );
    look_all(&app.volunteer().await).await;
    campaign.progress_shows("/looks_missing", 28).await;
    campaign
        .change(json!({"looks_wanted": 2}))
        .await
        .expect(200);
    let shown = campaign.progress().await;
    assert_eq!(
        (
            &shown["cells_done"],
            &shown["looks_missing"],
            &shown["coverage"]
        ),
        (&json!(4), &json!(0), &json!(1.0))
    );
    within(SOON, "nothing is left again", gives(0)).await;
    verified(&app).await;
}
