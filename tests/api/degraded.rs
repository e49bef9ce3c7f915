//! Without memcached every answer stays right.

use std::time::Duration;

use tokio::net::TcpListener;

use crate::harness::{
    App, CHANGES_SEEN_IN,
    between::{Between, Mode},
    fixtures::cells_of,
    json,
    memcached::Memcached,
    point, tagged, within,
};

/// The whole life of a look.
async fn everything_works(app: &App) {
    let campaign = app.campaign().looks_wanted(1).open().await;
    let volunteer = app.volunteer().await;
    let given = campaign.given(&volunteer, 1).await;
    let look = tagged(given[0], [point(given[0].middle())]);
    campaign.send(&volunteer, &look).await.expect(201);
    campaign.send(&volunteer, &look).await.expect(200);
    let path = campaign.path(&format!(
        "/tags/{}",
        look["tags"][0]["id"].as_str().unwrap()
    ));
    volunteer
        .patch(&path)
        .if_match("\"1\"")
        .json(json!({"note": "a wing"}))
        .await
        .expect(200);
    campaign.progress_shows("/tags", 1).await;
    campaign.steer("pause").await.expect(200);
    within(
        Duration::from_secs(20),
        "every server knows of the pause",
        || async {
            let one = campaign.ask(&volunteer, 1).await.status;
            let two = campaign.ask(&volunteer, 1).await.status;
            (one == 409 && two == 409).then_some(())
        },
    )
    .await;
    campaign.steer("resume").await.expect(200);
    // Servers may not have heard of it, as when memcached is slow.
    let given = within(CHANGES_SEEN_IN, "it goes on at every server", || async {
        let dealt = campaign.ask(&volunteer, 4).await;
        (dealt.status == 200).then(|| cells_of(&dealt.json()))
    })
    .await;
    assert!(!given.is_empty());
    let verified = app.spotter(&["verify"]).await;
    assert!(verified.status.success(), "{verified:?}");
}

#[tokio::test]
async fn everything_works_while_memcached_is_dead() {
    let app = App::builder()
        .setting("MEMCACHED", "127.0.0.1:9")
        .start()
        .await;
    everything_works(&app).await;
}

#[tokio::test]
async fn everything_works_while_memcached_takes_connections_and_never_answers() {
    let hole = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = hole.local_addr().unwrap().to_string();
    let swallowing = tokio::spawn(async move {
        let mut swallowed = Vec::new();
        while let Ok((stream, _)) = hole.accept().await {
            swallowed.push(stream);
        }
    });
    let app = App::builder().setting("MEMCACHED", &address).start().await;
    everything_works(&app).await;
    swallowing.abort();
}

#[tokio::test]
async fn everything_works_while_memcached_is_slow() {
    let memcached = std::env::var("MEMCACHED").unwrap();
    for late_ms in [80, 400] {
        let late = Mode::Slow(Duration::from_millis(late_ms));
        let between = Between::start(&memcached, late).await;
        let app = App::builder()
            .setting("MEMCACHED", &between.address)
            .start()
            .await;
        everything_works(&app).await;
    }
}

#[tokio::test]
async fn everything_works_while_memcached_is_flushed_again_and_again() {
    let memcached = Memcached::start().await;
    let app = App::builder()
        .setting("MEMCACHED", &memcached.address)
        .start()
        .await;
    let flushing = async {
        loop {
            memcached.flush().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = everything_works(&app) => {}
        () = flushing => {}
    }
}

#[tokio::test]
async fn everything_works_while_memcached_is_killed_and_comes_back() {
    let mut memcached = Memcached::start().await;
    let app = App::builder()
        .setting("MEMCACHED", &memcached.address)
        .start()
        .await;
    let killing = async {
        loop {
            memcached.kill().await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            memcached.restart().await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    tokio::select! {
        () = everything_works(&app) => {}
        () = killing => {}
    }
}

#[tokio::test]
async fn everything_works_while_one_of_two_memcacheds_is_dead() {
    let both = format!("{},127.0.0.1:9", std::env::var("MEMCACHED").unwrap());
    let app = App::builder().setting("MEMCACHED", &both).start().await;
    everything_works(&app).await;
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
