//! What README.md says to do after a dump was restored.

use super::{
    cell_decisions::change, cell_decisions_numbers::recounted, packs::take, sync::phone::Phone,
};
use crate::harness::{App, DEADLINE, json, point, tagged};

/// The statements under "Moving to another database".
fn statements() -> String {
    let readme = include_str!("../../README.md");
    let (_, part) = readme
        .split_once("**Moving to another database.**")
        .unwrap();
    let (_, part) = part.split_once("```sql\n").unwrap();
    part.split("```").next().unwrap().to_owned()
}

#[tokio::test]
async fn after_a_restore_every_number_is_derived_anew() {
    let mut app = App::start().await;
    let campaign = app.campaign().cells(2, 2).looks_wanted(2).open().await;
    let volunteers = app.volunteers(2).await;
    let phone = volunteers[0].clone();
    take(&campaign, &phone, 1).await;
    for volunteer in volunteers {
        for cell in &campaign.cells {
            let look = tagged(*cell, [point(cell.middle())]);
            campaign.send(&volunteer, &look).await.expect(201);
        }
    }
    campaign.progress_shows("/looks", 8).await;
    change(&campaign, &[campaign.cells[0]], json!({"closed": true})).await;
    campaign.progress_shows("/cells_closed", 1).await;
    let before = campaign.progress().await;

    // Numbers that a restored cursor would leave as they are.
    for mut worker in app.workers.drain(..) {
        worker.terminate();
        assert!(worker.ended(DEADLINE).await);
    }
    // The dump came from a cluster that was far ahead.
    let ahead = [
        "looks",
        "tags",
        "cell_decisions",
        "campaigns",
        "imagery_layers",
        "pack_cells",
    ]
    .map(|table| format!("UPDATE {table} SET xid = '99999999999999'::xid8;"))
    .concat();
    app.execute(&format!("{ahead} BEGIN; {} COMMIT", statements()))
        .await;
    app.workers.push(app.start_worker());
    campaign.progress_shows("/cells_closed", 1).await;
    recounted(&app).await;
    let after = campaign.progress().await;
    for number in ["looks", "volunteers", "cells_done", "cells_closed", "tags"] {
        assert_eq!(after[number], before[number], "{number}");
    }
    for (collection, count) in [
        ("campaigns", 1),
        ("assignments", 1),
        ("looks", 4),
        ("tags", 4),
    ] {
        Phone::new(&phone, collection).has(count).await;
    }
}
