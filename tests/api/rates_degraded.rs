//! Limits without memcached: each server goes on by itself, and nobody gets an error.

use std::time::Duration;

use crate::harness::{
    App, Client,
    between::{Between, Mode},
    memcached::Memcached,
};
use crate::rates::CALL;

async fn limited(memcached: &str, servers: usize, limit: &str) -> App {
    App::builder()
        .servers(servers)
        .workers(0)
        .setting("MEMCACHED", memcached)
        .setting("RATE_VOLUNTEER", limit)
        .start()
        .await
}

/// How many of so many calls pass; none may fail in another way than by the limit.
async fn passed(client: &Client, calls: usize) -> usize {
    let mut count = 0;
    for _ in 0..calls {
        let reply = client.get(CALL).await;
        assert!([404, 429].contains(&reply.status), "{reply:?}");
        count += usize::from(reply.status == 404);
    }
    count
}

#[tokio::test]
async fn while_memcached_is_dead_each_server_counts_for_itself() {
    let app = limited("127.0.0.1:9", 2, "5/86400").await;
    let volunteer = app.volunteer().await;
    for server in &app.servers {
        assert_eq!(passed(&volunteer.at(&server.url), 8).await, 5);
    }
    let reply = volunteer.get(CALL).await;
    reply.refused(429, "too_many_requests");
    assert!(!reply.header("retry-after").is_empty());
}

#[tokio::test]
async fn what_passed_before_and_while_memcached_was_dead_counts_after_it() {
    let mut memcached = Memcached::start().await;
    let app = limited(&memcached.address, 1, "9/86400").await;
    let volunteer = app.volunteer().await;
    assert_eq!(passed(&volunteer, 3).await, 3);
    memcached.kill().await;
    assert_eq!(passed(&volunteer, 3).await, 3);
    // It forgot all.
    memcached.restart().await;
    assert_eq!(passed(&volunteer, 8).await, 3);
}

#[tokio::test]
async fn a_flushed_memcached_is_told_by_the_next_who_counts() {
    let memcached = Memcached::start().await;
    let app = limited(&memcached.address, 2, "9/86400").await;
    let volunteer = app.volunteer().await;
    let (one, two) = (
        volunteer.at(&app.servers[0].url),
        volunteer.at(&app.servers[1].url),
    );
    assert_eq!(passed(&one, 4).await, 4);
    memcached.flush().await;
    assert_eq!(passed(&one, 1).await, 1);
    assert_eq!(passed(&two, 8).await, 4);
    assert_eq!(passed(&one, 2).await, 0);
    // Whoever comes new is counted by both as if nothing had been.
    memcached.flush().await;
    assert_eq!(passed(&app.volunteer().await, 12).await, 9);
}

#[tokio::test]
async fn a_silent_or_slow_memcached_delays_calls_by_little_and_fails_none() {
    let memcached = std::env::var("MEMCACHED").unwrap();
    let between = Between::start(&memcached, Mode::Pass).await;
    let app = limited(&between.address, 1, "9/86400").await;
    for mode in [
        Mode::Silent,
        Mode::Cut,
        Mode::Slow(Duration::from_millis(60)),
        Mode::Slow(Duration::from_millis(400)),
    ] {
        between.set(mode);
        assert_eq!(passed(&app.volunteer().await, 12).await, 9, "{mode:?}");
    }
    between.set(Mode::Pass);
    assert_eq!(passed(&app.volunteer().await, 12).await, 9);
}

#[tokio::test]
async fn what_a_stranger_wrote_for_a_number_is_not_believed() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let memcached = Memcached::start().await;
    let app = limited(&memcached.address, 1, "9/86400").await;
    let volunteer = app.volunteer().await;
    assert_eq!(passed(&volunteer, 2).await, 2);
    let mut stream = tokio::net::TcpStream::connect(&memcached.address)
        .await
        .unwrap();
    stream
        .write_all(b"lru_crawler metadump all\r\n")
        .await
        .unwrap();
    let mut text = Vec::new();
    while !text.ends_with(b"END\r\n") {
        assert_ne!(stream.read_buf(&mut text).await.unwrap(), 0);
    }
    let text = String::from_utf8_lossy(&text).replace("%3A", ":");
    let name = text
        .lines()
        .filter_map(|line| line.strip_prefix("key=")?.split(' ').next())
        .find(|name| name.contains(":rate:1:volunteer:"))
        .unwrap();
    let set = format!("set {name} 0 600 7\r\ngarbage\r\n");
    stream.write_all(set.as_bytes()).await.unwrap();
    let mut answer = [0; 8];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"STORED\r\n");
    assert_eq!(passed(&volunteer, 10).await, 7);
}
