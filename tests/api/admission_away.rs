//! What is told while database and memcached are away.

use std::time::{Duration, Instant};

use crate::harness::{
    App, Client, Source, app::Process, eventually, memcached::Memcached, proxy::Proxy,
};

/// A server whose database and memcached can be taken away from it alone.
struct Alone {
    app: App,
    server: Process,
    proxy: Proxy,
    memcached: Memcached,
}

impl Alone {
    async fn new(settings: &[(&str, &str)]) -> Self {
        let app = App::builder().servers(1).start().await;
        let proxy = Proxy::before(&app.database.url()).await;
        let memcached = Memcached::start().await;
        let mut all = vec![
            ("DATABASE_URL", proxy.url.as_str()),
            ("MEMCACHED", memcached.address.as_str()),
        ];
        all.extend(settings);
        let server = app.start_server(&all).await;
        Self {
            app,
            server,
            proxy,
            memcached,
        }
    }

    fn public(&self) -> Client {
        self.app.public().at(&self.server.url)
    }

    async fn take_away(&mut self) {
        self.proxy.close();
        self.memcached.kill().await;
    }

    async fn mode(&self) -> String {
        let shown = self.public().get("/v1/mode").await.expect(200);
        shown["mode"].as_str().unwrap().to_owned()
    }
}

/// Longest time for what needs nobody else, on a machine that does much at once.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn the_last_known_mode_stays_and_is_told_without_database_and_cache() {
    let mut alone = Alone::new(&[]).await;
    let set = alone
        .app
        .spotter(&["mode", "maintenance", "--message", "Back at four."]);
    assert!(set.await.status.success());
    eventually("the server follows", || async {
        (alone.mode().await == "maintenance").then_some(())
    })
    .await;
    alone.take_away().await;
    let began = Instant::now();
    for path in ["/v1/campaigns", "/v1/campaigns/demo/progress"] {
        let refused = alone.public().get(path).await;
        let problem = refused.refused(503, "maintenance");
        assert_eq!(problem["message"], "Back at four.");
    }
    let page = alone.public().get("/").header("Accept", "text/html").await;
    assert_eq!(page.status, 503);
    assert!(page.text().contains("Back at four."), "{page:?}");
    assert_eq!(alone.mode().await, "maintenance");
    assert!(began.elapsed() < AT_ONCE);
}

#[tokio::test]
async fn overload_is_told_without_database_and_cache() {
    let settings = [("IN_WORK_TILES", "1"), ("QUEUE_FACTOR", "0")];
    let mut alone = Alone::new(&settings).await;
    let source = Source::start().await;
    let template = source.url("/held/{z}/{x}/{y}");
    let layer = alone.app.layer(&template).create().await;
    let call = alone.public().get(&format!("/v1/imagery/{layer}/9/0/1"));
    let in_work = tokio::spawn(async move { call.await });
    eventually("it is asked for", || async {
        (!source.asked().is_empty()).then_some(())
    })
    .await;
    alone.take_away().await;
    let began = Instant::now();
    for nth in 1..20 {
        let refused = alone
            .public()
            .get(&format!("/v1/imagery/{layer}/9/{nth}/1"))
            .await;
        refused.refused(503, "overloaded");
    }
    assert!(began.elapsed() < AT_ONCE);
    source.release();
    in_work.await.unwrap();
}

#[tokio::test]
async fn health_and_metrics_do_not_wait_for_a_database_that_is_away() {
    let mut alone = Alone::new(&[]).await;
    alone.take_away().await;
    let began = Instant::now();
    alone.public().get("/livez").await.expect_status(200);
    let metrics = alone.public().get("/metrics").await;
    metrics.expect_status(200);
    assert!(metrics.text().contains("admission_limit"), "{metrics:?}");
    let ready = alone.public().get("/readyz").await;
    assert_eq!(ready.expect(503)["database"], "away");
    assert!(began.elapsed() < AT_ONCE);
}

#[tokio::test]
async fn health_does_not_wait_behind_the_crowd_for_a_connection() {
    let app = App::builder()
        .servers(1)
        .setting("DATABASE_POOL_SIZE", "2")
        .start()
        .await;
    let campaign = app.campaign().open().await;
    let holder = app.sql().await;
    holder
        .batch_execute("BEGIN; LOCK TABLE campaign_totals IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let server = app
        .start_server(&[("DATABASE_URL", &app.database.direct_url())])
        .await;
    let public = app.public().at(&server.url);
    // What organisers are shown is read anew each time.
    let organiser = campaign.organiser.at(&server.url);
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let call = organiser.get(&campaign.path("/progress"));
            tokio::spawn(async move { call.attempt().await })
        })
        .collect();
    eventually("all connections are in use", || async {
        let text = public.get("/metrics").await.text();
        text.contains("database_connections{state=\"waiting\"} 2")
            .then_some(())
    })
    .await;
    let ready = public.get("/readyz").await.expect(200);
    assert_eq!(ready["database"], "up");
    holder.batch_execute("COMMIT").await.unwrap();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status, 200);
    }
}
