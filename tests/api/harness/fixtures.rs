//! Layers, campaigns and looks in a few words.

use std::future::IntoFuture;

use serde_json::{Map, Value, json};

use super::{App, Cell, Client, Reply, client::Call, eventually, id, places::ring};

/// Where the campaigns of the tests lie.
const LON: f64 = -152.4;
const LAT: f64 = 57.6;
const ZOOM: u32 = 17;
/// A time at which nothing depends.
const THEN: &str = "2026-11-23T07:00:00Z";

/// A layer to be made.
pub struct LayerBuilder<'a> {
    app: &'a App,
    definition: Value,
}

impl<'a> LayerBuilder<'a> {
    pub fn new(app: &'a App, url_template: &str) -> Self {
        let definition = json!({"key": format!("layer-{}", id()), "name": "Survey", "url_template": url_template, "max_zoom": 20});
        Self { app, definition }
    }

    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.definition[member] = value.into();
        self
    }

    /// Makes the layer and gives its key.
    pub async fn create(self) -> String {
        let key = self.definition["key"].as_str().unwrap().to_owned();
        self.attempt().await.expect(201);
        key
    }

    /// The answer to the attempt.
    pub async fn attempt(self) -> Reply {
        self.app
            .organiser()
            .await
            .post("/v1/imagery")
            .json(&self.definition)
            .await
    }
}

/// A campaign to be made: a block of cells at zoom 17, tag types `wreckage` (Point), `track`
/// (LineString) and `slick` (Polygon).
pub struct CampaignBuilder<'a> {
    app: &'a App,
    columns: u32,
    rows: u32,
    members: Map<String, Value>,
}

impl<'a> CampaignBuilder<'a> {
    pub fn new(app: &'a App) -> Self {
        Self {
            app,
            columns: 2,
            rows: 2,
            members: Map::new(),
        }
    }

    /// The area: so many cells from west to east and from north to south.
    pub fn cells(mut self, columns: u32, rows: u32) -> Self {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    pub fn looks_wanted(self, looks: u32) -> Self {
        self.with("looks_wanted", looks)
    }

    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// What is sent to `POST /v1/campaigns`.
    pub async fn definition(&self) -> Value {
        let mut definition = json!({
            "slug": format!("search-{}", id()),
            "title": {"en": "Find the aircraft"},
            "area": {"type": "Polygon", "coordinates": [ring(first_cell().block(self.columns, self.rows))]},
            "cell_zoom": ZOOM,
            "looks_wanted": 1,
            "tag_types": [
                {"key": "wreckage", "name": {"en": "Wreckage"}},
                {"key": "track", "name": {"en": "Track"}, "geometry": "LineString"},
                {"key": "slick", "name": {"en": "Slick"}, "geometry": "Polygon"}],
        });
        if !self.members.contains_key("imagery_layer") {
            let key = self
                .app
                .layer("https://tiles.example.org/{z}/{x}/{y}")
                .create()
                .await;
            definition["imagery_layer"] = key.into();
        }
        for (member, value) in &self.members {
            definition[member] = value.clone();
        }
        definition
    }

    /// The answer to the attempt.
    pub async fn attempt(self) -> Reply {
        let definition = self.definition().await;
        self.app
            .organiser()
            .await
            .post("/v1/campaigns")
            .json(&definition)
            .await
    }

    pub async fn draft(self) -> Campaign {
        let (app, columns, rows) = (self.app, self.columns, self.rows);
        let made = self.attempt().await.expect(201);
        let first = first_cell();
        Campaign {
            slug: made["slug"].as_str().unwrap().to_owned(),
            id: made["id"].as_str().unwrap().to_owned(),
            cells: (0..columns)
                .flat_map(|x| (0..rows).map(move |y| first.step(x, y)))
                .collect(),
            organiser: app.organiser().await,
            public: app.public(),
        }
    }

    /// Publishes the campaign and waits until the worker has opened it.
    pub async fn open(self) -> Campaign {
        let campaign = self.draft().await;
        campaign.publish().await;
        campaign
    }
}

fn first_cell() -> Cell {
    Cell::at(ZOOM, LON, LAT)
}

/// A campaign that was made.
#[derive(Clone)]
pub struct Campaign {
    pub slug: String,
    pub id: String,
    /// Its cells, column by column.
    pub cells: Vec<Cell>,
    pub organiser: Client,
    public: Client,
}

impl Campaign {
    /// The campaign's address, or one below it.
    pub fn path(&self, below: &str) -> String {
        format!("/v1/campaigns/{}{below}", self.slug)
    }

    pub async fn publish(&self) {
        self.steer("publish").await.expect(200);
        eventually("the campaign opens", || async {
            let seen = self.public.get(&self.path("")).await;
            (seen.status == 200).then_some(())
        })
        .await;
    }

    /// `publish`, `pause`, `resume` or `close`.
    pub fn steer(&self, action: &str) -> Call {
        self.organiser.post(&self.path(&format!("/{action}")))
    }

    /// What the organiser sees of it.
    pub async fn read(&self) -> Value {
        self.organiser.get(&self.path("")).await.expect(200)
    }

    /// A merge patch on the present version.
    pub async fn change(&self, patch: Value) -> Reply {
        let tag = self.organiser.get(&self.path("")).await.etag().to_owned();
        self.organiser
            .patch(&self.path(""))
            .if_match(&tag)
            .json(patch)
            .await
    }

    /// Asks for cells.
    pub fn ask(&self, volunteer: &Client, count: u32) -> Call {
        volunteer
            .post(&self.path("/assignments"))
            .json(json!({"count": count}))
    }

    /// What a volunteer is told who wishes for this.
    pub async fn wish(&self, volunteer: &Client, wish: Value) -> Value {
        let asked = volunteer.post(&self.path("/assignments")).json(wish);
        asked.await.expect(200)
    }

    /// Cells that a volunteer is given.
    pub async fn given(&self, volunteer: &Client, count: u32) -> Vec<Cell> {
        let dealt = self.ask(volunteer, count).await.expect(200);
        cells_of(&dealt)
    }

    pub fn send(&self, volunteer: &Client, look: &Value) -> Call {
        volunteer.post(&self.path("/looks")).json(look)
    }

    pub fn send_batch(&self, volunteer: &Client, looks: &[Value]) -> Call {
        volunteer
            .post(&self.path("/looks/batch"))
            .json(json!({"looks": looks}))
    }

    /// Looks at a cell and finds nothing.
    pub async fn look_at(&self, volunteer: &Client, cell: Cell) {
        self.send(volunteer, &nothing(cell)).await.expect(201);
    }

    /// As organisers are told it: how it is now.
    pub async fn progress(&self) -> Value {
        self.organiser
            .get(&self.path("/progress"))
            .await
            .expect(200)
    }

    /// Waits until progress shows a number at a pointer, and gives all of it.
    pub async fn progress_shows(&self, pointer: &str, number: i64) -> Value {
        eventually(&format!("progress shows {number} at {pointer}"), || async {
            let shown = self.progress().await;
            (shown.pointer(pointer).and_then(Value::as_i64) == Some(number)).then_some(shown)
        })
        .await
    }
}

/// Cells of an answer of `assignments`.
pub fn cells_of(dealt: &Value) -> Vec<Cell> {
    let assignments = dealt["assignments"].as_array().unwrap();
    assignments
        .iter()
        .map(|one| Cell::parse(one["cell"].as_str().unwrap()))
        .collect()
}

/// A look without tags.
pub fn look(cell: Cell, outcome: &str) -> Value {
    json!({"id": id(), "cell": cell.to_string(), "outcome": outcome, "started_at": THEN, "finished_at": THEN, "tags": []})
}

pub fn nothing(cell: Cell) -> Value {
    look(cell, "nothing")
}

/// A look with these tags.
pub fn tagged(cell: Cell, tags: impl IntoIterator<Item = Value>) -> Value {
    let mut look = look(cell, "tagged");
    look["tags"] = tags.into_iter().collect();
    look
}

pub fn point(place: [f64; 2]) -> Value {
    tag("wreckage", json!({"type": "Point", "coordinates": place}))
}

pub fn tag(tag_type: &str, geometry: Value) -> Value {
    json!({"id": id(), "tag_type": tag_type, "geometry": geometry})
}

/// Runs all calls at once and gives their answers in order.
pub async fn at_once(calls: impl IntoIterator<Item = Call>) -> Vec<Reply> {
    futures_util::future::join_all(calls.into_iter().map(IntoFuture::into_future)).await
}

/// Claims of piles that the first server made, three statements each.
pub async fn claims(app: &App) -> f64 {
    let text = app.public().get("/metrics").await.text();
    text.lines()
        .filter(|line| line.starts_with("deck_claims_total"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum()
}

/// A metric of one server, by name and labels.
pub async fn metric(server: &Client, name: &str) -> Option<f64> {
    let text = server.get("/metrics").await.text();
    let line = text.lines().find(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(' '))
    })?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Waits until a server has so many requests in work, beside the one that asks.
pub async fn in_flight(server: &Client, requests: u32) {
    eventually("all requests are in flight", || async {
        let seen = metric(server, "http_requests_in_flight").await?;
        (seen > f64::from(requests)).then_some(())
    })
    .await;
}
