//! A tile as an answer: its headers are ready, its bytes are those in memory.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
};
use bytes::Bytes;

use super::image::TileImage;
use crate::{http::etag, imagery::kind::ImageKind};

/// A tile under the address of its revision never changes.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Without a revision the address may lead to another image after a change.
const FOR_A_WHILE: HeaderValue = HeaderValue::from_static("public, max-age=300");
const NOT_AT_ALL: HeaderValue = HeaderValue::from_static("no-store");
/// Bytes that are handed to a connection at once, while it holds less than 32 KiB that it did not write
/// yet. What it holds is a copy, so a slow reader of a large tile must not be handed all of it.
const SLICE: usize = 16 * 1024;

/// How long an answer may be kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lifetime {
    Forever,
    ForAWhile,
    NotAtAll,
}

impl Lifetime {
    fn header(self) -> HeaderValue {
        match self {
            Self::Forever => FOREVER,
            Self::ForAWhile => FOR_A_WHILE,
            Self::NotAtAll => NOT_AT_ALL,
        }
    }
}

/// The tile, or 304 when the client has it already.
pub fn respond(image: &TileImage, asked: &HeaderMap, lifetime: Lifetime) -> HttpResponse {
    if asked.contains_key(header::IF_NONE_MATCH)
        && let Some(known) = etag::known(asked, &image.tag)
    {
        let mut response = HttpResponse::new(StatusCode::NOT_MODIFIED);
        let headers = response.headers_mut();
        headers.insert(header::ETAG, known);
        headers.insert(header::CACHE_CONTROL, lifetime.header());
        return response;
    }
    let body = BoxBody::new(Slices(image.bytes.clone()));
    let mut response = HttpResponse::with_body(StatusCode::OK, body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media_type(image.kind));
    headers.insert(header::ETAG, image.etag.clone());
    headers.insert(header::CACHE_CONTROL, lifetime.header());
    response
}

/// Nothing, where a layer has no imagery: maps ask for what lies around it, which is no error.
pub fn nothing() -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, FOR_A_WHILE);
    response
}

fn media_type(kind: ImageKind) -> HeaderValue {
    HeaderValue::from_static(kind.media_type())
}

/// Bytes that are handed over slice by slice, none of which is copied here.
struct Slices(Bytes);

impl MessageBody for Slices {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(u64::try_from(self.0.len()).unwrap_or(u64::MAX))
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.0.len().min(SLICE);
        Poll::Ready(Some(Ok(self.0.split_to(length))))
    }
}
