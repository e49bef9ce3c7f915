//! The mode over HTTP.

use actix_web::{HttpResponse, get, http::header, patch, web::Data};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::{
    Admission,
    mode::{Change, Mode, ServiceMode},
};
use crate::{
    accounts::{Organiser, Scope},
    http::{Body, Problem, Routes},
    state::App,
};

pub fn routes(config: &mut Routes<'_>) {
    config.service(read_mode).service(change_mode);
}

/// How is the service run
///
/// Answered in every mode, from memory. A change is in force at every server within two seconds.
#[utoipa::path(tag = "Operations", responses((status = 200, description = "Mode, the part of the volunteers that is let in, and what the operators say.", body = ServiceMode)))]
#[get("/v1/mode")]
async fn read_mode(admission: Data<Admission>) -> HttpResponse {
    view(&admission.mode().whole())
}

/// What is to be different.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::option_option,
    reason = "absent, null and a text are three things"
)]
struct ModeChange {
    #[serde(default)]
    mode: Option<Mode>,
    /// Of a hundred volunteers so many are let in. Who is let in at 20 is also at 40. Looks are taken
    /// from everybody, and organisers are always let in.
    #[serde(default)]
    #[schema(minimum = 5, maximum = 100, example = 20)]
    admit_percent: Option<u8>,
    /// What people are told; null removes it. A new mode removes it too, unless there is a new one.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500, example = "We are moving to a larger machine and are back at 16:00.")]
    message: Option<Option<String>>,
}

/// Change how the service is run
///
/// For admins, in every mode. What is not named stays.
#[utoipa::path(
    tag = "Operations",
    request_body = ModeChange,
    responses((status = 200, description = "What is in force at this server now, and at every server within two seconds.", body = ServiceMode)),
    security(("organiser" = []))
)]
#[patch("/v1/mode")]
async fn change_mode(
    app: Data<App>,
    admission: Data<Admission>,
    organiser: Organiser,
    body: Body<ModeChange>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Admin)?;
    let change = Change {
        mode: body.0.mode,
        admit_percent: body.0.admit_percent,
        message: body.0.message,
    };
    change.check().map_err(|errors| {
        Problem::unprocessable("invalid_body", "The mode was not changed.", errors)
    })?;
    let service = super::change(&app.db, &change).await?;
    tracing::info!(
        organiser.id = %organiser.id,
        mode = service.mode.as_str(),
        admit_percent = service.admit_percent,
        "an admin changed the mode"
    );
    admission.mode().set(service.clone());
    Ok(view(&service))
}

fn view(service: &ServiceMode) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(service)
}

/// Tells a member that is null from one that is absent.
#[expect(
    clippy::option_option,
    reason = "absent, null and a text are three things"
)]
fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
}
