//! Servers are restarted one after the other behind the load balancer, and nobody notices.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::harness::{
    App, Campaign, Cell, Client, DEADLINE, app::Process, balancer::Balancer, eventually,
    fixtures::cells_of, free_port, json, point, proxy::Proxy, tagged,
};

const VOLUNTEERS: usize = 8;
/// Between two requests of one volunteer.
const PAUSE: Duration = Duration::from_millis(20);
/// Longer than the load balancer needs to notice, by `inter` and `fall` of its configuration.
const DRAIN_SECONDS: &str = "2";
/// Each server has to be asked by then, so that all of the way is walked.
const ANSWERS: usize = 100;

/// What happened to all volunteers together.
#[derive(Default)]
struct Told {
    ended: AtomicBool,
    answers: AtomicUsize,
    failures: std::sync::Mutex<Vec<String>>,
}

async fn serve(app: &App, port: u16) -> Process {
    let port = port.to_string();
    app.start_server(&[("PORT", &port), ("DRAIN_SECONDS", DRAIN_SECONDS)])
        .await
}

/// Reads, asks for squares and looks at them until it is told to end; gives the looks that were acknowledged.
async fn volunteer(client: Client, path: String, told: Arc<Told>) -> BTreeSet<String> {
    let mut stored = BTreeSet::new();
    let fail = |what: String| told.failures.lock().unwrap().push(what);
    while !told.ended.load(Ordering::SeqCst) {
        let asked = client.post(&format!("{path}/assignments"));
        let asked = asked.json(json!({"count": 2})).attempt().await;
        let cells: Vec<Cell> = match asked {
            Ok(dealt) if dealt.status == 200 => cells_of(&dealt.json()),
            other => {
                fail(format!("assignments: {other:?}"));
                Vec::new()
            }
        };
        for cell in cells {
            tokio::time::sleep(PAUSE).await;
            match client.get(&path).attempt().await {
                Ok(read) if read.status == 200 => {}
                other => fail(format!("campaign: {other:?}")),
            }
            let look = tagged(cell, [point(cell.middle())]);
            let sent = client.post(&format!("{path}/looks")).json(&look);
            match sent.attempt().await {
                // 200: the load balancer sent it twice.
                Ok(answer) if matches!(answer.status, 200 | 201) => {
                    stored.insert(look["id"].as_str().unwrap().to_owned());
                }
                other => fail(format!("look: {other:?}")),
            }
        }
        told.answers.fetch_add(1, Ordering::SeqCst);
    }
    stored
}

async fn more_answers(told: &Told) {
    let before = told.answers.load(Ordering::SeqCst);
    eventually("volunteers are answered", || async {
        (told.answers.load(Ordering::SeqCst) >= before + ANSWERS).then_some(())
    })
    .await;
}

async fn stored_looks(app: &App, campaign: &Campaign) -> Vec<String> {
    let rows = app.sql().await;
    let rows = rows
        .query(
            "SELECT id::text FROM looks WHERE campaign_id::text = $1 ORDER BY id",
            &[&campaign.id],
        )
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_rolling_restart_under_load_fails_no_request_and_loses_no_look() {
    let ports = [free_port(), free_port()];
    let mut app = App::builder().servers(1).start().await;
    let campaign = app.campaign().cells(60, 60).looks_wanted(3).open().await;
    let mut servers = vec![serve(&app, ports[0]).await, serve(&app, ports[1]).await];
    let balancer = Balancer::before(ports).await;
    balancer.sees(2).await;

    let told = Arc::new(Told::default());
    let mut crowd = tokio::task::JoinSet::new();
    for volunteer_of in app.volunteers(VOLUNTEERS).await {
        // Each has connections of its own, which the load balancer keeps.
        let client = Client::new(vec![balancer.url.clone()]).with_bearer(volunteer_of.bearer());
        crowd.spawn(volunteer(client, campaign.path(""), Arc::clone(&told)));
    }
    more_answers(&told).await;
    for (server, port) in servers.iter_mut().zip(ports) {
        server.terminate();
        assert!(server.ended(DEADLINE).await, "{}", app.log());
        *server = serve(&app, port).await;
        balancer.sees(2).await;
        more_answers(&told).await;
    }
    told.ended.store(true, Ordering::SeqCst);

    let mut acknowledged = BTreeSet::new();
    for stored in crowd.join_all().await {
        acknowledged.extend(stored);
    }
    let failures = std::mem::take(&mut *told.failures.lock().unwrap());
    assert!(
        failures.is_empty(),
        "{} failures, first {:#?}",
        failures.len(),
        failures.first()
    );
    let stored = stored_looks(&app, &campaign).await;
    assert_eq!(
        stored.iter().cloned().collect::<BTreeSet<_>>(),
        acknowledged
    );
    assert_eq!(stored.len(), acknowledged.len(), "a look was stored twice");
    assert!(stored.len() > ANSWERS, "{}", stored.len());
    app.servers.append(&mut servers);
}

#[tokio::test]
async fn while_the_database_is_away_servers_are_asked_all_the_same() {
    let app = App::builder().servers(1).start().await;
    let campaign = app.campaign().open().await;
    let volunteer_of = app.volunteer().await;
    let database = Proxy::before(&app.database.url()).await;
    let port = free_port();
    let settings = [
        ("PORT", &*port.to_string()),
        ("DATABASE_URL", &*database.url),
        ("DATABASE_WAIT_MS", "500"),
    ];
    let _server = app.start_server(&settings).await;
    let balancer = Balancer::before([port, free_port()]).await;
    balancer.sees(1).await;
    let client = volunteer_of.at(&balancer.url);
    client.get(&campaign.path("")).await.expect(200);

    database.close();
    balancer.sees(0).await;
    let told = client.get("/readyz").await.expect(503);
    assert_eq!(told["database"], "away");
    client.get("/livez").await.expect(200);
    let look = tagged(campaign.cells[0], [point(campaign.cells[0].middle())]);
    let refused = campaign.send(&client, &look).await;
    refused.refused(503, "database_away");
    database.open();
    balancer.sees(1).await;
    campaign.send(&client, &look).await.expect(201);
}

#[tokio::test]
async fn while_no_server_is_there_people_get_a_page_and_programs_a_problem() {
    let app = App::builder().servers(1).workers(0).start().await;
    let nobody = [free_port(), free_port()];
    let balancer = Balancer::before(nobody).await;
    let client = balancer.client(&app);
    balancer.sees(0).await;

    let page = client.get("/s/some-search").await;
    assert_eq!(page.status, 503, "{page:?}");
    assert!(
        page.header("content-type").starts_with("text/html"),
        "{page:?}"
    );
    assert!(page.text().contains("We are very busy"), "{page:?}");
    let problem = client
        .post("/v1/campaigns/some-search/looks")
        .json(json!({}))
        .await;
    assert_eq!(problem.status, 503, "{problem:?}");
    assert_eq!(problem.json()["code"], "no_server");
    assert_eq!(problem.header("content-type"), "application/problem+json");
    assert_eq!(problem.header("access-control-allow-origin"), "*");
    for answer in [&page, &problem] {
        assert!(
            answer.header("retry-after").parse::<u32>().unwrap() >= 1,
            "{answer:?}"
        );
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    }
}

#[tokio::test]
async fn the_load_balancer_says_where_a_request_came_from_and_hides_metrics() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heads = Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = Arc::clone(&heads);
    // Stands for a server: says yes and keeps what it was asked.
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let heard = Arc::clone(&heard);
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                let mut asked = [0; 16 * 1024];
                while let Ok(length @ 1..) = stream.read(&mut asked).await {
                    let text = String::from_utf8_lossy(&asked[..length]).to_lowercase();
                    heard.lock().unwrap().push(text);
                    let yes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    stream.write_all(yes).await.unwrap();
                }
            });
        }
    });
    let balancer = Balancer::before([port, free_port()]).await;
    balancer.sees(1).await;
    let client = Client::new(vec![balancer.url.clone()]);
    let spoofed = client
        .get("/v1/campaigns")
        .header("X-Forwarded-For", "192.0.2.7")
        .header("Forwarded", "for=192.0.2.8");
    spoofed.await.expect_status(200);
    let asked = heads.lock().unwrap().clone();
    let seen = asked
        .iter()
        .find(|head| head.starts_with("get /v1/campaigns"))
        .unwrap();
    assert!(seen.contains("x-forwarded-for: 127.0.0.1\r\n"), "{seen}");
    assert!(!seen.contains("192.0.2."), "{seen}");
    for path in ["/metrics", "/%6Detrics", "/metrics?name=x"] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
}
