//! Which tiles a pack needs, and about how many bytes they have.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use uuid::Uuid;

use super::{
    model::{LayerTilesView, PackCell, TilesView, ZoomTilesView},
    ranges::{self, Range},
};
use crate::{
    campaigns::ImageryView,
    geo::Tile,
    imagery::{Source, Tiles},
    prefetch::Zooms,
};

/// Stored tiles of each zoom whose size is asked for.
const SAMPLES: usize = 4;
/// How long the object store may take to tell the sizes; then they are guessed.
const SAMPLING_MAX: Duration = Duration::from_secs(2);
/// What a tile of 256 pixels is taken for where none is stored.
const TILE_BYTES: u64 = 20 * 1024;

/// The tiles of squares by the imagery that they have: `None` for the campaign's.
pub async fn tiles(
    tiles: &Tiles,
    cells: &[PackCell],
    imagery: &BTreeMap<Option<Uuid>, ImageryView>,
) -> TilesView {
    let mut layers = Vec::new();
    for (layer, view) in imagery {
        let cells = cells.iter().filter(|cell| cell.layer == *layer);
        let cells: Vec<Tile> = cells.map(|cell| cell.cell.tile()).collect();
        if let Some(first) = cells.first() {
            layers.push(of_layer(tiles, view, &cells, first.z()).await);
        }
    }
    let zooms = || layers.iter().flat_map(|layer| &layer.zooms);
    TilesView {
        count: zooms().map(|zoom| zoom.count).sum(),
        bytes_estimate: zooms().map(|zoom| zoom.bytes_estimate).sum(),
        layers,
    }
}

async fn of_layer(
    tiles: &Tiles,
    view: &ImageryView,
    cells: &[Tile],
    cell_zoom: u8,
) -> LayerTilesView {
    let has = Zooms {
        min: view.min_zoom,
        max: view.max_zoom,
    };
    let zooms = Zooms::of_page(cell_zoom, has, view.tile_size);
    let ranges: BTreeMap<u8, Vec<Range>> = (zooms.min..=zooms.max)
        .map(|z| (z, ranges::ranges(cells, z)))
        .collect();
    let sampling = sample(tiles, view, &ranges);
    let sampled = tokio::time::timeout(SAMPLING_MAX, sampling)
        .await
        .unwrap_or_default();
    let of_all: Vec<u64> = sampled.values().flatten().copied().collect();
    let side = u64::from(view.tile_size) / 256;
    let guess = mean(&of_all).unwrap_or(TILE_BYTES * side * side);
    let zooms = ranges.into_iter().map(|(z, ranges)| {
        let count = ranges.iter().map(|range| ranges::size(*range)).sum();
        let each = sampled.get(&z).and_then(|sizes| mean(sizes));
        ZoomTilesView {
            z,
            count,
            bytes_estimate: each.unwrap_or(guess) * count,
            ranges,
        }
    });
    LayerTilesView {
        imagery_layer: view.key.clone(),
        tiles: view.tiles.clone(),
        tile_size: view.tile_size,
        zooms: zooms.collect(),
    }
}

/// Sizes of some stored tiles of each zoom. What cannot be told is left out: it is only an estimate.
async fn sample(
    tiles: &Tiles,
    view: &ImageryView,
    ranges: &BTreeMap<u8, Vec<Range>>,
) -> BTreeMap<u8, Vec<u64>> {
    let Ok(source) = tiles.layer(&view.key, None).await else {
        return BTreeMap::new();
    };
    let source: &Source = &source;
    let wanted = ranges.iter().flat_map(|(z, ranges)| {
        let step = ranges.len().div_ceil(SAMPLES).max(1);
        let spread = ranges.iter().step_by(step);
        spread.filter_map(|[x, y, ..]| Tile::new(*z, *x, *y).ok())
    });
    let sizes = wanted.map(|tile| async move {
        let size = tiles.kept_bytes(source, tile).await.ok().flatten()?;
        Some((tile.z(), size))
    });
    let mut found: BTreeMap<u8, Vec<u64>> = BTreeMap::new();
    for (z, size) in join_all(sizes).await.into_iter().flatten() {
        found.entry(z).or_default().push(size);
    }
    found
}

fn mean(sizes: &[u64]) -> Option<u64> {
    let count = u64::try_from(sizes.len()).ok()?;
    sizes.iter().sum::<u64>().checked_div(count)
}
