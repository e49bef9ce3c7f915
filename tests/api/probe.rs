//! An address of tiles, tried before it becomes a layer.

use crate::harness::{App, Client, Source, Value, client::Call, json};

/// A place that the imagery shows.
const PLACE: [f64; 2] = [-152.4, 57.6];

async fn app() -> App {
    App::builder()
        .setting("ALLOW_INTERNAL_SOURCES", "true")
        .start()
        .await
}

async fn probe(app: &App, of: Value) -> Call {
    app.organiser().await.post("/v1/imagery/probe").json(of)
}

#[tokio::test]
async fn an_address_is_recognised_and_one_tile_comes() {
    let app = app().await;
    let source = Source::start().await;
    let of = json!({"url_template": source.url("/png/{z}/{x}/{y}"), "near": PLACE});
    let found = probe(&app, of).await.await.expect(200);
    assert_eq!(found["kind"], "xyz");
    assert_eq!(found["media_type"], "image/png");
    assert_eq!(found["tile"], "17/10048/39750");
    assert!(found["bytes"].as_u64().unwrap() > 0);
    assert_eq!(source.asked(), ["/png/17/10048/39750"]);
}

#[tokio::test]
async fn the_address_of_one_tile_is_enough_to_make_a_layer() {
    let app = app().await;
    let source = Source::start().await;
    let pasted = source.url("/png/9/39/154?style=a&key=s3cret");
    let found = probe(&app, json!({"url_template": pasted}))
        .await
        .await
        .expect(200);
    assert_eq!(
        found["url_template"],
        source.url("/png/{z}/{x}/{y}?style=a&key={key}")
    );
    assert_eq!(found["secrets_found"], json!(["key"]));
    assert_eq!(found["tile"], "9/39/154");
    assert!(!found.to_string().contains("s3cret"), "{found}");
    assert_eq!(source.asked(), ["/png/9/39/154?style=a&key=s3cret"]);

    let layer = app.layer(&pasted).create().await;
    let path = format!("/v1/imagery/{layer}");
    let seen = app.organiser().await.get(&path).await.expect(200);
    assert_eq!(seen["url_template"], found["url_template"]);
    assert!(!seen.to_string().contains("s3cret"), "{seen}");
    app.public()
        .get(&format!("{path}/9/39/154"))
        .await
        .expect_status(200);
    assert_eq!(source.asked().len(), 2);
}

#[tokio::test]
async fn shallower_tiles_are_tried_where_there_is_none() {
    let app = app().await;
    let source = Source::start().await;
    let of =
        json!({"url_template": source.url("/missing/{z}/{x}/{y}"), "near": PLACE, "max_zoom": 14});
    let refused = probe(&app, of).await.await;
    let why = refused.refused_at("tile_failed", "/url_template");
    assert!(why.contains("no tile there"), "{why}");
    let zooms: Vec<_> = source
        .asked()
        .iter()
        .map(|path| path.split('/').nth(2).unwrap().to_owned())
        .collect();
    assert_eq!(zooms, ["14", "11", "8", "5"]);
}

#[tokio::test]
async fn what_the_source_answered_is_told() {
    let app = app().await;
    let source = Source::start().await;
    for (kind, words) in [("html", "did not send an image"), ("broken", "status 500")] {
        let of = json!({"url_template": source.url(&format!("/{kind}/{{z}}/{{x}}/{{y}}")), "near": PLACE});
        let refused = probe(&app, of).await.await;
        let why = refused.refused_at("tile_failed", "/url_template");
        assert!(why.contains(words), "{kind}: {why}");
    }
}

#[tokio::test]
async fn what_cannot_be_an_address_of_tiles_is_refused() {
    let app = app().await;
    let source = Source::start().await;
    for (address, pointer) in [
        ("not an address".to_owned(), "/url_template"),
        ("https://t.example/page.html".to_owned(), "/url_template"),
        (source.url("/png/{z}/{x}/{y}?k={apikey}"), "/secrets"),
    ] {
        probe(&app, json!({"url_template": address, "near": PLACE}))
            .await
            .await
            .refused_at("template_refused", pointer);
    }
    let of = json!({"url_template": source.url("/png/{z}/{x}/{y}"), "near": [0, 91]});
    probe(&app, of)
        .await
        .await
        .refused_at("template_refused", "/near");
    assert!(source.asked().is_empty());
}

#[tokio::test]
async fn an_internal_address_is_not_asked() {
    let app = App::builder()
        .setting("ALLOW_INTERNAL_SOURCES", "false")
        .start()
        .await;
    let source = Source::start().await;
    let of = json!({"url_template": source.url("/png/{z}/{x}/{y}"), "near": PLACE});
    let why = probe(&app, of)
        .await
        .await
        .refused_at("template_refused", "/url_template");
    assert!(why.contains("internal"), "{why}");
    assert!(source.asked().is_empty());
}

#[tokio::test]
async fn only_organisers_of_imagery_may_try() {
    let app = App::start().await;
    let of = json!({"url_template": "https://t.example/{z}/{x}/{y}"});
    let ask = |client: Client| client.post("/v1/imagery/probe").json(&of);
    ask(app.public()).await.refused(401, "credentials_missing");
    ask(app.volunteer().await)
        .await
        .refused(403, "organiser_needed");
    ask(app.organiser_with("read").await)
        .await
        .refused(403, "scope_missing");
    app.layer("https://t.example/{z}/{x}/{y}")
        .with("key", "probe")
        .attempt()
        .await
        .refused_at("layer_refused", "/key");
}
