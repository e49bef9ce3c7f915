//! Tags over HTTP, as GeoJSON.

use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, patch, web::Data};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{TagEdit, TagRow, cell, queries};
use crate::{
    accounts::{Viewer, Volunteer},
    campaigns,
    geo::bbox::Bbox,
    http::{Body, PathParam, Problem, ProblemBody, Query, Routes, etag, page},
    state::App,
};

pub fn routes(config: &mut Routes<'_>) {
    config
        .service(list)
        .service(read)
        .service(edit)
        .service(withdraw);
}

/// A tag as a GeoJSON feature.
#[derive(Serialize, ToSchema)]
pub struct TagFeature {
    #[serde(rename = "type")]
    #[schema(example = "Feature")]
    kind: &'static str,
    id: Uuid,
    /// GeoJSON geometry.
    #[schema(value_type = Object)]
    geometry: Value,
    properties: TagProperties,
}

#[derive(Serialize, ToSchema)]
pub struct TagProperties {
    tag_type: String,
    note: Option<String>,
    /// The square as `z/x/y`.
    cell: String,
    look_id: Uuid,
    /// A random number, not a name.
    volunteer_id: Uuid,
    campaign_version: i32,
    /// Grows with each edit; it is the ETag.
    revision: i32,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// GeoJSON, with the address of the next page.
#[derive(Serialize, ToSchema)]
struct TagCollection {
    #[serde(rename = "type")]
    #[schema(example = "FeatureCollection")]
    kind: &'static str,
    features: Vec<TagFeature>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    bbox: Option<String>,
    tag_type: Option<String>,
    volunteer: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// List tags
///
/// Newest first. An organiser's key shows all; a volunteer sees their own, with `volunteer=me`,
/// so that nobody's eyes are led by others.
#[utoipa::path(
    tag = "Tags",
    params(
        ("campaign" = String, Path, description = "Slug or id.", example = "demo"),
        ("bbox" = Option<String>, Query, description = "west,south,east,north in degrees; west > east crosses the antimeridian.", example = "-152.5,57.5,-152.2,57.7"),
        ("tag_type" = Option<String>, Query, description = "Only tags of this type."),
        ("volunteer" = Option<String>, Query, description = "`me`: only own tags.", example = "me"),
        ("limit" = Option<u32>, Query, description = "Tags on a page; 100 unless told.", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "Where to go on; from `next`."),
    ),
    responses((status = 200, description = "A page of tags.", body = TagCollection)),
    security(("organiser" = []), ("volunteer" = []))
)]
#[get("/v1/campaigns/{campaign}/tags")]
async fn list(
    app: Data<App>,
    viewer: Viewer,
    req: HttpRequest,
    reference: PathParam<String>,
    query: Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    let volunteer_id = whose(&viewer, query.0.volunteer.as_deref())?;
    let limit = page::page_size(query.0.limit)?;
    let bbox: Option<Bbox> = query
        .0
        .bbox
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|e| Problem::bad_request("invalid_query", format!("bbox: {e}")))?;
    let conn = app.db.get().await?;
    let campaign = campaigns::find(&*conn, &reference.0, &viewer).await?;
    let filter = queries::Filter {
        campaign_id: campaign.id,
        volunteer_id,
        // A NUL cannot be part of any type's key, nor be asked of the database.
        tag_type: query
            .0
            .tag_type
            .as_deref()
            .map(|t| if t.contains('\0') { "" } else { t }),
        bbox,
        after: page::decode_cursor(query.0.cursor.as_deref())?,
        limit: i64::from(limit) + 1,
    };
    let mut tags = queries::list(&*conn, &filter).await?;
    let next = page::cut(&mut tags, limit).map(|last: &TagRow| {
        let cursor = page::encode_cursor(&(last.received_at, last.id, last.volunteer_id));
        page::next_url(req.path(), req.query_string(), &cursor)
    });
    let features = tags.into_iter().map(feature).collect::<Result<_, _>>()?;
    Ok(page::respond(
        &TagCollection {
            kind: "FeatureCollection",
            features,
            next: next.clone(),
        },
        next.as_deref(),
    ))
}

/// Read an own tag
#[utoipa::path(
    tag = "Tags",
    params(
        ("campaign" = String, Path, description = "Slug or id.", example = "demo"),
        ("id" = Uuid, Path, description = "Id of the tag."),
    ),
    responses(
        (status = 200, description = "The tag. `ETag` is its revision.", body = TagFeature),
        (status = 304, description = "Not changed since the ETag in If-None-Match."),
    ),
    security(("volunteer" = []))
)]
#[get("/v1/campaigns/{campaign}/tags/{id}")]
async fn read(
    app: Data<App>,
    volunteer: Volunteer,
    req: HttpRequest,
    path: PathParam<(String, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let tag = find(&app, volunteer, &path.0).await?.ok_or_else(no_tag)?;
    let revision = tag.revision.to_string();
    etag::respond_json(&req, &revision, "private, no-cache", &feature(tag)?)
}

/// Edit an own tag
#[utoipa::path(
    tag = "Tags",
    params(
        ("campaign" = String, Path, description = "Slug or id.", example = "demo"),
        ("id" = Uuid, Path, description = "Id of the tag."),
        ("If-Match" = Option<String>, Header, description = "Needed, or 428: ETag of what you read; a new tag has \"1\"."),
    ),
    request_body(content = TagEdit),
    responses(
        (status = 200, description = "The tag as it is now.", body = TagFeature),
        (status = 409, description = "The campaign is closed. Code: `campaign_closed`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "It was changed meanwhile. Code: `changed_meanwhile`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The edit was not stored; `errors` says why. Codes: `invalid_body`, `look_refused`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 428, description = "If-Match is missing. Code: `if_match_required`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []))
)]
#[patch("/v1/campaigns/{campaign}/tags/{id}")]
async fn edit(
    app: Data<App>,
    volunteer: Volunteer,
    req: HttpRequest,
    path: PathParam<(String, Uuid)>,
    change: Body<TagEdit>,
) -> Result<HttpResponse, Problem> {
    let tag = find(&app, volunteer, &path.0).await?.ok_or_else(no_tag)?;
    etag::require_match(&req, &tag.revision.to_string())?;
    let tag = super::edit(&app, &path.0.0, &tag, change.0).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::ETAG, format!("\"{}\"", tag.revision)))
        .json(feature(tag)?))
}

/// Withdraw an own tag
///
/// May be repeated. The look stays; numbers and agreement follow.
#[utoipa::path(
    tag = "Tags",
    params(
        ("campaign" = String, Path, description = "Slug or id.", example = "demo"),
        ("id" = Uuid, Path, description = "Id of the tag."),
        ("If-Match" = Option<String>, Header, description = "Needed, or 428: ETag of what you read; a new tag has \"1\"."),
    ),
    responses(
        (status = 204, description = "Withdrawn, now or before."),
        (status = 412, description = "It was changed meanwhile. Code: `changed_meanwhile`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 428, description = "If-Match is missing. Code: `if_match_required`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []))
)]
#[delete("/v1/campaigns/{campaign}/tags/{id}")]
async fn withdraw(
    app: Data<App>,
    volunteer: Volunteer,
    req: HttpRequest,
    path: PathParam<(String, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let Some(tag) = find(&app, volunteer, &path.0).await? else {
        let (reference, id) = &path.0;
        let conn = app.db.get().await?;
        let campaign = campaigns::find(&*conn, reference, &Viewer::Volunteer(volunteer)).await?;
        return if queries::was_withdrawn(&*conn, volunteer.id, campaign.id, *id).await? {
            Ok(HttpResponse::NoContent().finish())
        } else {
            Err(no_tag())
        };
    };
    etag::require_match(&req, &tag.revision.to_string())?;
    super::withdraw(&app, &tag).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Whose tags may be listed: all for organisers, own ones for volunteers.
fn whose(viewer: &Viewer, volunteer: Option<&str>) -> Result<Option<Uuid>, Problem> {
    match (viewer, volunteer) {
        (_, Some(other)) if other != "me" => Err(Problem::bad_request(
            "invalid_query",
            format!("volunteer: found {other:?}; `me` is possible"),
        )),
        (Viewer::Public, _) => Err(Problem::unauthorized(
            "credentials_missing",
            "Send an organiser's API key, or a volunteer's token with volunteer=me.",
        )),
        (Viewer::Volunteer(volunteer), Some(_)) => Ok(Some(volunteer.id)),
        (Viewer::Volunteer(_), None) => Err(Problem::forbidden(
            "organiser_needed",
            "A volunteer sees own tags only: add volunteer=me.",
        )),
        (Viewer::Organiser(_), Some(_)) => Err(Problem::forbidden(
            "volunteer_needed",
            "volunteer=me needs a volunteer's token.",
        )),
        (viewer, None) if viewer.may_read() => Ok(None),
        _ => Err(Problem::forbidden(
            "scope_missing",
            "This key has not the scope \"read\".",
        )),
    }
}

async fn find(
    app: &App,
    volunteer: Volunteer,
    (reference, id): &(String, Uuid),
) -> Result<Option<TagRow>, Problem> {
    let conn = app.db.get().await?;
    let campaign = campaigns::find(&*conn, reference, &Viewer::Volunteer(volunteer)).await?;
    Ok(queries::find(&*conn, volunteer.id, campaign.id, *id).await?)
}

/// A tag as GeoJSON.
pub fn feature(tag: TagRow) -> Result<TagFeature, Problem> {
    let cell = cell(&tag)?.to_string();
    Ok(TagFeature {
        kind: "Feature",
        id: tag.id,
        geometry: tag.geometry,
        properties: TagProperties {
            tag_type: tag.tag_type,
            note: tag.note,
            cell,
            look_id: tag.look_id,
            volunteer_id: tag.volunteer_id,
            campaign_version: tag.campaign_version,
            revision: tag.revision,
            received_at: tag.received_at,
            updated_at: tag.updated_at,
        },
    })
}

fn no_tag() -> Problem {
    Problem::not_found("tag_not_found", "You have no such tag in this campaign.")
}
