//! How many connections a server bears, and what becomes of those beyond.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::harness::{App, Client, eventually, is_repetition, wire::Wire};

const PING: &str = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
/// Of DESIGN's budget.
const CONNECTIONS: usize = 10_000;
/// Memory of a server with so many of them, in MiB.
const MEMORY_MAX: u64 = 300;
/// Files of the test beside its connections.
const OTHER_FILES: u64 = 400;

async fn open(client: &Client) -> f64 {
    let text = client.get("/metrics").await.text();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("http_connections "));
    line.unwrap().parse().unwrap()
}

/// So many connections, each of which was served once.
async fn used(server: &str, count: usize) -> Vec<Wire> {
    stream::iter(0..count)
        .map(|_| async {
            let mut wire = Wire::to(server).await;
            wire.say(PING).await;
            assert_eq!(wire.answer().await.status, 200);
            wire
        })
        .buffer_unordered(64)
        .collect()
        .await
}

/// How many connections the test may have.
fn possible() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    let files = maximum.map_or(u64::MAX, |files| files.saturating_sub(OTHER_FILES));
    usize::try_from(files).unwrap_or(usize::MAX)
}

#[tokio::test]
async fn ten_thousand_idle_connections_cost_little_memory_and_hinder_nobody() {
    if is_repetition() {
        return;
    }
    let app = App::builder().servers(1).workers(0).start().await;
    let count = CONNECTIONS.min(possible());
    let mut server = app.start_server(&[("KEEP_ALIVE_SECONDS", "600")]).await;
    let idle = used(&server.url, count).await;
    let client = app.public().at(&server.url);
    assert!(open(&client).await >= f64::from(u32::try_from(count).unwrap()));
    let memory = server.memory("VmRSS");
    eprintln!("{count} connections: {memory} MiB");
    assert!(memory <= MEMORY_MAX, "{memory} MiB");
    for _ in 0..50 {
        client.post("/v1/volunteers").await.expect(201);
    }
    // All of them are closed, also when nobody says a word.
    server.terminate();
    for mut wire in idle {
        assert_eq!(wire.rest().await, b"");
    }
    assert!(server.ended(Duration::from_secs(20)).await);
}

#[tokio::test]
async fn idle_connections_are_closed_after_the_time_that_they_are_kept() {
    if is_repetition() {
        return;
    }
    let app = App::builder().servers(1).workers(0).start().await;
    let server = app.start_server(&[("KEEP_ALIVE_SECONDS", "1")]).await;
    for mut wire in used(&server.url, 200).await {
        assert_eq!(wire.rest().await, b"");
    }
    let client = app.public().at(&server.url);
    eventually("the server forgets them", || async {
        (open(&client).await <= 2.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_one_ends() {
    if is_repetition() {
        return;
    }
    let app = App::builder().servers(1).workers(0).start().await;
    let settings = [("MAX_CONNECTIONS", "8"), ("KEEP_ALIVE_SECONDS", "600")];
    let server = app.start_server(&settings).await;
    waits_for_a_place(&server.url, 8).await;
}

#[tokio::test]
async fn a_server_that_may_open_few_files_bears_as_many_connections_as_it_can() {
    if is_repetition() {
        return;
    }
    let app = App::builder().servers(1).workers(0).start().await;
    // Half of them for clients.
    let server = app.start_server_with_files(120).await;
    waits_for_a_place(&server.url, 60).await;
    assert!(app.log().contains("MAX_CONNECTIONS"), "{}", app.log());
}

async fn waits_for_a_place(server: &str, places: usize) {
    let mut wires = used(server, places).await;
    let mut waiting = Wire::to(server).await;
    waiting.say(PING).await;
    // Who is in is served, who is not is neither served nor refused.
    for wire in &mut wires {
        wire.say(PING).await;
        assert_eq!(wire.answer().await.status, 200);
    }
    assert!(!waiting.is_answered());
    wires.pop();
    assert_eq!(waiting.answer().await.status, 200);
}
