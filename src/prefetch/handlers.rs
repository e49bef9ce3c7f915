//! Prefetch over HTTP, for organisers: read, start, stop, and what could not be had.

use actix_web::{HttpRequest, HttpResponse, get, post, web::Data};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{PrefetchView, Zooms};
use crate::{
    accounts::{Organiser, Scope, Viewer},
    campaigns::{self, Campaign},
    geo::CellId,
    http::{PathParam, Problem, ProblemBody, Query, Routes, extract::OptionalBody, page},
    state::App,
};

pub fn routes(config: &mut Routes<'_>) {
    config
        .service(read)
        .service(start)
        .service(stop)
        .service(failures);
}

/// Read how far a campaign's prefetch is
///
/// Before the first start, the tiles that it would have.
#[utoipa::path(
    tag = "Prefetch",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    responses(
        (status = 200, description = "State and numbers.", body = PrefetchView),
        (status = 422, description = "It would have too many tiles; `errors` says how many. Code: `prefetch_refused`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = []))
)]
#[get("/v1/campaigns/{campaign}/prefetch")]
async fn read(
    app: Data<App>,
    organiser: Organiser,
    reference: PathParam<String>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Read)?;
    let campaign = find(&app, organiser, &reference.0).await?;
    Ok(HttpResponse::Ok().json(super::read(&app, &campaign).await?))
}

/// What is to be fetched ahead.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StartOf {
    /// First and last zoom; unless told, those of before, at first those that the volunteers' page
    /// loads.
    #[schema(min_items = 2, max_items = 2, example = json!([16, 19]))]
    zooms: Option<[u8; 2]>,
}

/// Fetch a campaign's tiles ahead
///
/// Workers fetch every tile of its cells once, within the limits of the source and after live
/// requests. Goes on after a stop. After the end, only what could not be had is tried again; all of
/// it when layer, area or zooms are others. A billion tiles are possible.
#[utoipa::path(
    tag = "Prefetch",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    request_body(content = Option<StartOf>),
    responses(
        (status = 202, description = "It runs.", body = PrefetchView),
        (status = 422, description = "Zooms that the layer has not, or too many tiles; `errors` says which. Codes: `invalid_body`, `prefetch_refused`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = []))
)]
#[post("/v1/campaigns/{campaign}/prefetch")]
async fn start(
    app: Data<App>,
    organiser: Organiser,
    reference: PathParam<String>,
    of: OptionalBody<StartOf>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Campaigns)?;
    let campaign = find(&app, organiser, &reference.0).await?;
    let zooms = of.0.zooms.map(|[min, max]| Zooms { min, max });
    super::start(&app, &campaign, zooms).await?;
    Ok(HttpResponse::Accepted().json(super::read(&app, &campaign).await?))
}

/// Stop fetching ahead
///
/// Within some seconds no further tile is fetched. What was done is kept. May be repeated.
#[utoipa::path(
    tag = "Prefetch",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    responses((status = 200, description = "It does not run any more.", body = PrefetchView)),
    security(("organiser" = []))
)]
#[post("/v1/campaigns/{campaign}/prefetch/stop")]
async fn stop(
    app: Data<App>,
    organiser: Organiser,
    reference: PathParam<String>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Campaigns)?;
    let campaign = find(&app, organiser, &reference.0).await?;
    super::stop(&app, &campaign).await?;
    Ok(HttpResponse::Ok().json(super::read(&app, &campaign).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A tile that could not be had.
#[derive(Serialize, ToSchema)]
struct FailureView {
    /// `z/x/y`
    #[schema(example = "19/40172/158524")]
    tile: String,
    /// For people.
    #[schema(example = "the source answered with status 500")]
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    failed_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
struct FailurePage {
    failures: Vec<FailureView>,
    /// Address of the next page, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// List tiles that could not be fetched ahead
///
/// Missing and failed ones of the present run, by place. About 10,000 are listed, the others only
/// counted.
#[utoipa::path(
    tag = "Prefetch",
    params(
        ("campaign" = String, Path, description = "Slug or id.", example = "demo"),
        ("limit" = Option<u32>, Query, description = "Tiles on a page; 100 unless told.", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "Where to go on; from `next`."),
    ),
    responses((status = 200, description = "A page of tiles with reasons.", body = FailurePage)),
    security(("organiser" = []))
)]
#[get("/v1/campaigns/{campaign}/prefetch/failures")]
async fn failures(
    app: Data<App>,
    organiser: Organiser,
    req: HttpRequest,
    reference: PathParam<String>,
    query: Query<Page>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Read)?;
    let limit = page::page_size(query.0.limit)?;
    let after: Option<i64> = page::decode_cursor(query.0.cursor.as_deref())?;
    let campaign = find(&app, organiser, &reference.0).await?;
    let mut found = super::failures(&app, campaign.id, after, i64::from(limit) + 1).await?;
    let next = page::cut(&mut found, limit).map(|last| {
        let cursor = page::encode_cursor(&CellId::from(last.tile).get());
        page::next_url(req.path(), req.query_string(), &cursor)
    });
    let failures = found.into_iter().map(|failure| FailureView {
        tile: failure.tile.to_string(),
        reason: failure.reason,
        failed_at: failure.failed_at,
    });
    Ok(page::respond(
        &FailurePage {
            failures: failures.collect(),
            next: next.clone(),
        },
        next.as_deref(),
    ))
}

async fn find(app: &App, organiser: Organiser, reference: &str) -> Result<Campaign, Problem> {
    let conn = app.db.get().await?;
    campaigns::find(&*conn, reference, &Viewer::Organiser(organiser)).await
}
