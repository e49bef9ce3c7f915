//! Looks over many connections, each sent once; and what was acknowledged.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tokio::task::JoinSet;

use super::rows::Rows;
use crate::{
    http::{BROWSER_ENCODINGS, Connection},
    load::{Measured, summary},
};

/// Sends looks to one server; numbers go on from call to call.
pub struct Sender {
    pub server: String,
    pub slug: String,
    pub tokens: Vec<String>,
    pub rows: Rows,
    /// Looks of one request; with 1 they are sent one by one.
    pub batch: u16,
    next: AtomicU64,
}

/// What was told to the clients.
#[derive(Default)]
pub struct Acknowledged {
    /// Numbers of the looks.
    pub numbers: Vec<u64>,
    times_us: Vec<u32>,
}

impl Sender {
    pub fn new(server: &str, slug: &str, tokens: &[String], rows: Rows, batch: u16) -> Self {
        Self {
            server: server.to_owned(),
            slug: slug.to_owned(),
            tokens: tokens.to_vec(),
            rows,
            batch,
            next: AtomicU64::new(0),
        }
    }

    /// How many looks were begun to be sent.
    pub fn sent(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// A closed loop over so many connections. Rates are of looks, times of requests.
    pub async fn run(
        self: &Arc<Self>,
        connections: u16,
        duration: Duration,
        acknowledged: &mut Vec<u64>,
    ) -> anyhow::Result<Measured> {
        let mut opened = Vec::new();
        for _ in 0..connections {
            let connection = Connection::open(&self.server).await;
            opened.push(connection.with_context(|| format!("cannot connect to {}", self.server))?);
        }
        let begin = Instant::now();
        let mut tasks = JoinSet::new();
        for connection in opened {
            tasks.spawn(Arc::clone(self).drive(connection, begin + duration));
        }
        let mut times_us = Vec::new();
        let mut looks = 0;
        while let Some(done) = tasks.join_next().await {
            let done = done??;
            looks += done.numbers.len();
            acknowledged.extend(done.numbers);
            times_us.extend(done.times_us);
        }
        let mut measured = summary(times_us, begin.elapsed());
        measured.answers = looks.try_into()?;
        measured.per_second *= f64::from(self.batch);
        Ok(measured)
    }

    async fn drive(
        self: Arc<Self>,
        mut connection: Connection,
        end: Instant,
    ) -> anyhow::Result<Acknowledged> {
        let mut acknowledged = Acknowledged::default();
        let (mut body, mut request) = (Vec::new(), Vec::new());
        let batch = u64::from(self.batch);
        let (status, path) = if self.batch == 1 {
            (201, "looks")
        } else {
            (200, "looks/batch")
        };
        loop {
            let first = self.next.fetch_add(batch, Ordering::Relaxed);
            let numbers = first..first + batch;
            self.write_body(numbers.clone(), &mut body);
            self.write_request(first / batch, path, &body, &mut request)?;
            let begin = Instant::now();
            if begin >= end {
                return Ok(acknowledged);
            }
            let answer = connection.exchange(&request).await?;
            ensure!(
                answer.status == status && (batch == 1 || created(answer.body) == batch),
                "answered {}: {}",
                answer.status,
                String::from_utf8_lossy(answer.body)
            );
            let us = begin.elapsed().as_micros();
            acknowledged
                .times_us
                .push(u32::try_from(us).unwrap_or(u32::MAX));
            acknowledged.numbers.extend(numbers);
        }
    }

    fn write_body(&self, numbers: std::ops::Range<u64>, body: &mut Vec<u8>) {
        body.clear();
        if self.batch == 1 {
            return self.rows.write(numbers.start, body);
        }
        let mut before: &[u8] = br#"{"looks":["#;
        for number in numbers {
            body.extend_from_slice(before);
            before = b",";
            self.rows.write(number, body);
        }
        body.extend_from_slice(b"]}");
    }

    fn write_request(
        &self,
        nth: u64,
        path: &str,
        body: &[u8],
        request: &mut Vec<u8>,
    ) -> anyhow::Result<()> {
        let volunteer = usize::try_from(nth)? % self.tokens.len();
        // The answer to a batch is read, so that it has to come as it is.
        let encodings = if self.batch == 1 {
            BROWSER_ENCODINGS
        } else {
            ""
        };
        request.clear();
        write!(
            request,
            "POST /v1/campaigns/{}/{path} HTTP/1.1\r\nHost: loadtest\r\n{encodings}\
             Authorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.slug,
            self.tokens[volunteer],
            body.len()
        )?;
        request.extend_from_slice(body);
        Ok(())
    }
}

/// How many looks of a batch were created.
fn created(answer: &[u8]) -> u64 {
    const CREATED: &[u8] = br#""verdict":"created""#;
    let found = answer
        .windows(CREATED.len())
        .filter(|part| *part == CREATED);
    found.count().try_into().unwrap_or_default()
}
