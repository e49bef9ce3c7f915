//! What is read often is loaded seldom, and every look-up is accounted for.

use std::collections::BTreeMap;

use crate::harness::{App, Client, eventually, fixtures::at_once, memcached::Memcached};

/// Look-ups of a family by outcome, as a server counts them.
async fn lookups(server: &Client, family: &str) -> BTreeMap<String, u64> {
    let metrics = server.get("/metrics").await;
    let text = metrics.expect_status(200).text();
    let beginning = format!("cache_lookups_total{{family=\"{family}\",outcome=\"");
    let counted = text.lines().filter_map(|line| {
        let (outcome, number) = line.strip_prefix(&beginning)?.split_once("\"} ")?;
        Some((outcome.to_owned(), number.parse().unwrap()))
    });
    counted.collect()
}

#[tokio::test]
async fn every_look_up_is_counted_once() {
    let app = App::builder().servers(1).start().await;
    let campaign = app.campaign().open().await;
    let server = app.public();
    let path = campaign.path("?area=false");
    let before: u64 = lookups(&server, "campaign-page").await.values().sum();
    for reply in at_once((0..64).map(|_| server.get(&path))).await {
        reply.expect(200);
    }
    for _ in 0..36 {
        server.get(&path).await.expect(200);
    }
    let counted = lookups(&server, "campaign-page").await;
    assert_eq!(
        counted.keys().map(String::as_str).collect::<Vec<_>>(),
        ["bypass", "error", "hit", "joined", "miss", "near", "stale"]
    );
    assert_eq!(counted.values().sum::<u64>() - before, 100, "{counted:?}");
    assert!(counted["near"] + counted["joined"] > 50, "{counted:?}");
}

#[tokio::test]
async fn an_unknown_campaign_does_not_reach_the_database_each_time() {
    let app = App::builder().servers(1).workers(0).start().await;
    let server = app.public();
    for _ in 0..100 {
        server
            .get("/v1/campaigns/nobody")
            .await
            .refused(404, "campaign_not_found");
    }
    let counted = lookups(&server, "campaign-page").await;
    assert_eq!(counted.values().sum::<u64>(), 100, "{counted:?}");
    assert!(counted["miss"] * 2 < 100, "{counted:?}");
}

#[tokio::test]
async fn a_crowd_at_a_cold_cache_is_one_load_of_one_server() {
    let memcached = Memcached::start().await;
    let app = App::builder()
        .servers(1)
        .setting("MEMCACHED", &memcached.address)
        .start()
        .await;
    let campaign = app.campaign().open().await;
    memcached.flush().await;
    // They remember nothing.
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(app.start_server(&[]).await);
    }
    let clients: Vec<Client> = servers
        .iter()
        .map(|server| app.public().at(&server.url))
        .collect();
    let by_id = format!("/v1/campaigns/{}", campaign.id);
    let mut loads = Vec::new();
    for (path, family) in [
        (campaign.path(""), "campaign-page"),
        (campaign.path("?area=false"), "campaign-page"),
        (by_id.clone(), "campaign-page"),
        (format!("{by_id}?area=false"), "campaign-page"),
        (campaign.path("/progress"), "progress"),
        (format!("{by_id}/progress?period=day"), "progress"),
    ] {
        let misses = async || {
            let mut misses = 0;
            for client in &clients {
                misses += lookups(client, family).await["miss"];
            }
            misses
        };
        let before = misses().await;
        let asked = clients
            .iter()
            .flat_map(|client| (0..40).map(|_| client.get(&path)));
        for reply in at_once(asked).await {
            reply.expect(200);
        }
        loads.push(misses().await - before);
    }
    // Whoever waits too long for another server's load does it too, which a busy machine may bring
    // about; never twice in one server.
    assert!(
        loads.iter().all(|loads| (1..=3).contains(loads)),
        "{loads:?}"
    );
    assert!(loads.contains(&1), "{loads:?}");
}

#[tokio::test]
async fn a_campaign_that_opens_or_goes_on_is_seen_at_once_by_whoever_waits_for_it() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().draft().await;
    let volunteer = app.volunteer().await;
    let servers: Vec<&str> = app.servers.iter().map(|one| one.url.as_str()).collect();
    let read = |server: &str| app.public().at(server).get(&campaign.path(""));
    let ask = |server: &str| campaign.ask(&volunteer.at(server), 1);
    for server in &servers {
        read(server).await.refused(404, "campaign_not_found");
        ask(server).await.refused(404, "campaign_not_found");
    }
    campaign.publish().await;
    for server in &servers {
        read(server).await.expect(200);
        ask(server).await.expect(200);
    }
    campaign.steer("pause").await.expect(200);
    for server in &servers {
        eventually("the pause is seen", || async {
            let seen = read(server).await.expect(200);
            (seen["state"] == "paused" && ask(server).await.status == 409).then_some(())
        })
        .await;
    }
    campaign.steer("resume").await.expect(200);
    for server in &servers {
        assert_eq!(read(server).await.expect(200)["state"], "open");
        ask(server).await.expect(200);
    }
}

#[tokio::test]
async fn a_memcached_that_does_not_answer_is_left_alone_until_it_is_back() {
    let mut memcached = Memcached::start().await;
    let app = App::builder()
        .servers(1)
        .workers(0)
        .setting("MEMCACHED", &memcached.address)
        .start()
        .await;
    let server = app.public();
    let beginning = format!("cache_node_away{{node=\"{}\"}} ", memcached.address);
    let away = async || {
        server.get("/v1/campaigns/nobody").await.expect_status(404);
        let metrics = server.get("/metrics").await.text();
        let shown = metrics
            .lines()
            .find_map(|line| line.strip_prefix(&beginning));
        shown.map(str::to_owned)
    };
    assert_eq!(away().await, None);
    memcached.kill().await;
    eventually("it is left alone", || async {
        (away().await.as_deref() == Some("1")).then_some(())
    })
    .await;
    let counted = lookups(&server, "campaign-page").await;
    assert!(counted["error"] > 0, "{counted:?}");
    memcached.restart().await;
    eventually("it is asked again", || async {
        (away().await.as_deref() == Some("0")).then_some(())
    })
    .await;
    let counted = lookups(&server, "campaign-page").await;
    assert!(counted["bypass"] > 0, "{counted:?}");
}
