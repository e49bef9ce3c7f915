//! Start and stop of processes.

use std::time::Duration;

use crate::harness::{App, Source, eventually, nothing};

#[tokio::test]
async fn a_stopping_server_answers_what_it_accepted() {
    let mut app = App::builder().servers(1).start().await;
    let source = Source::start().await;
    let key = app.layer(&source.url("/held/{z}/{x}/{y}")).create().await;
    let client = app.public();
    let asking = tokio::spawn(client.get(&format!("/v1/imagery/{key}/3/5/2")).attempt());
    eventually("the request is in flight", || async {
        (!source.asked().is_empty()).then_some(())
    })
    .await;
    app.servers[0].terminate();
    eventually("the server takes no new connections", || async {
        let fresh = crate::harness::Client::new(vec![app.servers[0].url.clone()]);
        fresh.get("/livez").attempt().await.is_err().then_some(())
    })
    .await;
    source.release();
    let answer = asking.await.unwrap().unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(app.servers[0].ended(Duration::from_secs(20)).await);
}

#[tokio::test]
async fn looks_in_flight_while_a_server_stops_are_answered_or_never_stored_unseen() {
    let mut app = App::builder().servers(1).start().await;
    let campaign = app.campaign().cells(10, 10).open().await;
    let volunteer = app.volunteer().await;
    let looks: Vec<_> = campaign.cells.iter().map(|cell| nothing(*cell)).collect();
    let sending = futures_util::future::join_all(
        looks
            .iter()
            .map(|look| campaign.send(&volunteer, look).attempt()),
    );
    let stopping = async { app.servers[0].terminate() };
    let (answers, ()) = futures_util::future::join(sending, stopping).await;
    assert!(app.servers[0].ended(Duration::from_secs(20)).await);
    let acknowledged = answers
        .iter()
        .flatten()
        .filter(|answer| answer.status == 201)
        .count();
    let stored = app.number("SELECT count(*) FROM looks").await;
    assert_eq!(
        i64::try_from(acknowledged).unwrap(),
        stored,
        "every accepted look was answered"
    );
}

#[tokio::test]
async fn a_draining_server_says_so_and_goes_on_answering() {
    let mut app = App::builder()
        .servers(1)
        .setting("DRAIN_SECONDS", "600")
        .start()
        .await;
    app.servers[0].terminate();
    let client = app.public();
    let draining = eventually("the server drains", || async {
        let answer = client.get("/readyz").await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert_eq!(draining.json()["status"], "draining");
    client.get("/v1/campaigns").await.expect(200);
    app.servers.pop().unwrap().kill().await;
}

#[tokio::test]
async fn a_worker_stops_when_it_is_asked_to() {
    let mut app = App::start().await;
    app.campaign().open().await;
    app.workers[0].terminate();
    assert!(app.workers[0].ended(Duration::from_secs(20)).await);
}

#[tokio::test]
async fn four_servers_that_start_at_once_on_an_empty_database_all_come_up() {
    let app = App::builder()
        .servers(0)
        .workers(0)
        .empty_database()
        .start()
        .await;
    let servers = futures_util::future::join_all((0..4).map(|_| app.start_server(&[]))).await;
    for server in &servers {
        app.public()
            .at(&server.url)
            .get("/v1/campaigns")
            .await
            .expect(200);
    }
    let doubled = "SELECT count(*) - count(DISTINCT version) FROM schema_migrations";
    assert_eq!(app.number(doubled).await, 0);
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start_and_is_named() {
    let app = App::builder().servers(0).workers(0).start().await;
    for (name, value) in [
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "mysql://x"),
        ("DATABASE_POOL_SIZE", "1"),
        ("DATABASE_POOL_SIZE", "513"),
        ("DATABASE_WAIT_MS", "0"),
        ("MEMCACHED", "nowhere"),
        ("MEMCACHED", "host:99999"),
        ("CACHE_PREFIX", "a b"),
        ("CACHE_PREFIX", ""),
        ("TOKEN_KEYS", "k1:12"),
        ("TOKEN_KEYS", ""),
        ("PORT", "99999"),
        ("HOST", "nowhere"),
        ("SHUTDOWN_SECONDS", "0"),
        ("LOG", "=="),
        ("LOG_FORMAT", "xml"),
        ("ALLOW_INTERNAL_SOURCES", "perhaps"),
        ("STORE", "/dev/null/store"),
    ] {
        let failed = app.spotter_with(&["serve"], &[(name, value)]).await;
        assert!(!failed.status.success(), "{name}={value}");
        let told = String::from_utf8_lossy(&failed.stderr).into_owned();
        let flag = format!("--{}", name.to_lowercase().replace('_', "-"));
        assert!(
            told.contains(name) || told.contains(&flag),
            "{name}={value}: {told}"
        );
    }
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let app = App::builder().servers(1).workers(0).start().await;
    let port = app.servers[0].url.rsplit(':').next().unwrap().to_owned();
    let failed = app.spotter_with(&["serve"], &[("PORT", &port)]).await;
    assert!(!failed.status.success());
    assert!(
        String::from_utf8_lossy(&failed.stderr).contains("PORT"),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_program_that_is_older_than_its_database_does_not_start() {
    let app = App::builder().servers(0).workers(0).start().await;
    app.execute("INSERT INTO schema_migrations (version, name) VALUES (9999, 'future')")
        .await;
    let failed = app.spotter(&["serve"]).await;
    assert!(!failed.status.success());
    assert!(
        String::from_utf8_lossy(&failed.stderr).contains("9999"),
        "{failed:?}"
    );
}
