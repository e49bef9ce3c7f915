//! Tiles on their way from the source to the page: memory of the process, object store, source.
//!
//! **Invariant:** a tile is fetched from its source once, whatever the number of requests and
//! servers, also when memcached is away, the source is slow, or a server dies while it fetches.
//!
//! **Invariant:** tiles are held and stored under the revision of the layer in which they became
//! what they are, also when the layer changes while they are fetched.

mod answer;
mod count;
mod flights;
mod image;
mod layers;
mod load;
mod notes;
mod queries;
mod source;
mod store;

use std::{
    fmt::{self, Display},
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::HeaderMap},
};
use bytes::Bytes;
use thiserror::Error;
use uuid::Uuid;

pub use answer::{Lifetime, nothing};
pub use image::TileImage;
pub use layers::Source;
pub use store::StoreError;

use super::{
    fetch::{FetchError, Fetcher},
    guard::Guard,
    kind::ImageKind,
};
use crate::{
    cache::Cache,
    db::{Db, DbError},
    geo::{CellId, Tile},
    state::App,
};
use count::{Counts, Outcome};
use flights::{FLIGHTS_MAX, Flights};
use layers::Layers;
use load::{Flown, Load};
use store::Store;

/// How long a process remembers by itself that the source does not have a tile.
const MISSING_NEAR: Duration = Duration::from_mins(1);
/// What a tile in memory takes beside its bytes.
const ENTRY_BYTES: usize = 300;
/// Of the tiles that the machine has in memory anyway, a process holds one of so many that are asked
/// for: popular ones soon, and a crowd of others costs it nothing to sort.
const HELD_ONCE_IN: u32 = 8;
/// Bytes of a mebibyte.
const MEBIBYTE: u64 = 1024 * 1024;

/// One tile of a layer, as its revision has it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TileId {
    pub layer: Uuid,
    pub revision: i32,
    pub cell: CellId,
}

impl Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.layer, self.revision, self.cell.tile())
    }
}

#[derive(Clone, Debug, Error)]
pub enum TileError {
    #[error("there is no such layer")]
    NoLayer,
    #[error("the layer has no imagery there")]
    Outside,
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the source is left alone for {} s", .0.as_secs_f32())]
    Resting(Duration),
    #[error("the tile was not there in time")]
    Late,
    #[error("{FLIGHTS_MAX} tiles are on their way")]
    Full,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Db(Arc<DbError>),
    #[error("the layer's template cannot be read")]
    Damaged,
    #[error("the way to the tile was broken off")]
    BrokenOff,
}

impl From<DbError> for TileError {
    fn from(error: DbError) -> Self {
        Self::Db(Arc::new(error))
    }
}

/// What a process remembers of a tile.
#[derive(Clone)]
enum Held {
    Image(Arc<TileImage>),
    Failed(FetchError, Instant),
}

impl Held {
    fn bytes(&self) -> u32 {
        let bytes = match self {
            Self::Image(image) => image.bytes.len(),
            Self::Failed(..) => 0,
        };
        u32::try_from(bytes + ENTRY_BYTES).unwrap_or(u32::MAX)
    }
}

/// The tile path of one process. Cheap to clone.
#[derive(Clone)]
pub struct Tiles(Arc<Inner>);

struct Inner {
    db: Db,
    cache: Cache,
    store: Store,
    fetcher: Fetcher,
    layers: Layers,
    near: moka::future::Cache<TileId, Held>,
    flights: Flights<TileId, Flown>,
    counts: Counts,
    wait: Duration,
    fetch_timeout: Duration,
}

impl Tiles {
    /// The recorder of metrics must be there.
    pub fn new(app: &App) -> anyhow::Result<Self> {
        let config = &app.config;
        let fetch_timeout = Duration::from_millis(config.tile_fetch_ms);
        Ok(Self(Arc::new(Inner {
            db: app.db.clone(),
            cache: app.cache.clone(),
            store: Store::new(app.objects.clone()),
            fetcher: Fetcher::new(&Guard::new(config.allow_internal_sources), fetch_timeout)?,
            layers: Layers::new(app.db.clone()),
            near: moka::future::Cache::builder()
                .max_capacity(config.tile_memory_mb.saturating_mul(MEBIBYTE))
                .weigher(|_, held: &Held| held.bytes())
                .build(),
            flights: Flights::new(),
            counts: Counts::new(),
            wait: Duration::from_millis(config.tile_wait_ms),
            fetch_timeout,
        })))
    }

    /// The layer with this key, as it was a moment ago. `revision` is what the address of the page
    /// says, if it does.
    pub async fn layer(&self, key: &str, revision: Option<i32>) -> Result<Arc<Source>, TileError> {
        self.0.layers.get(key, revision).await
    }

    /// A tile for somebody who waits for it.
    pub async fn get(&self, source: &Arc<Source>, tile: Tile) -> Result<Arc<TileImage>, TileError> {
        let counts = &self.0.counts;
        if !source.covers(tile) {
            counts.request(Outcome::Outside);
            return Err(TileError::Outside);
        }
        if let Some(held) = self.held(source.id(tile)).await {
            counts.request(match &held {
                Ok(_) => Outcome::Near,
                Err(FetchError::Missing) => Outcome::Missing,
                Err(_) => Outcome::Failed,
            });
            return held.map_err(Into::into);
        }
        if let Some(image) = self.0.store.at_hand(source.id(tile)) {
            counts.request(Outcome::Store);
            counts.read(image.bytes.len());
            let image = Arc::new(image);
            if rand::random_ratio(1, HELD_ONCE_IN) {
                self.hold(source.id(tile), Ok(&image)).await;
            }
            return Ok(image);
        }
        let flying = self.fly(source, tile, true);
        let (outcome, image) = tokio::time::timeout(self.0.wait, flying)
            .await
            .unwrap_or((Outcome::Late, Err(TileError::Late)));
        counts.request(outcome);
        image
    }

    /// Sees to it that a tile is in the store, behind everybody who waits for one. The process does
    /// not hold it afterwards. Nothing limits how long that takes but who asks.
    pub async fn get_ahead(&self, source: &Arc<Source>, tile: Tile) -> Result<(), TileError> {
        if !source.covers(tile) {
            return Err(TileError::Outside);
        }
        match self.held(source.id(tile)).await {
            Some(held) => held.map(drop).map_err(Into::into),
            None => self.fly(source, tile, false).await.1.map(drop),
        }
    }

    /// Whether a tile is in the store.
    pub async fn is_kept(&self, source: &Source, tile: Tile) -> Result<bool, TileError> {
        Ok(self.kept_bytes(source, tile).await?.is_some())
    }

    /// How many bytes a tile has in the store, if it is there.
    pub async fn kept_bytes(&self, source: &Source, tile: Tile) -> Result<Option<u64>, TileError> {
        Ok(self.0.store.bytes(source.id(tile)).await?)
    }

    /// What the process itself remembers of a tile.
    async fn held(&self, id: TileId) -> Option<Result<Arc<TileImage>, FetchError>> {
        match self.0.near.get(&id).await? {
            Held::Image(image) => Some(Ok(image)),
            Held::Failed(failure, until) => (Instant::now() < until).then_some(Err(failure)),
        }
    }

    async fn hold(&self, id: TileId, found: Result<&Arc<TileImage>, &FetchError>) {
        let held = match found {
            Ok(image) => Held::Image(Arc::clone(image)),
            Err(failure) => {
                let lifetime = notes::lifetime_of(failure).min(MISSING_NEAR);
                Held::Failed(failure.clone(), Instant::now() + lifetime)
            }
        };
        let Inner { near, counts, .. } = &*self.0;
        near.insert(id, held).await;
        near.run_pending_tasks().await;
        counts.memory(near.weighted_size());
    }

    async fn fly(
        &self,
        source: &Arc<Source>,
        tile: Tile,
        is_urgent: bool,
    ) -> (Outcome, Result<Arc<TileImage>, TileError>) {
        let id = source.id(tile);
        loop {
            let joined = self.0.flights.join(id, is_urgent, |waiting| {
                let load = Load {
                    tiles: self.clone(),
                    source: Arc::clone(source),
                    tile,
                    id,
                    holder: Uuid::now_v7(),
                    waiting,
                };
                load.run()
            });
            let Ok(mut flight) = joined else {
                return (Outcome::Late, Err(TileError::Full));
            };
            match flight.landed().await {
                Some(Flown::Landed(outcome, image)) => {
                    let is_waited = !flight.is_first && image.is_ok();
                    return (if is_waited { Outcome::Waited } else { outcome }, image);
                }
                // Nobody waited for a moment, then we came.
                Some(Flown::Abandoned) => {}
                None => return (Outcome::Error, Err(TileError::BrokenOff)),
            }
        }
    }

    /// A tile as an answer.
    pub fn respond(
        &self,
        image: &TileImage,
        asked: &HeaderMap,
        lifetime: Lifetime,
    ) -> HttpResponse {
        let response = answer::respond(image, asked, lifetime);
        if response.status() == StatusCode::OK {
            self.0.counts.served(image.bytes.len());
        }
        response
    }

    /// Whether an address may be asked.
    pub fn allows(&self, address: &str) -> bool {
        self.0.fetcher.allows(address)
    }

    /// An image from an address that is tried, not kept.
    pub async fn fetch(&self, address: &str) -> Result<(Bytes, ImageKind), FetchError> {
        self.0.fetcher.fetch(address, &[]).await
    }
}

/// Removes what nobody needs any more of what servers agreed on; in the worker.
pub async fn forget_fetches(db: &Db) -> Result<(), DbError> {
    let conn = db.get().await?;
    queries::forget_ended(&*conn).await?;
    Ok(())
}
