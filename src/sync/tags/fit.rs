//! Whether a tag fits its look: where it lies, of which kind it is, how many others there are. Pure.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Kept, Pushed};
use crate::{
    campaigns::Running,
    geo::{CellId, Tile},
    http::{FieldErrors, Problem, text::check_text},
    looks::{NOTE_CHARS_MAX, TAGS_MAX, TOLERANCE_DEG, check_place, refused},
};

/// A look that is stored, as far as its tags must know it.
#[derive(Clone, Debug)]
pub struct OfLook {
    pub campaign_id: Uuid,
    pub cell: i64,
    pub campaign_version: i32,
    /// Its tags that were not withdrawn.
    pub tags: usize,
}

/// Looks by their ids.
pub type Looks = HashMap<Uuid, OfLook>;

/// Where the tag lies, as EWKB, if it is one that the campaign wants and that fits its look; a look
/// that is not there yet is not asked.
pub fn fits(
    pushed: &Pushed,
    campaign: &Running,
    look: Option<&OfLook>,
) -> Result<Vec<u8>, Problem> {
    let mut errors = FieldErrors::default();
    if let Some(note) = &pushed.note {
        check_text(&mut errors, "/note", note, NOTE_CHARS_MAX);
    }
    errors.need(
        look.is_none_or(|look| look.campaign_id == campaign.id),
        "/campaign",
        || "the look is of another campaign".to_owned(),
    );
    let cell = look.map_or(Some(Tile::WORLD), |look| tile(look.cell));
    let place = cell.and_then(|cell| {
        check_place(
            &pushed.tag_type,
            &pushed.geometry,
            cell,
            campaign,
            "",
            &mut errors,
        )
    });
    match place {
        Some(place) if errors.is_empty() => Ok(place),
        _ => Err(refused(errors)),
    }
}

/// The same of a tag that waited: it was checked but for its look.
pub fn fits_its_look(tag: &Kept, look: &OfLook) -> bool {
    let Some(cell) = tile(look.cell) else {
        return false;
    };
    let Ok(geometry) = tag.geometry() else {
        return false;
    };
    tag.campaign_id == look.campaign_id
        && has_room(look)
        && geometry
            .places()
            .all(|place| cell.contains(place.lon(), place.lat(), TOLERANCE_DEG))
}

/// Whether the look may have one more.
pub fn has_room(look: &OfLook) -> bool {
    look.tags < TAGS_MAX
}

pub fn too_many() -> Problem {
    let mut errors = FieldErrors::default();
    errors.push("/look_id", format!("this look has {TAGS_MAX} tags already"));
    refused(errors)
}

pub fn look_refused() -> Problem {
    let mut errors = FieldErrors::default();
    errors.push("/look_id", "this look was refused".to_owned());
    refused(errors)
}

fn tile(cell: i64) -> Option<Tile> {
    CellId::try_from(cell).ok().map(CellId::tile)
}
