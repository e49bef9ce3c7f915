//! What organisers say of cells, and what is shown of one.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::{assignments::BAD_IMAGERY_REPORTS, geo::CellId, http::Problem};

/// Cells of one decision.
pub const CELLS_MAX: usize = 1000;

/// What an organiser decides about cells. Members that are not named stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// 1 to 1000 cells as `z/x/y`. Each is judged for itself.
    #[schema(min_items = 1, max_items = 1000, example = json!(["17/10043/39631"]))]
    pub cells: Vec<String>,
    /// Key of the layer that these cells are shown on, instead of the campaign's; `null` for the
    /// campaign's. Reports of bad imagery up to now then do not count any more, also when the layer
    /// is named that the cells have: its imagery is good now.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "survey-2019")]
    pub imagery_layer: NamedLayer,
    /// `true`: nobody is given these cells. `false` takes that back.
    #[serde(default)]
    pub closed: Option<bool>,
    /// `true`: looks and reports of bad imagery up to now do not count any more, and the cells are
    /// given anew to people who have not seen them. Tags stay.
    #[serde(default)]
    pub reset: bool,
}

/// The layer that a decision names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum NamedLayer {
    /// None: the cells keep what they have.
    #[default]
    Unnamed,
    /// `null`: the campaign's.
    Campaigns,
    Key(String),
}

impl<'de> Deserialize<'de> for NamedLayer {
    fn deserialize<D: Deserializer<'de>>(member: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(member)?.map_or(Self::Campaigns, Self::Key))
    }
}

/// What became of one cell of a decision.
pub enum Verdict {
    Changed,
    /// It was so already.
    Unchanged,
    Invalid(Problem),
}

impl Verdict {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Invalid(_) => "invalid",
        }
    }
}

/// Where a cell stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CellState {
    /// It lacks looks.
    Open,
    /// It has as many looks as wanted.
    Done,
    /// Three volunteers or more reported bad imagery: it waits for the organiser.
    BadImagery,
    /// The organiser closed it.
    Closed,
}

impl CellState {
    pub fn of(closed: bool, bad_imagery: i16, looks: i16, looks_wanted: u16) -> Self {
        if closed {
            Self::Closed
        } else if bad_imagery >= BAD_IMAGERY_REPORTS {
            Self::BadImagery
        } else if i32::from(looks) >= i32::from(looks_wanted) {
            Self::Done
        } else {
            Self::Open
        }
    }
}

/// Which cells are listed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Listed {
    /// Three volunteers or more reported bad imagery, and the cell is not closed.
    BadImagery,
    Closed,
    /// Something was ever decided about the cell.
    Decided,
}

/// A cell in a list.
#[derive(Clone, Debug)]
pub struct ListedCell {
    pub cell: CellId,
    pub weight: f32,
    pub looks: i16,
    pub bad_imagery: i16,
    pub tags: i32,
    pub decided: Decided,
}

/// What was decided about a cell.
#[derive(Clone, Debug, Default)]
pub struct Decided {
    pub closed: bool,
    /// Key of its own layer.
    pub imagery_layer: Option<String>,
    pub at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_cell_is_closed_whatever_else_it_is() {
        for (closed, bad_imagery, looks, state) in [
            (false, 0, 2, CellState::Open),
            (false, 0, 3, CellState::Done),
            (false, 2, 2, CellState::Open),
            (false, 3, 3, CellState::BadImagery),
            (true, 3, 3, CellState::Closed),
        ] {
            assert_eq!(CellState::of(closed, bad_imagery, looks, 3), state);
        }
    }

    #[test]
    fn a_layer_that_is_null_is_told_from_one_that_is_not_named() {
        let read = |text: &str| {
            let decision: Decision = serde_json::from_str(text).unwrap();
            decision.imagery_layer
        };
        assert_eq!(read(r#"{"cells": []}"#), NamedLayer::Unnamed);
        let null = read(r#"{"cells": [], "imagery_layer": null}"#);
        assert_eq!(null, NamedLayer::Campaigns);
        let named = read(r#"{"cells": [], "imagery_layer": "a"}"#);
        assert_eq!(named, NamedLayer::Key("a".to_owned()));
    }
}
