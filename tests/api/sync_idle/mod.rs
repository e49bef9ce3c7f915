//! Polls with nothing new are answered from memory, and nothing is ever missed for it.

mod watermelon;

use std::time::Duration;

use tokio::time::Instant;

use crate::harness::{
    App, Campaign, Client, DEADLINE, db::Database, eventually, fixtures::metric, id, json, nothing,
    proxy::Proxy,
};
use crate::sync::phone::all_is_final;

/// A phone that polls one collection.
struct Phone {
    client: Client,
    collection: &'static str,
    limit: usize,
    checkpoint: (i64, String),
    /// Ids in the order in which they came.
    had: Vec<String>,
}

impl Phone {
    fn new(client: Client, collection: &'static str) -> Self {
        Self {
            client,
            collection,
            limit: 50,
            checkpoint: (0, String::new()),
            had: Vec::new(),
        }
    }

    fn path(&self) -> String {
        let Self {
            collection, limit, ..
        } = self;
        let (lwt, id) = &self.checkpoint;
        format!("/v1/sync/rxdb/{collection}/0/pull?lwt={lwt}&id={id}&limit={limit}")
    }

    /// Polls until it had so many documents. A test beside this one may hold the feed up for seconds.
    async fn has(&mut self, count: usize) {
        let begun = Instant::now();
        while self.had.len() < count {
            self.poll().await;
            assert!(begun.elapsed() < DEADLINE, "some are missed");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Polls once; how many documents came.
    async fn poll(&mut self) -> usize {
        let page = self.client.get(&self.path()).await.expect(200);
        let checkpoint = &page["checkpoint"];
        self.checkpoint = (
            checkpoint["lwt"].as_i64().unwrap(),
            checkpoint["id"].as_str().unwrap().to_owned(),
        );
        let documents = page["documents"].as_array().unwrap();
        for document in documents {
            self.had.push(document["id"].as_str().unwrap().to_owned());
        }
        documents.len()
    }

    /// Polls until the server answers from its memory.
    async fn rest(&mut self) {
        let server = self.client.clone();
        let idle = async || metric(&server, IDLE).await.unwrap_or_default();
        let before = idle().await;
        let begun = Instant::now();
        while idle().await <= before {
            assert_eq!(self.poll().await, 0, "nothing is new");
            assert!(begun.elapsed() < DEADLINE, "never idle");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Between two polls.
const PAUSE: Duration = Duration::from_millis(20);
const IDLE: &str = "sync_idle_pulls_total";
const READINGS: &str = "sync_readings_total";

async fn stage(app: &App) -> (Campaign, Client) {
    let campaign = app.campaign().cells(6, 6).looks_wanted(9).open().await;
    (campaign, app.volunteer().await)
}

#[tokio::test]
async fn an_idle_poll_comes_from_memory_and_a_change_at_another_server_is_seen() {
    let app = App::builder().servers(2).start().await;
    let (campaign, volunteer) = stage(&app).await;
    let [here, there] = [0, 1].map(|nth| volunteer.at(&app.servers[nth].url));
    let mut phone = Phone::new(here, "looks");
    for (cell, count) in campaign.cells.iter().zip(1..=3) {
        campaign.look_at(&there, *cell).await;
        phone.has(count).await;
        phone.rest().await;
    }
    assert_eq!(phone.had.len(), 3);
}

#[tokio::test]
async fn whoever_polls_misses_nothing_and_has_nothing_twice() {
    let app = App::builder().servers(2).start().await;
    let (campaign, volunteer) = stage(&app).await;
    let mut phones: Vec<Phone> = app
        .servers
        .iter()
        .map(|server| Phone::new(volunteer.at(&server.url), "looks"))
        .collect();
    let looks: Vec<_> = campaign.cells.iter().map(|cell| nothing(*cell)).collect();
    let sending = async {
        for look in &looks {
            campaign.send(&volunteer, look).await.expect(201);
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
    };
    let polling = futures_util::future::join_all(
        phones
            .iter_mut()
            .map(async |phone| phone.has(looks.len()).await),
    );
    tokio::join!(sending, polling);
    let sent: Vec<_> = looks
        .iter()
        .map(|look| look["id"].as_str().unwrap())
        .collect();
    for phone in &mut phones {
        assert_eq!(phone.poll().await, 0);
        assert_eq!(phone.had, sent);
    }
}

#[tokio::test]
async fn a_late_commit_is_seen_by_who_was_answered_from_memory_meanwhile() {
    let app = App::builder().servers(1).start().await;
    let (campaign, volunteer) = stage(&app).await;
    let mut phone = Phone::new(volunteer.clone(), "looks");
    campaign.look_at(&volunteer, campaign.cells[0]).await;
    phone.has(1).await;
    let late = app.sql().await;
    let insert = format!(
        "BEGIN; INSERT INTO looks (volunteer_id, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, content_hash)
         VALUES ('{}', '{}', '{}', {}, 'nothing', 1, now(), now(), '')",
        volunteer.id, id(), campaign.id, campaign.cells[1].packed()
    );
    late.batch_execute(&insert).await.unwrap();
    for _ in 0..3 {
        phone.rest().await;
    }
    late.batch_execute("COMMIT").await.unwrap();
    phone.has(2).await;
}

#[tokio::test]
async fn memory_is_not_believed_when_the_feed_cannot_be_followed() {
    let database = Database::create().await;
    let proxy = Proxy::before(&database.url()).await;
    let app = App::builder()
        .servers(1)
        .database(database)
        .setting("DATABASE_URL", &proxy.url)
        .start()
        .await;
    let (campaign, volunteer) = stage(&app).await;
    let mut phone = Phone::new(volunteer.clone(), "looks");
    campaign.look_at(&volunteer, campaign.cells[0]).await;
    phone.has(1).await;
    phone.rest().await;
    proxy.close();
    let answer = phone.client.get(&phone.path()).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    proxy.open();
    let at = app.sql().await;
    let insert = format!(
        "INSERT INTO looks (volunteer_id, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, content_hash)
         VALUES ('{}', '{}', '{}', {}, 'nothing', 1, now(), now(), '')",
        volunteer.id, id(), campaign.id, campaign.cells[1].packed()
    );
    at.batch_execute(&insert).await.unwrap();
    eventually("polls work again", || async {
        let answer = phone.client.get(&phone.path()).await;
        let is_there = answer.status == 200 && answer.json()["documents"] != json!([]);
        is_there.then_some(())
    })
    .await;
}

/// A phone's server was idle a moment ago; what another one acknowledged since then is not missed.
#[tokio::test]
async fn what_another_server_acknowledged_is_in_the_next_pull() {
    let app = App::builder().servers(2).start().await;
    let (campaign, volunteer) = stage(&app).await;
    let [here, there] = [0, 1].map(|nth| volunteer.at(&app.servers[nth].url));
    for collection in ["looks", "receipts", "assignments", "campaigns"] {
        let mut phone = Phone::new(here.clone(), collection);
        for round in 0..3 {
            while phone.poll().await > 0 {}
            phone.rest().await;
            let stored = match collection {
                "assignments" => {
                    let wanted = json!({"id": id(), "cells": 1});
                    there.post(&campaign.path("/packs")).json(wanted).await
                }
                "campaigns" => {
                    let patch = json!({"instructions": {"en": format!("Round {round}")}});
                    campaign.change(patch).await
                }
                _ => campaign.send(&there, &nothing(campaign.cells[round])).await,
            };
            assert!([200, 201].contains(&stored.status), "{}", stored.text());
            all_is_final(&app).await;
            assert_ne!(phone.poll().await, 0, "round {round} of {collection}");
        }
    }
}

#[tokio::test]
async fn a_crowd_shares_readings() {
    let app = App::builder().servers(1).start().await;
    let volunteer = app.volunteer().await;
    let mut phone = Phone::new(volunteer.clone(), "looks");
    phone.rest().await;
    let path = phone.path();
    let counts = async || {
        let [idle, readings] = [IDLE, READINGS].map(|name| metric(&volunteer, name));
        (idle.await.unwrap(), readings.await.unwrap())
    };
    let before = counts().await;
    let pulls = (0..1000).map(|_| volunteer.get(&path));
    for pulled in futures_util::future::join_all(pulls.map(IntoFuture::into_future)).await {
        assert_eq!(pulled.expect(200)["documents"], json!([]));
    }
    let after = counts().await;
    let [pulls, readings] = [after.0 - before.0, after.1 - before.1];
    // A reading that takes long is not waited for.
    assert!(pulls >= 900.0, "{pulls} of 1000 were idle");
    assert!(readings <= 100.0, "{readings} for {pulls} pulls");
}

/// What the second server has followed since before anything of a volunteer came.
async fn two_servers_that_follow() -> (App, Campaign, Phone) {
    let app = App::builder().servers(2).start().await;
    let (campaign, other) = stage(&app).await;
    let mut watcher = Phone::new(other.at(&app.servers[1].url), "looks");
    watcher.rest().await;
    (app, campaign, watcher)
}

/// Waits until the watcher's server knows of all that was stored before.
async fn has_heard(campaign: &Campaign, watcher: &mut Phone) {
    let count = watcher.had.len();
    campaign
        .look_at(&watcher.client, campaign.cells[count])
        .await;
    watcher.has(count + 1).await;
    watcher.rest().await;
}

#[tokio::test]
async fn whoever_had_everything_costs_no_statement_at_a_server_that_never_saw_them() {
    let (app, campaign, mut watcher) = two_servers_that_follow().await;
    let volunteer = app.volunteer().await;
    let mut phone = Phone::new(volunteer.at(&app.servers[0].url), "looks");
    campaign.look_at(&volunteer, campaign.cells[0]).await;
    phone.has(1).await;
    has_heard(&campaign, &mut watcher).await;
    phone.client = volunteer.at(&app.servers[1].url);
    for polls in 1..=5 {
        let before = metric(&watcher.client, IDLE).await;
        assert_eq!(phone.poll().await, 0);
        let after = metric(&watcher.client, IDLE).await;
        assert!(after > before, "poll {polls} was a statement");
    }
    // Another device stores something, at the other server.
    campaign
        .look_at(&volunteer.at(&app.servers[0].url), campaign.cells[1])
        .await;
    phone.has(2).await;
}

#[tokio::test]
async fn whoever_had_a_part_gets_the_rest_at_a_server_that_never_saw_them() {
    let (app, campaign, mut watcher) = two_servers_that_follow().await;
    let volunteer = app.volunteer().await;
    for cell in &campaign.cells[..2] {
        campaign.look_at(&volunteer, *cell).await;
    }
    let mut all = Phone::new(volunteer.at(&app.servers[0].url), "looks");
    all.has(2).await;
    has_heard(&campaign, &mut watcher).await;
    let mut phone = Phone::new(volunteer.at(&app.servers[0].url), "looks");
    phone.limit = 1;
    assert_eq!(phone.poll().await, 1);
    phone.client = volunteer.at(&app.servers[1].url);
    assert_eq!(phone.poll().await, 1);
    assert_eq!(phone.had, all.had);
}

#[tokio::test]
async fn a_volunteer_is_met_once_for_all_collections() {
    let (app, campaign, mut watcher) = two_servers_that_follow().await;
    let volunteer = app.volunteer().await;
    campaign
        .look_at(&volunteer.at(&app.servers[0].url), campaign.cells[0])
        .await;
    has_heard(&campaign, &mut watcher).await;
    let here = volunteer.at(&app.servers[1].url);
    let mut looks = Phone::new(here.clone(), "looks");
    assert_eq!(looks.poll().await, 1);
    for collection in ["assignments", "tags"] {
        let before = metric(&here, IDLE).await;
        assert_eq!(Phone::new(here.clone(), collection).poll().await, 0);
        assert!(metric(&here, IDLE).await > before, "{collection}");
    }
    for (collection, documents) in [("campaigns", 1), ("receipts", 1)] {
        let polled = Phone::new(here.clone(), collection).poll().await;
        assert_eq!(polled, documents, "{collection}");
    }
}
