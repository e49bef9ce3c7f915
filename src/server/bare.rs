//! What a process tells that serves nothing else, the worker: `/livez` and `/metrics`.

use std::{net::TcpListener, time::Duration};

use actix_web::{
    App as WebApp, HttpResponse, HttpServer,
    dev::Server,
    http::header,
    web::{self, Data},
};
use anyhow::Context;
use metrics_exporter_prometheus::PrometheusHandle;

use super::health;
use crate::{
    config::{KEEP_ALIVE_SECONDS, SLOW_CLIENT_SECONDS},
    state::App,
};

/// Builds it on a listener. It answers as long as the result is awaited.
pub fn bare(app: App, handle: PrometheusHandle, listener: TcpListener) -> anyhow::Result<Server> {
    let (app, handle) = (Data::new(app), Data::new(handle));
    let server = HttpServer::new(move || {
        WebApp::new()
            .app_data(app.clone())
            .app_data(handle.clone())
            .service(health::live)
            .route("/metrics", web::get().to(read_metrics))
    })
    .workers(1)
    .client_request_timeout(Duration::from_secs(SLOW_CLIENT_SECONDS))
    .keep_alive(Duration::from_secs(KEEP_ALIVE_SECONDS))
    .shutdown_timeout(1)
    .disable_signals()
    .listen(listener)
    .context("METRICS_LISTEN: cannot listen")?;
    Ok(server.run())
}

async fn read_metrics(app: Data<App>, handle: Data<PrometheusHandle>) -> HttpResponse {
    health::measure_connections(&app);
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, health::METRICS_TYPE))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(handle.render())
}
