//! The parts of an area of interest: an outline, and what is left out of it.

use serde_json::{Value, json};
use tokio_postgres::GenericClient;

use super::{
    queries::{self, Overlay},
    survey::{self, AreaNote, SurveyedArea, survey},
};
use crate::http::{FieldErrors, Problem};

/// An area with what it was made of.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What is searched.
    pub area: SurveyedArea,
    /// Where a part was left out: the outline and that part.
    pub cut: Option<Cut>,
}

#[derive(Clone, Debug)]
pub struct Cut {
    pub outline: SurveyedArea,
    pub leave_out: SurveyedArea,
}

/// Surveys an area and what is left out of it, or notes everything that is wrong with them.
pub async fn survey_parts(
    db: &impl GenericClient,
    area: &Value,
    leave_out: Option<&Value>,
    errors: &mut FieldErrors,
) -> Result<Option<Parts>, Problem> {
    let outline = survey(db, area, "/area", errors).await?;
    let Some(leave_out) = leave_out else {
        return Ok(outline.map(|area| Parts { area, cut: None }));
    };
    let leave_out = survey(db, leave_out, "/leave_out", errors).await?;
    let (Some(outline), Some(leave_out)) = (outline, leave_out) else {
        return Ok(None);
    };
    let left = queries::overlay(db, Overlay::Difference, &outline.ewkb, &leave_out.ewkb).await?;
    if left.is_empty() {
        errors.push(
            "/leave_out",
            "it covers the whole area, so nothing is left to search; make it smaller",
        );
        return Ok(None);
    }
    let mut notes = [outline.notes.clone(), leave_out.notes.clone()].concat();
    let common =
        queries::overlay(db, Overlay::Intersection, &outline.ewkb, &leave_out.ewkb).await?;
    if common.is_empty() {
        notes.push(outside("/leave_out"));
    }
    let area = survey::measure(db, &left, notes, "/area", errors).await?;
    Ok(area.map(|area| Parts {
        area,
        cut: Some(Cut { outline, leave_out }),
    }))
}

/// The part of `area` that lies within `part`, or a note that there is none.
pub async fn common(
    db: &impl GenericClient,
    area: &SurveyedArea,
    part: &SurveyedArea,
    pointer: &str,
    errors: &mut FieldErrors,
) -> Result<Result<SurveyedArea, AreaNote>, Problem> {
    let within = queries::overlay(db, Overlay::Intersection, &area.ewkb, &part.ewkb).await?;
    if within.is_empty() {
        return Ok(Err(outside(pointer)));
    }
    let measured = survey::measure(db, &within, Vec::new(), pointer, errors).await?;
    Ok(measured.ok_or_else(|| outside(pointer)))
}

/// An area as GeoJSON with every digit, unlike what is shown: what nobody changes must stay as it
/// is.
pub fn exact(ewkb: &[u8]) -> Result<Value, Problem> {
    let area = survey::decode_area(ewkb)?;
    let rings: Vec<_> = area.polygons.iter().map(|polygon| &polygon.rings).collect();
    Ok(json!({"type": "MultiPolygon", "coordinates": rings}))
}

fn outside(pointer: &str) -> AreaNote {
    AreaNote {
        code: "outside".to_owned(),
        pointer: pointer.to_owned(),
        detail: "It lies outside the area, so it changes nothing.".to_owned(),
        place: None,
    }
}
