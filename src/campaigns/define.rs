//! What organisers do with campaigns: create, change, clone, preview, publish, pause, close.

use std::future::Future;

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::{
    check::{check, check_grid},
    model::{CampaignDefinition, MESSAGE_CHARS_MAX},
    queries::{self, Campaign, Surveyed},
    running,
    state::{Action, State},
    survey::{AreaNote, SurveyedArea, count_cells, survey},
    view::{self, CampaignView, Estimate},
};
use crate::{
    accounts::Organiser,
    db::DbError,
    http::{FieldErrors, Problem, extract, merge::merge, text::check_text},
    imagery,
    state::App,
};

/// Members that stay as they are once a campaign is published.
const FIXED: [&str; 4] = ["slug", "area", "cell_zoom", "priorities"];
/// Numbers that are tried for the slug of a clone.
const CLONES_MAX: u32 = 1000;

/// A definition that was found good.
struct Checked {
    definition: CampaignDefinition,
    area: SurveyedArea,
    cells: i64,
    imagery_layer_id: Uuid,
    priorities: Value,
}

impl Checked {
    fn surveyed(&self) -> Surveyed<'_> {
        Surveyed {
            area: &self.area,
            cells: self.cells,
            imagery_layer_id: self.imagery_layer_id,
            priorities: &self.priorities,
        }
    }
}

/// Makes a draft.
pub async fn create(
    app: &App,
    by: &Organiser,
    definition: CampaignDefinition,
) -> Result<(CampaignView, Vec<AreaNote>), Problem> {
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    let checked = examine(&tx, definition).await?;
    let id = Uuid::now_v7();
    queries::insert(&tx, id, &checked.definition, &checked.surveyed(), by.id)
        .await
        .map_err(|e| slug_problem(e, &checked.definition.slug))?;
    queries::put_tag_types(&tx, id, &checked.definition.tag_types).await?;
    let view = record_version(&tx, id, Some(by.id)).await?;
    tx.commit().await?;
    Ok((view, checked.area.notes))
}

/// Changes a campaign by a merge patch (RFC 7396).
pub async fn change(
    app: &App,
    by: &Organiser,
    campaign: &Campaign,
    patch: Map<String, Value>,
) -> Result<(CampaignView, Vec<AreaNote>), Problem> {
    let published = campaign.state != State::Draft;
    if published && let Some(member) = FIXED.iter().find(|member| patch.contains_key(**member)) {
        return Err(Problem::conflict(
            "campaign_published",
            format!(
                "`{member}` stays as it is once a campaign is published. Clone it to change that."
            ),
        ));
    }
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    let present = definition_of(&tx, campaign).await?;
    let kept: Vec<_> = present.tag_types.clone();
    let mut whole = serde_json::to_value(&present).map_err(|e| Problem::internal(&e))?;
    merge(&mut whole, &Value::Object(patch));
    let definition: CampaignDefinition = extract::parse(whole.to_string().as_bytes())?;
    if published {
        let lost = kept.iter().find(|old| {
            !definition
                .tag_types
                .iter()
                .any(|new| new.key == old.key && new.geometry == old.geometry)
        });
        if let Some(lost) = lost {
            return Err(Problem::conflict(
                "tag_type_in_use",
                format!(
                    "The tag type {:?} must stay, with its geometry: volunteers may have used it.",
                    lost.key
                ),
            ));
        }
    }
    let checked = examine(&tx, definition).await?;
    let stored = queries::update(&tx, campaign, &checked.definition, &checked.surveyed())
        .await
        .map_err(|e| slug_problem(e, &checked.definition.slug))?;
    if !stored {
        return Err(crate::http::etag::changed_meanwhile());
    }
    queries::put_tag_types(&tx, campaign.id, &checked.definition.tag_types).await?;
    let view = record_version(&tx, campaign.id, Some(by.id)).await?;
    tx.commit().await?;
    running::forget(app, campaign).await;
    Ok((view, checked.area.notes))
}

/// Moves a campaign to its next state. An action that was done already changes nothing.
pub async fn steer(
    app: &App,
    by: &Organiser,
    campaign: &Campaign,
    action: Action,
    message: Option<String>,
) -> Result<CampaignView, Problem> {
    let mut errors = FieldErrors::default();
    if let Some(message) = &message {
        check_text(&mut errors, "/message", message, MESSAGE_CHARS_MAX);
    }
    errors.into_result().map_err(refused)?;
    let state = campaign.state.after(action)?;
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    if state == campaign.state && message == campaign.message {
        return view::of(&tx, campaign).await;
    }
    let message = message.filter(|_| action == Action::Pause);
    if !queries::set_state(&tx, campaign, state, message.as_deref()).await? {
        return Err(crate::http::etag::changed_meanwhile());
    }
    let view = record_version(&tx, campaign.id, Some(by.id)).await?;
    tx.commit().await?;
    running::forget(app, campaign).await;
    Ok(view)
}

/// Makes a draft like another campaign, under another slug.
pub async fn clone(
    app: &App,
    by: &Organiser,
    campaign: &Campaign,
    slug: Option<String>,
) -> Result<CampaignView, Problem> {
    let mut definition = definition_of(&*app.db.get().await?, campaign).await?;
    definition.starts_at = None;
    definition.ends_at = None;
    if let Some(slug) = slug {
        definition.slug = slug;
        return create(app, by, definition).await.map(|(view, _)| view);
    }
    let stem: String = campaign.slug.chars().take(56).collect();
    first_free(|number| {
        let mut definition = definition.clone();
        definition.slug = format!("{stem}-{number}");
        async move { create(app, by, definition).await.map(|(view, _)| view) }
    })
    .await
}

/// What a campaign would take, before anything is stored.
pub async fn preview(
    app: &App,
    area: &Value,
    cell_zoom: u8,
    looks_wanted: u16,
) -> Result<Estimate, Problem> {
    let mut errors = FieldErrors::default();
    check_grid(cell_zoom, looks_wanted, &mut errors);
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    let surveyed = survey(&tx, area, "/area", &mut errors).await?;
    drop(tx);
    drop(conn);
    let (Some(area), true) = (surveyed, errors.is_empty()) else {
        return Err(refused(errors));
    };
    let cells = count_cells(&area.ewkb, cell_zoom, &mut errors).await?;
    errors.into_result().map_err(refused)?;
    Ok(Estimate::new(&area, cells, cell_zoom, looks_wanted))
}

async fn first_free<F, O>(attempt: impl Fn(u32) -> F) -> Result<O, Problem>
where
    F: Future<Output = Result<O, Problem>>,
{
    for number in 2..CLONES_MAX {
        match attempt(number).await {
            Err(e) if e.code() == "slug_taken" => {}
            result => return result,
        }
    }
    Err(Problem::conflict(
        "slug_taken",
        "All numbered slugs are taken; name one in `slug`.",
    ))
}

/// Checks all of a definition and reports everything that is wrong at once.
async fn examine(
    db: &impl GenericClient,
    mut definition: CampaignDefinition,
) -> Result<Checked, Problem> {
    let mut errors = FieldErrors::default();
    check(&mut definition, &mut errors);
    let layer = imagery::find(db, &definition.imagery_layer).await?;
    errors.need(layer.is_some(), "/imagery_layer", || {
        format!(
            "there is no imagery layer {:?}; GET /v1/imagery lists them, POST /v1/imagery adds one",
            definition.imagery_layer
        )
    });
    let area = survey(db, &definition.area, "/area", &mut errors).await?;
    let priorities = survey_priorities(db, &definition, &mut errors).await?;
    let (Some(area), Some(layer), true) = (area, layer, errors.is_empty()) else {
        return Err(refused(errors));
    };
    let cells = count_cells(&area.ewkb, definition.cell_zoom, &mut errors).await?;
    errors.into_result().map_err(refused)?;
    Ok(Checked {
        definition,
        area,
        cells: i64::try_from(cells).unwrap_or(i64::MAX),
        imagery_layer_id: layer.id,
        priorities,
    })
}

async fn survey_priorities(
    db: &impl GenericClient,
    definition: &CampaignDefinition,
    errors: &mut FieldErrors,
) -> Result<Value, Problem> {
    let mut surveyed = Vec::new();
    for (index, priority) in definition
        .priorities
        .iter()
        .enumerate()
        .take(super::model::PRIORITIES_MAX)
    {
        let pointer = format!("/priorities/{index}/area");
        if let Some(area) = survey(db, &priority.area, &pointer, errors).await? {
            surveyed.push(json!({"area": area.geojson, "weight": priority.weight}));
        }
    }
    Ok(Value::Array(surveyed))
}

/// The definition of a stored campaign, as if it were given anew.
async fn definition_of(
    db: &impl GenericClient,
    campaign: &Campaign,
) -> Result<CampaignDefinition, Problem> {
    // With every digit, unlike what is shown: an area that nobody changes must stay as it is.
    let area = super::stored_area(db, campaign.id).await?;
    let rings: Vec<_> = area.polygons.iter().map(|polygon| &polygon.rings).collect();
    let area = json!({"type": "MultiPolygon", "coordinates": rings});
    let layer = imagery::by_id(db, campaign.imagery_layer_id).await?;
    let priorities =
        serde_json::from_value(campaign.priorities.clone()).map_err(|e| Problem::internal(&e))?;
    Ok(CampaignDefinition {
        slug: campaign.slug.clone(),
        title: campaign.title.clone(),
        summary: campaign.summary.clone(),
        instructions: campaign.instructions.clone(),
        area,
        cell_zoom: campaign.cell_zoom,
        looks_wanted: campaign.looks_wanted,
        lease_seconds: campaign.lease_seconds,
        imagery_layer: layer.map(|layer| layer.definition.key).unwrap_or_default(),
        tag_types: queries::tag_types(db, campaign.id).await?,
        agreement_radius_m: campaign.agreement_radius_m,
        priorities,
        starts_at: campaign.starts_at,
        ends_at: campaign.ends_at,
    })
}

/// Keeps what is told at the present version and gives it.
pub async fn record_version(
    db: &impl GenericClient,
    id: Uuid,
    by: Option<Uuid>,
) -> Result<CampaignView, Problem> {
    let campaign = super::by_id(db, id)
        .await?
        .ok_or_else(|| super::not_found(&id.to_string()))?;
    let view = view::of(db, &campaign).await?;
    let document = serde_json::to_value(&view).map_err(|e| Problem::internal(&e))?;
    queries::keep_version(db, id, campaign.version, &document, by).await?;
    Ok(view)
}

fn refused(errors: FieldErrors) -> Problem {
    Problem::unprocessable(
        "campaign_refused",
        "This cannot be a campaign yet; `errors` says what to change.",
        errors,
    )
}

fn slug_problem(error: DbError, slug: &str) -> Problem {
    if error.violates("campaigns_slug_key") {
        return Problem::new(
            StatusCode::CONFLICT,
            "slug_taken",
            format!("There is a campaign {slug:?} already. Choose another slug."),
        );
    }
    error.into()
}
