//! What cannot be a campaign is refused with every member named.

use crate::harness::{App, Value, json};

#[tokio::test]
async fn each_member_that_cannot_be_is_named() {
    let app = App::start().await;
    let long = |n: usize| json!({"en": "x".repeat(n)});
    let types = |of: Value| json!([of]);
    let polygon = json!({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]});
    let cases: Vec<(&str, &str, Value)> = vec![
        ("slug", "/slug", json!("Has Spaces")),
        ("slug", "/slug", json!("")),
        ("slug", "/slug", json!("preview")),
        ("slug", "/slug", json!("a".repeat(65))),
        ("title", "/title", json!({})),
        ("title", "/title/en", json!({"en": "  "})),
        ("title", "/title/en", long(121)),
        ("title", "/title/e", json!({"e": "x"})),
        ("title", "/title/en_US", json!({"en_US": "x"})),
        ("title", "/title/a~1b", json!({"a/b": "x"})),
        ("title", "/title/en", json!({"en": "a\u{0}b"})),
        ("summary", "/summary/en", long(501)),
        ("instructions", "/instructions/en", long(20_001)),
        ("cell_zoom", "/cell_zoom", json!(9)),
        ("cell_zoom", "/cell_zoom", json!(23)),
        ("looks_wanted", "/looks_wanted", json!(0)),
        ("looks_wanted", "/looks_wanted", json!(101)),
        ("lease_seconds", "/lease_seconds", json!(4)),
        ("lease_seconds", "/lease_seconds", json!(2_592_001)),
        ("agreement_radius_m", "/agreement_radius_m", json!(0.09)),
        ("agreement_radius_m", "/agreement_radius_m", json!(10_001)),
        ("imagery_layer", "/imagery_layer", json!("none")),
        ("imagery_layer", "/imagery_layer", json!("n\u{0}ne")),
        ("tag_types", "/tag_types", json!([])),
        (
            "tag_types",
            "/tag_types/0/key",
            types(json!({"key": "Ä", "name": {"en": "x"}})),
        ),
        (
            "tag_types",
            "/tag_types/0/name",
            types(json!({"key": "a", "name": {}})),
        ),
        (
            "tag_types",
            "/tag_types/0/name/en",
            types(json!({"key": "a", "name": long(61)})),
        ),
        (
            "tag_types",
            "/tag_types/0/colour",
            types(json!({"key": "a", "name": {"en": "x"}, "colour": "red"})),
        ),
        (
            "tag_types",
            "/tag_types/0/icon",
            types(json!({"key": "a", "name": {"en": "x"}, "icon": "heart"})),
        ),
        (
            "tag_types",
            "/tag_types/0/typical_size_m",
            types(json!({"key": "a", "name": {"en": "x"}, "typical_size_m": 0})),
        ),
        (
            "tag_types",
            "/tag_types/0/examples",
            types(
                json!({"key": "a", "name": {"en": "x"}, "examples": [[0, 0], [0, 0], [0, 0], [0, 0], [0, 0]]}),
            ),
        ),
        (
            "tag_types",
            "/tag_types/0/examples/0",
            types(json!({"key": "a", "name": {"en": "x"}, "examples": [[0, 91]]})),
        ),
        (
            "tag_types",
            "/tag_types/1/key",
            json!([{"key": "a", "name": {"en": "x"}}, {"key": "a", "name": {"en": "y"}}]),
        ),
        (
            "priorities",
            "/priorities/0/weight",
            json!([{"area": polygon, "weight": 0}]),
        ),
        (
            "priorities",
            "/priorities/0/weight",
            json!([{"area": polygon, "weight": 100.5}]),
        ),
        (
            "priorities",
            "/priorities/0/area",
            json!([{"area": {"type": "Point", "coordinates": [0, 0]}, "weight": 2}]),
        ),
    ];
    for (member, pointer, value) in cases {
        let refused = app
            .campaign()
            .with("imagery_layer", "none")
            .with(member, value)
            .attempt()
            .await;
        refused.refused_at("campaign_refused", pointer);
    }
    assert_eq!(app.number("SELECT count(*) FROM campaigns").await, 0);
}

#[tokio::test]
async fn each_member_of_the_wrong_kind_is_named() {
    let app = App::start().await;
    for (member, pointer, value) in [
        ("slug", "/slug", json!(5)),
        ("title", "/title", json!("x")),
        ("title", "/title/en", json!({"en": 5})),
        ("cell_zoom", "/cell_zoom", json!("17")),
        ("cell_zoom", "/cell_zoom", json!(-1)),
        ("looks_wanted", "/looks_wanted", json!(1.5)),
        (
            "tag_types",
            "/tag_types/0/geometry",
            json!([{"key": "a", "name": {"en": "x"}, "geometry": "Circle"}]),
        ),
        (
            "tag_types",
            "/tag_types/0/examples/0",
            json!([{"key": "a", "name": {"en": "x"}, "examples": [[1]]}]),
        ),
        ("starts_at", "/starts_at", json!("tomorrow")),
        (
            "priorities",
            "/priorities/0/weight",
            json!([{"area": {}, "weight": "x"}]),
        ),
    ] {
        let refused = app
            .campaign()
            .with("imagery_layer", "none")
            .with(member, value)
            .attempt()
            .await;
        refused.refused_at("invalid_body", pointer);
    }
    app.campaign()
        .with("imagery_layer", "none")
        .with("colour", "red")
        .attempt()
        .await
        .refused(422, "invalid_body");
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let app = App::start().await;
    let refused = app
        .campaign()
        .with("slug", "Bad Slug")
        .with("cell_zoom", 5)
        .with("looks_wanted", 0)
        .with("imagery_layer", "none")
        .with("area", json!({"type": "Point", "coordinates": [0, 0]}))
        .attempt()
        .await;
    for pointer in [
        "/slug",
        "/cell_zoom",
        "/looks_wanted",
        "/imagery_layer",
        "/area",
    ] {
        refused.refused_at("campaign_refused", pointer);
    }
}

#[tokio::test]
async fn every_limit_is_reached_and_not_passed() {
    let app = App::start().await;
    let types: Vec<Value> = (0..33)
        .map(|n| json!({"key": format!("t{n}"), "name": {"en": "x".repeat(60)}}))
        .collect();
    let full = || {
        app.campaign()
            .with("title", json!({"en": "é".repeat(120)}))
            .with("summary", json!({"en": "é".repeat(500)}))
            .with("instructions", json!({"en": "é".repeat(20_000)}))
            .with("looks_wanted", 100)
            .with("lease_seconds", 2_592_000)
            .with("agreement_radius_m", 10_000)
    };
    full()
        .with("slug", "a".repeat(64))
        .with("tag_types", types[..32].to_vec())
        .attempt()
        .await
        .expect(201);
    full()
        .with("tag_types", types)
        .attempt()
        .await
        .refused_at("campaign_refused", "/tag_types");
    let locales = |n: u32| {
        (0..n)
            .map(|n| (format!("en-x{n}"), json!("t")))
            .collect::<serde_json::Map<_, _>>()
    };
    app.campaign()
        .with("title", locales(50))
        .attempt()
        .await
        .expect(201);
    app.campaign()
        .with("title", locales(51))
        .attempt()
        .await
        .refused_at("campaign_refused", "/title");
    app.campaign()
        .with("lease_seconds", 5)
        .with("agreement_radius_m", 0.1)
        .attempt()
        .await
        .expect(201);
}

#[tokio::test]
async fn fifty_priorities_are_possible_and_51_are_not() {
    let app = App::start().await;
    let area = app.campaign().definition().await["area"].clone();
    let of = |count: usize| vec![json!({"area": area, "weight": 100}); count];
    app.campaign()
        .with("priorities", of(50))
        .attempt()
        .await
        .expect(201);
    app.campaign()
        .with("priorities", of(51))
        .attempt()
        .await
        .refused_at("campaign_refused", "/priorities");
}

#[tokio::test]
async fn an_end_before_the_start_is_refused() {
    let app = App::start().await;
    let dated = |starts: &str, ends: &str| {
        app.campaign()
            .with("starts_at", starts)
            .with("ends_at", ends)
    };
    dated("2027-01-02T00:00:00Z", "2027-01-01T00:00:00Z")
        .attempt()
        .await
        .refused_at("campaign_refused", "/ends_at");
    dated("2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
        .attempt()
        .await
        .refused_at("campaign_refused", "/ends_at");
    dated("2027-01-01T00:00:00Z", "2027-01-01T00:00:01Z")
        .attempt()
        .await
        .expect(201);
}

#[tokio::test]
async fn a_message_with_a_pause_has_500_characters_at_most() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    campaign
        .steer("pause")
        .json(json!({"message": "é".repeat(501)}))
        .await
        .refused_at("campaign_refused", "/message");
    campaign
        .steer("pause")
        .json(json!({"message": "a\u{0}b"}))
        .await
        .refused_at("campaign_refused", "/message");
    campaign
        .steer("pause")
        .json(json!({"words": "x"}))
        .await
        .refused(422, "invalid_body");
    campaign
        .steer("pause")
        .json(json!({"message": "é".repeat(500)}))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_patch_that_makes_a_campaign_impossible_is_refused() {
    let app = App::start().await;
    let campaign = app.campaign().draft().await;
    campaign
        .change(json!({"title": null}))
        .await
        .refused(422, "invalid_body");
    campaign
        .change(json!({"looks_wanted": 0}))
        .await
        .refused_at("campaign_refused", "/looks_wanted");
    campaign
        .change(json!({"version": 7}))
        .await
        .refused(422, "invalid_body");
    campaign
        .change(json!([1]))
        .await
        .refused(422, "invalid_body");
    assert_eq!(campaign.read().await["version"], 1);
}
