//! *What are we looking for* as shared caches and strangers are told it.

use std::io::Read;

use reqwest::header::HeaderMap;

use crate::harness::{App, Reply, json, point, tagged, within};

fn without_date(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for differs in ["date", "x-request-id"] {
        headers.remove(differs);
    }
    headers
}

fn unpacked(reply: &Reply) -> Vec<u8> {
    let mut plain = Vec::new();
    match reply.header("content-encoding") {
        "br" => brotli::BrotliDecompress(&mut reply.body.as_slice(), &mut plain).unwrap(),
        "gzip" => {
            flate2::read::GzDecoder::new(reply.body.as_slice())
                .read_to_end(&mut plain)
                .unwrap();
        }
        _ => plain.clone_from(&reply.body),
    }
    plain
}

#[tokio::test]
async fn a_shared_cache_may_keep_the_front_page_and_every_search() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    for path in [
        "/v1/campaigns".to_owned(),
        "/v1/campaigns?state=open".to_owned(),
        campaign.path(""),
        campaign.path("?area=false"),
        campaign.path("/progress"),
    ] {
        let read = app.public().get(&path).await;
        read.expect(200);
        let kept = read.header("cache-control");
        assert!(
            kept.contains("public") && kept.contains("s-maxage=1"),
            "{read:?}"
        );
        // What differs by who asks would be kept once for each page that asks.
        assert_eq!(read.header("vary"), "Accept-Encoding", "{read:?}");
        assert_eq!(read.header("access-control-allow-origin"), "*");
        assert!(read.header("set-cookie").is_empty());
        let tag = read.etag();
        assert!(tag.starts_with('"') && tag.len() > 2, "{read:?}");
        let known = app.public().get(&path).header("If-None-Match", tag).await;
        assert_eq!((known.status, known.body.len()), (304, 0), "{known:?}");
        for name in ["etag", "cache-control", "vary"] {
            assert_eq!(known.header(name), read.header(name), "{known:?}");
        }
    }
}

#[tokio::test]
async fn every_server_gives_the_same_bytes_under_the_same_tag_in_each_coding() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().open().await;
    for path in [campaign.path(""), "/v1/campaigns".to_owned()] {
        let mut tags = Vec::new();
        for accepted in ["identity", "gzip", "br", "gzip, deflate, br, zstd"] {
            let mut replies = Vec::new();
            for server in &app.servers {
                let at = app.public().at(&server.url);
                let reply = at.get(&path).header("Accept-Encoding", accepted).await;
                reply.expect_status(200);
                replies.push(reply);
            }
            let [one, two] = replies.as_slice() else {
                unreachable!("two servers")
            };
            assert_eq!(one.body, two.body);
            assert_eq!(without_date(&one.headers), without_date(&two.headers));
            let plain: serde_json::Value = serde_json::from_slice(&unpacked(one)).unwrap();
            assert!(plain.is_object());
            tags.push((
                one.header("content-encoding").to_owned(),
                one.etag().to_owned(),
            ));
        }
        let codings: Vec<&str> = tags.iter().map(|(coding, _)| coding.as_str()).collect();
        assert_eq!(codings, ["", "gzip", "br", "br"]);
        assert_eq!(tags[2], tags[3]);
        assert!(tags[1].1.ends_with(".gzip\"") && tags[2].1.ends_with(".br\""));
    }
}

#[tokio::test]
async fn an_organiser_sees_the_present_state_at_every_server_and_nobody_keeps_that() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().open().await;
    for looks in 2..6 {
        let changed = campaign.change(json!({"looks_wanted": looks})).await;
        changed.expect(200);
        for server in &app.servers {
            let at = campaign.organiser.at(&server.url);
            let read = at.get(&campaign.path("")).await;
            assert_eq!(read.expect(200)["looks_wanted"], looks);
            assert_eq!(read.header("cache-control"), "private, no-cache");
            let list = at.get("/v1/campaigns").await;
            assert_eq!(list.expect(200)["campaigns"][0]["looks_wanted"], looks);
            assert_eq!(list.header("cache-control"), "private, no-cache");
        }
    }
}

#[tokio::test]
async fn nobody_but_organisers_is_shown_a_draft_and_no_cache_keeps_a_refusal() {
    let app = App::start().await;
    let draft = app.campaign().draft().await;
    draft.organiser.get(&draft.path("")).await.expect(200);
    for client in [app.public(), app.volunteer().await] {
        let refused = client.get(&draft.path("")).await;
        refused.refused(404, "campaign_not_found");
        assert_eq!(refused.header("cache-control"), "no-store");
        let list = client.get("/v1/campaigns").await.expect(200);
        assert_eq!(list["campaigns"], json!([]));
    }
    app.public()
        .with_bearer("forged")
        .get(&draft.path(""))
        .await
        .refused(401, "token_refused");
}

#[tokio::test]
async fn the_list_shows_how_lively_a_search_is_within_two_seconds_of_its_progress() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    app.public().get("/v1/campaigns").await.expect(200);
    let given = campaign.given(&volunteer, 1).await[0];
    let look = tagged(given, [point(given.middle())]);
    campaign.send(&volunteer, &look).await.expect(201);
    campaign.progress_shows("/tags", 1).await;
    within(
        std::time::Duration::from_secs(2),
        "the list shows it",
        || async {
            let list = app.public().get("/v1/campaigns").await.expect(200);
            (list["campaigns"][0]["activity"]["tags"] == 1).then_some(())
        },
    )
    .await;
}
