//! Where a phone stands: pages, late commits, other histories of the database.

use super::phone::{Phone, all_is_final, change, deleted, id_of, look, new, tag, with};
use crate::harness::{App, Value, eventually, fixtures::metric, id, json};

#[tokio::test]
async fn pages_may_end_within_one_transaction_and_nothing_is_skipped_or_doubled() {
    let app = App::start().await;
    let campaign = app.campaign().cells(5, 5).looks_wanted(9).open().await;
    let volunteer = app.volunteer().await;
    let mut phone = Phone::new(&volunteer, "looks");
    let looks: Vec<Value> = (0..57)
        .map(|n| look(&campaign, campaign.cells[n % 25], "nothing"))
        .collect();
    phone.pushes(looks.iter().map(new)).await;
    phone.is_given(57).await;
    let mut sizes = Vec::new();
    loop {
        let size = phone.page(10).await;
        sizes.push(size);
        if size < 10 {
            break;
        }
    }
    assert_eq!(sizes, [10, 10, 10, 10, 10, 7]);
    assert_eq!(phone.documents.len(), 57);
    let before = phone.at.clone();
    assert_eq!(phone.page(10).await, 0);
    assert_eq!(phone.at, before);
}

#[tokio::test]
async fn a_transaction_that_commits_late_is_not_skipped() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let mut phone = Phone::new(&volunteer, "looks");
    let late = app.sql().await;
    late.batch_execute(&format!(
        "BEGIN; INSERT INTO looks (volunteer_id, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, content_hash)
         VALUES ('{}', '{}', '{}', {}, 'nothing', 1, now(), now(), '')",
        volunteer.id, id(), campaign.id, campaign.cells[0].packed()
    ))
    .await
    .unwrap();
    let look = look(&campaign, campaign.cells[1], "nothing");
    phone.pushes([new(&look)]).await;
    for _ in 0..3 {
        phone.pull().await;
        assert!(phone.documents.is_empty());
    }
    late.batch_execute("COMMIT").await.unwrap();
    phone.has(2).await;
}

#[tokio::test]
async fn what_is_no_checkpoint_is_refused_in_a_way_that_no_client_takes_for_documents() {
    let app = App::start().await;
    let volunteer = app.volunteer().await;
    let pull = "/v1/sync/rxdb/looks/0/pull";
    for query in [
        "lwt=x&id=",
        "lwt=5&id=",
        "lwt=0&id=zebra",
        "lwt=5&id=7.zebra",
        "lwt=5&id=7.00000000-0000-0000-0000-000000000005",
        "lwt=-5&id=7.00000000-0000-0000-0000-000000000005.9",
    ] {
        let answer = volunteer.get(&format!("{pull}?{query}")).await;
        let problem = answer.refused(400, "invalid_checkpoint");
        assert_eq!(problem["error"], true, "{query}");
    }
    for limit in ["0", "1001", "-1", "x"] {
        let answer = volunteer.get(&format!("{pull}?limit={limit}")).await;
        answer.refused(400, "invalid_query");
    }
    for limit in ["1", "1000"] {
        let answer = volunteer.get(&format!("{pull}?limit={limit}")).await;
        answer.expect(200);
    }
}

#[tokio::test]
async fn problems_of_every_layer_are_marked() {
    let app = App::start().await;
    let volunteer = app.volunteer().await;
    let schema = volunteer.get("/v1/sync/rxdb/looks/1/pull").await;
    assert_eq!(schema.refused(426, "schema_outdated")["error"], true);
    let unknown = volunteer.get("/v1/sync/rxdb/yetis/0/pull").await;
    assert_eq!(unknown.refused(404, "not_found")["error"], true);
    let nowhere = volunteer.get("/v1/sync/nowhere").await;
    assert_eq!(nowhere.refused(404, "not_found")["error"], true);
    let nobody = app.public().get("/v1/sync/rxdb/looks/0/pull").await;
    assert_eq!(nobody.refused(401, "credentials_missing")["error"], true);
    let method = volunteer.delete("/v1/sync/rxdb/looks/0/pull").await;
    assert_eq!(method.refused(405, "method_not_allowed")["error"], true);
    let long = format!("/v1/sync/rxdb/looks/0/pull?id={}", "x".repeat(9000));
    let long = volunteer.get(&long).await;
    assert_eq!(long.refused(414, "address_too_long")["error"], true);
    let large = volunteer
        .post("/v1/sync/rxdb/looks/0/push")
        .header("Content-Type", "application/json")
        .body(" ".repeat(8 * 1024 * 1024 + 1))
        .await;
    assert_eq!(large.refused(413, "body_too_large")["error"], true);
    let elsewhere = volunteer.get("/v1/campaigns/none-such").await;
    assert_eq!(
        elsewhere.refused(404, "campaign_not_found")["error"],
        Value::Null
    );
    let pull_only = Phone::new(&volunteer, "campaigns").push([]).await;
    pull_only.refused(403, "pull_only");
}

#[tokio::test]
async fn a_push_has_a_thousand_documents_at_most() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let phone = Phone::new(&volunteer, "looks");
    let looks: Vec<Value> = (0..1001)
        .map(|n| new(&look(&campaign, campaign.cells[n % 4], "nothing")))
        .collect();
    let too_many = phone.push(looks.clone()).await;
    too_many.refused(413, "too_many_documents");
    phone.pushes(looks.into_iter().take(1000)).await;
}

#[tokio::test]
async fn a_checkpoint_of_another_history_or_from_the_future_must_start_again() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let mut phone = Phone::new(&volunteer, "looks");
    phone
        .pushes([new(&look(&campaign, campaign.cells[0], "nothing"))])
        .await;
    phone.has(1).await;
    let (lwt, id) = phone.at.clone();
    phone.at.0 = json!(lwt.as_i64().unwrap() + 1_000_000);
    phone.ask(10).await.refused(426, "sync_start_again");
    phone.at = (lwt.clone(), id.clone());
    phone.ask(10).await.expect(200);
    // As after a restore: the database says that it comes from another cluster.
    app.execute("UPDATE sync_epoch SET history = 'another'")
        .await;
    phone.must_start_again().await;
    phone.at = (json!(0), String::new());
    phone.documents.clear();
    phone.has(1).await;
    assert_ne!(phone.at.1, id);
    phone.at = (lwt, id);
    phone.ask(10).await.refused(426, "sync_start_again");
}

#[tokio::test]
async fn a_restore_into_the_same_database_is_another_history() {
    // As `pg_restore --clean`, and as `TRUNCATE` and `pg_restore --data-only`, leave the table.
    let anew = "CREATE TABLE copy (LIKE sync_epoch INCLUDING ALL); INSERT INTO copy SELECT * FROM sync_epoch;
                DROP TABLE sync_epoch; ALTER TABLE copy RENAME TO sync_epoch;
                ALTER TABLE sync_epoch RENAME CONSTRAINT copy_pkey TO sync_epoch_pkey";
    let filled = "CREATE TEMP TABLE copy AS SELECT * FROM sync_epoch;
                  TRUNCATE sync_epoch; INSERT INTO sync_epoch SELECT * FROM copy";
    for restore in [anew, filled] {
        let app = App::start().await;
        let campaign = app.campaign().open().await;
        let volunteer = app.volunteer().await;
        let mut phone = Phone::new(&volunteer, "looks");
        let look = look(&campaign, campaign.cells[0], "nothing");
        phone.pushes([new(&look)]).await;
        phone.has(1).await;
        let owner = app.sql().await;
        owner.batch_execute(restore).await.unwrap();
        phone.must_start_again().await;
        phone.at = (json!(0), String::new());
        phone.documents.clear();
        phone.has(1).await;
        assert_eq!(phone.ask(10).await.expect(200)["documents"], json!([]));
    }
}

#[tokio::test]
async fn whoever_missed_a_forgotten_tombstone_must_start_again_and_nobody_else() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = look(&campaign, campaign.cells[0], "tagged");
    Phone::new(&volunteer, "looks").pushes([new(&look)]).await;
    let (mut old, mut up_to_date) = (
        Phone::new(&volunteer, "tags"),
        Phone::new(&volunteer, "tags"),
    );
    let tags = [0.3, 0.6].map(|at| tag(&campaign, &look, campaign.cells[0].place(at, at)));
    old.pushes(tags.iter().map(new)).await;
    old.has(2).await;
    up_to_date
        .pushes([change(&tags[0], &deleted(&tags[0]))])
        .await;
    up_to_date
        .sees(id_of(&tags[0]), "/_deleted", &json!(true))
        .await;
    // Every server knows; the old one does not take it.
    old.is_given(1).await;
    app.execute(
        "UPDATE tags SET withdrawn_at = now() - interval '181 days' WHERE withdrawn_at IS NOT NULL",
    )
    .await;
    all_is_final(&app).await;
    let _worker = app.start_worker();
    eventually("the tombstone is forgotten", || async {
        (app.number("SELECT count(*) FROM tags").await == 1).then_some(())
    })
    .await;
    old.ask(10).await.refused(426, "sync_start_again");
    up_to_date.ask(10).await.expect(200);
    let mut fresh = Phone::new(&volunteer, "tags");
    fresh.has(1).await;
    // Now every server knows where the tags end, which is before what the old one read.
    fresh.is_given(0).await;
    old.must_start_again().await;
    // So it is at a server that meets the volunteer only now.
    let another = app.start_server(&[]).await;
    let someone = Phone::new(&app.volunteer().await.at(&another.url), "tags");
    eventually("it answers from memory", || async {
        someone.ask(10).await.expect(200);
        (metric(&someone.client, "sync_idle_pulls_total").await? > 0.0).then_some(())
    })
    .await;
    old.client = volunteer.at(&another.url);
    old.ask(10).await.refused(426, "sync_start_again");
    // What it has is pushed again, and the forgotten one goes.
    let answer = old.push(tags.iter().map(new)).await.expect(200);
    assert_eq!(answer, json!([deleted(&tags[0])]));
}

#[tokio::test]
async fn whoever_begins_after_a_tombstone_was_forgotten_reaches_the_end() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = look(&campaign, campaign.cells[0], "tagged");
    Phone::new(&volunteer, "looks").pushes([new(&look)]).await;
    let mut phone = Phone::new(&volunteer, "tags");
    let tags =
        [0.2, 0.4, 0.6, 0.8].map(|at| tag(&campaign, &look, campaign.cells[0].place(at, at)));
    phone.pushes(tags.iter().map(new)).await;
    phone.has(4).await;
    phone.pushes([change(&tags[3], &deleted(&tags[3]))]).await;
    phone.sees(id_of(&tags[3]), "/_deleted", &json!(true)).await;
    app.execute(
        "UPDATE tags SET withdrawn_at = now() - interval '181 days' WHERE withdrawn_at IS NOT NULL",
    )
    .await;
    all_is_final(&app).await;
    let _worker = app.start_worker();
    eventually("the tombstone is forgotten", || async {
        (app.number("SELECT count(*) FROM tags").await == 3).then_some(())
    })
    .await;
    let mut fresh = Phone::new(&volunteer, "tags");
    while fresh.page(1).await == 1 {}
    assert_eq!(fresh.documents.len(), 3);
}

#[tokio::test]
async fn a_page_that_ends_for_its_bytes_is_filled_up_so_that_the_client_goes_on() {
    let app = App::start().await;
    let campaign = app.campaign().cells(4, 4).open().await;
    let volunteer = app.volunteer().await;
    let mut phone = Phone::new(&volunteer, "tags");
    let looks: Vec<Value> = campaign
        .cells
        .iter()
        .map(|cell| look(&campaign, *cell, "tagged"))
        .collect();
    Phone::new(&volunteer, "looks")
        .pushes(looks.iter().map(new))
        .await;
    let tags: Vec<Value> = (0..160)
        .map(|n| {
            let (look, cell) = (&looks[n % 16], campaign.cells[n % 16]);
            let line: Vec<[f64; 2]> = (0..500)
                .map(|step| cell.place(f64::from(step) / 500.0, 0.123_456_789))
                .collect();
            let line = json!({"type": "LineString", "coordinates": line});
            with(
                &with(&tag(&campaign, look, [0.0, 0.0]), "geometry", line),
                "tag_type",
                "track",
            )
        })
        .collect();
    phone.pushes(tags.iter().map(new)).await;
    phone.is_given(1).await;
    assert_eq!(phone.page(150).await, 150);
    assert!(phone.documents.len() < 100);
    phone.has(160).await;
    for tag in &tags {
        assert_eq!(phone.documents[id_of(tag)], *tag);
    }
}

#[tokio::test]
async fn campaigns_are_given_to_all_when_they_are_open_and_again_when_they_change() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let _draft = app.campaign().draft().await;
    let mut phone = Phone::new(&app.volunteer().await, "campaigns");
    phone.has(1).await;
    let shown = phone.documents[&campaign.id].clone();
    let read = app.public().get(&campaign.path("")).await.json();
    for member in [
        "slug",
        "title",
        "instructions",
        "state",
        "version",
        "cell_zoom",
        "looks_wanted",
        "tag_types",
        "imagery",
    ] {
        assert_eq!(shown[member], read[member], "{member}");
    }
    campaign
        .steer("pause")
        .json(json!({"message": "Fog."}))
        .await
        .expect(200);
    phone.sees(&campaign.id, "/message", &json!("Fog.")).await;
    phone.sees(&campaign.id, "/state", &json!("paused")).await;
}
