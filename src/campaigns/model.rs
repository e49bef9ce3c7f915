//! A campaign as an organiser defines it, and its limits.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{geo::GeometryKind, http::text::Localised};

/// Characters of a title.
pub const TITLE_CHARS_MAX: usize = 120;
/// Characters of a summary.
pub const SUMMARY_CHARS_MAX: usize = 500;
/// Characters of instructions, in Markdown.
pub const INSTRUCTIONS_CHARS_MAX: usize = 20_000;
/// Characters of a tag type's name.
pub const TAG_TYPE_NAME_CHARS_MAX: usize = 60;
/// Characters of the message with a pause.
pub const MESSAGE_CHARS_MAX: usize = 500;
/// Tag types of one campaign.
pub const TAG_TYPES_MAX: usize = 32;
/// Example places of one tag type.
pub const EXAMPLES_MAX: usize = 4;
/// Priority areas of one campaign.
pub const PRIORITIES_MAX: usize = 50;
/// Characters of a priority area's name.
pub const PRIORITY_NAME_CHARS_MAX: usize = 60;
/// Highest weight of a priority area.
pub const WEIGHT_MAX: f64 = 100.0;
/// Zooms at which cells are possible.
pub const CELL_ZOOM_MIN: u8 = 10;
pub const CELL_ZOOM_MAX: u8 = 22;
/// Looks that a cell can want.
pub const LOOKS_WANTED_MAX: u16 = 100;
/// Cells of one campaign.
pub const CELLS_MAX: u64 = 20_000_000;
/// A lease, in seconds: five seconds to thirty days.
pub const LEASE_SECONDS_MIN: u32 = 5;
pub const LEASE_SECONDS_MAX: u32 = 30 * 24 * 3600;
/// Days after the close in which looks are still taken, when the organiser does not say.
pub const GRACE_DAYS_DEFAULT: u16 = 30;
pub const GRACE_DAYS_MAX: u16 = 180;
/// Shapes of tag types, in the order in which they are given out.
pub const ICONS: [&str; 8] = [
    "triangle", "circle", "square", "diamond", "hexagon", "pentagon", "cross", "star",
];
/// Colours of tag types, in the order in which they are given out.
pub const COLOURS: [&str; 8] = [
    "#F5330F", "#6CCEEF", "#DD64A4", "#079E69", "#FEE346", "#2B2FD4", "#FFFFFF", "#57301A",
];

/// What an organiser says of a campaign.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignDefinition {
    /// Name in addresses: lower-case letters, digits, `-` and `_`.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = "^[a-z0-9][a-z0-9_-]*$",
        example = "missing-aircraft"
    )]
    pub slug: String,
    /// Languages of its texts (BCP 47 tags) in their order: whoever reads none of them gets the
    /// first. Those of the title that are not named follow by name; 50 at most.
    #[serde(default)]
    #[schema(max_items = 50, example = json!(["en"]))]
    pub languages: Vec<String>,
    /// Per language (BCP 47 tag), at least one; 120 characters each.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"en": "Find the missing light aircraft"}))]
    pub title: Localised,
    /// One or two sentences per language; 500 characters each.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, example = json!({"en": "A small white and red aircraft, 9 m long."}))]
    pub summary: Localised,
    /// Markdown per language; 20,000 characters each. Shown without raw HTML and outside images.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, example = json!({"en": "Look at the **whole** square."}))]
    pub instructions: Localised,
    /// Area of interest as GeoJSON in EPSG:4326: Polygon, MultiPolygon, Feature or
    /// FeatureCollection of these. 200,000 vertices at most.
    #[schema(value_type = AreaSchema, example = json!({"type": "Polygon", "coordinates": [[[-152.40, 57.60], [-152.39, 57.60], [-152.39, 57.61], [-152.40, 57.61], [-152.40, 57.60]]]}))]
    pub area: Value,
    /// Parts of the area that nobody need search, as GeoJSON like `area`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<AreaSchema>)]
    pub leave_out: Option<Value>,
    /// Zoom of the squares that volunteers see.
    #[schema(minimum = 10, maximum = 22, example = 17)]
    pub cell_zoom: u8,
    /// Looks by different volunteers that each cell needs.
    #[schema(minimum = 1, maximum = 100, example = 3)]
    pub looks_wanted: u16,
    /// How long a square stays reserved for a volunteer.
    #[serde(default = "default_lease_seconds")]
    #[schema(minimum = 5, maximum = 2_592_000, default = 900)]
    pub lease_seconds: u32,
    /// Key of an imagery layer.
    #[schema(min_length = 1, max_length = 64, example = "demo")]
    pub imagery_layer: String,
    /// What volunteers may mark; 1 to 32.
    #[schema(min_items = 1, max_items = 32)]
    pub tag_types: Vec<TagType>,
    /// Tags of one type within this distance are taken for the same object, in metres.
    #[serde(default = "default_agreement_radius_m")]
    #[schema(minimum = 0.1, maximum = 10_000, default = 10)]
    pub agreement_radius_m: f64,
    /// Areas that are searched first; 50 at most.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub priorities: Vec<Priority>,
    /// No squares are given before.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub starts_at: Option<Timestamp>,
    /// The campaign closes by itself.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
    /// How long after the close looks are still taken at squares that were given before: a phone may
    /// have been without a network.
    #[serde(default = "default_grace_days")]
    #[schema(minimum = 0, maximum = 180, default = 30)]
    pub grace_days: u16,
}

/// A kind of object that volunteers mark.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TagType {
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = "^[a-z0-9][a-z0-9_-]*$",
        example = "wreckage"
    )]
    pub key: String,
    /// Per language, at least one; 60 characters each.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"en": "Wreckage"}))]
    pub name: Localised,
    /// How to recognise it, per language; 500 characters each.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub description: Localised,
    /// `#RRGGBB`; given out in order when it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^#[0-9A-Fa-f]{6}$", example = "#F5330F")]
    pub colour: Option<String>,
    /// One of triangle, circle, square, diamond, hexagon, pentagon, cross, star; given out in
    /// order when it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "triangle")]
    pub icon: Option<String>,
    #[serde(default = "default_geometry")]
    #[schema(value_type = String, default = "Point", example = "Point")]
    pub geometry: GeometryKind,
    /// True length of such an object in metres, for the scale bar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(exclusive_minimum = 0, maximum = 100_000, example = 9)]
    pub typical_size_m: Option<f64>,
    /// What has that size, per language: "a light aircraft".
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, example = json!({"en": "a light aircraft"}))]
    pub typical_size_label: Localised,
    /// Places in the imagery that show one: longitude, latitude; 4 at most.
    #[serde(default)]
    #[schema(schema_with = places)]
    pub examples: Vec<[f64; 2]>,
}

/// An area that is searched first.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Priority {
    /// GeoJSON as for the campaign.
    #[schema(value_type = AreaSchema)]
    pub area: Value,
    /// Cells outside have weight 1; higher goes first.
    #[schema(exclusive_minimum = 0, maximum = 100, example = 2)]
    pub weight: f64,
    /// What organisers call it; 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 60, example = "Last radar contact")]
    pub name: Option<String>,
}

fn default_lease_seconds() -> u32 {
    900
}

fn default_grace_days() -> u16 {
    GRACE_DAYS_DEFAULT
}

fn default_agreement_radius_m() -> f64 {
    10.0
}

fn default_geometry() -> GeometryKind {
    GeometryKind::Point
}

/// An area of interest: GeoJSON in EPSG:4326 with polygons.
#[derive(ToSchema)]
#[schema(as = Area)]
#[expect(dead_code, reason = "only describes what is accepted")]
pub struct AreaSchema {
    #[schema(rename = "type")]
    kind: AreaKind,
    /// Of a geometry.
    #[schema(nullable = false)]
    coordinates: Option<Vec<Value>>,
    /// Of a FeatureCollection.
    #[schema(nullable = false)]
    features: Option<Vec<Value>>,
    /// Of a Feature.
    #[schema(value_type = Option<Object>, nullable = false)]
    geometry: Option<Value>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "only describes what is accepted")]
pub enum AreaKind {
    Polygon,
    MultiPolygon,
    GeometryCollection,
    Feature,
    FeatureCollection,
}

/// Longitude and latitude of up to four places.
fn places() -> utoipa::openapi::schema::Array {
    use utoipa::openapi::{ObjectBuilder, Type, schema::ArrayBuilder};
    let number = ObjectBuilder::new().schema_type(Type::Number);
    let place = ArrayBuilder::new()
        .items(number)
        .min_items(Some(2))
        .max_items(Some(2));
    ArrayBuilder::new()
        .items(place)
        .max_items(Some(EXAMPLES_MAX))
        .build()
}
