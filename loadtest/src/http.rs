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
}

pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

/// What a browser says of compression.
pub const BROWSER_ENCODINGS: &str = "Accept-Encoding: gzip, deflate, br, zstd\r\n";

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
        })
    }

    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            self.read().await?;
            if let Some(head) = Head::parse(&self.buffer)? {
                break head;
            }
        };
        while self.buffer.len() < head.bytes + head.body_bytes {
            self.read().await?;
        }
        Ok(Answer {
            status: head.status,
            body: self.buffer.get(head.bytes..).unwrap_or_default(),
        })
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

#[derive(Debug, Eq, PartialEq)]
struct Head {
    status: u16,
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
        let body_bytes = head.split(|byte| *byte == b'\n').find_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at(colon);
            name.eq_ignore_ascii_case(b"content-length")
                .then(|| number(value.get(1..)?))?
        });
        let (Some(status), Some(body_bytes)) = (status, body_bytes) else {
            return Err(io::Error::other(format!(
                "an answer without a length: {:?}",
                String::from_utf8_lossy(head)
            )));
        };
        Ok(Some(Self {
            status: u16::try_from(status).unwrap_or_default(),
            bytes: end + 4,
            body_bytes,
        }))
    }
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
            bytes: whole.len() - 5,
            body_bytes: 5,
        };
        assert_eq!(Head::parse(whole).unwrap(), Some(head));
    }

    #[test]
    fn an_answer_without_a_length_is_refused() {
        assert!(Head::parse(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n").is_err());
        assert!(Head::parse(b"hello\r\n\r\n").is_err());
    }
}
