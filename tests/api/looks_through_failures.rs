//! Looks while the database refuses, breaks off or is away: acknowledged ones are stored, once.

use std::time::{Duration, Instant};

use crate::harness::{
    App, Campaign, Client, Reply, Value,
    app::Process,
    eventually,
    fixtures::at_once,
    point,
    proxy::{Cut, Proxy},
    tagged,
};

/// A server that reaches its database through a proxy.
struct Behind {
    app: App,
    campaign: Campaign,
    proxy: Proxy,
    server: Process,
}

impl Behind {
    async fn new() -> Self {
        let app = App::builder().servers(1).start().await;
        let campaign = app.campaign().cells(4, 4).open().await;
        let proxy = Proxy::before(&app.database.url()).await;
        let server = app
            .start_server(&[
                ("DATABASE_URL", &proxy.url),
                ("DATABASE_POOL_SIZE", "8"),
                ("DATABASE_WAIT_MS", "1000"),
            ])
            .await;
        Self {
            app,
            campaign,
            proxy,
            server,
        }
    }

    async fn volunteers(&self, count: usize) -> Vec<Client> {
        let mut volunteers = Vec::new();
        for _ in 0..count {
            volunteers.push(self.app.volunteer().await.at(&self.server.url));
        }
        volunteers
    }

    /// A look by each of so many volunteers.
    async fn looks(&self, count: usize) -> Vec<(Client, Value)> {
        let volunteers = self.volunteers(count).await.into_iter().zip(0..);
        let look = |n: usize| {
            let cell = self.campaign.cells[n % self.campaign.cells.len()];
            tagged(cell, [point(cell.middle())])
        };
        volunteers.map(|(by, n)| (by, look(n))).collect()
    }

    async fn send(&self, looks: &[(Client, Value)]) -> Vec<Reply> {
        at_once(looks.iter().map(|(by, look)| self.campaign.send(by, look))).await
    }

    async fn stored(&self) -> [i64; 2] {
        [
            self.app.number("SELECT count(*) FROM looks").await,
            self.app.number("SELECT count(*) FROM tags").await,
        ]
    }
}

#[tokio::test]
async fn a_connection_lost_before_the_statement_costs_no_look() {
    let behind = Behind::new().await;
    let looks = behind.looks(20).await;
    behind.proxy.cut(3, Cut::BeforeStatement);
    let answers = behind.send(&looks).await;
    assert!(
        answers.iter().all(|answer| answer.status == 201),
        "{answers:?}"
    );
    assert_eq!(behind.stored().await, [20, 20]);
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_found_and_not_stored_twice() {
    let behind = Behind::new().await;
    let looks = behind.looks(20).await;
    behind.proxy.cut(2, Cut::BeforeAnswer);
    let answers = behind.send(&looks).await;
    assert_eq!(behind.proxy.cuts_left(), 0);
    // Whose commit was found again is told that it was stored before.
    let known = answers.iter().filter(|answer| answer.status == 200).count();
    let new = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(known >= 1 && known + new == 20, "{answers:?}");
    assert_eq!(behind.stored().await, [20, 20]);
    let again = behind.send(&looks).await;
    for (first, second) in answers.iter().zip(&again) {
        assert_eq!(second.expect(200), first.json());
    }
}

#[tokio::test]
async fn a_batch_whose_commit_was_not_heard_of_is_not_stored_twice() {
    let behind = Behind::new().await;
    let volunteer = behind.volunteers(1).await.remove(0);
    let looks: Vec<Value> = behind
        .looks(16)
        .await
        .into_iter()
        .map(|(_, look)| look)
        .collect();
    behind.proxy.cut(1, Cut::BeforeAnswer);
    let answer = behind.campaign.send_batch(&volunteer, &looks).await;
    let results = answer.expect(200)["results"].as_array().unwrap().clone();
    assert!(
        results.iter().all(|result| result["verdict"] == "repeated"),
        "{results:?}"
    );
    assert_eq!(behind.stored().await, [16, 16]);
}

#[tokio::test]
async fn looks_wait_for_a_database_that_is_away_for_a_moment() {
    let behind = Behind::new().await;
    let looks = behind.looks(10).await;
    // The campaign is known by then.
    behind.campaign.ask(&looks[0].0, 1).await.expect(200);
    behind.proxy.close();
    let sending = async { behind.send(&looks).await };
    let returning = async {
        eventually("the server tries again", || async {
            let metrics = behind
                .app
                .public()
                .at(&behind.server.url)
                .get("/metrics")
                .await;
            let is_retry = |line: &str| line.starts_with("looks_retries_total ");
            metrics.text().lines().any(is_retry).then_some(())
        })
        .await;
        behind.proxy.open();
    };
    let (answers, ()) = futures_util::future::join(sending, returning).await;
    assert!(
        answers.iter().all(|answer| answer.status == 201),
        "{answers:?}"
    );
    assert_eq!(behind.stored().await, [10, 10]);
}

#[tokio::test]
async fn a_database_that_stays_away_is_told_with_a_time_to_come_back() {
    let behind = Behind::new().await;
    let looks = behind.looks(3).await;
    behind.campaign.ask(&looks[0].0, 1).await.expect(200);
    behind.proxy.close();
    let begin = Instant::now();
    let answers = behind.send(&looks).await;
    assert!(begin.elapsed() < Duration::from_secs(12));
    for answer in &answers {
        answer.refused(503, "database_away");
        assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
    }
    behind.proxy.open();
    eventually("the looks are taken", || async {
        let answers = behind.send(&looks).await;
        answers
            .iter()
            .all(|answer| matches!(answer.status, 200 | 201))
            .then_some(())
    })
    .await;
    assert_eq!(behind.stored().await, [3, 3]);
}

#[tokio::test]
async fn what_the_database_refuses_for_a_passing_reason_is_tried_again() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    // A sequence is not rolled back: of each code the first two attempts fail.
    app.execute(
        "CREATE SEQUENCE attempts;
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
         DECLARE nth bigint := nextval('attempts') - 1;
         BEGIN
             IF nth % 3 < 2 THEN
                 RAISE EXCEPTION 'not now' USING ERRCODE =
                     (ARRAY['40P01', '40001', '53300', '57P01', '55P03', '57014'])[nth / 3 + 1];
             END IF;
             RETURN NULL;
         END $$;
         CREATE TRIGGER refuse AFTER INSERT ON looks FOR EACH STATEMENT EXECUTE FUNCTION refuse()",
    )
    .await;
    let volunteer = app.volunteer().await;
    for code in 1..=6_usize {
        let cell = campaign.cells[code % 4];
        let look = tagged(cell, [point(cell.middle())]);
        campaign.send(&volunteer, &look).await.expect(201);
    }
    assert_eq!(app.number("SELECT last_value FROM attempts").await, 18);
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 6);
    assert_eq!(app.number("SELECT count(*) FROM tags").await, 6);
}

#[tokio::test]
async fn a_server_that_is_killed_while_it_stores_loses_nothing_that_it_acknowledged() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(4, 4).open().await;
    let mut looks = Vec::new();
    for n in 0..40 {
        let cell = campaign.cells[n % 16];
        let look = tagged(cell, [point(cell.middle())]);
        looks.push((app.volunteer().await, look));
    }
    let first = app.servers[0].url.clone();
    let sent = looks.iter().map(|(by, look)| {
        let call = campaign.send(&by.at(&first), look);
        tokio::spawn(call.attempt())
    });
    let sending: Vec<_> = sent.collect();
    eventually("some looks are stored", || async {
        (app.number("SELECT count(*) FROM looks").await > 0).then_some(())
    })
    .await;
    let mut app = app;
    app.servers.remove(0).kill().await;
    for ((by, look), sent) in looks.iter().zip(sending) {
        let told = sent.await.unwrap();
        let again = campaign.send(&by.at(&app.servers[0].url), look).await;
        match told {
            Ok(told) => assert_eq!(again.expect(200), told.expect(201)),
            Err(_) => assert!(matches!(again.status, 200 | 201), "{again:?}"),
        }
    }
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 40);
    assert_eq!(app.number("SELECT count(*) FROM tags").await, 40);
}
