//! What decisions about cells do to the deck, on all servers.

use std::{collections::BTreeSet, time::Duration};

use super::cell_decisions::{answer, change};
use super::cell_decisions_numbers::recounted;
use crate::harness::{App, Campaign, Cell, Client, Value, fixtures::cells_of, json, look, within};

/// Longest time until a decision is in force everywhere.
const IN_FORCE: Duration = Duration::from_secs(2);

/// What a new volunteer is given at one server.
async fn deal_at(app: &App, campaign: &Campaign, server: usize, count: u32) -> Value {
    let volunteer = app.volunteer().await.at(&app.servers[server].url);
    campaign.ask(&volunteer, count).await.expect(200)
}

/// Waits until new volunteers are given just these cells, at each server.
async fn given_everywhere(app: &App, campaign: &Campaign, cells: &[Cell]) {
    let wanted: BTreeSet<Cell> = cells.iter().copied().collect();
    for server in 0..app.servers.len() {
        within(
            IN_FORCE,
            &format!("server {server} gives {wanted:?}"),
            || async {
                tokio::time::sleep(Duration::from_millis(80)).await;
                let dealt = cells_of(&deal_at(app, campaign, server, 50).await);
                (dealt.into_iter().collect::<BTreeSet<_>>() == wanted).then_some(())
            },
        )
        .await;
    }
}

/// A campaign that wants so many looks that each newcomer is given all its cells.
async fn open(app: &App) -> Campaign {
    app.campaign().looks_wanted(100).open().await
}

#[tokio::test]
async fn a_closed_cell_is_given_to_nobody_until_it_is_opened_again() {
    let app = App::builder().servers(2).start().await;
    let campaign = open(&app).await;
    given_everywhere(&app, &campaign, &campaign.cells).await;
    change(&campaign, &campaign.cells[..1], json!({"closed": true})).await;
    given_everywhere(&app, &campaign, &campaign.cells[1..]).await;
    change(&campaign, &campaign.cells[1..], json!({"closed": true})).await;
    given_everywhere(&app, &campaign, &[]).await;
    let nothing = deal_at(&app, &campaign, 0, 1).await;
    assert_eq!(nothing["exhausted"], true);
    change(&campaign, &campaign.cells[2..], json!({"closed": false})).await;
    given_everywhere(&app, &campaign, &campaign.cells[2..]).await;
    recounted(&app).await;
}

#[tokio::test]
async fn a_cell_with_bad_imagery_comes_back_on_another_layer_to_those_who_have_not_seen_it() {
    let app = App::builder().servers(2).start().await;
    let campaign = open(&app).await;
    let cell = campaign.cells[0];
    let reporters: Vec<Client> = vec![
        app.volunteer().await,
        app.volunteer().await,
        app.volunteer().await,
    ];
    for reporter in &reporters {
        campaign
            .send(reporter, &look(cell, "bad_imagery"))
            .await
            .expect(201);
    }
    given_everywhere(&app, &campaign, &campaign.cells[1..]).await;
    let layer = app
        .layer("https://tiles.example.org/b/{z}/{x}/{y}")
        .create()
        .await;
    change(&campaign, &[cell], json!({"imagery_layer": layer})).await;
    given_everywhere(&app, &campaign, &campaign.cells).await;
    let dealt = deal_at(&app, &campaign, 1, 4).await;
    for assignment in dealt["assignments"].as_array().unwrap() {
        let key = &assignment["imagery"]["key"];
        if assignment["cell"] == cell.to_string() {
            assert_eq!(*key, layer);
            let tiles = assignment["imagery"]["tiles"].as_str().unwrap();
            assert!(tiles.contains(&layer), "{tiles}");
        } else {
            assert_eq!(*key, Value::Null);
        }
    }
    for reporter in &reporters {
        assert!(!campaign.given(reporter, 4).await.contains(&cell));
    }
    recounted(&app).await;
}

#[tokio::test]
async fn a_cell_that_is_reset_is_given_anew_to_those_who_have_not_seen_it() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().looks_wanted(2).cells(1, 1).open().await;
    let cell = campaign.cells[0];
    let seen = app.volunteer().await;
    campaign.look_at(&seen, cell).await;
    answer(&app, &campaign, cell, "nothing", 1).await;
    given_everywhere(&app, &campaign, &[]).await;
    change(&campaign, &[cell], json!({"reset": true})).await;
    within(IN_FORCE, "it is given anew", || async {
        (cells_of(&deal_at(&app, &campaign, 0, 1).await) == [cell]).then_some(())
    })
    .await;
    assert_eq!(campaign.given(&seen, 1).await, []);
    recounted(&app).await;
}

#[tokio::test]
async fn a_cell_that_is_skipped_goes_to_somebody_else_within_two_seconds() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(1, 1).open().await;
    let cell = campaign.cells[0];
    for server in [0, 1, 0] {
        let given = within(IN_FORCE, "somebody is given it", || async {
            let volunteer = app.volunteer().await.at(&app.servers[server].url);
            (campaign.given(&volunteer, 1).await == [cell]).then_some(volunteer)
        });
        let skipped = look(cell, "skipped");
        campaign.send(&given.await, &skipped).await.expect(201);
    }
    recounted(&app).await;
}
