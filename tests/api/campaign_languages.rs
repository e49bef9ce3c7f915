//! The order of a campaign's languages: its first one is for readers of no other.

use crate::harness::{App, json};

#[tokio::test]
async fn languages_keep_the_organisers_order_and_are_completed_by_the_title() {
    let app = App::start().await;
    let titled = || {
        app.campaign().with(
            "title",
            json!({"de": "Suche", "en": "Search", "fr": "Recherche"}),
        )
    };
    let campaign = titled()
        .with("languages", json!(["en", "fr"]))
        .draft()
        .await;
    assert_eq!(
        campaign.read().await["languages"],
        json!(["en", "fr", "de"])
    );
    campaign
        .change(json!({"languages": ["fr"], "title": {"de": null}}))
        .await
        .expect(200);
    assert_eq!(campaign.read().await["languages"], json!(["fr", "en"]));
    let unnamed = titled().draft().await;
    assert_eq!(unnamed.read().await["languages"], json!(["de", "en", "fr"]));
}

#[tokio::test]
async fn a_language_is_a_tag_and_named_once() {
    let app = App::start().await;
    for (languages, pointer) in [
        (json!(["en", "en"]), "/languages/1"),
        (json!(["english please"]), "/languages/0"),
    ] {
        let refused = app.campaign().with("languages", languages).attempt().await;
        refused.refused_at("campaign_refused", pointer);
    }
}

#[tokio::test]
async fn fifty_languages_are_possible_and_not_one_more() {
    let app = App::start().await;
    let named = |count: u8| {
        let tags = (0..count).map(|n| format!("en-{n:02}"));
        app.campaign().with("languages", tags.collect::<Vec<_>>())
    };
    named(50).attempt().await.expect(201);
    named(51)
        .attempt()
        .await
        .refused_at("campaign_refused", "/languages");
}
