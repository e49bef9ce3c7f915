//! What becomes of a tag that a phone pushed, by what is kept and what the phone knew. Pure.

use uuid::Uuid;

use super::{Kept, Pushed};
use crate::{
    geo::Geometry,
    sync::push::{Base, is_deleted},
};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// It is so already, or there is nothing to do.
    Same,
    /// It becomes so, if it fits.
    Write,
    /// The client has to see what is kept first.
    Conflict,
}

/// The id of the campaign of that name, as far as it is known.
pub type CampaignIds<'a> = &'a dyn Fn(&str) -> Option<Uuid>;

/// Whether `pushed`, or its deletion, may take the place of what is kept.
///
/// Without a word of what the phone believes to be here, it made the tag itself and had no answer
/// to an earlier push: then a later state of its own is an edit, unless somebody changed the tag.
pub fn decide(
    pushed: Option<&Pushed>,
    base: &Base,
    kept: Option<&Kept>,
    ids: CampaignIds<'_>,
) -> Decision {
    let Some(kept) = kept else {
        return match pushed {
            Some(_) => Decision::Write,
            None => Decision::Same,
        };
    };
    if is_same(pushed, kept, ids) {
        return Decision::Same;
    }
    if pushed.is_some_and(|pushed| !is_of(pushed, kept, ids)) {
        return Decision::Conflict;
    }
    let may_write = match base {
        Base::Assumed(Some(assumed)) => {
            let read = (!is_deleted(assumed)).then(|| Pushed::of(assumed));
            match read {
                None => is_same(None, kept, ids),
                Some(Ok(assumed)) => is_same(Some(&assumed), kept, ids),
                Some(Err(_)) => false,
            }
        }
        Base::Assumed(None) => kept.revision == 1 && !kept.is_withdrawn,
        Base::Seen(horizon) => kept.at.xid < *horizon,
    };
    if may_write {
        Decision::Write
    } else {
        Decision::Conflict
    }
}

/// Whether a state, or a deletion, is what is kept.
fn is_same(state: Option<&Pushed>, kept: &Kept, ids: CampaignIds<'_>) -> bool {
    let Some(state) = state else {
        return kept.is_withdrawn;
    };
    !kept.is_withdrawn
        && is_of(state, kept, ids)
        && state.tag_type == kept.tag_type
        && state.note == kept.note
        && Geometry::from_geojson(&state.geometry, "").ok() == kept.geometry().ok()
}

/// Whether it is of the same look.
fn is_of(state: &Pushed, kept: &Kept, ids: CampaignIds<'_>) -> bool {
    state.look_id == kept.look_id
        && ids(&state.campaign).is_none_or(|campaign| campaign == kept.campaign_id)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::sync::{Position, document::Members};

    fn members(note: &str) -> Members {
        let id = Uuid::nil();
        let place = json!({"type": "Point", "coordinates": [0.1, 51.5]});
        let Value::Object(members) = json!({"id": id, "look_id": id, "campaign": id, "tag_type": "wreck", "geometry": place, "note": note})
        else {
            unreachable!()
        };
        members
    }

    fn deleted(note: &str) -> Members {
        let mut members = members(note);
        members.insert("_deleted".to_owned(), Value::Bool(true));
        members
    }

    fn kept(note: &str, revision: i32, is_withdrawn: bool) -> Kept {
        let pushed = Pushed::of(&members(note)).unwrap();
        let place = Geometry::from_geojson(&pushed.geometry, "").unwrap();
        Kept {
            at: Position {
                xid: 50,
                id: pushed.id,
            },
            look_id: pushed.look_id,
            campaign_id: Uuid::nil(),
            tag_type: pushed.tag_type,
            place: place.to_ewkb().unwrap(),
            note: pushed.note,
            revision,
            is_withdrawn,
            is_waiting: false,
        }
    }

    fn decided(new: Option<&str>, base: &Base, kept: Option<&Kept>) -> Decision {
        let new = new.map(|note| Pushed::of(&members(note)).unwrap());
        decide(new.as_ref(), base, kept, &|name| name.parse().ok())
    }

    fn assumed(members: Members) -> Base {
        Base::Assumed(Some(members))
    }

    #[test]
    fn what_is_new_is_written_and_what_was_never_there_needs_no_deletion() {
        assert_eq!(
            decided(Some("a"), &Base::Assumed(None), None),
            Decision::Write
        );
        assert_eq!(
            decided(Some("a"), &assumed(members("b")), None),
            Decision::Write
        );
        assert_eq!(decided(None, &Base::Assumed(None), None), Decision::Same);
    }

    #[test]
    fn a_repetition_is_no_conflict_whatever_the_phone_believes() {
        let kept = kept("a", 3, false);
        for base in [
            Base::Assumed(None),
            assumed(members("z")),
            assumed(deleted("a")),
            Base::Seen(0),
        ] {
            assert_eq!(decided(Some("a"), &base, Some(&kept)), Decision::Same);
        }
    }

    #[test]
    fn an_edit_needs_the_state_that_is_kept() {
        let kept = kept("a", 2, false);
        let known = assumed(members("a"));
        assert_eq!(decided(Some("b"), &known, Some(&kept)), Decision::Write);
        assert_eq!(decided(None, &known, Some(&kept)), Decision::Write);
        for base in [assumed(members("z")), Base::Assumed(None)] {
            assert_eq!(decided(Some("b"), &base, Some(&kept)), Decision::Conflict);
        }
        assert_eq!(
            decided(Some("b"), &Base::Seen(51), Some(&kept)),
            Decision::Write
        );
        assert_eq!(
            decided(Some("b"), &Base::Seen(50), Some(&kept)),
            Decision::Conflict
        );
    }

    #[test]
    fn a_withdrawn_tag_is_restored_by_whoever_knows_that_it_was() {
        let kept = kept("a", 2, true);
        assert_eq!(
            decided(Some("a"), &assumed(deleted("a")), Some(&kept)),
            Decision::Write
        );
        assert_eq!(
            decided(Some("a"), &assumed(members("a")), Some(&kept)),
            Decision::Conflict
        );
        assert_eq!(
            decided(Some("a"), &Base::Assumed(None), Some(&kept)),
            Decision::Conflict
        );
        assert_eq!(
            decided(None, &Base::Assumed(None), Some(&kept)),
            Decision::Same
        );
    }

    #[test]
    fn whoever_made_a_tag_and_had_no_answer_may_change_it_until_somebody_else_does() {
        let fresh = kept("a", 1, false);
        assert_eq!(
            decided(Some("b"), &Base::Assumed(None), Some(&fresh)),
            Decision::Write
        );
        assert_eq!(
            decided(None, &Base::Assumed(None), Some(&fresh)),
            Decision::Write
        );
    }

    #[test]
    fn a_tag_never_goes_to_another_look() {
        let kept = kept("a", 1, false);
        let mut other = Pushed::of(&members("a")).unwrap();
        other.look_id = Uuid::from_u128(9);
        let base = assumed(members("a"));
        let decision = decide(Some(&other), &base, Some(&kept), &|name| name.parse().ok());
        assert_eq!(decision, Decision::Conflict);
    }
}
