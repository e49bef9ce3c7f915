//! Everything that a phone made since its last push.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{PUSHED_MAX, Since, row::unflat};
use crate::{
    http::Problem,
    state::App,
    sync::{
        Collection, epoch, looks,
        push::{Base, Change, Objection},
        tags,
        turn::in_turn,
    },
};

/// What a client made, changed and deleted, by table. Others than `looks` and `tags` are ignored.
pub type Pushed = BTreeMap<String, PushedTable>;

#[derive(Default, Deserialize, ToSchema)]
pub struct PushedTable {
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    created: Vec<Box<RawValue>>,
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    updated: Vec<Box<RawValue>>,
    /// Ids.
    #[serde(default)]
    deleted: Vec<String>,
}

/// How many rows were pushed of a table.
pub fn count(pushed: &Pushed, collection: Collection) -> usize {
    let table = pushed.get(collection.as_str());
    table.map_or(0, |table| {
        table.created.len() + table.updated.len() + table.deleted.len()
    })
}

/// Whether so many rows may come at once.
pub fn check_count(rows: usize) -> Result<(), Problem> {
    if rows <= PUSHED_MAX {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_many_documents",
        format!("Found {rows} rows; push {PUSHED_MAX} at most at once."),
    ))
}

/// Stores all of it in one transaction, but what cannot be stored.
///
/// Errors: 409 `changed_since_pull` when another device changed one of these tags since, 426
/// `sync_start_again`; then nothing was stored.
pub async fn push(
    app: &App,
    volunteer_id: Uuid,
    since: Since,
    mut pushed: Pushed,
) -> Result<(), Problem> {
    let mut take = |collection: Collection| {
        let table = pushed.remove(collection.as_str()).unwrap_or_default();
        changes(table, since)
    };
    let (looks, tags) = (take(Collection::Looks)?, take(Collection::Tags)?);
    let looks = looks::examine(app, volunteer_id, looks).await?;
    let tags = tags::examine(app, tags).await?;
    in_turn(app, volunteer_id, async |tx| {
        since.check(&epoch::standing(tx, volunteer_id).await?)?;
        // A look is never changed: whatever else was pushed under its id is left out.
        looks.write(tx, volunteer_id).await?;
        let objections = tags.write(tx, volunteer_id).await?;
        if objections
            .iter()
            .any(|objection| matches!(objection, Objection::Kept(_)))
        {
            return Err(changed());
        }
        Ok(())
    })
    .await
}

fn changes(table: PushedTable, since: Since) -> Result<Vec<Change>, Problem> {
    let rows = table.created.iter().chain(&table.updated).map(|raw| {
        let Change { members, base } = Change::of_watermelon(raw, since.xid)?;
        let members = unflat(members);
        Ok(Change { members, base })
    });
    let gone = table.deleted.into_iter().map(|id| {
        let members = [
            ("id".to_owned(), Value::String(id)),
            ("_deleted".to_owned(), Value::Bool(true)),
        ];
        Ok(Change {
            members: Map::from_iter(members),
            base: Base::Seen(since.xid),
        })
    });
    rows.chain(gone).collect()
}

fn changed() -> Problem {
    Problem::conflict(
        "changed_since_pull",
        "Another device changed one of these tags since your last pull, and nothing was stored. Synchronize again: pull first, then push.",
    )
}
