//! The deck as a crowd sees it: fair, in order of priority, in packs.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::{
    App, Campaign, Cell, Client, DEADLINE, Value, eventually,
    fixtures::{at_once, cells_of, claims},
    json, look,
    places::ring,
};

/// So many new volunteers ask for one cell each, one after the other, at any server.
async fn one_each(app: &App, campaign: &Campaign, count: usize) -> Vec<Cell> {
    let mut dealt = Vec::new();
    for _ in 0..count {
        dealt.extend(campaign.given(&app.volunteer().await, 1).await);
    }
    dealt
}

#[tokio::test]
async fn no_cell_is_dealt_for_its_third_look_before_every_other_for_its_first() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(6, 6).looks_wanted(5).open().await;
    let mut times: BTreeMap<Cell, u32> = campaign.cells.iter().map(|cell| (*cell, 0)).collect();
    for cell in one_each(&app, &campaign, 5 * 36).await {
        *times.get_mut(&cell).unwrap() += 1;
        let (least, most) = (times.values().min().unwrap(), times.values().max().unwrap());
        assert!(most - least <= 2, "{times:?}");
    }
    assert!(times.values().all(|dealt| *dealt == 5), "{times:?}");
}

#[tokio::test]
async fn the_order_looks_random() {
    let app = App::start().await;
    let campaign = app.campaign().cells(16, 16).open().await;
    let dealt = campaign.given(&app.volunteer().await, 50).await;
    let neighbours = dealt
        .windows(2)
        .filter(|pair| pair[0].distance(pair[1]) <= 1)
        .count();
    assert!(neighbours < 15, "{dealt:?}");
    let other = app.campaign().cells(16, 16).open().await;
    let elsewhere = other.given(&app.volunteer().await, 50).await;
    let relative = |cells: &[Cell], campaign: &Campaign| -> Vec<(u32, u32)> {
        let corner = campaign.cells[0];
        cells
            .iter()
            .map(|cell| (cell.x - corner.x, cell.y - corner.y))
            .collect()
    };
    assert_ne!(relative(&dealt, &campaign), relative(&elsewhere, &other));
}

#[tokio::test]
async fn weights_that_differ_little_share_the_deals_in_proportion() {
    let app = App::start().await;
    let first = app.campaign().cells(128, 128).draft().await.cells[0];
    let left = json!({"type": "Polygon", "coordinates": [ring(first.block(64, 128))]});
    let campaign = app
        .campaign()
        .cells(128, 128)
        .with("priorities", json!([{"area": left, "weight": 1.9}]))
        .open()
        .await;
    let mut dealt = Vec::new();
    for _ in 0..64 {
        dealt.extend(campaign.given(&app.volunteer().await, 50).await);
    }
    let heavy = dealt.iter().filter(|cell| cell.x < first.x + 64).count();
    // Of 3200, 2043 in the mean. Cells come by whole piles, so the deviation is that of 200 draws:
    // 109, of which this allows three and a half.
    assert!((1660..=2430).contains(&heavy), "{heavy} of {}", dealt.len());
}

#[tokio::test]
async fn a_pack_is_reserved_for_as_long_as_it_was_asked_for() {
    let app = App::start().await;
    let campaign = app
        .campaign()
        .cells(8, 8)
        .with("lease_seconds", 5)
        .open()
        .await;
    let volunteer = app.volunteer().await;
    let wish = json!({"count": 50, "lease_seconds": 172_800});
    let dealt = campaign.wish(&volunteer, wish).await;
    assert_eq!(dealt["assignments"].as_array().unwrap().len(), 50);
    let ends: jiff::Timestamp = dealt["assignments"][0]["lease_expires_at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let hours = ends
        .duration_since(spotter::clock::Clock::default().now())
        .as_hours();
    assert!((47..=48).contains(&hours), "{dealt}");
    // The 14 others only, also when short leases have ended.
    let rest: BTreeSet<Cell> = campaign.cells.iter().copied().collect();
    let pack: BTreeSet<Cell> = cells_of(&dealt).into_iter().collect();
    let free: BTreeSet<Cell> = rest.difference(&pack).copied().collect();
    let given = campaign.given(&app.volunteer().await, 50).await;
    assert_eq!(given.into_iter().collect::<BTreeSet<_>>(), free);
    for (seconds, pointer) in [(4, "/lease_seconds"), (2_592_001, "/lease_seconds")] {
        let asked = volunteer
            .post(&campaign.path("/assignments"))
            .json(json!({"lease_seconds": seconds}))
            .await;
        asked.refused_at("invalid_body", pointer);
    }
}

#[tokio::test]
async fn a_renewed_lease_keeps_others_away() {
    let app = App::builder().servers(2).start().await;
    let campaign = app
        .campaign()
        .cells(2, 1)
        .with("lease_seconds", 5)
        .open()
        .await;
    let (holder, next) = (app.volunteer().await, app.volunteer().await);
    let cells = campaign.given(&holder, 2).await;
    let renew = |volunteer: &Client, cells: Value| {
        volunteer
            .post(&campaign.path("/assignments/renew"))
            .json(json!({"cells": cells, "lease_seconds": 3600}))
    };
    let renewed = renew(&holder, json!([cells[0].to_string()]))
        .await
        .expect(200);
    assert_eq!(renewed["results"][0]["verdict"], "renewed");
    let stranger = renew(&next, json!([cells[0].to_string()]))
        .await
        .expect(200);
    assert_eq!(stranger["results"][0]["verdict"], "not_given");
    // The other one comes free; the renewed one does not.
    let given = eventually("the lease that was not renewed ends", || async {
        Some(campaign.given(&next, 2).await).filter(|given| !given.is_empty())
    })
    .await;
    assert_eq!(given, [cells[1]]);
    campaign.look_at(&holder, cells[0]).await;
    let answered = renew(&holder, json!([cells[0].to_string()]))
        .await
        .expect(200);
    assert_eq!(answered["results"][0]["verdict"], "answered");
}

#[tokio::test]
async fn fifty_leases_may_be_renewed_at_once_and_not_51() {
    let app = App::start().await;
    let campaign = app.campaign().cells(8, 8).open().await;
    let volunteer = app.volunteer().await;
    let names: Vec<String> = campaign.cells.iter().map(Cell::to_string).collect();
    let renew = |cells: Value| {
        volunteer
            .post(&campaign.path("/assignments/renew"))
            .json(json!({"cells": cells}))
    };
    let answer = renew(json!(names[..50])).await.expect(200);
    assert_eq!(answer["results"].as_array().unwrap().len(), 50);
    renew(json!(names[..51]))
        .await
        .refused_at("invalid_body", "/cells");
    renew(json!([])).await.refused_at("invalid_body", "/cells");
    renew(json!(["1/2"]))
        .await
        .refused_at("invalid_body", "/cells/0");
    renew(json!(["3/1/1"]))
        .await
        .refused_at("invalid_body", "/cells/0");
}

#[tokio::test]
async fn who_has_seen_all_is_told_of_other_open_campaigns() {
    let app = App::start().await;
    let campaign = app.campaign().cells(1, 1).open().await;
    let other = app.campaign().open().await;
    app.campaign().draft().await;
    let volunteer = app.volunteer().await;
    campaign.look_at(&volunteer, campaign.cells[0]).await;
    let told = eventually("the others are told", || async {
        let dealt = campaign.ask(&volunteer, 1).await.expect(200);
        assert_eq!(dealt["exhausted"], true, "{dealt}");
        Some(dealt["other_campaigns"].clone()).filter(|others| others != &json!([]))
    })
    .await;
    assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told[0]["slug"], other.read().await["slug"]);
    assert!(told[0]["title"]["en"].is_string(), "{told}");
}

#[tokio::test]
async fn a_volunteer_who_comes_back_after_days_is_given_what_they_have_not_seen() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(6, 6).looks_wanted(2).open().await;
    let volunteer = app.volunteer().await;
    let seen: BTreeSet<Cell> = campaign.given(&volunteer, 20).await.into_iter().collect();
    for cell in &seen {
        campaign.look_at(&volunteer, *cell).await;
    }
    // As if days had passed: no server holds anything, and no cache knows of it.
    app.execute("UPDATE piles SET holder = NULL, held_until = NULL, ledger = ''")
        .await;
    let third = app.start_server(&[]).await;
    let later = volunteer.at(&third.url);
    let given: BTreeSet<Cell> = campaign.given(&later, 50).await.into_iter().collect();
    assert_eq!(given.len(), 16);
    assert!(given.is_disjoint(&seen), "{given:?}");
}

#[tokio::test]
async fn a_crowd_at_two_servers_is_dealt_every_place_and_no_more() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(10, 10).looks_wanted(3).open().await;
    let crowd = app.volunteers(80).await;
    let mut places = 0;
    for _ in 0..3 {
        let asked = at_once(crowd.iter().map(|volunteer| campaign.ask(volunteer, 2))).await;
        for answer in &asked {
            let dealt = answer.expect(200);
            let assignments = dealt["assignments"].as_array().unwrap();
            // Who has nothing else left is given again what they have not answered.
            places += assignments
                .iter()
                .filter(|one| one["reason"] != "again")
                .count();
        }
    }
    assert_eq!(places, 300);
}

#[tokio::test]
async fn dealing_costs_few_statements() {
    let app = App::start().await;
    let campaign = app.campaign().cells(40, 40).looks_wanted(9).open().await;
    let crowd = app.volunteers(16).await;
    at_once(crowd.iter().map(|volunteer| campaign.ask(volunteer, 1))).await;
    let before = claims(&app).await;
    for _ in 0..100 {
        let asked = at_once(crowd.iter().map(|volunteer| campaign.ask(volunteer, 1))).await;
        for answer in &asked {
            assert_eq!(cells_of(&answer.expect(200)).len(), 1);
        }
    }
    // A claim is three statements.
    let claims = claims(&app).await - before;
    assert!(claims * 3.0 / 1600.0 <= 0.02, "{claims} claims");
}

#[tokio::test]
async fn what_a_server_dealt_is_known_to_others_after_it_stops() {
    let app = App::builder().servers(1).start().await;
    let campaign = app.campaign().cells(8, 8).open().await;
    let volunteer = app.volunteer().await;
    let mut second = app.start_server(&[]).await;
    let given: BTreeSet<Cell> = campaign
        .given(&volunteer.at(&second.url), 10)
        .await
        .into_iter()
        .collect();
    second.terminate();
    assert!(second.ended(DEADLINE).await);
    let all: BTreeSet<Cell> = campaign.given(&volunteer, 50).await.into_iter().collect();
    assert!(all.is_disjoint(&given), "{given:?}");
    assert_eq!(all.len(), 50);
    campaign
        .send(&volunteer, &look(*given.first().unwrap(), "nothing"))
        .await
        .expect(201);
}

#[tokio::test]
async fn metrics_of_dealing_are_there_before_the_first_deal() {
    let app = App::start().await;
    let text = app.public().get("/metrics").await.text();
    for line in [
        r#"assignments_total{reason="new"} 0"#,
        r#"assignments_total{reason="tail"} 0"#,
        "assignments_beyond_wanted_total 0",
        "assignments_repeats_avoided_total 0",
        r#"deck_claims_total{kind="search"} 0"#,
        "deck_piles_lost_total 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
}
