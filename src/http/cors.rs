//! Any page may call: the API takes no cookies, and every call that changes something needs a
//! token or key that a foreign page does not have.
//!
//! The headers are the same in every answer, whoever asks, so that a shared cache keeps one answer
//! for all pages. The sync is apart: `rxdb-server`'s client opens its streams with credentials, for
//! which a browser takes a page's own name and no `*`; and no shared cache keeps what one volunteer
//! is told.

use actix_web::{
    HttpResponse,
    dev::ServiceRequest,
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
};

/// Where calls with credentials come to.
const WITH_CREDENTIALS: &str = "/v1/sync/";
const ANY: HeaderValue = HeaderValue::from_static("*");
const TRUE: HeaderValue = HeaderValue::from_static("true");
const ORIGIN: HeaderValue = HeaderValue::from_static("origin");
const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
/// Headers that a page may send.
const SENT: HeaderValue = HeaderValue::from_static(
    "authorization, cache-control, content-encoding, content-type, if-match, if-none-match, idempotency-key, last-event-id, x-request-id",
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

/// The page that asks, if it is to be answered by its name.
pub fn page(req: &ServiceRequest) -> Option<HeaderValue> {
    req.path()
        .starts_with(WITH_CREDENTIALS)
        .then(|| req.headers().get(header::ORIGIN).cloned())?
}

/// What every answer carries; `page` is whom it names.
pub fn add_headers(headers: &mut HeaderMap, page: Option<HeaderValue>) {
    if let Some(page) = page {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, page);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        headers.append(header::VARY, ORIGIN);
    } else {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    }
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, READ);
}
