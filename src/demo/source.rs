//! The demo's source of imagery: a small HTTP server that draws tiles on request.
//!
//! `GET /{z}/{x}/{y}.jpg` is a tile, `GET /truth?bbox=w,s,e,n` what lies where, as GeoJSON.

use std::{net::TcpListener, sync::Arc};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::header,
    web::{self, Data, Path, Query},
};
use anyhow::Context;
use bytes::Bytes;
use moka::future::Cache;
use scenery::{NoSuchTile, Scene};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;

use super::SEED;

/// Bytes of tiles that are kept. The server in front has a cache of its own.
const KEPT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Tiles that are drawn at once.
const AT_ONCE: usize = 2;

/// A running source. Dropping it lets it go at once: its one client is in this process.
pub struct Source {
    pub url_template: String,
    handle: ServerHandle,
}

impl Drop for Source {
    fn drop(&mut self) {
        // The request to stop is sent when the future is made; nobody needs to wait for it.
        drop(self.handle.stop(false));
    }
}

struct Studio {
    scene: Arc<Scene>,
    tiles: Cache<(u8, u32, u32), Bytes>,
    turns: Semaphore,
}

/// Draws for whoever asks at this listener.
pub fn start(listener: TcpListener) -> anyhow::Result<Source> {
    let address = listener.local_addr()?;
    let studio = Data::new(Studio {
        scene: Arc::new(Scene::new(SEED)),
        tiles: Cache::builder()
            .max_capacity(KEPT_BYTES_MAX)
            .weigher(|_, tile: &Bytes| u32::try_from(tile.len()).unwrap_or(u32::MAX))
            .build(),
        turns: Semaphore::new(AT_ONCE),
    });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(studio.clone())
            .route("/{z}/{x}/{y}.jpg", web::get().to(tile))
            .route("/truth", web::get().to(truth))
    })
    .workers(1)
    .disable_signals()
    .listen(listener)
    .context("the demo's imagery")?
    .run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    Ok(Source {
        url_template: format!("http://{address}/{{z}}/{{x}}/{{y}}.jpg"),
        handle,
    })
}

async fn tile(studio: Data<Studio>, path: Path<(u8, u32, u32)>) -> HttpResponse {
    let place = path.into_inner();
    match studio.tiles.try_get_with(place, draw(&studio, place)).await {
        Ok(bytes) => HttpResponse::Ok()
            .insert_header(header::ContentType::jpeg())
            .body(bytes),
        Err(error) => HttpResponse::NotFound().body(error.to_string()),
    }
}

async fn draw(studio: &Studio, (z, x, y): (u8, u32, u32)) -> Result<Bytes, NoSuchTile> {
    let _turn = studio.turns.acquire().await;
    let scene = Arc::clone(&studio.scene);
    match web::block(move || scene.render(z, x, y)).await {
        Ok(drawn) => drawn.map(Bytes::from),
        // Only while the process stops.
        Err(_) => Err(NoSuchTile),
    }
}

#[derive(Deserialize)]
struct Around {
    bbox: String,
}

async fn truth(studio: Data<Studio>, around: Query<Around>) -> HttpResponse {
    let edges: Vec<f64> = around
        .bbox
        .split(',')
        .filter_map(|edge| edge.parse().ok())
        .collect();
    let [west, south, east, north] = edges[..] else {
        return HttpResponse::BadRequest().body("bbox is west,south,east,north");
    };
    let features: Vec<_> = studio
        .scene
        .objects_in(west, south, east, north)
        .into_iter()
        .map(|object| {
            json!({
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [object.lon, object.lat]},
                "properties": {"tag_type": object.kind.key(), "heading": object.heading, "size_m": object.size_m},
            })
        })
        .collect();
    HttpResponse::Ok().json(json!({"type": "FeatureCollection", "features": features}))
}
