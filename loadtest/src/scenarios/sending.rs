//! Looks over many connections, each sent once, in a closed loop; and what was acknowledged.

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

use crate::{
    campaign::{self, Cell, Volunteer},
    http::{BROWSER_ENCODINGS, Connection},
    ledger::Ledger,
    measure::{Measured, Recorder},
};

/// Sends looks of one campaign to one server; it goes on from call to call.
pub struct Sender {
    pub server: String,
    pub slug: String,
    pub volunteers: Vec<Volunteer>,
    /// Cells along an edge of the campaign.
    pub edge: u32,
    /// Looks of one request; with 1 they are sent one by one.
    pub batch: u16,
    pub ledger: Ledger,
    pub next: AtomicU64,
}

/// The cell of the n-th look: spread over the whole campaign.
pub fn cell(nth: u64, edge: u32) -> Cell {
    let spread = nth.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let within = |part: u64| u32::try_from(part % u64::from(edge)).unwrap_or_default();
    campaign::cell(within(spread >> 40), within((spread >> 16) & 0xFF_FFFF))
}

impl Sender {
    /// Rates are of looks, times of requests.
    pub async fn run(
        self: &Arc<Self>,
        connections: u16,
        duration: Duration,
    ) -> anyhow::Result<Measured> {
        let mut opened = Vec::new();
        for _ in 0..connections {
            let connection = Connection::open(&self.server).await;
            opened.push(connection.with_context(|| format!("cannot connect to {}", self.server))?);
        }
        let begin = Instant::now();
        let mut tasks = JoinSet::new();
        for connection in opened {
            tasks.spawn(Arc::clone(self).drive(connection, begin, duration));
        }
        let mut all = Recorder::new(begin);
        while let Some(done) = tasks.join_next().await {
            all.merge(&done??);
        }
        Ok(all.finish(begin.elapsed(), self.batch.into()))
    }

    async fn drive(
        self: Arc<Self>,
        mut connection: Connection,
        begin: Instant,
        duration: Duration,
    ) -> anyhow::Result<Recorder> {
        let mut recorder = Recorder::new(begin);
        let (mut body, mut request, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        let batch = u64::from(self.batch);
        let (status, path) = if self.batch == 1 {
            (201, "looks")
        } else {
            (200, "looks/batch")
        };
        while begin.elapsed() < duration {
            let first = self.next.fetch_add(batch, Ordering::Relaxed);
            let who = usize::try_from(first / batch)? % self.volunteers.len();
            let volunteer = &self.volunteers[who];
            numbers.clear();
            for nth in first..first + batch {
                numbers.push(self.ledger.enter(volunteer.id, cell(nth, self.edge), 1));
            }
            self.write_body(&numbers, &mut body);
            self.write_request(volunteer, path, &body, &mut request)?;
            let due = Instant::now();
            let answer = connection.exchange(&request).await?;
            ensure!(
                answer.status == status && (batch == 1 || created(answer.body) == batch),
                "answered {}: {}",
                answer.status,
                String::from_utf8_lossy(answer.body)
            );
            recorder.answered(due);
            for number in &numbers {
                self.ledger.acknowledge(*number);
            }
        }
        Ok(recorder)
    }

    fn write_body(&self, numbers: &[u64], body: &mut Vec<u8>) {
        body.clear();
        if let ([number], 1) = (numbers, self.batch) {
            return self.ledger.write(*number, body);
        }
        let mut before: &[u8] = br#"{"looks":["#;
        for number in numbers {
            body.extend_from_slice(before);
            before = b",";
            self.ledger.write(*number, body);
        }
        body.extend_from_slice(b"]}");
    }

    fn write_request(
        &self,
        volunteer: &Volunteer,
        path: &str,
        body: &[u8],
        request: &mut Vec<u8>,
    ) -> anyhow::Result<()> {
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
            volunteer.token,
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
