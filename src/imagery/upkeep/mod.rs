//! What the tiles in the store take, and throwing them away.
//!
//! **Invariant:** only what has the name of a tile is counted or thrown away.

mod budget;
mod files;

use std::{
    collections::BTreeMap,
    ops::{Add, AddAssign},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{Error, ObjectMeta, ObjectStore, path::Path};
use serde::Serialize;
use tokio_postgres::GenericClient;
use uuid::Uuid;

pub use budget::Budget;

use super::{Layer, queries};
use crate::db::DbError;

/// Prefixes over which tiles are spread: two hexadecimal digits.
const SPREADS: u16 = 256;
/// Prefixes that are listed at a time.
const LISTED_AT_ONCE: usize = 8;
/// Tiles that are thrown away in one request.
const DELETED_AT_ONCE: usize = 1000;

/// Tiles and their bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Used {
    pub tiles: u64,
    pub bytes: u64,
}

impl AddAssign for Used {
    fn add_assign(&mut self, other: Self) {
        self.tiles += other.tiles;
        self.bytes += other.bytes;
    }
}

impl Add for Used {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

/// Which tiles of a layer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Revisions {
    All,
    /// Those before the present one.
    Old,
    One(i32),
}

impl Revisions {
    fn have(self, revision: i32, present: i32) -> bool {
        match self {
            Self::All => true,
            Self::Old => revision < present,
            Self::One(one) => revision == one,
        }
    }
}

/// The layer and revision of which an object is a tile.
fn tile_of(path: &Path) -> Option<(Uuid, i32)> {
    let mut parts = path.parts();
    let [tiles, spread, layer, revision, z, x, y] =
        [(); 7].map(|()| parts.next().map(|part| part.as_ref().to_owned()));
    let is_tile = parts.next().is_none()
        && tiles.as_deref() == Some("tiles")
        && spread.is_some_and(|spread| spread.len() == 2)
        && [z, x, y].iter().all(|part| {
            part.as_ref()
                .is_some_and(|part| part.parse::<u32>().is_ok())
        });
    if !is_tile {
        return None;
    }
    Some((layer?.parse().ok()?, revision?.parse().ok()?))
}

/// What the tiles of one layer, or of all, take by layer and revision. Lists all of them, which for
/// hundreds of millions takes hours.
pub async fn usage(
    store: &dyn ObjectStore,
    layer: Option<Uuid>,
) -> Result<BTreeMap<(Uuid, i32), Used>, Error> {
    stream::iter(0..SPREADS)
        .map(|spread| async move {
            let mut used: BTreeMap<_, Used> = BTreeMap::new();
            let mut found = store.list(Some(&prefix(spread, layer)));
            while let Some(object) = found.try_next().await? {
                if let Some(of) = tile_of(&object.location) {
                    *used.entry(of).or_default() += used_by(&object);
                }
            }
            Ok::<_, Error>(used)
        })
        .buffer_unordered(LISTED_AT_ONCE)
        .try_fold(BTreeMap::new(), |mut all, used| async move {
            for (of, used) in used {
                *all.entry(of).or_insert(Used::default()) += used;
            }
            Ok(all)
        })
        .await
}

/// Throws tiles of a layer away, and says how many. Whoever asks for one gets it from the source
/// again.
pub async fn purge(
    store: &dyn ObjectStore,
    layer: &Layer,
    which: Revisions,
) -> Result<Used, Error> {
    stream::iter(0..SPREADS)
        .map(|spread| async move {
            let mut purged = Used::default();
            let wanted = store
                .list(Some(&prefix(spread, Some(layer.id))))
                .try_filter(|object| {
                    let of = tile_of(&object.location);
                    let is_wanted =
                        of.is_some_and(|(_, revision)| which.have(revision, layer.tiles_revision));
                    std::future::ready(is_wanted)
                });
            let mut some = wanted.try_chunks(DELETED_AT_ONCE);
            while let Some(objects) = some.try_next().await.map_err(|e| e.1)? {
                let paths: Vec<_> = objects
                    .iter()
                    .map(|object| Ok(object.location.clone()))
                    .collect();
                let mut deleted = store.delete_stream(stream::iter(paths).boxed());
                while let Some(outcome) = deleted.next().await {
                    match outcome {
                        // Somebody else was faster.
                        Ok(_) | Err(Error::NotFound { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
                purged += objects.iter().map(used_by).fold(Used::default(), Add::add);
            }
            Ok(purged)
        })
        .buffer_unordered(LISTED_AT_ONCE)
        .try_fold(
            Used::default(),
            |all, purged| async move { Ok(all + purged) },
        )
        .await
}

/// The present revision of the tiles of each layer.
pub async fn present(db: &impl GenericClient) -> Result<BTreeMap<Uuid, i32>, DbError> {
    queries::revisions(db).await
}

fn prefix(spread: u16, layer: Option<Uuid>) -> Path {
    match layer {
        Some(layer) => Path::from(format!("tiles/{spread:02x}/{layer}")),
        None => Path::from(format!("tiles/{spread:02x}")),
    }
}

fn used_by(object: &ObjectMeta) -> Used {
    Used {
        tiles: 1,
        bytes: object.size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_like_a_tile_is_one() {
        let layer = Uuid::nil();
        let of = |path: &str| tile_of(&Path::from(path));
        assert_eq!(of(&format!("tiles/ab/{layer}/3/17/1/2")), Some((layer, 3)));
        for other in [
            format!("tiles/ab/{layer}/3/17/1"),
            format!("tiles/ab/{layer}/3/17/1/2/3"),
            format!("tiles/ab/{layer}/x/17/1/2"),
            format!("exports/ab/{layer}/3/17/1/2"),
            "tiles/ab/survey/3/17/1/2".to_owned(),
            "checks/created-once".to_owned(),
        ] {
            assert_eq!(of(&other), None, "{other}");
        }
    }
}
