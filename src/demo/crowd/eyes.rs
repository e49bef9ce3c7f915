//! What a simulated volunteer sees in a square, and says of it. Pure.

use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use scenery::{ObjectKind, SceneObject};

use super::person::{Person, normal};

const SKIPPED: f64 = 0.04;
const BAD_IMAGERY: f64 = 0.01;
/// Chance of a mark where there is nothing.
const IMAGINED: f64 = 0.015;
/// Chance of the wrong type for what is there.
const CONFUSED: f64 = 0.05;
const METRES_PER_DEGREE: f64 = 111_320.0;

/// An answer to one square.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Tagged(Vec<Mark>),
    Nothing,
    Skipped,
    BadImagery,
}

/// One mark on the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    pub kind: ObjectKind,
    pub lon: f64,
    pub lat: f64,
}

impl Answer {
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Tagged(_) => "tagged",
            Self::Nothing => "nothing",
            Self::Skipped => "skipped",
            Self::BadImagery => "bad_imagery",
        }
    }

    pub fn marks(&self) -> &[Mark] {
        if let Self::Tagged(marks) = self {
            marks
        } else {
            &[]
        }
    }
}

/// How often an attentive person finds such an object.
fn found_by_the_best(kind: ObjectKind) -> f64 {
    match kind {
        ObjectKind::Wreckage => 0.92,
        ObjectKind::Signal => 0.80,
        ObjectKind::Scar => 0.72,
        ObjectKind::Shelter => 0.88,
    }
}

/// Looks at the square `bbox` (west, south, east, north), in which `objects` lie.
pub fn look(person: &Person, bbox: [f64; 4], objects: &[SceneObject], dice: &mut StdRng) -> Answer {
    if dice.random_bool(SKIPPED) {
        return Answer::Skipped;
    }
    if dice.random_bool(BAD_IMAGERY) {
        return Answer::BadImagery;
    }
    let mut marks = Vec::new();
    for object in objects {
        if dice.random_bool(found_by_the_best(object.kind) * person.skill) {
            let kind = if dice.random_bool(CONFUSED) {
                any_kind(dice)
            } else {
                object.kind
            };
            marks.push(mark(person, kind, (object.lon, object.lat), bbox, dice));
        }
    }
    if dice.random_bool(IMAGINED) {
        let [west, south, east, north] = bbox;
        let place = (
            dice.random_range(west..east),
            dice.random_range(south..north),
        );
        let kind = any_kind(dice);
        marks.push(mark(person, kind, place, bbox, dice));
    }
    if marks.is_empty() {
        Answer::Nothing
    } else {
        Answer::Tagged(marks)
    }
}

/// The place of a mark once more, as by another try of the hand.
pub fn mark(
    person: &Person,
    kind: ObjectKind,
    (lon, lat): (f64, f64),
    bbox: [f64; 4],
    dice: &mut StdRng,
) -> Mark {
    let [west, south, east, north] = bbox;
    let metres = std::f64::consts::FRAC_1_SQRT_2 * person.hand_m;
    let east_deg = normal(dice) * metres / (METRES_PER_DEGREE * lat.to_radians().cos());
    let north_deg = normal(dice) * metres / METRES_PER_DEGREE;
    Mark {
        kind,
        lon: (lon + east_deg).clamp(west, east),
        lat: (lat + north_deg).clamp(south, north),
    }
}

fn any_kind(dice: &mut StdRng) -> ObjectKind {
    *ObjectKind::ALL
        .choose(dice)
        .unwrap_or(&ObjectKind::Wreckage)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const BBOX: [f64; 4] = [-152.3, 57.6, -152.297, 57.602];

    fn object() -> SceneObject {
        SceneObject {
            kind: ObjectKind::Wreckage,
            lon: -152.2985,
            lat: 57.601,
            heading: 0.0,
            size_m: 9.0,
        }
    }

    #[test]
    fn most_people_find_what_is_there_and_some_do_not() {
        let mut dice = StdRng::seed_from_u64(3);
        let person = Person::new(&mut dice);
        let found = (0..1000)
            .filter(|_| {
                !look(&person, BBOX, &[object()], &mut dice)
                    .marks()
                    .is_empty()
            })
            .count();
        assert!((450..950).contains(&found), "{found}");
    }

    #[test]
    fn an_empty_square_is_seldom_tagged_and_every_mark_lies_within_its_square() {
        let mut dice = StdRng::seed_from_u64(4);
        let person = Person::new(&mut dice);
        let mut marks = 0;
        for _ in 0..5000 {
            for mark in look(&person, BBOX, &[], &mut dice).marks() {
                marks += 1;
                assert!(
                    (BBOX[0]..=BBOX[2]).contains(&mark.lon)
                        && (BBOX[1]..=BBOX[3]).contains(&mark.lat)
                );
            }
        }
        assert!((20..150).contains(&marks), "{marks}");
    }
}
