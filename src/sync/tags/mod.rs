//! Tags as documents: made, edited, withdrawn and restored on phones.
//!
//! **Invariant:** a tag that comes before its look is kept and given like any other, and becomes one
//! of the look's tags once that is there; or a tombstone, when it does not fit or the look is refused.
//!
//! **Invariant:** a state that another device made is never overwritten: whoever pushes without
//! having seen it gets it as a conflict.

mod campaigns;
mod decide;
mod fit;
mod push;
mod queries;
mod waiting;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

pub use push::examine;
pub use queries::{after, withdraw_of_looks};
pub use waiting::{settle as settle_waiting, settle_some};

use super::{Document, Position, document::Members};
use crate::{db::DbError, geo::Geometry};

/// A tag.
#[derive(Serialize, ToSchema)]
pub struct TagDocument {
    id: Uuid,
    look_id: Uuid,
    /// The campaign's id; its slug can be pushed too.
    campaign: Uuid,
    /// Key of one of the campaign's tag types.
    tag_type: String,
    /// GeoJSON geometry of the tag type's kind, within the look's square; 500 vertices at most.
    #[schema(value_type = Object)]
    geometry: Value,
    /// 500 characters at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// A tag as it is pushed. Other members are not kept.
#[derive(Deserialize)]
struct Pushed {
    id: Uuid,
    look_id: Uuid,
    campaign: String,
    tag_type: String,
    geometry: Value,
    #[serde(default)]
    note: Option<String>,
}

impl Pushed {
    fn of(members: &Members) -> Result<Self, String> {
        let read = Self::deserialize(&Value::Object(members.clone()));
        let mut pushed = read.map_err(|e| e.to_string())?;
        pushed.note = pushed.note.filter(|note| !note.is_empty());
        Ok(pushed)
    }
}

/// A tag as it is kept, with its look or waiting for it.
#[derive(Clone, Debug)]
struct Kept {
    at: Position,
    look_id: Uuid,
    campaign_id: Uuid,
    tag_type: String,
    /// Geometry as EWKB.
    place: Vec<u8>,
    note: Option<String>,
    revision: i32,
    is_withdrawn: bool,
    is_waiting: bool,
}

impl Kept {
    fn geometry(&self) -> Result<Geometry, DbError> {
        Geometry::from_ewkb(&self.place)
            .map_err(|e| DbError::Damaged(format!("the place of a tag: {e}")))
    }

    fn document(&self) -> Result<Document, DbError> {
        let shape = TagDocument {
            id: self.at.id,
            look_id: self.look_id,
            campaign: self.campaign_id,
            tag_type: self.tag_type.clone(),
            geometry: self.geometry()?.to_geojson(),
            note: self.note.clone(),
        };
        Document::new(self.at, self.is_withdrawn, &shape)
    }
}
