//! Live streams of changes: what a stock `EventSource` needs, whatever happens.

use std::time::Duration;

use crate::harness::{
    App, Campaign, Client, Events, Value, balancer::Balancer, eventually, fixtures::metric,
    free_port, json, nothing, point, tagged, wire::Wire,
};

/// Streams of one volunteer at one server.
const STREAMS_OF_ONE_MAX: usize = 20;
/// Documents of one event.
const EVENT_DOCUMENTS_MAX: usize = 200;

fn path(collection: &str) -> String {
    format!("/v1/sync/rxdb/{collection}/0/pullStream")
}

async fn open(volunteer: &Client, collection: &str) -> Events {
    Events::open(volunteer.get(&path(collection))).await
}

/// A stream that was not begun: its client is to come back.
async fn is_put_off(call: crate::harness::client::Call) {
    let answer = call.await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(answer.text(), "retry: 30000\n\n");
}

async fn volunteer_of(app: &App) -> (Campaign, Client) {
    let campaign = app.campaign().cells(3, 3).looks_wanted(9).open().await;
    (campaign, app.volunteer().await)
}

#[tokio::test]
async fn what_a_volunteer_stores_comes_on_their_streams_at_every_server_and_on_no_others() {
    let app = App::builder().servers(2).start().await;
    let (campaign, volunteer) = volunteer_of(&app).await;
    let other = app.volunteer().await;
    let mut looks = Vec::new();
    for server in &app.servers {
        looks.push(open(&volunteer.at(&server.url), "looks").await);
    }
    let mut tags = open(&volunteer, "tags").await;
    let mut others = open(&other, "looks").await;
    let theirs = nothing(campaign.cells[1]);
    let ours = tagged(campaign.cells[0], [point(campaign.cells[0].middle())]);
    campaign.send(&volunteer, &ours).await.expect(201);
    campaign.send(&other, &theirs).await.expect(201);
    for stream in &mut looks {
        let event = stream.next().await.unwrap();
        assert_eq!(event.ids(), [ours["id"].as_str().unwrap()]);
        assert_eq!(event.data["documents"][0]["_deleted"], false);
        assert_eq!(event.data["documents"][0]["outcome"], "tagged");
    }
    let event = tags.next().await.unwrap();
    assert_eq!(event.ids(), [ours["tags"][0]["id"].as_str().unwrap()]);
    let event = others.next().await.unwrap();
    assert_eq!(event.ids(), [theirs["id"].as_str().unwrap()]);
}

#[tokio::test]
async fn a_stream_goes_on_from_where_a_pull_ended_and_a_pull_from_where_it_ended() {
    let app = App::start().await;
    let (campaign, volunteer) = volunteer_of(&app).await;
    let mut stream = open(&volunteer, "looks").await;
    let look = nothing(campaign.cells[0]);
    campaign.send(&volunteer, &look).await.expect(201);
    let event = stream.next().await.unwrap();
    let checkpoint = &event.data["checkpoint"];
    let (lwt, id) = (&checkpoint["lwt"], checkpoint["id"].as_str().unwrap());
    let pull = |lwt: String, id: &str| {
        volunteer.get(&format!(
            "/v1/sync/rxdb/looks/0/pull?lwt={lwt}&id={id}&limit=10"
        ))
    };
    let rest = pull(lwt.to_string(), id).await.expect(200);
    assert_eq!(rest["documents"], json!([]));
    let all = pull("0".to_owned(), "").await.expect(200);
    assert_eq!(all["documents"], event.data["documents"]);
    assert_eq!(place(&all["checkpoint"]), place(checkpoint));
}

/// Where a checkpoint stands: what comes after the document says how far the feed was, which goes on.
fn place(checkpoint: &Value) -> (&Value, Vec<&str>) {
    let id = checkpoint["id"].as_str().unwrap();
    (&checkpoint["lwt"], id.split('.').take(2).collect())
}

#[tokio::test]
async fn a_change_that_commits_late_comes_once_and_after_what_it_holds_up() {
    let app = App::start().await;
    let (campaign, volunteer) = volunteer_of(&app).await;
    let mut stream = open(&volunteer, "looks").await;
    let late = app.sql().await;
    let late_id = crate::harness::id();
    let insert = format!(
        "BEGIN; INSERT INTO looks (volunteer_id, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, content_hash)
         VALUES ('{}', '{late_id}', '{}', {}, 'nothing', 1, now(), now(), '')",
        volunteer.id, campaign.id, campaign.cells[0].packed()
    );
    late.batch_execute(&insert).await.unwrap();
    let soon = nothing(campaign.cells[1]);
    campaign.send(&volunteer, &soon).await.expect(201);
    // The server reads the feed meanwhile, and must not take it for read.
    let begun = tokio::time::Instant::now();
    eventually(
        "the feed was read while the transaction was open",
        || async { (begun.elapsed() > Duration::from_millis(2500)).then_some(()) },
    )
    .await;
    late.batch_execute("COMMIT").await.unwrap();
    let ids = stream.documents(2).await;
    assert_eq!(ids, [late_id, soon["id"].as_str().unwrap().to_owned()]);
}

#[tokio::test]
async fn who_comes_back_is_told_what_came_meanwhile() {
    let app = App::builder().servers(2).start().await;
    let (campaign, volunteer) = volunteer_of(&app).await;
    let stream = open(&volunteer, "looks").await;
    let had = stream.last_id.clone();
    drop(stream);
    let look = nothing(campaign.cells[0]);
    campaign.send(&volunteer, &look).await.expect(201);
    for server in &app.servers {
        let call = volunteer.at(&server.url).get(&path("looks"));
        let mut stream = Events::open(call.header("Last-Event-ID", &had)).await;
        let ids = stream.documents(1).await;
        assert_eq!(ids, [look["id"].as_str().unwrap()]);
    }
    // Who comes from another history, or from nowhere, gets what comes next.
    let mut streams = Vec::new();
    for id in [
        "7",
        "x.y.z",
        "99999999.1.00000000-0000-0000-0000-000000000000",
    ] {
        let call = volunteer.get(&path("looks")).header("Last-Event-ID", id);
        streams.push(Events::open(call).await);
    }
    let next = nothing(campaign.cells[1]);
    campaign.send(&volunteer, &next).await.expect(201);
    for mut stream in streams {
        let mut ids = Vec::new();
        while ids.last().map(String::as_str) != next["id"].as_str() {
            ids.extend(stream.documents(1).await);
        }
    }
}

#[tokio::test]
async fn a_quiet_stream_outlives_the_patience_with_slow_clients_and_is_never_packed() {
    let app = App::builder()
        .servers(1)
        .setting("SLOW_CLIENT_SECONDS", "1")
        .setting("KEEP_ALIVE_SECONDS", "1")
        .setting("REQUEST_SECONDS", "1")
        .start()
        .await;
    let (campaign, volunteer) = volunteer_of(&app).await;
    let call = volunteer.get(&path("looks"));
    let mut stream = Events::open(call.header("Accept-Encoding", "gzip, br")).await;
    assert_eq!(stream.header("content-encoding"), "");
    assert_eq!(stream.header("x-accel-buffering"), "no");
    assert_eq!(stream.header("cache-control"), "no-store");
    let begun = tokio::time::Instant::now();
    eventually("every patience came to its end", || async {
        (begun.elapsed() > Duration::from_secs(3)).then_some(())
    })
    .await;
    let look = nothing(campaign.cells[0]);
    campaign.send(&volunteer, &look).await.expect(201);
    assert_eq!(stream.documents(1).await, [look["id"].as_str().unwrap()]);
}

#[tokio::test]
async fn who_is_behind_by_a_whole_page_gets_it_and_the_end() {
    let app = App::builder().servers(1).start().await;
    let campaign = app.campaign().cells(15, 15).looks_wanted(9).open().await;
    let volunteer = app.volunteer().await;
    let had = open(&volunteer, "looks").await.last_id;
    let looks: Vec<_> = campaign.cells.iter().map(|cell| nothing(*cell)).collect();
    let fewer = &looks[..EVENT_DOCUMENTS_MAX - 1];
    campaign.send_batch(&volunteer, fewer).await.expect(200);
    let back = || volunteer.get(&path("looks")).header("Last-Event-ID", &had);
    let mut stream = Events::open(back()).await;
    let event = stream.next().await.unwrap();
    assert_eq!(event.ids().len(), EVENT_DOCUMENTS_MAX - 1);
    let more = &looks[EVENT_DOCUMENTS_MAX - 1..=EVENT_DOCUMENTS_MAX];
    campaign.send_batch(&volunteer, more).await.expect(200);
    assert_eq!(stream.documents(2).await.len(), 2, "it went on");
    let mut stream = Events::open(back()).await;
    let event = stream.next().await.unwrap();
    assert_eq!(event.ids().len(), EVENT_DOCUMENTS_MAX);
    assert!(stream.next().await.is_none(), "it ended");
    assert!(stream.retry_ms.is_some_and(|ms| ms <= 10_000));
}

#[tokio::test]
async fn one_volunteer_has_twenty_streams_and_the_next_is_put_off() {
    let app = App::builder().servers(1).start().await;
    let volunteer = app.volunteer().await;
    let mut streams = Vec::new();
    for _ in 0..STREAMS_OF_ONE_MAX {
        streams.push(open(&volunteer, "looks").await);
    }
    is_put_off(volunteer.get(&path("tags"))).await;
    open(&app.volunteer().await, "looks").await;
    streams.pop();
    eventually("there is room again", || async {
        let answer = volunteer.get(&path("tags")).open().await;
        let text = answer.headers().get("content-length").is_none();
        text.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_has_room_for_as_many_streams_as_it_is_told_and_the_next_is_put_off() {
    let app = App::builder()
        .servers(1)
        .setting("IN_WORK_STREAMS", "3")
        .start()
        .await;
    let mut streams = Vec::new();
    for volunteer in app.volunteers(3).await {
        streams.push(open(&volunteer, "looks").await);
    }
    is_put_off(app.volunteer().await.get(&path("looks"))).await;
    let refused = "sync_streams_refused_total{reason=\"full\"}";
    assert_eq!(app.metric(refused).await, Some(1));
    assert_eq!(app.metric("sync_streams").await, Some(3));
}

#[tokio::test]
async fn streams_hold_no_permits_of_requests() {
    let app = App::builder()
        .servers(1)
        .setting("IN_WORK_READS", "1")
        .setting("QUEUE_FACTOR", "0")
        .start()
        .await;
    let mut streams = Vec::new();
    for volunteer in app.volunteers(3).await {
        streams.push(open(&volunteer, "looks").await);
    }
    app.public().get("/v1/campaigns").await.expect(200);
}

#[tokio::test]
async fn maintenance_and_rates_put_streams_off() {
    let app = App::builder()
        .servers(1)
        .setting("RATE_VOLUNTEER", "1/600")
        .start()
        .await;
    let (volunteer, other) = (app.volunteer().await, app.volunteer().await);
    open(&volunteer, "looks").await;
    is_put_off(volunteer.get(&path("looks"))).await;
    let admin = app.admin().await;
    let mode = json!({"mode": "maintenance"});
    admin.patch("/v1/mode").json(mode).await.expect(200);
    is_put_off(other.get(&path("looks"))).await;
}

#[tokio::test]
async fn a_stopping_server_ends_its_streams_and_begins_none() {
    let mut app = App::builder()
        .servers(1)
        .setting("DRAIN_SECONDS", "2")
        .start()
        .await;
    let volunteer = app.volunteer().await;
    let mut stream = open(&volunteer, "looks").await;
    app.servers[0].terminate();
    assert!(stream.next().await.is_none());
    is_put_off(volunteer.get(&path("looks"))).await;
    assert!(app.servers[0].ended(Duration::from_secs(10)).await);
}

#[tokio::test]
async fn a_client_that_reads_nothing_loses_its_stream() {
    let app = App::builder()
        .servers(1)
        .setting("SLOW_CLIENT_SECONDS", "1")
        .start()
        .await;
    let campaign = app.campaign().cells(20, 20).looks_wanted(9).open().await;
    let volunteer = app.volunteer().await;
    let mut wire = Wire::with_little_room(&app.servers[0].url).await;
    let bearer = volunteer.bearer();
    let head = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer}\r\n\r\n",
        path("tags")
    );
    wire.say(head).await;
    eventually("the stream is open", || async {
        (app.metric("sync_streams").await == Some(1)).then_some(())
    })
    .await;
    let server = app.public().at(&app.servers[0].url);
    let note = "n".repeat(500);
    for cell in campaign.cells.iter().take(400) {
        let tags = (0..40).map(|_| {
            let mut tag = point(cell.middle());
            tag["note"] = json!(note);
            tag
        });
        let look = tagged(*cell, tags);
        campaign.send(&volunteer, &look).await.expect(201);
        if metric(&server, "sync_streams").await == Some(0.0) {
            return;
        }
    }
    eventually("the stream is ended", || async {
        (metric(&server, "sync_streams").await == Some(0.0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_load_balancer_passes_events_on_and_never_ends_a_stream_for_good() {
    let mut app = App::builder().servers(1).start().await;
    let (campaign, volunteer) = volunteer_of(&app).await;
    let port = app.servers[0].url.rsplit(':').next().unwrap();
    let balancer = Balancer::before([port.parse().unwrap(), free_port()]).await;
    balancer.sees(1).await;
    let volunteer = volunteer.at(&balancer.url);
    let mut stream = open(&volunteer, "looks").await;
    let look = nothing(campaign.cells[0]);
    campaign.send(&volunteer, &look).await.expect(201);
    assert_eq!(stream.documents(1).await, [look["id"].as_str().unwrap()]);
    app.servers.pop().unwrap().kill().await;
    assert!(stream.next().await.is_none());
    balancer.sees(0).await;
    is_put_off(volunteer.get(&path("looks"))).await;
    let pull = volunteer.get("/v1/sync/rxdb/looks/0/pull?lwt=0&id=").await;
    assert_eq!((pull.status, &pull.json()["error"]), (503, &json!(true)));
}

#[tokio::test]
async fn who_has_no_token_and_what_is_no_stream_is_told_so() {
    let app = App::start().await;
    let nobody = app.public().get(&path("looks")).await;
    nobody.refused(401, "credentials_missing");
    let volunteer = app.volunteer().await;
    volunteer
        .get(&path("nonsense"))
        .await
        .refused(404, "not_found");
    let head = volunteer.head(&path("looks")).await;
    assert_eq!((head.status, head.text()), (200, String::new()));
    assert_eq!(head.header("content-type"), "text/event-stream");
    let outdated = volunteer.get("/v1/sync/rxdb/looks/7/pullStream").await;
    outdated.refused(426, "schema_outdated");
}

#[tokio::test]
async fn a_stream_tells_nothing_of_who_was_forgotten_and_ends() {
    let app = App::start().await;
    let (campaign, volunteer) = volunteer_of(&app).await;
    let volunteer = volunteer.at(&app.servers[0].url);
    let mut stream = open(&volunteer, "looks").await;
    let me = "/v1/volunteers/me";
    volunteer
        .delete(&format!("{me}?confirm=forget"))
        .await
        .expect(202);
    let export = format!("{me}/export");
    eventually("the server knows", || async {
        (volunteer.get(&export).await.status == 403).then_some(())
    })
    .await;
    // As a server stores it that does not know yet.
    app.execute(&format!(
        "INSERT INTO looks (volunteer_id, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, content_hash)
         VALUES ('{}', gen_random_uuid(), '{}', {}, 'nothing', 1, now(), now(), '')",
        volunteer.id, campaign.id, campaign.cells[0].packed()
    ))
    .await;
    let told = stream.next().await;
    assert!(told.is_none(), "{told:?}");
}
