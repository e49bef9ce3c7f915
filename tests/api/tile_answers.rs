//! How tiles are answered, for browsers and caches in front of the servers.

use crate::harness::{App, Client, Source, eventually, fixtures::metric, json};

async fn layer(app: &App, source: &Source) -> String {
    let key = app.layer(&source.url("/png/{z}/{x}/{y}")).create().await;
    format!("/v1/imagery/{key}")
}

#[tokio::test]
async fn a_tile_says_how_it_may_be_kept_and_is_sent_as_it_is() {
    let app = App::start().await;
    let source = Source::start().await;
    let key = app.layer(&source.url("/fits/{z}/{x}/{y}")).create().await;
    let path = format!("/v1/imagery/{key}/3/5/2?v=1");
    let get = |path: &str| app.public().get(path).header("Accept-Encoding", "br, gzip");
    let tile = get(&path).await;
    assert_eq!(tile.expect_status(200).body.len(), 4 * 1024 * 1024);
    assert_eq!(tile.header("content-length"), "4194304");
    assert_eq!(
        tile.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert_eq!(tile.header("access-control-allow-origin"), "*");
    assert_eq!(tile.header("x-content-type-options"), "nosniff");
    for absent in ["vary", "content-encoding", "set-cookie"] {
        assert_eq!(tile.header(absent), "", "{absent}");
    }
    assert!(tile.etag().starts_with('"'), "{tile:?}");

    let head = app.public().head(&path).await;
    assert_eq!(head.expect_status(200).body.len(), 0);
    for name in ["content-length", "content-type", "etag", "cache-control"] {
        assert_eq!(head.header(name), tile.header(name), "{name}");
    }

    let known = get(&path).header("If-None-Match", tile.etag()).await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    for name in ["etag", "cache-control", "access-control-allow-origin"] {
        assert_eq!(known.header(name), tile.header(name), "{name}");
    }
}

#[tokio::test]
async fn every_server_and_every_restart_gives_the_same_tag() {
    let app = App::builder().servers(1).start().await;
    let source = Source::start().await;
    let path = format!("{}/3/5/2?v=1", layer(&app, &source).await);
    let first = app.public().get(&path).await;
    let other = app.start_server(&[]).await;
    let again = app.public().at(&other.url).get(&path).await;
    assert_eq!((again.status, again.etag()), (200, first.etag()));
}

#[tokio::test]
async fn a_change_of_anything_but_the_source_leaves_the_tiles_where_they_are() {
    let app = App::builder().servers(1).start().await;
    let source = Source::start().await;
    let layer = layer(&app, &source).await;
    let organiser = app.organiser().await;
    let tile = async |query: &str| {
        let tile = app.public().get(&format!("{layer}/3/5/2{query}")).await;
        tile.expect_status(200);
        tile.header("cache-control").contains("immutable")
    };
    assert!(tile("?v=1").await);
    let change = json!({"name": "Other", "max_fetches_per_second": 7, "attribution": "Us"});
    let changed = organiser.patch(&layer).if_match("\"1\"").json(change);
    assert_eq!(changed.await.expect(200)["max_fetches_per_second"], 7);
    // Both revisions have these tiles.
    assert!(tile("?v=2").await);
    assert!(tile("?v=1").await);
    assert!(!tile("?v=3").await && !tile("?v=0").await && !tile("").await);
    assert_eq!(source.asked().len(), 1);
    let change = json!({"tile_size": 512});
    let changed = organiser.patch(&layer).if_match("\"2\"").json(change);
    changed.await.expect(200);
    assert!(tile("?v=3").await && !tile("?v=2").await);
    assert_eq!(source.asked().len(), 2);
}

#[tokio::test]
async fn a_change_of_the_source_is_seen_by_who_names_no_revision_too() {
    let app = App::builder().servers(2).start().await;
    let source = Source::start().await;
    let layer = layer(&app, &source).await;
    let path = format!("{layer}/3/5/2");
    app.public().get(&path).await.expect_status(200);
    let change = json!({"url_template": source.url("/png/new/{z}/{x}/{y}")});
    let organiser = app.organiser().await;
    let changed = organiser.patch(&layer).if_match("\"1\"").json(change);
    changed.await.expect(200);
    for server in &app.servers {
        let client = app.public().at(&server.url);
        eventually("the new tile is given", || async {
            client
                .get(&path)
                .await
                .text()
                .ends_with("/png/new/3/5/2")
                .then_some(())
        })
        .await;
    }
}

async fn outcome(client: &Client, outcome: &str) -> Option<f64> {
    metric(
        client,
        &format!("tile_requests_total{{outcome=\"{outcome}\"}}"),
    )
    .await
}

#[tokio::test]
async fn metrics_of_tiles_are_there_from_the_start_and_count_each_request_once() {
    let app = App::builder().servers(1).start().await;
    let client = app.public();
    for name in [
        "near",
        "store",
        "source",
        "waited",
        "missing",
        "outside",
        "failed",
        "resting",
        "late",
        "store_failed",
        "error",
    ] {
        assert_eq!(outcome(&client, name).await, Some(0.0), "{name}");
    }
    assert_eq!(metric(&client, "tile_fetched_bytes_total").await, Some(0.0));
    let source = Source::start().await;
    let layer = layer(&app, &source).await;
    let first = client.get(&format!("{layer}/3/5/2")).await;
    for path in ["3/5/2", "3/5/2", "24/0/0"] {
        client.get(&format!("{layer}/{path}")).await;
    }
    for (name, count) in [
        ("source", 1.0),
        ("near", 2.0),
        ("outside", 1.0),
        ("store", 0.0),
    ] {
        assert_eq!(outcome(&client, name).await, Some(count), "{name}");
    }
    let bytes = u32::try_from(first.body.len()).unwrap();
    assert_eq!(
        metric(&client, "tile_fetched_bytes_total").await,
        Some(f64::from(bytes))
    );
    assert_eq!(metric(&client, "tile_fetch_seconds_count").await, Some(1.0));
    assert!(metric(&client, "tile_memory_bytes").await.unwrap() >= f64::from(bytes));
}
