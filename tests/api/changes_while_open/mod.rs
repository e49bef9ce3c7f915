//! What organisers change while a campaign runs is in force at once, on every server.

mod areas;
mod meanwhile;
mod priorities;
mod states;

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;

use crate::harness::{
    App, Campaign, Cell, Client, Value, eventually, fixtures::cells_of, json, places::ring, within,
};

const SOON: Duration = Duration::from_secs(2);

async fn two_servers() -> App {
    App::builder().servers(2).start().await
}

fn area(cell: Cell, columns: u32, rows: u32) -> Value {
    areas([(cell, columns, rows)])
}

fn areas(blocks: impl IntoIterator<Item = (Cell, u32, u32)>) -> Value {
    let polygons = blocks
        .into_iter()
        .map(|(cell, columns, rows)| json!([ring(cell.block(columns, rows))]));
    json!({"type": "MultiPolygon", "coordinates": polygons.collect::<Vec<_>>()})
}

async fn verified(app: &App) {
    let checked = app.spotter(&["verify"]).await;
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );
}

/// Waits until every change of the campaign is carried out.
async fn carried_out(campaign: &Campaign) -> Value {
    eventually("the change is carried out", || async {
        let shown = campaign.progress().await;
        shown["preparation"].is_null().then_some(shown)
    })
    .await
}

/// How many cells have which weight.
async fn weights(app: &App) -> BTreeMap<String, i64> {
    let rows = app
        .sql()
        .await
        .query(
            "SELECT weight::text AS weight, count(*) AS cells FROM cells GROUP BY weight",
            &[],
        )
        .await
        .unwrap();
    rows.iter()
        .map(|row| (row.get("weight"), row.get("cells")))
        .collect()
}

fn expected<const N: usize>(weights: [(&str, i64); N]) -> BTreeMap<String, i64> {
    let weights = weights.into_iter();
    weights
        .map(|(weight, cells)| (weight.to_owned(), cells))
        .collect()
}

/// The same volunteer at each server.
fn at_each(app: &App, client: &Client) -> Vec<Client> {
    let servers = app.servers.iter();
    servers.map(|server| client.at(&server.url)).collect()
}

/// Waits until each server gives a new volunteer such a cell, for such a reason.
async fn each_gives(
    app: &App,
    campaign: &Campaign,
    what: &str,
    wanted: impl Fn(Cell, &str) -> bool,
) {
    let wanted = &wanted;
    join_all(app.servers.iter().map(|server| {
        within(SOON, what, move || async move {
            let volunteer = app.volunteer().await.at(&server.url);
            let given = campaign.ask(&volunteer, 1).await.expect(200);
            let reason = given["assignments"][0]["reason"].as_str()?;
            wanted(cells_of(&given)[0], reason).then_some(())
        })
    }))
    .await;
}
