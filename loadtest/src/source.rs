//! A source of tiles: some squares of the demo's scenery, given for every place.
//!
//! Drawing hundreds of thousands of tiles would take hours. So each place is given one of a few that
//! are drawn at the start, with its name in a comment of the image: no two places have the same bytes.

use std::{
    f64::consts::PI,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use actix_web::{
    App, HttpResponse, HttpServer,
    http::header::ContentType,
    web::{self, Data, Path},
};
use anyhow::Context;
use scenery::{DEMO_AREA, Scene};

use crate::yardstick::announce;

/// Seed of the scenery.
const SEED: u64 = 7;
const ZOOM: u8 = 17;
/// Tiles that are drawn.
const DRAWN: u32 = 12;
/// Tiles of this zoom are large: further comments fill them up to [`LARGE_BYTES`].
pub const LARGE_ZOOM: u32 = 20;
pub const LARGE_BYTES: usize = 2 * 1024 * 1024;

struct Studio {
    drawn: Vec<Vec<u8>>,
    /// How often a tile was asked for.
    asked: AtomicU64,
}

/// How the bytes of a place's tile begin.
pub fn beginning(z: u32, x: u32, y: u32) -> Vec<u8> {
    let name = format!("{z}/{x}/{y}");
    // Start of image, a comment, its length with these two bytes.
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xFE];
    let length = u16::try_from(name.len() + 2).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(name.as_bytes());
    bytes
}

/// Adds the largest comment that there may be.
fn fill(bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&[0xFF, 0xFE]);
    bytes.extend_from_slice(&u16::MAX.to_be_bytes());
    bytes.resize(bytes.len() + usize::from(u16::MAX) - 2, b' ');
}

/// Serves until it is ended. `GET /{z}/{x}/{y}.jpg` is a tile, `GET /asked` says how many were asked for.
pub fn serve() -> anyhow::Result<()> {
    let studio = Data::from(Arc::new(Studio {
        drawn: draw()?,
        asked: AtomicU64::new(0),
    }));
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(studio.clone())
                .route("/asked", web::get().to(asked))
                .route("/{z}/{x}/{y}.jpg", web::get().to(tile))
        })
        .workers(1)
        .bind(("127.0.0.1", 0))?;
        if let Some(address) = server.addrs().first() {
            announce(&format!("serving at http://{address}"));
        }
        server.run().await?;
        Ok(())
    })
}

/// Squares in the middle of the demo's area.
fn draw() -> anyhow::Result<Vec<Vec<u8>>> {
    let scene = Scene::new(SEED);
    let [west, south, east, north] = DEMO_AREA;
    let across = f64::from(1_u32 << ZOOM);
    let column = (f64::midpoint(west, east) + 180.0) / 360.0 * across;
    let lat = f64::midpoint(south, north).to_radians();
    let row = (1.0 - lat.tan().asinh() / PI) / 2.0 * across;
    let whole = |place: f64| -> anyhow::Result<u32> { Ok(format!("{place:.0}").parse()?) };
    let (column, row) = (whole(column)?, whole(row)?);
    let mut drawn = Vec::new();
    for nth in 0..DRAWN {
        let tile = scene.render(ZOOM, column + nth % 4, row + nth / 4);
        drawn.push(tile.ok().context("a square of the demo's scenery")?);
    }
    Ok(drawn)
}

async fn tile(studio: Data<Studio>, place: Path<(u32, u32, u32)>) -> HttpResponse {
    let (z, x, y) = place.into_inner();
    studio.asked.fetch_add(1, Ordering::Relaxed);
    let nth = usize::try_from(x.wrapping_mul(31).wrapping_add(y)).unwrap_or_default();
    let drawn = &studio.drawn[nth % studio.drawn.len()];
    let mut bytes = beginning(z, x, y);
    while z == LARGE_ZOOM && bytes.len() + drawn.len() < LARGE_BYTES {
        fill(&mut bytes);
    }
    bytes.extend_from_slice(drawn.get(2..).unwrap_or_default());
    HttpResponse::Ok()
        .insert_header(ContentType::jpeg())
        .body(bytes)
}

async fn asked(studio: Data<Studio>) -> HttpResponse {
    HttpResponse::Ok().body(studio.asked.load(Ordering::Relaxed).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_has_the_length_that_it_says() {
        let mut bytes = Vec::new();
        fill(&mut bytes);
        assert_eq!(bytes.get(..4), Some(&[0xFF, 0xFE, 0xFF, 0xFF][..]));
        assert_eq!(bytes.len(), 2 + 0xFFFF);
    }

    #[test]
    fn a_comment_names_the_place() {
        let bytes = beginning(17, 1, 2);
        assert_eq!(bytes.get(..4), Some(&[0xFF, 0xD8, 0xFF, 0xFE][..]));
        assert_eq!(bytes.get(4..6), Some(&[0, 8][..]));
        assert_eq!(bytes.get(6..), Some(&b"17/1/2"[..]));
    }
}
