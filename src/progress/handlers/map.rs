//! Looks by cell, for a map.

use actix_web::{HttpResponse, get, http::header, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::share;
use crate::{
    accounts::Viewer,
    campaigns,
    geo::{
        bbox::{Bbox, TileRange},
        cell::CellId,
        tile::Tile,
    },
    http::{PathParam, Problem, Query},
    progress::{
        block_zooms,
        queries::{self, Block, Ranges},
    },
    state::App,
};

/// Tiles that one map answer looks through; beyond it coarser blocks are taken.
const MAP_TILES_MAX: u64 = 20_000;
/// A cell is drawn for itself when it is this many zooms deeper than the map: 4 pixels wide.
const FINEST_BELOW_MAP: u8 = 7;

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
    /// Cells of it that the organiser closed: nobody is given them.
    closed: i64,
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
pub(super) async fn read_cells(
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
        closed: block.closed,
    })
}
