//! A tile that is fetched before anybody asks for it.

use super::tiles::{TileError, Tiles};
use crate::{geo::Tile, imagery::fetch::FetchError};

const RESTING: &str = "it failed several times in a row";

/// What became of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ahead {
    Fetched,
    /// It was in the store.
    Kept,
    /// The layer does not reach there.
    Outside,
    /// The source has none there.
    Missing,
    /// Why it could not be had, for people.
    Failed(String),
    /// The source is left alone, or busy with others: nothing is known of the tile.
    Resting(String),
}

impl Tiles {
    /// Sees to it that a tile of a layer, of this revision or a newer one, is in the store, after
    /// everybody who waits for one. An error is one of ours, not of the source.
    pub async fn fetch_ahead(
        &self,
        (layer, revision): (&str, i32),
        tile: Tile,
    ) -> Result<Ahead, TileError> {
        let source = self.layer(layer, Some(revision)).await?;
        if self.is_kept(&source, tile).await? {
            return Ok(Ahead::Kept);
        }
        match self.get_ahead(&source, tile).await {
            Ok(()) => Ok(Ahead::Fetched),
            Err(TileError::Outside) => Ok(Ahead::Outside),
            Err(TileError::Fetch(FetchError::Missing)) => Ok(Ahead::Missing),
            Err(TileError::Fetch(e)) => Ok(Ahead::Failed(e.to_string())),
            Err(TileError::Resting(_)) => Ok(Ahead::Resting(RESTING.to_owned())),
            Err(e @ (TileError::Late | TileError::Full)) => Ok(Ahead::Resting(e.to_string())),
            Err(e) => Err(e),
        }
    }
}
