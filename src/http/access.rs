//! The log line and the metrics of every answer.

use std::{cell::RefCell, collections::HashMap, time::Instant};

use actix_web::http::{Method, StatusCode, header::HeaderValue};

/// Marks a refusal that is one of many: it is counted, and who makes it logs that it makes them.
#[derive(Clone, Copy, Debug)]
pub struct Routine;

/// An answer.
pub struct Answered {
    /// As the routes write it.
    pub route: Option<String>,
    pub status: StatusCode,
    pub is_routine: bool,
}

/// Logs an answer and counts it.
pub fn record(method: &Method, answered: Answered, started: Instant, id: &HeaderValue) {
    let id = id.to_str().unwrap_or_default();
    let secs = started.elapsed().as_secs_f64();
    let status = answered.status.as_u16();
    let route = answered.route.unwrap_or_else(|| "unmatched".to_owned());
    // Anything may be sent as a method; only known ones become labels.
    let method = KNOWN_METHODS
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("other");
    if status >= 500 && !answered.is_routine {
        tracing::warn!(
            request.id = id,
            http.method = method,
            http.route = route,
            http.status = status,
            seconds = secs,
            "answered"
        );
    } else if answered.is_routine || status < 400 && is_frequent(method, &route) {
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

/// What is asked so often that a log line for each good answer would cost more than the answer.
fn is_frequent(method: &str, route: &str) -> bool {
    match route {
        "/livez"
        | "/readyz"
        | "/metrics"
        | "/v1/mode"
        | "/v1/campaigns/{campaign}/assignments"
        | "/v1/campaigns/{campaign}/looks" => true,
        "/" | "/s/{slug}" | "/v1/campaigns" | "/v1/campaigns/{campaign}" => {
            matches!(method, "GET" | "HEAD")
        }
        _ => route.starts_with("/assets") || route.starts_with("/v1/imagery/{layer}/"),
    }
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
