//! Any page may call: the API takes no cookies, and every call that changes something needs a
//! token or key that a foreign page does not have.
//!
//! The headers are the same in every answer, whoever asks, so that a shared cache keeps one answer
//! for all pages.

use actix_web::{
    HttpResponse,
    dev::ServiceRequest,
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
};

const ANY: HeaderValue = HeaderValue::from_static("*");
const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
/// Headers that a page may send.
const SENT: HeaderValue = HeaderValue::from_static(
    "authorization, content-encoding, content-type, if-match, if-none-match, idempotency-key, last-event-id, x-request-id",
);
/// Headers of answers that a page may read.
const READ: HeaderValue = HeaderValue::from_static(
    "etag, link, location, retry-after, allow, x-request-id, ratelimit, ratelimit-policy, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset",
);
/// How long a browser may remember the answer to a preflight, in seconds.
const PREFLIGHT_LIFETIME_SECS: HeaderValue = HeaderValue::from_static("3600");

/// Whether a browser asks if a page may call.
pub fn is_preflight(req: &ServiceRequest) -> bool {
    req.method() == Method::OPTIONS
        && req
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// It may, with any method and header that are of use here.
pub fn preflight() -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, SENT);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_LIFETIME_SECS);
    response
}

pub fn add_headers(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, READ);
}
