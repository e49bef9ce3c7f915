//! Imagery layers: where map tiles come from, with provenance; and the tiles themselves.
//!
//! **Invariant:** secret values of a template leave the server only towards the source: they
//! are in no answer, log line, key or error.
//!
//! **Invariant:** what is served as a tile was recognised as an image by its bytes.
//!
//! **Invariant:** a tile is fetched from its source once, whatever the number of requests and servers.

mod ahead;
mod descriptions;
mod fetch;
mod guard;
mod handlers;
mod kind;
mod model;
mod probe;
mod queries;
mod recognise;
mod template;
mod tiles;
mod upkeep;

use serde_json::{Map, Value};
use tokio_postgres::GenericClient;
use uuid::Uuid;

pub use ahead::Ahead;
pub use handlers::{routes, tile_routes};
pub use model::{Layer, LayerDefinition};
pub use tiles::{Source, TileError, Tiles, forget_fetches};
pub use upkeep::{Budget, Revisions, Used, present, purge, usage};

use crate::{
    accounts::Organiser,
    cache::Key,
    db::DbError,
    http::{Problem, limits, merge::merge},
    state::App,
};
use model::Checked;

/// Campaigns on a layer that show its change at once. Others show it a second later.
const CAMPAIGNS_TOLD_MAX: i64 = 20;

/// Makes a layer.
pub async fn create(app: &App, by: &Organiser, new: LayerDefinition) -> Result<Layer, Problem> {
    let checked = Checked::new(new, app.config.allow_internal_sources)?;
    let conn = app.db.get().await?;
    match queries::insert(&*conn, Uuid::now_v7(), &checked, by.id).await {
        Ok(layer) => Ok(layer),
        Err(e) if e.violates("imagery_layers_key_key") => Err(Problem::conflict(
            "layer_exists",
            format!(
                "There is a layer {:?} already. Choose another key, or change that one with PATCH /v1/imagery/{}.",
                checked.definition.key, checked.definition.key
            ),
        )),
        Err(e) => Err(e.into()),
    }
}

/// Changes a layer by a merge patch (RFC 7396). Secrets that are not named stay.
pub async fn change(
    app: &App,
    layer: &Layer,
    mut patch: Map<String, Value>,
) -> Result<Option<Layer>, Problem> {
    if patch
        .get("key")
        .is_some_and(|key| key.as_str() != Some(&layer.definition.key))
    {
        return Err(Problem::conflict(
            "key_is_fixed",
            "A layer keeps its key, since campaigns name it. Make another layer.",
        ));
    }
    let mut secrets = serde_json::to_value(&layer.definition.secrets).unwrap_or_default();
    if let Some(given) = patch.remove("secrets") {
        merge(&mut secrets, &given);
    }
    let mut whole = serde_json::to_value(&layer.definition).unwrap_or_default();
    merge(&mut whole, &Value::Object(patch));
    if let Some(members) = whole.as_object_mut() {
        members.insert("secrets".to_owned(), secrets);
    }
    let new: LayerDefinition = crate::http::extract::parse(whole.to_string().as_bytes())?;
    let checked = Checked::new(new, app.config.allow_internal_sources)?;
    let conn = app.db.get().await?;
    let changed = queries::update(&*conn, layer, &checked).await?;
    let shown_by = queries::campaigns(&*conn, layer.id, CAMPAIGNS_TOLD_MAX).await?;
    drop(conn);
    let keys: Vec<Key> = shown_by
        .iter()
        .flat_map(|(slug, id)| Key::of_campaign(slug, *id))
        .chain([Key::Layer(layer.id)])
        .collect();
    app.cache.forget(&keys).await;
    Ok(changed)
}

/// The layer with this key.
pub async fn find(db: &impl GenericClient, key: &str) -> Result<Option<Layer>, DbError> {
    if !limits::is_key(key) {
        return Ok(None);
    }
    queries::find_by_key(db, key).await
}

/// The layers with these ids.
pub async fn by_ids(db: &impl GenericClient, ids: &[Uuid]) -> Result<Vec<Layer>, DbError> {
    queries::find_by_ids(db, ids).await
}

/// The layer with this id.
pub async fn by_id(db: &impl GenericClient, id: Uuid) -> Result<Option<Layer>, DbError> {
    queries::find_by_id(db, id).await
}
