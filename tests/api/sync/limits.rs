//! What phones may do, and that no refusal is taken for documents.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

use super::{
    super::modes,
    phone::{Phone, all_is_final, deleted, look, new, tag},
};
use crate::harness::{App, Value, json};

#[tokio::test]
async fn a_day_of_offline_work_is_one_burst_that_no_limit_refuses() {
    let app = App::start().await;
    let campaign = app.campaign().cells(20, 10).looks_wanted(9).open().await;
    let volunteer = app.volunteer().await;
    let cell = |n: usize| campaign.cells[n % 200];
    let looks: Vec<Value> = (0..1000)
        .map(|n| look(&campaign, cell(n), "tagged"))
        .collect();
    let tags: Vec<Value> = (0..3000)
        .map(|n| tag(&campaign, &looks[n % 1000], cell(n % 1000).place(0.3, 0.6)))
        .collect();
    let (mut one, mut two) = (
        Phone::new(&volunteer, "looks"),
        Phone::new(&volunteer, "tags"),
    );
    one.pushes(looks.iter().map(new)).await;
    for part in tags.chunks(1000) {
        two.pushes(part.iter().map(new)).await;
    }
    // Its answers were all lost.
    one.pushes(looks.iter().map(new)).await;
    for part in tags.chunks(1000) {
        two.pushes(part.iter().map(new)).await;
    }
    one.has(1000).await;
    two.has(3000).await;
    campaign.progress_shows("/looks", 1000).await;
    campaign.progress_shows("/tags", 3000).await;
}

#[tokio::test]
async fn a_look_is_a_call_and_so_are_four_tags() {
    let app = App::builder()
        .servers(1)
        .setting("RATE_VOLUNTEER", "6/86400")
        .start()
        .await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let phone = Phone::new(&volunteer, "looks");
    let look = |n: usize| look(&campaign, campaign.cells[n % 4], "tagged");
    let first = look(0);
    phone.pushes([&first, &look(1), &look(2)].map(new)).await;
    let tags = Phone::new(&volunteer, "tags");
    let tag = || new(&tag(&campaign, &first, campaign.cells[0].middle()));
    tags.pushes((0..4).map(|_| tag())).await;
    let refused = phone.push([new(&look(0)), new(&look(1))]).await;
    assert_eq!(refused.refused(429, "too_many_requests")["error"], true);
    assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
    phone.pushes([new(&look(0))]).await;
    let refused = phone.ask(10).await;
    assert_eq!(refused.refused(429, "too_many_requests")["error"], true);
}

#[tokio::test]
async fn in_every_mode_the_refusal_is_marked() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let phone = Phone::new(&app.volunteer().await, "looks");
    let look = look(&campaign, campaign.cells[0], "nothing");
    modes::set(&app, &["read_only"]).await;
    let refused = phone.push([new(&look)]).await;
    assert_eq!(refused.refused(503, "read_only")["error"], true);
    phone.ask(10).await.expect(200);
    modes::set(&app, &["maintenance"]).await;
    let refused = phone.ask(10).await;
    assert_eq!(refused.refused(503, "maintenance")["error"], true);
    modes::set(&app, &["normal"]).await;
    phone.pushes([new(&look)]).await;
}

#[tokio::test]
async fn pushes_may_be_packed_and_pulls_are() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let looks: Vec<Value> = (0..50)
        .map(|n| new(&look(&campaign, campaign.cells[n % 4], "nothing")))
        .collect();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed
        .write_all(json!(looks).to_string().as_bytes())
        .unwrap();
    let pushed = volunteer
        .post("/v1/sync/rxdb/looks/0/push")
        .header("Content-Type", "application/json")
        .header("Content-Encoding", "gzip")
        .body(packed.finish().unwrap())
        .await;
    assert_eq!(pushed.expect(200), json!([]));
    Phone::new(&volunteer, "looks").is_given(50).await;
    let pulled = volunteer
        .get("/v1/sync/rxdb/looks/0/pull?limit=1000")
        .header("Accept-Encoding", "gzip")
        .await;
    assert_eq!(pulled.header("content-encoding"), "gzip");
    assert!(pulled.body.len() < 6000, "{}", pulled.body.len());
}

#[tokio::test]
async fn twenty_thousand_tags_may_wait_for_their_looks() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let unsent = look(&campaign, campaign.cells[0], "tagged");
    let phone = Phone::new(&volunteer, "tags");
    let one = tag(&campaign, &unsent, campaign.cells[0].middle());
    let other = tag(&campaign, &unsent, campaign.cells[0].middle());
    phone.pushes([new(&one)]).await;
    app.execute(
        "INSERT INTO waiting_tags (volunteer_id, id, look_id, campaign_id, tag_type, place)
         SELECT volunteer_id, gen_random_uuid(), gen_random_uuid(), campaign_id, tag_type, place
         FROM waiting_tags, generate_series(1, 19999)",
    )
    .await;
    let full = phone.push([new(&other)]).await;
    assert_eq!(full.refused(503, "looks_missing")["error"], true);
    app.execute(
        "DELETE FROM waiting_tags WHERE id = (SELECT id FROM waiting_tags WHERE look_id <> id LIMIT 1)",
    )
    .await;
    phone.pushes([new(&other)]).await;
}

#[tokio::test]
async fn what_was_answered_as_a_conflict_may_be_pushed_as_it_was_answered() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let phone = Phone::new(&volunteer, "looks");
    let bad = look(&campaign, campaign.cells[0].step(50, 50), "nothing");
    let gone = deleted(&bad);
    assert_eq!(phone.push([new(&bad)]).await.expect(200), json!([gone]));
    let resolved = json!({"newDocumentState": gone, "assumedMasterState": gone});
    phone.pushes([resolved]).await;
}

#[tokio::test]
async fn a_long_pull_of_watermelondb_comes_in_pieces_that_end_where_a_transaction_does() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let sql = app.sql().await;
    for _ in 0..5 {
        let looks = format!(
            "INSERT INTO looks (volunteer_id, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, content_hash)
             SELECT '{}', gen_random_uuid(), '{}', {}, 'skipped', 1, now(), now(), '' FROM generate_series(1, 6000)",
            volunteer.id, campaign.id, campaign.cells[0].packed()
        );
        sql.batch_execute(&looks).await.unwrap();
    }
    let mut since = json!(null);
    let mut found = std::collections::BTreeSet::new();
    let mut pieces = 0;
    all_is_final(&app).await;
    Phone::new(&volunteer, "looks").is_given(1).await;
    while found.len() < 30_000 {
        let path = format!("/v1/sync/watermelondb?last_pulled_at={since}");
        let pulled = volunteer.get(&path).await.expect(200);
        let rows = pulled["changes"]["looks"]["updated"].as_array().unwrap();
        for row in rows {
            assert!(found.insert(row["id"].as_str().unwrap().to_owned()));
        }
        pieces += usize::from(pulled["more"] == true);
        since = pulled["timestamp"].clone();
    }
    assert_eq!(found.len(), 30_000);
    assert!(pieces >= 1);
}

#[tokio::test]
async fn so_does_one_of_large_rows_long_before_there_are_many() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = look(&campaign, campaign.cells[0], "tagged");
    Phone::new(&volunteer, "looks").pushes([new(&look)]).await;
    let sql = app.sql().await;
    // 500 vertices each, of which some 65 fill a page.
    for _ in 0..4 {
        let tags = format!(
            "INSERT INTO tags (volunteer_id, id, look_id, campaign_id, cell, tag_type, place, campaign_version)
             SELECT '{}', gen_random_uuid(), '{}', '{}', {}, 'wreckage', line.place, 1
             FROM (SELECT ST_SetSRID(ST_MakeLine(array_agg(ST_MakePoint(n * 0.001, n * 0.001))), 4326) AS place
                   FROM generate_series(1, 500) AS n) AS line, generate_series(1, 500)",
            volunteer.id, look["id"].as_str().unwrap(), campaign.id, campaign.cells[0].packed()
        );
        sql.batch_execute(&tags).await.unwrap();
    }
    all_is_final(&app).await;
    let mut since = json!(null);
    let mut pieces = Vec::new();
    while pieces.iter().sum::<usize>() < 2000 {
        let path = format!("/v1/sync/watermelondb?last_pulled_at={since}");
        let pulled = volunteer.get(&path).await.expect(200);
        let rows = pulled["changes"]["tags"]["updated"].as_array().unwrap();
        pieces.push(rows.len());
        since = pulled["timestamp"].clone();
    }
    // 20 pages end in the third transaction, which comes whole the next time.
    assert_eq!(pieces, [1000, 1000]);
}
