//! What happens around every request: its id, its log line and metrics, `HEAD`, CORS, compression
//! and the entity tags that go with it.
//!
//! All of it is one layer, written by hand: each layer made of a function costs several
//! allocations, and here a request is to cost little more than its handler.

use std::{
    future::{Ready, ready},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use actix_http::encoding::Encoder;
use actix_web::{
    Error, HttpResponse, ResponseError,
    body::{self, BodySize, BoxBody, EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    error::InternalError,
    http::{
        ConnectionType, Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use uuid::{Builder, fmt::Hyphenated};

pub use super::access::Routine;
use super::{
    access::{self, Answered},
    connection::{InWork, Work},
    cors,
    etag::CODINGS,
    events,
    limits::ADDRESS_BYTES_MAX,
    packing,
    problem::Problem,
};

/// Header that names a request in answers, logs and problem reports.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Characters of a request id that a client may choose.
const REQUEST_ID_CHARS_MAX: usize = 64;
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// Below it a problem has the member `error`. `RxDB`'s client takes any JSON without it for
/// documents, whatever the status, and ends the app that it is part of.
const MARKED: &str = "/v1/sync/";

/// What problems have to know of the request that this task answers.
#[derive(Clone)]
struct Current {
    id: HeaderValue,
    is_marked: bool,
}

/// What the answer has to know of its request.
struct Asked {
    method: Method,
    started: Instant,
    id: HeaderValue,
    /// The page that is answered by its name.
    page: Option<HeaderValue>,
}

tokio::task_local! {
    static CURRENT: Current;
}

/// The id of the request that this task answers.
pub fn current_request_id() -> Option<String> {
    let id = CURRENT.try_with(|current| current.id.clone()).ok()?;
    Some(id.to_str().ok()?.to_owned())
}

/// Whether the problem that answers this task's request has the member `error`.
pub fn is_marked() -> bool {
    CURRENT
        .try_with(|current| current.is_marked)
        .unwrap_or_default()
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
}

/// One request in flight.
struct InFlight {
    traffic: Rc<Traffic>,
    _in_work: Option<InWork>,
}

impl InFlight {
    fn new(traffic: &Rc<Traffic>, req: &ServiceRequest) -> Self {
        traffic.in_flight.fetch_add(1, Ordering::SeqCst);
        Self {
            traffic: Rc::clone(traffic),
            _in_work: req.request().conn_data::<Work>().map(Work::begin),
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.traffic.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A body that counts as traffic until its last byte is handed over.
pub struct Counted<B> {
    body: B,
    _in_flight: InFlight,
}

impl<B: MessageBody + Unpin> MessageBody for Counted<B> {
    type Error = B::Error;

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

/// The outermost layer.
pub struct Around(Traffic);

impl Around {
    pub fn new(traffic: Traffic) -> Self {
        Self(traffic)
    }
}

impl<S, B> Transform<S, ServiceRequest> for Around
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + Unpin + 'static,
{
    type Response = ServiceResponse<Counted<EitherBody<Encoder<B>>>>;
    type Error = Error;
    type Transform = AroundService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(AroundService {
            service,
            traffic: Rc::new(self.0.clone()),
        }))
    }
}

pub struct AroundService<S> {
    service: S,
    traffic: Rc<Traffic>,
}

impl<S, B> Service<ServiceRequest> for AroundService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + Unpin + 'static,
{
    type Response = ServiceResponse<Counted<EitherBody<Encoder<B>>>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Self::Error>>;

    forward_ready!(service);

    fn call(&self, mut req: ServiceRequest) -> Self::Future {
        let in_flight = InFlight::new(&self.traffic, &req);
        let id = request_id(req.headers());
        let current = Current {
            id: id.clone(),
            is_marked: req.path().starts_with(MARKED),
        };
        let asked = Asked {
            method: req.method().clone(),
            started: Instant::now(),
            id,
            page: cors::page(&req),
        };
        if cors::is_preflight(&req) {
            let response = req.into_response(cors::preflight().map_into_right_body());
            return Box::pin(ready(Ok(finish(response, asked, in_flight))));
        }
        let address = req.uri().path_and_query();
        if address.is_some_and(|address| address.as_str().len() > ADDRESS_BYTES_MAX) {
            let refusal = CURRENT.sync_scope(current, address_too_long);
            let response = req.into_response(refusal.map_into_right_body());
            return Box::pin(ready(Ok(finish(response, asked, in_flight))));
        }
        // The handler sees `GET`; the connection, which remembers what was asked, writes the head
        // alone.
        let is_head = asked.method == Method::HEAD;
        if is_head {
            req.head_mut().method = Method::GET;
        }
        let answering = CURRENT.scope(current.clone(), self.service.call(req));
        Box::pin(async move {
            let response = match answering.await {
                Ok(response) => response,
                Err(error) => {
                    let finish = || finish_error(&error, asked, &in_flight);
                    return Err(CURRENT.sync_scope(current, finish));
                }
            };
            let mut response = packing::pack(response).map_into_left_body();
            tag_coding(response.headers_mut());
            if is_head && events::is_endless(response.headers()) {
                response =
                    response.map_body(|_, _| EitherBody::right(BoxBody::new(body::None::new())));
            }
            Ok(finish(response, asked, in_flight))
        })
    }
}

fn address_too_long() -> HttpResponse {
    Problem::new(
        StatusCode::URI_TOO_LONG,
        "address_too_long",
        format!("The address has more than {ADDRESS_BYTES_MAX} bytes. Ask for less at once."),
    )
    .error_response()
}

fn finish<B>(
    mut response: ServiceResponse<B>,
    asked: Asked,
    in_flight: InFlight,
) -> ServiceResponse<Counted<B>> {
    let answered = Answered {
        route: response.request().match_pattern(),
        status: response.status(),
        is_routine: response.status().is_server_error()
            && response.response().extensions().contains::<Routine>(),
    };
    access::record(&asked.method, answered, asked.started, &asked.id);
    complete(response.response_mut(), asked, &in_flight);
    response.map_body(|_, body| Counted {
        body,
        _in_flight: in_flight,
    })
}

/// The same for an answer that has no request any more, since it came before the handler's.
fn finish_error(error: &Error, asked: Asked, in_flight: &InFlight) -> Error {
    let mut response = error.as_response_error().error_response();
    let answered = Answered {
        route: None,
        status: response.status(),
        is_routine: false,
    };
    access::record(&asked.method, answered, asked.started, &asked.id);
    complete(&mut response, asked, in_flight);
    InternalError::from_response(error.to_string(), response).into()
}

/// What every answer carries.
fn complete<B>(response: &mut HttpResponse<B>, asked: Asked, in_flight: &InFlight) {
    let headers = response.headers_mut();
    cors::add_headers(headers, asked.page);
    headers.insert(REQUEST_ID, asked.id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    if in_flight.traffic.is_draining() {
        let head = response.head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
}

/// What the client calls it, or an id of our own.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let given = headers.get(REQUEST_ID).filter(|value| {
        let id = value.as_bytes();
        !id.is_empty()
            && id.len() <= REQUEST_ID_CHARS_MAX
            && id
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    });
    given.cloned().unwrap_or_else(|| {
        // Random bytes of the thread's own generator: asking the system each time costs more.
        let id = Builder::from_random_bytes(rand::random()).into_uuid();
        let mut text = [0; Hyphenated::LENGTH];
        let text = id.hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(text).unwrap_or(const { HeaderValue::from_static("unknown") })
    })
}

/// Gives a compressed answer a strong tag of its own: `"7"` becomes `"7.gzip"`.
fn tag_coding(headers: &mut HeaderMap) {
    let coding = headers
        .get(header::CONTENT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .and_then(|found| CODINGS.into_iter().find(|coding| *coding == found));
    let Some(coding) = coding else {
        return;
    };
    let tag = headers
        .get(header::ETAG)
        .and_then(|value| value.to_str().ok())
        .and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"'));
    let tagged = |tag: &str| {
        tag.strip_suffix(coding)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    if let Some(tag) = tag.filter(|tag| !tagged(tag))
        && let Ok(value) = HeaderValue::from_str(&format!("\"{tag}.{coding}\""))
    {
        headers.insert(header::ETAG, value);
    }
}
