//! Prefetch: the tiles of a campaign's cells are fetched before volunteers ask for them.
//!
//! An organiser or `spotter imagery prefetch` begins it; workers carry it out piece by piece, any
//! number of them at once, and it stops and goes on at any time.
//!
//! **Invariant:** a piece is one worker's at a time, by a lease. Its results and the place to go on
//! with are stored in one statement, which does nothing once the lease went to another or a new run
//! began: so each tile of a run is counted once, and a worker that dies loses seconds.
//!
//! **Invariant:** no connection to the database is held while tiles are fetched.

mod handlers;
mod job;
mod model;
mod plan;
mod queries;
mod sheet;

use actix_web::web;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use handlers::routes;
pub use job::Prefetcher;
pub use model::{PrefetchState, PrefetchView, Trouble};
pub use plan::Zooms;
pub use queries::Failure;

use crate::{
    campaigns::{self, Campaign},
    db::DbError,
    geo::{MultiPolygon, tile::ZOOM_MAX},
    http::{FieldErrors, Problem, etag},
    imagery::{self, Layer},
    state::App,
};
use plan::Plan;
use queries::Begin;

/// Tiles of one prefetch.
pub const TILES_MAX: u64 = 1_000_000_000;
/// Tiles that could not be had which are listed, about; those beyond it are only counted.
pub const LISTED_MAX: i64 = 10_000;

/// Begins a campaign's prefetch, goes on with it after a stop, or tries again what it could not get.
/// Without zooms, those of before, at first those that the volunteers' page loads.
pub async fn start(app: &App, campaign: &Campaign, zooms: Option<Zooms>) -> Result<(), Problem> {
    let conn = app.db.get().await?;
    let layer = layer_of(&*conn, campaign).await?;
    let zooms = match zooms {
        Some(zooms) => checked(zooms, &layer)?,
        None => match queries::find(&*conn, campaign.id).await? {
            Some(known) => known.zooms.within(zooms_of(&layer)),
            None => usual_zooms(campaign, &layer),
        },
    };
    let area = campaigns::stored_area(&*conn, campaign.id).await?;
    drop(conn);
    let begin = planned(campaign, &layer, area, zooms).await?;
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    match queries::hold(&tx, campaign.id).await? {
        Some(known) if known.is_of(&begin) && known.state == PrefetchState::Running => {}
        Some(known) if known.is_of(&begin) && known.state == PrefetchState::Stopped => {
            queries::go_on(&tx, campaign.id).await?;
        }
        known => {
            let again = known.filter(|known| known.is_of(&begin) && known.lists_all());
            let retried = match again {
                Some(_) => queries::retry(&tx, campaign.id).await?,
                None => 0,
            };
            if retried == 0 {
                queries::begin(&tx, campaign.id, &begin).await?;
            }
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Workers take no further tile; what they have done is kept.
pub async fn stop(app: &App, campaign: &Campaign) -> Result<(), Problem> {
    let conn = app.db.get().await?;
    Ok(queries::stop(&*conn, campaign.id).await?)
}

/// How far a campaign's prefetch is, or what it would be.
pub async fn read(app: &App, campaign: &Campaign) -> Result<PrefetchView, Problem> {
    let conn = app.db.get().await?;
    if let Some(known) = queries::find(&*conn, campaign.id).await? {
        return Ok(model::view(&known, app.clock.now()));
    }
    let layer = layer_of(&*conn, campaign).await?;
    let zooms = usual_zooms(campaign, &layer);
    let area = campaigns::stored_area(&*conn, campaign.id).await?;
    drop(conn);
    let begin = planned(campaign, &layer, area, zooms).await?;
    Ok(model::not_begun(&layer, &begin))
}

/// Tiles that could not be had, by place, after `after`.
pub async fn failures(
    app: &App,
    campaign: Uuid,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<Failure>, DbError> {
    let conn = app.db.get().await?;
    queries::failures(&*conn, campaign, after.unwrap_or(-1), limit).await
}

async fn layer_of(
    db: &impl tokio_postgres::GenericClient,
    campaign: &Campaign,
) -> Result<Layer, Problem> {
    imagery::by_id(db, campaign.imagery_layer_id)
        .await?
        .ok_or_else(|| Problem::internal(&"a campaign's imagery layer is gone"))
}

fn zooms_of(layer: &Layer) -> Zooms {
    Zooms {
        min: layer.definition.min_zoom,
        max: layer.definition.max_zoom,
    }
}

fn usual_zooms(campaign: &Campaign, layer: &Layer) -> Zooms {
    Zooms::of_page(
        campaign.cell_zoom,
        zooms_of(layer),
        layer.definition.tile_size,
    )
}

fn checked(zooms: Zooms, layer: &Layer) -> Result<Zooms, Problem> {
    let mut errors = FieldErrors::default();
    let Zooms { min, max } = zooms_of(layer);
    errors.need(
        min <= zooms.min && zooms.min <= zooms.max && zooms.max <= max,
        "/zooms",
        || {
            format!(
                "found {}–{}; the layer has the zooms {min}–{max}, the smaller one comes first",
                zooms.min, zooms.max
            )
        },
    );
    errors.into_result().map_err(refused)?;
    Ok(zooms)
}

fn refused(errors: FieldErrors) -> Problem {
    Problem::unprocessable(
        "prefetch_refused",
        "These tiles cannot be fetched ahead; `errors` says why.",
        errors,
    )
}

/// What a run is planned from, with the number of its tiles.
async fn planned(
    campaign: &Campaign,
    layer: &Layer,
    area: MultiPolygon,
    zooms: Zooms,
) -> Result<Begin, Problem> {
    let cell_zoom = campaign.cell_zoom;
    let deepest = Zooms {
        max: zooms.max.min(ZOOM_MAX),
        ..zooms
    };
    let (hash, tiles) = web::block(move || {
        let plan = Plan::new(&area, cell_zoom, deepest).map_err(|e| Problem::internal(&e))?;
        Ok::<_, Problem>((area_hash(&area, cell_zoom), plan.count()))
    })
    .await
    .map_err(|e| Problem::internal(&e))??;
    if tiles > TILES_MAX {
        let mut errors = FieldErrors::default();
        errors.push(
            "/zooms",
            format!(
                "{tiles} tiles at the zooms {}–{}; {TILES_MAX} are possible: choose a smaller last zoom",
                zooms.min, zooms.max
            ),
        );
        return Err(refused(errors));
    }
    Ok(Begin {
        layer: layer.id,
        revision: layer.tiles_revision,
        version: campaign.version,
        area_hash: hash,
        zooms,
        tiles: i64::try_from(tiles).unwrap_or(i64::MAX),
    })
}

/// Tells one area at one cell zoom from another.
fn area_hash(area: &MultiPolygon, cell_zoom: u8) -> String {
    let mut hash = Sha256::new();
    hash.update([cell_zoom]);
    for ring in area.polygons.iter().flat_map(|polygon| &polygon.rings) {
        hash.update(ring.len().to_be_bytes());
        for number in ring.iter().flatten() {
            hash.update(number.to_bits().to_be_bytes());
        }
    }
    etag::of_hash(&hash.finalize())
}
