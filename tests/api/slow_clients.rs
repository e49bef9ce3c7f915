//! Clients that keep the server waiting are let go, those on a poor network are not, and others
//! are served meanwhile.

use std::{
    iter::{once, repeat},
    time::{Duration, Instant},
};

use crate::harness::{
    App, Client,
    app::Process,
    eventually,
    fixtures::nothing,
    is_repetition,
    wire::{Answer, Wire},
};

/// Between two bytes.
const PAUSE: Duration = Duration::from_millis(60);
/// Head of a request without a body.
const PING: &str = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";

/// A server of little patience.
async fn impatient(app: &App) -> Process {
    app.start_server(&[("SLOW_CLIENT_SECONDS", "1"), ("KEEP_ALIVE_SECONDS", "2")])
        .await
}

async fn start() -> (App, Process) {
    let app = App::builder().servers(1).workers(0).start().await;
    let server = impatient(&app).await;
    (app, server)
}

/// Byte after byte without an end.
fn byte_by_byte(text: &str) -> impl Iterator<Item = Vec<u8>> {
    let bytes: Vec<u8> = text.bytes().collect();
    bytes.into_iter().chain(repeat(b'a')).map(|byte| vec![byte])
}

fn post(path: &str, client: &Client, more: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n{more}\r\n\r\n",
        client.bearer()
    )
}

async fn counted(client: &Client, name: &str) -> f64 {
    let text = client.get("/metrics").await.text();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0.0, |value| value.trim().parse().unwrap())
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_refused_and_others_are_served() {
    if is_repetition() {
        return;
    }
    let (app, server) = start().await;
    let others = app.public().at(&server.url);
    let crowd: Vec<_> = (0..60)
        .map(|_| {
            let url = server.url.clone();
            tokio::spawn(async move {
                let wire = Wire::to(&url).await;
                wire.rest_while_saying(byte_by_byte("GET /livez HTTP/1.1\r\nX: "), PAUSE)
                    .await
            })
        })
        .collect();
    let mut answers = 0;
    while !crowd.iter().all(tokio::task::JoinHandle::is_finished) {
        others.get("/livez").await.expect(200);
        answers += 1;
    }
    assert!(answers > 0);
    for slow in crowd {
        let heard = slow.await.unwrap();
        Answer::parse(&heard).unwrap().refused(408, "head_too_slow");
    }
    let name = "http_clients_too_slow_total{what=\"head\"}";
    assert!(counted(&others, name).await >= 60.0);
}

#[tokio::test]
async fn the_second_head_of_a_connection_has_no_more_time_than_the_first() {
    if is_repetition() {
        return;
    }
    let (_app, server) = start().await;
    let mut wire = Wire::to(&server.url).await;
    wire.say(PING).await;
    assert_eq!(wire.answer().await.status, 200);
    let heard = wire.rest_while_saying(byte_by_byte("GET /l"), PAUSE).await;
    Answer::parse(&heard).unwrap().refused(408, "head_too_slow");
}

#[tokio::test]
async fn a_connection_that_says_nothing_more_is_closed_without_a_word() {
    if is_repetition() {
        return;
    }
    let (_app, server) = start().await;
    let mut fresh = Wire::to(&server.url).await;
    let mut used = Wire::to(&server.url).await;
    used.say(PING).await;
    assert_eq!(used.answer().await.status, 200);
    let (fresh, used) = tokio::join!(fresh.rest(), used.rest());
    assert_eq!((fresh, used), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_connection_is_kept_for_as_long_as_it_is_used() {
    if is_repetition() {
        return;
    }
    let (_app, server) = start().await;
    let mut wire = Wire::to(&server.url).await;
    let begin = Instant::now();
    // Longer than an idle one is kept.
    while begin.elapsed() < Duration::from_secs(3) {
        wire.say(PING).await;
        assert_eq!(wire.answer().await.status, 200);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte_is_refused() {
    if is_repetition() {
        return;
    }
    let (app, server) = start().await;
    let volunteer = app.volunteer().await;
    let path = "/v1/campaigns/none/looks";
    let sized = post(path, &volunteer, "Content-Length: 1000");
    let chunked = post(path, &volunteer, "Transfer-Encoding: chunked");
    let one_by_one = || byte_by_byte("{\"id\":\"");
    let chunks = one_by_one().map(|byte| [b"1\r\n", byte.as_slice(), b"\r\n"].concat());
    let sending = async |head: String, pieces: &mut dyn Iterator<Item = Vec<u8>>| {
        let wire = Wire::to(&server.url).await;
        let pieces = once(head.into_bytes()).chain(pieces);
        let heard = wire.rest_while_saying(pieces, PAUSE).await;
        let answer = Answer::parse(&heard).unwrap();
        // What comes after it is read for a while, and answered no more.
        let end = answer.body.iter().rposition(|byte| *byte == b'}').unwrap();
        Answer {
            body: answer.body[..=end].to_vec(),
            ..answer
        }
    };
    let (mut one_by_one, mut chunks) = (one_by_one(), chunks.into_iter());
    let (sized, chunked) = tokio::join!(
        sending(sized, &mut one_by_one),
        sending(chunked, &mut chunks),
    );
    sized.refused(408, "body_too_slow");
    assert_eq!(chunked.status, 408, "{chunked:?}");
}

#[tokio::test]
async fn a_phone_on_a_poor_network_gets_its_looks_through() {
    if is_repetition() {
        return;
    }
    let app = App::start().await;
    let server = app.start_server(&[("SLOW_CLIENT_SECONDS", "2")]).await;
    let campaign = app.campaign().cells(4, 4).open().await;
    let volunteer = app.volunteer().await;
    let mut batch = serde_json::to_vec(&serde_json::json!({
        "looks": campaign.cells.iter().map(|cell| nothing(*cell)).collect::<Vec<_>>()
    }))
    .unwrap();
    batch.resize(32 * 1024, b' ');
    let length = format!("Content-Length: {}", batch.len());
    let path = campaign.path("/looks/batch");
    let mut wire = Wire::to(&server.url).await;
    wire.say(post(&path, &volunteer, &length)).await;
    let begin = Instant::now();
    let pieces = batch.chunks(1024).map(<[u8]>::to_vec);
    wire.say_slowly(pieces, Duration::from_millis(90)).await;
    let answer = wire.answer().await;
    assert!(begin.elapsed() > Duration::from_millis(2500));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 16);
}

#[tokio::test]
async fn who_takes_none_of_an_answer_is_let_go() {
    if is_repetition() {
        return;
    }
    let (app, server) = start().await;
    let others = app.public().at(&server.url);
    let asset = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n";
    let length = others.get("/docs/swagger-ui-bundle.js").await.body.len();
    let mut wire = Wire::with_little_room(&server.url).await;
    // More than fits into what lies between.
    wire.say(asset.repeat(16)).await;
    let name = "http_clients_too_slow_total{what=\"answer\"}";
    eventually("the server gives up", || async {
        (counted(&others, name).await >= 1.0).then_some(())
    })
    .await;
    assert!(wire.rest().await.len() < 16 * length);
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_not_keep_a_connection() {
    if is_repetition() {
        return;
    }
    let (app, server) = start().await;
    let nobody = app.public();
    let head =
        post("/v1/campaigns", &nobody, "Transfer-Encoding: chunked").replace("Bearer ", "Bearer x");
    let chunk = [
        format!("{:x}\r\n", 1024).into_bytes(),
        vec![b' '; 1024],
        b"\r\n".to_vec(),
    ]
    .concat();
    let wire = Wire::to(&server.url).await;
    let pieces = once(head.into_bytes()).chain(repeat(chunk));
    let answered = wire
        .rest_while_saying(pieces, Duration::from_millis(5))
        .await;
    assert_eq!(Answer::parse(&answered).unwrap().status, 401);
}
