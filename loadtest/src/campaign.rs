//! Campaigns to measure with, and volunteers.

use std::{f64::consts::PI, fmt, str::FromStr, sync::Arc, time::Duration};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    http::{Connection, browser_request, call, demand, request},
    place::{Place, Process},
    statements,
};

/// Zoom of the cells: two thousand by two thousand of them are more than 1,000,000 km².
const ZOOM: u32 = 16;
/// First column and row, near the equator.
const FIRST: (u32, u32) = (30_000, 31_000);
/// Longest wait until a campaign is open.
const OPEN_WAIT: Duration = Duration::from_mins(10);

/// Key of the imagery layer.
const LAYER: &str = "scenery";

/// Makes campaigns at one server.
pub struct Organiser<'a> {
    server: String,
    place: &'a Place,
    /// With which names of campaigns begin, so that scenarios can share a place.
    scenario: &'static str,
}

pub struct Campaign {
    pub id: String,
    pub slug: String,
    /// Cells along an edge.
    pub edge: u32,
    pub cells: u64,
    /// How long it took from publishing until it was open.
    pub prepared_in: Duration,
}

impl<'a> Organiser<'a> {
    /// With a layer whose tiles the place's source draws. A worker must run.
    pub async fn new(
        place: &'a Place,
        server: &Process,
        scenario: &'static str,
    ) -> anyhow::Result<Self> {
        let template = format!("http://{}/{{z}}/{{x}}/{{y}}.jpg", place.source.address);
        // The source is ours, and filling the store is not what is measured.
        let layer = json!({
            "key": LAYER, "name": "Scenery", "url_template": template, "max_zoom": 20,
            "max_concurrent_fetches": 256, "max_fetches_per_second": 2000,
        });
        let organiser = Self {
            server: server.address.clone(),
            place,
            scenario,
        };
        let path = format!("/v1/imagery/{LAYER}");
        let key = place.setting("ORGANISER_KEY")?;
        let (found, _) = call(&organiser.server, "GET", &path, Some(key), "").await?;
        if found == 404 {
            organiser.post("/v1/imagery", &layer, 201).await?;
        }
        Ok(organiser)
    }

    /// An open campaign of `edge` × `edge` cells.
    pub async fn campaign(
        &self,
        name: &str,
        edge: u32,
        looks_wanted: u32,
    ) -> anyhow::Result<Campaign> {
        let slug = format!("{}-{name}", self.scenario);
        let definition = json!({
            "slug": slug,
            "title": {"en": "Find the aircraft"},
            "area": {"type": "Polygon", "coordinates": [square(edge)]},
            "cell_zoom": ZOOM,
            "looks_wanted": looks_wanted,
            "imagery_layer": LAYER,
            "tag_types": [{"key": "wreckage", "name": {"en": "Wreckage"}}],
        });
        self.post("/v1/campaigns", &definition, 201).await?;
        let path = format!("/v1/campaigns/{slug}");
        let began = Instant::now();
        self.post(&format!("{path}/publish"), &Value::Null, 200)
            .await?;
        let opening = async {
            loop {
                let (status, seen) = call(&self.server, "GET", &path, None, "").await?;
                if status == 200 {
                    return anyhow::Ok(seen);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let seen = tokio::time::timeout(OPEN_WAIT, opening)
            .await
            .with_context(|| format!("{slug} does not open"))??;
        let prepared_in = began.elapsed();
        // As PostgreSQL does by itself within minutes. Otherwise it would, or would not, while something is
        // measured.
        let database = statements::connect(self.place.setting("DATABASE_URL")?).await?;
        for tidy in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
            database.batch_execute(tidy).await?;
        }
        Ok(Campaign {
            id: seen["id"].as_str().context("no id")?.to_owned(),
            slug,
            edge,
            cells: seen["cells"].as_u64().unwrap_or(u64::from(edge).pow(2)),
            prepared_in,
        })
    }

    async fn post(&self, path: &str, body: &Value, status: u16) -> anyhow::Result<Value> {
        let key = self.place.setting("ORGANISER_KEY")?;
        demand(&self.server, ("POST", path), Some(key), body, status).await
    }
}

/// Somebody with a token.
#[derive(Clone, Debug)]
pub struct Volunteer {
    pub id: Uuid,
    pub token: Arc<str>,
}

impl Volunteer {
    /// What `POST /v1/volunteers`, or a deal without a token, says of who somebody is.
    pub fn of(signed_up: &Value) -> Option<Self> {
        Some(Self {
            id: signed_up["volunteer_id"].as_str()?.parse().ok()?,
            token: signed_up["token"].as_str()?.into(),
        })
    }
}

/// So many new volunteers.
pub async fn volunteers(server: &str, count: usize) -> anyhow::Result<Vec<Volunteer>> {
    let mut connection = Connection::open(server).await?;
    let asked = request("POST", "/v1/volunteers", None, "");
    let mut volunteers = Vec::with_capacity(count);
    for _ in 0..count {
        let answer = connection.exchange(&asked).await?;
        let signed_up: Value = serde_json::from_slice(answer.body)?;
        volunteers.push(Volunteer::of(&signed_up).context("no token")?);
    }
    Ok(volunteers)
}

/// Where tiles of the campaigns' layer are.
pub fn tile_path(z: u32, x: u32, y: u32) -> String {
    format!("/v1/imagery/{LAYER}/{z}/{x}/{y}")
}

/// So many tiles of the campaigns, side by side, one zoom deeper than cells: z, x, y.
pub fn tiles(count: u32) -> Vec<(u32, u32, u32)> {
    let edge = count.isqrt().max(1);
    let place = |nth: u32| (ZOOM + 1, FIRST.0 * 2 + nth % edge, FIRST.1 * 2 + nth / edge);
    (0..count).map(place).collect()
}

impl Campaign {
    /// "Where should I look next?" by each of these volunteers.
    pub fn questions(&self, volunteers: &[Volunteer]) -> Vec<Vec<u8>> {
        let path = format!("/v1/campaigns/{}/assignments", self.slug);
        let ask = |volunteer: &Volunteer| {
            browser_request("POST", &path, Some(&volunteer.token), r#"{"count":1}"#)
        };
        volunteers.iter().map(ask).collect()
    }

    /// The same, each near one of so many places, in rows over the whole campaign.
    pub fn questions_near(&self, volunteers: &[Volunteer], places: u32) -> Vec<Vec<u8>> {
        let path = format!("/v1/campaigns/{}/assignments", self.slug);
        let rows = places.isqrt().max(1);
        let step = self.edge / (rows + 1);
        let place = |nth: u32| {
            let (column, row) = (nth % rows, nth / rows % rows);
            lon_lat(
                f64::from(FIRST.0 + step * (column + 1)) + 0.5,
                f64::from(FIRST.1 + step * (row + 1)) + 0.5,
            )
        };
        let ask = |(volunteer, nth): (&Volunteer, u32)| {
            let wish = json!({"count": 1, "near": place(nth)});
            browser_request("POST", &path, Some(&volunteer.token), &wish.to_string())
        };
        volunteers
            .iter()
            .zip((0..places).cycle())
            .map(ask)
            .collect()
    }
}

/// A tile of the cells' zoom; as text `z/x/y`.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub z: u32,
    pub x: u32,
    pub y: u32,
}

impl Cell {
    /// Longitude and latitude of a place in it, as parts of its width and height from the north-west.
    pub fn at(self, east: f64, south: f64) -> [f64; 2] {
        lon_lat(f64::from(self.x) + east, f64::from(self.y) + south)
    }

    /// As the database packs it.
    pub fn packed(self) -> i64 {
        (i64::from(self.z) << 58) | (i64::from(self.x) << 29) | i64::from(self.y)
    }
}

impl FromStr for Cell {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut parts = text.split('/').map(str::parse);
        let mut next = || parts.next().context("a cell is z/x/y");
        Ok(Self {
            z: next()??,
            x: next()??,
            y: next()??,
        })
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.z, self.x, self.y)
    }
}

/// The cell so many to the east and south of the first one.
pub fn cell(east: u32, south: u32) -> Cell {
    Cell {
        z: ZOOM,
        x: FIRST.0 + east,
        y: FIRST.1 + south,
    }
}

/// The ring around `edge` × `edge` cells, a little within the outer ones.
fn square(edge: u32) -> [[f64; 2]; 5] {
    let edge = f64::from(edge);
    let (west, north) = (f64::from(FIRST.0) + 0.2, f64::from(FIRST.1) + 0.2);
    let (east, south) = (west + edge - 0.4, north + edge - 0.4);
    [
        lon_lat(west, south),
        lon_lat(east, south),
        lon_lat(east, north),
        lon_lat(west, north),
        lon_lat(west, south),
    ]
}

/// Longitude and latitude of a place, in columns and rows of cells.
fn lon_lat(east: f64, south: f64) -> [f64; 2] {
    let across = f64::from(1_u32 << ZOOM);
    let lat = (PI * (1.0 - 2.0 * south / across)).sinh().atan();
    [east / across * 360.0 - 180.0, lat.to_degrees()]
}
