//! Imagery layers: defined, listed, changed.

use crate::harness::{App, Source, Value, id, json};

#[tokio::test]
async fn a_layer_is_created_with_its_provenance() {
    let app = App::start().await;
    let key = format!("survey-{}", id());
    let made = app
        .layer("https://tiles.example.org/{z}/{x}/{y}.jpg")
        .with("key", key.clone())
        .with("sensor", "WorldView-3")
        .with("catalogue_id", "104001")
        .with("acquired_at", "2019-02-12T00:00:00Z")
        .with("ground_sample_distance_m", 0.31)
        .with("licence", "CC BY 4.0")
        .with("attribution", "© Somebody")
        .with("bounds", json!([-153.0, 57.0, -152.0, 58.0]))
        .attempt()
        .await;
    let layer = made.expect(201);
    assert_eq!(made.header("location"), format!("/v1/imagery/{key}"));
    assert_eq!(made.etag(), "\"1\"");
    let read = app
        .organiser()
        .await
        .get(&format!("/v1/imagery/{key}"))
        .await
        .expect(200);
    assert_eq!(layer, read);
    for (member, value) in [
        ("sensor", json!("WorldView-3")),
        ("catalogue_id", json!("104001")),
        ("acquired_at", json!("2019-02-12T00:00:00Z")),
        ("ground_sample_distance_m", json!(0.31)),
        ("licence", json!("CC BY 4.0")),
        ("revision", json!(1)),
        ("bounds", json!([-153.0, 57.0, -152.0, 58.0])),
        ("secret_names", json!([])),
        ("tile_size", json!(256)),
    ] {
        assert_eq!(read[member], value, "{member}");
    }
}

#[tokio::test]
async fn layers_are_listed_in_pages() {
    let app = App::start().await;
    for key in ["b", "d", "a", "c", "e"] {
        app.layer("https://t.example.org/{z}/{x}/{y}")
            .with("key", key)
            .create()
            .await;
    }
    let organiser = app.organiser().await;
    let mut keys = Vec::new();
    let mut next = Some("/v1/imagery?limit=2".to_owned());
    while let Some(address) = next {
        let page = organiser.get(&address).await.expect(200);
        let layers = page["layers"].as_array().unwrap();
        assert!(layers.len() <= 2);
        keys.extend(
            layers
                .iter()
                .map(|layer| layer["key"].as_str().unwrap().to_owned()),
        );
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(keys, ["a", "b", "c", "d", "e"]);
    organiser
        .get("/v1/imagery?limit=0")
        .await
        .refused(400, "invalid_query");
    organiser
        .get("/v1/imagery?limit=1001")
        .await
        .refused(400, "invalid_query");
}

#[tokio::test]
async fn a_key_names_one_layer() {
    let app = App::start().await;
    app.layer("https://t.example.org/{z}/{x}/{y}")
        .with("key", "one")
        .create()
        .await;
    let again = app
        .layer("https://t.example.org/{z}/{x}/{y}")
        .with("key", "one")
        .attempt()
        .await;
    again.refused(409, "layer_exists");
}

#[tokio::test]
async fn a_layer_that_cannot_work_is_refused_with_the_member_named() {
    let app = App::start().await;
    let good = "https://t.example.org/{z}/{x}/{y}";
    let cases: Vec<(&str, Value)> = vec![
        ("/key", json!("Ä")),
        ("/key", json!("a".repeat(65))),
        ("/key", json!("")),
        ("/name", json!(" ")),
        ("/name", json!("x".repeat(501))),
        ("/name", json!("a\u{0}b")),
        ("/url_template", json!("https://t.example.org/{z}/{x}")),
        ("/url_template", json!("ftp://t.example.org/{z}/{x}/{y}")),
        ("/url_template", json!("https://{host}/{z}/{x}/{y}")),
        ("/url_template", json!("https://t.example.org/{z}/{x}/{y")),
        ("/max_zoom", json!(25)),
        ("/min_zoom", json!(21)),
        ("/tile_size", json!(300)),
        ("/ground_sample_distance_m", json!(0)),
        ("/licence_url", json!("javascript:alert(1)")),
        ("/attribution", json!("x".repeat(501))),
        ("/max_concurrent_fetches", json!(0)),
        ("/max_concurrent_fetches", json!(257)),
        ("/max_fetches_per_second", json!(0)),
        ("/max_fetches_per_second", json!(2001)),
        ("/blank_sha256", json!(vec!["a".repeat(64); 17])),
        ("/redirect_hosts", json!(vec!["cdn.example.org"; 9])),
    ];
    for (pointer, value) in cases {
        let made = app
            .layer(good)
            .with(pointer.trim_start_matches('/'), value)
            .attempt()
            .await;
        made.refused_at("layer_refused", pointer);
    }
    app.layer("https://t.example.org/{z}/{x}/{y}?k={apikey}")
        .attempt()
        .await
        .refused_at("layer_refused", "/secrets");
    for (pointer, value) in [
        ("/bounds", json!([1, 2, 3])),
        ("/bounds", json!([0, 10, 1, 5])),
        ("/max_zoom", json!("x")),
        ("/acquired_at", json!("x")),
    ] {
        app.layer(good)
            .with(pointer.trim_start_matches('/'), value)
            .attempt()
            .await
            .refused(422, "invalid_body");
    }
    app.layer(good)
        .with("colour", "red")
        .attempt()
        .await
        .refused(422, "invalid_body");
    for (member, value) in [
        ("blank_sha256", "a".repeat(63)),
        ("blank_sha256", "g".repeat(64)),
        ("redirect_hosts", "https://cdn.example.org".to_owned()),
        ("redirect_hosts", "a/b".to_owned()),
        ("redirect_hosts", String::new()),
        ("redirect_hosts", format!("{}.org", "a.".repeat(125))),
    ] {
        let made = app.layer(good).with(member, json!([value])).attempt().await;
        made.refused_at("layer_refused", &format!("/{member}/0"));
    }
    app.layer(good)
        .with("max_concurrent_fetches", 256)
        .with("max_fetches_per_second", 2000)
        .with("blank_sha256", json!(vec!["A".repeat(64); 16]))
        .with("redirect_hosts", json!(vec!["cdn.example.org"; 8]))
        .with("name", "x".repeat(500))
        .with("key", "a".repeat(64))
        .attempt()
        .await
        .expect(201);
}

#[tokio::test]
async fn a_change_needs_the_revision_that_was_read() {
    let app = App::start().await;
    let key = app
        .layer("https://t.example.org/{z}/{x}/{y}")
        .create()
        .await;
    let organiser = app.organiser().await;
    let path = format!("/v1/imagery/{key}");
    let change = json!({"name": "Other"});
    organiser
        .patch(&path)
        .json(&change)
        .await
        .refused(428, "if_match_required");
    let changed = organiser.patch(&path).if_match("\"1\"").json(&change).await;
    assert_eq!(changed.expect(200)["revision"], 2);
    assert_eq!(changed.etag(), "\"2\"");
    organiser
        .patch(&path)
        .if_match("\"1\"")
        .json(&change)
        .await
        .refused(412, "changed_meanwhile");
    organiser
        .patch(&path)
        .if_match("\"2\"")
        .json(json!({"key": "other"}))
        .await
        .refused(409, "key_is_fixed");
    organiser
        .patch("/v1/imagery/none")
        .if_match("\"2\"")
        .json(&change)
        .await
        .refused(404, "layer_not_found");
}

#[tokio::test]
async fn a_merge_patch_changes_what_it_names_and_null_removes() {
    let app = App::start().await;
    let key = app
        .layer("https://t.example.org/{z}/{x}/{y}")
        .with("sensor", "SPOT")
        .with("licence", "CC0")
        .create()
        .await;
    let organiser = app.organiser().await;
    let path = format!("/v1/imagery/{key}");
    let changed = organiser
        .patch(&path)
        .if_match("\"1\"")
        .json(json!({"sensor": null, "max_zoom": 18}))
        .await
        .expect(200);
    assert_eq!(changed.get("sensor"), None);
    assert_eq!(changed["licence"], "CC0");
    assert_eq!(changed["max_zoom"], 18);
}

#[tokio::test]
async fn a_source_at_an_internal_address_is_refused_unless_it_is_allowed() {
    let app = App::builder()
        .setting("ALLOW_INTERNAL_SOURCES", "false")
        .start()
        .await;
    for host in [
        "127.0.0.1",
        "localhost",
        "10.0.0.1:8080",
        "[::1]",
        "169.254.169.254",
        "2130706433",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
        "192.168.0.1",
    ] {
        let made = app
            .layer(&format!("http://{host}/{{z}}/{{x}}/{{y}}"))
            .attempt()
            .await;
        made.refused_at("layer_refused", "/url_template");
    }
    app.layer("https://tiles.example.org/{z}/{x}/{y}")
        .attempt()
        .await
        .expect(201);
}

#[tokio::test]
async fn a_layer_that_became_internal_is_not_fetched() {
    let app = App::start().await;
    let source = Source::start().await;
    let key = app.layer(&source.url("/png/{z}/{x}/{y}")).create().await;
    let strict = app
        .start_server(&[("ALLOW_INTERNAL_SOURCES", "false")])
        .await;
    let asked = app
        .public()
        .at(&strict.url)
        .get(&format!("/v1/imagery/{key}/3/1/2"))
        .await;
    asked.refused(502, "source_failed");
    assert!(source.asked().is_empty());
}
