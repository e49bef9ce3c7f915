//! How often may be called: the N-th call passes, the next is told when to come back.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{
    App, Client, Reply, Value, eventually, fixtures::at_once, json, nothing, point, tagged,
};

/// A call that costs a unit and that nobody but its caller may keep.
pub const CALL: &str = "/v1/nothing";

/// Calls of one volunteer at two servers.
async fn two_servers(limit: &str) -> App {
    let app = App::builder().servers(2).workers(0);
    app.setting("RATE_VOLUNTEER", limit).start().await
}

/// Checks that all servers made without memcached, which did not answer in time.
pub async fn fallbacks(app: &App) -> u64 {
    let mut sum = 0;
    for server in &app.servers {
        let text = app.public().at(&server.url).get("/metrics").await.text();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("rate_checks_total{outcome=\"fallback\"} "));
        sum += line.unwrap().parse::<u64>().unwrap();
    }
    sum
}

fn passed(replies: &[Reply]) -> usize {
    for reply in replies {
        assert!([404, 429].contains(&reply.status), "{reply:?}");
    }
    replies.iter().filter(|reply| reply.status == 404).count()
}

fn seconds(reply: &Reply, header: &str) -> u64 {
    reply.header(header).parse().unwrap()
}

#[tokio::test]
async fn the_nth_call_passes_and_the_next_is_refused_at_every_server() {
    let app = two_servers("5/86400").await;
    let volunteer = app.volunteer().await;
    for left in (0..5).rev() {
        let reply = volunteer.get(CALL).await;
        reply.refused(404, "not_found");
        assert_eq!(reply.header("x-ratelimit-remaining"), left.to_string());
    }
    for _ in 0..4 {
        let reply = volunteer.get(CALL).await;
        reply.refused(429, "too_many_requests");
        assert!((1..=86_401).contains(&seconds(&reply, "retry-after")));
        assert_eq!(reply.header("access-control-allow-origin"), "*");
    }
    let another = app.volunteer().await;
    another.get(CALL).await.refused(404, "not_found");
}

#[tokio::test]
async fn of_100_calls_at_once_exactly_as_many_pass_as_may() {
    let app = two_servers("37/86400").await;
    // When memcached does not answer in time on a busy machine, servers count for themselves, which
    // is another test's subject.
    eventually("memcached answers in time", || async {
        let before = fallbacks(&app).await;
        let volunteer = app.volunteer().await;
        let replies = at_once((0..100).map(|_| volunteer.get(CALL))).await;
        let alone = fallbacks(&app).await > before;
        (!alone).then(|| assert_eq!(passed(&replies), 37))
    })
    .await;
}

#[tokio::test]
async fn the_last_calls_of_a_large_limit_are_exact_too() {
    let app = two_servers("700/86400").await;
    eventually("memcached answers in time", || async {
        let before = fallbacks(&app).await;
        let volunteer = app.volunteer().await;
        let mut all = 0;
        for _ in 0..8 {
            let replies = at_once((0..100).map(|_| volunteer.get(CALL))).await;
            all += passed(&replies);
        }
        let alone = fallbacks(&app).await > before;
        (!alone).then(|| assert_eq!(all, 700))
    })
    .await;
}

#[tokio::test]
async fn what_one_server_took_ahead_the_other_gets_back() {
    let app = two_servers("700/86400").await;
    let volunteer = app.volunteer().await;
    let (one, two) = (
        volunteer.at(&app.servers[0].url),
        volunteer.at(&app.servers[1].url),
    );
    eventually("memcached answers in time", || async {
        let before = fallbacks(&app).await;
        let me = app.volunteer().await;
        let (one, two) = (one.with_bearer(me.bearer()), two.with_bearer(me.bearer()));
        one.get(CALL).await.refused(404, "not_found");
        let mut all = 1;
        for _ in 0..8 {
            all += passed(&at_once((0..100).map(|_| two.get(CALL))).await);
        }
        let alone = fallbacks(&app).await > before;
        (!alone).then(|| assert_eq!(all, 700))
    })
    .await;
}

#[tokio::test]
async fn whoever_waits_as_long_as_they_are_told_passes() {
    let app = App::builder()
        .servers(1)
        .workers(0)
        .setting("RATE_VOLUNTEER", "2/2")
        .start()
        .await;
    let volunteer = app.volunteer().await;
    for _ in 0..2 {
        let refused = eventually("the limit is reached", || async {
            let reply = volunteer.get(CALL).await;
            (reply.status == 429).then_some(reply)
        })
        .await;
        let wait = seconds(&refused, "retry-after");
        assert!((1..=3).contains(&wait), "{refused:?}");
        tokio::time::sleep(Duration::from_secs(wait)).await;
        volunteer.get(CALL).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn headers_tell_new_and_old_clients_how_they_stand() {
    let app = two_servers("50/3600").await;
    let volunteer = app.volunteer().await;
    let reply = volunteer.get(CALL).await;
    assert_eq!(
        reply.header("ratelimit-policy"),
        "\"volunteer\";q=50;w=3600"
    );
    let (item, _) = reply.header("ratelimit").split_once(";t=").unwrap();
    assert_eq!(item, "\"volunteer\";r=49");
    // As `ratelimit-header-parser` (npm) reads it: `RateLimit` alone when there is one.
    let read = |name: &str| {
        let (_, rest) = reply
            .header("ratelimit")
            .split_once(&format!("{name}="))
            .unwrap();
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().unwrap()
    };
    assert_eq!((read("limit"), read("remaining")), (50, 49));
    assert_eq!(read("t"), read("reset"));
    assert!((1..=3601).contains(&read("reset")));
    assert_eq!(reply.header("x-ratelimit-limit"), "50");
    assert_eq!(reply.header("x-ratelimit-remaining"), "49");
    let now = jiff::Timestamp::from_second(1_700_000_000).unwrap();
    assert!(seconds(&reply, "x-ratelimit-reset") > now.as_second().unsigned_abs());
    for header in ["ratelimit", "ratelimit-policy", "x-ratelimit-remaining"] {
        let exposed = reply.header("access-control-expose-headers");
        assert!(exposed.split(", ").any(|name| name == header), "{exposed}");
    }
}

#[tokio::test]
async fn what_shared_caches_may_keep_says_nothing_of_who_asked() {
    let app = two_servers("50/3600").await;
    let volunteer = app.volunteer().await;
    for caller in [volunteer, app.public()] {
        let reply = caller.get("/v1/campaigns").await;
        reply.expect(200);
        assert!(reply.header("cache-control").starts_with("public"));
        for name in reply.headers.keys() {
            assert!(!name.as_str().contains("ratelimit"), "{reply:?}");
        }
    }
}

#[tokio::test]
async fn a_refused_call_costs_nothing() {
    let app = App::builder()
        .workers(0)
        .servers(1)
        .setting("RATE_VOLUNTEER", "4/86400")
        .setting("RATE_NETWORK", "6/86400")
        .start()
        .await;
    // Each sign-up is a call of the network.
    let (one, two) = (app.volunteer().await, app.volunteer().await);
    for _ in 0..4 {
        one.get(CALL).await.refused(404, "not_found");
    }
    let refused = two.get(CALL).await;
    refused.refused(429, "too_many_requests");
    assert!(refused.header("ratelimit").starts_with("\"network\";r=0"));
}

#[tokio::test]
async fn a_call_is_refused_before_its_body_is_read() {
    let app = two_servers("1/86400").await;
    let volunteer = app.volunteer().await;
    volunteer.get(CALL).await.refused(404, "not_found");
    let address = app.servers[0].url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/campaigns/none/looks/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\nAuthorization: Bearer {}\r\n\r\n",
        volunteer.bearer()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    let reading = stream.read_exact(&mut answer);
    tokio::time::timeout(crate::harness::DEADLINE, reading)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&answer, b"HTTP/1.1 429");
}

#[tokio::test]
async fn a_batch_counts_as_often_as_it_has_looks_and_is_refused_whole() {
    let app = App::builder()
        .setting("RATE_VOLUNTEER", "10/86400")
        .start()
        .await;
    let campaign = app.campaign().cells(4, 5).open().await;
    let batch = |cells: std::ops::Range<usize>| -> Vec<Value> {
        let cells = &campaign.cells[cells];
        cells.iter().map(|cell| nothing(*cell)).collect()
    };
    let volunteer = app.volunteer().await;
    let stored = campaign.send_batch(&volunteer, &batch(0..6)).await;
    stored.expect(200);
    assert_eq!(stored.header("x-ratelimit-remaining"), "4");
    let refused = campaign.send_batch(&volunteer, &batch(6..11)).await;
    refused.refused(429, "too_many_requests");
    assert!(seconds(&refused, "retry-after") >= 1);
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 6);
    eventually("what the refused batch took is back", || async {
        let reply = campaign.send_batch(&volunteer, &batch(6..10)).await;
        (reply.status == 200).then_some(())
    })
    .await;
    campaign
        .send_batch(&volunteer, &batch(10..11))
        .await
        .refused(429, "too_many_requests");
    // One that is larger than the limit takes all of it.
    let another = app.volunteer().await;
    campaign
        .send_batch(&another, &batch(0..20))
        .await
        .expect(200);
    another.get(CALL).await.refused(429, "too_many_requests");
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 30);
}

#[tokio::test]
async fn a_day_of_looks_from_a_phone_that_was_offline_passes_at_once() {
    let app = App::start().await;
    let campaign = app.campaign().cells(25, 40).open().await;
    let volunteer = app.volunteer().await;
    let looks: Vec<Value> = campaign
        .cells
        .iter()
        .map(|cell| tagged(*cell, (0..3).map(|_| point(cell.middle()))))
        .collect();
    assert_eq!(looks.len(), 1000);
    let batches = looks.chunks(125);
    let replies = at_once(batches.map(|looks| campaign.send_batch(&volunteer, looks))).await;
    for reply in replies {
        let results = reply.expect(200)["results"].as_array().unwrap().clone();
        assert!(results.iter().all(|one| one["verdict"] == "created"));
    }
    assert_eq!(app.number("SELECT count(*) FROM tags").await, 3000);
}

#[tokio::test]
async fn an_api_key_has_a_limit_of_its_own() {
    let app = App::builder()
        .workers(0)
        .setting("RATE_ORGANISER", "4/86400")
        .start()
        .await;
    let (one, two) = (
        app.organiser_with("read").await,
        app.organiser_with("read").await,
    );
    // Until a server knows a key, its calls are not counted for it.
    for server in &app.servers {
        let me = one.at(&server.url).get("/v1/organisers/me").await;
        me.expect(200);
    }
    for left in (0..4).rev() {
        let me = one.get("/v1/organisers/me").await;
        me.expect(200);
        let told = me.header("ratelimit");
        assert!(
            told.starts_with(&format!("\"organiser\";r={left};")),
            "{told}"
        );
    }
    one.get("/v1/organisers/me")
        .await
        .refused(429, "too_many_requests");
    two.get("/v1/organisers/me").await.expect(200);
}

#[tokio::test]
async fn limits_that_are_off_say_and_refuse_nothing() {
    let mut app = App::builder().workers(0);
    for setting in [
        "RATE_VOLUNTEER",
        "RATE_ORGANISER",
        "RATE_NETWORK",
        "RATE_SIGN_UPS",
        "RATE_UNKNOWN_KEYS",
        "RATE_TILES",
    ] {
        app = app.setting(setting, "0");
    }
    let app = app.start().await;
    let volunteer = app.volunteer().await;
    let reply = volunteer.get(CALL).await;
    reply.refused(404, "not_found");
    assert_eq!(reply.header("ratelimit"), "");
}

#[tokio::test]
async fn a_wrong_limit_stops_the_start_and_is_named() {
    let app = App::builder().servers(0).workers(0).start().await;
    for wrong in ["5", "5/0", "five/60"] {
        let ended = app
            .spotter_with(&["serve"], &[("RATE_VOLUNTEER", wrong)])
            .await;
        assert!(!ended.status.success());
        let said = String::from_utf8_lossy(&ended.stderr).into_owned() + &app.log();
        assert!(said.contains("RATE_VOLUNTEER"), "{said}");
    }
}

#[tokio::test]
async fn metrics_of_limits_are_there_from_the_start_and_count() {
    let app = App::builder()
        .servers(1)
        .workers(0)
        .setting("RATE_SIGN_UPS", "1/86400")
        .start()
        .await;
    let metrics = async || app.public().get("/metrics").await.text();
    let text = metrics().await;
    for line in [
        "rate_limited_total{limit=\"volunteer\"} 0",
        "rate_limited_total{limit=\"network\"} 0",
        "rate_limited_total{limit=\"sign-ups\"} 0",
        "rate_limited_total{limit=\"unknown-keys\"} 0",
        "rate_checks_total{outcome=\"lease\"} 0",
        "rate_checks_total{outcome=\"shared\"} 0",
        "rate_checks_total{outcome=\"closed\"} 0",
        "rate_checks_total{outcome=\"fallback\"} 0",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    app.volunteer().await;
    let refused: Client = app.public();
    refused
        .post("/v1/volunteers")
        .json(json!({}))
        .await
        .refused(429, "too_many_requests");
    assert!(
        metrics()
            .await
            .contains("rate_limited_total{limit=\"sign-ups\"} 1")
    );
}
