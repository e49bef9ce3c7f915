//! Sign-up of volunteers.

use actix_web::{HttpResponse, http::header, post, web::Data};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::TokenKeys;
use crate::{http::Problem, state::App};

pub fn routes(config: &mut ServiceConfig) {
    config.service(sign_up);
}

/// A new anonymous volunteer.
#[derive(Serialize, ToSchema)]
struct SignedUp {
    /// A random number, not a name.
    volunteer_id: Uuid,
    /// Send it as `Authorization: Bearer`. It does not lapse; keep it, or the looks are another volunteer's.
    #[schema(example = "s1.k1.AZq….…")]
    token: String,
}

/// Sign up as a volunteer
///
/// Anonymous and free of forms. Nothing is stored until the first look.
#[utoipa::path(tag = "Volunteers", responses((status = 201, description = "A token for a new volunteer.", body = SignedUp)))]
#[post("/v1/volunteers")]
async fn sign_up(app: Data<App>, keys: Data<TokenKeys>) -> Result<HttpResponse, Problem> {
    let volunteer_id = Uuid::now_v7();
    let token = keys.sign(volunteer_id, app.clock.now());
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(SignedUp {
            volunteer_id,
            token,
        }))
}
