//! Layers for organisers, tiles for everybody.

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::{StatusCode, header},
    patch, post,
    web::Data,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    Tiles, descriptions,
    fetch::FetchError,
    model::{Layer, LayerDefinition, LayerView},
    probe::{self, ProbeOf, ProbeView},
    queries,
    tiles::{self, Lifetime, TileError},
};
use crate::{
    accounts::{Organiser, Scope},
    geo::tile::Tile,
    http::{Body, PathParam, Problem, Query, Routes, etag, page},
    state::App,
};

/// Tiles: of all that is asked, the most.
pub fn tile_routes(config: &mut Routes<'_>) {
    config.service(tile);
}

pub fn routes(config: &mut Routes<'_>) {
    config
        .service(create)
        .service(try_address)
        .service(list)
        .service(read)
        .service(change);
    descriptions::routes(config);
}

/// Add an imagery layer
#[utoipa::path(
    tag = "Imagery",
    request_body(content = LayerDefinition),
    responses(
        (status = 201, description = "The layer; `Location` is its address.", body = LayerView),
        (status = 409, description = "The key is taken. Code: `layer_exists`.", body = crate::http::ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The layer cannot work; `errors` says why. Codes: `invalid_body`, `layer_refused`.", body = crate::http::ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = []))
)]
#[post("/v1/imagery")]
async fn create(
    app: Data<App>,
    organiser: Organiser,
    new: Body<LayerDefinition>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Imagery)?;
    let layer = super::create(&app, &organiser, new.0).await?;
    Ok(HttpResponse::Created()
        .insert_header((
            header::LOCATION,
            format!("/v1/imagery/{}", layer.definition.key),
        ))
        .insert_header((header::ETAG, format!("\"{}\"", layer.revision)))
        .json(layer.view()))
}

/// Try an address of tiles
///
/// Recognises it and fetches one tile, before it becomes a layer. Nothing is stored.
#[utoipa::path(
    tag = "Imagery",
    request_body(content = ProbeOf),
    responses(
        (status = 200, description = "What it is, and the tile that came.", body = ProbeView),
        (status = 422, description = "It is not an address of tiles, or none came; `detail` says why. Codes: `invalid_body`, `template_refused`, `tile_failed`.", body = crate::http::ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = []))
)]
#[post("/v1/imagery/probe")]
async fn try_address(
    tiles: Data<Tiles>,
    organiser: Organiser,
    of: Body<ProbeOf>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Imagery)?;
    let found = probe::probe(&tiles, of.0).await?;
    Ok(HttpResponse::Ok().json(found))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct LayerPage {
    layers: Vec<LayerView>,
    /// Address of the next page, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// List imagery layers
#[utoipa::path(
    tag = "Imagery",
    params(
        ("limit" = Option<u32>, Query, description = "Layers on a page.", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "Where to go on; from `next`."),
    ),
    responses((status = 200, description = "Layers by key.", body = LayerPage)),
    security(("organiser" = []))
)]
#[get("/v1/imagery")]
async fn list(
    app: Data<App>,
    organiser: Organiser,
    req: HttpRequest,
    query: Query<Page>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Imagery)?;
    let limit = page::page_size(query.0.limit)?;
    let after: Option<String> = page::decode_cursor(query.0.cursor.as_deref())?;
    let conn = app.db.get().await?;
    let mut layers = queries::list(&*conn, after.as_deref(), i64::from(limit) + 1).await?;
    let next = page::cut(&mut layers, limit).map(|last: &Layer| {
        page::next_url(
            req.path(),
            req.query_string(),
            &page::encode_cursor(&last.definition.key),
        )
    });
    Ok(page::respond(
        &LayerPage {
            layers: layers.iter().map(Layer::view).collect(),
            next: next.clone(),
        },
        next.as_deref(),
    ))
}

/// Read an imagery layer
#[utoipa::path(
    tag = "Imagery",
    params(("layer" = String, Path, description = "Key of the layer.", example = "demo")),
    responses(
        (status = 200, description = "The layer, without its secrets.", body = LayerView),
        (status = 304, description = "Not changed since the ETag in If-None-Match."),
    ),
    security(("organiser" = []))
)]
#[get("/v1/imagery/{layer}")]
async fn read(
    app: Data<App>,
    organiser: Organiser,
    req: HttpRequest,
    key: PathParam<String>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Imagery)?;
    let layer = find(&app, &key.0).await?;
    etag::respond_json(
        &req,
        &layer.revision.to_string(),
        "private, no-cache",
        &layer.view(),
    )
}

/// Change an imagery layer
///
/// A merge patch (RFC 7396): members that are named change, `null` removes, the rest stays,
/// secrets too.
#[utoipa::path(
    tag = "Imagery",
    params(
        ("layer" = String, Path, description = "Key of the layer.", example = "demo"),
        ("If-Match" = Option<String>, Header, description = "Needed, or 428: ETag of what you read."),
    ),
    request_body(content = Object, description = "Members of a layer.", example = json!({"name": "Survey of April"})),
    responses(
        (status = 200, description = "The layer as it is now.", body = LayerView),
        (status = 409, description = "The key cannot change. Code: `key_is_fixed`.", body = crate::http::ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "It was changed meanwhile. Code: `changed_meanwhile`.", body = crate::http::ProblemBody, content_type = "application/problem+json"),
        (status = 428, description = "If-Match is missing. Code: `if_match_required`.", body = crate::http::ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = []))
)]
#[patch("/v1/imagery/{layer}")]
async fn change(
    app: Data<App>,
    organiser: Organiser,
    req: HttpRequest,
    key: PathParam<String>,
    patch: Body<Map<String, Value>>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Imagery)?;
    let layer = find(&app, &key.0).await?;
    etag::require_match(&req, &layer.revision.to_string())?;
    let layer = super::change(&app, &layer, patch.0)
        .await?
        .ok_or_else(etag::changed_meanwhile)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::ETAG, format!("\"{}\"", layer.revision)))
        .json(layer.view()))
}

#[derive(Deserialize)]
struct TileQuery {
    v: Option<i32>,
}

/// Get a tile
///
/// The image as the source sent it. With `v`, the layer's revision, the address never changes
/// its content and may be kept for ever.
#[utoipa::path(
    tag = "Imagery",
    params(
        ("layer" = String, Path, description = "Key of the layer.", example = "demo"),
        ("z" = u8, Path, description = "Zoom.", maximum = 24, example = 17),
        ("x" = u32, Path, description = "Column, from west.", example = 10000),
        ("y" = u32, Path, description = "Row, from north.", example = 39000),
        ("v" = Option<i32>, Query, description = "Revision of the layer."),
    ),
    responses(
        (status = 200, description = "The image.", content(
            (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"), (Vec<u8> = "image/avif"))),
        (status = 204, description = "The tile lies outside the layer's bounds or zooms."),
        (status = 304, description = "Not changed since the ETag in If-None-Match."),
        (status = 404, description = "No such layer, or the source has no tile there. Codes: `layer_not_found`, `tile_not_found`, `not_found`.", body = crate::http::ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The tile is not here yet, or something on its way rests; with `Retry-After`. Codes: `tile_not_ready`, `source_resting`, `store_away`, `database_away`.", body = crate::http::ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "The source failed or sent no image. Code: `source_failed`.", body = crate::http::ProblemBody, content_type = "application/problem+json"),
        (status = 504, description = "The source did not answer in time. Code: `source_slow`.", body = crate::http::ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/v1/imagery/{layer}/{z}/{x}/{y}")]
async fn tile(
    tiles: Data<Tiles>,
    req: HttpRequest,
    path: PathParam<(String, u8, u32, u32)>,
    query: Query<TileQuery>,
) -> Result<HttpResponse, Problem> {
    let (key, z, x, y) = path.0;
    let tile = Tile::new(z, x, y)
        .map_err(|e| Problem::not_found("tile_not_found", format!("There is no such tile: {e}")))?;
    let source = tiles.layer(&key, query.0.v).await?;
    let image = match tiles.get(&source, tile).await {
        Err(TileError::Outside) => return Ok(tiles::nothing()),
        found => found?,
    };
    let layer = &source.layer;
    let lifetime = match query.0.v {
        // Since then its tiles are what they are.
        Some(revision) if (layer.tiles_revision..=layer.revision).contains(&revision) => {
            Lifetime::Forever
        }
        // Nobody may keep this image under the address of a revision that is yet to come.
        Some(revision) if revision > layer.revision => Lifetime::NotAtAll,
        _ => Lifetime::ForAWhile,
    };
    Ok(tiles.respond(&image, req.headers(), lifetime))
}

async fn find(app: &App, key: &str) -> Result<Layer, Problem> {
    let conn = app.db.get().await?;
    super::find(&*conn, key).await?.ok_or_else(|| no_layer(key))
}

fn no_layer(key: &str) -> Problem {
    Problem::not_found(
        "layer_not_found",
        format!("There is no imagery layer {key:?}."),
    )
}

impl From<TileError> for Problem {
    fn from(error: TileError) -> Self {
        match error {
            TileError::NoLayer => {
                Self::not_found("layer_not_found", "There is no such imagery layer.")
            }
            TileError::Outside | TileError::Fetch(FetchError::Missing) => {
                Self::not_found("tile_not_found", "The layer has no imagery there.")
            }
            TileError::Fetch(e @ FetchError::Timeout { .. }) => {
                Self::new(StatusCode::GATEWAY_TIMEOUT, "source_slow", e.to_string()).retry_after(5)
            }
            TileError::Fetch(e) => {
                let wait = e.retry_after().unwrap_or(5);
                Self::new(StatusCode::BAD_GATEWAY, "source_failed", e.to_string()).retry_after(wait)
            }
            TileError::Resting(rest) => Self::unavailable(
                "source_resting",
                "The source of the imagery failed and is left alone for a while. Try again after the time in Retry-After.",
                u32::try_from(rest.as_secs() + 1).unwrap_or(u32::MAX),
            ),
            TileError::Late | TileError::Full => Self::unavailable(
                "tile_not_ready",
                "The tile is not here yet; more are wanted than the source gives at once. Try again after the time in Retry-After.",
                rand::random_range(2..=5),
            ),
            TileError::Store(_) => Self::unavailable(
                "store_away",
                "The store of tiles does not answer at the moment. Try again after the time in Retry-After.",
                5,
            ),
            TileError::Db(e) if e.is_passing() => Self::unavailable(
                "database_away",
                "The database cannot be reached at the moment. Try again after the time in Retry-After.",
                5,
            ),
            e @ (TileError::Db(_) | TileError::Damaged | TileError::BrokenOff) => {
                Self::internal(&e)
            }
        }
    }
}
