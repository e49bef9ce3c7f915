//! What organisers do with campaigns: create, clone, delete, publish, pause, close. Changing is
//! beside.

use std::future::Future;

use actix_web::http::StatusCode;
use serde_json::{Value, json};
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::{
    check::check,
    model::{CampaignDefinition, MESSAGE_CHARS_MAX, Priority},
    parts::{exact, survey_parts},
    preview::survey_priorities,
    queries::{self, Before, Campaign, Surveyed},
    state::{Action, State},
    survey::{AreaNote, SurveyedArea, count_cells},
    view::{self, CampaignView},
};
use crate::{
    accounts::Organiser,
    db::DbError,
    http::{FieldErrors, Problem, text::check_text},
    imagery,
    state::App,
};

/// Numbers that are tried for the slug of a clone.
const CLONES_MAX: u32 = 1000;

/// A definition that was found good.
pub(super) struct Checked {
    pub definition: CampaignDefinition,
    pub area: SurveyedArea,
    pub outline: Option<Value>,
    pub leave_out: Option<Value>,
    pub cells: i64,
    pub imagery_layer_id: Uuid,
    pub priorities: Value,
}

impl Checked {
    pub fn surveyed(&self) -> Surveyed<'_> {
        Surveyed {
            area: &self.area,
            outline: self.outline.as_ref(),
            leave_out: self.leave_out.as_ref(),
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
    if campaign.state == State::Draft {
        let nothing = Before {
            area: None,
            priorities: json!([]),
            first: json!([]),
            reorders: false,
        };
        queries::note_change(&tx, campaign.id, campaign.version + 1, &nothing).await?;
    }
    let view = record_version(&tx, campaign.id, Some(by.id)).await?;
    tx.commit().await?;
    super::forget(app, &campaign.slug, campaign.id).await;
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

/// Deletes a draft, unless its version is another by now.
pub async fn delete(app: &App, campaign: &Campaign) -> Result<(), Problem> {
    if campaign.state != State::Draft {
        return Err(Problem::conflict(
            "campaign_published",
            "Only a draft can be deleted: what volunteers sent stays. Close the campaign instead.",
        ));
    }
    let mut conn = app.db.get().await?;
    let tx = conn.begin().await?;
    if !queries::delete_draft(&tx, campaign).await? {
        return Err(crate::http::etag::changed_meanwhile());
    }
    tx.commit().await?;
    super::forget(app, &campaign.slug, campaign.id).await;
    Ok(())
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
pub(super) async fn examine(
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
    let leave_out = definition.leave_out.as_ref();
    let parts = survey_parts(db, &definition.area, leave_out, &mut errors).await?;
    let priorities = survey_priorities(db, &definition.priorities, &mut errors).await?;
    let (Some(parts), Some(layer), true) = (parts, layer, errors.is_empty()) else {
        return Err(refused(errors));
    };
    let cells = count_cells(&parts.area.ewkb, definition.cell_zoom, &mut errors).await?;
    errors.into_result().map_err(refused)?;
    let cut = parts.cut.as_ref();
    Ok(Checked {
        priorities: keep_priorities(&definition.priorities, priorities),
        definition,
        outline: cut.map(|cut| exact(&cut.outline.ewkb)).transpose()?,
        leave_out: cut.map(|cut| exact(&cut.leave_out.ewkb)).transpose()?,
        area: parts.area,
        cells: i64::try_from(cells.count).unwrap_or(i64::MAX),
        imagery_layer_id: layer.id,
    })
}

/// Priority areas as they are kept.
fn keep_priorities(priorities: &[Priority], surveyed: Vec<SurveyedArea>) -> Value {
    let kept = priorities.iter().zip(surveyed).map(|(priority, area)| {
        let kept = Priority {
            area: area.geojson,
            weight: priority.weight,
            name: priority.name.clone(),
        };
        json!(kept)
    });
    Value::Array(kept.collect())
}

/// The definition of a stored campaign, as if it were given anew.
pub(super) async fn definition_of(
    db: &impl GenericClient,
    campaign: &Campaign,
) -> Result<CampaignDefinition, Problem> {
    let stored = queries::area(db, campaign.id).await?;
    let area = match stored.outline {
        Some(outline) => outline,
        None => exact(&stored.ewkb)?,
    };
    let layer = imagery::by_id(db, campaign.imagery_layer_id).await?;
    let priorities =
        serde_json::from_value(campaign.priorities.clone()).map_err(|e| Problem::internal(&e))?;
    Ok(CampaignDefinition {
        slug: campaign.slug.clone(),
        languages: campaign.languages.clone(),
        title: campaign.title.clone(),
        summary: campaign.summary.clone(),
        instructions: campaign.instructions.clone(),
        area,
        leave_out: stored.leave_out,
        cell_zoom: campaign.cell_zoom,
        looks_wanted: campaign.looks_wanted,
        lease_seconds: campaign.lease_seconds,
        imagery_layer: layer.map(|layer| layer.definition.key).unwrap_or_default(),
        tag_types: queries::tag_types(db, campaign.id).await?,
        agreement_radius_m: campaign.agreement_radius_m,
        priorities,
        starts_at: campaign.starts_at,
        ends_at: campaign.ends_at,
        grace_days: campaign.grace_days,
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

pub(super) fn refused(errors: FieldErrors) -> Problem {
    Problem::unprocessable(
        "campaign_refused",
        "This cannot be a campaign yet; `errors` says what to change.",
        errors,
    )
}

pub(super) fn slug_problem(error: DbError, slug: &str) -> Problem {
    if error.violates("campaigns_slug_key") {
        return Problem::new(
            StatusCode::CONFLICT,
            "slug_taken",
            format!("There is a campaign {slug:?} already. Choose another slug."),
        );
    }
    error.into()
}
