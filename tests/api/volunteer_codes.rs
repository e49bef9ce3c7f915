//! Codes by which devices become one volunteer.

use super::volunteer_links::{code_of, try_code};
use crate::harness::{App, fixtures::at_once, id, json, nothing};

#[tokio::test]
async fn a_code_is_short_typable_and_makes_another_device_the_same_volunteer() {
    let app = App::start().await;
    let volunteer = app.volunteer().await;
    let code = code_of(&volunteer).await;
    assert_eq!(code.len(), 9, "{code}");
    let typed = format!(" {}", code.to_lowercase().replace('-', " "));
    let linked = try_code(&app.public(), &typed).await.expect(200);
    assert_eq!(linked["volunteer_id"], volunteer.id);
    let other = app.public().with_bearer(linked["token"].as_str().unwrap());
    let campaign = app.campaign().looks_wanted(3).open().await;
    let sent = nothing(campaign.cells[0]);
    campaign.send(&volunteer, &sent).await.expect(201);
    campaign.send(&other, &sent).await.expect(200);
    let hidden = code.replace('-', "");
    let kept = app
        .number(&format!(
            "SELECT count(*) FROM link_codes AS c WHERE c::text ILIKE '%{hidden}%'"
        ))
        .await;
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn a_code_can_be_used_once_also_by_two_at_the_same_moment() {
    let app = App::builder().servers(2).workers(0).start().await;
    let volunteer = app.volunteer().await;
    for _ in 0..5 {
        let code = code_of(&volunteer).await;
        let body = json!({"code": code});
        let calls = app.servers.iter().map(|server| {
            let public = app.public().at(&server.url);
            public.post("/v1/volunteers/link").json(&body)
        });
        let replies = at_once(calls).await;
        let won = replies.iter().filter(|reply| reply.status == 200).count();
        assert_eq!(won, 1, "{replies:?}");
        for reply in replies.iter().filter(|reply| reply.status != 200) {
            reply.refused(404, "link_code_unknown");
        }
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_given_again_to_the_same_device_only() {
    let app = App::builder().servers(2).workers(0).start().await;
    let volunteer = app.volunteer().await;
    let (code, attempt) = (code_of(&volunteer).await, id());
    let again = async |attempt: &str| {
        app.public()
            .post("/v1/volunteers/link")
            .json(json!({"code": code, "id": attempt}))
            .await
    };
    for _ in 0..3 {
        assert_eq!(
            again(&attempt).await.expect(200)["volunteer_id"],
            volunteer.id
        );
    }
    again(&id()).await.refused(404, "link_code_unknown");
    try_code(&app.public(), &code)
        .await
        .refused(404, "link_code_unknown");
    // With a token no id is needed.
    let (device, code) = (app.volunteer().await, code_of(&volunteer).await);
    for _ in 0..3 {
        let linked = try_code(&device, &code).await.expect(200);
        assert_eq!(linked["volunteer_id"], volunteer.id);
    }
}

#[tokio::test]
async fn a_code_lapses_and_a_sixth_ends_the_first() {
    let app = App::builder().servers(1).workers(0).start().await;
    let volunteer = app.volunteer().await;
    let mut codes = Vec::new();
    for _ in 0..6 {
        codes.push(code_of(&volunteer).await);
    }
    try_code(&app.public(), &codes[0])
        .await
        .refused(404, "link_code_unknown");
    try_code(&app.public(), &codes[1]).await.expect(200);
    let left = app
        .number("SELECT extract(epoch FROM max(expires_at) - now())::int8 FROM link_codes")
        .await;
    assert!((590..=600).contains(&left), "{left}");
    app.execute("UPDATE link_codes SET expires_at = now() - interval '1 second'")
        .await;
    try_code(&app.public(), &codes[2])
        .await
        .refused(404, "link_code_unknown");
    let told = try_code(&app.public(), "ABC").await;
    assert!(told.refused_at("invalid_body", "/code").contains("found 3"));
}

#[tokio::test]
async fn the_nth_wrong_code_is_looked_up_and_no_other_after_it() {
    let app = App::builder()
        .servers(2)
        .workers(0)
        .setting("RATE_LINK_CODES", "4/86400")
        .start()
        .await;
    let volunteer = app.volunteer().await;
    for _ in 0..3 {
        let code = code_of(&volunteer).await;
        try_code(&app.public(), &code).await.expect(200);
    }
    for _ in 0..4 {
        try_code(&app.public(), "ACDE-FGHJ")
            .await
            .refused(404, "link_code_unknown");
    }
    let code = code_of(&volunteer).await;
    for guess in ["ACDE-FGHJ", &code] {
        let refused = try_code(&app.public(), guess).await;
        refused.refused(429, "too_many_requests");
        assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
    }
}

#[tokio::test]
async fn wrong_codes_of_all_networks_are_limited_together() {
    let app = App::builder()
        .servers(1)
        .workers(0)
        .setting("RATE_LINK_CODES_IN_ALL", "3/86400")
        .setting("TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await;
    for n in 0..4 {
        let reply = app
            .public()
            .post("/v1/volunteers/link")
            .header("X-Forwarded-For", &format!("198.51.100.{n}"))
            .json(json!({"code": "ACDE-FGHJ"}))
            .await;
        assert_eq!(reply.status, if n < 3 { 404 } else { 429 }, "{reply:?}");
    }
}
