//! Packs over HTTP.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, post, web::Data};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    make::{self, Made},
    model::{PackCell, PackCellView, PackEntry, PackView, Wanted},
    queries, tiles,
};
use crate::{
    accounts::Volunteer,
    assignments::{COUNT_MAX, Dealer},
    campaigns::{self, ImageryView},
    http::{Body, PathParam, Problem, ProblemBody, Routes},
    imagery::{self, Tiles},
    rates,
    state::App,
};

pub fn routes(routes: &mut Routes<'_>) {
    routes.service(take).service(list).service(give_back);
}

/// Take squares along
///
/// One call gives all that is needed to look at squares without a network: the campaign with its
/// instructions and tag types, the squares, reserved for hours or days, and the tiles that show them.
/// Safe to repeat: the same id again is answered with the same squares. Looks are taken whenever they
/// come: after the lease, when the square has all its looks, while the campaign is paused, and within its
/// `grace_days` after the close. 2,000 squares that are not answered in 20 packs are possible. A pack
/// counts as a call for each 50 squares.
#[utoipa::path(
    tag = "Packs",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    request_body = Wanted,
    responses(
        (status = 200, description = "The pack. A pack without squares is not kept: ask again later.", body = PackView),
        (status = 409, description = "No pack. Codes: `campaign_paused`, `campaign_closed`, `campaign_not_started`, `packs_too_many`, `pack_cells_too_many` (give a pack back, or send looks), `pack_id_reused` (another pack has that id), `pack_returned` (it was given back).", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Try again after `Retry-After`: nothing is dealt twice. Codes: `pack_in_work` (another request makes it), `squares_busy` (only few squares are left, and many ask for them), `database_busy`, `database_away`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []))
)]
#[post("/v1/campaigns/{campaign}/packs")]
async fn take(
    req: HttpRequest,
    app: Data<App>,
    shared: (Data<Dealer>, Data<Tiles>),
    volunteer: Volunteer,
    reference: PathParam<String>,
    wanted: Body<Wanted>,
) -> Result<HttpResponse, Problem> {
    let ((dealer, tiles), wanted) = (shared, wanted.0);
    wanted.check()?;
    let campaign = campaigns::running(&app, &reference.0).await?;
    let calls = wanted.cells.div_ceil(COUNT_MAX);
    rates::charge(&req, volunteer.id, usize::from(calls) - 1).await?;
    let made = make::make(&app, &dealer, volunteer.id, &campaign, wanted).await?;
    let view = view(&app, &tiles, volunteer.id, made).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(view))
}

async fn view(
    app: &App,
    tiles: &Tiles,
    volunteer_id: Uuid,
    made: Made,
) -> Result<PackView, Problem> {
    let Made {
        pack,
        retry_after_secs,
    } = made;
    let conn = app.db.get().await?;
    let cells = queries::cells(&*conn, volunteer_id, pack.campaign_id, pack.id).await?;
    let campaign = campaigns::told(&*conn, pack.campaign_id).await?;
    let mut layers: Vec<Uuid> = cells.iter().filter_map(|cell| cell.layer).collect();
    layers.sort_unstable();
    layers.dedup();
    let layers = if layers.is_empty() {
        Vec::new()
    } else {
        imagery::by_ids(&*conn, &layers).await?
    };
    drop(conn);
    let mut imagery: BTreeMap<Option<Uuid>, ImageryView> = layers
        .into_iter()
        .map(|layer| (Some(layer.id), campaigns::imagery_view(layer)))
        .collect();
    imagery.insert(None, campaign.imagery.clone());
    let tiles = tiles::tiles(tiles, &cells, &imagery).await;
    let expires_at = pack.expires_at.filter(|_| !cells.is_empty());
    Ok(PackView {
        id: pack.id,
        assignments: cells.iter().map(|cell| show(cell, &imagery)).collect(),
        campaign,
        tiles,
        made_at: pack.made_at,
        expires_at,
        exhausted: pack.exhausted,
        retry_after_seconds: retry_after_secs,
    })
}

fn show(cell: &PackCell, imagery: &BTreeMap<Option<Uuid>, ImageryView>) -> PackCellView {
    let tile = cell.cell.tile();
    PackCellView {
        id: cell.id,
        cell: tile.to_string(),
        bbox: tile.bbox().edges(),
        lease_expires_at: cell.lease_expires_at,
        state: if cell.is_open { "open" } else { "answered" },
        imagery: cell
            .layer
            .and_then(|layer| imagery.get(&Some(layer)).cloned()),
    }
}

#[derive(Serialize, ToSchema)]
struct Packs {
    packs: Vec<PackEntry>,
}

/// Packs that you have along
///
/// Those with squares that you have not answered and whose lease has not ended, newest first; 20 at
/// most.
#[utoipa::path(
    tag = "Packs",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    responses((status = 200, description = "Your packs of this campaign.", body = Packs)),
    security(("volunteer" = []))
)]
#[get("/v1/campaigns/{campaign}/packs")]
async fn list(
    app: Data<App>,
    volunteer: Volunteer,
    reference: PathParam<String>,
) -> Result<HttpResponse, Problem> {
    let campaign = campaigns::running(&app, &reference.0).await?;
    let conn = app.db.get().await?;
    let packs = queries::list(&*conn, volunteer.id, campaign.id).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Packs { packs }))
}

/// What was given back.
#[derive(Serialize, ToSchema)]
struct GivenBack {
    /// Squares that were not answered.
    given_back: usize,
}

/// Give a pack back
///
/// Its squares that you have not answered are free for others. Looks that were made at them are taken
/// all the same. May be repeated.
#[utoipa::path(
    tag = "Packs",
    params(
        ("campaign" = String, Path, description = "Slug or id.", example = "demo"),
        ("id" = Uuid, Path, description = "The pack's id."),
    ),
    responses(
        (status = 200, description = "They are free.", body = GivenBack),
        (status = 404, description = "You have no such pack. Codes: `pack_not_found`, `campaign_not_found`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []))
)]
#[delete("/v1/campaigns/{campaign}/packs/{id}")]
async fn give_back(
    app: Data<App>,
    volunteer: Volunteer,
    path: PathParam<(String, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (reference, id) = &path.0;
    let campaign = campaigns::running(&app, reference).await?;
    let given_back = super::give_back(&app, volunteer.id, campaign.id, *id).await?;
    let given_back = given_back.ok_or_else(|| {
        Problem::not_found(
            "pack_not_found",
            "You have no pack with this id in this campaign.",
        )
    })?;
    Ok(HttpResponse::Ok().json(GivenBack { given_back }))
}
