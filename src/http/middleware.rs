//! What happens around every request: its id, its log line and metrics, `HEAD`, entity tags of
//! compressed answers.

use std::{
    cell::RefCell,
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use actix_web::{
    Error,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use bytes::Bytes;
use uuid::Uuid;

use super::etag::CODINGS;

/// Header that names a request in answers, logs and problem reports.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Characters of a request id that a client may choose.
const REQUEST_ID_CHARS_MAX: usize = 64;

tokio::task_local! {
    static CURRENT_ID: String;
}

/// The id of the request that this task answers.
pub fn current_request_id() -> Option<String> {
    CURRENT_ID.try_with(Clone::clone).ok()
}

/// Requests whose answer is not yet written, and whether the server is about to stop.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    in_flight: Arc<AtomicUsize>,
    draining: Arc<AtomicBool>,
}

impl Traffic {
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// From now on `/readyz` says 503 and answers close their connection.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    fn enter(&self) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        InFlight(Arc::clone(&self.in_flight))
    }
}

struct InFlight(Arc<AtomicUsize>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A body that counts as traffic until its last byte is handed over.
struct CountedBody {
    body: BoxBody,
    _in_flight: InFlight,
}

impl MessageBody for CountedBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(cx)
    }
}

/// Gives the request an id, counts it, measures it and logs it.
pub async fn observe(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let traffic = req
        .app_data::<Data<Traffic>>()
        .map(|data| data.get_ref().clone())
        .unwrap_or_default();
    let in_flight = traffic.enter();
    let id = request_id(req.headers());
    let started = Instant::now();
    let method = req.method().clone();

    let response = CURRENT_ID.scope(id.clone(), next.call(req)).await;
    let mut response = match response {
        Ok(response) => response.map_into_boxed_body(),
        Err(error) => return Err(error),
    };
    record(&method, &response, started, &id);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response.headers_mut().insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if traffic.is_draining() {
        response
            .response_mut()
            .head_mut()
            .set_connection_type(actix_web::http::ConnectionType::Close);
    }
    Ok(response.map_body(|_, body| {
        BoxBody::new(CountedBody {
            body,
            _in_flight: in_flight,
        })
    }))
}

fn record(method: &Method, response: &ServiceResponse<BoxBody>, started: Instant, id: &str) {
    let secs = started.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    let route = response
        .request()
        .match_pattern()
        .unwrap_or_else(|| "unmatched".to_owned());
    // Anything may be sent as a method; only known ones become labels.
    let method = KNOWN_METHODS
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("other");
    if status >= 500 {
        tracing::warn!(
            request.id = id,
            http.method = method,
            http.route = route,
            http.status = status,
            seconds = secs,
            "answered"
        );
    } else if is_frequent(&route) && status < 400 {
        tracing::debug!(
            request.id = id,
            http.method = method,
            http.route = route,
            http.status = status,
            seconds = secs,
            "answered"
        );
    } else {
        tracing::info!(
            request.id = id,
            http.method = method,
            http.route = route,
            http.status = status,
            seconds = secs,
            "answered"
        );
    }
    HANDLES.with_borrow_mut(|handles| {
        let routes = handles.entry((method, status)).or_default();
        if !routes.contains_key(&route) {
            routes.insert(route.clone(), Handles::new(method, &route, status));
        }
        if let Some(handles) = routes.get(&route) {
            handles.seconds.record(secs);
            handles.count.increment(1);
        }
    });
}

const KNOWN_METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Routes that are asked so often that a log line for each good answer would cost more than the
/// answer.
fn is_frequent(route: &str) -> bool {
    matches!(
        route,
        "/livez"
            | "/readyz"
            | "/metrics"
            | "/v1/campaigns/{campaign}/assignments"
            | "/v1/campaigns/{campaign}/looks"
    ) || route.starts_with("/assets")
        || route.starts_with("/v1/imagery/{layer}/")
}

/// Metrics of one kind of answer. Looking them up costs more than counting, so each thread keeps
/// what it found.
struct Handles {
    seconds: metrics::Histogram,
    count: metrics::Counter,
}

/// By method and status, then by route.
type KnownHandles = HashMap<(&'static str, u16), HashMap<String, Handles>>;

thread_local! {
    static HANDLES: RefCell<KnownHandles> = RefCell::default();
}

impl Handles {
    fn new(method: &'static str, route: &str, status: u16) -> Self {
        let (route, status) = (route.to_owned(), status.to_string());
        Self {
            seconds: metrics::histogram!("http_request_seconds", "method" => method, "route" => route.clone()),
            count: metrics::counter!("http_requests_total", "method" => method, "route" => route, "status" => status),
        }
    }
}

fn request_id(headers: &HeaderMap) -> String {
    headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| {
            !id.is_empty()
                && id.len() <= REQUEST_ID_CHARS_MAX
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        })
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// Answers `HEAD` wherever there is a `GET`: the handler sees `GET`, and the connection, which
/// remembers what was asked, writes the head alone.
pub async fn head_as_get(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if req.method() == Method::HEAD {
        req.head_mut().method = Method::GET;
    }
    next.call(req).await
}

/// Bytes of an answer from which on it is compressed. A smaller one fits one packet as it is, and
/// packing it would cost more than making it.
const PACKED_MIN: u64 = 1024;

/// Keeps a small answer from being compressed; [`tag_codings`] takes the mark away.
pub async fn spare_small(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut response = next.call(req).await?;
    if matches!(response.response().body().size(), BodySize::Sized(bytes) if bytes < PACKED_MIN) {
        let headers = response.headers_mut();
        if !headers.contains_key(header::CONTENT_ENCODING) {
            headers.insert(header::CONTENT_ENCODING, IDENTITY);
        }
    }
    Ok(response)
}

const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// Gives a compressed answer a strong tag of its own: `"7"` becomes `"7.gzip"`.
pub async fn tag_codings(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut response = next.call(req).await?;
    let headers = response.headers_mut();
    if headers.get(header::CONTENT_ENCODING) == Some(&IDENTITY) {
        headers.remove(header::CONTENT_ENCODING);
        return Ok(response);
    }
    let coding = headers
        .get(header::CONTENT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .and_then(|found| CODINGS.iter().find(|coding| **coding == found));
    let tag = headers
        .get(header::ETAG)
        .and_then(|value| value.to_str().ok())
        .and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"'));
    if let (Some(coding), Some(tag)) = (coding, tag)
        && let Ok(value) = HeaderValue::from_str(&format!("\"{tag}.{coding}\""))
    {
        response.headers_mut().insert(header::ETAG, value);
    }
    Ok(response)
}
