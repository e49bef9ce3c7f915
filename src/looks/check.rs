//! Rules for a look and its tags. Pure: no database.

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::model::{Look, NOTE_CHARS_MAX, NewLook, NewTag, Outcome, TAGS_MAX, Tag};
use crate::{
    campaigns::Running,
    geo::{CellId, Geometry, Tile},
    http::{
        FieldErrors, Problem,
        text::{check_text, check_time},
    },
};

/// How far outside its square a tag may lie, in degrees: 1 cm, for rounding.
pub const TOLERANCE_DEG: f64 = 1e-7;

/// The look in the form in which it is stored, or everything that is wrong with it.
pub fn check(look: &NewLook, volunteer_id: Uuid, campaign: &Running) -> Result<Look, Problem> {
    let mut errors = FieldErrors::default();
    check_count(look, &mut errors);
    check_rest(look, volunteer_id, campaign, errors)
}

/// The same of a look whose tags come apart from it, whatever its outcome.
pub fn check_apart(
    look: &NewLook,
    volunteer_id: Uuid,
    campaign: &Running,
) -> Result<Look, Problem> {
    check_rest(look, volunteer_id, campaign, FieldErrors::default())
}

fn check_rest(
    look: &NewLook,
    volunteer_id: Uuid,
    campaign: &Running,
    mut errors: FieldErrors,
) -> Result<Look, Problem> {
    let zoom = campaign.cell_zoom;
    errors.need(look.cell.z() == zoom, "/cell", || {
        format!(
            "found {}; squares of this campaign have zoom {zoom}",
            look.cell
        )
    });
    check_version(look, campaign, &mut errors);
    check_time(&mut errors, "/started_at", look.started_at);
    check_time(&mut errors, "/finished_at", look.finished_at);
    let mut tags = Vec::with_capacity(look.tags.len().min(TAGS_MAX));
    for (index, tag) in look.tags.iter().enumerate().take(TAGS_MAX) {
        let at = format!("/tags/{index}");
        let twice = look.tags.iter().take(index).any(|other| other.id == tag.id);
        errors.need(!twice, &format!("{at}/id"), || {
            format!("{} is there twice", tag.id)
        });
        if let Some(note) = &tag.note {
            check_text(&mut errors, &format!("{at}/note"), note, NOTE_CHARS_MAX);
        }
        let place = check_place(
            tag.tag_type.as_str(),
            &tag.geometry,
            look.cell,
            campaign,
            &at,
            &mut errors,
        );
        tags.extend(place.map(|place| checked_tag(tag, place)));
    }
    errors.into_result().map_err(refused)?;
    Ok(Look {
        volunteer_id,
        id: look.id,
        campaign_id: campaign.id,
        cell: CellId::from(look.cell).get(),
        cell_name: look.cell.to_string(),
        outcome: look.outcome,
        campaign_version: look.campaign_version.unwrap_or(campaign.version),
        started_at: look.started_at,
        finished_at: look.finished_at,
        content_hash: hash(look, campaign.id),
        tags,
    })
}

/// A tag's geometry as EWKB: of the kind that its type says, within its square.
pub fn check_place(
    tag_type: &str,
    geometry: &Value,
    cell: Tile,
    campaign: &Running,
    at: &str,
    errors: &mut FieldErrors,
) -> Option<Vec<u8>> {
    let Some(kind) = campaign.tag_types.get(tag_type) else {
        let known: Vec<&str> = campaign.tag_types.keys().map(String::as_str).collect();
        errors.push(
            format!("{at}/tag_type"),
            format!(
                "there is no tag type {tag_type:?}; this campaign has {}",
                known.join(", ")
            ),
        );
        return None;
    };
    let pointer = format!("{at}/geometry");
    let geometry = match Geometry::from_geojson(geometry, &pointer) {
        Ok(geometry) => geometry,
        Err(flaw) => {
            errors.push(flaw.pointer, flaw.detail);
            return None;
        }
    };
    if geometry.kind() != *kind {
        errors.push(
            pointer,
            format!(
                "found a {}; {tag_type:?} is marked by a {}",
                geometry.kind().as_str(),
                kind.as_str()
            ),
        );
        return None;
    }
    let outside = geometry
        .places()
        .find(|place| !cell.contains(place.lon(), place.lat(), TOLERANCE_DEG));
    if let Some(place) = outside {
        let [west, south, east, north] = cell.bbox().edges();
        errors.push(
            pointer,
            format!(
                "{}, {} lies outside the square {cell}, which is {west:.7} to {east:.7} east and {south:.7} to {north:.7} north",
                place.lon(),
                place.lat()
            ),
        );
        return None;
    }
    match geometry.to_ewkb() {
        Ok(ewkb) => Some(ewkb),
        Err(e) => {
            errors.push(pointer, e.to_string());
            None
        }
    }
}

pub fn refused(errors: FieldErrors) -> Problem {
    Problem::unprocessable(
        "look_refused",
        "This look was not stored; `errors` says why.",
        errors,
    )
}

pub fn no_such_cell() -> Problem {
    let mut errors = FieldErrors::default();
    errors.push("/cell", "this square is not part of the campaign's area");
    refused(errors)
}

fn check_version(look: &NewLook, campaign: &Running, errors: &mut FieldErrors) {
    if let Some(version) = look.campaign_version {
        errors.need(
            (1..=campaign.version).contains(&version),
            "/campaign_version",
            || {
                format!(
                    "found {version}; the campaign has versions 1 to {}",
                    campaign.version
                )
            },
        );
    }
}

fn check_count(look: &NewLook, errors: &mut FieldErrors) {
    let count = look.tags.len();
    match look.outcome {
        Outcome::Tagged => errors.need((1..=TAGS_MAX).contains(&count), "/tags", || {
            format!("found {count} tags; a look with outcome \"tagged\" has 1 to {TAGS_MAX}")
        }),
        other => errors.need(count == 0, "/tags", || {
            format!(
                "found {count} tags; a look with outcome {:?} has none",
                other.as_str()
            )
        }),
    }
}

fn checked_tag(tag: &NewTag, place: Vec<u8>) -> Tag {
    Tag {
        id: tag.id,
        tag_type: tag.tag_type.clone(),
        place,
        note: tag.note.clone().filter(|note| !note.is_empty()),
    }
}

/// Hash of what was sent, independent of spelling: order of members and tags, white space.
pub fn hash(look: &NewLook, campaign_id: Uuid) -> [u8; 32] {
    // Objects are sorted maps in serde_json, so equal values are equal texts.
    let text = if look.tags.is_sorted_by_key(|tag| tag.id) {
        serde_json::to_vec(look)
    } else {
        let mut canonical = look.clone();
        canonical.tags.sort_by_key(|tag| tag.id);
        serde_json::to_vec(&canonical)
    };
    let mut hash = Sha256::new();
    hash.update(campaign_id.as_bytes());
    hash.update(text.unwrap_or_default());
    hash.finalize().into()
}
