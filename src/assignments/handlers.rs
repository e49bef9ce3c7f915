//! Where to look next, over HTTP.

use actix_web::{HttpResponse, http::header, post, web::Data};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{COUNT_MAX, Deal};
use crate::{
    accounts::{MaybeVolunteer, SignedUp, TokenKeys},
    campaigns::{self, Running},
    geo::LonLat,
    http::{FieldErrors, PathParam, Problem, ProblemBody, extract::OptionalBody},
    state::App,
};

pub fn routes(config: &mut ServiceConfig) {
    config.service(deal);
}

/// How many squares, and near what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 50, default = 1, example = 3)]
    count: u16,
    /// Longitude, latitude: squares near this place come first.
    #[serde(default)]
    #[schema(value_type = Option<Vec<f64>>, min_items = 2, max_items = 2, example = json!([-152.4, 57.6]))]
    near: Option<[f64; 2]>,
}

fn one() -> u16 {
    1
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            count: one(),
            near: None,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct AssignmentView {
    /// The square as `z/x/y`.
    #[schema(example = "17/10000/39000")]
    cell: String,
    /// West, south, east, north.
    #[schema(value_type = Vec<f64>, min_items = 4, max_items = 4)]
    bbox: [f64; 4],
    /// Until then nobody else is given the square in your stead. A later look still counts.
    #[schema(value_type = String, format = DateTime)]
    lease_expires_at: Timestamp,
    /// Why this one: `new`, `priority`, `near`, `again` when it was given to you before, `tail` when
    /// others were given it some time ago and it is one of the last.
    #[schema(example = "new")]
    reason: &'static str,
    /// Version of the campaign that was in force.
    campaign_version: i32,
}

#[derive(Serialize, ToSchema)]
struct DealView {
    assignments: Vec<AssignmentView>,
    /// True when there is nothing for this volunteer now.
    exhausted: bool,
    /// When others hold the last squares: seconds until the first may come back.
    retry_after_seconds: Option<i64>,
    /// Who you are from now on, when you asked without a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    volunteer: Option<SignedUp>,
}

/// Where should I look next
///
/// Gives squares that were not given to you before, as long as there are any. Without a token you
/// are signed up in the same call, as by `POST /v1/volunteers`; the answer then has `volunteer`.
#[utoipa::path(
    tag = "Volunteers",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    request_body(content = Option<Wanted>, description = "One square, when it is absent."),
    responses(
        (status = 200, description = "Squares, at most as many as wanted.", body = DealView),
        (status = 409, description = "No squares are given now. Codes: `campaign_paused` (with the organisers' `message`), `campaign_closed`, `campaign_not_started`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []), ())
)]
#[post("/v1/campaigns/{campaign}/assignments")]
async fn deal(
    app: Data<App>,
    keys: Data<TokenKeys>,
    caller: MaybeVolunteer,
    reference: PathParam<String>,
    wanted: OptionalBody<Wanted>,
) -> Result<HttpResponse, Problem> {
    let near = check(&wanted.0)?;
    let campaign = campaigns::running(&app, &reference.0).await?;
    campaign.check_open(app.clock.now())?;
    let (volunteer_id, signed_up) = if let Some(volunteer) = caller.0 {
        (volunteer.id, None)
    } else {
        let new = SignedUp::now(&keys, app.clock.now());
        (new.volunteer_id, Some(new))
    };
    let dealt = super::deal(&app, volunteer_id, &campaign, wanted.0.count, near).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(view(&dealt, &campaign, signed_up)))
}

fn check(wanted: &Wanted) -> Result<Option<(f64, f64)>, Problem> {
    let mut errors = FieldErrors::default();
    errors.need((1..=COUNT_MAX).contains(&wanted.count), "/count", || {
        format!("found {}; 1 to {COUNT_MAX} are possible", wanted.count)
    });
    let near = wanted.near.map(|[lon, lat]| LonLat::new(lon, lat));
    if let Some(Err(e)) = near {
        errors.push("/near", e.to_string());
    }
    errors.into_result().map_err(|errors| {
        Problem::unprocessable("invalid_body", "Ask for squares in another way.", errors)
    })?;
    Ok(near
        .and_then(Result::ok)
        .map(|place| (place.lon(), place.lat())))
}

fn view(dealt: &Deal, campaign: &Running, volunteer: Option<SignedUp>) -> DealView {
    DealView {
        volunteer,
        exhausted: dealt.assignments.is_empty(),
        retry_after_seconds: dealt.retry_after_secs,
        assignments: dealt
            .assignments
            .iter()
            .map(|assignment| AssignmentView {
                cell: assignment.cell.to_string(),
                bbox: assignment.cell.bbox().edges(),
                lease_expires_at: assignment.lease_expires_at,
                reason: assignment.reason.as_str(),
                campaign_version: campaign.version,
            })
            .collect(),
    }
}
