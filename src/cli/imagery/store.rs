//! `spotter imagery usage` and `purge`: the tiles in the object store.

use std::{collections::BTreeMap, fmt::Write, process::ExitCode};

use anyhow::Context;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    cli::print,
    imagery::{self, Layer, Revisions, Used},
    state::App,
};

#[derive(Serialize)]
struct Row {
    layer: String,
    revision: i32,
    is_present: bool,
    #[serde(flatten)]
    used: Used,
}

pub async fn purge(app: &App, layer: &str, revision: Revisions) -> anyhow::Result<ExitCode> {
    let layer = find(app, layer).await?;
    let purged = imagery::purge(&*app.objects, &layer, revision)
        .await
        .context("the object store")?;
    print(&format!(
        "{} tiles thrown away, {} bytes",
        purged.tiles, purged.bytes
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub async fn usage(app: &App, layer: Option<&str>, json: bool) -> anyhow::Result<ExitCode> {
    let only = match layer {
        Some(key) => Some(find(app, key).await?.id),
        None => None,
    };
    let used = imagery::usage(&*app.objects, only)
        .await
        .context("the object store")?;
    let rows = rows(app, used).await?;
    print(&if json {
        serde_json::to_string_pretty(&rows)?
    } else {
        table(&rows)?
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn find(app: &App, key: &str) -> anyhow::Result<Layer> {
    let conn = app.db.get().await?;
    imagery::find(&*conn, key)
        .await?
        .with_context(|| format!("there is no imagery layer {key:?}"))
}

/// By layer and revision. A layer that this database does not know is shown by its id.
async fn rows(app: &App, used: BTreeMap<(Uuid, i32), Used>) -> anyhow::Result<Vec<Row>> {
    let mut ids: Vec<Uuid> = used.keys().map(|(layer, _)| *layer).collect();
    ids.dedup();
    let conn = app.db.get().await?;
    let known: BTreeMap<Uuid, Layer> = imagery::by_ids(&*conn, &ids)
        .await?
        .into_iter()
        .map(|layer| (layer.id, layer))
        .collect();
    let mut rows: Vec<Row> = used
        .into_iter()
        .map(|((layer, revision), used)| {
            let known = known.get(&layer);
            Row {
                layer: known
                    .map_or_else(|| layer.to_string(), |layer| layer.definition.key.clone()),
                revision,
                is_present: known.is_some_and(|layer| layer.tiles_revision == revision),
                used,
            }
        })
        .collect();
    rows.sort_by(|a, b| (&a.layer, a.revision).cmp(&(&b.layer, b.revision)));
    Ok(rows)
}

fn table(rows: &[Row]) -> anyhow::Result<String> {
    let mut table = format!(
        "{:<38}{:>9}{:>5}{:>14}{:>18}",
        "layer", "revision", "", "tiles", "bytes"
    );
    let mut all = Used::default();
    for row in rows {
        let note = if row.is_present { "" } else { "old" };
        write!(
            table,
            "\n{:<38}{:>9}{note:>5}{:>14}{:>18}",
            row.layer, row.revision, row.used.tiles, row.used.bytes
        )?;
        all += row.used;
    }
    write!(table, "\n{:<52}{:>14}{:>18}", "all", all.tiles, all.bytes)?;
    Ok(table)
}
