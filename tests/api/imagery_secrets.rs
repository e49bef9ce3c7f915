//! Secrets of imagery layers stay inside.

use crate::harness::{App, Source, json};

const SECRET: &str = "sEcReT-91f3c7";

#[tokio::test]
async fn a_secret_is_never_shown_stored_in_the_definition_or_logged() {
    let app = App::builder().setting("LOG", "trace").start().await;
    let source = Source::start().await;
    let organiser = app.organiser().await;
    let key = app
        .layer(&source.url("/png/{z}/{x}/{y}?apikey={apikey}"))
        .with("secrets", json!({"apikey": SECRET}))
        .create()
        .await;
    let broken = app
        .layer(&source.url("/broken/{z}/{x}/{y}?apikey={apikey}"))
        .with("secrets", json!({"apikey": SECRET}))
        .create()
        .await;
    let unreachable = app
        .layer("http://127.0.0.1:9/{z}/{x}/{y}?apikey={apikey}")
        .with("secrets", json!({"apikey": SECRET}))
        .create()
        .await;
    let campaign = app
        .campaign()
        .with("imagery_layer", key.clone())
        .open()
        .await;
    for path in [
        format!("/v1/imagery/{key}"),
        "/v1/imagery".to_owned(),
        format!("/v1/imagery/{key}/3/1/2?v=1"),
        format!("/v1/imagery/{broken}/3/1/2"),
        format!("/v1/imagery/{unreachable}/3/1/2"),
        campaign.path(""),
        "/v1/campaigns".to_owned(),
        "/metrics".to_owned(),
    ] {
        let answer = organiser.get(&path).await;
        let shown = if answer.header("content-type").starts_with("image/") {
            String::new()
        } else {
            answer.text()
        };
        assert!(!shown.contains(SECRET), "{answer:?}");
        assert!(
            !format!("{:?}", answer.headers).contains(SECRET),
            "{answer:?}"
        );
    }
    assert!(
        source.asked()[0].ends_with(&format!("?apikey={SECRET}")),
        "{:?}",
        source.asked()
    );
    let shown = organiser
        .get(&format!("/v1/imagery/{key}"))
        .await
        .expect(200);
    assert_eq!(shown["secret_names"], json!(["apikey"]));
    let leaks =
        format!("SELECT count(*) FROM imagery_layers WHERE definition::text LIKE '%{SECRET}%'");
    assert_eq!(app.number(&leaks).await, 0);
    let leaks =
        format!("SELECT count(*) FROM campaign_versions WHERE document::text LIKE '%{SECRET}%'");
    assert_eq!(app.number(&leaks).await, 0);
    let lines: Vec<String> = app
        .log()
        .lines()
        .filter(|line| line.contains(SECRET))
        .map(str::to_owned)
        .collect();
    assert!(lines.is_empty(), "{lines:#?}");
}

#[tokio::test]
async fn a_secret_in_the_query_is_taken_out_of_the_address() {
    let app = App::start().await;
    let source = Source::start().await;
    let key = app
        .layer(&source.url(&format!("/png/{{z}}/{{x}}/{{y}}?style=a&Token={SECRET}")))
        .create()
        .await;
    let organiser = app.organiser().await;
    let shown = organiser.get(&format!("/v1/imagery/{key}")).await;
    assert!(!shown.text().contains(SECRET), "{shown:?}");
    assert_eq!(shown.json()["secret_names"], json!(["token"]));
    app.public()
        .get(&format!("/v1/imagery/{key}/3/1/2"))
        .await
        .expect(200);
    assert_eq!(
        source.asked(),
        [format!("/png/3/1/2?style=a&Token={SECRET}")]
    );
}

#[tokio::test]
async fn a_secret_that_is_not_named_in_a_change_stays() {
    let app = App::start().await;
    let source = Source::start().await;
    let key = app
        .layer(&source.url("/png/{z}/{x}/{y}?a={one}&b={two}"))
        .with("secrets", json!({"one": "first", "two": "second"}))
        .create()
        .await;
    let organiser = app.organiser().await;
    let path = format!("/v1/imagery/{key}");
    organiser
        .patch(&path)
        .if_match("\"1\"")
        .json(json!({"name": "New", "secrets": {"two": "third"}}))
        .await
        .expect(200);
    app.public()
        .get(&format!("{path}/3/1/2?v=2"))
        .await
        .expect(200);
    assert_eq!(source.asked(), ["/png/3/1/2?a=first&b=third"]);
    let removed = organiser
        .patch(&path)
        .if_match("\"2\"")
        .json(json!({"secrets": {"one": null}}))
        .await;
    removed.refused_at("layer_refused", "/secrets");
}
