//! A campaign as it is shown, and the estimate before there is one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pulldown_cmark::{Options, Parser, html};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::GenericClient;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    activity::Activity,
    model::TagType,
    queries::{self, Campaign},
    state::State,
    survey::{AreaNote, SurveyedArea},
};
use crate::{
    cache::Cached,
    geo::tile::Tile,
    http::{Problem, text::Localised},
    imagery::{self, Layer},
};

/// How long a look takes on average, for estimates. Tomnod's volunteers took 10 to 20 seconds.
const SECONDS_PER_LOOK: f64 = 12.0;
/// Size of the crowd for which the estimate says how long it takes.
const ESTIMATE_VOLUNTEERS: f64 = 500.0;

/// What volunteers and organisers see of a campaign.
#[derive(Serialize, ToSchema)]
pub struct CampaignView {
    pub id: Uuid,
    pub slug: String,
    /// Grows with each change; it is the ETag.
    pub version: i32,
    pub state: State,
    /// What the organisers say while the campaign is paused.
    pub message: Option<String>,
    /// Of its texts, in the organisers' order: whoever reads none of them gets the first.
    pub languages: Vec<String>,
    #[schema(value_type = BTreeMap<String, String>)]
    pub title: Localised,
    #[schema(value_type = BTreeMap<String, String>)]
    pub summary: Localised,
    /// Markdown per language.
    #[schema(value_type = BTreeMap<String, String>)]
    pub instructions: Localised,
    /// The same as HTML that is safe to show.
    #[schema(value_type = BTreeMap<String, String>)]
    pub instructions_html: Localised,
    pub cell_zoom: u8,
    pub looks_wanted: u16,
    pub lease_seconds: u32,
    pub agreement_radius_m: f64,
    /// West, south, east, north; west > east across the antimeridian.
    #[schema(min_items = 4, max_items = 4, value_type = Vec<f64>)]
    pub bbox: [f64; 4],
    /// GeoJSON MultiPolygon. Absent in lists and with `area=false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub area: Option<Value>,
    /// Where a part was left out: the area before, and that part, as GeoJSON. Absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub outline: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub leave_out: Option<Value>,
    pub area_km2: f64,
    /// Number of squares.
    pub cells: i64,
    /// Key of the imagery layer.
    pub imagery_layer: String,
    pub imagery: ImageryView,
    pub tag_types: Vec<TagType>,
    /// Absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<super::model::Priority>>)]
    pub priorities: Option<Value>,
    /// In lists only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub starts_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
    /// How many days after the close looks are still taken at squares that were given before.
    pub grace_days: u16,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub published_at: Option<Timestamp>,
}

/// The imagery that volunteers see.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
pub struct ImageryView {
    pub key: String,
    pub revision: i32,
    pub name: String,
    /// Address of a tile with the holes `{z}`, `{x}`, `{y}`, relative to this server.
    #[schema(example = "/v1/imagery/demo/{z}/{x}/{y}?v=1")]
    pub tiles: String,
    pub tile_size: u16,
    pub min_zoom: u8,
    pub max_zoom: u8,
    pub attribution: String,
    pub licence: Option<String>,
    pub licence_url: Option<String>,
    pub sensor: Option<String>,
    pub catalogue_id: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub acquired_at: Option<Timestamp>,
    pub ground_sample_distance_m: Option<f64>,
    #[schema(value_type = Option<Vec<f64>>, min_items = 4, max_items = 4)]
    pub bounds: Option<crate::geo::bbox::Bbox>,
}

impl Cached for ImageryView {
    fn pack(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn unpack(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// What a campaign would take.
#[derive(Serialize, ToSchema)]
pub struct Estimate {
    pub cells: u64,
    pub area_km2: f64,
    pub looks_expected: u64,
    /// Hours that volunteers look, all together.
    pub volunteer_hours: f64,
    /// Minutes that 500 volunteers need together.
    pub minutes_for_500_volunteers: f64,
    /// Seconds for one look that these numbers assume.
    pub seconds_per_look: f64,
    /// Side of a cell in the middle of the area.
    pub cell_side_m: f64,
    /// West, south, east, north; west > east across the antimeridian.
    #[schema(min_items = 4, max_items = 4, value_type = Vec<f64>)]
    pub bbox: [f64; 4],
    /// The area as it would be stored: GeoJSON MultiPolygon.
    #[schema(value_type = Object)]
    pub area: Value,
    /// What was put right, or should be known.
    pub notes: Vec<AreaNote>,
}

impl Estimate {
    pub fn new(area: &SurveyedArea, cells: u64, cell_zoom: u8, looks_wanted: u16) -> Self {
        let looks_expected = cells * u64::from(looks_wanted);
        // Campaigns are limited to 2 × 10⁹ looks, which a float holds exactly.
        let looks = f64::from(u32::try_from(looks_expected).unwrap_or(u32::MAX));
        let seconds = looks * SECONDS_PER_LOOK;
        let [west, south, east, north] = area.bbox;
        let middle = Tile::containing(
            f64::midpoint(west, east),
            f64::midpoint(south, north),
            cell_zoom,
        );
        Self {
            cells,
            area_km2: area.area_km2,
            looks_expected,
            volunteer_hours: seconds / 3600.0,
            minutes_for_500_volunteers: seconds / 60.0 / ESTIMATE_VOLUNTEERS,
            seconds_per_look: SECONDS_PER_LOOK,
            cell_side_m: middle.map_or(0.0, Tile::side_m),
            bbox: area.bbox,
            area: area.geojson.clone(),
            notes: area.notes.clone(),
        }
    }
}

/// The whole view of a campaign.
pub async fn of(db: &impl GenericClient, campaign: &Campaign) -> Result<CampaignView, Problem> {
    let stored = queries::area(db, campaign.id).await?;
    let mut view = entry(db, campaign).await?;
    view.area = Some(stored.geojson);
    view.outline = stored.outline;
    view.leave_out = stored.leave_out;
    view.priorities = Some(campaign.priorities.clone());
    Ok(view)
}

/// The view of a campaign without its area, parts and priorities.
pub async fn entry(db: &impl GenericClient, campaign: &Campaign) -> Result<CampaignView, Problem> {
    let mut views = entries(db, std::slice::from_ref(campaign)).await?;
    views.pop().ok_or_else(layer_missing)
}

/// The same of each of these campaigns, by two statements.
pub async fn entries(
    db: &impl GenericClient,
    campaigns: &[Campaign],
) -> Result<Vec<CampaignView>, Problem> {
    let ids: Vec<Uuid> = campaigns.iter().map(|campaign| campaign.id).collect();
    let mut tag_types = queries::tag_types_of(db, &ids).await?;
    let mut wanted: Vec<Uuid> = campaigns
        .iter()
        .map(|campaign| campaign.imagery_layer_id)
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let layers = imagery::by_ids(db, &wanted).await?;
    let views = campaigns.iter().map(|campaign| {
        let layer = layers
            .iter()
            .find(|layer| layer.id == campaign.imagery_layer_id);
        let tag_types = tag_types.remove(&campaign.id).unwrap_or_default();
        let layer = layer.cloned().ok_or_else(layer_missing)?;
        Ok(show(campaign, tag_types, layer))
    });
    views.collect()
}

/// The views of these campaigns by their ids, without area, parts and priorities.
pub async fn views(
    db: &impl GenericClient,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, CampaignView>, Problem> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = queries::by_ids(db, ids).await?;
    let views = entries(db, &found).await?;
    Ok(views.into_iter().map(|view| (view.id, view)).collect())
}

fn layer_missing() -> Problem {
    Problem::internal(&"a campaign names a layer that is not there")
}

fn show(campaign: &Campaign, tag_types: Vec<TagType>, layer: Layer) -> CampaignView {
    CampaignView {
        id: campaign.id,
        slug: campaign.slug.clone(),
        version: campaign.version,
        state: campaign.state,
        message: campaign.message.clone(),
        languages: campaign.languages.clone(),
        title: campaign.title.clone(),
        summary: campaign.summary.clone(),
        instructions_html: instructions_html(&campaign.instructions),
        instructions: campaign.instructions.clone(),
        cell_zoom: campaign.cell_zoom,
        looks_wanted: campaign.looks_wanted,
        lease_seconds: campaign.lease_seconds,
        agreement_radius_m: campaign.agreement_radius_m,
        bbox: campaign.bbox,
        area: None,
        outline: None,
        leave_out: None,
        area_km2: campaign.area_km2,
        cells: campaign.cells,
        imagery_layer: layer.definition.key.clone(),
        imagery: imagery_view(layer),
        tag_types,
        priorities: None,
        activity: None,
        starts_at: campaign.starts_at,
        ends_at: campaign.ends_at,
        grace_days: campaign.grace_days,
        closed_at: campaign.closed_at,
        created_at: campaign.created_at,
        updated_at: campaign.updated_at,
        published_at: campaign.published_at,
    }
}

/// The imagery of a layer, as volunteers see it.
pub fn imagery_view(layer: Layer) -> ImageryView {
    let tiles = layer.tiles();
    let definition = layer.definition;
    ImageryView {
        key: definition.key,
        revision: layer.revision,
        name: definition.name,
        tiles,
        tile_size: definition.tile_size,
        min_zoom: definition.min_zoom,
        max_zoom: definition.max_zoom,
        attribution: definition.attribution,
        licence: definition.licence,
        licence_url: definition.licence_url,
        sensor: definition.sensor,
        catalogue_id: definition.catalogue_id,
        acquired_at: definition.acquired_at,
        ground_sample_distance_m: definition.ground_sample_distance_m,
        bounds: definition.bounds,
    }
}

/// Instructions per language as HTML that is safe to show.
pub fn instructions_html(instructions: &Localised) -> Localised {
    instructions
        .iter()
        .map(|(locale, text)| (locale.clone(), safe_html(text)))
        .collect()
}

/// Markdown to HTML without raw HTML, scripts, styles and images of other hosts.
fn safe_html(markdown: &str) -> String {
    let mut rendered = String::new();
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    html::push_html(&mut rendered, Parser::new_ext(markdown, options));
    ammonia::Builder::default()
        .rm_tags(["img", "map", "area"])
        .url_schemes(["https", "http", "mailto"].into())
        .link_rel(Some("noopener noreferrer nofollow"))
        .clean(&rendered)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_keep_their_form_and_lose_what_could_harm() {
        let html = safe_html(
            "**Look** at [this](https://example.org)\n\n<script>alert(1)</script><img src=x onerror=alert(1)>\n\n[x](javascript:alert(1)) <a href=\"javascript:alert(1)\">y</a>",
        );
        assert!(html.contains("<strong>Look</strong>"), "{html}");
        assert!(html.contains("href=\"https://example.org\""), "{html}");
        for harm in ["<script", "onerror", "<img", "javascript:"] {
            assert!(!html.contains(harm), "{html}");
        }
    }
}
