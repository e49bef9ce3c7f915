//! What a campaign would take and look like, before anything is stored.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use tokio_postgres::GenericClient;
use utoipa::ToSchema;

use super::{
    check::{check_grid, check_priorities},
    define::refused,
    model::{AreaSchema, INSTRUCTIONS_CHARS_MAX, PRIORITIES_MAX, Priority},
    parts::{self, Parts, survey_parts},
    queries,
    survey::{SurveyedArea, count_cells, survey},
    view::{Estimate, instructions_html},
};
use crate::{
    geo::bbox::Bbox,
    http::{
        FieldErrors, Problem,
        text::{Localised, check_localised},
    },
    imagery,
    state::App,
};

/// Imagery layers whose coverage one preview tells.
pub const LAYERS_MAX: usize = 50;

/// What is to be estimated: an area, or instructions, or both.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewOf {
    /// GeoJSON as for a campaign.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<AreaSchema>, example = json!({"type": "Polygon", "coordinates": [[[-152.40, 57.60], [-152.39, 57.60], [-152.39, 57.61], [-152.40, 57.61], [-152.40, 57.60]]]}))]
    area: Option<Value>,
    /// Parts of the area that nobody need search.
    #[schema(value_type = Option<AreaSchema>)]
    leave_out: Option<Value>,
    #[serde(default)]
    #[schema(max_items = 50)]
    priorities: Vec<Priority>,
    #[serde(default = "default_cell_zoom")]
    #[schema(minimum = 10, maximum = 22, default = 17, example = 17)]
    cell_zoom: u8,
    #[serde(default = "default_looks_wanted")]
    #[schema(minimum = 1, maximum = 100, default = 5, example = 3)]
    looks_wanted: u16,
    /// Keys of layers whose coverage of the area is asked for; 50 at most.
    #[serde(default)]
    #[schema(max_items = 50)]
    imagery_layers: Vec<String>,
    /// Markdown per language, to be seen as volunteers will.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    instructions: Localised,
}

/// What was given, `null` too: that is told to be no area.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn default_cell_zoom() -> u8 {
    17
}

fn default_looks_wanted() -> u16 {
    5
}

/// What a campaign would take and look like: without an area, its instructions alone.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum PreviewView {
    Whole(Box<EstimateView>),
    Texts(TextsView),
}

/// Instructions as they will be shown.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TextsView {
    /// HTML that is safe to show, per language.
    #[schema(value_type = BTreeMap<String, String>)]
    instructions_html: Localised,
}

/// The estimate and the parts of the area.
#[derive(Serialize, ToSchema)]
pub struct EstimateView {
    #[serde(flatten)]
    estimate: Estimate,
    /// GeoJSON of the area before anything was left out of it.
    #[schema(value_type = Option<Object>)]
    outline: Option<Value>,
    /// GeoJSON of what is left out, put right.
    #[schema(value_type = Option<Object>)]
    leave_out: Option<Value>,
    leave_out_km2: f64,
    /// Each priority area, as far as it lies in the area.
    priority_parts: Vec<PriorityPart>,
    /// Coverage of the area by each layer that was named.
    coverage: Vec<CoverageView>,
    /// Some cells of the area as `z/x/y`, to try a campaign out; 5 at most.
    #[schema(max_items = 5, example = json!(["17/10043/39631"]))]
    sample_cells: Vec<String>,
    /// Instructions as HTML that is safe to show, per language.
    #[schema(value_type = BTreeMap<String, String>)]
    instructions_html: Localised,
}

/// A priority area within the area of interest.
#[derive(Serialize, ToSchema)]
pub struct PriorityPart {
    cells: u64,
    area_km2: f64,
    /// GeoJSON of the whole priority area, put right.
    #[schema(value_type = Object)]
    area: Value,
}

/// How much of the area a layer covers, by its declared bounds.
#[derive(Serialize, ToSchema)]
pub struct CoverageView {
    imagery_layer: String,
    /// 0 to 1; a layer without bounds covers everything.
    share: f64,
}

/// Estimates a campaign. Every member that cannot be used is reported at once.
pub async fn preview(app: &App, of: PreviewOf) -> Result<PreviewView, Problem> {
    let mut errors = FieldErrors::default();
    check_grid(of.cell_zoom, of.looks_wanted, &mut errors);
    check_priorities(&of.priorities, &mut errors);
    check_localised(
        &mut errors,
        "/instructions",
        &of.instructions,
        INSTRUCTIONS_CHARS_MAX,
        false,
    );
    errors.need(
        of.imagery_layers.len() <= LAYERS_MAX,
        "/imagery_layers",
        || {
            format!(
                "found {}; {LAYERS_MAX} are allowed",
                of.imagery_layers.len()
            )
        },
    );
    errors.need(
        of.area.is_some() || (!of.instructions.is_empty() && of.leave_out.is_none()),
        "/area",
        || "give the area of interest, or instructions alone".to_owned(),
    );
    let estimate = match &of.area {
        Some(area) => estimate(app, &of, area, &mut errors).await?,
        None => None,
    };
    errors.into_result().map_err(refused)?;
    Ok(match estimate {
        Some(estimate) => PreviewView::Whole(Box::new(estimate)),
        None => PreviewView::Texts(TextsView {
            instructions_html: instructions_html(&of.instructions),
        }),
    })
}

async fn estimate(
    app: &App,
    of: &PreviewOf,
    area: &Value,
    errors: &mut FieldErrors,
) -> Result<Option<EstimateView>, Problem> {
    let mut conn = app.db.get().await?;
    // The time limit of a repair belongs to a transaction.
    let tx = conn.begin().await?;
    let surveyed = survey_parts(&tx, area, of.leave_out.as_ref(), errors).await?;
    let priorities = survey_priorities(&tx, &of.priorities, errors).await?;
    let (Some(mut surveyed), true) = (surveyed, errors.is_empty()) else {
        return Ok(None);
    };
    let cells = count_cells(&surveyed.area.ewkb, of.cell_zoom, errors).await?;
    let mut priority_parts = Vec::new();
    for (index, priority) in priorities.into_iter().enumerate() {
        let pointer = format!("/priorities/{index}/area");
        surveyed.area.notes.extend(priority.notes.clone());
        let common = parts::common(&tx, &surveyed.area, &priority, &pointer, errors).await?;
        let (count, area_km2) = match common {
            Ok(part) => {
                let cells = count_cells(&part.ewkb, of.cell_zoom, errors).await?;
                (cells.count, part.area_km2)
            }
            Err(note) => {
                surveyed.area.notes.push(note);
                (0, 0.0)
            }
        };
        priority_parts.push(PriorityPart {
            cells: count,
            area_km2,
            area: priority.geojson,
        });
    }
    let coverage = coverage(&tx, &surveyed.area, &of.imagery_layers, errors).await?;
    let Parts { area, cut } = surveyed;
    Ok(Some(EstimateView {
        estimate: Estimate::new(&area, cells.count, of.cell_zoom, of.looks_wanted),
        leave_out_km2: cut.as_ref().map_or(0.0, |cut| cut.leave_out.area_km2),
        outline: cut.as_ref().map(|cut| cut.outline.geojson.clone()),
        leave_out: cut.map(|cut| cut.leave_out.geojson),
        priority_parts,
        coverage,
        sample_cells: cells.sample.iter().map(ToString::to_string).collect(),
        instructions_html: instructions_html(&of.instructions),
    }))
}

/// Surveys priority areas; shorter than what was given when one was refused.
pub async fn survey_priorities(
    db: &impl GenericClient,
    priorities: &[Priority],
    errors: &mut FieldErrors,
) -> Result<Vec<SurveyedArea>, Problem> {
    let mut surveyed = Vec::new();
    for (index, priority) in priorities.iter().enumerate().take(PRIORITIES_MAX) {
        let pointer = format!("/priorities/{index}/area");
        surveyed.extend(survey(db, &priority.area, &pointer, errors).await?);
    }
    Ok(surveyed)
}

async fn coverage(
    db: &impl GenericClient,
    area: &SurveyedArea,
    keys: &[String],
    errors: &mut FieldErrors,
) -> Result<Vec<CoverageView>, Problem> {
    let mut coverage = Vec::new();
    for (index, key) in keys.iter().enumerate().take(LAYERS_MAX) {
        let Some(layer) = imagery::find(db, key).await? else {
            errors.push(
                format!("/imagery_layers/{index}"),
                format!("there is no imagery layer {key:?}; GET /v1/imagery lists them"),
            );
            continue;
        };
        let boxes = layer.definition.bounds.map(Bbox::split);
        let share = match boxes {
            Some(boxes) => queries::share_within(db, &area.ewkb, &boxes).await?,
            None => 1.0,
        };
        coverage.push(CoverageView {
            imagery_layer: key.clone(),
            share,
        });
    }
    Ok(coverage)
}
