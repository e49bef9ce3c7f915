//! Bodies, heads and addresses that are too large, packed bombs, and what is no text: refused with
//! a problem, in bounded memory.

use std::{fmt::Write as _, io::Write};

use flate2::{
    Compression, FlushCompress,
    write::{GzEncoder, ZlibEncoder},
};
use futures_util::future::join_all;

use crate::harness::{
    App, Client, is_repetition, json, nothing,
    wire::{Answer, Wire},
};

const MIB: usize = 1024 * 1024;
/// Memory of a server that is fed with bombs, in MiB.
const MEMORY_MAX: u64 = 300;

/// A JSON object of so many bytes.
fn sized(bytes: usize) -> Vec<u8> {
    let empty = br#"{"x":""}"#.len();
    format!(r#"{{"x":"{}"}}"#, "a".repeat(bytes - empty)).into_bytes()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn head(method: &str, path: &str, client: &Client, more: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n{more}\r\n",
        client.bearer()
    )
}

/// Each call with a body, who may make it, and the limit of its body.
async fn calls(app: &App) -> Vec<(&'static str, String, Client, usize)> {
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let organiser = campaign.organiser.clone();
    let tag = format!("/tags/{}", crate::harness::id());
    let of = |below: &str| campaign.path(below);
    vec![
        ("POST", of("/assignments"), volunteer.clone(), MIB / 4),
        ("POST", of("/assignments/renew"), volunteer.clone(), MIB / 4),
        ("POST", of("/looks"), volunteer.clone(), MIB / 4),
        ("POST", of("/looks/batch"), volunteer.clone(), 8 * MIB),
        ("PATCH", of(&tag), volunteer, MIB / 4),
        ("PATCH", of("/cells"), organiser.clone(), MIB / 4),
        ("POST", of("/pause"), organiser.clone(), MIB / 4),
        ("PATCH", of(""), organiser.clone(), 16 * MIB),
        (
            "POST",
            "/v1/campaigns".to_owned(),
            organiser.clone(),
            16 * MIB,
        ),
        (
            "POST",
            "/v1/campaigns/preview".to_owned(),
            organiser.clone(),
            16 * MIB,
        ),
        ("POST", "/v1/imagery".to_owned(), organiser.clone(), MIB / 4),
        ("POST", "/v1/imagery/probe".to_owned(), organiser, MIB / 4),
    ]
}

#[tokio::test]
async fn every_body_has_its_limit_and_one_byte_more_is_refused_however_it_is_sent() {
    if is_repetition() {
        return;
    }
    let app = App::builder().servers(1).start().await;
    for (method, path, client, max) in calls(&app).await {
        let call = |body: reqwest::Body| {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            client
                .call(method, &path)
                .header("Content-Type", "application/json")
                .header("If-Match", "\"1\"")
                .body(body)
        };
        // A stream has no length beforehand.
        let chunked = |bytes: Vec<u8>| {
            let pieces: Vec<_> = bytes.chunks(64 * 1024).map(<[u8]>::to_vec).collect();
            let pieces = pieces.into_iter().map(Ok::<_, std::io::Error>);
            reqwest::Body::wrap_stream(futures_util::stream::iter(pieces))
        };
        for body in [sized(max).into(), chunked(sized(max))] {
            let fits = call(body).await;
            assert!(
                matches!(fits.status, 400..=499) && fits.status != 413,
                "{path}: {fits:?}"
            );
        }
        for body in [sized(max + 1).into(), chunked(sized(max + 1))] {
            call(body).await.refused(413, "body_too_large");
        }
    }
}

#[tokio::test]
async fn a_body_that_says_it_is_too_long_is_refused_before_it_comes() {
    if is_repetition() {
        return;
    }
    let app = App::builder().servers(1).start().await;
    for (method, path, client, max) in calls(&app).await {
        for length in [max + 1, 100_000_000_000] {
            let mut wire = Wire::to(&app.servers[0].url).await;
            let length = format!("Content-Length: {length}\r\n");
            wire.say(head(method, &path, &client, &length)).await;
            wire.answer().await.refused(413, "body_too_large");
        }
    }
}

#[tokio::test]
async fn a_packed_batch_is_stored() {
    if is_repetition() {
        return;
    }
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).open().await;
    let batch =
        json!({"looks": campaign.cells.iter().map(|cell| nothing(*cell)).collect::<Vec<_>>()});
    let plain = batch.to_string().into_bytes();
    let (first, second) = plain.split_at(plain.len() / 2);
    for (coding, packed) in [
        ("gzip", gzip(&plain)),
        ("x-gzip", gzip(&plain)),
        // Two members, as some tools append them.
        ("GZIP", [gzip(first), gzip(second)].concat()),
        ("deflate", deflate(&plain)),
        ("identity", plain.clone()),
    ] {
        let sent = app
            .volunteer()
            .await
            .post(&campaign.path("/looks/batch"))
            .header("Content-Type", "application/json")
            .header("Content-Encoding", coding)
            .body(packed)
            .await;
        let results = sent.expect(200)["results"].as_array().unwrap().clone();
        assert!(
            results.iter().all(|one| one["verdict"] == "created"),
            "{results:?}"
        );
    }
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 45);
}

#[tokio::test]
async fn what_is_packed_wrongly_is_refused() {
    if is_repetition() {
        return;
    }
    let app = App::builder().servers(1).workers(0).start().await;
    let organiser = app.organiser().await;
    let send = |coding: &str, body: Vec<u8>| {
        organiser
            .post("/v1/imagery")
            .header("Content-Type", "application/json")
            .header("Content-Encoding", coding)
            .body(body)
    };
    let good = gzip(b"{}");
    send("gzip", good.clone())
        .await
        .refused(422, "invalid_body");
    let mut damaged = good.clone();
    let crc = damaged.len() - 6;
    damaged[crc] ^= 1;
    for broken in [
        b"{}".to_vec(),
        good[..good.len() - 1].to_vec(),
        good[..5].to_vec(),
        damaged,
        [good.as_slice(), b"more"].concat(),
        deflate(b"{}"),
    ] {
        send("gzip", broken).await.refused(400, "body_unreadable");
    }
    send("deflate", good.clone())
        .await
        .refused(400, "body_unreadable");
    for coding in ["br", "zstd", "gzip, gzip", "compress", "x", "aws-chunked"] {
        let refused = send(coding, good.clone()).await;
        refused.refused(415, "unknown_coding");
        assert_eq!(refused.header("accept-encoding"), "gzip, deflate");
    }
    // The limit is one of both sizes.
    send("gzip", gzip(&sized(MIB / 4)))
        .await
        .refused(422, "invalid_body");
    send("gzip", gzip(&sized(MIB / 4 + 1)))
        .await
        .refused(413, "body_too_large");
    send("deflate", deflate(&sized(MIB / 4)))
        .await
        .refused(422, "invalid_body");
    send("deflate", deflate(&sized(MIB / 4 + 1)))
        .await
        .refused(413, "body_too_large");
}

/// Packed bytes that unpack to four gigabytes.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    const PART: usize = 32 * MIB;
    const PARTS: usize = 128;
    let part = vec![b' '; PART];
    // The same member again and again.
    let gzip = gzip(&part).repeat(PARTS);
    // Blocks that refer to nothing before them.
    let mut deflate = vec![0x78, 0x01];
    let mut compress = flate2::Compress::new(Compression::fast(), false);
    let mut block = Vec::with_capacity(MIB);
    compress
        .compress_vec(&part, &mut block, FlushCompress::Full)
        .unwrap();
    for _ in 0..PARTS {
        deflate.extend_from_slice(&block);
    }
    vec![("gzip", gzip), ("deflate", deflate)]
}

#[tokio::test]
async fn a_body_that_unpacks_to_gigabytes_costs_no_more_than_its_limit() {
    if is_repetition() {
        return;
    }
    let app = App::builder().servers(1).start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    for (coding, bomb) in bombs() {
        for path in ["/looks", "/looks/batch"] {
            // Longer ones are refused by their packed size already.
            let bomb = &bomb[..bomb
                .len()
                .min(if path == "/looks" { MIB / 4 } else { 8 * MIB })];
            let sent = (0..8).map(|_| async {
                let sent = volunteer
                    .post(&campaign.path(path))
                    .header("Content-Type", "application/json")
                    .header("Content-Encoding", coding)
                    .body(bomb.to_vec())
                    .await;
                sent.refused(413, "body_too_large");
            });
            join_all(sent).await;
        }
    }
    let most = app.servers[0].memory("VmHWM");
    eprintln!("at most {most} MiB");
    assert!(most <= MEMORY_MAX, "{most} MiB");
    campaign.ask(&volunteer, 1).await.expect(200);
}

#[tokio::test]
async fn a_head_has_96_headers_and_128_kib_at_most() {
    if is_repetition() {
        return;
    }
    let app = App::builder().servers(1).workers(0).start().await;
    let url = &app.servers[0].url;
    let with = |headers: usize, bytes: usize| {
        let mut head = "GET /livez HTTP/1.1\r\nHost: x\r\n".to_owned();
        for n in 1..headers {
            write!(head, "X-{n}: {}\r\n", "a".repeat(bytes)).unwrap();
        }
        head + "\r\n"
    };
    for (head, status) in [
        (with(96, 1), 200),
        (with(97, 1), 431),
        (with(60, 2000), 200),
        (with(60, 3000), 431),
    ] {
        let mut wire = Wire::to(url).await;
        wire.say(head).await;
        assert_eq!(wire.answer().await.status, status);
    }
    for broken in [
        "\x16\x03\x01\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\nA\0: b\r\n\r\n",
    ] {
        let mut wire = Wire::to(url).await;
        wire.say(broken).await;
        let answer = Answer::parse(&wire.rest().await).unwrap();
        assert_eq!(answer.status, 400, "{answer:?}");
    }
}

#[tokio::test]
async fn an_address_has_8192_bytes_at_most() {
    if is_repetition() {
        return;
    }
    let app = App::builder().servers(1).workers(0).start().await;
    for path in ["/v1/campaigns?cursor=", "/nowhere/", "/livez?"] {
        let long = |bytes: usize| format!("{path}{}", "a".repeat(bytes - path.len()));
        let fits = app.public().get(&long(8192)).await;
        assert!(matches!(fits.status, 200 | 400 | 404), "{fits:?}");
        let refused = app.public().get(&long(8193)).await;
        refused.refused(414, "address_too_long");
        assert_eq!(refused.header("access-control-allow-origin"), "*");
    }
}
