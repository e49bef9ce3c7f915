//! What organisers do with a campaign: publish, pause, resume, close, clone, delete.

use actix_web::{HttpRequest, HttpResponse, delete, http::header, post, web::Data};
use serde::Deserialize;
use utoipa::ToSchema;

use super::owned;
use crate::{
    accounts::Organiser,
    campaigns::{define, state::Action, view::CampaignView},
    http::{PathParam, Problem, ProblemBody, Routes, etag, extract::OptionalBody},
    state::App,
};

pub fn routes(config: &mut Routes<'_>) {
    config
        .service(publish)
        .service(pause)
        .service(resume)
        .service(close)
        .service(clone)
        .service(remove);
}

/// Publish a campaign
///
/// Its cells are made in the background (`progress` shows how far), then it opens by itself.
/// May be repeated.
#[utoipa::path(tag = "Campaigns",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    responses(
        (status = 200, description = "The campaign as it is now.", body = CampaignView),
        (status = 409, description = "Not possible in this state. Codes: `state_conflict`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "Somebody changed it at the same moment. Code: `changed_meanwhile`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = [])))]
#[post("/v1/campaigns/{campaign}/publish")]
async fn publish(
    app: Data<App>,
    organiser: Organiser,
    reference: PathParam<String>,
) -> Result<HttpResponse, Problem> {
    steer(&app, &organiser, &reference.0, Action::Publish, None).await
}

/// What volunteers read while the campaign is paused.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Pause {
    /// In the organiser's words.
    #[schema(
        max_length = 500,
        example = "Pictures from this morning arrive around 16:00."
    )]
    message: Option<String>,
}

/// Pause a campaign
///
/// No squares are given until it is resumed; looks that were begun are still taken.
#[utoipa::path(tag = "Campaigns",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    request_body(content = Option<Pause>),
    responses(
        (status = 200, description = "The campaign as it is now.", body = CampaignView),
        (status = 409, description = "Not possible in this state. Code: `state_conflict`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "Somebody changed it at the same moment. Code: `changed_meanwhile`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = [])))]
#[post("/v1/campaigns/{campaign}/pause")]
async fn pause(
    app: Data<App>,
    organiser: Organiser,
    reference: PathParam<String>,
    body: OptionalBody<Pause>,
) -> Result<HttpResponse, Problem> {
    steer(
        &app,
        &organiser,
        &reference.0,
        Action::Pause,
        body.0.message,
    )
    .await
}

/// Resume a paused campaign
#[utoipa::path(tag = "Campaigns",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    responses(
        (status = 200, description = "The campaign as it is now.", body = CampaignView),
        (status = 409, description = "Not possible in this state. Code: `state_conflict`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "Somebody changed it at the same moment. Code: `changed_meanwhile`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = [])))]
#[post("/v1/campaigns/{campaign}/resume")]
async fn resume(
    app: Data<App>,
    organiser: Organiser,
    reference: PathParam<String>,
) -> Result<HttpResponse, Problem> {
    steer(&app, &organiser, &reference.0, Action::Resume, None).await
}

/// Close a campaign
///
/// For good. Looks at squares that were given before are still taken.
#[utoipa::path(tag = "Campaigns",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    responses(
        (status = 200, description = "The campaign as it is now.", body = CampaignView),
        (status = 409, description = "Not possible in this state. Code: `state_conflict`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "Somebody changed it at the same moment. Code: `changed_meanwhile`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = [])))]
#[post("/v1/campaigns/{campaign}/close")]
async fn close(
    app: Data<App>,
    organiser: Organiser,
    reference: PathParam<String>,
) -> Result<HttpResponse, Problem> {
    steer(&app, &organiser, &reference.0, Action::Close, None).await
}

/// The name of a copy.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Clone {
    /// Slug of the copy; a numbered one when it is absent.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = "^[a-z0-9][a-z0-9_-]*$",
        example = "missing-aircraft-2"
    )]
    slug: Option<String>,
}

/// Clone a campaign
///
/// Makes a draft like it, without dates and looks.
#[utoipa::path(tag = "Campaigns",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    request_body(content = Option<Clone>),
    responses(
        (status = 201, description = "The draft; `Location` is its address.", body = CampaignView),
        (status = 409, description = "The slug is taken. Code: `slug_taken`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = [])))]
#[post("/v1/campaigns/{campaign}/clone")]
async fn clone(
    app: Data<App>,
    organiser: Organiser,
    reference: PathParam<String>,
    body: OptionalBody<Clone>,
) -> Result<HttpResponse, Problem> {
    let campaign = owned(&app, &organiser, &reference.0).await?;
    let copy = define::clone(&app, &organiser, &campaign, body.0.slug).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/v1/campaigns/{}", copy.slug)))
        .insert_header((header::ETAG, format!("\"{}\"", copy.version)))
        .json(copy))
}

async fn steer(
    app: &App,
    organiser: &Organiser,
    reference: &str,
    action: Action,
    message: Option<String>,
) -> Result<HttpResponse, Problem> {
    let campaign = owned(app, organiser, reference).await?;
    let view = define::steer(app, organiser, &campaign, action, message).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::ETAG, format!("\"{}\"", view.version)))
        .json(view))
}

/// Delete a draft
///
/// What was published stays: close it instead.
#[utoipa::path(tag = "Campaigns",
    params(
        ("campaign" = String, Path, description = "Slug or id.", example = "demo"),
        ("If-Match" = Option<String>, Header, description = "ETag of what you read: then nothing newer is deleted."),
    ),
    responses(
        (status = 204, description = "Deleted."),
        (status = 409, description = "It was published. Code: `campaign_published`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "It was changed meanwhile. Code: `changed_meanwhile`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = [])))]
#[delete("/v1/campaigns/{campaign}")]
async fn remove(
    app: Data<App>,
    organiser: Organiser,
    req: HttpRequest,
    reference: PathParam<String>,
) -> Result<HttpResponse, Problem> {
    let campaign = owned(&app, &organiser, &reference.0).await?;
    if req.headers().contains_key(header::IF_MATCH) {
        etag::require_version(&req, campaign.version)?;
    }
    define::delete(&app, &campaign).await?;
    Ok(HttpResponse::NoContent().finish())
}
