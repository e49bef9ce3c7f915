//! Tiles in a bucket that all servers share.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::harness::{
    App, Source,
    s3::{S3, stored_at},
};

const AWAY: &str = "http://127.0.0.1:9";

/// What a server that does not start says.
async fn refusal(app: &App, store: &str, endpoint: &str) -> String {
    let settings = [("STORE", store), ("AWS_ENDPOINT_URL", endpoint)];
    let ended = app.spotter_with(&["serve"], &settings).await;
    assert!(!ended.status.success(), "{ended:?}");
    String::from_utf8(ended.stderr).unwrap()
}

#[tokio::test]
async fn a_tile_in_the_bucket_is_there_for_every_server() {
    let s3 = S3::start().await;
    let app = stored_at(&s3.endpoint, "s3://tiles/a/search")
        .servers(2)
        .start()
        .await;
    let source = Source::start().await;
    let layer = app.layer(&source.url("/png/{z}/{x}/{y}")).create().await;
    for server in &app.servers {
        let client = app.public().at(&server.url);
        let tile = client.get(&format!("/v1/imagery/{layer}/3/5/2?v=1")).await;
        assert_eq!(tile.expect_status(200).header("content-type"), "image/png");
    }
    assert_eq!(source.asked().len(), 1);
    let keys = s3.keys().await;
    let tiles = keys.iter().filter(|key| key.starts_with("a/search/tiles/"));
    assert_eq!(tiles.count(), 1, "{keys:?}");

    let said = refusal(&app, "s3://no-such-bucket", &s3.endpoint).await;
    assert!(
        said.contains("STORE") && said.contains("no-such-bucket"),
        "{said}"
    );
}

#[tokio::test]
async fn a_store_that_writes_over_objects_is_refused_at_the_start() {
    // It says yes to everything, as some services that speak S3 do.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = [0; 16 * 1024];
                while let Ok(1..) = stream.read(&mut asked).await {
                    let yes = b"HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 0\r\n\r\n";
                    stream.write_all(yes).await.unwrap();
                }
            });
        }
    });
    let app = stored_at(AWAY, "s3://tiles")
        .servers(0)
        .workers(0)
        .start()
        .await;
    let said = refusal(&app, "s3://tiles", &endpoint).await;
    assert!(
        said.contains("STORE") && said.contains("If-None-Match"),
        "{said}"
    );
    let said = refusal(&app, "ftp://tiles", &endpoint).await;
    assert!(said.contains("s3://bucket/prefix"), "{said}");
}

#[tokio::test]
async fn a_store_that_is_away_keeps_no_server_from_starting() {
    let app = stored_at(AWAY, "s3://tiles").servers(1).start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    campaign.look_at(&volunteer, campaign.cells[0]).await;
    let source = Source::start().await;
    let layer = app.layer(&source.url("/png/{z}/{x}/{y}")).create().await;
    let tile = app.public().get(&format!("/v1/imagery/{layer}/3/5/2"));
    assert!(tile.await.status >= 500);
    let metrics = app.public().get("/metrics").await.text();
    assert!(
        metrics.contains("tile_requests_total{outcome=\"store_failed\"} 1"),
        "{metrics}"
    );
}
