//! One connection, and how long its client may keep the server waiting.
//!
//! The framework bounds the head of the first request of a connection alone, and neither a client
//! that takes none of its answer nor one that goes on with a body that nobody reads any more. So
//! the clock stands here, around the socket itself.
//!
//! **Invariant:** while no request of it is in work, a connection is open for [`Patience::idle`]
//! at most, and for [`Patience::client`] once it has begun to say something. While something waits
//! to be written, the client takes [`BYTES_PER_SECOND_MIN`] on average, or it is cut off.
//!
//! One timer serves a connection, and it is moved only when it would ring too late: a request
//! costs a look at the clock.

use std::{
    cell::Cell,
    future::Future,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_web::rt::net::TcpStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// Slower than this is no network that somebody uses: GPRS has twice as much.
pub const BYTES_PER_SECOND_MIN: u32 = 2048;

/// Said to a client that does not come to the end of its request's head. Nothing is known of the
/// request, so there is no id and no handler that could answer.
const HEAD_TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\n\
connection: close\r\n\
content-type: application/problem+json\r\n\
cache-control: no-store\r\n\
access-control-allow-origin: *\r\n\
content-length: 184\r\n\r\n\
{\"type\":\"/docs#head_too_slow\",\"title\":\"Request Timeout\",\"status\":408,\
\"detail\":\"The head of the request did not come to its end in time. Send the request again.\",\
\"code\":\"head_too_slow\"}";

/// How long clients may keep the server waiting.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a head; for a body or an answer that makes no progress.
    pub client: Duration,
    /// For the next request of a connection.
    pub idle: Duration,
}

impl Patience {
    /// Until when the rest of something may take, once so many bytes more have come: each brings
    /// the time that it may take, and there is never more left than at the beginning.
    pub fn extended(&self, until: Instant, bytes: usize) -> Instant {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(1).saturating_mul(bytes) / BYTES_PER_SECOND_MIN;
        (until + earned).min(Instant::now() + self.client)
    }
}

/// What the layer around requests tells the connection that they came by.
#[derive(Clone, Debug)]
pub struct Work(Rc<Counts>);

#[derive(Debug)]
struct Counts {
    patience: Patience,
    /// Requests whose answer is not handed over to its end.
    now: Cell<u32>,
    /// Requests so far.
    begun: Cell<u64>,
}

impl Work {
    fn new(patience: Patience) -> Self {
        Self(Rc::new(Counts {
            patience,
            now: Cell::new(0),
            begun: Cell::new(0),
        }))
    }

    pub fn patience(&self) -> Patience {
        self.0.patience
    }

    /// A request is in work until this is dropped.
    pub fn begin(&self) -> InWork {
        self.0.now.set(self.0.now.get() + 1);
        self.0.begun.set(self.0.begun.get() + 1);
        InWork(self.clone())
    }
}

/// One request in work.
#[derive(Debug)]
pub struct InWork(Work);

impl Drop for InWork {
    fn drop(&mut self) {
        let counts = &self.0.0;
        counts.now.set(counts.now.get().saturating_sub(1));
    }
}

/// What the server waits for while no request is in work.
struct Waiting {
    since: Instant,
    /// Requests that had begun by then.
    begun: u64,
    /// Whether the client has said something since.
    heard: bool,
}

/// The socket of one client.
pub struct Connection {
    socket: TcpStream,
    work: Work,
    waiting: Waiting,
    /// Until when what waits to be written is to be taken.
    take_by: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub fn new(socket: TcpStream, patience: Patience) -> Self {
        metrics::gauge!("http_connections").increment(1.0);
        Self {
            socket,
            work: Work::new(patience),
            waiting: Waiting {
                since: Instant::now(),
                begun: 0,
                heard: false,
            },
            take_by: None,
            timer: None,
        }
    }

    pub fn work(&self) -> &Work {
        &self.work
    }

    /// Whether a request is in work; if not, since when the next one is waited for is kept right.
    fn is_working(&mut self) -> bool {
        let Counts { now, begun, .. } = &*self.work.0;
        if now.get() > 0 {
            return true;
        }
        if self.waiting.begun != begun.get() {
            self.waiting = Waiting {
                since: Instant::now(),
                begun: begun.get(),
                heard: false,
            };
        }
        false
    }

    /// When the client has kept the server waiting for too long.
    fn deadline(&mut self) -> Option<Instant> {
        if self.take_by.is_some() {
            return self.take_by;
        }
        if self.is_working() {
            return None;
        }
        let Patience { client, idle } = self.work.0.patience;
        let patience = if self.waiting.heard { client } else { idle };
        Some(self.waiting.since + patience)
    }

    /// Ready at the deadline. Whoever is polled in vain is woken then.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline() else {
            return Poll::Pending;
        };
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        loop {
            if timer.deadline() > deadline {
                timer.as_mut().reset(deadline);
            }
            ready!(timer.as_mut().poll(cx));
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            // It rang for an earlier deadline.
            timer.as_mut().reset(deadline);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        metrics::gauge!("http_connections").decrement(1.0);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        let polled = Pin::new(&mut this.socket).poll_read(cx, into);
        if polled.is_ready() {
            if into.filled().len() > before && !this.is_working() && !this.waiting.heard {
                this.waiting.heard = true;
                this.waiting.since = Instant::now();
            }
            return polled;
        }
        ready!(this.poll_overdue(cx));
        if this.take_by.is_some() {
            return Poll::Ready(Err(too_slow("answer")));
        }
        if this.waiting.heard {
            let _told_or_gone = this.socket.try_write(HEAD_TOO_SLOW);
            let _counted = too_slow("head");
        }
        // As if the client had closed it: what is read to its end is closed in order.
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let patience = this.work.0.patience;
        match Pin::new(&mut this.socket).poll_write(cx, from) {
            Poll::Ready(written) => {
                if let (Some(by), Ok(bytes)) = (&mut this.take_by, &written) {
                    *by = patience.extended(*by, *bytes);
                }
                Poll::Ready(written)
            }
            Poll::Pending => {
                this.take_by
                    .get_or_insert_with(|| Instant::now() + patience.client);
                ready!(this.poll_overdue(cx));
                Poll::Ready(Err(too_slow("answer")))
            }
        }
    }

    /// Called once all was written.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.take_by = None;
        // The next request is waited for from now on, and nobody reads before it comes: let the
        // timer be set. If it is late already, it is told to whoever reads.
        if this.poll_overdue(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        Pin::new(&mut this.socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

/// Counts a client that was too slow with this.
pub fn too_slow(what: &'static str) -> io::Error {
    metrics::counter!("http_clients_too_slow_total", "what" => what).increment(1);
    io::Error::new(io::ErrorKind::TimedOut, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        client: Duration::from_secs(10),
        idle: Duration::from_secs(30),
    };

    #[test]
    fn the_answer_to_a_slow_head_is_as_long_as_it_says() {
        let text = std::str::from_utf8(HEAD_TOO_SLOW).unwrap_or_default();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
        assert!(head.contains(&format!("content-length: {}", body.len())));
        let problem: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        assert_eq!(problem["code"], "head_too_slow");
    }

    #[test]
    fn what_comes_at_the_least_rate_may_take_as_long_as_it_takes() {
        let until = Instant::now() + Duration::from_secs(5);
        let second = usize::try_from(BYTES_PER_SECOND_MIN).unwrap_or_default();
        assert_eq!(
            PATIENCE.extended(until, second),
            until + Duration::from_secs(1)
        );
        assert!(PATIENCE.extended(until, 1) > until);
        assert!(PATIENCE.extended(until, 1) < until + Duration::from_millis(1));
    }

    #[test]
    fn nobody_saves_patience_for_later() {
        let until = Instant::now() + Duration::from_secs(5);
        let extended = PATIENCE.extended(until, usize::MAX);
        assert!(extended <= Instant::now() + PATIENCE.client);
        assert!(extended > until);
    }
}
