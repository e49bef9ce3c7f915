//! What every call has in common.

use reqwest::Method;

use crate::harness::{App, id, json};

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
        (
            Method::PUT,
            "/v1/campaigns/x",
            "GET, HEAD, PATCH, DELETE, OPTIONS",
        ),
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
async fn the_documentation_needs_no_other_host() {
    let app = App::start().await;
    let page = app.public().get("/docs/").await;
    page.expect(200);
    let moved = app.public().get("/docs").await;
    assert!(matches!(moved.status, 301 | 302 | 307 | 308), "{moved:?}");
    let text = page.text();
    let assets: Vec<&str> = text
        .split(['"', '\''])
        .filter(|part| matches!(part.rsplit_once('.'), Some((_, "js" | "css"))))
        .collect();
    assert!(assets.len() >= 2, "{page:?}");
    for address in assets {
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
        json!(["-009999-01-02T01:59:59Z", id()]),
        json!("a\u{0}b"),
    ] {
        use base64::Engine;
        let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(cursor.to_string());
        for path in [
            campaign.path(&format!("/tags?volunteer=me&cursor={text}")),
            format!("/v1/campaigns?cursor={text}"),
            format!("/v1/imagery?cursor={text}"),
        ] {
            for client in [&volunteer, &campaign.organiser] {
                let answer = client.get(&path).await;
                assert!(answer.status < 500, "{cursor}: {answer:?}");
            }
        }
    }
}
