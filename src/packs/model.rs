//! A pack as it is asked for, kept and shown; its limits.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    campaigns::{CampaignView, ImageryView},
    geo::{CellId, LonLat},
    http::{FieldErrors, Problem},
};

/// Squares of one pack.
pub const CELLS_MAX: u16 = 500;
/// Squares that a volunteer has along and has not answered, of all packs.
pub const CELLS_OPEN_MAX: i64 = 2000;
/// Packs of a volunteer with such squares.
pub const PACKS_OPEN_MAX: i64 = 20;
/// How long squares are reserved, when the volunteer does not say: a day out, and the night after it.
pub const LEASE_HOURS_DEFAULT: u16 = 24;
pub const LEASE_HOURS_MAX: u16 = 168;

/// What to take along.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PackWanted)]
pub struct Wanted {
    /// Made by the client, once for each pack; UUIDv7 advised. Send the same again after a lost answer.
    #[schema(example = "01932b3a-7c00-7000-8000-000000000003")]
    pub id: Uuid,
    /// How many squares; there may be fewer left.
    #[schema(minimum = 1, maximum = 500, example = 100)]
    pub cells: u16,
    /// Longitude, latitude: squares close to this place come first.
    #[serde(default)]
    #[schema(value_type = Option<Vec<f64>>, min_items = 2, max_items = 2, example = json!([-152.4, 57.6]))]
    pub near: Option<[f64; 2]>,
    /// How long the squares are reserved for you. A look that comes later is taken all the same.
    #[serde(default = "default_lease_hours")]
    #[schema(minimum = 1, maximum = 168, default = 24)]
    pub lease_hours: u16,
}

fn default_lease_hours() -> u16 {
    LEASE_HOURS_DEFAULT
}

impl Wanted {
    pub fn check(&self) -> Result<(), Problem> {
        let mut errors = FieldErrors::default();
        let (cells, hours) = (self.cells, self.lease_hours);
        errors.need((1..=CELLS_MAX).contains(&cells), "/cells", || {
            format!("found {cells}; a pack has 1 to {CELLS_MAX} squares")
        });
        errors.need(
            (1..=LEASE_HOURS_MAX).contains(&hours),
            "/lease_hours",
            || format!("found {hours}; 1 to {LEASE_HOURS_MAX} hours are possible"),
        );
        if let Some(Err(e)) = self.near.map(|[lon, lat]| LonLat::new(lon, lat)) {
            errors.push("/near", e.to_string());
        }
        errors.into_result().map_err(|errors| {
            Problem::unprocessable("invalid_body", "Ask for another pack.", errors)
        })
    }
}

/// A pack as it is kept.
#[derive(Clone, Debug)]
pub struct Pack {
    pub id: Uuid,
    pub campaign_id: Uuid,
    pub cells_wanted: u16,
    pub lease_hours: u16,
    pub near: Option<[f64; 2]>,
    /// Whether a server deals it now, whether it is to be dealt anew, or is complete.
    pub stage: Stage,
    pub exhausted: bool,
    pub made_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub is_returned: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// A server deals it.
    InWork,
    /// A server dealt it and did not come to the end.
    Abandoned,
    Complete,
}

impl Pack {
    /// Whether it is what somebody asks for.
    pub fn is_of(&self, campaign_id: Uuid, wanted: &Wanted) -> bool {
        self.campaign_id == campaign_id
            && self.cells_wanted == wanted.cells
            && self.lease_hours == wanted.lease_hours
            && self.near == wanted.near
    }
}

/// A square of a pack.
#[derive(Clone, Copy, Debug)]
pub struct PackCell {
    pub id: Uuid,
    pub cell: CellId,
    /// The imagery layer that it has instead of the campaign's.
    pub layer: Option<Uuid>,
    pub lease_expires_at: Timestamp,
    pub is_open: bool,
}

/// All that is needed to look at some squares without a network.
#[derive(Serialize, ToSchema)]
#[schema(as = Pack)]
pub struct PackView {
    pub id: Uuid,
    /// What to look for, as it is now, without `area` and `priorities`.
    pub campaign: CampaignView,
    pub assignments: Vec<PackCellView>,
    pub tiles: TilesView,
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// Until then the squares are reserved for you; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// Whether there were fewer squares than you asked for.
    pub exhausted: bool,
    /// When there are none because others hold the last: seconds until the first may come back.
    pub retry_after_seconds: Option<i64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PackCell)]
pub struct PackCellView {
    /// Of this square in this pack.
    pub id: Uuid,
    /// The square as `z/x/y`.
    #[schema(example = "17/10000/39000")]
    pub cell: String,
    /// West, south, east, north.
    #[schema(value_type = Vec<f64>, min_items = 4, max_items = 4)]
    pub bbox: [f64; 4],
    /// Until then nobody else is given the square in your stead. A later look still counts.
    #[schema(value_type = String, format = DateTime)]
    pub lease_expires_at: Timestamp,
    /// `open`, or `answered` when you have looked at it.
    #[schema(example = "open")]
    pub state: &'static str,
    /// The imagery of this square, where the organisers gave it another than the campaign's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imagery: Option<ImageryView>,
}

/// The tiles of a pack: take the zooms that your screen needs.
#[derive(Serialize, ToSchema)]
#[schema(as = PackTiles)]
pub struct TilesView {
    /// Usually one.
    pub layers: Vec<LayerTilesView>,
    /// Of all layers and zooms.
    pub count: u64,
    /// About how many bytes all of them have.
    pub bytes_estimate: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PackLayerTiles)]
pub struct LayerTilesView {
    /// Key of the layer.
    #[schema(example = "demo")]
    pub imagery_layer: String,
    /// Address of a tile with the holes `{z}`, `{x}`, `{y}`, relative to this server.
    #[schema(example = "/v1/imagery/demo/{z}/{x}/{y}?v=1")]
    pub tiles: String,
    pub tile_size: u16,
    /// From the surroundings of a square to the finest that a large screen needs.
    pub zooms: Vec<ZoomTilesView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PackZoomTiles)]
pub struct ZoomTilesView {
    #[schema(example = 17)]
    pub z: u8,
    pub count: u64,
    /// From the sizes of stored tiles; where none are stored, 20 KiB for each of 256 pixels.
    pub bytes_estimate: u64,
    /// Blocks of tiles: first x, first y, last x, last y. No tile is in two.
    #[schema(value_type = Vec<Vec<u32>>, example = json!([[10000, 39000, 10003, 39001]]))]
    pub ranges: Vec<[u32; 4]>,
}

/// A pack in the list.
#[derive(Serialize, ToSchema)]
#[schema(as = PackEntry)]
pub struct PackEntry {
    pub id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// Squares that are not answered.
    pub open: i64,
}
