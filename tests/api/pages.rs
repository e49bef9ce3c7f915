//! The pages: where they are, and what they may load and be framed by.

use crate::harness::App;

#[tokio::test]
async fn each_address_of_a_page_gives_its_document_with_a_strict_policy() {
    let app = App::start().await;
    for (address, frame_src, ancestors, options) in [
        ("/", "'none'", "'none'", "DENY"),
        ("/busy.html", "'none'", "'none'", "DENY"),
        ("/s/demo", "'none'", "'self'", "SAMEORIGIN"),
        ("/organise", "'self'", "'none'", "DENY"),
        ("/organise/new", "'self'", "'none'", "DENY"),
        ("/organise/demo", "'self'", "'none'", "DENY"),
        ("/organise/demo/edit", "'self'", "'none'", "DENY"),
    ] {
        let reply = app.public().get(address).await;
        reply.expect_status(200);
        assert!(
            reply.header("content-type").starts_with("text/html"),
            "{address}"
        );
        let policy = reply.header("content-security-policy");
        for directive in [
            "default-src 'none'".to_owned(),
            "connect-src 'self'".to_owned(),
            "base-uri 'none'".to_owned(),
            format!("frame-src {frame_src}"),
            format!("frame-ancestors {ancestors}"),
        ] {
            assert!(policy.contains(&directive), "{address}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{address}: {policy}");
        assert_eq!(reply.header("x-frame-options"), options, "{address}");
    }
}

#[tokio::test]
async fn the_service_worker_is_asked_for_anew_and_may_only_fetch_from_here() {
    let app = App::start().await;
    let reply = app.public().get("/offline.js").await;
    reply.expect_status(200);
    assert!(reply.header("content-type").starts_with("text/javascript"));
    assert_eq!(reply.header("cache-control"), "no-cache");
    assert!(!reply.header("etag").is_empty());
    assert_eq!(
        reply.header("content-security-policy"),
        "default-src 'none'; connect-src 'self'"
    );
}

#[tokio::test]
async fn a_campaign_cannot_take_the_address_of_a_page() {
    let app = App::start().await;
    app.campaign()
        .with("slug", "new")
        .attempt()
        .await
        .refused_at("campaign_refused", "/slug");
}
