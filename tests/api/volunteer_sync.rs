//! Devices that sync, and are linked or forgotten.

use std::{cell::RefCell, collections::BTreeSet};

use super::{
    packs::{cell_set, take},
    volunteer_forgetting::{forget, rows_of},
    volunteer_links::{link, right, settled},
};
use crate::harness::{App, Client, Value, eventually, id, json, nothing, point, tagged};

/// All looks that a device gets from a place on, and where it stands then.
async fn pull(device: &Client, from: &Value) -> (u16, Vec<Value>, Value) {
    let (lwt, place) = (&from["lwt"], from["id"].as_str().unwrap());
    let address = format!("/v1/sync/rxdb/looks/0/pull?lwt={lwt}&id={place}&limit=100");
    let reply = device.get(&address).await;
    let body = reply.json();
    let documents = body["documents"].as_array().cloned().unwrap_or_default();
    (reply.status, documents, body["checkpoint"].clone())
}

#[tokio::test]
async fn a_linked_device_starts_again_once_and_gets_all_that_is_the_volunteers() {
    let app = App::builder().servers(1).start().await;
    let campaign = app.campaign().cells(3, 3).looks_wanted(3).open().await;
    let (phone, tablet) = (app.volunteer().await, app.volunteer().await);
    let beginning = json!({"lwt": 0, "id": ""});
    campaign.look_at(&phone, campaign.cells[0]).await;
    campaign.look_at(&tablet, campaign.cells[1]).await;
    let everything_of = async |device: &Client| {
        eventually("the look is final", || async {
            let (_, documents, place) = pull(device, &beginning).await;
            (documents.len() == 1).then_some(place)
        })
        .await
    };
    let of_tablet = everything_of(&tablet).await;
    let of_phone = everything_of(&phone).await;
    let before = tablet.get("/v1/sync/watermelondb").await.expect(200)["timestamp"].clone();
    let linked = link(&tablet, &phone).await;
    right(&app).await;
    for device in [&tablet, &linked] {
        assert_eq!(pull(device, &of_tablet).await.0, 426);
        device
            .get(&format!("/v1/sync/watermelondb?last_pulled_at={before}"))
            .await
            .refused(426, "sync_start_again");
        let (_, documents, place) = pull(device, &beginning).await;
        assert_eq!(documents.len(), 2);
        let (status, documents, again) = pull(device, &place).await;
        assert_eq!((status, documents.len()), (200, 0));
        assert_eq!(again, place);
        let all = device.get("/v1/sync/watermelondb").await.expect(200);
        let since = format!("/v1/sync/watermelondb?last_pulled_at={}", all["timestamp"]);
        device.get(&since).await.expect(200);
    }
    eventually("the phone goes on, and gets the tablet's look", || async {
        let (status, documents, _) = pull(&phone, &of_phone).await;
        assert_eq!(status, 200);
        (documents.len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_look_is_the_volunteers_and_can_be_forgotten() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).looks_wanted(3).open().await;
    let (phone, tablet) = (app.volunteer().await, app.volunteer().await);
    let waiting = json!([{"newDocumentState": {"id": id(), "look_id": id(), "campaign": campaign.id, "tag_type": "wreckage",
        "geometry": {"type": "Point", "coordinates": campaign.cells[0].middle()}, "_deleted": false}}]);
    let pushed = tablet
        .post("/v1/sync/rxdb/tags/0/push")
        .json(&waiting)
        .await;
    assert_eq!(pushed.expect(200), json!([]));
    campaign
        .send(
            &tablet,
            &tagged(campaign.cells[1], [point(campaign.cells[1].middle())]),
        )
        .await
        .expect(201);
    let linked = link(&tablet, &phone).await;
    settled(&app).await;
    let all = linked.get("/v1/volunteers/me/export").await.expect(200);
    assert_eq!(all["waiting_tags"].as_array().unwrap().len(), 1);
    assert_eq!(all["waiting_tags"][0]["geometry"]["type"], "Point");
    assert_eq!(all["looks"].as_array().unwrap().len(), 1);
    assert_eq!(all["tags"].as_array().unwrap().len(), 1);
    campaign
        .send(&phone, &nothing(campaign.cells[2]))
        .await
        .expect(201);
    phone
        .delete("/v1/volunteers/me?confirm=forget")
        .await
        .expect(202);
    right(&app).await;
    assert_eq!(app.number("SELECT count(*) FROM waiting_tags").await, 0);
    campaign.progress_shows("/looks", 0).await;
}

#[tokio::test]
async fn squares_that_who_was_forgotten_had_along_are_given_to_others() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().looks_wanted(1).open().await;
    let (volunteer, other) = (app.volunteer().await, app.volunteer().await);
    let pack = take(&campaign, &volunteer, 4).await;
    let squares = cell_set(&pack);
    assert_eq!(squares.len(), 4);
    assert_eq!(campaign.given(&other, 4).await, []);
    forget(&volunteer).await;
    let given = RefCell::new(BTreeSet::new());
    eventually("all of them are given", || async {
        let more = campaign.given(&other, 4).await;
        given.borrow_mut().extend(more);
        (*given.borrow() == squares).then_some(())
    })
    .await;
    eventually("nothing is left", || async {
        (rows_of(&app, &volunteer.id).await == 0).then_some(())
    })
    .await;
    right(&app).await;
}
