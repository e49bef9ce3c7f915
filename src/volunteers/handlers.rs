//! Linked devices, export and forgetting over HTTP.

use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, post, web::Data};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    code::Code,
    departure,
    export::{Export, ExportView},
    link::{self, Used},
    queries,
};
use crate::{
    accounts::{Departed, MaybeVolunteer, SignedUp, TokenKeys, Volunteer},
    http::{Body, FieldErrors, Problem, ProblemBody, Query, Routes},
    rates,
    state::App,
};

/// `Retry-After` while what another device had is on its way, in seconds.
const JOINING_RETRY_SECS: u32 = 2;
/// What has to be said to be forgotten.
const FORGET: &str = "forget";

pub fn routes(config: &mut Routes<'_>) {
    config
        .service(make_code)
        .service(use_code)
        .service(export)
        .service(forget);
}

/// A code for another device.
#[derive(Serialize, ToSchema)]
struct CodeView {
    /// Eight signs, none of which is taken for another.
    #[schema(example = "KH4M-9TQW")]
    code: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Make a link code
///
/// Typed into another device, it makes that device the same volunteer. It can be used once, for ten minutes. A volunteer has
/// five at most that can be used; one more ends the oldest.
#[utoipa::path(
    tag = "Volunteers",
    responses((status = 201, description = "The code, which is shown this once.", body = CodeView)),
    security(("volunteer" = []))
)]
#[post("/v1/volunteers/me/link-codes")]
async fn make_code(
    app: Data<App>,
    keys: Data<TokenKeys>,
    volunteer: Volunteer,
) -> Result<HttpResponse, Problem> {
    let (code, expires_at) = link::make_code(&app.db, &keys, volunteer.id).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(CodeView {
            code: code.shown(),
            expires_at,
        }))
}

/// A code of another device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Link {
    /// Hyphens, spaces and small letters do not matter.
    #[schema(max_length = 100, example = "KH4M-9TQW")]
    code: String,
    /// Made by the device, once for each attempt; UUIDv7 advised. With it, or with a token, the same call can be sent again
    /// after a lost answer, as long as the code lasts.
    id: Option<Uuid>,
}

/// Link this device
///
/// Makes this device the volunteer of the device that shows the code: use the token of the answer from now on. Sent with a token,
/// what this device's volunteer did so far becomes that volunteer's too, within seconds, and its old token goes on as that
/// volunteer, so that what the device has not sent yet is not lost. Where both looked at the same square, it has one volunteer
/// less. A volunteer can take in 100 others. Checkpoints of sync from before are refused once (426, `sync_start_again`), so that the
/// device gets all that is the volunteer's.
#[utoipa::path(
    tag = "Volunteers",
    request_body(content = Link),
    responses(
        (status = 200, description = "A token of the volunteer.", body = SignedUp),
        (status = 403, description = "The token's volunteer was forgotten. Code: `volunteer_forgotten`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such code, or it was used or has lapsed. Code: `link_code_unknown`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Too many volunteers were joined. Code: `too_many_joined`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "It cannot be a code. Code: `invalid_body`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong codes, from your network or in all, or too many calls. Code: `too_many_requests`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []), ())
)]
#[post("/v1/volunteers/link")]
async fn use_code(
    req: HttpRequest,
    app: Data<App>,
    keys: Data<TokenKeys>,
    departed: Data<Departed>,
    caller: MaybeVolunteer,
    body: Body<Link>,
) -> Result<HttpResponse, Problem> {
    let code = Code::parse(&body.0.code).map_err(|detail| {
        let mut errors = FieldErrors::default();
        errors.push("/code", detail);
        Problem::unprocessable("invalid_body", "This cannot be a link code.", errors)
    })?;
    let guess = rates::guess(&req).await?;
    let used = link::use_code(&app.db, &keys, &code, caller.known, body.0.id).await?;
    let Used::Linked(token) = used else {
        return Err(Problem::not_found(
            "link_code_unknown",
            "There is no such code, or it was used, or its ten minutes are over. Make a new one on the other device.",
        ));
    };
    guess.was_right();
    learn(&departed, &app).await;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(SignedUp::with(&keys, app.clock.now(), token)))
}

/// Download all that is yours
///
/// All looks, all tags (withdrawn ones too) and whatever else is stored of the volunteer, as one JSON document, streamed whatever its
/// size.
#[utoipa::path(
    tag = "Volunteers",
    responses(
        (status = 200, description = "All of it.", body = ExportView),
        (status = 503, description = "What a linked device had is on its way: try again after `Retry-After`. Code: `joining`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []))
)]
#[get("/v1/volunteers/me/export")]
async fn export(app: Data<App>, volunteer: Volunteer) -> Result<HttpResponse, Problem> {
    let is_joining = queries::is_joining(&*app.db.get().await?, volunteer.id).await?;
    if is_joining {
        return Err(Problem::unavailable(
            "joining",
            "What another device of yours had is on its way to you. Ask again after the time in Retry-After.",
            JOINING_RETRY_SECS,
        ));
    }
    let now = app.clock.now();
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!(
                "attachment; filename=\"spotter-{}.json\"",
                now.strftime("%Y-%m-%d")
            ),
        ))
        .streaming(Export::new(App::clone(&app), volunteer.id).into_stream()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForgetQuery {
    confirm: Option<String>,
}

/// Who is forgotten.
#[derive(Serialize, ToSchema)]
struct ForgottenView {
    volunteer_id: Uuid,
    /// `forgotten`: nobody can act as this volunteer any more, and what they sent is deleted within seconds.
    #[schema(example = "forgotten")]
    state: &'static str,
}

/// Be forgotten
///
/// Deletes all looks, tags and whatever else is stored of the volunteer, of all linked devices, for good; numbers follow, and the squares
/// are given to others. Their tokens are refused from now on (403, `volunteer_forgotten`), within two seconds at every server. May be repeated.
/// Download first what you want to keep.
#[utoipa::path(
    tag = "Volunteers",
    params(("confirm" = String, Query, description = "`forget`: you mean it.", example = "forget")),
    responses(
        (status = 202, description = "It is decided, and is carried out within seconds.", body = ForgottenView),
        (status = 400, description = "It was not confirmed. Codes: `not_confirmed`, `invalid_query`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []))
)]
#[delete("/v1/volunteers/me")]
async fn forget(
    app: Data<App>,
    departed: Data<Departed>,
    volunteer: Volunteer,
    query: Query<ForgetQuery>,
) -> Result<HttpResponse, Problem> {
    if query.0.confirm.as_deref() != Some(FORGET) {
        return Err(Problem::bad_request(
            "not_confirmed",
            "This deletes all that you ever sent, for good. If you mean it, add ?confirm=forget.",
        ));
    }
    departure::forget(&app.db, volunteer.id).await?;
    learn(&departed, &app).await;
    Ok(HttpResponse::Accepted()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ForgottenView {
            volunteer_id: volunteer.id,
            state: "forgotten",
        }))
}

/// This server is to know at once; when it cannot, it will a second later.
async fn learn(departed: &Departed, app: &App) {
    if let Err(cause) = departed.refresh(&app.db).await {
        tracing::warn!(%cause, "departed volunteers cannot be read yet");
    }
}
