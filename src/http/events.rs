//! Server-sent events, as `EventSource` reads them: an answer that goes on.
//!
//! **Invariant:** a client that is to come back is answered with 200. After any other status an
//! `EventSource` gives up for ever; after the end of a 200 it comes back by itself.

use std::time::Duration;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
};
use bytes::Bytes;

/// The media type, which is never compressed: packing would hold events back.
pub const MEDIA_TYPE: &str = "text/event-stream";
/// When a client may come back to a server that has no room for it.
pub const COME_BACK: Duration = Duration::from_secs(30);
/// Says nothing, and keeps everything between server and client from taking the stream for dead.
pub const BEAT: Bytes = Bytes::from_static(b":\n\n");

/// What the addresses of all streams end in.
const PATH_END: &str = "/pullStream";
/// nginx and its like are not to gather events before they pass them on.
const NO_BUFFERING: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-accel-buffering"),
    HeaderValue::from_static("no"),
);

/// Whether an address is that of a stream.
pub fn is_stream(path: &str) -> bool {
    path.ends_with(PATH_END)
}

/// Whether an answer has no end of its own, so that nobody can wait for it.
pub fn is_endless(answered: &HeaderMap) -> bool {
    let media_type = answered.get(header::CONTENT_TYPE);
    media_type.is_some_and(|media_type| media_type == MEDIA_TYPE)
}

/// The beginning of any stream.
pub fn response() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, MEDIA_TYPE))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(NO_BUFFERING);
    response
}

/// Instead of a stream: come back later.
pub fn later() -> HttpResponse {
    response().body(format!("retry: {}\n\n", COME_BACK.as_millis()))
}

/// What a stream begins with, and its client does not see: from where it goes on when it comes back
/// after the stream's end, and how long it waits before it does.
pub fn beginning(id: &str, after: Duration) -> Bytes {
    format!("id: {id}\nretry: {}\n\n", after.as_millis()).into()
}

/// One event; `data` has no line break.
pub fn event(id: &str, data: &str) -> Bytes {
    format!("id: {id}\ndata: {data}\n\n").into()
}
