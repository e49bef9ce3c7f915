//! A look as it is sent, checked, stored and answered; its limits.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{geo::tile::Tile, http::Problem};

/// Looks of one batch.
pub const BATCH_MAX: usize = 500;
/// Tags of one look.
pub const TAGS_MAX: usize = 100;
/// Characters of a note.
pub const NOTE_CHARS_MAX: usize = 500;

/// What a volunteer found.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Something was marked.
    Tagged,
    /// The whole square was seen and nothing is there: evidence of absence.
    Nothing,
    /// The volunteer was not sure.
    Skipped,
    /// Clouds, blur or missing parts: nobody could see anything.
    BadImagery,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tagged => "tagged",
            Self::Nothing => "nothing",
            Self::Skipped => "skipped",
            Self::BadImagery => "bad_imagery",
        }
    }
}

/// A look as a client sends it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLook {
    /// Made by the client, once for each look; UUIDv7 advised. Send the same again after a lost answer.
    #[schema(example = "01932b3a-7c00-7000-8000-000000000001")]
    pub id: Uuid,
    /// The square as `z/x/y`.
    #[schema(value_type = String, pattern = "^\\d{1,2}/\\d{1,9}/\\d{1,9}$", example = "17/10043/39631")]
    pub cell: Tile,
    pub outcome: Outcome,
    /// By the client's clock; kept as it is.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// By the client's clock; kept as it is.
    #[schema(value_type = String, format = DateTime)]
    pub finished_at: Timestamp,
    /// Version of the campaign that the volunteer saw; the present one when it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub campaign_version: Option<i32>,
    /// 1 to 100 with `tagged`, none with the other outcomes.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub tags: Vec<NewTag>,
}

/// A tag as a client sends it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTag {
    /// Made by the client, once for each tag.
    #[schema(example = "01932b3a-7c00-7000-8000-000000000002")]
    pub id: Uuid,
    /// Key of one of the campaign's tag types.
    #[schema(max_length = 64, example = "wreckage")]
    pub tag_type: String,
    /// GeoJSON geometry of the tag type's kind, within the square; 500 vertices at most.
    #[schema(value_type = Object, example = json!({"type": "Point", "coordinates": [-152.4142, 57.6021]}))]
    pub geometry: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub note: Option<String>,
}

/// Many looks at once, as after a day without a network.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// 1 to 500, in any order. Each is judged for itself.
    #[schema(value_type = Vec<NewLook>, min_items = 1, max_items = 500)]
    pub looks: Vec<Box<RawValue>>,
    /// Whether to say of each look that is stored how it came in.
    #[serde(default)]
    #[schema(default = false)]
    pub standing: bool,
}

/// A look that was checked, in the form in which it is stored.
#[derive(Clone, Debug)]
pub struct Look {
    pub volunteer_id: Uuid,
    pub id: Uuid,
    pub campaign_id: Uuid,
    pub cell: i64,
    pub cell_name: String,
    pub outcome: Outcome,
    pub campaign_version: i32,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    /// SHA-256 of what was sent.
    pub content_hash: [u8; 32],
    pub tags: Vec<Tag>,
}

/// A tag that was checked.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_field_names,
    reason = "tag type is a word of the domain"
)]
pub struct Tag {
    pub id: Uuid,
    pub tag_type: String,
    /// Geometry as EWKB.
    pub place: Vec<u8>,
    pub note: Option<String>,
}

impl Look {
    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        let of_tag = |tag: &Tag| {
            size_of::<Tag>()
                + tag.tag_type.len()
                + tag.place.len()
                + tag.note.as_ref().map_or(0, String::len)
        };
        size_of::<Self>() + self.tags.iter().map(of_tag).sum::<usize>()
    }
}

#[cfg(test)]
impl Look {
    /// For tests to which nothing else of it matters.
    pub fn sample(id: u128, content: u8) -> Self {
        Self {
            volunteer_id: Uuid::nil(),
            id: Uuid::from_u128(id),
            campaign_id: Uuid::nil(),
            cell: 0,
            cell_name: String::new(),
            outcome: Outcome::Nothing,
            campaign_version: 1,
            started_at: Timestamp::UNIX_EPOCH,
            finished_at: Timestamp::UNIX_EPOCH,
            content_hash: [content; 32],
            tags: Vec::new(),
        }
    }
}

/// What was acknowledged.
#[derive(Debug, Serialize, ToSchema)]
pub struct Receipt {
    pub id: Uuid,
    #[schema(example = "17/10043/39631")]
    pub cell: String,
    pub outcome: Outcome,
    /// Version of the campaign under which the look is kept.
    pub campaign_version: i32,
    /// When it was stored, by the server's clock.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// Ids of the tags that were sent with it.
    pub tags: Vec<Uuid>,
}

impl Receipt {
    pub fn of(look: Look, stamp: Stamp) -> Self {
        Self {
            id: look.id,
            cell: look.cell_name,
            outcome: look.outcome,
            campaign_version: stamp.campaign_version,
            received_at: stamp.received_at,
            tags: look.tags.iter().map(|tag| tag.id).collect(),
        }
    }
}

/// When a look was stored, and under which version of its campaign.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    pub received_at: Timestamp,
    pub campaign_version: i32,
}

/// What is kept under a volunteer's id of a look.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    pub volunteer_id: Uuid,
    pub id: Uuid,
    pub content_hash: [u8; 32],
    pub stamp: Stamp,
    /// It was stored just now.
    pub is_new: bool,
}

/// What became of a look in the attempt to store it.
#[derive(Debug)]
pub enum Stored {
    Created(Stamp),
    Repeated(Stamp),
    /// Another look has its id.
    Conflict,
    /// A tag of another look has the id of one of its tags.
    TagIdTaken,
    NoSuchCell,
    /// The database refuses it for a reason that nobody thought of.
    Failed(Problem),
}

/// What became of a look.
pub enum Verdict {
    Created(Receipt),
    Repeated(Receipt),
    Conflict(Problem),
    Invalid(Problem),
}

impl Verdict {
    /// The id of the look, if it is stored.
    pub fn stored(&self) -> Option<Uuid> {
        match self {
            Self::Created(receipt) | Self::Repeated(receipt) => Some(receipt.id),
            Self::Conflict(_) | Self::Invalid(_) => None,
        }
    }

    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Created(_) => "created",
            Self::Repeated(_) => "repeated",
            Self::Conflict(_) => "conflict",
            Self::Invalid(_) => "invalid",
        }
    }
}
