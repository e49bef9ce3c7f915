//! Bodies as they come in: bounded in bytes, in time, and in what they unpack to.
//!
//! **Invariant:** no more than the limit of a body is ever kept of it, whatever it unpacks to, and
//! one that says beforehand that it is longer is refused without reading it.

use std::io::{self, Write};

use actix_web::{
    HttpRequest,
    dev::Payload,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderName},
    },
};
use bytes::{Bytes, BytesMut};
use flate2::write::{MultiGzDecoder, ZlibDecoder};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::{
    Problem,
    connection::{BYTES_PER_SECOND_MIN, Patience, Work, too_slow},
};

/// Packed bytes that are unpacked before others have their turn. They make a thousand times as
/// much at most.
const STEP_BYTES: usize = 4096;

/// How a body is packed. Other codings need a window of many megabytes before the first byte.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Coding {
    Identity,
    Gzip,
    Deflate,
}

/// What has to be known of a request to receive its body.
pub struct Announced {
    coding: Result<Coding, Problem>,
    length: Option<usize>,
    patience: Option<Patience>,
}

impl Announced {
    pub fn by(req: &HttpRequest) -> Self {
        Self {
            coding: coding(req.headers()),
            length: number(req.headers(), header::CONTENT_LENGTH),
            patience: req.conn_data::<Work>().map(Work::patience),
        }
    }

    /// The body, unpacked.
    ///
    /// Errors: 415 for another coding than gzip and deflate, 413 over `max` bytes (packed or
    /// unpacked), 408 when it comes too slowly, 400 when it ends too early or is packed wrongly.
    pub async fn receive(self, mut payload: Payload, max: usize) -> Result<Bytes, Problem> {
        let mut body = Unpacking::new(self.coding?, max);
        if self.length.is_some_and(|length| length > max) {
            return Err(too_large(max));
        }
        let mut until = self
            .patience
            .map(|patience| Instant::now() + patience.client);
        let mut received = 0_usize;
        while let Some(chunk) = next(&mut payload, until).await? {
            received += chunk.len();
            if received > max {
                return Err(too_large(max));
            }
            if let (Some(patience), Some(until)) = (self.patience, &mut until) {
                *until = patience.extended(*until, chunk.len());
            }
            body.push(&chunk).await?;
        }
        body.finish()
    }
}

/// The next piece, unless it comes too late.
async fn next(
    payload: &mut (impl Stream<Item = Result<Bytes, actix_web::error::PayloadError>> + Unpin),
    until: Option<Instant>,
) -> Result<Option<Bytes>, Problem> {
    let chunk = match until {
        Some(until) => timeout_at(until, payload.next()).await.map_err(|_elapsed| {
            let _counted = too_slow("body");
            Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                format!(
                    "The body came with less than {BYTES_PER_SECOND_MIN} bytes a second. Send it again, in smaller pieces where the network is poor."
                ),
            )
        })?,
        None => payload.next().await,
    };
    chunk.transpose().map_err(|e| unreadable(&e))
}

/// A body, as far as it has come.
enum Unpacking {
    Plain(BytesMut),
    Gzip(MultiGzDecoder<Room>),
    Deflate(ZlibDecoder<Room>),
}

impl Unpacking {
    fn new(coding: Coding, max: usize) -> Self {
        let room = Room {
            bytes: Vec::new(),
            max,
            full: false,
        };
        match coding {
            Coding::Identity => Self::Plain(BytesMut::new()),
            Coding::Gzip => Self::Gzip(MultiGzDecoder::new(room)),
            Coding::Deflate => Self::Deflate(ZlibDecoder::new(room)),
        }
    }

    async fn push(&mut self, chunk: &[u8]) -> Result<(), Problem> {
        if let Self::Plain(bytes) = self {
            bytes.extend_from_slice(chunk);
            return Ok(());
        }
        for (n, step) in chunk.chunks(STEP_BYTES).enumerate() {
            if n > 0 {
                tokio::task::yield_now().await;
            }
            let (pushed, room) = match self {
                Self::Plain(_) => return Ok(()),
                Self::Gzip(decoder) => (decoder.write_all(step), decoder.get_ref()),
                Self::Deflate(decoder) => (decoder.write_all(step), decoder.get_ref()),
            };
            pushed.map_err(|e| room.refusal(&e))?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Bytes, Problem> {
        let room = match self {
            Self::Plain(bytes) => return Ok(bytes.freeze()),
            Self::Gzip(mut decoder) => {
                let finished = decoder.try_finish();
                finished.map_err(|e| decoder.get_ref().refusal(&e))?;
                decoder.finish()
            }
            Self::Deflate(mut decoder) => {
                let finished = decoder.try_finish();
                finished.map_err(|e| decoder.get_ref().refusal(&e))?;
                decoder.finish()
            }
        };
        room.map(|room| room.bytes.into())
            .map_err(|e| unreadable(&e))
    }
}

/// Takes what is unpacked until it is too much.
struct Room {
    bytes: Vec<u8>,
    max: usize,
    full: bool,
}

impl Room {
    fn refusal(&self, error: &io::Error) -> Problem {
        if self.full {
            too_large(self.max)
        } else {
            unreadable(error)
        }
    }
}

impl Write for Room {
    fn write(&mut self, unpacked: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + unpacked.len() > self.max {
            self.full = true;
            return Err(io::Error::other("more than is allowed"));
        }
        self.bytes.extend_from_slice(unpacked);
        Ok(unpacked.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn coding(headers: &HeaderMap) -> Result<Coding, Problem> {
    let mut named = headers.get_all(header::CONTENT_ENCODING);
    let Some(first) = named.next() else {
        return Ok(Coding::Identity);
    };
    let known = [
        ("gzip", Coding::Gzip),
        ("x-gzip", Coding::Gzip),
        ("deflate", Coding::Deflate),
        ("identity", Coding::Identity),
    ];
    let found = first.to_str().unwrap_or_default().trim();
    let is = |(name, _): &(&str, Coding)| found.eq_ignore_ascii_case(name);
    match (known.into_iter().find(is), named.next()) {
        (Some((_, coding)), None) => Ok(coding),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unknown_coding",
            format!("Found Content-Encoding {found:?}; send the body as it is, or packed once by gzip or deflate."),
        )
        .accepting("gzip, deflate")),
    }
}

fn number(headers: &HeaderMap, name: HeaderName) -> Option<usize> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

fn too_large(max: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        format!("The body has more than the {max} bytes that are allowed here. Send less at once."),
    )
}

fn unreadable(error: &dyn std::fmt::Display) -> Problem {
    Problem::bad_request(
        "body_unreadable",
        format!("The body could not be read: {error}"),
    )
}
