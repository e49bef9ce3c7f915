//! The looks that are sent: each has its number, from which everything else follows.

use std::io::Write;

use uuid::Uuid;

use crate::campaign;

/// Bits that all our ids have: those of a version 7.
const ID_BASE: u128 = 0x0192_0000_0000_7000_8000_0000_0000_0000;
/// The bit that tells a tag's id from that of its look.
const TAG_BIT: u128 = 1 << 60;

/// The looks of one run.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// Cells along an edge of the campaign.
    pub edge: u32,
}

/// Id of the look of a number.
pub fn look_id(number: u64) -> Uuid {
    Uuid::from_u128(ID_BASE | u128::from(number))
}

/// Id of the one tag of that look.
pub fn tag_id(number: u64) -> Uuid {
    Uuid::from_u128(ID_BASE | TAG_BIT | u128::from(number))
}

/// The number of a look's id.
pub fn number(look_id: Uuid) -> Option<u64> {
    u64::try_from(look_id.as_u128() & !ID_BASE).ok()
}

impl Rows {
    /// Column and row of the cell of a look, from the campaign's corner; spread over all of it.
    pub fn cell(self, number: u64) -> (u32, u32) {
        let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let within = |part: u64| u32::try_from(part % u64::from(self.edge)).unwrap_or_default();
        (within(spread >> 40), within((spread >> 16) & 0xFF_FFFF))
    }

    /// The look of a number as JSON, with one tag in the middle of its cell.
    pub fn write(self, number: u64, body: &mut Vec<u8>) {
        let (look, tag) = (look_id(number), tag_id(number));
        let (east, south) = self.cell(number);
        let cell = campaign::cell(east, south);
        let [lon, lat] = campaign::middle(east, south);
        let _never_fails = write!(
            body,
            r#"{{"id":"{look}","cell":"{cell}","outcome":"tagged","started_at":"2026-11-23T07:00:00Z","finished_at":"2026-11-23T07:00:09.5Z","tags":[{{"id":"{tag}","tag_type":"wreckage","geometry":{{"type":"Point","coordinates":[{lon:.7},{lat:.7}]}}}}]}}"#
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_comes_back_from_its_look() {
        for n in [0, 1, 77, u64::MAX >> 4] {
            assert_eq!(number(look_id(n)), Some(n));
            assert_ne!(look_id(n), tag_id(n));
        }
    }

    #[test]
    fn a_look_is_json_within_the_campaign() {
        let rows = Rows { edge: 7 };
        let mut body = Vec::new();
        rows.write(12, &mut body);
        let look: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(look["id"], look_id(12).to_string());
        let (east, south) = rows.cell(12);
        assert!(east < 7 && south < 7);
    }
}
