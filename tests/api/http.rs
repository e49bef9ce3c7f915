//! What every call has in common.

use reqwest::Method;

use crate::harness::{App, Client, id, json};

/// A call of each kind that is refused, with status and code.
#[tokio::test]
async fn every_refusal_is_a_problem_with_a_stable_code() {
    let app = App::start().await;
    let organiser = app.organiser().await;
    let volunteer = app.volunteer().await;
    let public = app.public();
    public.get("/nowhere").await.refused(404, "not_found");
    public
        .get("/v1/campaigns/none")
        .await
        .refused(404, "campaign_not_found");
    public
        .delete("/v1/campaigns")
        .await
        .refused(405, "method_not_allowed");
    public
        .get("/v1/campaigns?limit=x")
        .await
        .refused(400, "invalid_query");
    public
        .get("/v1/imagery")
        .await
        .refused(401, "credentials_missing");
    volunteer
        .get("/v1/imagery")
        .await
        .refused(403, "organiser_needed");
    let post = || organiser.post("/v1/imagery");
    post().body("{}").await.refused(415, "not_json");
    post()
        .header("Content-Type", "text/plain")
        .body("{}")
        .await
        .refused(415, "not_json");
    for broken in ["", "{", "[1,]", "{\"a\":1}x", "\u{feff}{}", "nul"] {
        post()
            .header("Content-Type", "application/json")
            .body(broken)
            .await
            .refused(400, "malformed_json");
    }
    post()
        .header("Content-Type", "application/json")
        .body(vec![0xff, 0xfe])
        .await
        .refused(400, "malformed_json");
    for wrong in [json!([]), json!(null), json!("x"), json!({})] {
        post().json(wrong).await.refused(422, "invalid_body");
    }
    post()
        .header(
            "Content-Type",
            "application/merge-patch+json; charset=utf-8",
        )
        .body("{}")
        .await
        .refused(422, "invalid_body");
}

#[tokio::test]
async fn a_body_has_256_kib_at_most_and_not_one_byte_more() {
    let app = App::start().await;
    let organiser = app.organiser().await;
    let sized = |bytes: usize| {
        let empty = r#"{"x":""}"#.len();
        format!(r#"{{"x":"{}"}}"#, "a".repeat(bytes - empty))
    };
    let post = |body: String| {
        organiser
            .post("/v1/imagery")
            .header("Content-Type", "application/json")
            .body(body)
    };
    post(sized(262_144)).await.refused(422, "invalid_body");
    post(sized(262_145)).await.refused(413, "body_too_large");
}

#[tokio::test]
async fn a_body_that_unpacks_to_too_much_is_refused() {
    let app = App::start().await;
    // A stored gzip of 300,000 spaces, made by hand: one stored block after the other.
    let plain = vec![b' '; 300_000];
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    for chunk in plain.chunks(60_000) {
        let len = u16::try_from(chunk.len()).unwrap();
        packed.push(0);
        packed.extend_from_slice(&len.to_le_bytes());
        packed.extend_from_slice(&(!len).to_le_bytes());
        packed.extend_from_slice(chunk);
    }
    let sent = app
        .organiser()
        .await
        .post("/v1/imagery")
        .header("Content-Type", "application/json")
        .header("Content-Encoding", "gzip")
        .body(packed)
        .await;
    sent.refused(413, "body_too_large");
}

#[tokio::test]
async fn a_wrong_method_is_told_which_ones_are_right() {
    let app = App::start().await;
    for (method, path, allow) in [
        (Method::DELETE, "/v1/campaigns", "GET, HEAD, POST, OPTIONS"),
        (Method::GET, "/v1/volunteers", "POST, OPTIONS"),
        (Method::PUT, "/v1/campaigns/x", "GET, HEAD, PATCH, OPTIONS"),
        (
            Method::POST,
            "/v1/campaigns/x/tags/01a20759-9fdb-715e-b63e-b4a444f42d8d",
            "GET, HEAD, PATCH, DELETE, OPTIONS",
        ),
        (Method::POST, "/livez", "GET, HEAD, OPTIONS"),
        (
            Method::GET,
            "/v1/campaigns/preview/publish",
            "POST, OPTIONS",
        ),
    ] {
        let refused = app.public().call(method.clone(), path).await;
        refused.refused(405, "method_not_allowed");
        assert_eq!(refused.header("allow"), allow, "{method} {path}");
        let options = app.public().call(Method::OPTIONS, path).await;
        assert_eq!(options.status, 204, "{options:?}");
        assert_eq!(options.header("allow"), allow, "OPTIONS {path}");
    }
    app.public()
        .call(Method::OPTIONS, "/nowhere")
        .await
        .refused(404, "not_found");
    app.public()
        .call(Method::from_bytes(b"BREW").unwrap(), "/v1/campaigns")
        .await
        .refused(405, "method_not_allowed");
}

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
        let organiser = &campaign.organiser;
        let (get, head) = (organiser.get(&path).await, organiser.head(&path).await);
        assert_eq!(head.status, get.status, "{head:?}");
        assert!(head.body.is_empty(), "{head:?}");
        for (name, value) in &get.headers {
            // What differs from call to call, and the length of a text that holds a time or an id.
            if matches!(name.as_str(), "date" | "x-request-id")
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

#[tokio::test]
async fn the_documentation_needs_no_other_host() {
    let app = App::start().await;
    let page = app.public().get("/docs/").await;
    page.expect(200);
    let moved = app.public().get("/docs").await;
    assert!(matches!(moved.status, 301 | 302 | 307 | 308), "{moved:?}");
    for address in page
        .text()
        .split(['"', '\''])
        .filter(|part| part.ends_with(".js") || part.ends_with(".css"))
    {
        assert!(
            !address.starts_with("http") && !address.starts_with("//"),
            "{address}"
        );
        let asset = app
            .public()
            .get(&format!("/docs/{}", address.trim_start_matches("./")))
            .await;
        assert_eq!(asset.status, 200, "{address}");
    }
}

#[tokio::test]
async fn nothing_a_stranger_sends_makes_a_5xx() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let strange = [
        "%00",
        "%F0%28",
        "..%2f..",
        "%ff",
        "'",
        "%3Cscript%3E",
        "%25",
        "a%0d%0ab",
        "😀",
        &"x".repeat(2000),
    ];
    for part in strange {
        for path in [
            format!("/v1/campaigns/{part}"),
            campaign.path(&format!("/tags/{part}")),
            campaign.path(&format!("/tags?volunteer=me&bbox={part}")),
            campaign.path(&format!("/tags?volunteer=me&tag_type={part}")),
            campaign.path(&format!("/tags?volunteer=me&cursor={part}")),
            format!("/v1/imagery/{part}/1/1/1"),
            format!("/v1/imagery/x/{part}/1/1"),
            campaign.path(&format!("/progress/cells?bbox={part}")),
            format!("/v1/campaigns?cursor={part}"),
            format!("/{part}"),
            format!("/s/{part}"),
            format!("/assets/{part}"),
        ] {
            let answer = volunteer.get(&path).await;
            assert!(answer.status < 500, "{answer:?}");
        }
    }
    for cursor in [
        json!(["2026-01-01T00:00:00Z", id()]),
        json!([1, 2, 3]),
        json!(["9999-12-30T22:00:00Z", id(), id()]),
        json!(["-009999-01-02T01:59:59Z", id(), id()]),
    ] {
        use base64::Engine;
        let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(cursor.to_string());
        for path in [
            campaign.path(&format!("/tags?volunteer=me&cursor={text}")),
            format!("/v1/campaigns?cursor={text}"),
        ] {
            let answer = volunteer.get(&path).await;
            assert!(answer.status < 500, "{cursor}: {answer:?}");
        }
    }
}
