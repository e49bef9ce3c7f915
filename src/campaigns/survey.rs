//! From an uploaded area to a surveyed one: parsed, repaired, measured, covered by cells.

use actix_web::web;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::GenericClient;
use utoipa::ToSchema;

use super::{
    area::{AreaErrors, ParsedArea},
    model::CELLS_MAX,
    queries,
};
use crate::{
    geo::{Cover, MultiPolygon, ewkb::decode_ewkb_multipolygon, tile::Tile},
    http::{FieldErrors, Problem},
};

/// Cells of a sample.
const SAMPLE_CELLS: u64 = 5;

/// An area that campaigns can use.
#[derive(Clone, Debug)]
pub struct SurveyedArea {
    /// `MultiPolygon` within ±180, valid, as EWKB.
    pub ewkb: Vec<u8>,
    pub geojson: Value,
    pub area_km2: f64,
    /// West, south, east, north; west > east across the antimeridian.
    pub bbox: [f64; 4],
    pub notes: Vec<AreaNote>,
}

/// What was put right in an uploaded area, or should be known of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AreaNote {
    /// Stable, for programs.
    #[schema(example = "repaired")]
    pub code: String,
    /// Where in the body, as a JSON pointer.
    #[schema(example = "/area")]
    pub pointer: String,
    /// A sentence for people.
    pub detail: String,
    /// The place on earth, where there is one: longitude, latitude.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<f64>>, min_items = 2, max_items = 2)]
    pub place: Option<[f64; 2]>,
}

/// What `PostGIS` makes of the polygons; see `queries/area_repair.sql`.
pub struct Repaired {
    pub ewkb: Option<Vec<u8>>,
    pub geojson: Option<String>,
    pub area_km2: f64,
    pub bbox: [Option<f64>; 4],
    pub problems: Vec<RingProblem>,
    pub problems_total: i64,
}

/// A polygon that was not valid, in the words of `PostGIS`.
pub struct RingProblem {
    pub polygon: i64,
    pub reason: String,
    pub place: Option<[f64; 2]>,
}

/// Surveys an area, or notes everything that is wrong with it.
pub async fn survey(
    db: &impl GenericClient,
    value: &Value,
    pointer: &str,
    errors: &mut FieldErrors,
) -> Result<Option<SurveyedArea>, Problem> {
    let parsed = match ParsedArea::parse(value, pointer) {
        Ok(parsed) => parsed,
        Err(refused) => {
            refuse(refused, pointer, errors);
            return Ok(None);
        }
    };
    let polygons = parsed
        .to_ewkb_polygons()
        .map_err(|e| Problem::internal(&e))?;
    let notes = parsed
        .notes
        .into_iter()
        .map(|note| AreaNote {
            code: note.code.to_owned(),
            pointer: note.pointer,
            detail: note.detail.to_owned(),
            place: None,
        })
        .collect();
    measure(db, &polygons, notes, pointer, errors).await
}

/// Makes one area of polygons, given as EWKB, and measures it.
pub async fn measure(
    db: &impl GenericClient,
    polygons: &[Vec<u8>],
    mut notes: Vec<AreaNote>,
    pointer: &str,
    errors: &mut FieldErrors,
) -> Result<Option<SurveyedArea>, Problem> {
    let repaired = match queries::repair_area(db, polygons).await {
        Err(e) if e.is_timeout() => {
            errors.push(
                pointer,
                "the outline crosses itself too often to be repaired; simplify it",
            );
            return Err(Problem::unprocessable(
                "campaign_refused",
                "The area cannot be repaired; `errors` says what to change.",
                std::mem::take(errors),
            ));
        }
        repaired => repaired?,
    };
    let (Some(ewkb), Some(geojson)) = (repaired.ewkb, repaired.geojson) else {
        errors.push(
            pointer,
            "nothing is left of the area when its self-crossings are taken out; draw it again",
        );
        return Ok(None);
    };
    notes.extend(
        repaired
            .problems
            .iter()
            .map(|problem| repair_note(problem, pointer)),
    );
    if let Some(more) = usize::try_from(repaired.problems_total)
        .ok()
        .and_then(|total| total.checked_sub(repaired.problems.len()))
        .filter(|more| *more > 0)
    {
        notes.push(AreaNote {
            code: "repaired".to_owned(),
            pointer: pointer.to_owned(),
            detail: format!("{more} more polygons were repaired likewise."),
            place: None,
        });
    }
    Ok(Some(SurveyedArea {
        ewkb,
        geojson: serde_json::from_str(&geojson).map_err(|e| Problem::internal(&e))?,
        area_km2: repaired.area_km2,
        bbox: repaired.bbox.map(Option::unwrap_or_default),
        notes,
    }))
}

/// The cells that cover an area.
#[derive(Debug, Default)]
pub struct Cells {
    pub count: u64,
    /// Some of them, spread over the area.
    pub sample: Vec<Tile>,
}

/// Counts the cells that cover an area at a zoom, or notes why that cannot be.
pub async fn count_cells(
    ewkb: &[u8],
    zoom: u8,
    errors: &mut FieldErrors,
) -> Result<Cells, Problem> {
    let area = decode_area(ewkb)?;
    let counted = web::block(move || {
        Cover::new(&area, zoom).map(|cover| Cells {
            count: cover.count(),
            sample: cover.sample(SAMPLE_CELLS),
        })
    })
    .await
    .map_err(|e| Problem::internal(&e))?;
    match counted.as_ref().map(|cells| cells.count) {
        Ok(0) => errors.push("/area", "the area covers no cell: it is too thin, or lies beyond 85.05° north or south, where imagery ends"),
        Ok(cells) if cells > CELLS_MAX => errors.push(
            "/cell_zoom",
            format!("{cells} cells would be needed; {CELLS_MAX} are allowed. Choose a smaller cell zoom or a smaller area."),
        ),
        Ok(_) => return counted.map_err(|e| Problem::internal(&e)),
        Err(e) => errors.push("/area", e.to_string()),
    }
    Ok(Cells::default())
}

/// An area that the database gave back.
pub fn decode_area(ewkb: &[u8]) -> Result<MultiPolygon, Problem> {
    decode_ewkb_multipolygon(ewkb).map_err(|e| Problem::internal(&e))
}

fn refuse(refused: AreaErrors, pointer: &str, errors: &mut FieldErrors) {
    for flaw in refused.errors {
        errors.push(flaw.pointer, flaw.detail);
    }
    if refused.more > 0 {
        errors.push(
            pointer,
            format!("{} more places have such errors", refused.more),
        );
    }
}

fn repair_note(problem: &RingProblem, pointer: &str) -> AreaNote {
    let place = problem.place.map_or_else(String::new, |[lon, lat]| {
        format!(" near {lon:.6}, {lat:.6}")
    });
    AreaNote {
        code: "repaired".to_owned(),
        pointer: pointer.to_owned(),
        detail: format!(
            "Polygon {} was not valid ({}{place}) and was repaired; look at the result.",
            problem.polygon + 1,
            problem.reason.to_lowercase()
        ),
        place: problem.place,
    }
}
