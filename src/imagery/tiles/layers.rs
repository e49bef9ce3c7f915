//! The layers whose tiles are asked for, as a process remembers them.
//!
//! **Invariant:** a change of a layer is seen within two seconds, and at once by whoever names its
//! revision. While the database is away, what is known goes on being used.

use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use metrics::Gauge;
use tokio::sync::{Mutex, Notify};

use super::{TileError, TileId};
use crate::{
    db::Db,
    geo::Tile,
    http::FieldErrors,
    imagery::{self, model::Layer, template::Template},
};

/// Up to this age a layer is used as it is …
const FRESH: Duration = Duration::from_millis(500);
/// … and up to this one while it is read anew.
const USABLE: Duration = Duration::from_millis(1500);
/// For how long nobody is asked whether a source that rests is back.
const REST_KNOWN_MAX: Duration = Duration::from_secs(1);
/// Layers that are remembered.
const LAYERS_MAX: u64 = 1000;

/// A layer with what its tiles need.
pub struct Source {
    pub layer: Layer,
    template: Template,
    pub turns: Arc<Turns>,
}

/// Who of this process may ask whether a fetch fits the limits of a source. One at a time does, so
/// that a long queue costs the database no more than a short one.
pub struct Turns {
    pub urgent: Mutex<()>,
    pub ahead: Mutex<()>,
    /// Told when a fetch of this process ends, which leaves room for another.
    pub room: Notify,
    /// 1 while the source is left alone.
    pub resting: Gauge,
    /// Until then it is known to be, without asking.
    rests_until: std::sync::Mutex<Option<Instant>>,
}

impl Turns {
    fn of(key: &str) -> Self {
        let resting = metrics::gauge!("tile_source_resting", "layer" => key.to_owned());
        resting.set(0.0);
        Self {
            urgent: Mutex::default(),
            ahead: Mutex::default(),
            room: Notify::new(),
            resting,
            rests_until: std::sync::Mutex::default(),
        }
    }

    /// For how long the source is known to be left alone.
    pub fn rest(&self) -> Option<Duration> {
        let until = *self
            .rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until?.checked_duration_since(Instant::now())
    }

    /// Remembers that it is, or is not.
    pub fn set_rest(&self, rest: Option<Duration>) {
        self.resting.set(if rest.is_some() { 1.0 } else { 0.0 });
        let until = rest.map(|rest| Instant::now() + rest.min(REST_KNOWN_MAX));
        *self
            .rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = until;
    }
}

impl Source {
    fn new(layer: Layer, turns: Arc<Turns>) -> Result<Self, TileError> {
        let template = Template::parse(&layer.definition.url_template, &mut FieldErrors::default())
            .ok_or(TileError::Damaged)?;
        Ok(Self {
            layer,
            template,
            turns,
        })
    }

    pub fn id(&self, tile: Tile) -> TileId {
        TileId {
            layer: self.layer.id,
            revision: self.layer.tiles_revision,
            cell: tile.into(),
        }
    }

    /// The address of a tile. It holds the secrets: never log or show it.
    pub fn address(&self, tile: Tile) -> String {
        let definition = &self.layer.definition;
        self.template
            .address(tile, definition.tile_size, &definition.secrets)
    }

    /// Whether the layer has imagery there.
    pub fn covers(&self, tile: Tile) -> bool {
        let definition = &self.layer.definition;
        (definition.min_zoom..=definition.max_zoom).contains(&tile.z())
            && definition
                .bounds
                .is_none_or(|bounds| bounds.overlaps(tile.bbox()))
    }

    /// Whether these bytes are what the source sends where it has nothing. `tag` begins their hash.
    pub fn is_blank(&self, tag: &str, hash: impl FnOnce() -> String) -> bool {
        let blanks = &self.layer.definition.blank_sha256;
        let mut alike = blanks
            .iter()
            .filter(|blank| blank.starts_with(tag))
            .peekable();
        alike.peek().is_some() && {
            let hash = hash();
            alike.any(|blank| *blank == hash)
        }
    }
}

struct Known {
    source: Arc<Source>,
    read_at: Instant,
    is_refreshed: AtomicBool,
}

#[derive(Clone)]
pub struct Layers {
    db: Db,
    known: moka::future::Cache<String, Arc<Known>>,
    /// Reads under way: whoever wants the same waits for the first.
    reading: moka::future::Cache<(String, Wanted), Arc<Source>>,
}

/// What a read is good for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Wanted {
    /// Something is better than nothing.
    Any,
    /// Only what the database says now.
    Present,
}

impl Layers {
    pub fn new(db: Db) -> Self {
        Self {
            db,
            known: moka::future::Cache::new(LAYERS_MAX),
            reading: moka::future::Cache::builder()
                .time_to_live(Duration::ZERO)
                .build(),
        }
    }

    /// The layer with this key. `revision` is what the address of the page says, if it does: one
    /// that is newer than is remembered tells of a change.
    pub async fn get(&self, key: &str, revision: Option<i32>) -> Result<Arc<Source>, TileError> {
        let known = self.known.get(key).await;
        let is_newer = |source: &Source| revision.is_some_and(|told| told > source.layer.revision);
        let Some(known) = known.filter(|known| !is_newer(&known.source)) else {
            let source = self.read(key, Wanted::Present).await?;
            if !is_newer(&source) {
                return Ok(source);
            }
            // That read may have been under way before the change.
            return self.read(key, Wanted::Present).await;
        };
        let age = known.read_at.elapsed();
        if age >= USABLE {
            return self.read(key, Wanted::Any).await;
        }
        if age >= FRESH && !known.is_refreshed.swap(true, Ordering::Relaxed) {
            let (layers, key) = (self.clone(), key.to_owned());
            tokio::spawn(async move { layers.read(&key, Wanted::Any).await.map(drop) });
        }
        Ok(Arc::clone(&known.source))
    }

    async fn read(&self, key: &str, wanted: Wanted) -> Result<Arc<Source>, TileError> {
        self.reading
            .try_get_with((key.to_owned(), wanted), self.read_row(key, wanted))
            .await
            .map_err(|e| TileError::clone(&e))
    }

    async fn read_row(&self, key: &str, wanted: Wanted) -> Result<Arc<Source>, TileError> {
        let row = async {
            let conn = self.db.get().await?;
            imagery::find(&*conn, key).await
        };
        let row = row.await;
        let known = self
            .known
            .get(key)
            .await
            .map(|known| Arc::clone(&known.source));
        let source = match (row, known) {
            (Ok(Some(layer)), Some(known)) if layer.revision == known.layer.revision => known,
            (Ok(Some(layer)), known) => {
                let turns = known.map_or_else(
                    || Arc::new(Turns::of(key)),
                    |known| Arc::clone(&known.turns),
                );
                Arc::new(Source::new(layer, turns)?)
            }
            (Ok(None), _) => return Err(TileError::NoLayer),
            (Err(e), Some(known)) if e.is_passing() && wanted == Wanted::Any => {
                tracing::warn!(cause = %e, layer.key = key, "the layer could not be read; it is used as it was");
                known
            }
            (Err(e), _) => return Err(TileError::Db(Arc::new(e))),
        };
        let known = Known {
            source: Arc::clone(&source),
            read_at: Instant::now(),
            is_refreshed: AtomicBool::new(false),
        };
        self.known.insert(key.to_owned(), Arc::new(known)).await;
        Ok(source)
    }
}
