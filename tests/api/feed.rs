//! The change feed: nothing is skipped, nothing counted twice, and `verify` proves it.

use super::progress::looks_of_each_kind;
use crate::harness::{App, Value, eventually, id, json, point, tagged};

pub async fn verify(app: &App) -> (bool, String) {
    let checked = app.spotter(&["verify"]).await;
    (
        checked.status.success(),
        String::from_utf8(checked.stdout).unwrap(),
    )
}

/// Waits until the worker has read the whole feed.
pub async fn caught_up(app: &App) {
    let behind = "SELECT (SELECT count(*) FROM looks AS l, feed_cursors AS c WHERE c.reader = 'progress' AND (l.xid, l.id, l.volunteer_id) > (c.looks_xid, c.looks_id, c.looks_owner))
        + (SELECT count(*) FROM tags AS t, feed_cursors AS c WHERE c.reader = 'progress' AND (t.xid, t.id, t.volunteer_id) > (c.tags_xid, c.tags_id, c.tags_owner))
        + (SELECT count(*) FROM cell_decisions AS d, feed_cursors AS c WHERE c.reader = 'progress' AND (d.xid, d.campaign_id, d.cell) > (c.decisions_xid, c.decisions_campaign, c.decisions_cell))
        + (SELECT count(*) FROM looks WHERE NOT EXISTS (SELECT FROM feed_cursors WHERE reader = 'progress'))";
    eventually("the worker catches up", || async {
        (app.number(behind).await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_transaction_that_commits_late_is_not_skipped() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).looks_wanted(9).open().await;
    let late = app.sql().await;
    let insert = format!(
        "BEGIN; INSERT INTO looks (volunteer_id, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, content_hash)
         VALUES ('{}', '{}', '{}', {}, 'nothing', 1, now(), now(), '')",
        id(), id(), campaign.id, campaign.cells[0].packed()
    );
    late.batch_execute(&insert).await.unwrap();
    for cell in &campaign.cells {
        campaign.look_at(&app.volunteer().await, *cell).await;
    }
    // The worker cannot pass the open transaction; whatever it does meanwhile must be right.
    let waited = async || {
        app.number("SELECT coalesce(extract(epoch FROM now() - min(received_at)) * 1000, 0)::int8 FROM looks").await
    };
    eventually("the worker had time to read", || async {
        (waited().await > 700).then_some(())
    })
    .await;
    assert_eq!(campaign.progress().await["looks"], 0);
    assert!(campaign.progress().await["lag_seconds"].as_f64().unwrap() > 0.0);
    late.batch_execute("COMMIT").await.unwrap();
    let shown = campaign.progress_shows("/looks", 10).await;
    assert_eq!(shown["volunteers"], 10);
    assert!(verify(&app).await.0);
}

#[tokio::test]
async fn a_transaction_that_rolls_back_leaves_nothing() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let late = app.sql().await;
    let insert = format!(
        "BEGIN; INSERT INTO looks (volunteer_id, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, content_hash)
         VALUES ('{}', '{}', '{}', {}, 'nothing', 1, now(), now(), '')",
        id(), id(), campaign.id, campaign.cells[0].packed()
    );
    late.batch_execute(&insert).await.unwrap();
    campaign
        .look_at(&app.volunteer().await, campaign.cells[1])
        .await;
    late.batch_execute("ROLLBACK").await.unwrap();
    campaign.progress_shows("/looks", 1).await;
    assert!(verify(&app).await.0);
}

#[tokio::test]
async fn a_worker_that_is_killed_and_started_again_counts_nothing_twice() {
    let mut app = App::start().await;
    let campaign = app.campaign().cells(6, 6).looks_wanted(9).open().await;
    for round in 0..3 {
        for cell in &campaign.cells[round * 12..(round + 1) * 12] {
            campaign.look_at(&app.volunteer().await, *cell).await;
        }
        app.workers.pop().unwrap().kill().await;
        let next = app.start_worker();
        app.workers.push(next);
    }
    campaign.progress_shows("/looks", 36).await;
    caught_up(&app).await;
    let (right, report) = verify(&app).await;
    assert!(right, "{report}");
}

#[tokio::test]
async fn three_workers_count_nothing_twice() {
    let app = App::builder().workers(3).start().await;
    let campaign = app.campaign().cells(6, 6).looks_wanted(9).open().await;
    let crowd = (0..4).map(|_| async {
        let volunteer = app.volunteer().await;
        for cell in &campaign.cells {
            let sent = tagged(*cell, [point(cell.middle())]);
            campaign.send(&volunteer, &sent).await.expect(201);
        }
    });
    futures_util::future::join_all(crowd).await;
    let shown = campaign.progress_shows("/looks", 144).await;
    assert_eq!(
        (&shown["tags"], &shown["volunteers"]),
        (&json!(144), &json!(4))
    );
    caught_up(&app).await;
    let (right, report) = verify(&app).await;
    assert!(right, "{report}");
}

#[tokio::test]
async fn every_number_can_be_derived_anew_as_the_readme_says() {
    let mut app = App::start().await;
    let campaign = app.campaign().looks_wanted(2).open().await;
    looks_of_each_kind(&app, &campaign).await;
    let cells: Vec<_> = campaign.cells[..2]
        .iter()
        .map(ToString::to_string)
        .collect();
    let decision = json!({"cells": cells, "closed": true});
    let call = campaign.organiser.patch(&campaign.path("/cells"));
    call.json(decision).await.expect(200);
    campaign.progress_shows("/cells_closed", 2).await;
    caught_up(&app).await;
    let before = campaign.progress().await;
    app.workers.pop().unwrap().kill().await;
    let readme = include_str!("../../README.md");
    let (_, moving) = readme.split_once("```sql\n").unwrap();
    let (sql, _) = moving.split_once("```").unwrap();
    app.execute(sql).await;
    assert_eq!(campaign.progress().await["cells_closed"], 0);
    let next = app.start_worker();
    app.workers.push(next);
    campaign.progress_shows("/cells_closed", 2).await;
    caught_up(&app).await;
    let after = campaign.progress().await;
    let (right, report) = verify(&app).await;
    assert!(right, "{report}");
    for number in ["cells_done", "looks", "tags", "looks_missing", "volunteers"] {
        assert_eq!(after[number], before[number], "{number}");
    }
}

#[tokio::test]
async fn verify_finds_nothing_wrong_after_a_crowd() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(2).open().await;
    looks_of_each_kind(&app, &campaign).await;
    caught_up(&app).await;
    let (right, report) = verify(&app).await;
    assert!(right, "{report}");
    assert!(
        report.contains("1 campaigns, 9 checks, 0 cells pending, 0 differences"),
        "{report}"
    );
    let one = app
        .spotter(&["verify", "--campaign", &campaign.slug, "--json"])
        .await;
    assert!(one.status.success());
    let parsed: Value = serde_json::from_slice(&one.stdout).unwrap();
    assert_eq!(
        (&parsed["campaigns"], &parsed["differences"]),
        (&json!(1), &json!([]))
    );
    assert!(
        !app.spotter(&["verify", "--campaign", "none"])
            .await
            .status
            .success()
    );
}

#[tokio::test]
async fn verify_names_every_number_that_is_wrong() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(2).open().await;
    looks_of_each_kind(&app, &campaign).await;
    caught_up(&app).await;
    for (corrupt, repair, what) in [
        (
            "UPDATE cells SET looks = looks + 1 WHERE looks > 0",
            "UPDATE cells SET looks = looks - 1 WHERE looks > 0",
            "cells: looks of cell",
        ),
        (
            "UPDATE campaign_totals SET looks = looks + 7",
            "UPDATE campaign_totals SET looks = looks - 7",
            "totals: ",
        ),
        (
            "UPDATE campaign_totals SET volunteers = volunteers + 7",
            "UPDATE campaign_totals SET volunteers = volunteers - 7",
            "totals: ",
        ),
        (
            "UPDATE campaign_tags SET tags = tags + 7",
            "UPDATE campaign_tags SET tags = tags - 7",
            "tags: ",
        ),
        (
            "UPDATE cell_tags SET tags = tags + 7",
            "UPDATE cell_tags SET tags = tags - 7",
            "cell_tags: ",
        ),
        (
            "UPDATE cell_counts SET cells = cells + 7",
            "UPDATE cell_counts SET cells = cells - 7",
            "cell_counts: ",
        ),
        (
            "UPDATE campaign_minutes SET looks = looks + 7",
            "UPDATE campaign_minutes SET looks = looks - 7",
            "minutes: ",
        ),
        (
            "UPDATE campaign_volunteers SET looks = looks + 7",
            "UPDATE campaign_volunteers SET looks = looks - 7",
            "volunteers: ",
        ),
        (
            "UPDATE blocks SET tags = tags + 7",
            "UPDATE blocks SET tags = tags - 7",
            "blocks: ",
        ),
        (
            "UPDATE blocks SET closed = closed + 7",
            "UPDATE blocks SET closed = closed - 7",
            "blocks: closed of block",
        ),
        (
            "UPDATE cells SET closed = true",
            "UPDATE cells SET closed = false",
            "cells: closed of cell",
        ),
        (
            "UPDATE campaign_totals SET cells_closed = cells_closed + 7",
            "UPDATE campaign_totals SET cells_closed = cells_closed - 7",
            "totals: cells closed",
        ),
        (
            "UPDATE campaigns SET cells = cells + 7",
            "UPDATE campaigns SET cells = cells - 7",
            "prepared: cells",
        ),
    ] {
        app.execute(corrupt).await;
        let (right, report) = verify(&app).await;
        assert!(!right, "{corrupt}");
        let named = format!("{}: {what}", campaign.slug);
        assert!(
            report.lines().any(|line| line.starts_with(&named)),
            "{corrupt}:\n{report}"
        );
        app.execute(repair).await;
        assert!(verify(&app).await.0, "{repair}");
    }
}

/// In the first minutes of a search the planner knows nothing of its tags, and an index that it knows to
/// be small looks better to it.
#[tokio::test]
async fn to_count_a_cell_no_tags_of_others_are_read() {
    let app = App::start().await;
    app.execute("TRUNCATE tags; REINDEX INDEX tags_newest_idx")
        .await;
    let campaign = app.campaign().cells(4, 4).looks_wanted(9).open().await;
    for _ in 0..4 {
        let looks: Vec<Value> = campaign
            .cells
            .iter()
            .map(|cell| tagged(*cell, (0..20).map(|_| point(cell.middle()))))
            .collect();
        let volunteer = app.volunteer().await;
        campaign.send_batch(&volunteer, &looks).await.expect(200);
    }
    campaign.progress_shows("/tags", 4 * 16 * 20).await;
    // PostgreSQL tells what was read of an index a second later.
    let reads = |index: &str| {
        format!("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = '{index}'")
    };
    eventually("the reads of the worker are known", || async {
        (app.number(&reads("tags_cell_idx")).await > 0).then_some(())
    })
    .await;
    assert_eq!(app.number(&reads("tags_newest_idx")).await, 0);
}
