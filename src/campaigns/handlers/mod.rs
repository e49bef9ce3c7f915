//! Campaigns over HTTP: define and read here, actions beside.

mod actions;

use actix_web::{HttpRequest, HttpResponse, get, http::header, patch, post, web::Data};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    Reference, changes, define,
    model::CampaignDefinition,
    not_found,
    preview::{self, PreviewOf, PreviewView},
    public::{self, CampaignPage, Wanted},
    queries::Campaign,
    state::State,
    survey::AreaNote,
    view::{self, CampaignView},
};
use crate::{
    accounts::{Organiser, Scope, Viewer},
    http::{
        Body, PathParam, Problem, ProblemBody, Query, Routes, etag, limits::AREA_BODY_BYTES_MAX,
        page,
    },
    state::App,
};

/// What everybody asks.
pub fn public_routes(config: &mut Routes<'_>) {
    config.service(list).service(read);
}

/// What organisers do.
pub fn routes(config: &mut Routes<'_>) {
    config.service(create).service(estimate).service(change);
    actions::routes(config);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    state: Option<State>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A stored campaign and what was put right in its area.
#[derive(Serialize, ToSchema)]
struct Defined {
    #[serde(flatten)]
    campaign: CampaignView,
    /// What was put right in the area, or should be known of it.
    notes: Vec<AreaNote>,
}

/// List campaigns
///
/// Newest first. Drafts and campaigns in preparation are listed for organisers only, who are shown
/// the present state. Everybody else is shown one that is two seconds old at most; its first page
/// may be kept by shared caches (`Cache-Control`).
#[utoipa::path(
    tag = "Campaigns",
    params(
        ("state" = Option<State>, Query, description = "Only campaigns in this state."),
        ("limit" = Option<u32>, Query, description = "Campaigns on a page; 100 unless told.", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "Where to go on; from `next`."),
        ("If-None-Match" = Option<String>, Header, description = "ETag of the page that you have."),
    ),
    responses(
        (status = 200, description = "Campaigns.", body = CampaignPage),
        (status = 304, description = "Not changed since the ETag in If-None-Match."),
    ),
    security((), ("organiser" = []))
)]
#[get("/v1/campaigns")]
async fn list(
    app: Data<App>,
    viewer: Viewer,
    req: HttpRequest,
    query: Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    let ListQuery {
        state,
        limit,
        cursor,
    } = query.0;
    let hidden_too = viewer.may_read();
    if !hidden_too && limit.is_none() && cursor.is_none() && state.is_none_or(State::is_public) {
        return Ok(public::front(&app, state).await?.respond(req.headers()));
    }
    let wanted = Wanted {
        state,
        hidden_too,
        limit: page::page_size(limit)?,
        after: page::decode_cursor(cursor.as_deref())?,
    };
    let conn = app.db.get().await?;
    let found = public::list(&*conn, &wanted, (req.path(), req.query_string())).await?;
    page::respond_tagged(&req, &found, found.next.as_deref())
}

/// Define a campaign
///
/// Makes a draft. The area is repaired where that is safe; `notes` say what was put right.
#[utoipa::path(
    tag = "Campaigns",
    request_body(content = CampaignDefinition, description = "16 MiB at most."),
    responses(
        (status = 201, description = "The draft; `Location` is its address.", body = Defined),
        (status = 409, description = "The slug is taken. Code: `slug_taken`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "It cannot be a campaign yet; `errors` says why. Codes: `invalid_body`, `campaign_refused`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = []))
)]
#[post("/v1/campaigns")]
async fn create(
    app: Data<App>,
    organiser: Organiser,
    definition: Body<CampaignDefinition, AREA_BODY_BYTES_MAX>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Campaigns)?;
    let (campaign, notes) = define::create(&app, &organiser, definition.0).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/v1/campaigns/{}", campaign.slug)))
        .insert_header((header::ETAG, format!("\"{}\"", campaign.version)))
        .json(Defined { campaign, notes }))
}

/// Estimate a campaign
///
/// Cells, area, looks and hours, the parts of the area, its coverage by imagery, cells to try out
/// and instructions as they will be shown, before anything is stored.
#[utoipa::path(
    tag = "Campaigns",
    request_body(content = PreviewOf, description = "16 MiB at most."),
    responses(
        (status = 200, description = "The estimate.", body = PreviewView),
        (status = 422, description = "The area or a number cannot be used; `errors` says why. Codes: `invalid_body`, `campaign_refused`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = []))
)]
#[post("/v1/campaigns/preview")]
async fn estimate(
    app: Data<App>,
    organiser: Organiser,
    of: Body<PreviewOf, AREA_BODY_BYTES_MAX>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Campaigns)?;
    let view = preview::preview(&app, of.0).await?;
    Ok(HttpResponse::Ok().json(view))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadQuery {
    area: Option<bool>,
}

/// What are we looking for
///
/// Public once the campaign is open. Organisers are shown the present state; everybody else one
/// that is two seconds old at most, which shared caches may keep (`Cache-Control`).
#[utoipa::path(
    tag = "Campaigns",
    params(
        ("campaign" = String, Path, description = "Slug or id.", example = "demo"),
        ("area" = Option<bool>, Query, description = "`false` leaves out `area`, its parts and `priorities`, which may be megabytes."),
        ("If-None-Match" = Option<String>, Header, description = "ETag of what you have."),
    ),
    responses(
        (status = 200, description = "The campaign. `ETag` is its version.", body = CampaignView),
        (status = 304, description = "Not changed since the ETag in If-None-Match."),
        (status = 404, description = "There is none that you may see. Code: `campaign_not_found`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security((), ("organiser" = []))
)]
#[get("/v1/campaigns/{campaign}")]
async fn read(
    app: Data<App>,
    viewer: Viewer,
    req: HttpRequest,
    reference: PathParam<String>,
    query: Query<ReadQuery>,
) -> Result<HttpResponse, Problem> {
    let area = query.0.area.unwrap_or(true);
    if !viewer.may_read() {
        let parsed = Reference::parse(&reference.0).ok_or_else(|| not_found(&reference.0))?;
        let given = public::campaign(&app, &parsed, area, req.headers()).await?;
        return given.ok_or_else(|| not_found(&reference.0));
    }
    let conn = app.db.get().await?;
    let campaign = super::find(&*conn, &reference.0, &viewer).await?;
    let view = if area {
        view::of(&*conn, &campaign).await?
    } else {
        view::entry(&*conn, &campaign).await?
    };
    let tag = public::tag(campaign.version, view.imagery.revision);
    etag::respond_json(&req, &tag, "private, no-cache", &view)
}

/// Change a campaign
///
/// A merge patch (RFC 7396): members that are named change, the rest stays. Once the campaign is
/// published, slug and cell zoom stay and no tag type goes away. Priorities may then change in any
/// way, and the area (or what is left out of it) as long as no cell is lost. The campaign stays
/// open meanwhile: cells are made and take their new weights in the background, new priority areas
/// first; `preparation` of `…/progress` shows how far. A change may follow before that.
#[utoipa::path(
    tag = "Campaigns",
    params(
        ("campaign" = String, Path, description = "Slug or id.", example = "demo"),
        ("If-Match" = Option<String>, Header, description = "Needed, or 428: ETag of what you read."),
    ),
    request_body(content = Object, description = "Members of a campaign's definition.", example = json!({"looks_wanted": 5})),
    responses(
        (status = 200, description = "The campaign as it is now.", body = Defined),
        (status = 409, description = "That member cannot change now. Codes: `campaign_published`, `campaign_closed`, `area_shrinks`, `tag_type_in_use`, `slug_taken`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "It was changed meanwhile. Code: `changed_meanwhile`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "It cannot be a campaign then; `errors` says why. Codes: `invalid_body`, `campaign_refused`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 428, description = "If-Match is missing. Code: `if_match_required`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = []))
)]
#[patch("/v1/campaigns/{campaign}")]
async fn change(
    app: Data<App>,
    organiser: Organiser,
    req: HttpRequest,
    reference: PathParam<String>,
    patch: Body<Map<String, Value>, AREA_BODY_BYTES_MAX>,
) -> Result<HttpResponse, Problem> {
    let campaign = owned(&app, &organiser, &reference.0).await?;
    etag::require_version(&req, campaign.version)?;
    let (campaign, notes) = changes::change(&app, &organiser, &campaign, patch.0).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::ETAG, format!("\"{}\"", campaign.version)))
        .json(Defined { campaign, notes }))
}

async fn owned(app: &App, organiser: &Organiser, reference: &str) -> Result<Campaign, Problem> {
    organiser.require(Scope::Campaigns)?;
    let conn = app.db.get().await?;
    super::find(&*conn, reference, &Viewer::Organiser(organiser.clone())).await
}
