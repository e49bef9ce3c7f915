//! Progress over HTTP.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, http::header, web::Data};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    READER, block_zooms,
    queries::{self, Block, Ranges},
};
use crate::{
    accounts::Viewer,
    campaigns::{self, Campaign, State},
    feed,
    geo::{
        bbox::{Bbox, TileRange},
        cell::CellId,
        tile::Tile,
    },
    http::{PathParam, Problem, Query},
    state::App,
};

/// Somebody whose last look is younger than this is looking now, in seconds.
const ACTIVE_SECS: f64 = 300.0;
/// Minutes of the series of rates.
const RATE_MINUTES: i32 = 60;
/// Tiles that one map answer looks through; beyond it coarser blocks are taken.
const MAP_TILES_MAX: u64 = 20_000;
/// A cell is drawn for itself when it is this many zooms deeper than the map: 4 pixels wide.
const FINEST_BELOW_MAP: u8 = 7;

pub fn routes(config: &mut ServiceConfig) {
    config.service(read).service(read_cells);
}

#[derive(Serialize, ToSchema)]
struct ProgressView {
    /// Slug of the campaign.
    campaign: String,
    state: State,
    /// Looks and tags up to this time are counted.
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// How far the numbers are behind, in seconds.
    lag_seconds: f64,
    cells: i64,
    /// Cells with as many looks as wanted.
    cells_done: i64,
    /// Cells that several volunteers reported as bad imagery; they are not given any more.
    cells_bad_imagery: i64,
    /// Part of the cells that are done: 0 to 1.
    coverage: f64,
    area_km2: f64,
    /// Looks of every outcome.
    looks: i64,
    /// Looks that the cells want, all together.
    looks_expected: i64,
    looks_by_outcome: OutcomesView,
    volunteers: i64,
    /// Volunteers with a look in the last five minutes.
    volunteers_active: i64,
    /// Tags that were not withdrawn.
    tags: i64,
    #[schema(example = json!({"wreckage": 143}))]
    tags_by_type: BTreeMap<String, i64>,
    /// Minutes of the last hour in which there were looks, oldest first.
    rates: Vec<RateView>,
    /// How far the cells are made, while the campaign is being prepared.
    preparation: Option<PreparationView>,
}

#[derive(Serialize, ToSchema)]
struct OutcomesView {
    tagged: i64,
    nothing: i64,
    skipped: i64,
    bad_imagery: i64,
}

#[derive(Serialize, ToSchema)]
struct RateView {
    #[schema(value_type = String, format = DateTime)]
    minute: Timestamp,
    looks: i32,
}

#[derive(Serialize, ToSchema)]
struct PreparationView {
    cells_prepared: i64,
    cells: i64,
}

/// How far is it
///
/// Every number is derived from looks and tags; `spotter verify` recounts them.
#[utoipa::path(
    tag = "Progress",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    responses((status = 200, description = "The campaign's progress.", body = ProgressView)),
    security((), ("organiser" = []))
)]
#[get("/v1/campaigns/{campaign}/progress")]
async fn read(
    app: Data<App>,
    viewer: Viewer,
    reference: PathParam<String>,
) -> Result<HttpResponse, Problem> {
    let conn = app.db.get().await?;
    let campaign = campaigns::find(&*conn, &reference.0, &viewer).await?;
    let wanted = i16::try_from(campaign.looks_wanted).unwrap_or(i16::MAX);
    let lag = feed::lag(&*conn, READER).await?;
    let totals = queries::totals(&*conn, campaign.id, wanted, ACTIVE_SECS).await?;
    let tags_by_type = queries::tags_by_type(&*conn, campaign.id).await?;
    let rates = queries::minutes(&*conn, campaign.id, RATE_MINUTES).await?;
    let as_of = lag.oldest_unread.unwrap_or(lag.now);
    let view = ProgressView {
        state: campaign.state,
        as_of,
        lag_seconds: lag.now.duration_since(as_of).as_secs_f64().max(0.0),
        cells: campaign.cells,
        cells_done: totals.cells_done,
        cells_bad_imagery: totals.cells_bad_imagery,
        coverage: share(totals.cells_done, campaign.cells),
        area_km2: campaign.area_km2,
        looks: totals.looks,
        looks_expected: campaign.cells * i64::from(campaign.looks_wanted),
        looks_by_outcome: OutcomesView {
            tagged: totals.tagged,
            nothing: totals.nothing,
            skipped: totals.skipped,
            bad_imagery: totals.bad_imagery,
        },
        volunteers: totals.volunteers,
        volunteers_active: totals.volunteers_active,
        tags: tags_by_type.values().sum(),
        tags_by_type: tags_by_type
            .into_iter()
            .filter(|(_, tags)| *tags != 0)
            .collect(),
        rates: rates
            .into_iter()
            .map(|(minute, looks)| RateView { minute, looks })
            .collect(),
        preparation: preparation(&campaign),
        campaign: campaign.slug,
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, no-cache"))
        .json(view))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MapQuery {
    bbox: Option<String>,
    zoom: Option<f64>,
}

#[derive(Serialize, ToSchema)]
struct MapView {
    /// Zoom of the tiles below: the cell zoom, or less when they are blocks of cells.
    zoom: u8,
    looks_wanted: u16,
    cells: Vec<BlockView>,
}

/// A cell, or a block of cells.
#[derive(Serialize, ToSchema)]
struct BlockView {
    /// The tile as `z/x/y`.
    #[schema(example = "17/10043/39631")]
    cell: String,
    /// Cells of the campaign in it.
    cells: i64,
    /// Looks of each cell that count, on average.
    looks: f64,
    /// Reports of bad imagery.
    bad_imagery: i64,
    /// Tags that were not withdrawn.
    tags: i64,
}

/// Looks by cell, for a map
///
/// Cells when they are four pixels wide or more at the map's zoom (of 512-pixel tiles), else
/// averaged blocks; coarser ones too when the box holds more than 20,000.
#[utoipa::path(
    tag = "Progress",
    params(
        ("campaign" = String, Path, description = "Slug or id.", example = "demo"),
        ("bbox" = Option<String>, Query, description = "west,south,east,north in degrees; the campaign's own box unless told.", example = "-152.5,57.5,-152.2,57.7"),
        ("zoom" = Option<f64>, Query, description = "Zoom of the map; as deep as the box allows unless told.", minimum = 0, maximum = 26, example = 11),
    ),
    responses((status = 200, description = "Cells or blocks.", body = MapView)),
    security((), ("organiser" = []))
)]
#[get("/v1/campaigns/{campaign}/progress/cells")]
async fn read_cells(
    app: Data<App>,
    viewer: Viewer,
    reference: PathParam<String>,
    query: Query<MapQuery>,
) -> Result<HttpResponse, Problem> {
    let invalid = |what: String| Problem::bad_request("invalid_query", what);
    let map_zoom = query.0.zoom.unwrap_or(26.0);
    if !(0.0..=26.0).contains(&map_zoom) {
        return Err(invalid(format!(
            "zoom: found {map_zoom}; 0 to 26 are possible"
        )));
    }
    let conn = app.db.get().await?;
    let campaign = campaigns::find(&*conn, &reference.0, &viewer).await?;
    let bbox = match query.0.bbox.as_deref() {
        Some(text) => text
            .parse::<Bbox>()
            .map_err(|e| invalid(format!("bbox: {e}")))?,
        None => Bbox::new(campaign.bbox).map_err(|e| Problem::internal(&e))?,
    };
    let (zoom, ranges) = choose_zoom(bbox, campaign.cell_zoom, map_zoom);
    let found = if zoom == campaign.cell_zoom {
        queries::cells_within(&*conn, campaign.id, &ranges).await?
    } else {
        queries::blocks_within(&*conn, campaign.id, &ranges).await?
    };
    let cells = found
        .into_iter()
        .map(block_view)
        .collect::<Result<_, _>>()?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, no-cache"))
        .json(MapView {
            zoom,
            looks_wanted: campaign.looks_wanted,
            cells,
        }))
}

/// The deepest zoom that the map can show and whose tiles within the box are not too many.
fn choose_zoom(bbox: Bbox, cell_zoom: u8, map_zoom: f64) -> (u8, Ranges) {
    let fits = |zoom: u8| {
        let tiles = bbox.tiles(zoom);
        let shown = f64::from(zoom) <= map_zoom + f64::from(FINEST_BELOW_MAP);
        (shown && tiles.iter().map(TileRange::count).sum::<u64>() <= MAP_TILES_MAX)
            .then(|| (zoom, ranges(&tiles)))
    };
    let coarsest = block_zooms(cell_zoom).last().unwrap_or(cell_zoom);
    std::iter::once(cell_zoom)
        .chain(block_zooms(cell_zoom))
        .find_map(fits)
        .unwrap_or_else(|| (coarsest, ranges(&bbox.tiles(coarsest))))
}

fn ranges(tiles: &[TileRange]) -> Ranges {
    let mut ranges = Ranges {
        first: Vec::new(),
        last: Vec::new(),
    };
    for range in tiles {
        for x in range.x.clone() {
            let packed = |y: u32| Tile::new(range.z, x, y).map(|tile| CellId::from(tile).get());
            if let (Ok(first), Ok(last)) = (packed(*range.y.start()), packed(*range.y.end())) {
                ranges.first.push(first);
                ranges.last.push(last);
            }
        }
    }
    ranges
}

fn block_view(block: Block) -> Result<BlockView, Problem> {
    let tile = CellId::try_from(block.tile)
        .map_err(|e| Problem::internal(&e))?
        .tile();
    Ok(BlockView {
        cell: tile.to_string(),
        cells: block.cells,
        looks: share(block.looks, block.cells),
        bad_imagery: block.bad_imagery,
        tags: block.tags,
    })
}

/// A quotient of counts, exact far beyond the limits of a campaign.
fn share(part: i64, whole: i64) -> f64 {
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "counts stay far below 2^53"
    )]
    let (part, whole) = (part as f64, whole as f64);
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn preparation(campaign: &Campaign) -> Option<PreparationView> {
    (campaign.state == State::Preparing).then_some(PreparationView {
        cells_prepared: campaign.cells_prepared,
        cells: campaign.cells,
    })
}
