//! Tiles on their way from the source to the page.

use crate::harness::{App, Source, eventually, json, source::PNG};

async fn layer(app: &App, source: &Source, kind: &str) -> String {
    let key = app
        .layer(&source.url(&format!("/{kind}/{{z}}/{{x}}/{{y}}")))
        .create()
        .await;
    format!("/v1/imagery/{key}")
}

#[tokio::test]
async fn each_form_of_template_asks_the_source_for_the_right_tile() {
    let app = App::start().await;
    let source = Source::start().await;
    let port = source.address.rsplit(':').next().unwrap();
    let forms = [
        (source.url("/png/{z}/{x}/{y}.png"), "/png/3/5/2.png"),
        (source.url("/png/{zoom}/{x}/{-y}.png"), "/png/3/5/5.png"),
        (source.url("/png/{quadkey}.jpg"), "/png/121.jpg"),
        (source.url("/png/q/{q}"), "/png/q/121"),
        (source.url("/png/wmts/{TileMatrix}/{TileRow}/{TileCol}"), "/png/wmts/3/2/5"),
        (format!("http://127.0.0.{{switch:1,1}}:{port}/png/s/{{z}}/{{x}}/{{y}}"), "/png/s/3/5/2"),
        (
            source.url("/png/wms?bbox={bbox}&width={width}&height={height}&crs={proj}"),
            "/png/wms?bbox=5009377.085697,5009377.085697,10018754.171395,10018754.171395&width=256&height=256&crs=EPSG:3857",
        ),
        (
            source.url("/png/kvp?REQUEST=GetTile&TILEMATRIX={TileMatrix}&TILEROW={TileRow}&TILECOL={TileCol}"),
            "/png/kvp?REQUEST=GetTile&TILEMATRIX=3&TILEROW=2&TILECOL=5",
        ),
    ];
    for (template, wanted) in forms {
        let key = app.layer(&template).create().await;
        let tile = app.public().get(&format!("/v1/imagery/{key}/3/5/2")).await;
        assert_eq!(tile.status, 200, "{template}: {tile:?}");
        assert_eq!(source.asked().last().unwrap(), wanted);
        assert_eq!(tile.body, [PNG, wanted.as_bytes()].concat());
        assert_eq!(tile.header("content-type"), "image/png");
    }
}

#[tokio::test]
async fn a_tile_is_fetched_once_and_kept() {
    let app = App::start().await;
    let source = Source::start().await;
    let layer = layer(&app, &source, "png").await;
    for _ in 0..3 {
        app.public()
            .get(&format!("{layer}/3/5/2?v=1"))
            .await
            .expect(200);
    }
    // Another server, which has nothing in its memory, finds it in the store.
    let other = app.start_server(&[]).await;
    app.public()
        .at(&other.url)
        .get(&format!("{layer}/3/5/2?v=1"))
        .await
        .expect(200);
    assert_eq!(source.asked().len(), 1);
}

#[tokio::test]
async fn only_an_image_is_served() {
    let app = App::start().await;
    let source = Source::start().await;
    let html = layer(&app, &source, "html").await;
    let refused = app.public().get(&format!("{html}/3/5/2")).await;
    refused.refused(502, "source_failed");
    assert!(!refused.text().contains("<script>"), "{refused:?}");
    let fits = layer(&app, &source, "fits").await;
    assert_eq!(
        app.public().get(&format!("{fits}/3/5/2")).await.status,
        200,
        "4 MiB are allowed"
    );
    let huge = layer(&app, &source, "huge").await;
    app.public()
        .get(&format!("{huge}/3/5/2"))
        .await
        .refused(502, "source_failed");
}

#[tokio::test]
async fn a_failing_source_is_told_from_a_missing_tile() {
    let app = App::start().await;
    let source = Source::start().await;
    let missing = layer(&app, &source, "missing").await;
    app.public()
        .get(&format!("{missing}/3/5/2"))
        .await
        .refused(404, "tile_not_found");
    let broken = layer(&app, &source, "broken").await;
    let failed = app.public().get(&format!("{broken}/3/5/2")).await;
    failed.refused(502, "source_failed");
    assert!(failed.header("retry-after").parse::<u32>().unwrap() >= 1);
    assert!(!failed.text().contains("stack trace"), "{failed:?}");
    let key = app.layer("http://127.0.0.1:9/{z}/{x}/{y}").create().await;
    app.public()
        .get(&format!("/v1/imagery/{key}/3/5/2"))
        .await
        .refused(502, "source_failed");
}

#[tokio::test]
async fn a_failure_is_remembered_only_as_long_as_those_who_ask_at_once_need() {
    let app = App::start().await;
    let source = Source::start().await;
    let html = layer(&app, &source, "html").await;
    let ask = || app.public().get(&format!("{html}/3/5/2"));
    let failed = ask().await;
    failed.refused(502, "source_failed");
    assert_eq!(failed.header("cache-control"), "no-store");
    ask().await.refused(502, "source_failed");
    assert_eq!(source.asked().len(), 1, "the second was told the same");
    eventually("the source is asked again", || async {
        ask().await.refused(502, "source_failed");
        (source.asked().len() == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_redirect_is_followed_and_an_endless_one_is_not() {
    let app = App::start().await;
    let source = Source::start().await;
    let moved = layer(&app, &source, "redirect").await;
    app.public()
        .get(&format!("{moved}/3/5/2"))
        .await
        .expect(200);
    assert_eq!(source.asked(), ["/redirect/3/5/2", "/png/3/5/2"]);
    let endless = layer(&app, &source, "loop").await;
    app.public()
        .get(&format!("{endless}/3/5/2"))
        .await
        .refused(502, "source_failed");
    assert!(source.asked().len() < 10, "{:?}", source.asked());
}

#[tokio::test]
async fn what_the_layer_does_not_have_is_not_asked_for() {
    let app = App::start().await;
    let source = Source::start().await;
    let key = app
        .layer(&source.url("/png/{z}/{x}/{y}"))
        .with("min_zoom", 2)
        .with("max_zoom", 5)
        .with("bounds", json!([0.0, 0.0, 90.0, 60.0]))
        .create()
        .await;
    let path = format!("/v1/imagery/{key}");
    for outside in ["1/1/0", "6/40/20", "3/0/3", "3/4/7"] {
        // Maps ask for what lies around the imagery; that is no error.
        let empty = app.public().get(&format!("{path}/{outside}")).await;
        empty.expect(204);
        assert!(!empty.header("cache-control").contains("immutable"));
    }
    for none in ["3/8/0", "3/0/8", "31/0/0", "3/-1/0", "3/x/0", "999/0/0"] {
        assert_eq!(
            app.public().get(&format!("{path}/{none}")).await.status,
            404,
            "{none}"
        );
    }
    assert!(source.asked().is_empty());
    app.public().get(&format!("{path}/3/4/3")).await.expect(200);
    app.public()
        .get("/v1/imagery/none/3/4/3")
        .await
        .refused(404, "layer_not_found");
}

#[tokio::test]
async fn a_tile_is_kept_for_ever_only_under_its_revision() {
    let app = App::start().await;
    let source = Source::start().await;
    let layer = layer(&app, &source, "png").await;
    let lifetime = async |query: &str| {
        app.public()
            .get(&format!("{layer}/3/5/2{query}"))
            .await
            .header("cache-control")
            .to_owned()
    };
    assert!(lifetime("?v=1").await.contains("immutable"));
    for other in ["", "?v=2", "?v=0", "?v=-1"] {
        assert!(!lifetime(other).await.contains("immutable"), "{other}");
    }
    app.public()
        .get(&format!("{layer}/3/5/2?v=x"))
        .await
        .refused(400, "invalid_query");
}

#[tokio::test]
async fn a_tile_that_is_known_is_not_sent_again() {
    let app = App::start().await;
    let source = Source::start().await;
    let layer = layer(&app, &source, "png").await;
    let path = format!("{layer}/3/5/2?v=1");
    let tag = app.public().get(&path).await.etag().to_owned();
    let known = app.public().get(&path).header("If-None-Match", &tag).await;
    assert_eq!((known.status, known.body.len()), (304, 0), "{known:?}");
    assert_eq!(known.etag(), tag);
    app.public()
        .get(&path)
        .header("If-None-Match", "\"other\"")
        .await
        .expect(200);
}

#[tokio::test]
async fn a_changed_layer_never_serves_its_old_tile_under_the_new_revision() {
    let app = App::builder().servers(2).start().await;
    let source = Source::start().await;
    let layer = layer(&app, &source, "png").await;
    let organiser = app.organiser().await;
    for revision in 1..=5 {
        let path = format!("{layer}/3/5/2?v={revision}");
        for server in &app.servers {
            let tile = app.public().at(&server.url).get(&path).await;
            let wanted = if revision == 1 {
                "/png/3/5/2".to_owned()
            } else {
                format!("/png/new{revision}/3/5/2")
            };
            assert_eq!(tile.body, [PNG, wanted.as_bytes()].concat(), "{tile:?}");
        }
        let next = json!({"url_template": source.url(&format!("/png/new{}/{{z}}/{{x}}/{{y}}", revision + 1))});
        organiser
            .patch(&layer)
            .if_match(&format!("\"{revision}\""))
            .json(next)
            .await
            .expect(200);
    }
}
