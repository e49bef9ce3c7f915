//! Looks over HTTP.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, http::header, post, web::Data};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Batcher,
    model::{BATCH_MAX, Batch, NewLook, Receipt, Verdict},
    standing::{self, Standing},
    tags,
};
use crate::{
    accounts::Volunteer,
    http::{
        Body, FieldErrors, PathParam, Problem, ProblemBody, Routes, extract,
        limits::BATCH_BODY_BYTES_MAX,
    },
    rates,
    state::App,
};

pub fn routes(config: &mut Routes<'_>) {
    config.service(record).service(record_batch);
    tags::routes(config);
}

/// Send a look
///
/// Safe to repeat: the same content under the same id is answered as the first time. The 2xx is
/// sent after the look was committed.
#[utoipa::path(
    tag = "Volunteers",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    request_body(content = NewLook, description = "256 KiB at most."),
    responses(
        (status = 201, description = "Stored.", body = Receipt),
        (status = 200, description = "It was stored before; the answer of then.", body = Receipt),
        (status = 409, description = "Another look or tag has that id, or the campaign is closed. Codes: `look_id_reused`, `tag_id_reused`, `campaign_closed` (the square was not given to you before), `grace_over` (closed for longer than its `grace_days`).", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The look was not stored; `errors` says why. Codes: `invalid_body`, `look_refused`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Not acknowledged: send the same again after `Retry-After`; it is not stored twice. Codes: `busy` (more than 8,192 looks wait), `database_busy`, `database_away` (not confirmed within 8 s).", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []))
)]
#[post("/v1/campaigns/{campaign}/looks")]
async fn record(
    app: Data<App>,
    batcher: Data<Batcher>,
    volunteer: Volunteer,
    reference: PathParam<String>,
    look: Body<NewLook>,
) -> Result<HttpResponse, Problem> {
    let verdicts =
        super::record(&app, &batcher, volunteer.id, &reference.0, vec![Ok(look.0)]).await?;
    match verdicts.into_iter().next() {
        Some(Verdict::Created(receipt)) => Ok(HttpResponse::Created()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(receipt)),
        Some(Verdict::Repeated(receipt)) => Ok(HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(receipt)),
        Some(Verdict::Conflict(problem) | Verdict::Invalid(problem)) => Err(problem),
        None => Err(Problem::internal(&"a look has no verdict")),
    }
}

/// What became of one look of a batch.
#[derive(Serialize, ToSchema)]
struct ResultView {
    /// As it was sent; null when the look has none that can be read.
    id: Option<Value>,
    /// `created`, `repeated` (stored before), `conflict` (another look has that id) or `invalid`.
    #[schema(example = "created")]
    verdict: &'static str,
    /// How it came in, when it is stored and `standing` was asked for: `counted`; `extra` when the square
    /// had all its looks, or one of yours; `while_paused`; `after_close`. All of them are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<Standing>,
    /// Why it was not stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemBody>,
}

#[derive(Serialize, ToSchema)]
struct ResultsView {
    /// One for each look, in order.
    results: Vec<ResultView>,
}

/// Send many looks
///
/// For phones that were without a network. Looks are taken whenever they come: after their lease, when
/// the square has all its looks, while the campaign is paused, and at squares that were given before within its
/// `grace_days` after the close; with `standing` the answer says which. Each look is judged for itself: a bad one never fails
/// its neighbours. A batch counts as often as it has looks; one that is too much for the limit is
/// refused whole, and nothing of it is stored.
#[utoipa::path(
    tag = "Volunteers",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    request_body(content = Batch, description = "8 MiB at most."),
    responses(
        (status = 200, description = "What became of each look.", body = ResultsView),
        (status = 422, description = "The batch itself cannot be read. Code: `invalid_body`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Not all of it is acknowledged: send the same again after `Retry-After`; nothing is stored twice. Codes: `busy` (more than 8,192 looks wait), `database_busy`, `database_away` (not confirmed within 8 s).", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("volunteer" = []))
)]
#[post("/v1/campaigns/{campaign}/looks/batch")]
async fn record_batch(
    req: HttpRequest,
    app: Data<App>,
    batcher: Data<Batcher>,
    volunteer: Volunteer,
    reference: PathParam<String>,
    batch: Body<Batch, BATCH_BODY_BYTES_MAX>,
) -> Result<HttpResponse, Problem> {
    let Batch { looks, standing } = batch.0;
    let mut errors = FieldErrors::default();
    errors.need((1..=BATCH_MAX).contains(&looks.len()), "/looks", || {
        format!("found {} looks; a batch has 1 to {BATCH_MAX}", looks.len())
    });
    errors.into_result().map_err(|errors| {
        Problem::unprocessable("invalid_body", "Send the looks in other batches.", errors)
    })?;
    rates::charge(&req, volunteer.id, looks.len() - 1).await?;
    let ids: Vec<Option<Value>> = looks.iter().map(|look| id_of(look.get())).collect();
    let given = looks
        .iter()
        .map(|look| extract::parse(look.get().as_bytes()))
        .collect();
    let verdicts = super::record(&app, &batcher, volunteer.id, &reference.0, given).await?;
    let standings = if standing {
        standings_of(&app, volunteer.id, &verdicts).await?
    } else {
        BTreeMap::new()
    };
    let results = ids
        .into_iter()
        .zip(verdicts)
        .map(|(id, verdict)| ResultView {
            id,
            verdict: verdict.as_str(),
            standing: verdict.stored().and_then(|id| standings.get(&id).copied()),
            problem: match verdict {
                Verdict::Conflict(problem) | Verdict::Invalid(problem) => Some(problem.body()),
                Verdict::Created(_) | Verdict::Repeated(_) => None,
            },
        })
        .collect();
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ResultsView { results }))
}

/// How the looks came in that are stored.
async fn standings_of(
    app: &App,
    volunteer_id: Uuid,
    verdicts: &[Verdict],
) -> Result<BTreeMap<Uuid, Standing>, Problem> {
    let stored: Vec<Uuid> = verdicts.iter().filter_map(Verdict::stored).collect();
    Ok(standing::standings(&*app.db.get().await?, volunteer_id, &stored).await?)
}

/// The id of a look that may be wrong in other respects.
fn id_of(look: &str) -> Option<Value> {
    #[derive(Deserialize)]
    struct WithId {
        id: Value,
    }
    let look: WithId = serde_json::from_str(look).ok()?;
    look.id.is_string().then_some(look.id)
}
