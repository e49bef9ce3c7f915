//! Without memcached, and while the database comes and goes, every answer stays right.

mod plays;
mod stage;

use std::{sync::Arc, time::Duration};

use self::{
    plays::every_invariant_holds,
    stage::{Stage, Trouble},
};
use crate::harness::{
    App,
    between::{Between, Mode},
    memcached::Memcached,
    postgres::Postgres,
};

#[tokio::test]
async fn everything_works_while_memcached_is_dead() {
    let stage = Stage::with_memcached("127.0.0.1:9").await;
    every_invariant_holds(&stage, Trouble::Lasting).await;
}

#[tokio::test]
async fn everything_works_while_memcached_takes_connections_and_never_answers() {
    let between = Between::start(&std::env::var("MEMCACHED").unwrap(), Mode::Silent).await;
    let stage = Stage::with_memcached(&between.address).await;
    every_invariant_holds(&stage, Trouble::Lasting).await;
}

#[tokio::test]
async fn everything_works_while_memcached_is_slow() {
    let memcached = std::env::var("MEMCACHED").unwrap();
    let slow = async |late_ms: u64| {
        let late = Mode::Slow(Duration::from_millis(late_ms));
        let between = Between::start(&memcached, late).await;
        let stage = Stage::with_memcached(&between.address).await;
        every_invariant_holds(&stage, Trouble::Lasting).await;
    };
    // Slow enough to be waited for, and too slow for that.
    tokio::join!(slow(80), slow(300));
}

#[tokio::test]
async fn everything_works_while_memcached_is_flushed_again_and_again() {
    let memcached = Memcached::start().await;
    let stage = Stage::with_memcached(&memcached.address).await;
    every_invariant_holds(&stage, Trouble::Flushed(memcached)).await;
}

#[tokio::test]
async fn everything_works_while_memcached_is_killed_and_comes_back() {
    let memcached = Memcached::start().await;
    let stage = Stage::with_memcached(&memcached.address).await;
    every_invariant_holds(&stage, Trouble::Killed(memcached)).await;
}

#[tokio::test]
async fn everything_works_while_one_of_two_memcacheds_is_dead() {
    let both = format!("{},127.0.0.1:9", std::env::var("MEMCACHED").unwrap());
    let stage = Stage::with_memcached(&both).await;
    every_invariant_holds(&stage, Trouble::Lasting).await;
}

#[tokio::test]
async fn everything_works_while_the_network_to_the_database_is_cut_again_and_again() {
    let (stage, proxy) = Stage::behind_a_proxy().await;
    every_invariant_holds(&stage, Trouble::Cut(proxy)).await;
}

#[tokio::test]
async fn everything_works_while_the_database_crashes_and_recovers() {
    let postgres = Arc::new(Postgres::start().await);
    let stage = Stage::with_postgres(&postgres).await;
    every_invariant_holds(&stage, Trouble::Crashes(postgres)).await;
}

#[tokio::test]
async fn what_a_stranger_wrote_into_memcached_is_not_believed() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let app = App::builder().servers(1).start().await;
    let campaign = app.campaign().open().await;
    let prefix: String = app.database.name.chars().rev().take(24).collect();
    let mut memcached = tokio::net::TcpStream::connect(std::env::var("MEMCACHED").unwrap())
        .await
        .unwrap();
    let slug = &campaign.slug;
    for garbage in ["x", "{}", "null", "spo1"] {
        for key in [
            format!("campaign:3:{slug}"),
            format!("campaign-page:1:whole:{slug}"),
            "front:1:all".to_owned(),
        ] {
            let set = format!("set {prefix}:{key} 0 60 {}\r\n{garbage}\r\n", garbage.len());
            memcached.write_all(set.as_bytes()).await.unwrap();
            let mut answer = [0; 8];
            memcached.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"STORED\r\n");
        }
        // It remembers nothing, so that it reads what was written.
        let server = app.start_server(&[]).await;
        let volunteer = app.volunteer().await.at(&server.url);
        campaign.ask(&volunteer, 1).await.expect(200);
        let page = volunteer.get(&campaign.path("")).await.expect(200);
        assert_eq!(&page["slug"], slug);
        let front = volunteer.get("/v1/campaigns").await.expect(200);
        assert_eq!(&front["campaigns"][0]["slug"], slug);
    }
}
