//! Tiles in a folder as files: walked, and thrown away. Blocking.
//!
//! **Invariant:** memory is proportional to the folders on the way to a file, never to the files.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use uuid::Uuid;

/// The rest of a write that never ended, when it is so old.
const LEFT_OVER_AFTER: Duration = Duration::from_hours(1);

/// A tile in a folder.
pub struct TileFile {
    pub path: PathBuf,
    pub layer: Uuid,
    pub revision: i32,
    pub bytes: u64,
    pub used_at: SystemTime,
}

/// Visits the tiles below one prefix, `tiles/ab`. What goes away meanwhile is passed over.
pub fn visit(
    below: &Path,
    now: SystemTime,
    visitor: &mut dyn FnMut(TileFile) -> io::Result<()>,
) -> io::Result<()> {
    for layer in entries(below)? {
        let Some(id) = name(&layer).and_then(|name| name.parse().ok()) else {
            continue;
        };
        for revision in entries(&layer)? {
            let Some(number) = name(&revision).and_then(|name| name.parse().ok()) else {
                continue;
            };
            for zoom in entries(&revision)? {
                for column in entries(&zoom)? {
                    for row in entries(&column)? {
                        visit_file(row, (id, number), now, visitor)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn visit_file(
    path: PathBuf,
    (layer, revision): (Uuid, i32),
    now: SystemTime,
    visitor: &mut dyn FnMut(TileFile) -> io::Result<()>,
) -> io::Result<()> {
    let Some(found) = there(fs::symlink_metadata(&path))? else {
        return Ok(());
    };
    let written_at = found.modified()?;
    let is_tile = name(&path).is_some_and(|name| name.parse::<u32>().is_ok());
    if found.is_file() && is_tile {
        return visitor(TileFile {
            path,
            layer,
            revision,
            bytes: found.len(),
            used_at: found.accessed()?.max(written_at),
        });
    }
    // The object store writes beside the tile, `name#1`, and then gives it its name.
    let is_begun = name(&path).is_some_and(|name| name.contains('#'));
    let is_left = now
        .duration_since(written_at)
        .is_ok_and(|age| age > LEFT_OVER_AFTER);
    if found.is_file() && is_begun && is_left {
        there(fs::remove_file(&path))?;
    }
    Ok(())
}

/// Throws a tile away, and the folders that held nothing else. Whoever has it open reads it to its
/// end. Says whether it was there.
pub fn remove(path: &Path, below: &Path) -> io::Result<bool> {
    let was_there = there(fs::remove_file(path))?.is_some();
    // A folder that is not empty, or just gets a tile, stays.
    let mut folder = path.parent();
    while let Some(empty) = folder
        && empty != below
        && fs::remove_dir(empty).is_ok()
    {
        folder = empty.parent();
    }
    Ok(was_there)
}

/// Bytes by a key, such as the time of the last use.
pub type Sizes<K> = BTreeMap<K, u64>;

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let Some(found) = there(fs::read_dir(folder))? else {
        return Ok(Vec::new());
    };
    found.map(|entry| entry.map(|entry| entry.path())).collect()
}

/// `None` for what is not there, or is no folder.
fn there<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}
