//! What phones push, and what they pull, as `RxDB`'s wire has it.

use std::io::Write;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    campaign::Cell,
    ledger::{
        DECIMALS, FINISHED_AT, STARTED_AT, TAG_TYPE, look_id, number, outcome, tag_id, tag_number,
        tag_place,
    },
};

/// Of each look.
pub const TAGS_EACH: u8 = 3;
/// How far a place that was pulled may be from the one that was pushed, in degrees.
const PLACE_TOLERANCE: f64 = 2e-7;
/// Bit of the look itself, beside those of its tags.
const LOOK: u8 = 1 << 7;

/// A day of looks, with consecutive numbers.
#[derive(Clone, Debug)]
pub struct Day {
    pub first: u64,
    pub cells: Vec<Cell>,
    /// Of each look: what was pulled of it and of its tags, as bits.
    had: Vec<u8>,
}

/// Where to go on.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Checkpoint {
    pub lwt: i64,
    pub id: String,
}

#[derive(Deserialize)]
pub struct Page {
    pub documents: Vec<Pulled>,
    pub checkpoint: Checkpoint,
}

#[derive(Deserialize)]
pub struct Pulled {
    id: Uuid,
    #[serde(default)]
    cell: Option<String>,
    #[serde(default)]
    outcome: Option<String>,
    #[serde(default)]
    geometry: Option<Point>,
    #[serde(rename = "_deleted")]
    is_deleted: bool,
}

#[derive(Deserialize)]
struct Point {
    coordinates: [f64; 2],
}

impl Day {
    pub fn new(first: u64, cells: Vec<Cell>) -> Self {
        Self {
            first,
            had: vec![0; cells.len()],
            cells,
        }
    }

    pub fn numbers(&self) -> impl Iterator<Item = (u64, Cell)> {
        (self.first..).zip(self.cells.iter().copied())
    }

    /// Bodies that push all looks, so many in each.
    pub fn looks(&self, campaign: &str, batch: usize) -> Vec<Vec<u8>> {
        let rows = self.numbers().map(|(number, cell)| {
            let (id, outcome) = (look_id(number), outcome(TAGS_EACH));
            format!(
                r#"{{"newDocumentState":{{"id":"{id}","campaign":"{campaign}","cell":"{cell}","outcome":"{outcome}","started_at":"{STARTED_AT}","finished_at":"{FINISHED_AT}","_deleted":false}}}}"#
            )
        });
        bodies(rows, batch)
    }

    /// The same for all tags.
    pub fn tags(&self, campaign: &str, batch: usize) -> Vec<Vec<u8>> {
        let rows = self.numbers().flat_map(|(number, cell)| {
            (0..TAGS_EACH).map(move |nth| {
                let (id, look) = (tag_id(number, nth), look_id(number));
                let [lon, lat] = tag_place(number, nth, cell);
                format!(
                    r#"{{"newDocumentState":{{"id":"{id}","look_id":"{look}","campaign":"{campaign}","tag_type":"{TAG_TYPE}","geometry":{{"type":"Point","coordinates":[{lon:.DECIMALS$},{lat:.DECIMALS$}]}},"_deleted":false}}}}"#
                )
            })
        });
        bodies(rows, batch)
    }

    /// A look came.
    pub fn take_look(&mut self, pulled: &Pulled) -> anyhow::Result<()> {
        let id = pulled.id;
        let index = self
            .index(number(id))
            .with_context(|| format!("the look {id}"))?;
        let cell = self.cells[index].to_string();
        ensure!(
            pulled.cell.as_ref() == Some(&cell)
                && pulled.outcome.as_deref() == Some(outcome(TAGS_EACH))
                && !pulled.is_deleted,
            "the look {id} came with other content"
        );
        ensure!(self.had[index] & LOOK == 0, "the look {id} came twice");
        self.had[index] |= LOOK;
        Ok(())
    }

    /// A tag came; once more when it waited for its look.
    pub fn take_tag(&mut self, pulled: &Pulled) -> anyhow::Result<()> {
        let id = pulled.id;
        let Some((number, nth)) = tag_number(id) else {
            bail!("the tag {id} is none of ours");
        };
        let index = self
            .index(Some(number))
            .with_context(|| format!("the tag {id}"))?;
        let sent = tag_place(number, nth, self.cells[index]);
        let is_there = pulled.geometry.as_ref().is_some_and(|point| {
            let mut both = point.coordinates.iter().zip(sent);
            both.all(|(came, sent)| (came - sent).abs() <= PLACE_TOLERANCE)
        });
        ensure!(
            is_there && !pulled.is_deleted,
            "the tag {id} came with other content"
        );
        self.had[index] |= 1 << nth;
        Ok(())
    }

    /// Whether everything that was pushed was pulled.
    pub fn is_whole(&self) -> bool {
        let whole = LOOK | ((1 << TAGS_EACH) - 1);
        self.had.iter().all(|had| *had == whole)
    }

    fn index(&self, number: Option<u64>) -> anyhow::Result<usize> {
        let nth = number.and_then(|number| number.checked_sub(self.first));
        let index = nth.and_then(|nth| usize::try_from(nth).ok());
        index
            .filter(|index| *index < self.cells.len())
            .context("is another's, or was never pushed")
    }
}

fn bodies(rows: impl Iterator<Item = String>, batch: usize) -> Vec<Vec<u8>> {
    let rows: Vec<String> = rows.collect();
    let body = |rows: &[String]| {
        let mut body = Vec::new();
        let _never_fails = write!(body, "[{}]", rows.join(","));
        body
    };
    rows.chunks(batch).map(body).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign;

    fn day() -> Day {
        Day::new(40, vec![campaign::cell(1, 2), campaign::cell(3, 4)])
    }

    fn pushed(bodies: &[Vec<u8>]) -> Vec<Pulled> {
        let rows = bodies.iter().flat_map(|body| {
            let rows: Vec<serde_json::Value> = serde_json::from_slice(body).unwrap();
            rows
        });
        rows.map(|row| serde_json::from_value(row["newDocumentState"].clone()).unwrap())
            .collect()
    }

    #[test]
    fn what_was_pushed_is_whole_once_all_of_it_came() {
        let mut day = day();
        let (looks, tags) = (day.looks("c", 1), day.tags("c", 4));
        assert_eq!((looks.len(), tags.len()), (2, 2));
        for look in pushed(&looks) {
            day.take_look(&look).unwrap();
            assert!(day.take_look(&look).is_err(), "twice");
        }
        assert!(!day.is_whole());
        for tag in pushed(&tags) {
            day.take_tag(&tag).unwrap();
            day.take_tag(&tag).unwrap();
        }
        assert!(day.is_whole());
    }

    #[test]
    fn other_content_and_what_was_never_pushed_is_found() {
        let mut day = day();
        let mut look = pushed(&day.looks("c", 9)).remove(0);
        look.outcome = Some("nothing".to_owned());
        assert!(day.take_look(&look).is_err());
        let mut tag = pushed(&day.tags("c", 9)).remove(0);
        tag.is_deleted = true;
        assert!(day.take_tag(&tag).is_err());
        let other = Day::new(42, day.cells.clone());
        assert!(day.take_look(&pushed(&other.looks("c", 9))[0]).is_err());
    }
}
