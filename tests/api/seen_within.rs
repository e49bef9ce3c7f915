//! What an organiser changes is seen by every server within two seconds, whatever becomes of
//! memcached.

use std::time::{Duration, Instant};

use crate::harness::{
    App, CHANGES_SEEN_IN, Campaign, Client,
    app::Process,
    between::{Between, Mode},
    json,
    memcached::Memcached,
};

/// Changes the campaign at the first server while all are asked without pause, and demands that
/// all show it in time.
async fn changes_are_seen(campaign: &Campaign, servers: &[&Process], volunteer: &Client) {
    let organiser = campaign.organiser.at(&servers[0].url);
    for (action, state, status) in [("pause", "paused", 409), ("resume", "open", 200)] {
        let path = campaign.path(&format!("/{action}"));
        organiser.post(&path).json(json!({})).await.expect(200);
        let changed = Instant::now();
        for server in servers {
            let (public, volunteer) = (volunteer.at(&server.url), volunteer.at(&server.url));
            loop {
                let begun = changed.elapsed();
                let page = public.get(&campaign.path("?area=false")).await.expect(200);
                let list = public.get("/v1/campaigns").await.expect(200);
                let asked = campaign.ask(&volunteer, 1).await.status;
                let listed = &list["campaigns"][0]["state"];
                if page["state"] == state && listed == state && asked == status {
                    break;
                }
                assert!(
                    begun < CHANGES_SEEN_IN,
                    "{action} is not seen after {begun:?}: {} {listed} {asked}",
                    page["state"]
                );
            }
        }
    }
}

/// Two servers with memcached behind networks of their own, and a campaign that both remember.
async fn two_servers(app: &App, networks: [&Between; 2]) -> (Campaign, Client, [Process; 2]) {
    let [one, two] = networks;
    let servers = [
        app.start_server(&[("MEMCACHED", &one.address)]).await,
        app.start_server(&[("MEMCACHED", &two.address)]).await,
    ];
    let campaign = app.campaign().cells(10, 10).open().await;
    let volunteer = app.volunteer().await;
    for server in &servers {
        let at = volunteer.at(&server.url);
        at.get(&campaign.path("?area=false")).await.expect(200);
        at.get("/v1/campaigns").await.expect(200);
        campaign.ask(&at, 1).await.expect(200);
    }
    (campaign, volunteer, servers)
}

#[tokio::test]
async fn a_change_is_seen_in_time_while_the_network_to_memcached_changes() {
    let memcached = Memcached::start().await;
    let app = App::builder()
        .servers(1)
        .setting("MEMCACHED", &memcached.address)
        .start()
        .await;
    let one = Between::start(&memcached.address, Mode::Pass).await;
    let two = Between::start(&memcached.address, Mode::Pass).await;
    let (campaign, volunteer, servers) = two_servers(&app, [&one, &two]).await;
    let servers = [&servers[0], &servers[1]];
    let slow = Mode::Slow(Duration::from_millis(60));
    for (of_one, of_two) in [
        (Mode::Pass, Mode::Pass),
        // Nobody hears of the change.
        (Mode::Cut, Mode::Pass),
        (Mode::Silent, Mode::Pass),
        (Mode::Pass, Mode::Cut),
        (slow, slow),
        (Mode::Pass, Mode::Pass),
    ] {
        one.set(of_one);
        two.set(of_two);
        changes_are_seen(&campaign, &servers, &volunteer).await;
    }
    memcached.flush().await;
    changes_are_seen(&campaign, &servers, &volunteer).await;
}
