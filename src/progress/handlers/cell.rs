//! One cell, for organisers: who looked, when, and what they answered.

use actix_web::{HttpResponse, get, http::header, web::Data};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    accounts::{Organiser, Scope, Viewer},
    assignments, campaigns,
    cells::{self, CellState},
    geo::{cell::CellId, tile::Tile},
    http::{PathParam, Problem},
    progress::queries,
    state::App,
};

/// A cell of a campaign and the looks at it.
#[derive(Serialize, ToSchema)]
struct CellView {
    /// The square as `z/x/y`.
    #[schema(example = "17/10043/39631")]
    cell: String,
    /// West, south, east, north.
    #[schema(min_items = 4, max_items = 4, value_type = Vec<f64>)]
    bbox: [f64; 4],
    state: CellState,
    /// Key of the layer that it is shown on instead of the campaign's.
    imagery_layer: Option<String>,
    /// When something was last decided about it.
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
    /// Weight of the priority areas that touch it; 1 outside.
    weight: f32,
    /// Looks that count: distinct volunteers who answered `tagged` or `nothing`, since the cell was
    /// reset.
    looks: i16,
    /// Distinct volunteers who reported bad imagery, since the cell was reset or got its layer.
    bad_imagery: i16,
    /// Tags that were not withdrawn.
    tags: i32,
    /// Volunteers who hold it now.
    leases: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_look_at: Option<Timestamp>,
    /// Looks of every outcome, newest first; 100 at most.
    #[schema(max_items = 100)]
    answers: Vec<AnswerView>,
}

/// One look at the cell.
#[derive(Serialize, ToSchema)]
struct AnswerView {
    look_id: Uuid,
    /// A random number, not a name.
    volunteer_id: Uuid,
    #[schema(example = "tagged")]
    outcome: String,
    /// Tags of this look that were not withdrawn.
    tags: i64,
    /// How long they looked, by their own clock.
    seconds: f64,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
}

/// What happened in a cell
///
/// Its looks, tags and leases, for organisers.
#[utoipa::path(
    tag = "Progress",
    params(
        ("campaign" = String, Path, description = "Slug or id.", example = "demo"),
        ("z" = u8, Path, description = "Zoom of the cell.", example = 17),
        ("x" = u32, Path, description = "Column.", example = 10043),
        ("y" = u32, Path, description = "Row, from the north.", example = 39631),
    ),
    responses((status = 200, description = "The cell.", body = CellView)),
    security(("organiser" = []))
)]
#[get("/v1/campaigns/{campaign}/cells/{z}/{x}/{y}")]
pub(super) async fn read_cell(
    app: Data<App>,
    organiser: Organiser,
    path: PathParam<(String, u8, u32, u32)>,
) -> Result<HttpResponse, Problem> {
    organiser.require(Scope::Read)?;
    let (reference, z, x, y) = path.0;
    let conn = app.db.get().await?;
    let campaign = campaigns::find(&*conn, &reference, &Viewer::Organiser(organiser)).await?;
    let missing = || cells::not_found(&format!("{z}/{x}/{y}"), &campaign);
    let tile = Tile::new(z, x, y).map_err(|_e| missing())?;
    let id = CellId::from(tile).get();
    let cell = queries::cell(&*conn, campaign.id, id)
        .await?
        .ok_or_else(missing)?;
    let decided = cells::decided(&*conn, campaign.id, id).await?;
    let state = CellState::of(
        decided.closed,
        cell.bad_imagery,
        cell.looks,
        campaign.looks_wanted,
    );
    let answers = queries::answers(&*conn, campaign.id, id).await?;
    drop(conn);
    let leases = assignments::leases(&app.db, campaign.id, tile.into()).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(CellView {
            cell: tile.to_string(),
            bbox: tile.bbox().edges(),
            state,
            imagery_layer: decided.imagery_layer,
            decided_at: decided.at,
            weight: cell.weight,
            looks: cell.looks,
            bad_imagery: cell.bad_imagery,
            tags: cell.tags,
            leases: i64::try_from(leases).unwrap_or(i64::MAX),
            last_look_at: answers.first().map(|answer| answer.received_at),
            answers: answers
                .into_iter()
                .map(|answer| AnswerView {
                    look_id: answer.look_id,
                    volunteer_id: answer.volunteer_id,
                    outcome: answer.outcome,
                    tags: answer.tags,
                    seconds: answer.seconds,
                    received_at: answer.received_at,
                })
                .collect(),
        }))
}
