//! Looks as documents: made on phones, never changed afterwards.

mod push;
mod queries;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

pub use push::examine;
pub use queries::after;

use super::{
    Document, Position,
    document::{Members, iso, whole_ms},
};
use crate::{
    db::DbError,
    geo::{CellId, Tile},
    looks::{NewLook, Outcome, hash_apart},
};

/// A look, without its tags.
#[derive(Serialize, ToSchema)]
pub struct LookDocument {
    pub id: Uuid,
    /// The campaign's id; its slug can be pushed too.
    campaign: Uuid,
    /// The square as `z/x/y`.
    #[schema(value_type = String, example = "17/10043/39631")]
    cell: Tile,
    outcome: Outcome,
    /// By the client's clock; milliseconds are kept.
    #[schema(format = DateTime)]
    started_at: String,
    #[schema(format = DateTime)]
    finished_at: String,
    /// Version of the campaign that the volunteer saw, where the client said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign_version: Option<i32>,
}

/// A look as it is pushed. Other members are not kept.
#[derive(Deserialize)]
struct Pushed {
    id: Uuid,
    campaign: String,
    cell: Tile,
    outcome: Outcome,
    started_at: Timestamp,
    finished_at: Timestamp,
    #[serde(default)]
    campaign_version: Option<i32>,
}

impl Pushed {
    fn of(members: &Members) -> Result<Self, String> {
        let read = Self::deserialize(&Value::Object(members.clone()));
        read.map_err(|e| e.to_string())
    }

    fn look(&self) -> NewLook {
        NewLook {
            id: self.id,
            cell: self.cell,
            outcome: self.outcome,
            started_at: whole_ms(self.started_at),
            finished_at: whole_ms(self.finished_at),
            campaign_version: self.campaign_version,
            tags: Vec::new(),
        }
    }
}

/// A look as it is kept.
#[derive(Clone, Debug)]
struct Kept {
    at: Position,
    campaign_id: Uuid,
    cell: Tile,
    outcome: Outcome,
    campaign_version: i32,
    started_at: Timestamp,
    finished_at: Timestamp,
    content_hash: Vec<u8>,
}

impl Kept {
    fn document(&self) -> Result<Document, DbError> {
        let shape = LookDocument {
            id: self.at.id,
            campaign: self.campaign_id,
            cell: self.cell,
            outcome: self.outcome,
            started_at: iso(self.started_at),
            finished_at: iso(self.finished_at),
            campaign_version: (!self.came_without_version()).then_some(self.campaign_version),
        };
        Document::new(self.at, false, &shape)
    }

    /// Whether the client did not say which version was seen. Then it must not get one: what it
    /// pushed would come back as something else.
    fn came_without_version(&self) -> bool {
        let sent = NewLook {
            id: self.at.id,
            cell: self.cell,
            outcome: self.outcome,
            started_at: self.started_at,
            finished_at: self.finished_at,
            campaign_version: None,
            tags: Vec::new(),
        };
        hash_apart(&sent, self.campaign_id).as_slice() == self.content_hash
    }

    /// Whether that is what is kept, however it was sent.
    fn is(&self, pushed: &Pushed, campaign_id: Option<Uuid>) -> bool {
        let version = pushed.campaign_version;
        campaign_id.is_none_or(|id| id == self.campaign_id)
            && self.cell == pushed.cell
            && self.outcome == pushed.outcome
            && self.started_at.as_millisecond() == pushed.started_at.as_millisecond()
            && self.finished_at.as_millisecond() == pushed.finished_at.as_millisecond()
            && version.is_none_or(|version| version == self.campaign_version)
    }
}

fn tile(cell: i64) -> Result<Tile, DbError> {
    let cell = CellId::try_from(cell).map_err(|e| DbError::Damaged(e.to_string()))?;
    Ok(cell.tile())
}
