//! Limits of networks: where a call comes from, and that nobody can choose it.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{App, Client, client::Call, fixtures::at_once, json, memcached::Memcached};
use crate::rates::CALL;

/// Two calls of a network, and 127.0.0.1 is a proxy that is believed.
async fn behind_a_proxy(header: &str) -> App {
    App::builder()
        .workers(0)
        .setting("RATE_NETWORK", "2/86400")
        .setting("TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8")
        .setting("PROXY_HEADER", header)
        .start()
        .await
}

fn from(client: &Client, header: &str, hops: &str) -> Call {
    client.get(CALL).header(header, hops)
}

#[tokio::test]
async fn behind_a_declared_proxy_each_network_is_counted_for_itself() {
    let app = behind_a_proxy("x-forwarded-for").await;
    let me = app.public();
    for client in ["198.51.100.1", "198.51.100.2", "2001:db8:1::1"] {
        for _ in 0..2 {
            let reply = from(&me, "X-Forwarded-For", client).await;
            reply.refused(404, "not_found");
        }
        let reply = from(&me, "X-Forwarded-For", client).await;
        reply.refused(429, "too_many_requests");
    }
    // The same household, and through a second proxy of ours.
    for hops in ["2001:db8:1:ff:9::9", "198.51.100.1, 10.0.0.9"] {
        let reply = from(&me, "X-Forwarded-For", hops).await;
        reply.refused(429, "too_many_requests");
    }
}

#[tokio::test]
async fn what_a_client_writes_itself_changes_nothing() {
    let app = behind_a_proxy("x-forwarded-for").await;
    let me = app.public();
    for spoofed in ["203.0.113.1", "10.0.0.1"] {
        let hops = format!("{spoofed}, 198.51.100.1");
        let reply = from(&me, "X-Forwarded-For", &hops).await;
        reply.refused(404, "not_found");
    }
    for spoofed in ["203.0.113.3", "127.0.0.1", "junk", ""] {
        let hops = format!("{spoofed}, 198.51.100.1");
        let reply = from(&me, "X-Forwarded-For", &hops).await;
        reply.refused(429, "too_many_requests");
        // The header that our proxy does not write.
        let reply = from(&me, "X-Forwarded-For", "198.51.100.1")
            .header("Forwarded", &format!("for={spoofed}"))
            .await;
        reply.refused(429, "too_many_requests");
    }
}

#[tokio::test]
async fn without_a_declared_proxy_no_header_is_believed() {
    let app = App::builder()
        .workers(0)
        .setting("RATE_NETWORK", "2/86400")
        .start()
        .await;
    let me = app.public();
    for (spoofed, status) in [
        ("203.0.113.1", 404),
        ("203.0.113.2", 404),
        ("203.0.113.3", 429),
    ] {
        let reply = from(&me, "X-Forwarded-For", spoofed)
            .header("Forwarded", &format!("for={spoofed}"))
            .await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
    assert!(app.log().contains("TRUSTED_PROXIES"), "{}", app.log());
    assert!(!app.log().contains("203.0.113"), "{}", app.log());
}

#[tokio::test]
async fn forwarded_is_believed_where_it_is_declared() {
    let app = behind_a_proxy("forwarded").await;
    let me = app.public();
    for (hops, status) in [
        ("for=203.0.113.1, for=198.51.100.1", 404),
        (
            "for=203.0.113.2, for=\"198.51.100.1:4711\";proto=https",
            404,
        ),
        ("for=203.0.113.3, for=198.51.100.1", 429),
        ("for=198.51.100.2", 404),
    ] {
        let reply = from(&me, "Forwarded", hops).await;
        assert_eq!(reply.status, status, "{hops}: {reply:?}");
    }
}

#[tokio::test]
async fn health_metrics_pages_and_preflights_are_never_limited() {
    let app = App::builder()
        .workers(0)
        .servers(1)
        .setting("RATE_NETWORK", "1/86400")
        .start()
        .await;
    let me = app.public();
    me.get(CALL).await.refused(404, "not_found");
    // However it is written.
    for path in [CALL, "/%761/campaigns", "/v1/campaigns", "/v1/nothing"] {
        me.get(path).await.refused(429, "too_many_requests");
    }
    for _ in 0..3 {
        for path in ["/livez", "/readyz", "/metrics", "/openapi.json", "/docs/"] {
            me.get(path).await.expect_status(200);
        }
        let asked = me
            .call(reqwest::Method::OPTIONS, "/v1/volunteers")
            .header("Origin", "https://example.org")
            .header("Access-Control-Request-Method", "POST")
            .await;
        asked.expect_status(204);
        assert_eq!(asked.header("ratelimit"), "");
    }
}

#[tokio::test]
async fn sign_ups_are_counted_for_a_network_and_volunteers_go_on() {
    let app = App::builder()
        .setting("RATE_SIGN_UPS", "3/86400")
        .start()
        .await;
    let campaign = app.campaign().open().await;
    let known = app.volunteer().await;
    let nobody = app.public();
    nobody.post("/v1/volunteers").await.expect(201);
    let signed_up = campaign.ask(&nobody, 1).await.expect(200);
    assert!(signed_up["volunteer"]["token"].is_string());
    // A token is no way around it.
    let refused = known.post("/v1/volunteers").await;
    refused.refused(429, "too_many_requests");
    assert!(refused.header("ratelimit").starts_with("\"sign-ups\";r=0"));
    campaign
        .ask(&nobody, 1)
        .await
        .refused(429, "too_many_requests");
    campaign.ask(&known, 1).await.expect(200);
}

#[tokio::test]
async fn a_school_behind_one_address_gets_in() {
    let app = App::start().await;
    let campaign = app.campaign().cells(4, 4).looks_wanted(50).open().await;
    let nobody = app.public();
    for _ in 0..4 {
        let arriving = (0..125).map(|_| campaign.ask(&nobody, 1));
        let classes = at_once(arriving).await;
        let mut crowd = Vec::new();
        for reply in &classes {
            let dealt = reply.expect(200);
            crowd.push(nobody.with_bearer(dealt["volunteer"]["token"].as_str().unwrap()));
        }
        for reply in at_once(crowd.iter().map(|pupil| pupil.get(CALL))).await {
            reply.refused(404, "not_found");
        }
    }
}

#[tokio::test]
async fn who_guesses_api_keys_is_stopped_and_organisers_beside_them_are_not() {
    let app = App::builder()
        .workers(0)
        .servers(1)
        .setting("RATE_UNKNOWN_KEYS", "3/86400")
        .start()
        .await;
    let organiser = app.organiser_with("read").await;
    // Good calls cost nothing of it.
    for _ in 0..6 {
        organiser.get("/v1/organisers/me").await.expect(200);
    }
    let guess = |n: u32| {
        let key = format!("spk_abcdefgh_{n:043}");
        app.public().with_bearer(&key).get("/v1/organisers/me")
    };
    for reply in at_once((0..12).map(guess)).await {
        assert!([401, 429].contains(&reply.status), "{reply:?}");
    }
    crate::harness::eventually("the first three are used up", || async {
        (guess(99).await.status == 429).then_some(())
    })
    .await;
    guess(100).await.refused(429, "too_many_requests");
    organiser.get("/v1/organisers/me").await.expect(200);
    let log = app.log();
    assert!(!log.contains("spk_abcdefgh"), "{log}");
}

#[tokio::test]
async fn an_invalid_token_is_counted_for_its_network_alone() {
    let app = App::builder()
        .workers(0)
        .servers(1)
        .setting("RATE_VOLUNTEER", "1/86400")
        .setting("RATE_NETWORK", "5/86400")
        .start()
        .await;
    let volunteer = app.volunteer().await;
    let forged = format!("{}x", volunteer.bearer());
    for bearer in [&forged, "s1.k1.x.y", &forged, "nonsense"] {
        let reply = app
            .public()
            .with_bearer(bearer)
            .post("/v1/campaigns/none/looks")
            .json(json!({}))
            .await;
        reply.refused(401, "token_refused");
        assert!(reply.header("ratelimit").starts_with("\"network\";"));
    }
    let reply = app.public().with_bearer(&forged).get(CALL).await;
    reply.refused(429, "too_many_requests");
}

/// Everything that a memcached says to some commands.
async fn dump(memcached: &Memcached) -> String {
    let mut stream = TcpStream::connect(&memcached.address).await.unwrap();
    let mut text = Vec::new();
    stream
        .write_all(b"lru_crawler metadump all\r\n")
        .await
        .unwrap();
    while !text.ends_with(b"END\r\n") {
        assert_ne!(stream.read_buf(&mut text).await.unwrap(), 0);
    }
    let keys = String::from_utf8_lossy(&text).into_owned();
    let names: Vec<&str> = keys
        .lines()
        .filter_map(|line| line.strip_prefix("key=")?.split(' ').next())
        .collect();
    let mut all = names.join("\n").replace("%3A", ":").replace("%3a", ":");
    let get = format!("get {}\r\n", all.replace('\n', " "));
    stream.write_all(get.as_bytes()).await.unwrap();
    let mut values = Vec::new();
    while !values.ends_with(b"END\r\n") {
        assert_ne!(stream.read_buf(&mut values).await.unwrap(), 0);
    }
    all.push_str(&String::from_utf8_lossy(&values));
    all
}

#[tokio::test]
async fn no_address_is_in_memcached_or_in_the_log() {
    let memcached = Memcached::start().await;
    let app = App::builder()
        .servers(1)
        .workers(0)
        .setting("MEMCACHED", &memcached.address)
        .setting("TRUSTED_PROXIES", "127.0.0.1")
        .setting("RATE_NETWORK", "2/86400")
        .setting("LOG", "trace")
        .start()
        .await;
    let me = app.public();
    for address in [
        "203.0.113.77",
        "203.0.113.77",
        "203.0.113.77",
        "2001:db8:77::7",
    ] {
        from(&me, "X-Forwarded-For", address).await;
    }
    let kept = dump(&memcached).await;
    assert!(kept.contains(":rate:1:network:"), "{kept}");
    let log: String = app
        .log()
        .lines()
        .filter(|line| line.contains("\"target\":\"spotter"))
        .collect();
    assert!(log.contains("answered"), "{log}");
    for place in [&kept, &log] {
        for trace in [
            "203.0.113",
            "cb00714d",
            "3405803853",
            "2001:db8",
            "20010db8",
        ] {
            assert!(!place.contains(trace), "{trace} in {place}");
        }
    }
}
