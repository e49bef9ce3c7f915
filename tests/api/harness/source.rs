//! A source of tiles inside the test: it counts what it is asked for and answers as the first
//! part of the path says.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// First bytes of a PNG, which is all that the server looks at.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Kinds of answers: `/png` an image that ends in the asked address, `/held` the same after
/// [`Source::release`], `/html`, `/huge`, `/fits` (the limit exactly), `/missing`, `/broken`,
/// `/redirect` (to `/png`), `/loop`, `/silent` (never answers).
pub struct Source {
    pub address: String,
    asked: Arc<Mutex<Vec<String>>>,
    gate: Arc<Semaphore>,
}

impl Source {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let gate = Arc::new(Semaphore::new(0));
        let source = Self {
            address,
            asked: Arc::clone(&asked),
            gate: Arc::clone(&gate),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (asked, gate) = (Arc::clone(&asked), Arc::clone(&gate));
                tokio::spawn(async move { answer(stream, &asked, &gate).await });
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
        self.asked.lock().unwrap().clone()
    }

    /// Lets all `/held` tiles go.
    pub fn release(&self) {
        self.gate.add_permits(100_000);
    }
}

async fn answer(mut stream: TcpStream, asked: &Mutex<Vec<String>>, gate: &Semaphore) -> Option<()> {
    loop {
        let head = read_head(&mut stream).await?;
        let path = head.split(' ').nth(1)?.to_owned();
        asked.lock().unwrap().push(path.clone());
        let kind = path.split('/').nth(1).unwrap_or_default();
        let image = [PNG, path.as_bytes()].concat();
        let (status, more, body) = match kind {
            "html" => (
                "200 OK",
                String::new(),
                b"<html><script>alert(1)</script>".to_vec(),
            ),
            "huge" => ("200 OK", String::new(), sized(4 * 1024 * 1024 + 1)),
            "fits" => ("200 OK", String::new(), sized(4 * 1024 * 1024)),
            "missing" => ("404 Not Found", String::new(), Vec::new()),
            "broken" => (
                "500 Internal Server Error",
                String::new(),
                b"secret stack trace".to_vec(),
            ),
            "redirect" => (
                "302 Found",
                format!("Location: {}\r\n", path.replace("/redirect/", "/png/")),
                Vec::new(),
            ),
            "loop" => ("302 Found", format!("Location: {path}\r\n"), Vec::new()),
            "silent" => {
                tokio::time::sleep(Duration::from_hours(1)).await;
                return None;
            }
            "held" => {
                gate.acquire().await.ok()?.forget();
                ("200 OK", String::new(), image)
            }
            _ => ("200 OK", String::new(), image),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(&body).await.ok()?;
    }
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
