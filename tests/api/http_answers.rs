//! Heads, codings, ids: what every answer has.

use reqwest::Method;

use crate::harness::{App, Client, json};

#[tokio::test]
async fn any_page_may_call() {
    let app = App::start().await;
    let preflight = app
        .public()
        .call(Method::OPTIONS, "/v1/campaigns/x/looks")
        .header("Origin", "https://news.example.org")
        .header("Access-Control-Request-Method", "POST")
        .header(
            "Access-Control-Request-Headers",
            "authorization,content-type",
        )
        .await;
    assert!(matches!(preflight.status, 200 | 204), "{preflight:?}");
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
    assert!(
        preflight
            .header("access-control-allow-methods")
            .contains("POST"),
        "{preflight:?}"
    );
    assert!(
        preflight
            .header("access-control-allow-headers")
            .contains("authorization"),
        "{preflight:?}"
    );
    assert!(
        preflight
            .header("access-control-max-age")
            .parse::<u32>()
            .unwrap()
            > 0
    );
    assert!(
        preflight
            .header("access-control-allow-credentials")
            .is_empty()
    );
}

#[tokio::test]
async fn an_answer_may_be_read_by_any_page_also_when_it_is_a_refusal() {
    let app = App::start().await;
    let strange = app.public();
    let from = |client: &Client, method: Method, path: &str| {
        client
            .call(method, path)
            .header("Origin", "https://news.example.org")
    };
    for (method, path, status) in [
        (Method::GET, "/v1/campaigns", 200),
        (Method::GET, "/nowhere", 404),
        (Method::DELETE, "/v1/campaigns", 405),
        (Method::GET, "/v1/imagery", 401),
        (Method::GET, "/v1/campaigns?limit=x", 400),
        (Method::POST, "/v1/volunteers", 201),
    ] {
        let answer = from(&strange, method, path).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "*",
            "{answer:?}"
        );
        let exposed = answer
            .header("access-control-expose-headers")
            .to_lowercase();
        for name in ["etag", "link", "location", "retry-after", "x-request-id"] {
            assert!(exposed.contains(name), "{name}: {answer:?}");
        }
    }
}

/// `rxdb-server`'s client opens streams so, for which a browser takes no `*`.
#[tokio::test]
async fn any_page_may_sync_with_credentials() {
    const PAGE: &str = "https://app.example.org";
    let app = App::start().await;
    let volunteer = app.volunteer().await;
    let stream = "/v1/sync/rxdb/looks/0/pullStream";
    let preflight = app
        .public()
        .call(Method::OPTIONS, stream)
        .header("Origin", PAGE)
        .header("Access-Control-Request-Method", "GET")
        .header(
            "Access-Control-Request-Headers",
            "authorization,cache-control",
        )
        .await;
    let sent = preflight.header("access-control-allow-headers");
    for name in ["authorization", "cache-control", "last-event-id"] {
        assert!(sent.contains(name), "{name}: {preflight:?}");
    }
    let pull = "/v1/sync/rxdb/looks/0/pull?lwt=0&id=&limit=10";
    let answer = volunteer.get(pull).header("Origin", PAGE).await;
    let refused = app.public().get(pull).header("Origin", PAGE).await;
    assert_eq!((answer.status, refused.status), (200, 401));
    for reply in [&preflight, &answer, &refused] {
        assert_eq!(reply.header("access-control-allow-origin"), PAGE);
        assert_eq!(reply.header("access-control-allow-credentials"), "true");
        let vary = reply.headers.get_all("vary");
        let of_origin = vary.iter().any(|value| value == "origin");
        assert!(of_origin, "{reply:?}");
    }
    // Everything else may be in a shared cache, and is the same for all.
    let other = app.public().get("/v1/campaigns").header("Origin", PAGE);
    let other = other.await;
    assert_eq!(other.header("access-control-allow-origin"), "*");
    assert_eq!(other.header("access-control-allow-credentials"), "");
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    for path in [
        "/v1/campaigns".to_owned(),
        campaign.path(""),
        campaign.path("/progress"),
        "/livez".to_owned(),
        "/readyz".to_owned(),
        "/openapi.json".to_owned(),
        "/nowhere".to_owned(),
        "/v1/imagery".to_owned(),
        "/docs/".to_owned(),
        campaign.path("/tags"),
    ] {
        // One server: each lists the exposed headers in an order of its own.
        let organiser = campaign.organiser.at(&app.servers[0].url);
        let (get, head) = (organiser.get(&path).await, organiser.head(&path).await);
        assert_eq!(head.status, get.status, "{head:?}");
        assert!(head.body.is_empty(), "{head:?}");
        for (name, value) in &get.headers {
            // What differs from call to call, and the length of a text that holds a time or an id.
            if matches!(name.as_str(), "date" | "x-request-id")
                || name.as_str().contains("ratelimit")
                || name == "content-length" && (path.ends_with("/progress") || get.status == 404)
            {
                continue;
            }
            assert_eq!(head.headers.get(name), Some(value), "{path}: {name}");
        }
    }
}

#[tokio::test]
async fn a_request_keeps_its_id_or_gets_one() {
    let app = App::start().await;
    let with = |given: &str| app.public().get("/nowhere").header("X-Request-Id", given);
    let kept = with("phone-7.a_B").await;
    assert_eq!(kept.header("x-request-id"), "phone-7.a_B");
    assert_eq!(kept.json()["request_id"], "phone-7.a_B");
    assert_eq!(
        with(&"a".repeat(64)).await.header("x-request-id"),
        "a".repeat(64)
    );
    for strange in ["", "a b", &"a".repeat(65), "<script>", "a\"b"] {
        let made = with(strange).await;
        assert_ne!(made.header("x-request-id"), strange);
        assert!(made.header("x-request-id").len() >= 32, "{made:?}");
        assert_eq!(made.json()["request_id"], made.header("x-request-id"));
    }
    let (one, two) = (
        app.public().get("/livez").await,
        app.public().get("/livez").await,
    );
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

#[tokio::test]
async fn an_answer_is_compressed_under_a_strong_tag_of_its_own() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let ask = |coding: &str| {
        campaign
            .organiser
            .get(&campaign.path(""))
            .header("Accept-Encoding", coding)
    };
    let plain = ask("identity").await;
    let mut tags = vec![plain.etag().to_owned()];
    for coding in ["gzip", "br", "zstd"] {
        let packed = ask(coding).await;
        assert_eq!(packed.header("content-encoding"), coding);
        assert!(
            packed
                .header("vary")
                .to_lowercase()
                .contains("accept-encoding"),
            "{packed:?}"
        );
        assert!(packed.body.len() < plain.body.len());
        assert!(packed.etag().starts_with('"'), "{}", packed.etag());
        tags.push(packed.etag().to_owned());
        let known = ask(coding).header("If-None-Match", packed.etag()).await;
        assert_eq!((known.status, known.body.len()), (304, 0), "{known:?}");
    }
    let distinct: std::collections::BTreeSet<_> = tags.iter().collect();
    assert_eq!(distinct.len(), 4, "{tags:?}");
    let path = campaign.path("");
    let changed = campaign
        .organiser
        .patch(&path)
        .if_match(&tags[1])
        .json(json!({"looks_wanted": 2}))
        .await;
    changed.expect(200);
}

#[tokio::test]
async fn a_known_compressed_answer_names_the_tag_that_it_was_given() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let ask = || {
        app.public()
            .get(&campaign.path(""))
            .header("Accept-Encoding", "gzip")
    };
    let packed = ask().await;
    let known = ask().header("If-None-Match", packed.etag()).await;
    assert_eq!(known.status, 304);
    // RFC 9110, 15.4.5: the ETag that the 200 would have had.
    assert_eq!(known.etag(), packed.etag());
}
