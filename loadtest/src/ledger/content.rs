//! What a look says, by its number.

use std::io::Write;

use uuid::Uuid;

use super::TAGS_MAX;
use crate::campaign::Cell;

/// Bits that all our ids have: those of a version 7.
const ID_BASE: u128 = 0x0192_0000_0000_7000_8000_0000_0000_0000;
/// Above the number: which tag of the look it is, from 1 on; 0 is the look itself.
const PART_SHIFT: u32 = 56;
const NUMBER_MASK: u128 = (1 << PART_SHIFT) - 1;

pub const TAG_TYPE: &str = "wreckage";
pub const STARTED_AT: &str = "2026-11-23T07:00:00Z";
pub const FINISHED_AT: &str = "2026-11-23T07:00:09.5Z";
/// Decimals of longitudes and latitudes that are sent.
pub const DECIMALS: usize = 7;

/// Id of the look of a number.
pub fn look_id(number: u64) -> Uuid {
    Uuid::from_u128(ID_BASE | (u128::from(number) & NUMBER_MASK))
}

/// Id of the n-th tag of that look, from 0 on.
pub fn tag_id(number: u64, nth: u8) -> Uuid {
    let part = u128::from(nth % TAGS_MAX) + 1;
    Uuid::from_u128(ID_BASE | (part << PART_SHIFT) | (u128::from(number) & NUMBER_MASK))
}

/// The number of a look's id, if it can be one of ours.
pub fn number(id: Uuid) -> Option<u64> {
    let number = u64::try_from(id.as_u128() & NUMBER_MASK).ok()?;
    (look_id(number) == id).then_some(number)
}

/// The look and which of its tags it is, if it can be the id of one of our tags.
pub fn tag_number(id: Uuid) -> Option<(u64, u8)> {
    let number = u64::try_from(id.as_u128() & NUMBER_MASK).ok()?;
    let nth = (0..TAGS_MAX).find(|nth| tag_id(number, *nth) == id)?;
    Some((number, nth))
}

pub fn outcome(tags: u8) -> &'static str {
    if tags == 0 { "nothing" } else { "tagged" }
}

/// Where the n-th tag of a look is: somewhere within its cell.
pub fn tag_place(number: u64, nth: u8, cell: Cell) -> [f64; 2] {
    let spread = number
        .wrapping_add(u64::from(nth) << 40)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let within = |part: u64| 0.1 + 0.8 * crate::measure::float(part % 1000) / 1000.0;
    cell.at(within(spread >> 44), within((spread >> 20) & 0xFF_FFFF))
}

pub fn write(number: u64, cell: Cell, tags: u8, body: &mut Vec<u8>) {
    let (look, outcome) = (look_id(number), outcome(tags));
    let _never_fails = write!(
        body,
        r#"{{"id":"{look}","cell":"{cell}","outcome":"{outcome}","started_at":"{STARTED_AT}","finished_at":"{FINISHED_AT}","tags":["#
    );
    for nth in 0..tags {
        let (id, [lon, lat]) = (tag_id(number, nth), tag_place(number, nth, cell));
        let comma = if nth == 0 { "" } else { "," };
        let _never_fails = write!(
            body,
            r#"{comma}{{"id":"{id}","tag_type":"{TAG_TYPE}","geometry":{{"type":"Point","coordinates":[{lon:.DECIMALS$},{lat:.DECIMALS$}]}}}}"#
        );
    }
    body.extend_from_slice(b"]}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign;

    #[test]
    fn a_number_comes_back_from_its_look_and_from_nothing_else() {
        for n in [0, 1, 77, (1 << 56) - 1] {
            assert_eq!(number(look_id(n)), Some(n));
            assert_eq!(number(tag_id(n, 0)), None);
            assert_ne!(tag_id(n, 0), tag_id(n, 1));
            assert_eq!(tag_number(tag_id(n, 6)), Some((n, 6)));
            assert_eq!(tag_number(look_id(n)), None);
        }
        assert_eq!(number(Uuid::nil()), None);
    }

    #[test]
    fn a_look_is_json_with_its_tags_within_the_cell() {
        let cell = campaign::cell(3, 4);
        let mut body = Vec::new();
        write(12, cell, 2, &mut body);
        let look: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(look["id"], look_id(12).to_string());
        assert_eq!(look["tags"].as_array().map(Vec::len), Some(2));
        let (north_west, south_east) = (cell.at(0.0, 0.0), cell.at(1.0, 1.0));
        for nth in 0..2 {
            let [lon, lat] = tag_place(12, nth, cell);
            assert!(north_west[0] < lon && lon < south_east[0]);
            assert!(south_east[1] < lat && lat < north_west[1]);
        }
        let mut body = Vec::new();
        write(13, cell, 0, &mut body);
        let look: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(look["outcome"], "nothing");
    }
}
