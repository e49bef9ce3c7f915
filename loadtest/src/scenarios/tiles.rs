//! Scenario `tiles`: cached tiles, beside nginx that has the same ones in its `proxy_cache`.
//!
//! In each round, one after the other and for both: a hot set, and a set that is larger than what a
//! server keeps in memory.

use std::sync::Arc;

use anyhow::ensure;

use super::stage::Stage;
use crate::{
    Options,
    campaign::{self, tile_path},
    http::{self, Connection},
    load::{Ask, Load},
    measure::{Random, float},
    place::{self, Nginx, Place},
    report::{Budget, Fact, Report},
    source,
};

/// Tiles of the hot set.
const HOT: u32 = 64;
/// Cells along an edge of the campaign whose layer is asked.
const EDGE: u32 = 4;
/// Requests that are made ahead, in random order.
const ORDER: usize = 65_536;
/// DESIGN.md 6.
const RATIO: Budget = Budget::AtLeast(1.0);

/// One address for each of two servers, and the same tile from both.
struct Tile {
    ours: Vec<u8>,
    theirs: Vec<u8>,
    beginning: Arc<[u8]>,
}

pub async fn run(options: &Options, place: &Place) -> anyhow::Result<Report> {
    let stage = Stage::set(options, place, "tiles", place.servers(1).await?).await?;
    stage.organiser.campaign("any", EDGE, 1).await?;
    let nginx = Nginx::start(place).await?;
    let tiles: Vec<Tile> = campaign::tiles(options.tile_set())
        .into_iter()
        .map(|(z, x, y)| Tile {
            ours: http::get(&tile_path(z, x, y)),
            theirs: http::get(&format!("/{z}/{x}/{y}.jpg")),
            beginning: source::beginning(z, x, y).into(),
        })
        .collect();
    eprintln!("fetching {} tiles once, by both …", tiles.len());
    let bytes = fill(&stage, &nginx, &tiles).await?;
    let mut report = Report::new("tiles");
    report.about.push(format!(
        "Hot set: {HOT} tiles. Large set: {} tiles, {} MB, of which a server keeps 64 MB in memory. nginx has a worker for each \
         core, as the server has threads, and `open_file_cache`.",
        tiles.len(),
        bytes / 1_000_000
    ));
    let hot = tiles.get(..usize::try_from(HOT)?).unwrap_or(&tiles);
    let mut random = Random::new(options.seed);
    let sets = [("hot set", hot), ("large set", tiles.as_slice())]
        .map(|(name, set)| (name, order(set, &mut random)));
    let mut copied = Vec::new();
    for round in 1..=options.rounds() {
        eprintln!("round {round} of {} …", options.rounds());
        for (name, [ours, theirs]) in &sets {
            let yardstick = format!("nginx, {name}");
            let load = Load {
                servers: vec![nginx.address.clone()],
                asks: Arc::clone(theirs),
                connections: options.connections,
            };
            let found = stage.yardstick(&load).await?;
            report.lines.of(&yardstick).add(found);
            let line = report.lines.of(&format!("Spotter, {name}"));
            line.beside(&yardstick, Some(RATIO));
            let before = Copied::of(&stage).await?;
            stage
                .at_most(line, &stage.load(&stage.servers, ours))
                .await?;
            copied.push((*name, before.until(&Copied::of(&stage).await?)));
        }
    }
    for (name, _) in &sets {
        let of_set = copied.iter().filter(|(of, _)| of == name);
        let each: Vec<f64> = of_set.map(|(_, each)| *each).collect();
        let mean = each.iter().sum::<f64>() / float(each.len().try_into()?);
        let name = format!("bytes copied for each byte served, {name}");
        report.facts.push(Fact::new(name, mean, ""));
    }
    report.metrics = place::metrics(stage.first(), &["tile"]).await?;
    nginx.end().await?;
    stage.end().await?;
    Ok(report)
}

/// What a server has counted so far: bytes of tiles that it read from its store, and that it answered.
struct Copied {
    read: f64,
    served: f64,
}

impl Copied {
    async fn of(stage: &Stage<'_>) -> anyhow::Result<Self> {
        let lines = place::metrics(stage.first(), &["tile_"]).await?;
        let number = |name: &str| -> anyhow::Result<f64> {
            let found = lines.iter().find_map(|line| line.strip_prefix(name));
            found.map_or(Ok(0.0), |value| Ok(value.trim().parse()?))
        };
        Ok(Self {
            read: number("tile_read_bytes_total ")?,
            served: number("tile_served_bytes_total ")?,
        })
    }

    /// Each byte is copied into the buffer of its connection, and before that out of a file if the
    /// process does not hold it.
    fn until(&self, later: &Self) -> f64 {
        let served = later.served - self.served;
        (served + later.read - self.read) / served.max(1.0)
    }
}

/// Asks both once for each tile; all three must have the same bytes. Gives how many these are.
async fn fill(stage: &Stage<'_>, nginx: &Nginx, tiles: &[Tile]) -> anyhow::Result<usize> {
    let mut ours = Connection::open(&stage.first().address).await?;
    let mut theirs = Connection::open(&nginx.address).await?;
    let mut bytes = 0;
    for tile in tiles {
        let asked = String::from_utf8_lossy(&tile.ours).into_owned();
        let found = ours.exchange(&tile.ours).await?;
        ensure!(
            found.status == 200 && found.body.starts_with(&tile.beginning),
            "{asked} answered {} with {} bytes that are not the tile",
            found.status,
            found.body.len()
        );
        let same = theirs.exchange(&tile.theirs).await?;
        ensure!(found.body == same.body, "{asked} is not what nginx gives");
        bytes += found.body.len();
    }
    Ok(bytes)
}

/// Requests for random ones of these, ours and those of nginx.
fn order(set: &[Tile], random: &mut Random) -> [Arc<Vec<Ask>>; 2] {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ORDER.min(set.len() * 16) {
        let tile = &set[random.below(set.len())];
        for (asks, request) in [(&mut ours, &tile.ours), (&mut theirs, &tile.theirs)] {
            asks.push(Ask {
                request: request.clone(),
                beginning: Arc::clone(&tile.beginning),
            });
        }
    }
    [Arc::new(ours), Arc::new(theirs)]
}

/// Asks each server for so many tiles; gives requests for them.
pub async fn warm(stage: &Stage<'_>, count: u32) -> anyhow::Result<Vec<Vec<u8>>> {
    eprintln!("fetching {count} tiles …");
    let tiles = campaign::tiles(count);
    for server in &stage.servers {
        let mut connection = Connection::open(&server.address).await?;
        for (z, x, y) in &tiles {
            let asked = Ask {
                request: http::get(&tile_path(*z, *x, *y)),
                beginning: source::beginning(*z, *x, *y).into(),
            };
            asked.exchange(&mut connection).await?;
        }
    }
    let request = |(z, x, y): &(u32, u32, u32)| http::browser_get(&tile_path(*z, *x, *y), "");
    Ok(tiles.iter().map(request).collect())
}
