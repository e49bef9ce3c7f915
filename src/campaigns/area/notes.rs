//! What was put right in an upload, or should be known of it.

use super::Note;

/// Code and sentence of a note.
type Words = (&'static str, &'static str);

pub(super) const HEIGHT: Words = (
    "height_dropped",
    "positions have a third number (height), which was dropped",
);
pub(super) const CLOSED: Words = (
    "ring_closed",
    "a ring did not end where it began and was closed",
);
pub(super) const REPEATS: Words = (
    "repeated_positions",
    "positions which repeat the one before were removed",
);
pub(super) const WINDING: Words = (
    "winding_fixed",
    "a ring ran the wrong way round and was turned (RFC 7946: outer rings anticlockwise)",
);
pub(super) const CROSSES: Words = (
    "crosses_antimeridian",
    "the area crosses the antimeridian (180°); sides longer than 180° were taken the short way round",
);
pub(super) const BEYOND: Words = (
    "beyond_web_mercator",
    "the area reaches beyond 85.0511° north or south, where there is no imagery",
);

/// At most one note for each code, however often it applies.
#[derive(Default)]
pub(super) struct Notes(pub Vec<Note>);

impl Notes {
    pub fn add(&mut self, (code, detail): Words, pointer: &str) {
        match self.0.iter_mut().find(|note| note.code == code) {
            Some(note) => note.count += 1,
            None => self.0.push(Note {
                code,
                pointer: pointer.to_owned(),
                count: 1,
                detail,
            }),
        }
    }
}
