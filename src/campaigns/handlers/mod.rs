//! Campaigns over HTTP: define and read here, actions beside.

mod actions;

use actix_web::{HttpRequest, HttpResponse, get, http::header, patch, post, web::Data};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{
    activity, changes, define,
    model::CampaignDefinition,
    preview::{self, PreviewOf, PreviewView},
    queries::{self, Campaign},
    state::State,
    survey::AreaNote,
    view::{self, CampaignView},
};
use crate::{
    accounts::{Organiser, Scope, Viewer},
    http::{Body, PathParam, Problem, ProblemBody, Query, etag, limits::AREA_BODY_BYTES_MAX, page},
    state::App,
};

pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list)
        .service(create)
        .service(estimate)
        .service(read)
        .service(change);
    actions::routes(config);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    state: Option<State>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct CampaignPage {
    /// Without `area` and `priorities`.
    campaigns: Vec<CampaignView>,
    /// Address of the next page, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
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
/// Newest first. Drafts and campaigns in preparation are listed for organisers only.
#[utoipa::path(
    tag = "Campaigns",
    params(
        ("state" = Option<State>, Query, description = "Only campaigns in this state."),
        ("limit" = Option<u32>, Query, description = "Campaigns on a page; 100 unless told.", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "Where to go on; from `next`."),
    ),
    responses((status = 200, description = "Campaigns.", body = CampaignPage)),
    security((), ("organiser" = []))
)]
#[get("/v1/campaigns")]
async fn list(
    app: Data<App>,
    viewer: Viewer,
    req: HttpRequest,
    query: Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    let limit = page::page_size(query.0.limit)?;
    let after: Option<(Timestamp, Uuid)> = page::decode_cursor(query.0.cursor.as_deref())?;
    let states: Vec<&str> = [
        State::Draft,
        State::Preparing,
        State::Open,
        State::Paused,
        State::Closed,
    ]
    .into_iter()
    .filter(|state| state.is_public() || viewer.may_read())
    .filter(|state| query.0.state.is_none_or(|wanted| wanted == *state))
    .map(State::as_str)
    .collect();
    let conn = app.db.get().await?;
    let mut found = queries::list(&*conn, &states, after, i64::from(limit) + 1).await?;
    let next = page::cut(&mut found, limit).map(|last: &Campaign| {
        let cursor = page::encode_cursor(&(last.created_at, last.id));
        page::next_url(req.path(), req.query_string(), &cursor)
    });
    let mut campaigns = Vec::with_capacity(found.len());
    let ids: Vec<Uuid> = found.iter().map(|campaign| campaign.id).collect();
    let activity = activity::read(&*conn, &ids).await?;
    for campaign in &found {
        let mut entry = view::entry(&*conn, campaign).await?;
        entry.activity = activity.get(&campaign.id).copied();
        campaigns.push(entry);
    }
    Ok(page::respond(
        &CampaignPage {
            campaigns,
            next: next.clone(),
        },
        next.as_deref(),
    ))
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
/// Public once the campaign is open.
#[utoipa::path(
    tag = "Campaigns",
    params(
        ("campaign" = String, Path, description = "Slug or id.", example = "demo"),
        ("area" = Option<bool>, Query, description = "`false` leaves out `area`, its parts and `priorities`, which may be megabytes."),
    ),
    responses(
        (status = 200, description = "The campaign. `ETag` is its version.", body = CampaignView),
        (status = 304, description = "Not changed since the ETag in If-None-Match."),
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
    let conn = app.db.get().await?;
    let campaign = super::find(&*conn, &reference.0, &viewer).await?;
    let layer = crate::imagery::by_id(&*conn, campaign.imagery_layer_id).await?;
    // A layer's change shows in the campaign too, so its revision is part of the tag.
    let tag = match layer {
        Some(layer) if layer.revision > 1 => format!("{}-{}", campaign.version, layer.revision),
        _ => campaign.version.to_string(),
    };
    let lifetime = if campaign.state.is_public() {
        "public, no-cache"
    } else {
        "private, no-cache"
    };
    if etag::none_match(req.headers(), &tag) {
        return etag::respond(
            &req,
            &tag,
            lifetime,
            || Ok(bytes::Bytes::new()),
            "application/json",
        );
    }
    let view = if query.0.area.unwrap_or(true) {
        view::of(&*conn, &campaign).await?
    } else {
        view::entry(&*conn, &campaign).await?
    };
    etag::respond_json(&req, &tag, lifetime, &view)
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
