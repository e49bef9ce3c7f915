//! Progress over HTTP: the numbers here, the map and one cell beside.

mod cell;
mod map;

use std::{collections::BTreeMap, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::{StatusCode, header},
    web::Data,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{
    READER, queries,
    rates::{self, Period, RatesView},
};
use crate::{
    accounts::Viewer,
    cache::{Key, Loaded},
    campaigns::{self, Activity, Campaign, Reference, State},
    feed,
    http::{PathParam, Problem, Query, Routes, etag, ready::Ready},
    state::App,
};

pub fn routes(config: &mut Routes<'_>) {
    config
        .service(read)
        .service(map::read_cells)
        .service(cell::read_cell);
}

#[derive(Serialize, ToSchema)]
struct ProgressView {
    /// Slug of the campaign.
    campaign: String,
    state: State,
    /// Looks, tags and decisions about cells up to this time are counted.
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// How far the numbers are behind, in seconds.
    lag_seconds: f64,
    cells: i64,
    /// Cells that three volunteers or more reported as bad imagery and that are not closed; they are
    /// not given until the organiser decides about them.
    cells_bad_imagery: i64,
    /// Part of the cells that are done, without those that are closed: 0 to 1.
    coverage: f64,
    area_km2: f64,
    /// Looks that the cells want, all together, without those that are closed.
    looks_expected: i64,
    /// Looks that the cells still want, those with bad imagery among them.
    looks_missing: i64,
    looks_by_outcome: OutcomesView,
    volunteers: i64,
    #[serde(flatten)]
    activity: Activity,
    /// The minute of the first look.
    #[schema(value_type = Option<String>, format = DateTime)]
    first_look_at: Option<Timestamp>,
    #[schema(example = json!({"wreckage": 143}))]
    tags_by_type: BTreeMap<String, i64>,
    rates: RatesView,
    /// How far the cells are made, while the campaign is being prepared or its area or priorities
    /// changed; `null` when all is as the campaign says.
    preparation: Option<PreparationView>,
}

#[derive(Serialize, ToSchema)]
struct OutcomesView {
    tagged: i64,
    nothing: i64,
    skipped: i64,
    bad_imagery: i64,
}

#[derive(Serialize, ToSchema)]
struct PreparationView {
    cells_prepared: i64,
    cells: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgressQuery {
    period: Option<Period>,
}

/// How far is it
///
/// Every number is derived from looks, tags and decisions about cells; `spotter verify` recounts them.
/// Organisers are told how it is now; everybody else shares an answer that is at most two seconds old
/// (`as_of`).
#[utoipa::path(
    tag = "Progress",
    params(
        ("campaign" = String, Path, description = "Slug or id.", example = "demo"),
        ("period" = inline(Option<Period>), Query, description = "What `rates` cover; the last hour unless told."),
    ),
    responses((status = 200, description = "The campaign's progress.", body = ProgressView)),
    security((), ("organiser" = []))
)]
#[get("/v1/campaigns/{campaign}/progress")]
async fn read(
    req: HttpRequest,
    app: Data<App>,
    viewer: Viewer,
    reference: PathParam<String>,
    query: Query<ProgressQuery>,
) -> Result<HttpResponse, Problem> {
    let (reference, period) = (reference.0, query.0.period.unwrap_or_default());
    if viewer.may_read() {
        let view = of(&app, &reference, &viewer, period).await?;
        return Ok(HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "private, no-cache"))
            .json(view));
    }
    let parsed = Reference::parse(&reference).ok_or_else(|| campaigns::not_found(&reference))?;
    let key = Key::Progress {
        reference: parsed.to_string(),
        period: period.as_str(),
    };
    let app_too = app.get_ref().clone();
    let load = move |_known| load(app_too, parsed.to_string(), period);
    let shown: Option<Arc<Ready>> = app.cache.get_or_load(key, load).await?;
    let shown = shown.ok_or_else(|| campaigns::not_found(&reference))?;
    Ok(shown.respond(req.headers()))
}

/// The answer that everybody is given; none unless everybody may see the campaign.
async fn load(app: App, reference: String, period: Period) -> Result<Loaded<Ready>, Problem> {
    let view = match of(&app, &reference, &Viewer::Public, period).await {
        Ok(view) => view,
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => return Ok(Loaded::Absent),
        Err(problem) => return Err(problem),
    };
    let body = serde_json::to_vec(&view).map_err(|e| Problem::internal(&e))?;
    let tag = etag::of_hash(&Sha256::digest(&body));
    Ok(Loaded::Value(Ready::make(tag, body, None).await?))
}

/// The numbers as they are now.
async fn of(
    app: &App,
    reference: &str,
    viewer: &Viewer,
    period: Period,
) -> Result<ProgressView, Problem> {
    let mut conn = app.db.get().await?;
    // One state of the database, so that the numbers fit together.
    let tx = conn.begin_snapshot().await?;
    let campaign = campaigns::find(&tx, reference, viewer).await?;
    let wanted = i16::try_from(campaign.looks_wanted).unwrap_or(i16::MAX);
    let lag = feed::lag(&tx, READER).await?;
    let activity = campaigns::activity(&tx, &[campaign.id])
        .await?
        .remove(&campaign.id)
        .ok_or_else(|| Problem::internal(&"a campaign has no activity"))?;
    let totals = queries::totals(&tx, campaign.id, wanted).await?;
    let tags_by_type = queries::tags_by_type(&tx, campaign.id).await?;
    let first_look_at = queries::first_minute(&tx, campaign.id).await?;
    let rates = rates::read(&tx, campaign.id, period, first_look_at, lag.now).await?;
    let cells_wanted = campaign.cells - activity.cells_closed;
    let as_of = lag.oldest_unread.unwrap_or(lag.now);
    Ok(ProgressView {
        state: campaign.state,
        as_of,
        lag_seconds: lag.now.duration_since(as_of).as_secs_f64().max(0.0),
        cells: campaign.cells,
        cells_bad_imagery: totals.cells_bad_imagery,
        coverage: share(activity.cells_done, cells_wanted),
        area_km2: campaign.area_km2,
        looks_expected: cells_wanted * i64::from(campaign.looks_wanted),
        looks_missing: totals.looks_missing,
        looks_by_outcome: OutcomesView {
            tagged: totals.tagged,
            nothing: totals.nothing,
            skipped: totals.skipped,
            bad_imagery: totals.bad_imagery,
        },
        volunteers: totals.volunteers,
        activity,
        first_look_at,
        tags_by_type: tags_by_type
            .into_iter()
            .filter(|(_, tags)| *tags != 0)
            .collect(),
        rates,
        preparation: preparation(&campaign),
        campaign: campaign.slug,
    })
}

/// A quotient of counts, exact far beyond the limits of a campaign.
fn share(part: i64, whole: i64) -> f64 {
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "counts stay far below 2^53"
    )]
    let (part, whole) = (part as f64, whole as f64);
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn preparation(campaign: &Campaign) -> Option<PreparationView> {
    let changing = campaign.changing && campaign.state != State::Closed;
    changing.then_some(PreparationView {
        cells_prepared: campaign.cells_prepared,
        cells: campaign.cells,
    })
}
