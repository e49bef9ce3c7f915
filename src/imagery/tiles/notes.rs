//! What servers tell each other of a tile through memcached. It spares the database and the store;
//! nothing depends on it.

use std::time::Duration;

use super::TileId;
use crate::{
    cache::{Cache, Key, Left},
    imagery::fetch::FetchError,
};

/// How long a tile that the source does not have is remembered.
pub const MISSING_LIFETIME: Duration = Duration::from_mins(10);
/// How long a failure is: only so long that those who ask at the same time are told the same.
pub const FAILED_LIFETIME: Duration = Duration::from_secs(2);
/// How long it is told that a tile is in the store: until those who wait have seen it.
const STORED_LIFETIME: Duration = Duration::from_secs(30);

/// What was told.
#[derive(Debug)]
pub enum Told {
    Fetching,
    Failed(FetchError),
    /// Nothing, or that it is in the store.
    Nothing,
    /// memcached is away.
    Away,
}

pub async fn told(cache: &Cache, id: TileId) -> Told {
    let word = match cache.left(&key(id)).await {
        Left::Word(word) => word,
        Left::Nothing => return Told::Nothing,
        Left::Away => return Told::Away,
    };
    match word.split_first() {
        Some((b'F', [])) => Told::Fetching,
        Some((b'E', failure)) => {
            serde_json::from_slice(failure).map_or(Told::Nothing, Told::Failed)
        }
        _ => Told::Nothing,
    }
}

/// Tells that a tile is being fetched, for so long.
pub async fn tell_fetching(cache: &Cache, id: TileId, lifetime: Duration) {
    cache.leave(&key(id), b"F".to_vec(), lifetime).await;
}

/// Tells that a tile is in the store.
pub async fn tell_stored(cache: &Cache, id: TileId) {
    cache.leave(&key(id), b"S".to_vec(), STORED_LIFETIME).await;
}

/// Takes back that it is being fetched.
pub async fn tell_nothing(cache: &Cache, id: TileId) {
    cache.leave(&key(id), b"N".to_vec(), FAILED_LIFETIME).await;
}

/// Tells why there is no tile; whether that could be told.
pub async fn tell_failed(cache: &Cache, id: TileId, failure: &FetchError) -> bool {
    let mut note = b"E".to_vec();
    note.extend(serde_json::to_vec(failure).unwrap_or_default());
    cache.leave(&key(id), note, lifetime_of(failure)).await
}

pub fn lifetime_of(failure: &FetchError) -> Duration {
    match failure {
        FetchError::Missing => MISSING_LIFETIME,
        _ => FAILED_LIFETIME,
    }
}

fn key(id: TileId) -> Key {
    Key::Tile {
        layer: id.layer,
        revision: id.revision,
        cell: id.cell.get(),
    }
}
