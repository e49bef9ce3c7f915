//! Cells over HTTP: those that wait for a decision or had one, and deciding.

use actix_web::{HttpRequest, HttpResponse, get, http::header, patch, web::Data};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    model::{CellState, Decision, Listed, ListedCell, Verdict},
    queries,
};
use crate::{
    accounts::{Organiser, Scope, Viewer},
    campaigns::{self, Campaign},
    http::{Body, PathParam, Problem, ProblemBody, Query, Routes, page},
    state::App,
};

pub fn routes(config: &mut Routes<'_>) {
    config.service(list).service(decide);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    state: Listed,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct CellPage {
    cells: Vec<ListedCellView>,
    /// Address of the next page, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A cell that waits for a decision, or about which one was made.
#[derive(Serialize, ToSchema)]
struct ListedCellView {
    /// The square as `z/x/y`.
    #[schema(example = "17/10043/39631")]
    cell: String,
    /// West, south, east, north.
    #[schema(min_items = 4, max_items = 4, value_type = Vec<f64>)]
    bbox: [f64; 4],
    state: CellState,
    /// Looks that count: distinct volunteers who answered `tagged` or `nothing`.
    looks: i16,
    /// Distinct volunteers who reported bad imagery, as far as it counts.
    bad_imagery: i16,
    /// Tags that were not withdrawn.
    tags: i32,
    /// Weight of the priority areas that touch it; 1 outside.
    weight: f32,
    /// Key of the layer that it is shown on instead of the campaign's.
    imagery_layer: Option<String>,
    /// When something was last decided about it.
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
}

/// List cells that wait for a decision, or had one
///
/// For organisers, in the order of their names. `bad_imagery` are the cells that three volunteers or more
/// reported: nobody is given them until they get another layer, are reset or closed.
#[utoipa::path(
    tag = "Cells",
    params(
        ("campaign" = String, Path, description = "Slug or id.", example = "demo"),
        ("state" = inline(Listed), Query, description = "Which cells: `bad_imagery`, `closed`, or `decided` for all about which something was ever decided."),
        ("limit" = Option<u32>, Query, description = "Cells on a page; 100 unless told.", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "Where to go on; from `next`."),
    ),
    responses((status = 200, description = "A page of cells.", body = CellPage)),
    security(("organiser" = []))
)]
#[get("/v1/campaigns/{campaign}/cells")]
async fn list(
    app: Data<App>,
    organiser: Organiser,
    req: HttpRequest,
    reference: PathParam<String>,
    query: Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Read)?;
    let limit = page::page_size(query.0.limit)?;
    let after: i64 = page::decode_cursor(query.0.cursor.as_deref())?.unwrap_or(-1);
    let conn = app.db.get().await?;
    let campaign = campaigns::find(&*conn, &reference.0, &Viewer::Organiser(organiser)).await?;
    let wanted = i64::from(limit) + 1;
    let mut cells = queries::list(&*conn, campaign.id, query.0.state, after, wanted).await?;
    let next = page::cut(&mut cells, limit).map(|last| {
        let cursor = page::encode_cursor(&last.cell.get());
        page::next_url(req.path(), req.query_string(), &cursor)
    });
    let cells = cells
        .into_iter()
        .map(|cell| view(cell, &campaign))
        .collect();
    Ok(page::respond(
        &CellPage {
            cells,
            next: next.clone(),
        },
        next.as_deref(),
    ))
}

/// What became of one cell.
#[derive(Serialize, ToSchema)]
struct CellResult {
    /// As it was sent.
    #[schema(example = "17/10043/39631")]
    cell: String,
    /// `changed`, `unchanged` (it was so already) or `invalid`.
    #[schema(example = "changed")]
    verdict: &'static str,
    /// Why nothing was decided about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemBody>,
}

#[derive(Serialize, ToSchema)]
struct CellResults {
    /// One for each cell, in order.
    results: Vec<CellResult>,
}

/// Decide about cells
///
/// Gives them another imagery layer, closes or resets them. Each cell is judged for itself: one that
/// is not of the campaign never fails its neighbours. What changes makes a new version of the
/// campaign and is in force within two seconds. Safe to repeat: what is so already stays.
#[utoipa::path(
    tag = "Cells",
    params(("campaign" = String, Path, description = "Slug or id.", example = "demo")),
    request_body(content = Decision, description = "256 KiB at most."),
    responses(
        (status = 200, description = "What became of each cell. Codes of a `problem`: `decision_refused`, `cell_not_found`.", body = CellResults),
        (status = 409, description = "The campaign is neither open nor paused. Code: `state_conflict`.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Nothing was decided about any cell; `errors` says why. Codes: `invalid_body`, `decision_refused`.", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("organiser" = []))
)]
#[patch("/v1/campaigns/{campaign}/cells")]
async fn decide(
    app: Data<App>,
    organiser: Organiser,
    reference: PathParam<String>,
    decision: Body<Decision>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Campaigns)?;
    let viewer = Viewer::Organiser(organiser.clone());
    let conn = app.db.get().await?;
    let campaign = campaigns::find(&*conn, &reference.0, &viewer).await?;
    drop(conn);
    let verdicts = super::decide(&app, &organiser, &campaign, &decision.0).await?;
    let results = decision
        .0
        .cells
        .into_iter()
        .zip(verdicts)
        .map(|(cell, verdict)| CellResult {
            cell,
            verdict: verdict.as_str(),
            problem: match verdict {
                Verdict::Invalid(problem) => Some(problem.body()),
                Verdict::Changed | Verdict::Unchanged => None,
            },
        })
        .collect();
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(CellResults { results }))
}

fn view(cell: ListedCell, campaign: &Campaign) -> ListedCellView {
    let tile = cell.cell.tile();
    let state = CellState::of(
        cell.decided.closed,
        cell.bad_imagery,
        cell.looks,
        campaign.looks_wanted,
    );
    ListedCellView {
        cell: tile.to_string(),
        bbox: tile.bbox().edges(),
        state,
        looks: cell.looks,
        bad_imagery: cell.bad_imagery,
        tags: cell.tags,
        weight: cell.weight,
        imagery_layer: cell.decided.imagery_layer,
        decided_at: cell.decided.at,
    }
}
