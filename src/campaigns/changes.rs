//! Changing a campaign, also while it runs.
//!
//! **Invariant:** what nobody names stays to the last digit, so that the cells of a published
//! campaign are those of its area.

use actix_web::web;
use serde_json::{Map, Value, json};
use tokio_postgres::GenericClient;

use super::{
    CampaignDefinition,
    define::{Checked, definition_of, examine, record_version, slug_problem},
    model::TagType,
    queries::{self, Before, Campaign},
    state::State,
    survey::{AreaNote, SurveyedArea, decode_area},
    view::CampaignView,
};
use crate::{
    accounts::Organiser,
    geo::{Cover, cover::Missing},
    http::{Problem, etag::changed_meanwhile, extract, merge::merge},
    state::App,
};

/// What a patch of a published campaign names of what is searched.
struct Named {
    area: bool,
    priorities: bool,
}

/// Changes a campaign by a merge patch (RFC 7396).
pub async fn change(
    app: &App,
    by: &Organiser,
    campaign: &Campaign,
    patch: Map<String, Value>,
) -> Result<(CampaignView, Vec<AreaNote>), Problem> {
    let named = Named {
        area: patch.contains_key("area") || patch.contains_key("leave_out"),
        priorities: patch.contains_key("priorities"),
    };
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    let present = definition_of(&tx, campaign).await?;
    let kept: Vec<_> = present.tag_types.clone();
    let mut whole = serde_json::to_value(&present).map_err(|e| Problem::internal(&e))?;
    merge(&mut whole, &Value::Object(patch));
    let definition: CampaignDefinition = extract::parse(whole.to_string().as_bytes())?;
    let published = campaign.state != State::Draft;
    if published {
        check_stays(campaign, &definition, &kept, &named)?;
    }
    let mut checked = examine(&tx, definition).await?;
    let before = if published {
        before_change(&tx, campaign, &mut checked, &named).await?
    } else {
        None
    };
    let stored = queries::update(&tx, campaign, &checked.definition, &checked.surveyed())
        .await
        .map_err(|e| slug_problem(e, &checked.definition.slug))?;
    if !stored {
        return Err(changed_meanwhile());
    }
    queries::put_tag_types(&tx, campaign.id, &checked.definition.tag_types).await?;
    if let Some(before) = before {
        queries::note_change(&tx, campaign.id, campaign.version + 1, &before).await?;
    }
    let view = record_version(&tx, campaign.id, Some(by.id)).await?;
    tx.commit().await?;
    super::forget(app, &campaign.slug, campaign.id).await;
    Ok((view, checked.area.notes))
}

/// What a published campaign must keep, whatever its area is.
fn check_stays(
    campaign: &Campaign,
    definition: &CampaignDefinition,
    kept: &[TagType],
    named: &Named,
) -> Result<(), Problem> {
    let member = if definition.slug != campaign.slug {
        Some("slug")
    } else if definition.cell_zoom != campaign.cell_zoom {
        Some("cell_zoom")
    } else {
        None
    };
    if let Some(member) = member {
        return Err(Problem::conflict(
            "campaign_published",
            format!(
                "`{member}` stays as it is once a campaign is published. Clone it to change that."
            ),
        ));
    }
    if campaign.state == State::Closed && (named.area || named.priorities) {
        return Err(Problem::conflict(
            "campaign_closed",
            "The campaign is closed, so its area and priorities stay. Clone it to search on.",
        ));
    }
    let lost = kept.iter().find(|old| {
        !definition
            .tag_types
            .iter()
            .any(|new| new.key == old.key && new.geometry == old.geometry)
    });
    match lost {
        Some(lost) => Err(Problem::conflict(
            "tag_type_in_use",
            format!(
                "The tag type {:?} must stay, with its geometry: volunteers may have used it.",
                lost.key
            ),
        )),
        None => Ok(()),
    }
}

/// What the worker has to know of the time before, if there is something to carry out. What the
/// patch does not name of the search stays as it is.
async fn before_change(
    db: &impl GenericClient,
    campaign: &Campaign,
    checked: &mut Checked,
    named: &Named,
) -> Result<Option<Before>, Problem> {
    let stored = queries::area(db, campaign.id).await?;
    if named.area {
        let lost = lost_cells(&stored.ewkb, &checked.area.ewkb, campaign.cell_zoom).await?;
        if let Some(lost) = lost {
            return Err(shrinks(lost));
        }
    } else {
        checked.area = SurveyedArea {
            ewkb: stored.ewkb.clone(),
            geojson: stored.geojson,
            area_km2: campaign.area_km2,
            bbox: campaign.bbox,
            notes: Vec::new(),
        };
        checked.outline = stored.outline;
        checked.leave_out = stored.leave_out;
        checked.cells = campaign.cells;
    }
    if !named.priorities {
        checked.priorities = campaign.priorities.clone();
    }
    let reorders = checked.definition.looks_wanted != campaign.looks_wanted;
    Ok(
        (named.area || named.priorities || reorders).then(|| Before {
            area: Some(stored.ewkb),
            first: new_priorities(&campaign.priorities, &checked.priorities),
            priorities: campaign.priorities.clone(),
            reorders,
        }),
    )
}

/// Cells of the first area that the second lacks.
async fn lost_cells(before: &[u8], now: &[u8], zoom: u8) -> Result<Option<Missing>, Problem> {
    let (before, now) = (decode_area(before)?, decode_area(now)?);
    web::block(move || {
        let now = Cover::new(&now, zoom)?;
        Ok(Cover::new(&before, zoom)?.missing_in(&now))
    })
    .await
    .map_err(|e| Problem::internal(&e))?
    .map_err(|e: crate::geo::cover::CoverError| Problem::internal(&e))
}

fn shrinks(lost: Missing) -> Problem {
    let Missing { count, example } = lost;
    Problem::conflict(
        "area_shrinks",
        format!(
            "{count} cells of the campaign lie outside that area, for example {example}. Once a \
            campaign is published its area only grows: draw it around all of its cells. To search \
            less, close the cells that nobody need look at, or clone the campaign."
        ),
    )
}

/// Areas of priorities that were not there before, heaviest first.
fn new_priorities(before: &Value, now: &Value) -> Value {
    let list =
        |priorities: &Value| -> Vec<Value> { priorities.as_array().cloned().unwrap_or_default() };
    let before = list(before);
    let same = |a: &Value, b: &Value| a["area"] == b["area"] && a["weight"] == b["weight"];
    let mut new = list(now);
    new.retain(|priority| !before.iter().any(|old| same(old, priority)));
    let weight = |priority: &Value| priority["weight"].as_f64().unwrap_or_default();
    new.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    new.iter().map(|priority| json!(priority["area"])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_that_are_new_go_first_the_heaviest_before_the_others() {
        let priority = |area: &str, weight: f64, name: &str| json!({"area": area, "weight": weight, "name": name});
        let before = json!([priority("a", 2.0, "x"), priority("b", 3.0, "y")]);
        let now = json!([
            priority("c", 4.0, "x"),
            priority("a", 2.0, "renamed"),
            priority("b", 50.0, "y"),
        ]);
        assert_eq!(new_priorities(&before, &now), json!(["b", "c"]));
        assert_eq!(new_priorities(&now, &json!([])), json!([]));
    }
}
