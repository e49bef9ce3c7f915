//! Tiles on their way from the source to the page: process, object store, source.
//!
//! **Invariant:** in one process, requests for the same tile at the same time make one fetch.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::TryFutureExt;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, path::Path};
use sha2::{Digest, Sha256};
use thiserror::Error;
use url::Url;

use super::{
    fetch::{self, FetchError, ImageKind},
    guard,
    model::Layer,
    template::Template,
};
use crate::{
    db::{Db, DbError},
    geo::tile::Tile,
    http::{FieldErrors, etag},
};

/// Bytes of tiles that one process keeps.
const NEAR_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How long a layer is remembered before it is read again.
const LAYER_LIFETIME: Duration = Duration::from_secs(1);
/// Layers that are remembered.
const LAYERS_MAX: u64 = 1000;

/// A tile that was recognised as an image.
#[derive(Clone, Debug)]
pub struct TileImage {
    pub bytes: Bytes,
    pub kind: ImageKind,
    /// Hash of the bytes, for the ETag.
    pub tag: String,
}

#[derive(Clone, Debug, Error)]
pub enum TileError {
    #[error("there is no such layer")]
    NoLayer,
    #[error("the layer has no imagery there")]
    Outside,
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the object store failed: {0}")]
    Store(String),
    #[error(transparent)]
    Db(Arc<DbError>),
}

/// What the tile path of one process holds.
#[derive(Clone)]
pub struct Tiles {
    client: reqwest::Client,
    allow_internal: bool,
    store: Arc<dyn ObjectStore>,
    near: moka::future::Cache<String, TileImage>,
    layers: moka::future::Cache<String, Arc<Layer>>,
}

impl Tiles {
    pub fn new(store: Arc<dyn ObjectStore>, allow_internal: bool) -> anyhow::Result<Self> {
        Ok(Self {
            client: fetch::client(allow_internal)?,
            allow_internal,
            store,
            near: moka::future::Cache::builder()
                .max_capacity(NEAR_BYTES_MAX)
                .weigher(|_, tile: &TileImage| u32::try_from(tile.bytes.len()).unwrap_or(u32::MAX))
                .build(),
            layers: moka::future::Cache::builder()
                .max_capacity(LAYERS_MAX)
                .time_to_live(LAYER_LIFETIME)
                .build(),
        })
    }

    /// A tile and its layer. `revision` is what the address of the page says, if it does.
    pub async fn get(
        &self,
        db: &Db,
        key: &str,
        revision: Option<i32>,
        tile: Tile,
    ) -> Result<(TileImage, Arc<Layer>), TileError> {
        let layer = self.layer(db, key, revision).await?;
        let definition = &layer.definition;
        let inside = definition
            .bounds
            .is_none_or(|bounds| bounds.overlaps(tile.bbox()));
        if tile.z() < definition.min_zoom || tile.z() > definition.max_zoom || !inside {
            count("outside");
            return Err(TileError::Outside);
        }
        let path = store_path(&layer, tile);
        if let Some(found) = self.near.get(path.as_ref()).await {
            count("near");
            return Ok((found, layer));
        }
        let found = self
            .near
            .try_get_with(path.to_string(), self.load(&path, &layer, tile))
            .await
            .map_err(|e: Arc<TileError>| (*e).clone())?;
        Ok((found, layer))
    }

    async fn layer(
        &self,
        db: &Db,
        key: &str,
        revision: Option<i32>,
    ) -> Result<Arc<Layer>, TileError> {
        if let Some(layer) = self.layers.get(key).await
            // An address with a newer revision than is remembered tells of a change.
            && revision.is_none_or(|revision| revision <= layer.revision)
        {
            return Ok(layer);
        }
        let read = async {
            let conn = db.get().await?;
            super::find(&*conn, key).await
        };
        let layer = read
            .map_err(|e| TileError::Db(Arc::new(e)))
            .await?
            .ok_or(TileError::NoLayer)?;
        let layer = Arc::new(layer);
        self.layers.insert(key.to_owned(), Arc::clone(&layer)).await;
        Ok(layer)
    }

    async fn load(&self, path: &Path, layer: &Layer, tile: Tile) -> Result<TileImage, TileError> {
        if let Some(bytes) = self.stored(path).await?
            && let Some(kind) = ImageKind::of(&bytes)
        {
            count("store");
            return Ok(TileImage::new(bytes, kind));
        }
        let template = Template::parse(&layer.definition.url_template, &mut FieldErrors::default())
            .ok_or_else(|| TileError::Store("the layer's template cannot be read".to_owned()))?;
        let address = template.address(tile, layer.definition.tile_size, &layer.definition.secrets);
        let fetched = self.fetch(&address).await;
        count(match &fetched {
            Ok(_) => "source",
            Err(FetchError::Missing) => "missing",
            Err(_) => "failed",
        });
        let (bytes, kind) = fetched?;
        self.keep(path, &bytes).await;
        Ok(TileImage::new(bytes, kind))
    }

    /// Whether an address may be asked.
    pub fn allows(&self, address: &str) -> bool {
        Url::parse(address).is_ok_and(|url| guard::allows(&url, self.allow_internal))
    }

    /// An image from a source, not kept.
    pub async fn fetch(&self, address: &str) -> Result<(Bytes, ImageKind), FetchError> {
        let ask = || fetch::fetch(&self.client, address, self.allow_internal);
        match ask().await {
            // The source may have closed the connection that was kept: once more, on a new one.
            Err(FetchError::Unreachable) => ask().await,
            fetched => fetched,
        }
    }

    async fn stored(&self, path: &Path) -> Result<Option<Bytes>, TileError> {
        let failed = |e: object_store::Error| {
            count("store_failed");
            TileError::Store(e.to_string())
        };
        match self.store.get(path).await {
            Ok(found) => found.bytes().await.map(Some).map_err(failed),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(failed(e)),
        }
    }

    /// Creates the object whole, or not at all; whoever was first wins.
    async fn keep(&self, path: &Path, bytes: &Bytes) {
        let payload = PutPayload::from_bytes(bytes.clone());
        let options = PutOptions::from(PutMode::Create);
        match self.store.put_opts(path, payload, options).await {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => {}
            Err(e) => {
                tracing::warn!(cause = %e, "a tile could not be stored; it will be fetched again");
            }
        }
    }
}

impl TileImage {
    fn new(bytes: Bytes, kind: ImageKind) -> Self {
        let tag = etag::of_hash(&Sha256::digest(&bytes));
        Self { bytes, kind, tag }
    }
}

/// Spread over prefixes by a hash, versioned by the layer's revision, without secrets.
fn store_path(layer: &Layer, tile: Tile) -> Path {
    let name = format!("{}/{}/{tile}", layer.id, layer.revision);
    let mut spread = etag::of_hash(&Sha256::digest(name.as_bytes()));
    spread.truncate(2);
    Path::from(format!("tiles/{spread}/{name}"))
}

fn count(outcome: &'static str) {
    metrics::counter!("tile_requests_total", "outcome" => outcome).increment(1);
}
