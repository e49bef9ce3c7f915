//! A client of HTTP/1.1 that costs little: requests are bytes made before, answers are read as far
//! as needed.

use std::io;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Bytes of an answer at most.
const ANSWER_MAX: usize = 16 * 1024 * 1024;

/// One connection that is kept open.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    head: Head,
}

pub struct Answer<'a> {
    pub status: u16,
    /// Seconds after which to try again, when the answer says so.
    pub retry_after: Option<u32>,
    pub body: &'a [u8],
    /// Of head and body together.
    pub bytes: usize,
}

/// What a browser says of compression.
pub const BROWSER_ENCODINGS: &str = "Accept-Encoding: gzip, deflate, br, zstd\r\n";

/// A question of a browser, with further headers.
pub fn browser_get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: loadtest\r\n{BROWSER_ENCODINGS}{headers}\r\n")
        .into_bytes()
}

/// A question whose answer is not compressed.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: loadtest\r\n\r\n").into_bytes()
}

/// A request as bytes. Its answer is not compressed.
pub fn request(method: &str, path: &str, bearer: Option<&str>, body: &str) -> Vec<u8> {
    bytes_of(method, path, bearer, "", body)
}

/// A request as bytes, with what a browser says of compression.
pub fn browser_request(method: &str, path: &str, bearer: Option<&str>, body: &str) -> Vec<u8> {
    bytes_of(method, path, bearer, BROWSER_ENCODINGS, body)
}

fn bytes_of(method: &str, path: &str, bearer: Option<&str>, headers: &str, body: &str) -> Vec<u8> {
    let authorization = bearer.map_or_else(String::new, |bearer| {
        format!("Authorization: Bearer {bearer}\r\n")
    });
    format!(
        "{method} {path} HTTP/1.1\r\nHost: loadtest\r\n{headers}{authorization}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The body of a good answer, on a connection of its own.
pub async fn fetch(address: &str, request: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut connection = Connection::open(address).await?;
    let answer = connection.exchange(request).await?;
    ensure!(
        answer.status == 200,
        "answered {}: {}",
        answer.status,
        String::from_utf8_lossy(answer.body)
    );
    Ok(answer.body.to_vec())
}

/// One call on a connection of its own.
pub async fn call(
    address: &str,
    method: &str,
    path: &str,
    bearer: Option<&str>,
    body: &str,
) -> anyhow::Result<(u16, Value)> {
    let mut connection = Connection::open(address).await?;
    let asked = request(method, path, bearer, body);
    let answer = connection
        .exchange(&asked)
        .await
        .with_context(|| format!("{method} {path}"))?;
    Ok((
        answer.status,
        serde_json::from_slice(answer.body).unwrap_or_default(),
    ))
}

/// The same, when only one status will do.
pub async fn demand(
    address: &str,
    (method, path): (&str, &str),
    bearer: Option<&str>,
    body: &Value,
    status: u16,
) -> anyhow::Result<Value> {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let (found, answer) = call(address, method, path, bearer, &body).await?;
    ensure!(
        found == status,
        "{method} {path} answered {found}: {answer}"
    );
    Ok(answer)
}

impl Connection {
    pub async fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(4096),
            head: Head::default(),
        })
    }

    /// Asks, and leaves the answer where it is.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request).await
    }

    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.ask(request).await?;
        self.buffer.clear();
        self.head = loop {
            self.read().await?;
            if let Some(head) = Head::parse(&self.buffer)? {
                break head;
            }
        };
        while self.buffer.len() < self.head.bytes + self.head.body_bytes {
            self.read().await?;
        }
        Ok(self.last())
    }

    /// The answer that came last.
    pub fn last(&self) -> Answer<'_> {
        Answer {
            status: self.head.status,
            retry_after: self.head.retry_after,
            body: self.buffer.get(self.head.bytes..).unwrap_or_default(),
            bytes: self.buffer.len(),
        }
    }

    async fn read(&mut self) -> io::Result<()> {
        if self.buffer.len() > ANSWER_MAX {
            return Err(io::Error::other("the answer has no end"));
        }
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

#[derive(Debug, Default, Eq, PartialEq)]
struct Head {
    status: u16,
    retry_after: Option<u32>,
    /// Up to where the body begins.
    bytes: usize,
    body_bytes: usize,
}

impl Head {
    /// `None` when more of it has to be read.
    fn parse(buffer: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = buffer.get(..end).unwrap_or_default();
        let status = head.get(9..12).and_then(number);
        let body_bytes = match status {
            // They have none, whatever else they say.
            Some(204 | 304) => Some(0),
            _ => header(head, b"content-length"),
        };
        let retry_after = match status {
            Some(429 | 503) => header(head, b"retry-after"),
            _ => None,
        };
        let (Some(status), Some(body_bytes)) = (status, body_bytes) else {
            return Err(io::Error::other(format!(
                "an answer without a length: {:?}",
                String::from_utf8_lossy(head)
            )));
        };
        Ok(Some(Self {
            status: u16::try_from(status).unwrap_or_default(),
            retry_after: retry_after.and_then(|seconds| u32::try_from(seconds).ok()),
            bytes: end + 4,
            body_bytes,
        }))
    }
}

/// A header whose value is a number.
fn header(head: &[u8], wanted: &[u8]) -> Option<usize> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(colon);
        name.eq_ignore_ascii_case(wanted)
            .then(|| number(value.get(1..)?))?
    })
}

fn number(text: &[u8]) -> Option<usize> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_in_pieces() {
        let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX: 1\r\n\r\nhello";
        for end in 0..whole.len() - 5 {
            assert_eq!(Head::parse(&whole[..end]).unwrap(), None);
        }
        let head = Head {
            status: 200,
            retry_after: None,
            bytes: whole.len() - 5,
            body_bytes: 5,
        };
        assert_eq!(Head::parse(whole).unwrap(), Some(head));
    }

    #[test]
    fn an_answer_says_when_to_try_again() {
        let busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
        let head = Head::parse(busy).unwrap().unwrap();
        assert_eq!((head.status, head.retry_after), (503, Some(7)));
        let same = Head::parse(b"HTTP/1.1 304 Not Modified\r\nETag: \"7\"\r\n\r\n");
        assert_eq!(same.unwrap().unwrap().body_bytes, 0);
    }

    #[test]
    fn an_answer_without_a_length_is_refused() {
        assert!(Head::parse(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n").is_err());
        assert!(Head::parse(b"hello\r\n\r\n").is_err());
    }
}
