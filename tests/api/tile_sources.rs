//! Sources are asked gently, and what they send is not trusted.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::harness::{
    App, Client, Source, eventually,
    fixtures::{LayerBuilder, at_once, metric},
    json,
    source::BLANK,
};

fn layer<'a>(app: &'a App, source: &Source, kind: &str) -> LayerBuilder<'a> {
    app.layer(&source.url(&format!("/{kind}/{{z}}/{{x}}/{{y}}")))
}

fn each(app: &App) -> Vec<Client> {
    let servers = app.servers.iter();
    servers.map(|server| app.public().at(&server.url)).collect()
}

#[tokio::test]
async fn all_servers_together_ask_a_source_for_few_tiles_at_once() {
    let app = App::builder().servers(2).start().await;
    let source = Source::start().await;
    let held = layer(&app, &source, "held").with("max_concurrent_fetches", 2);
    let key = held.create().await;
    let servers = each(&app);
    let calls = (0..8).map(|y| servers[y % 2].get(&format!("/v1/imagery/{key}/3/5/{y}")));
    let letting_go = async {
        for done in 0..8_usize {
            let wanted = (done + 2).min(8);
            eventually("as many are asked for as may be", || async {
                (source.asked().len() == wanted).then_some(())
            })
            .await;
            source.release_some(1);
        }
    };
    let (answers, ()) = futures_util::future::join(at_once(calls), letting_go).await;
    for answer in &answers {
        answer.expect_status(200);
    }
    assert_eq!(source.most_at_once(), 2);
}

#[tokio::test]
async fn all_servers_together_ask_a_source_for_few_tiles_a_second() {
    let app = App::builder().servers(2).start().await;
    let source = Source::start().await;
    let slow = layer(&app, &source, "png").with("max_fetches_per_second", 10);
    let key = slow.create().await;
    let servers = each(&app);
    let begun = Instant::now();
    let tiles = (0..20).map(|n| (n % 4, n / 4));
    let calls =
        tiles.map(|(x, y)| servers[(x + y) % 2].get(&format!("/v1/imagery/{key}/3/{x}/{y}")));
    for answer in at_once(calls).await {
        answer.expect_status(200);
    }
    assert_eq!(source.asked().len(), 20);
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(1900), "{took:?}");
}

#[tokio::test]
async fn a_source_that_asks_for_patience_gets_it() {
    let app = App::start().await;
    let source = Source::start().await;
    let key = layer(&app, &source, "busy").create().await;
    let tile = app.public().get(&format!("/v1/imagery/{key}/3/5/2"));
    tile.await.expect_status(200);
    let times = source.times();
    assert_eq!(times.len(), 2);
    assert!(times[1] - times[0] >= Duration::from_secs(1), "{times:?}");
}

#[tokio::test]
async fn a_source_that_fails_is_left_alone_and_tried_by_one() {
    let app = App::builder().servers(2).start().await;
    let source = Source::start().await;
    let sick = layer(&app, &source, "sick").with("max_concurrent_fetches", 4);
    let key = sick.create().await;
    let servers = each(&app);
    let path = |n: usize| format!("/v1/imagery/{key}/5/{}/{}", n % 8, n / 8);
    let calls = (0..40).map(|n| servers[n % 2].get(&path(n)));
    let answers = at_once(calls).await;
    for answer in &answers {
        assert!(matches!(answer.status, 502 | 503), "{answer:?}");
        assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let resting = answers.iter().filter(|answer| answer.status == 503);
    assert!(resting.count() >= 20, "{answers:?}");
    // Five failures and what was under way; then one at a time finds out, ever more seldom.
    let asked = source.asked().len();
    assert!(asked <= 14, "{:?}", source.asked());
    let gauge = format!("tile_source_resting{{layer=\"{key}\"}}");
    assert_eq!(metric(&servers[0], &gauge).await, Some(1.0));

    source.heal();
    for (n, server) in servers.iter().enumerate() {
        eventually("it is found to be well", || async {
            (server.get(&path(n)).await.status == 200).then_some(())
        })
        .await;
        assert_eq!(metric(server, &gauge).await, Some(0.0));
    }
    assert!(source.asked().len() <= asked + 3, "{:?}", source.asked());
}

#[tokio::test]
async fn what_a_source_does_not_have_is_remembered_by_all_servers() {
    let app = App::builder().servers(2).start().await;
    let source = Source::start().await;
    let mut hash = String::new();
    for byte in Sha256::digest(BLANK) {
        write!(hash, "{byte:02X}").unwrap();
    }
    for (kinds, kind) in ["missing", "nothing", "blank"].into_iter().enumerate() {
        let layer = layer(&app, &source, kind).with("blank_sha256", json!([hash.as_str()]));
        let path = format!("/v1/imagery/{}/3/5/2", layer.create().await);
        for server in each(&app).iter().chain(&each(&app)) {
            server.get(&path).await.refused(404, "tile_not_found");
        }
        assert_eq!(source.asked().len(), kinds + 1, "{kind}");
    }
    let known = layer(&app, &source, "blank").create().await;
    let other = app.public().get(&format!("/v1/imagery/{known}/3/5/2"));
    other.await.expect_status(200);
}

#[tokio::test]
async fn a_source_may_redirect_only_to_hosts_that_the_layer_names() {
    let app = App::start().await;
    let source = Source::start().await;
    let tile = async |layer: LayerBuilder<'_>| {
        let key = layer.create().await;
        app.public().get(&format!("/v1/imagery/{key}/3/5/2")).await
    };
    let refused = tile(layer(&app, &source, "away")).await;
    let problem = refused.refused(502, "source_failed");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("redirect_hosts"), "{detail}");
    assert_eq!(source.asked(), ["/away/3/5/2"]);
    let named = layer(&app, &source, "away").with("redirect_hosts", json!(["LocalHost"]));
    tile(named).await.expect_status(200);
    assert_eq!(source.asked().last().unwrap(), "/png/3/5/2");
}

#[tokio::test]
async fn a_source_cannot_take_more_time_or_give_more_pixels_than_is_allowed() {
    let app = App::builder().setting("TILE_FETCH_MS", "300").start().await;
    let source = Source::start().await;
    for (kind, status, code) in [
        ("silent", 504, "source_slow"),
        ("drip", 504, "source_slow"),
        ("vast", 502, "source_failed"),
    ] {
        let key = layer(&app, &source, kind).create().await;
        let before = source.asked().len();
        let answer = app.public().get(&format!("/v1/imagery/{key}/3/5/2")).await;
        answer.refused(status, code);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(
            source.asked().len(),
            before + 1,
            "{kind} is not asked twice"
        );
    }
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_asked_for() {
    let app = App::builder()
        .servers(1)
        .setting("TILE_WAIT_MS", "300")
        .start()
        .await;
    let source = Source::start().await;
    let held = layer(&app, &source, "held").with("max_concurrent_fetches", 1);
    let key = held.create().await;
    let get = |y| app.public().get(&format!("/v1/imagery/{key}/3/5/{y}"));
    for y in 0..3 {
        get(y).await.refused(503, "tile_not_ready");
    }
    source.release();
    for y in [0, 3] {
        eventually("the tile is there", || async {
            (get(y).await.status == 200).then_some(())
        })
        .await;
    }
    assert_eq!(source.asked(), ["/held/3/5/0", "/held/3/5/3"]);
}

/// What a claim of a tile is told.
async fn claim(sql: &tokio_postgres::Client, layer: Uuid, tile: i64, ahead: bool) -> String {
    let text =
        "SELECT verdict FROM claim_tile($1, 1, $2, gen_random_uuid(), 60000, 60000, 5, 1000, $3)";
    let row = sql.query_one(text, &[&layer, &tile, &ahead]).await.unwrap();
    row.get(0)
}

#[tokio::test]
async fn what_is_fetched_ahead_takes_half_and_stands_back() {
    let app = App::builder().servers(0).workers(0).start().await;
    let sql = app.sql().await;
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    let ours = async |layer, tile, ahead| {
        eventually("the rate allows it", || async {
            (claim(&sql, layer, tile, ahead).await == "ours").then_some(())
        })
        .await;
    };
    ours(one, 1, true).await;
    ours(one, 2, true).await;
    for tile in 3..6 {
        assert_eq!(
            claim(&sql, one, tile, true).await,
            "busy",
            "half of five is two"
        );
    }
    ours(one, 3, false).await;
    ours(one, 4, false).await;
    ours(one, 5, false).await;
    assert_eq!(claim(&sql, one, 6, false).await, "busy", "five are five");
    assert_eq!(claim(&sql, one, 5, false).await, "fetching");

    // Somebody was just told to wait: what is ahead waits for them, though there is room.
    app.execute("DELETE FROM tile_fetches").await;
    sql.execute(
        "UPDATE tile_sources SET wanted_until = now() + interval '1 minute' WHERE layer_id = $1",
        &[&one],
    )
    .await
    .unwrap();
    assert_eq!(claim(&sql, one, 7, true).await, "busy");
    ours(one, 7, false).await;
    ours(other, 7, true).await;
}
