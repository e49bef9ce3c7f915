//! A source of tiles inside the test: it remembers what it is asked for and answers as the first
//! part of the path says.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// First bytes of a PNG of 256 × 256 pixels, which is all that the server looks at.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\x01\0";
/// The same with 2^24 pixels a side.
const VAST: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x01\0\0\0\x01\0\0\0";
/// What `/blank` sends.
pub const BLANK: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01blank";

/// Kinds of answers: `/png` an image that ends in the asked address, `/held` the same after
/// [`Source::release`], `/html`, `/huge`, `/fits` (the limit exactly), `/vast` (too many pixels),
/// `/missing`, `/nothing` (204), `/blank`, `/broken`, `/redirect` (to `/png`), `/away` (the same at
/// another name of this machine), `/loop`, `/silent` (never answers), `/drip` (never ends),
/// `/busy` (503 with `Retry-After: 1` to the first that asks, then as `/png`), `/sick` (500 until
/// [`Source::heal`], then as `/png`), `/spotty` (by the last digit of the path: 0 and 5 are forbidden
/// until [`Source::heal`], 7 is missing).
pub struct Source {
    pub address: String,
    seen: Arc<Seen>,
}

struct Seen {
    port: u16,
    asked: Mutex<Vec<(Instant, String)>>,
    gate: Semaphore,
    is_well: AtomicBool,
    /// How many are being answered, and the most so far.
    answering: AtomicUsize,
    most: AtomicUsize,
}

impl Source {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let seen = Arc::new(Seen {
            port: address.port(),
            asked: Mutex::default(),
            gate: Semaphore::new(0),
            is_well: AtomicBool::new(false),
            answering: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let source = Self {
            address: address.to_string(),
            seen: Arc::clone(&seen),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let seen = Arc::clone(&seen);
                tokio::spawn(async move { serve(stream, &seen).await });
            }
        });
        source
    }

    /// A template or address at this source.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Everything that was asked for, with the query.
    pub fn asked(&self) -> Vec<String> {
        let asked = self.seen.asked.lock().unwrap();
        asked.iter().map(|(_, path)| path.clone()).collect()
    }

    /// When it was asked.
    pub fn times(&self) -> Vec<Instant> {
        let asked = self.seen.asked.lock().unwrap();
        asked.iter().map(|(time, _)| *time).collect()
    }

    /// The most that were asked for at the same time.
    pub fn most_at_once(&self) -> usize {
        self.seen.most.load(Ordering::SeqCst)
    }

    /// Lets all `/held` tiles go.
    pub fn release(&self) {
        self.release_some(100_000);
    }

    /// Lets so many `/held` tiles go.
    pub fn release_some(&self, count: usize) {
        self.seen.gate.add_permits(count);
    }

    /// From now on `/sick` is well.
    pub fn heal(&self) {
        self.seen.is_well.store(true, Ordering::SeqCst);
    }
}

impl Seen {
    /// Notes a request; whether it is the first for its path.
    fn note(&self, path: &str) -> bool {
        let mut asked = self.asked.lock().unwrap();
        let is_first = asked.iter().all(|(_, known)| known != path);
        asked.push((Instant::now(), path.to_owned()));
        is_first
    }
}

async fn serve(mut stream: TcpStream, seen: &Seen) -> Option<()> {
    loop {
        let head = read_head(&mut stream).await?;
        let path = head.split(' ').nth(1)?.to_owned();
        let is_first = seen.note(&path);
        let now = seen.answering.fetch_add(1, Ordering::SeqCst) + 1;
        seen.most.fetch_max(now, Ordering::SeqCst);
        let answered = answer(&mut stream, seen, &path, is_first).await;
        seen.answering.fetch_sub(1, Ordering::SeqCst);
        answered?;
    }
}

async fn answer(stream: &mut TcpStream, seen: &Seen, path: &str, is_first: bool) -> Option<()> {
    let nothing = String::new;
    let kind = path.split('/').nth(1).unwrap_or_default();
    let image = [PNG, path.as_bytes()].concat();
    let elsewhere = |to: String| ("302 Found", format!("Location: {to}\r\n"), Vec::new());
    let broken = || {
        let trace = b"secret stack trace".to_vec();
        ("500 Internal Server Error", nothing(), trace)
    };
    let (status, more, body) = match kind {
        "html" => {
            let page = b"<html><script>alert(1)</script>".to_vec();
            ("200 OK", nothing(), page)
        }
        "huge" => ("200 OK", nothing(), sized(4 * 1024 * 1024 + 1)),
        "fits" => ("200 OK", nothing(), sized(4 * 1024 * 1024)),
        "vast" => ("200 OK", nothing(), VAST.to_vec()),
        "blank" => ("200 OK", nothing(), BLANK.to_vec()),
        "spotty" if path.ends_with(['0', '5']) && !seen.is_well.load(Ordering::SeqCst) => {
            ("403 Forbidden", nothing(), Vec::new())
        }
        "spotty" if path.ends_with('7') => ("404 Not Found", nothing(), Vec::new()),
        "missing" => ("404 Not Found", nothing(), Vec::new()),
        "nothing" => ("204 No Content", nothing(), Vec::new()),
        "broken" => broken(),
        "sick" if !seen.is_well.load(Ordering::SeqCst) => broken(),
        "busy" if is_first => (
            "503 Service Unavailable",
            "Retry-After: 1\r\n".to_owned(),
            Vec::new(),
        ),
        "redirect" => elsewhere(path.replace("/redirect/", "/png/")),
        "away" => elsewhere(format!(
            "http://localhost:{}{}",
            seen.port,
            path.replace("/away/", "/png/")
        )),
        "loop" => elsewhere(path.to_owned()),
        "silent" => {
            tokio::time::sleep(Duration::from_hours(1)).await;
            return None;
        }
        "drip" => return drip(stream).await,
        "held" => {
            seen.gate.acquire().await.ok()?.forget();
            ("200 OK", nothing(), image)
        }
        _ => ("200 OK", nothing(), image),
    };
    let length = match status {
        "204 No Content" => nothing(),
        _ => format!("Content-Length: {}\r\n", body.len()),
    };
    let head = format!("HTTP/1.1 {status}\r\n{more}{length}\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(&body).await.ok()
}

/// A byte now and then, for ever.
async fn drip(stream: &mut TcpStream) -> Option<()> {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
    stream.write_all(head).await.ok()?;
    for byte in PNG.iter().chain(std::iter::repeat(&0)) {
        stream.write_all(&[*byte]).await.ok()?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

/// An image of exactly so many bytes.
fn sized(bytes: usize) -> Vec<u8> {
    let mut image = PNG.to_vec();
    image.resize(bytes, 0);
    image
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}
