//! Campaigns to measure with, and volunteers.

use std::{f64::consts::PI, fmt, time::Duration};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::http::{Connection, browser_request, call, demand, request};

/// Zoom of the cells: two thousand by two thousand of them are more than 1,000,000 km².
const ZOOM: u32 = 16;
/// First column and row, near the equator.
const FIRST: (u32, u32) = (30_000, 31_000);
/// Longest wait until a campaign is open.
const OPEN_WAIT: Duration = Duration::from_mins(10);

/// Makes campaigns at one server.
pub struct Organiser<'a> {
    pub server: &'a str,
    pub key: &'a str,
}

pub struct Campaign {
    pub id: String,
    pub slug: String,
    /// Cells along an edge.
    edge: u32,
    pub cells: u64,
    /// How long it took from publishing until it was open.
    pub prepared_in: Duration,
}

impl Organiser<'_> {
    pub async fn layer(&self) -> anyhow::Result<()> {
        let layer = json!({"key": "survey", "name": "Survey", "url_template": "https://tiles.example.org/{z}/{x}/{y}", "max_zoom": 20});
        self.post("/v1/imagery", &layer, 201).await?;
        Ok(())
    }

    /// An open campaign of `edge` × `edge` cells.
    pub async fn campaign(
        &self,
        slug: &str,
        edge: u32,
        looks_wanted: u32,
    ) -> anyhow::Result<Campaign> {
        let definition = json!({
            "slug": slug,
            "title": {"en": "Find the aircraft"},
            "area": {"type": "Polygon", "coordinates": [square(edge)]},
            "cell_zoom": ZOOM,
            "looks_wanted": looks_wanted,
            "imagery_layer": "survey",
            "tag_types": [{"key": "wreckage", "name": {"en": "Wreckage"}}],
        });
        self.post("/v1/campaigns", &definition, 201).await?;
        let path = format!("/v1/campaigns/{slug}");
        let began = Instant::now();
        self.post(&format!("{path}/publish"), &Value::Null, 200)
            .await?;
        let opening = async {
            loop {
                let (status, seen) = call(self.server, "GET", &path, None, "").await?;
                if status == 200 {
                    return anyhow::Ok(seen);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let seen = tokio::time::timeout(OPEN_WAIT, opening)
            .await
            .with_context(|| format!("{slug} does not open"))??;
        Ok(Campaign {
            id: seen["id"].as_str().context("no id")?.to_owned(),
            slug: slug.to_owned(),
            edge,
            cells: seen["cells"].as_u64().unwrap_or(u64::from(edge).pow(2)),
            prepared_in: began.elapsed(),
        })
    }

    async fn post(&self, path: &str, body: &Value, status: u16) -> anyhow::Result<Value> {
        demand(self.server, ("POST", path), Some(self.key), body, status).await
    }
}

/// Tokens of so many new volunteers.
pub async fn volunteers(server: &str, count: usize) -> anyhow::Result<Vec<String>> {
    let mut connection = Connection::open(server).await?;
    let asked = request("POST", "/v1/volunteers", None, "");
    let mut tokens = Vec::with_capacity(count);
    for _ in 0..count {
        let answer = connection.exchange(&asked).await?;
        let signed_up: Value = serde_json::from_slice(answer.body)?;
        let token = signed_up["token"].as_str().context("no token")?;
        tokens.push(token.to_owned());
    }
    Ok(tokens)
}

impl Campaign {
    /// "Where should I look next?" by each of these volunteers.
    pub fn questions(&self, tokens: &[String]) -> Vec<Vec<u8>> {
        let path = format!("/v1/campaigns/{}/assignments", self.slug);
        let ask = |token: &String| browser_request("POST", &path, Some(token), r#"{"count":1}"#);
        tokens.iter().map(ask).collect()
    }

    /// The same, each near one of so many places, in rows over the whole campaign.
    pub fn questions_near(&self, tokens: &[String], places: u32) -> Vec<Vec<u8>> {
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
        let ask = |(token, nth): (&String, u32)| {
            let wish = json!({"count": 1, "near": place(nth)});
            browser_request("POST", &path, Some(token), &wish.to_string())
        };
        tokens.iter().zip((0..places).cycle()).map(ask).collect()
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
    /// As the database packs it.
    pub fn packed(self) -> i64 {
        (i64::from(self.z) << 58) | (i64::from(self.x) << 29) | i64::from(self.y)
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

/// Longitude and latitude of the middle of such a cell.
pub fn middle(east: u32, south: u32) -> [f64; 2] {
    let cell = cell(east, south);
    lon_lat(f64::from(cell.x) + 0.5, f64::from(cell.y) + 0.5)
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
