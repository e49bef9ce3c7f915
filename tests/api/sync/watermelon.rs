//! The wire of `WatermelonDB`.

use super::phone::{Phone, deleted, id_of, look, new, tag, with};
use crate::harness::{App, Campaign, Client, Reply, Value, eventually, json};

async fn pull(volunteer: &Client, since: &Value) -> Value {
    let path =
        format!("/v1/sync/watermelondb?last_pulled_at={since}&schema_version=1&migration=null");
    volunteer.get(&path).await.expect(200)
}

/// Pulls until something holds; other tests hold back what is final.
async fn pull_until(volunteer: &Client, since: &Value, holds: impl Fn(&Value) -> bool) -> Value {
    eventually("a pull has it", || async {
        let pulled = pull(volunteer, since).await;
        holds(&pulled).then_some(pulled)
    })
    .await
}

async fn push(volunteer: &Client, since: &Value, changes: Value) -> Reply {
    let path = format!("/v1/sync/watermelondb?last_pulled_at={since}");
    volunteer.post(&path).json(changes).await
}

fn row(document: &Value) -> Value {
    let mut row = document.clone();
    let members = row.as_object_mut().unwrap();
    members.remove("_deleted");
    if let Some(geometry) = members.get_mut("geometry") {
        *geometry = geometry.to_string().into();
    }
    members.insert("_status".to_owned(), "created".into());
    members.insert("_changed".to_owned(), "".into());
    row
}

fn rows<'a>(pulled: &'a Value, table: &str, kind: &str) -> &'a Vec<Value> {
    pulled["changes"][table][kind].as_array().unwrap()
}

/// A look and a tag that are stored, with a pull that has both.
async fn stored(campaign: &Campaign, volunteer: &Client) -> (Value, Value, Value) {
    let look = look(campaign, campaign.cells[0], "tagged");
    let tag = tag(campaign, &look, campaign.cells[0].middle());
    let changes = json!({
        "looks": {"created": [row(&look)], "updated": [], "deleted": []},
        "tags": {"created": [row(&tag)], "updated": [], "deleted": []},
        "campaigns": {"created": [], "updated": [], "deleted": []}});
    push(volunteer, &Value::Null, changes).await.expect(204);
    let pulled = pull_until(volunteer, &Value::Null, |pulled| {
        rows(pulled, "tags", "updated").len() == 1
    })
    .await;
    (look, tag, pulled)
}

#[tokio::test]
async fn a_push_is_pulled_on_another_device_as_rows() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let (look, tag, pulled) = stored(&campaign, &volunteer).await;
    let got = &rows(&pulled, "looks", "updated")[0];
    assert_eq!(got["id"], look["id"]);
    assert_eq!(got["campaign_version"], Value::Null);
    let got = &rows(&pulled, "tags", "updated")[0];
    assert_eq!(got["note"], Value::Null);
    let geometry: Value = serde_json::from_str(got["geometry"].as_str().unwrap()).unwrap();
    assert_eq!(geometry, tag["geometry"]);
    let shown = &rows(&pulled, "campaigns", "updated")[0];
    assert!(shown["title"].as_str().unwrap().starts_with('{'));
    assert!(pulled["timestamp"].as_i64().unwrap() < 1 << 53);
    assert_eq!(pulled["more"], false);
    // Nothing new: nothing comes.
    let again = pull(&volunteer, &pulled["timestamp"]).await;
    for table in ["looks", "tags", "campaigns"] {
        assert!(rows(&again, table, "updated").is_empty(), "{again}");
    }
    // The other wire has the same.
    let mut phone = Phone::new(&volunteer, "tags");
    phone.has(1).await;
    assert_eq!(phone.documents[id_of(&tag)], tag);
}

#[tokio::test]
async fn a_push_that_is_repeated_stores_nothing_twice() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let (look, tag, pulled) = stored(&campaign, &volunteer).await;
    let changes = json!({"looks": {"created": [row(&look)]}, "tags": {"created": [row(&tag)]}});
    for since in [&Value::Null, &pulled["timestamp"]] {
        push(&volunteer, since, changes.clone()).await.expect(204);
    }
    assert_eq!(
        app.number("SELECT count(*) + sum(revision) FROM tags")
            .await,
        2
    );
}

#[tokio::test]
async fn a_tag_that_changed_since_the_pull_stops_the_push_as_a_whole() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let (_, tag, pulled) = stored(&campaign, &volunteer).await;
    let since = &pulled["timestamp"];
    let mine = json!({"tags": {"updated": [row(&with(&tag, "note", "mine"))]}});
    push(&volunteer, since, mine).await.expect(204);
    let other = look(&campaign, campaign.cells[1], "nothing");
    let theirs = json!({
        "looks": {"created": [row(&other)]},
        "tags": {"updated": [row(&with(&tag, "note", "theirs"))], "deleted": []}});
    let stopped = push(&volunteer, since, theirs.clone()).await;
    assert_eq!(stopped.refused(409, "changed_since_pull")["error"], true);
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 1);
    let newer = pull_until(&volunteer, since, |pulled| {
        let rows = rows(pulled, "tags", "updated");
        rows.iter().any(|row| row["note"] == "mine")
    })
    .await;
    push(&volunteer, &newer["timestamp"], theirs)
        .await
        .expect(204);
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 2);
    let gone = json!({"tags": {"deleted": [tag["id"], "01932b3a-7c00-7000-8000-000000000001", "no-uuid"]}});
    let newest = pull_until(&volunteer, &newer["timestamp"], |pulled| {
        !rows(pulled, "tags", "updated").is_empty()
    })
    .await;
    push(&volunteer, &newest["timestamp"], gone)
        .await
        .expect(204);
    let last = pull_until(&volunteer, &newest["timestamp"], |pulled| {
        !rows(pulled, "tags", "deleted").is_empty()
    })
    .await;
    assert_eq!(*rows(&last, "tags", "deleted"), [tag["id"].clone()]);
}

#[tokio::test]
async fn rows_that_cannot_be_stored_stop_nothing_and_the_next_pull_deletes_them() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let (good, kept, pulled) = stored(&campaign, &volunteer).await;
    let since = &pulled["timestamp"];
    let bad_look = look(&campaign, campaign.cells[0].step(50, 50), "nothing");
    let bad_tag = tag(&campaign, &good, campaign.cells[1].middle());
    let moved = with(&kept, "geometry", bad_tag["geometry"].clone());
    let changes = json!({
        "looks": {"created": [row(&bad_look), row(&with(&bad_look, "id", "no-uuid"))],
                  "updated": [row(&with(&good, "outcome", "skipped"))], "deleted": [good["id"]]},
        "tags": {"created": [row(&bad_tag)], "updated": [row(&moved)]}});
    push(&volunteer, since, changes).await.expect(204);
    let next = pull_until(&volunteer, since, |pulled| {
        !rows(pulled, "tags", "deleted").is_empty()
    })
    .await;
    assert_eq!(*rows(&next, "tags", "deleted"), [bad_tag["id"].clone()]);
    let mut gone = rows(&next, "looks", "deleted").clone();
    gone.sort_by_key(Value::to_string);
    assert_eq!(gone, [bad_look["id"].clone(), json!("no-uuid")]);
    // An edit that does not fit is undone: the row comes again as it is here.
    let again = &rows(&next, "tags", "updated")[0];
    assert_eq!(again["id"], kept["id"]);
    assert_eq!(again["geometry"], kept["geometry"].to_string());
}

#[tokio::test]
async fn withdrawn_tags_are_deleted_rows_in_a_first_pull_too() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let (_, tag, pulled) = stored(&campaign, &volunteer).await;
    let phone = Phone::new(&volunteer, "tags");
    let row = json!({"newDocumentState": deleted(&tag), "assumedMasterState": tag});
    phone.pushes([row]).await;
    let next = pull_until(&volunteer, &pulled["timestamp"], |pulled| {
        !rows(pulled, "tags", "deleted").is_empty()
    })
    .await;
    assert_eq!(*rows(&next, "tags", "deleted"), [tag["id"].clone()]);
    let first = pull(&volunteer, &Value::Null).await;
    assert!(rows(&first, "tags", "updated").is_empty());
    assert_eq!(*rows(&first, "tags", "deleted"), [tag["id"].clone()]);
}

#[tokio::test]
async fn tables_that_are_new_to_the_app_come_as_a_whole() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let (_, _, pulled) = stored(&campaign, &volunteer).await;
    let since = &pulled["timestamp"];
    let migration = r#"{"from":1,"tables":["tags"],"columns":[{"table":"looks","columns":["x"]}]}"#;
    let path = format!(
        "/v1/sync/watermelondb?last_pulled_at={since}&schema_version=2&migration={migration}"
    );
    let pulled = volunteer.get(&path).await.expect(200);
    assert_eq!(rows(&pulled, "tags", "updated").len(), 1);
    assert_eq!(rows(&pulled, "looks", "updated").len(), 1);
    assert_eq!(rows(&pulled, "campaigns", "updated").len(), 0);
}

#[tokio::test]
async fn a_timestamp_of_another_history_must_start_again_on_both_calls() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let (_, _, pulled) = stored(&campaign, &volunteer).await;
    let since = pulled["timestamp"].as_i64().unwrap();
    for other in [since + 1_000_000, since ^ (1 << 41)] {
        let path = format!("/v1/sync/watermelondb?last_pulled_at={other}");
        volunteer.get(&path).await.refused(426, "sync_start_again");
        let pushed = push(&volunteer, &json!(other), json!({})).await;
        assert_eq!(pushed.refused(426, "sync_start_again")["error"], true);
    }
    app.execute("UPDATE sync_epoch SET history = 'another'")
        .await;
    let path = format!("/v1/sync/watermelondb?last_pulled_at={since}");
    let refused = eventually("the server follows the other history", || async {
        let pulled = volunteer.get(&path).await;
        (pulled.status != 200).then_some(pulled)
    })
    .await;
    refused.refused(426, "sync_start_again");
    let path = "/v1/sync/watermelondb?last_pulled_at=x";
    volunteer.get(path).await.refused(400, "invalid_checkpoint");
}

#[tokio::test]
async fn a_push_has_twenty_thousand_rows_at_most() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let gone: Vec<Value> = (0..20_001).map(|n| json!(n.to_string())).collect();
    let too_many = push(&volunteer, &Value::Null, json!({"tags": {"deleted": gone}})).await;
    too_many.refused(413, "too_many_documents");
    let most = push(
        &volunteer,
        &Value::Null,
        json!({"tags": {"deleted": gone[1..]}}),
    )
    .await;
    most.expect(204);
    Phone::new(&volunteer, "looks")
        .pushes([new(&look(&campaign, campaign.cells[0], "nothing"))])
        .await;
}
