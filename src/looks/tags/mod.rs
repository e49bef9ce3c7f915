//! Tags after their look: listed, edited and withdrawn by whoever made them.
//!
//! **Invariant:** an edit changes the row's transaction id, so every reader of the feed sees it
//! again. A withdrawn tag stays in the table and is shown nowhere.

mod handlers;
mod put;
mod queries;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

pub use handlers::{feature, routes};
pub use put::{ForgottenTag, PutTag, forget_withdrawn, put};
pub use queries::export;

use super::{
    check::{check_place, refused},
    model::NOTE_CHARS_MAX,
};
use crate::{
    campaigns,
    geo::{CellId, Tile},
    http::{FieldErrors, Problem, etag, text::check_text},
    state::App,
};

/// A tag as it is kept.
#[derive(Clone, Debug)]
pub struct TagRow {
    pub id: Uuid,
    pub volunteer_id: Uuid,
    pub look_id: Uuid,
    pub cell: i64,
    pub tag_type: String,
    /// GeoJSON geometry.
    pub geometry: Value,
    pub note: Option<String>,
    pub campaign_version: i32,
    pub revision: i32,
    pub received_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Received, id and volunteer of a tag: its place in the order of lists.
pub type TagPlace = (Timestamp, Uuid, Uuid);

/// A tag with its place in other forms.
#[derive(Clone, Debug)]
pub struct ExportedTag {
    pub tag: TagRow,
    /// Longitude and latitude: of the point, or of one on the line or polygon.
    pub point: [f64; 2],
    /// Well-known text.
    pub wkt: String,
}

/// What changes of a tag; what is absent stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TagEdit {
    #[schema(max_length = 64, example = "wreckage")]
    tag_type: Option<String>,
    /// GeoJSON geometry within the square of the look.
    #[schema(value_type = Option<Object>)]
    geometry: Option<Value>,
    /// `""` removes the note.
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Edits a volunteer's own tag, if its revision is still the one that was read.
pub async fn edit(
    app: &App,
    reference: &str,
    tag: &TagRow,
    edit: TagEdit,
) -> Result<TagRow, Problem> {
    let campaign = campaigns::load_running(app, reference).await?;
    if campaign.is_closed(app.clock.now()) {
        return Err(Problem::conflict(
            "campaign_closed",
            "This search is closed; its tags stay as they are.",
        ));
    }
    let mut errors = FieldErrors::default();
    let tag_type = edit.tag_type.unwrap_or_else(|| tag.tag_type.clone());
    let geometry = edit.geometry.unwrap_or_else(|| tag.geometry.clone());
    let note = edit
        .note
        .or_else(|| tag.note.clone())
        .filter(|note| !note.is_empty());
    if let Some(note) = &note {
        check_text(&mut errors, "/note", note, NOTE_CHARS_MAX);
    }
    let cell = cell(tag)?;
    let place = check_place(&tag_type, &geometry, cell, &campaign, "", &mut errors);
    let (Some(place), true) = (place, errors.is_empty()) else {
        return Err(refused(errors));
    };
    let conn = app.db.get().await?;
    queries::update(&*conn, tag, &tag_type, &place, note.as_deref())
        .await?
        .ok_or_else(etag::changed_meanwhile)
}

/// Withdraws a volunteer's own tag, if its revision is still the one that was read.
pub async fn withdraw(app: &App, tag: &TagRow) -> Result<(), Problem> {
    let conn = app.db.get().await?;
    if queries::withdraw(&*conn, tag).await? {
        Ok(())
    } else {
        Err(etag::changed_meanwhile())
    }
}

fn cell(tag: &TagRow) -> Result<Tile, Problem> {
    CellId::try_from(tag.cell)
        .map(CellId::tile)
        .map_err(|e| Problem::internal(&e))
}
