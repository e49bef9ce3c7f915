//! The same over the wire of `WatermelonDB`.

use super::{IDLE, Phone, has_heard, stage, two_servers_that_follow};
use crate::harness::{
    App, Campaign, Cell, Client, Value, eventually, fixtures::metric, json, nothing,
};

/// A look as it is pushed.
fn sync_look(campaign: &Campaign, cell: Cell) -> Value {
    let mut look = nothing(cell);
    let members = look.as_object_mut().unwrap();
    members.remove("tags");
    members.insert("campaign".to_owned(), campaign.id.clone().into());
    look
}

#[tokio::test]
async fn a_watermelon_that_had_everything_costs_no_statement_at_another_server() {
    let (app, campaign, mut watcher) = two_servers_that_follow().await;
    let volunteer = app.volunteer().await;
    let [here, there] = [0, 1].map(|nth| volunteer.at(&app.servers[nth].url));
    let look = sync_look(&campaign, campaign.cells[0]);
    let changes = json!({"looks": {"created": [look]}});
    watermelon_push(&here, changes).await;
    let since = eventually("the look is final", || async {
        let pulled = watermelon_pull(&here, &Value::Null).await;
        (looks_of(&pulled) == 1).then(|| pulled["timestamp"].clone())
    })
    .await;
    has_heard(&campaign, &mut watcher).await;
    let before = metric(&there, IDLE).await;
    let pulled = watermelon_pull(&there, &since).await;
    assert_eq!((looks_of(&pulled), &pulled["timestamp"]), (0, &since));
    assert!(metric(&there, IDLE).await > before);
    campaign.look_at(&here, campaign.cells[1]).await;
    eventually("the other look comes", || async {
        (looks_of(&watermelon_pull(&there, &since).await) == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_watermelon_of_another_history_becomes_known_where_nobody_else_asks() {
    let app = App::builder().servers(1).start().await;
    let volunteer = app.volunteer().await;
    let idle = async || metric(&volunteer, IDLE).await.unwrap_or_default();
    let mut before = idle().await;
    for history in ["the first", "the second"] {
        let since = eventually(history, async || {
            let first = watermelon_pull(&volunteer, &Value::Null).await;
            let since = &first["timestamp"];
            watermelon_pull(&volunteer, since).await;
            (idle().await > before).then(|| since.clone())
        })
        .await;
        app.execute("UPDATE sync_epoch SET history = ''").await;
        volunteer
            .get(&format!("/v1/sync/watermelondb?last_pulled_at={since}"))
            .await
            .refused(426, "sync_start_again");
        before = idle().await;
    }
}

#[tokio::test]
async fn what_was_refused_is_told_though_another_device_had_all_documents() {
    let app = App::builder().servers(1).start().await;
    let (campaign, volunteer) = stage(&app).await;
    let since = watermelon_pull(&volunteer, &Value::Null).await["timestamp"].clone();
    // Of a look without a right id no document tells.
    let mut bad = sync_look(&campaign, campaign.cells[0]);
    bad["id"] = "no-uuid".into();
    watermelon_push(&volunteer, json!({"looks": {"created": [bad]}})).await;
    for collection in ["campaigns", "assignments", "receipts", "tags", "looks"] {
        let mut phone = Phone::new(volunteer.clone(), collection);
        while phone.poll().await > 0 {}
        phone.rest().await;
    }
    eventually("the phone is told", || async {
        let pulled = watermelon_pull(&volunteer, &since).await;
        (pulled["changes"]["looks"]["deleted"] == json!(["no-uuid"])).then_some(())
    })
    .await;
}

async fn watermelon_pull(client: &Client, since: &Value) -> Value {
    let path = format!("/v1/sync/watermelondb?last_pulled_at={since}");
    client.get(&path).await.expect(200)
}

async fn watermelon_push(client: &Client, changes: Value) {
    let push = client.post("/v1/sync/watermelondb?last_pulled_at=null");
    push.json(changes).await.expect(204);
}

fn looks_of(pulled: &Value) -> usize {
    pulled["changes"]["looks"]["updated"]
        .as_array()
        .unwrap()
        .len()
}
