//! Object storage: tiles and exports. A local folder.

use std::{path::Path, sync::Arc};

use anyhow::Context;
use object_store::{ObjectStore, local::LocalFileSystem};

/// Opens (and makes, if it is missing) the folder of the store.
pub fn open(folder: &Path) -> anyhow::Result<Arc<dyn ObjectStore>> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("STORE: cannot make the folder {}", folder.display()))?;
    let store = LocalFileSystem::new_with_prefix(folder)
        .with_context(|| format!("STORE: cannot open the folder {}", folder.display()))?;
    Ok(Arc::new(store))
}
