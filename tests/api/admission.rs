//! How many requests of a class are in work and wait, and what the next one is told.

use std::time::Duration;

use tokio::task::JoinHandle;

use crate::harness::{
    App, Campaign, Client, Reply, Source, eventually, fixtures::at_once, nothing, within,
};

/// Longest wait for permits to be taken and given back; what is held ends by itself after 20 s.
const SOON: Duration = Duration::from_secs(12);

/// A server with few permits, and tiles that are in work until they are let go.
struct Crowded {
    app: App,
    source: Source,
    layer: String,
    campaign: Campaign,
}

impl Crowded {
    /// So many tiles in work; for each of them so many wait.
    async fn new(in_work: u32, queue_factor: u32) -> Self {
        let app = App::builder()
            .servers(1)
            .setting("IN_WORK_TILES", &in_work.to_string())
            .setting("QUEUE_FACTOR", &queue_factor.to_string())
            .setting("QUEUE_WAIT_MS", "60000")
            .start()
            .await;
        let source = Source::start().await;
        let template = source.url("/held/{z}/{x}/{y}");
        let layer = app.layer(&template).create().await;
        let campaign = app.campaign().open().await;
        Self {
            app,
            source,
            layer,
            campaign,
        }
    }

    fn path(&self, nth: i64) -> String {
        format!("/v1/imagery/{}/9/{nth}/1", self.layer)
    }

    /// Asks for a tile and waits until so many are in work and so many wait.
    async fn ask(&self, nth: i64, in_work: i64, waiting: i64) -> JoinHandle<Reply> {
        let call = self.app.public().get(&self.path(nth));
        let asking = tokio::spawn(async move { call.await });
        self.shows(in_work, waiting).await;
        asking
    }

    async fn shows(&self, in_work: i64, waiting: i64) {
        let what = format!("{in_work} are in work and {waiting} wait");
        within(SOON, &what, || async {
            let are_in_work = self.app.metric("admission_in_work{class=\"tiles\"}").await;
            let do_wait = self.app.metric("admission_waiting{class=\"tiles\"}").await;
            (are_in_work == Some(in_work) && do_wait == Some(waiting)).then_some(())
        })
        .await;
    }

    async fn shed(&self, reason: &str) -> Option<i64> {
        let name = format!("http_requests_shed_total{{class=\"tiles\",reason=\"{reason}\"}}");
        self.app.metric(&name).await
    }
}

fn retry_after(reply: &Reply) -> u32 {
    reply.header("retry-after").parse().unwrap()
}

#[tokio::test]
async fn so_many_are_in_work_so_many_wait_and_the_next_is_turned_away() {
    let crowded = Crowded::new(2, 1).await;
    let mut asking = Vec::new();
    for (nth, in_work, waiting) in [(0, 1, 0), (1, 2, 0), (2, 2, 1), (3, 2, 2)] {
        asking.push(crowded.ask(nth, in_work, waiting).await);
    }
    let refused = crowded.app.public().get(&crowded.path(4)).await;
    refused.refused(503, "overloaded");
    assert!(retry_after(&refused) >= 1, "{refused:?}");
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    assert!(
        refused
            .header("access-control-expose-headers")
            .contains("retry-after")
    );
    assert_eq!(refused.header("cache-control"), "no-store");
    assert_eq!(crowded.shed("queue_full").await, Some(1));
    crowded.source.release();
    for asked in asking {
        asked.await.unwrap().expect_status(200);
    }
    crowded.shows(0, 0).await;
    crowded
        .app
        .public()
        .get(&crowded.path(4))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn other_classes_health_and_metrics_are_answered_while_one_is_full() {
    let crowded = Crowded::new(1, 0).await;
    let _asking = crowded.ask(0, 1, 0).await;
    let Crowded { app, campaign, .. } = &crowded;
    app.public()
        .get(&crowded.path(1))
        .await
        .refused(503, "overloaded");
    let volunteer = app.volunteer().await;
    let given = campaign.given(&volunteer, 1).await;
    campaign.look_at(&volunteer, given[0]).await;
    campaign.progress().await;
    campaign.read().await;
    for path in ["/livez", "/readyz", "/metrics", "/v1/mode", "/openapi.json"] {
        app.public().get(path).await.expect_status(200);
    }
    // A page needs no permit.
    app.public().get("/s/demo").await.expect_status(200);
}

#[tokio::test]
async fn who_waited_first_is_first() {
    let crowded = Crowded::new(1, 5).await;
    let mut asking = vec![crowded.ask(0, 1, 0).await];
    for nth in 1..=5 {
        asking.push(crowded.ask(nth, 1, nth).await);
    }
    crowded.source.release();
    for asked in asking {
        asked.await.unwrap().expect_status(200);
    }
    let wanted: Vec<_> = (0..=5).map(|nth| format!("/held/9/{nth}/1")).collect();
    assert_eq!(crowded.source.asked(), wanted);
}

#[tokio::test]
async fn the_wait_that_is_told_grows_with_those_who_were_turned_away() {
    let crowded = Crowded::new(1, 1).await;
    let _in_work = crowded.ask(0, 1, 0).await;
    let _waiting = crowded.ask(1, 1, 1).await;
    let mut told = Vec::new();
    for nth in 2..12 {
        let refused = crowded.app.public().get(&crowded.path(nth)).await;
        refused.refused(503, "overloaded");
        told.push(retry_after(&refused));
    }
    assert!(told.is_sorted(), "{told:?}");
    assert!(told[0] >= 1 && told[9] >= told[0] + 5, "{told:?}");
    assert!(told[9] <= 120, "{told:?}");
}

#[tokio::test]
async fn whoever_waits_too_long_is_turned_away() {
    let app = App::builder()
        .servers(1)
        .setting("IN_WORK_TILES", "1")
        .setting("QUEUE_WAIT_MS", "50")
        .start()
        .await;
    let source = Source::start().await;
    let layer = app.layer(&source.url("/held/{z}/{x}/{y}")).create().await;
    let call = app.public().get(&format!("/v1/imagery/{layer}/9/0/1"));
    let in_work = tokio::spawn(async move { call.await });
    eventually("it is asked for", || async {
        (!source.asked().is_empty()).then_some(())
    })
    .await;
    let late = app
        .public()
        .get(&format!("/v1/imagery/{layer}/9/1/1"))
        .await;
    late.refused(503, "overloaded");
    let shed = "http_requests_shed_total{class=\"tiles\",reason=\"waited_too_long\"}";
    assert_eq!(app.metric(shed).await, Some(1));
    source.release();
    in_work.await.unwrap().expect_status(200);
}

#[tokio::test]
async fn who_hangs_up_gives_the_permit_or_the_place_back() {
    let crowded = Crowded::new(1, 1).await;
    let in_work = crowded.ask(0, 1, 0).await;
    let waiting = crowded.ask(1, 1, 1).await;
    waiting.abort();
    crowded.shows(1, 0).await;
    let waiting = crowded.ask(2, 1, 1).await;
    in_work.abort();
    crowded.shows(1, 0).await;
    crowded.source.release();
    waiting.await.unwrap().expect_status(200);
    crowded.shows(0, 0).await;
}

#[tokio::test]
async fn people_get_a_page_and_programs_a_problem() {
    let crowded = Crowded::new(1, 0).await;
    let _in_work = crowded.ask(0, 1, 0).await;
    let asked = |accept: &'static str| {
        let path = crowded.path(1);
        crowded.app.public().get(&path).header("Accept", accept)
    };
    let page = asked("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8").await;
    page.expect_status(503);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("access-control-allow-origin"), "*");
    assert!(
        page.header("content-security-policy")
            .contains("default-src 'none'")
    );
    let text = page.text();
    let told = format!("data-retry=\"{}\"", retry_after(&page));
    assert!(text.contains(&told), "{told}: {text}");
    assert!(text.contains("data-reason=\"overloaded\""), "{text}");
    for accept in ["application/json", "*/*", "image/avif,image/webp,*/*;q=0.8"] {
        asked(accept).await.refused(503, "overloaded");
    }
}

#[tokio::test]
async fn a_download_keeps_its_permit_until_its_last_byte() {
    let app = App::builder()
        .servers(1)
        .setting("IN_WORK_EXPORTS", "1")
        .setting("QUEUE_FACTOR", "0")
        .start()
        .await;
    let campaign = app.campaign().open().await;
    let path = campaign.path("/downloads/looks.csv");
    let holder = app.sql().await;
    holder
        .batch_execute("BEGIN; LOCK TABLE looks IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let call = campaign.organiser.get(&path);
    let loading = tokio::spawn(async move { call.await });
    let in_work = "admission_in_work{class=\"exports\"}";
    eventually("the download is in work", || async {
        (app.metric(in_work).await == Some(1)).then_some(())
    })
    .await;
    campaign
        .organiser
        .get(&path)
        .await
        .refused(503, "overloaded");
    holder.batch_execute("COMMIT").await.unwrap();
    loading.await.unwrap().expect_status(200);
    eventually("the permit is free", || async {
        (app.metric(in_work).await == Some(0)).then_some(())
    })
    .await;
    campaign.organiser.get(&path).await.expect_status(200);
}

#[tokio::test]
async fn what_takes_too_long_ends_with_a_problem_and_gives_its_permit_back() {
    let app = App::builder()
        .servers(1)
        .setting("REQUEST_SECONDS", "1")
        .start()
        .await;
    let campaign = app.campaign().open().await;
    let holder = app.sql().await;
    holder
        .batch_execute("BEGIN; LOCK TABLE tags IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let volunteer = app.volunteer().await;
    let path = campaign.path("/tags?volunteer=me");
    let late = volunteer.get(&path).await;
    late.refused(503, "unfinished");
    assert!(retry_after(&late) >= 1);
    assert_eq!(late.header("access-control-allow-origin"), "*");
    let in_work = app.metric("admission_in_work{class=\"reads\"}").await;
    assert_eq!(in_work, Some(0));
    let shed = "http_requests_shed_total{class=\"reads\",reason=\"unfinished\"}";
    assert_eq!(app.metric(shed).await, Some(1));
    holder.batch_execute("COMMIT").await.unwrap();
    eventually("it works again", || async {
        let again = volunteer.get(&path).await;
        (again.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_crowd_at_once_is_answered_or_told_when_to_come_back() {
    let app = App::builder()
        .servers(1)
        .setting("IN_WORK_LOOKS", "4")
        .setting("QUEUE_FACTOR", "2")
        .start()
        .await;
    let campaign = app.campaign().cells(8, 8).looks_wanted(5).open().await;
    let volunteers: Vec<Client> = app.volunteers(60).await;
    let looks: Vec<_> = volunteers
        .iter()
        .zip(&campaign.cells)
        .map(|(volunteer, cell)| (volunteer, nothing(*cell)))
        .collect();
    let calls = looks.iter().map(|(v, look)| campaign.send(v, look));
    let answers = at_once(calls).await;
    let stored = answers.iter().filter(|answer| answer.status == 201).count();
    for answer in &answers {
        if answer.status != 201 {
            answer.refused(503, "overloaded");
            assert!(retry_after(answer) >= 1);
        }
    }
    // Those who are in work and those who wait are never refused.
    assert!(stored >= 12, "{stored}");
    let rows = app.number("SELECT count(*) FROM looks").await;
    assert_eq!(rows, i64::try_from(stored).unwrap());
    // Whoever was turned away sends the same again.
    for (volunteer, look) in &looks {
        let again = campaign.send(volunteer, look).await;
        assert!(matches!(again.status, 200 | 201), "{again:?}");
    }
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 60);
}
