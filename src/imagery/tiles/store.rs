//! Tiles in the object store, which all servers share.
//!
//! **Invariant:** an object is created whole, or not at all, and never written over; only one that
//! is damaged is removed, by whoever holds the tile.

use std::sync::Arc;

use object_store::{Error, ObjectStoreExt, PutMode, PutOptions, PutPayload, path::Path};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{TileId, image::TileImage};
use crate::{http::etag, objects::Objects};

/// Characters of the hash that spreads tiles over prefixes.
const SPREAD_LENGTH: usize = 2;

#[derive(Clone, Debug, Error)]
#[error("the object store failed: {0}")]
pub struct StoreError(Arc<str>);

impl StoreError {
    fn of(error: &Error) -> Self {
        Self(error.to_string().into())
    }
}

/// What the store has of a tile.
pub enum Stored {
    Image(TileImage),
    Nothing,
    /// Something that is not a whole tile, as after a power cut.
    Damaged,
}

/// Whether a tile was created.
pub enum Kept {
    Created,
    /// Another server was faster.
    WasThere,
    Failed(StoreError),
}

#[derive(Clone)]
pub struct Store(Objects);

impl Store {
    pub fn new(objects: Objects) -> Self {
        Self(objects)
    }

    /// A tile that this machine has in memory, without waiting for anything.
    pub fn at_hand(&self, id: TileId) -> Option<TileImage> {
        TileImage::unpack(self.0.at_hand(&path(id))?)
    }

    pub async fn read(&self, id: TileId) -> Result<Stored, StoreError> {
        let read = async { self.0.get(&path(id)).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(TileImage::unpack(bytes).map_or(Stored::Damaged, Stored::Image)),
            Err(Error::NotFound { .. }) => Ok(Stored::Nothing),
            Err(error) => Err(StoreError::of(&error)),
        }
    }

    /// How many bytes it has of a tile, if it has any, without reading them.
    pub async fn bytes(&self, id: TileId) -> Result<Option<u64>, StoreError> {
        match self.0.head(&path(id)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(StoreError::of(&error)),
        }
    }

    pub async fn create(&self, id: TileId, image: &TileImage) -> Kept {
        let payload = PutPayload::from_bytes(image.pack());
        let options = PutOptions::from(PutMode::Create);
        match self.0.put_opts(&path(id), payload, options).await {
            Ok(_) => Kept::Created,
            Err(Error::AlreadyExists { .. }) => Kept::WasThere,
            Err(error) => Kept::Failed(StoreError::of(&error)),
        }
    }

    pub async fn remove(&self, id: TileId) -> Result<(), StoreError> {
        match self.0.delete(&path(id)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(StoreError::of(&error)),
        }
    }
}

/// Where a tile lies: spread over prefixes by a hash, under the layer and the revision of its tiles,
/// without secrets.
pub fn path(id: TileId) -> Path {
    let name = format!("{}/{}/{}", id.layer, id.revision, id.cell.tile());
    let mut spread = etag::of_hash(&Sha256::digest(name.as_bytes()));
    spread.truncate(SPREAD_LENGTH);
    Path::from(format!("tiles/{spread}/{name}"))
}
