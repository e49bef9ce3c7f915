//! Looks that come late, or that nobody needs any more: stored, and told apart.

use crate::harness::{
    App, Campaign, Cell, Client, Reply, Value, eventually, id, json, look, nothing,
};

/// Sends looks and asks how they came in.
async fn send(campaign: &Campaign, volunteer: &Client, looks: &[Value]) -> Reply {
    volunteer
        .post(&campaign.path("/looks/batch"))
        .json(json!({"looks": looks, "standing": true}))
        .await
}

async fn standings(campaign: &Campaign, volunteer: &Client, looks: &[Value]) -> Vec<Value> {
    let answer = send(campaign, volunteer, looks).await.expect(200);
    let results = answer["results"].as_array().unwrap();
    results.iter().map(|one| one["standing"].clone()).collect()
}

pub async fn take(campaign: &Campaign, volunteer: &Client, cells: usize) -> Vec<Cell> {
    let wanted = json!({"id": id(), "cells": cells});
    let pack = volunteer
        .post(&campaign.path("/packs"))
        .json(wanted)
        .await
        .expect(200);
    crate::harness::fixtures::cells_of(&pack)
}

/// Waits until every server knows that the campaign gives no squares.
pub async fn closed_everywhere(app: &App, campaign: &Campaign) {
    let other = app.volunteer().await;
    eventually("every server knows of the close", || async {
        let asked = (campaign.ask(&other, 1).await, campaign.ask(&other, 1).await);
        (asked.0.status == 409 && asked.1.status == 409).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_look_that_is_wanted_counts_and_one_more_is_extra() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(2).open().await;
    let [one, two, three] = [
        app.volunteer().await,
        app.volunteer().await,
        app.volunteer().await,
    ];
    let cell = campaign.cells[0];
    let first = nothing(cell);
    assert_eq!(
        standings(&campaign, &one, std::slice::from_ref(&first)).await,
        ["counted"]
    );
    // A second one of the same volunteer brings nothing.
    assert_eq!(
        standings(&campaign, &one, &[nothing(cell)]).await,
        ["extra"]
    );
    // Neither a skip nor a report is a look at the square that others count by.
    let skip = look(cell, "skipped");
    assert_eq!(standings(&campaign, &three, &[skip]).await, ["counted"]);
    assert_eq!(
        standings(&campaign, &two, &[nothing(cell)]).await,
        ["counted"]
    );
    assert_eq!(
        standings(&campaign, &three, &[nothing(cell)]).await,
        ["extra"]
    );
    // What is said of a look stays.
    let bad = json!({"id": id(), "cell": "x"});
    let again = standings(&campaign, &one, &[first, bad, nothing(campaign.cells[1])]).await;
    assert_eq!(again, [json!("counted"), Value::Null, json!("counted")]);
}

#[tokio::test]
async fn who_does_not_ask_is_not_told() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let looks = [nothing(campaign.cells[0])];
    let answer = campaign.send_batch(&volunteer, &looks).await.expect(200);
    assert_eq!(
        answer["results"][0],
        json!({"id": looks[0]["id"], "verdict": "created"})
    );
}

#[tokio::test]
async fn looks_before_a_reset_do_not_make_later_ones_extra() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let (one, two) = (app.volunteer().await, app.volunteer().await);
    let cell = campaign.cells[0];
    let first = nothing(cell);
    assert_eq!(
        standings(&campaign, &one, std::slice::from_ref(&first)).await,
        ["counted"]
    );
    let reset = json!({"cells": [cell.to_string()], "reset": true});
    campaign
        .organiser
        .patch(&campaign.path("/cells"))
        .json(reset)
        .await
        .expect(200);
    assert_eq!(
        standings(&campaign, &two, &[nothing(cell)]).await,
        ["counted"]
    );
    assert_eq!(standings(&campaign, &one, &[first]).await, ["counted"]);
}

#[tokio::test]
async fn looks_of_a_pack_are_taken_while_paused_and_after_the_close() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).open().await;
    let volunteer = app.volunteer().await;
    let cells = take(&campaign, &volunteer, 4).await;
    let [in_time, paused, resumed, closed] = [0, 1, 2, 3].map(|n: usize| nothing(cells[n]));
    let sent = |look: &Value| {
        let look = look.clone();
        async { standings(&campaign, &volunteer, &[look]).await[0].clone() }
    };
    assert_eq!(sent(&in_time).await, "counted");
    campaign.steer("pause").await.expect(200);
    assert_eq!(sent(&paused).await, "while_paused");
    campaign.steer("resume").await.expect(200);
    assert_eq!(sent(&resumed).await, "counted");
    campaign.steer("close").await.expect(200);
    closed_everywhere(&app, &campaign).await;
    // The pack itself proves that the square was given, long after leases and renewals are forgotten.
    app.execute("DELETE FROM lease_renewals; UPDATE piles SET ledger = ''")
        .await;
    assert_eq!(sent(&closed).await, "after_close");
    for (look, standing) in [
        (&in_time, "counted"),
        (&paused, "while_paused"),
        (&closed, "after_close"),
    ] {
        assert_eq!(sent(look).await, standing);
    }
    let never_given = campaign
        .cells
        .iter()
        .find(|cell| !cells.contains(cell))
        .unwrap();
    let refused = campaign.send(&volunteer, &nothing(*never_given)).await;
    refused.refused(409, "campaign_closed");
    campaign.progress_shows("/looks", 4).await;
}

#[tokio::test]
async fn a_look_counts_after_its_lease_and_when_the_pack_was_given_back() {
    let app = App::start().await;
    let campaign = app.campaign().cells(2, 1).open().await;
    let volunteer = app.volunteer().await;
    let wanted = json!({"id": id(), "cells": 2});
    let path = campaign.path("/packs");
    let pack = volunteer.post(&path).json(&wanted).await.expect(200);
    assert_eq!(pack["assignments"].as_array().unwrap().len(), 2);
    app.execute("UPDATE pack_cells SET lease_expires_at = now(); UPDATE lease_renewals SET lease_expires_at = now()")
        .await;
    assert_eq!(
        standings(&campaign, &volunteer, &[nothing(campaign.cells[0])]).await,
        ["counted"]
    );
    let one = format!("{path}/{}", wanted["id"].as_str().unwrap());
    volunteer.delete(&one).await.expect(200);
    campaign.steer("close").await.expect(200);
    closed_everywhere(&app, &campaign).await;
    let late = standings(&campaign, &volunteer, &[nothing(campaign.cells[1])]).await;
    assert_eq!(late, ["after_close"]);
}

#[tokio::test]
async fn nothing_new_is_taken_after_the_grace() {
    let app = App::start().await;
    let campaign = app
        .campaign()
        .cells(3, 3)
        .with("grace_days", 2)
        .open()
        .await;
    let volunteer = app.volunteer().await;
    let cells = take(&campaign, &volunteer, 3).await;
    campaign.steer("close").await.expect(200);
    closed_everywhere(&app, &campaign).await;
    assert!(campaign.read().await["closed_at"].is_string());
    let stored = nothing(cells[0]);
    campaign.send(&volunteer, &stored).await.expect(201);
    let close_was = |ago: &str| {
        let sql = format!("UPDATE campaigns SET closed_at = now() - interval '{ago}'");
        let app = &app;
        async move { app.execute(&sql).await }
    };
    close_was("47 hours 59 minutes").await;
    campaign
        .send(&volunteer, &nothing(cells[1]))
        .await
        .expect(201);
    close_was("48 hours 1 second").await;
    let refused = eventually("the grace is over", || async {
        let sent = campaign.send(&volunteer, &nothing(cells[2])).await;
        (sent.status == 409).then_some(sent)
    })
    .await;
    refused.refused(409, "grace_over");
    // What is stored is answered as the first time.
    campaign.send(&volunteer, &stored).await.expect(200);
    // The organiser may be more patient.
    campaign.change(json!({"grace_days": 3})).await.expect(200);
    eventually("it is taken", || async {
        let sent = campaign.send(&volunteer, &nothing(cells[2])).await;
        (sent.status == 201).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_campaign_that_ends_by_itself_has_its_grace_from_then_on() {
    let app = App::start().await;
    let campaign = app.campaign().with("grace_days", 0).open().await;
    let volunteer = app.volunteer().await;
    let given = campaign.given(&volunteer, 1).await[0];
    let now = spotter::clock::Clock::default().now();
    campaign
        .change(json!({"ends_at": now.to_string()}))
        .await
        .expect(200);
    closed_everywhere(&app, &campaign).await;
    campaign
        .send(&volunteer, &nothing(given))
        .await
        .refused(409, "grace_over");
    let closed = eventually("the worker closes it", || async {
        let seen = campaign.read().await;
        (seen["state"] == "closed").then_some(seen)
    })
    .await;
    assert_eq!(closed["closed_at"], closed["ends_at"]);
}

#[tokio::test]
async fn a_grace_lasts_0_to_180_days() {
    let app = App::start().await;
    let layer = app
        .layer("https://tiles.example.org/{z}/{x}/{y}")
        .create()
        .await;
    let with = |days: u32| {
        app.campaign()
            .with("imagery_layer", layer.as_str())
            .with("grace_days", days)
    };
    for days in [0, 180] {
        assert_eq!(with(days).attempt().await.expect(201)["grace_days"], days);
    }
    with(181)
        .attempt()
        .await
        .refused_at("campaign_refused", "/grace_days");
    let usual = app
        .campaign()
        .with("imagery_layer", layer.as_str())
        .attempt()
        .await;
    assert_eq!(usual.expect(201)["grace_days"], 30);
}
