//! A tile is fetched once, whatever the number of requests and servers, and whatever fails meanwhile.

use std::{fs, future::IntoFuture, path::PathBuf};

use crate::harness::{
    App, Client, Reply, Source, eventually,
    fixtures::{at_once, in_flight},
    json,
    memcached::Memcached,
    proxy::Proxy,
    source::PNG,
};

/// Clients of each server.
const CROWD: u32 = 150;

async fn layer(app: &App, source: &Source, kind: &str) -> String {
    let key = app
        .layer(&source.url(&format!("/{kind}/{{z}}/{{x}}/{{y}}")))
        .create()
        .await;
    format!("/v1/imagery/{key}")
}

fn each(app: &App) -> Vec<Client> {
    let servers = app.servers.iter();
    servers.map(|server| app.public().at(&server.url)).collect()
}

async fn asked(source: &Source, times: usize) {
    eventually("the source is asked", || async {
        (source.asked().len() == times).then_some(())
    })
    .await;
}

#[track_caller]
fn all_have_it(answers: &[Reply], path: &str) {
    let image = [PNG, path.as_bytes()].concat();
    for answer in answers {
        assert_eq!((answer.status, &answer.body), (200, &image), "{answer:?}");
    }
}

/// A crowd asks each of these servers for a tile that the source holds back until all of them wait.
async fn crowd(servers: &[Client], source: &Source, path: &str, clients: u32) -> Vec<Reply> {
    let calls = (0..clients).flat_map(|_| servers.iter().map(|server| server.get(path)));
    let letting_go = async {
        for server in servers {
            in_flight(server, clients).await;
        }
        source.release_some(1);
    };
    let (answers, ()) = futures_util::future::join(at_once(calls), letting_go).await;
    answers
}

#[tokio::test]
async fn a_crowd_at_three_servers_makes_one_fetch() {
    let app = App::builder().servers(3).start().await;
    let source = Source::start().await;
    let layer = layer(&app, &source, "held").await;
    let path = format!("{layer}/3/5/2?v=1");
    let answers = crowd(&each(&app), &source, &path, CROWD).await;
    assert_eq!(answers.len(), 3 * 150);
    all_have_it(&answers, "/held/3/5/2");
    assert_eq!(source.asked().len(), 1);
}

#[tokio::test]
async fn when_the_server_that_fetches_dies_another_goes_on() {
    let mut app = App::builder().servers(2).start().await;
    let source = Source::start().await;
    let layer = layer(&app, &source, "held").await;
    let path = format!("{layer}/3/5/2?v=1");
    let servers = each(&app);
    let first = tokio::spawn(servers[0].get(&path).attempt());
    asked(&source, 1).await;
    let calls: Vec<_> = (0..20).map(|_| servers[1].get(&path)).collect();
    let others = tokio::spawn(at_once(calls));
    in_flight(&servers[1], 20).await;
    assert_eq!(source.asked().len(), 1);
    app.servers.remove(0).kill().await;
    assert!(first.await.unwrap().is_err(), "its server died");
    asked(&source, 2).await;
    source.release();
    all_have_it(&others.await.unwrap(), "/held/3/5/2");
    assert_eq!(source.asked().len(), 2);
}

#[tokio::test]
async fn without_memcached_and_when_it_dies_meanwhile_there_is_one_fetch_too() {
    let mut memcached = Memcached::start().await;
    let app = App::builder()
        .servers(2)
        .setting("MEMCACHED", &memcached.address)
        .start()
        .await;
    let source = Source::start().await;
    let held = layer(&app, &source, "held").await;
    let servers = each(&app);

    // It dies while one server fetches. The other does not see what was noted there.
    let path = format!("{held}/3/5/2?v=1");
    let first = tokio::spawn(servers[0].get(&path).into_future());
    asked(&source, 1).await;
    memcached.kill().await;
    let answers = crowd(&servers[1..], &source, &path, 20).await;
    all_have_it(&answers, "/held/3/5/2");
    all_have_it(&[first.await.unwrap()], "/held/3/5/2");
    assert_eq!(source.asked().len(), 1);

    let answers = crowd(&servers, &source, &format!("{held}/3/5/3?v=1"), 20).await;
    all_have_it(&answers, "/held/3/5/3");
    assert_eq!(source.asked().len(), 2);

    // What is missing is remembered for all without it.
    let missing = layer(&app, &source, "missing").await;
    for server in &servers {
        let answer = server.get(&format!("{missing}/3/5/2")).await;
        answer.refused(404, "tile_not_found");
    }
    assert_eq!(source.asked().len(), 3);
}

#[tokio::test]
async fn a_source_that_takes_longer_than_a_lease_or_a_client_waits_is_asked_once() {
    let app = App::builder()
        .servers(2)
        .setting("TILE_WAIT_MS", "200")
        .start()
        .await;
    let source = Source::start().await;
    let layer = layer(&app, &source, "held").await;
    let path = format!("{layer}/3/5/2?v=1");
    let servers = each(&app);
    let late = servers[0].get(&path).await;
    late.refused(503, "tile_not_ready");
    assert!(late.header("retry-after").parse::<u32>().unwrap() >= 1);
    assert_eq!(late.header("cache-control"), "no-store");
    let until = "SELECT (1000 * extract(epoch FROM until))::int8 FROM tile_fetches";
    let first_ms = app.number(until).await;
    eventually(
        "the lease has been renewed for as long as it lasts",
        || async {
            servers[1].get(&path).await.refused(503, "tile_not_ready");
            (app.number(until).await >= first_ms + 4000).then_some(())
        },
    )
    .await;
    assert_eq!(source.asked().len(), 1);
    source.release();
    for server in &servers {
        eventually("the tile is there", || async {
            (server.get(&path).await.status == 200).then_some(())
        })
        .await;
    }
    assert_eq!(source.asked().len(), 1);
    eventually("nobody holds the tile", || async {
        let held = app.number("SELECT count(*) FROM tile_fetches").await;
        (held == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_layer_that_changes_while_a_tile_is_fetched_gets_no_old_tile() {
    let app = App::builder().servers(2).start().await;
    let source = Source::start().await;
    let layer = layer(&app, &source, "held").await;
    let servers = each(&app);
    let old = tokio::spawn(servers[0].get(&format!("{layer}/3/5/2?v=1")).into_future());
    asked(&source, 1).await;
    let change = json!({"url_template": source.url("/png/new/{z}/{x}/{y}")});
    let organiser = app.organiser().await;
    let changed = organiser.patch(&layer).if_match("\"1\"").json(change);
    changed.await.expect(200);
    let new = format!("{layer}/3/5/2?v=2");
    for server in &servers {
        all_have_it(&[server.get(&new).await], "/png/new/3/5/2");
    }
    source.release();
    all_have_it(&[old.await.unwrap()], "/held/3/5/2");
    for server in &servers {
        for path in [&new, &format!("{layer}/3/5/2")] {
            all_have_it(&[server.get(path).await], "/png/new/3/5/2");
        }
    }
    assert_eq!(source.asked().len(), 2);
}

#[tokio::test]
async fn what_was_not_stored_to_its_end_is_not_served() {
    let app = App::builder().servers(1).start().await;
    let source = Source::start().await;
    let layer = layer(&app, &source, "png").await;
    let path = format!("{layer}/3/5/2?v=1");
    app.public().get(&path).await.expect_status(200);
    let stored = only_file(app.store().join("tiles"));
    let whole = fs::read(&stored).unwrap();
    for (n, half) in [
        Vec::new(),
        whole[..whole.len() - 1].to_vec(),
        vec![0; whole.len()],
    ]
    .into_iter()
    .enumerate()
    {
        fs::write(&stored, half).unwrap();
        // A server that holds nothing in its memory.
        let other = app.start_server(&[]).await;
        let tile = app.public().at(&other.url).get(&path).await;
        all_have_it(&[tile], "/png/3/5/2");
        assert_eq!(source.asked().len(), n + 2);
        assert_eq!(fs::read(&stored).unwrap(), whole, "it is whole again");
    }
}

fn only_file(mut place: PathBuf) -> PathBuf {
    while place.is_dir() {
        let inside: Vec<_> = fs::read_dir(&place).unwrap().collect();
        assert_eq!(inside.len(), 1, "{inside:?}");
        place = inside.into_iter().next().unwrap().unwrap().path();
    }
    place
}

#[tokio::test]
async fn tiles_that_are_stored_are_given_while_the_database_is_away() {
    let app = App::builder().servers(1).start().await;
    let proxy = Proxy::before(&app.database.url()).await;
    let source = Source::start().await;
    let layer = layer(&app, &source, "png").await;
    let stored = format!("{layer}/3/5/2?v=1");
    app.public().get(&stored).await.expect_status(200);
    let settings = [
        ("DATABASE_URL", proxy.url.as_str()),
        ("DATABASE_WAIT_MS", "500"),
    ];
    let server = app.start_server(&settings).await;
    let client = app.public().at(&server.url);
    client
        .get(&format!("{layer}/3/5/3?v=1"))
        .await
        .expect_status(200);
    proxy.close();
    eventually("the layer is read again, in vain", || async {
        client.get(&stored).await.expect_status(200);
        app.log().contains("it is used as it was").then_some(())
    })
    .await;
    let cold = client.get(&format!("{layer}/3/5/4?v=1")).await;
    cold.refused(503, "database_away");
    assert!(cold.header("retry-after").parse::<u32>().unwrap() >= 1);
    assert_eq!(source.asked().len(), 2);
}

#[tokio::test]
async fn a_worker_forgets_what_dead_servers_left() {
    let app = App::builder().servers(0).workers(0).start().await;
    for (tile, ago) in [(1, "2 minutes"), (2, "30 seconds")] {
        app.execute(&format!(
            "INSERT INTO tile_fetches (layer_id, revision, tile, holder, state, until)
             VALUES (gen_random_uuid(), 1, {tile}, gen_random_uuid(), 'fetching', now() - interval '{ago}')"
        ))
        .await;
    }
    let _worker = app.start_worker();
    eventually("only what is fresh is left", || async {
        let left = app.number("SELECT sum(tile)::int8 FROM tile_fetches").await;
        (left == 2).then_some(())
    })
    .await;
}
