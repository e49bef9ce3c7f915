//! Squares of packs as documents: they come, are answered, and go.

use super::phone::{Phone, all_is_final, id_of, look, new};
use crate::harness::{App, Campaign, Client, Value, eventually, id, json};

async fn take(campaign: &Campaign, volunteer: &Client, cells: u32) -> Value {
    let wanted = json!({"id": id(), "cells": cells});
    let path = campaign.path("/packs");
    volunteer.post(&path).json(wanted).await.expect(200)
}

#[tokio::test]
async fn squares_of_packs_come_as_documents_to_every_device() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).open().await;
    let (volunteer, other) = (app.volunteer().await, app.volunteer().await);
    let pack = take(&campaign, &volunteer, 5).await;
    take(&campaign, &other, 2).await;
    let mut phone = Phone::new(&volunteer, "assignments");
    phone.has(5).await;
    for one in pack["assignments"].as_array().unwrap() {
        let mut expected = one.clone();
        expected["pack_id"] = pack["id"].clone();
        expected["campaign"] = campaign.id.as_str().into();
        expected["_deleted"] = false.into();
        let mut found = phone.documents[id_of(one)].clone();
        let ends = found["lease_expires_at"]
            .as_str()
            .unwrap()
            .replace(".000Z", "Z");
        found["lease_expires_at"] = ends.into();
        assert_eq!(found, expected);
    }
    // Nothing new is nothing, wherever the page ends.
    assert_eq!(phone.page(1).await, 0);
    let mut second = Phone::new(&volunteer, "assignments");
    while second.page(2).await == 2 {}
    assert_eq!(second.documents, phone.documents);
    let refused = phone.push([new(&json!({"id": id()}))]).await;
    refused.refused(403, "pull_only");
}

#[tokio::test]
async fn an_answered_square_is_told_and_goes_a_day_later() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).open().await;
    let volunteer = app.volunteer().await;
    let pack = take(&campaign, &volunteer, 2).await;
    let mut phone = Phone::new(&volunteer, "assignments");
    phone.has(2).await;
    let first = id_of(&pack["assignments"][0]).to_owned();
    let cell = crate::harness::fixtures::cells_of(&pack)[0];
    let looks = Phone::new(&volunteer, "looks");
    looks.pushes([new(&look(&campaign, cell, "nothing"))]).await;
    phone.sees(&first, "/state", &json!("answered")).await;
    assert_eq!(phone.documents[&first]["_deleted"], false);
    app.execute(
        "UPDATE pack_cells SET changed_at = now() - interval '25 hours' WHERE state = 'answered'",
    )
    .await;
    phone.sees(&first, "/_deleted", &json!(true)).await;
    let second = id_of(&pack["assignments"][1]).to_owned();
    assert_eq!(phone.documents[&second]["state"], "open");
    app.execute("UPDATE pack_cells SET lease_expires_at = now()")
        .await;
    phone.sees(&second, "/_deleted", &json!(true)).await;
}

#[tokio::test]
async fn what_is_given_back_goes_on_all_devices() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).open().await;
    let volunteer = app.volunteer().await;
    let pack = take(&campaign, &volunteer, 3).await;
    let mut phone = Phone::new(&volunteer, "assignments");
    phone.has(3).await;
    let path = campaign.path(&format!("/packs/{}", id_of(&pack)));
    volunteer.delete(&path).await.expect(200);
    phone
        .pull_until("all are gone", |phone| {
            phone.documents.values().all(|one| one["_deleted"] == true)
        })
        .await;
    // A table of WatermelonDB begins without what went.
    let pulled = volunteer
        .get("/v1/sync/watermelondb?last_pulled_at=null&schema_version=0&migration=null")
        .await
        .expect(200);
    assert_eq!(
        pulled["changes"]["assignments"]["updated"],
        json!([]),
        "{pulled}"
    );
}

#[tokio::test]
async fn a_phone_from_before_squares_were_forgotten_is_told_to_start_again() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).open().await;
    let volunteer = app.volunteer().await;
    let pack = take(&campaign, &volunteer, 3).await;
    let mut phone = Phone::new(&volunteer, "assignments");
    phone.has(3).await;
    let path = campaign.path(&format!("/packs/{}", id_of(&pack)));
    volunteer.delete(&path).await.expect(200);
    // Every server knows; the phone does not take it.
    phone.is_given(3).await;
    app.execute("UPDATE pack_cells SET changed_at = now() - interval '181 days'")
        .await;
    all_is_final(&app).await;
    // The worker forgets when it starts, and then each minute.
    let _worker = app.start_worker();
    let refused = eventually("they are forgotten", || async {
        let asked = phone.ask(100).await;
        (asked.status == 426).then_some(asked)
    })
    .await;
    refused.refused(426, "sync_start_again");
    assert_eq!(app.number("SELECT count(*) FROM pack_cells").await, 0);
}
