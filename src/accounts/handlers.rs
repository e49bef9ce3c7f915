//! Sign-up of volunteers; who an organiser is.

use actix_web::{HttpResponse, get, http::header, post, web::Data};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{LetIn, Organiser, TokenKeys};
use crate::{http::Problem, state::App};

pub fn routes(config: &mut ServiceConfig) {
    config.service(sign_up).service(read_me);
}

/// A new anonymous volunteer.
#[derive(Serialize, ToSchema)]
pub struct SignedUp {
    /// A random number, not a name.
    pub volunteer_id: Uuid,
    /// Send it as `Authorization: Bearer`. It does not lapse; keep it, or the looks are another volunteer's.
    #[schema(example = "s1.k1.AZq….…")]
    token: String,
}

impl SignedUp {
    /// Signs somebody up. Nothing is stored.
    pub fn now(keys: &TokenKeys, now: Timestamp, let_in: LetIn) -> Self {
        let volunteer_id = let_in.new_volunteer(keys);
        Self {
            volunteer_id,
            token: keys.sign(volunteer_id, now),
        }
    }
}

/// Sign up as a volunteer
///
/// Anonymous and free of forms. Nothing is stored until the first look.
#[utoipa::path(tag = "Volunteers", responses((status = 201, description = "A token for a new volunteer.", body = SignedUp)))]
#[post("/v1/volunteers")]
async fn sign_up(
    app: Data<App>,
    keys: Data<TokenKeys>,
    let_in: LetIn,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(SignedUp::now(&keys, app.clock.now(), let_in)))
}

/// The organiser whose key was sent.
#[derive(Serialize, ToSchema)]
struct Me {
    organiser_id: Uuid,
    #[schema(example = "Coast guard, north")]
    name: String,
    /// What the key may do.
    #[schema(example = json!(["campaigns", "imagery", "read"]))]
    scopes: Vec<String>,
}

/// Who am I
///
/// Tells whether an organiser's key is known, and what it may do.
#[utoipa::path(tag = "Organisers",
    responses((status = 200, description = "The organiser.", body = Me)),
    security(("organiser" = [])))]
#[get("/v1/organisers/me")]
async fn read_me(organiser: Organiser) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .json(Me {
            organiser_id: organiser.id,
            scopes: organiser.scopes().to_vec(),
            name: organiser.name,
        })
}
