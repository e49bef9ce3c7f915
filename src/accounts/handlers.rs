//! Sign-up of volunteers; who an organiser is.

use actix_web::{HttpResponse, get, http::header, post, web::Data};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Departed, DeviceSecret, LetIn, Organiser, Standing, Token, TokenKeys, extract::forgotten,
};
use crate::{
    http::{OptionalBody, Problem, ProblemBody, Routes},
    state::App,
};

pub fn routes(config: &mut Routes<'_>) {
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
        let volunteer = let_in.new_volunteer(keys);
        Self::with(keys, now, Token { volunteer, mark: 0 })
    }

    /// Gives a token to somebody who is known.
    pub fn with(keys: &TokenKeys, now: Timestamp, token: Token) -> Self {
        Self {
            volunteer_id: token.volunteer,
            token: keys.sign_marked(token, now),
        }
    }

    /// Signs a device up, as the same volunteer each time.
    fn device(
        keys: &TokenKeys,
        departed: &Departed,
        now: Timestamp,
        secret: &DeviceSecret,
    ) -> Result<Self, Problem> {
        let volunteer = keys
            .volunteer_of(secret)
            .ok_or_else(|| Problem::internal(&"no key makes volunteers of devices"))?;
        let token = match departed.standing(volunteer) {
            Standing::Present => Token { volunteer, mark: 0 },
            Standing::Joined(joined) => Token {
                volunteer: joined.id,
                mark: joined.mark,
            },
            Standing::Forgotten => return Err(forgotten()),
        };
        Ok(Self::with(keys, now, token))
    }
}

/// How somebody signs up.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignUp {
    /// Made by the device, once, from the system's generator of random bytes, also without a network, and told to
    /// nobody but this call: who has it is the volunteer. Without one each call makes another volunteer.
    #[schema(value_type = Option<String>, min_length = 43, max_length = 43, pattern = "^[A-Za-z0-9_-]{43}$", example = "q1Tz0mQeXo5c8iZr3hWJ4uYb7sKd2vNfLgApRtUyE6k")]
    device_secret: Option<DeviceSecret>,
}

/// Sign up as a volunteer
///
/// Anonymous and free of forms. Nothing is stored until the first look. With a `device_secret` the same volunteer is given
/// each time and by every server, so a call whose answer was lost can be repeated.
#[utoipa::path(
    tag = "Volunteers",
    request_body(content = Option<SignUp>, description = "May be absent."),
    responses(
        (status = 201, description = "A token for a new volunteer, or for that of the device.", body = SignedUp),
        (status = 403, description = "The device's volunteer was forgotten: make another secret. Code: `volunteer_forgotten`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The secret is none: another length, other signs, or bytes that are not random. Code: `invalid_body`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/volunteers")]
async fn sign_up(
    app: Data<App>,
    keys: Data<TokenKeys>,
    departed: Data<Departed>,
    let_in: LetIn,
    body: OptionalBody<SignUp>,
) -> Result<HttpResponse, Problem> {
    let now = app.clock.now();
    let signed_up = match &body.0.device_secret {
        None => SignedUp::now(&keys, now, let_in),
        Some(secret) => SignedUp::device(&keys, &departed, now, secret)?,
    };
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(signed_up))
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
