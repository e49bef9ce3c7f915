//! Live streams that are kept open, and the events that come on them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::ensure;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::campaign::Volunteer;

/// Longest wait for the beginning of a stream.
const OPEN_WAIT: Duration = Duration::from_secs(30);

/// Streams that are open. They end with the value.
pub struct Streams {
    reading: JoinSet<()>,
    events: Arc<AtomicU64>,
    ended: Arc<AtomicU64>,
}

impl Streams {
    /// One stream of looks for each volunteer.
    pub async fn open(server: &str, volunteers: &[Volunteer]) -> anyhow::Result<Self> {
        let mut streams = Self {
            reading: JoinSet::new(),
            events: Arc::default(),
            ended: Arc::default(),
        };
        for volunteer in volunteers {
            let mut stream = TcpStream::connect(server).await?;
            let request = format!(
                "GET /v1/sync/rxdb/looks/0/pullStream HTTP/1.1\r\nHost: loadtest\r\nAuthorization: Bearer {}\r\n\r\n",
                volunteer.token
            );
            stream.write_all(request.as_bytes()).await?;
            let mut head = vec![0; 4096];
            let read = tokio::time::timeout(OPEN_WAIT, stream.read(&mut head)).await??;
            let head = String::from_utf8_lossy(head.get(..read).unwrap_or_default()).into_owned();
            ensure!(
                head.starts_with("HTTP/1.1 200") && !head.contains("content-length"),
                "no stream was begun: {head}"
            );
            let (events, ended) = (Arc::clone(&streams.events), Arc::clone(&streams.ended));
            streams.reading.spawn(async move {
                let mut piece = [0; 1024];
                while let Ok(bytes @ 1..) = stream.read(&mut piece).await {
                    let came = piece.get(..bytes).unwrap_or_default();
                    let begun = came.windows(6).filter(|part| part == b"data: ").count();
                    events.fetch_add(u64::try_from(begun).unwrap_or(0), Ordering::Relaxed);
                }
                ended.fetch_add(1, Ordering::Relaxed);
            });
        }
        Ok(streams)
    }

    /// Events that came so far.
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// Streams that the server ended.
    pub fn ended(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }
}
