//! What map clients paste to get a layer: `TileJSON` and a WMTS capabilities document.
//!
//! **Invariant:** they name our own addresses only; nothing of the source is in them.

mod tilejson;
mod wmts;

use actix_web::{HttpRequest, HttpResponse, get, web::Data};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{
    model::{Layer, LayerDefinition},
    tiles::Tiles,
};
use crate::{
    http::{PathParam, Problem, Routes, etag, origin::Origin},
    state::App,
};
pub use tilejson::TileJson;

pub fn routes(config: &mut Routes<'_>) {
    config.service(tile_json).service(capabilities);
}

/// A layer as `TileJSON`
///
/// `TileJSON` 3.0: give this address to `MapLibre`, Leaflet or Mapbox as the `url` of a raster source.
/// Its own addresses begin as clients reach the server: by the setting `PUBLIC_URL`, else by
/// `Forwarded`, `X-Forwarded-Proto`, `X-Forwarded-Host` or `Host`.
#[utoipa::path(
    tag = "Imagery",
    params(
        ("layer" = String, Path, description = "Key of the layer.", example = "demo"),
        ("If-None-Match" = Option<String>, Header, description = "ETag of what you have."),
    ),
    responses(
        (status = 200, description = "The layer's tiles, zooms, bounds and attribution.", body = TileJson),
        (status = 304, description = "Not changed since the ETag in If-None-Match."),
        (status = 404, description = "There is no such layer. Code: `layer_not_found`.", body = crate::http::ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/v1/imagery/{layer}/tilejson.json")]
async fn tile_json(
    app: Data<App>,
    tiles: Data<Tiles>,
    req: HttpRequest,
    key: PathParam<String>,
) -> Result<HttpResponse, Problem> {
    describe(
        &app,
        &tiles,
        &req,
        &key.0,
        "application/json",
        |layer, at| {
            serde_json::to_string(&TileJson::of(layer, at)).map_err(|e| Problem::internal(&e))
        },
    )
    .await
}

/// A layer as WMTS
///
/// The capabilities document of a WMTS 1.0.0 (RESTful): give this address to QGIS, JOSM, `ArcGIS` or
/// GDAL.
#[utoipa::path(
    tag = "Imagery",
    params(
        ("layer" = String, Path, description = "Key of the layer.", example = "demo"),
        ("If-None-Match" = Option<String>, Header, description = "ETag of what you have."),
    ),
    responses(
        (status = 200, description = "The capabilities.", body = String, content_type = "application/xml"),
        (status = 304, description = "Not changed since the ETag in If-None-Match."),
        (status = 404, description = "There is no such layer. Code: `layer_not_found`.", body = crate::http::ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/v1/imagery/{layer}/WMTSCapabilities.xml")]
async fn capabilities(
    app: Data<App>,
    tiles: Data<Tiles>,
    req: HttpRequest,
    key: PathParam<String>,
) -> Result<HttpResponse, Problem> {
    describe(
        &app,
        &tiles,
        &req,
        &key.0,
        "application/xml",
        |layer, at| Ok(wmts::capabilities(layer, at)),
    )
    .await
}

async fn describe(
    app: &App,
    tiles: &Tiles,
    req: &HttpRequest,
    key: &str,
    media_type: &'static str,
    document: impl FnOnce(&Layer, &str) -> Result<String, Problem>,
) -> Result<HttpResponse, Problem> {
    let origin = Origin::of(req, app.config.public_url.as_deref())?;
    let source = tiles.layer(key, None).await?;
    let text = document(&source.layer, &origin.url)?;
    let tag = etag::of_hash(&Sha256::digest(&text));
    etag::respond(
        req,
        &tag,
        origin.cache_control,
        || Ok(Bytes::from(text)),
        media_type,
    )
}

/// What else there is to say of a layer: sensor, time, licence.
fn remarks(definition: &LayerDefinition) -> Option<String> {
    let taken = definition
        .acquired_at
        .map(|at| at.strftime("%Y-%m-%d").to_string());
    let parts: Vec<&str> = [&definition.sensor, &taken, &definition.licence]
        .into_iter()
        .filter_map(Option::as_deref)
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// West, south, east, north within which all tiles lie. Clients know no box across the antimeridian.
fn bounds(definition: &LayerDefinition) -> [f64; 4] {
    use crate::geo::mercator::MERCATOR_LAT_MAX as LAT;
    let Some(bounds) = definition.bounds else {
        return [-180.0, -LAT, 180.0, LAT];
    };
    let [west, south, east, north] = bounds.edges();
    let [south, north] = [south, north].map(|lat| lat.clamp(-LAT, LAT));
    if bounds.crosses_antimeridian() {
        [-180.0, south, 180.0, north]
    } else {
        [west, south, east, north]
    }
}
