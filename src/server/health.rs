//! Health, metrics and documentation: what operators and programmers ask first.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Data},
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

use crate::{
    cache,
    db,
    feed,
    http::{Problem, etag, middleware::Traffic},
    progress::READER,
    state::App,
};

pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/livez", web::get().to(live))
        .route("/readyz", web::get().to(ready))
        .route("/metrics", web::get().to(metrics))
        .route("/openapi.json", web::get().to(openapi));
}

/// The browsable documentation, from embedded files.
pub fn docs(config: &mut web::ServiceConfig, document: &OpenApi) {
    config.service(web::redirect("/docs", "/docs/"));
    config.service(SwaggerUi::new("/docs/{_:.*}").url("/docs/openapi.json", document.clone()));
}

/// Asks nobody: the process answers.
async fn live() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({"status": "up"}))
}

/// The database must answer; without memcached the server is ready but degraded.
async fn ready(app: Data<App>, traffic: Data<Traffic>) -> HttpResponse {
    let (database, memcached) =
        futures_util::future::join(app.db.health(), app.cache.health()).await;
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
        .json(json!({"status": status, "database": word(database), "memcached": word(memcached)}))
}

async fn metrics(app: Data<App>, traffic: Data<Traffic>, handle: Data<Option<PrometheusHandle>>) -> HttpResponse {
    let (size, available, waiting) = app.db.status();
    for (state, value) in [("size", size), ("available", available), ("waiting", waiting)] {
        metrics::gauge!("database_connections", "state" => state).set(count(value));
    }
    metrics::gauge!("http_requests_in_flight").set(count(traffic.in_flight()));
    if let Ok(conn) = app.db.get().await
        && let Ok(lag) = feed::lag(&*conn, READER).await
    {
        let secs = lag.oldest_unread.map_or(0.0, |oldest| {
            lag.now.duration_since(oldest).as_secs_f64().max(0.0)
        });
        metrics::gauge!("feed_lag_seconds", "reader" => READER).set(secs);
    }
    let text = handle.as_ref().as_ref().map(PrometheusHandle::render).unwrap_or_default();
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text)
}

async fn openapi(req: HttpRequest, text: Data<String>) -> Result<HttpResponse, Problem> {
    etag::respond(
        &req,
        env!("CARGO_PKG_VERSION"),
        "public, no-cache",
        || Ok(text.as_ref().clone().into()),
        "application/json",
    )
}

fn count(value: usize) -> f64 {
    f64::from(u32::try_from(value).unwrap_or(u32::MAX))
}
