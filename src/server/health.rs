//! Health, metrics and documentation: what operators and programmers ask first.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header,
    web::{self, Data},
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    admission::Admission,
    cache, db, feed,
    http::{Problem, Routes, etag, middleware::Traffic},
    looks::Batcher,
    progress::READER,
    state::App,
};

/// Longest wait for the age of what progress has not read; without an answer the last one stays.
const LAG_WITHIN: Duration = Duration::from_millis(500);

pub fn routes(config: &mut Routes<'_>) {
    config
        .service(live)
        .service(ready)
        .service(read_metrics)
        .service(openapi);
}

/// The text format of Prometheus.
pub const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How a server is.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ready`, `degraded` (memcached is away), `unavailable` (the database is) or `draining`.
    #[schema(example = "ready")]
    status: &'static str,
    /// `up` or `away`.
    #[schema(example = "up")]
    database: &'static str,
    /// `up` or `away`.
    #[schema(example = "up")]
    memcached: &'static str,
}

/// That a server is.
#[derive(Serialize, ToSchema)]
struct Alive {
    #[schema(example = "up")]
    status: &'static str,
}

/// The browsable documentation, from embedded files.
pub fn docs(config: &mut web::ServiceConfig) {
    let shown = Config::from("/openapi.json");
    config.service(web::redirect("/docs", "/docs/"));
    config.service(SwaggerUi::new("/docs/{_:.*}").config(shown));
}

/// Is the process alive
///
/// Asks neither the database nor memcached.
#[utoipa::path(tag = "Operations", responses((status = 200, description = "It answers.", body = Alive)))]
#[get("/livez")]
pub async fn live() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Alive { status: "up" })
}

/// Can the server take requests
///
/// The database must answer; without memcached the server is ready but degraded.
#[utoipa::path(tag = "Operations", responses(
    (status = 200, description = "Ready, perhaps degraded.", body = Health),
    (status = 503, description = "The database is away, or the server is about to stop.", body = Health),
))]
#[get("/readyz")]
async fn ready(app: Data<App>, traffic: Data<Traffic>) -> HttpResponse {
    let (database, memcached) =
        futures_util::future::join(app.db_apart.health(), app.cache.health()).await;
    let word = |up: bool| if up { "up" } else { "away" };
    let (database, memcached) = (database == db::Health::Up, memcached == cache::Health::Up);
    let status = match (traffic.is_draining(), database, memcached) {
        (true, ..) => "draining",
        (_, false, _) => "unavailable",
        (_, true, false) => "degraded",
        (_, true, true) => "ready",
    };
    let mut response = if matches!(status, "ready" | "degraded") {
        HttpResponse::Ok()
    } else {
        let mut response = HttpResponse::ServiceUnavailable();
        response.insert_header((header::RETRY_AFTER, 2));
        response
    };
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Health {
            status,
            database: word(database),
            memcached: word(memcached),
        })
}

/// Metrics for Prometheus
#[utoipa::path(tag = "Operations", responses((status = 200, description = "The text format, version 0.0.4.", body = String, content_type = "text/plain")))]
#[get("/metrics")]
async fn read_metrics(
    app: Data<App>,
    traffic: Data<Traffic>,
    batcher: Data<Batcher>,
    admission: Data<Admission>,
    handle: Data<Option<PrometheusHandle>>,
) -> HttpResponse {
    measure_connections(&app);
    metrics::gauge!("http_requests_in_flight").set(count(traffic.in_flight()));
    metrics::gauge!("looks_waiting").set(count(batcher.waiting()));
    admission.publish();
    let lag = app
        .db_apart
        .within(LAG_WITHIN, async |conn| feed::lag(conn, READER).await);
    if let Ok(lag) = lag.await {
        let secs = lag.oldest_unread.map_or(0.0, |oldest| {
            lag.now.duration_since(oldest).as_secs_f64().max(0.0)
        });
        metrics::gauge!("feed_lag_seconds", "reader" => READER).set(secs);
    }
    let text = handle
        .as_ref()
        .as_ref()
        .map(PrometheusHandle::render)
        .unwrap_or_default();
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, METRICS_TYPE))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text)
}

/// This document
#[utoipa::path(tag = "Operations", responses(
    (status = 200, description = "OpenAPI 3.1.", body = Object),
    (status = 304, description = "Not changed since the ETag in If-None-Match."),
))]
#[get("/openapi.json")]
async fn openapi(req: HttpRequest, text: Data<String>) -> Result<HttpResponse, Problem> {
    etag::respond(
        &req,
        env!("CARGO_PKG_VERSION"),
        "public, no-cache",
        || Ok(text.as_ref().clone().into()),
        "application/json",
    )
}

/// Sets the gauges of the pool.
pub fn measure_connections(app: &App) {
    let (size, available, waiting) = app.db.status();
    for (state, value) in [
        ("size", size),
        ("available", available),
        ("waiting", waiting),
    ] {
        metrics::gauge!("database_connections", "state" => state).set(count(value));
    }
}

fn count(value: usize) -> f64 {
    f64::from(u32::try_from(value).unwrap_or(u32::MAX))
}
