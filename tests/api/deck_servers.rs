//! The deck when another server holds piles, and when the database goes away.

use std::collections::BTreeSet;

use crate::harness::{
    App, Cell, eventually,
    fixtures::{at_once, cells_of},
    json,
    proxy::{Cut, Proxy},
};

/// A server that is not there holds so many of the first piles.
async fn hold_elsewhere(app: &App, piles: u32) {
    app.execute(&format!(
        "UPDATE piles SET holder = gen_random_uuid(), held_until = now() + interval '1 hour'
         WHERE pile IN (SELECT pile FROM piles ORDER BY level, position LIMIT {piles})"
    ))
    .await;
}

#[tokio::test]
async fn all_who_ask_while_others_hold_what_comes_next_wait_together_once() {
    let app = App::builder()
        .setting("MEMCACHED", "127.0.0.1:9")
        .servers(1)
        .start()
        .await;
    let campaign = app.campaign().cells(16, 16).looks_wanted(3).open().await;
    // One look each, but for the piles that others hold: those come next.
    hold_elsewhere(&app, 8).await;
    app.execute("UPDATE piles SET level = 2 WHERE holder IS NULL")
        .await;
    let crowd = app.volunteers(24).await;
    let asked = at_once(crowd.iter().map(|volunteer| campaign.ask(volunteer, 1))).await;
    for answer in asked {
        assert_eq!(cells_of(&answer.expect(200)).len(), 1);
    }
}

#[tokio::test]
async fn the_last_squares_that_others_hold_are_not_denied() {
    let app = App::builder().servers(1).start().await;
    let campaign = app.campaign().cells(4, 4).looks_wanted(1).open().await;
    hold_elsewhere(&app, 100).await;
    let dealt = campaign.ask(&app.volunteer().await, 1).await.expect(200);
    assert_eq!(dealt["exhausted"], true, "{dealt}");
    assert_eq!(dealt["retry_after_seconds"], 1, "{dealt}");
    app.execute("UPDATE piles SET held_until = now()").await;
    let given = campaign.given(&app.volunteer().await, 1).await;
    assert_eq!(given.len(), 1);
}

#[tokio::test]
async fn what_was_dealt_before_the_database_went_away_is_dealt_to_nobody_else() {
    let app = App::builder().servers(1).start().await;
    let campaign = app.campaign().cells(8, 8).looks_wanted(1).open().await;
    let volunteer = app.volunteer().await;
    let mut dealt: BTreeSet<Cell> = campaign.given(&volunteer, 3).await.into_iter().collect();
    app.execute("ALTER TABLE piles RENAME TO away").await;
    let path = campaign.path("/assignments");
    let other = app.volunteer().await;
    for _ in 0..20 {
        // From the hand, as long as it lasts; then the database is missed.
        let answer = other.post(&path).json(json!({"count": 4})).await;
        if answer.status == 200 {
            for cell in cells_of(&answer.expect(200)) {
                assert!(dealt.insert(cell), "{cell} twice");
            }
        }
    }
    app.execute("ALTER TABLE away RENAME TO piles").await;
    while dealt.len() < campaign.cells.len() {
        let more = eventually("the rest is dealt", || async {
            let volunteer = app.volunteer().await;
            let answer = volunteer.post(&path).json(json!({"count": 50})).await;
            let cells = (answer.status == 200).then(|| cells_of(&answer.expect(200)));
            cells.filter(|cells| !cells.is_empty())
        })
        .await;
        for cell in more {
            assert!(dealt.insert(cell), "{cell} twice");
        }
    }
}

#[tokio::test]
async fn piles_whose_claim_was_not_heard_of_are_dealt_by_whoever_is_asked_next() {
    for there in [false, true] {
        let app = App::builder().servers(1).start().await;
        let campaign = app.campaign().cells(4, 4).looks_wanted(1).open().await;
        let proxy = Proxy::before(&app.database.url()).await;
        let server = app.start_server(&[("DATABASE_URL", &proxy.url)]).await;
        let volunteer = app.volunteer().await;
        let here = volunteer.at(&server.url);
        // The campaign is known by then.
        here.get(&campaign.path("")).await.expect(200);
        proxy.cut_at("-- assignments::claim_next", 1, Cut::BeforeAnswer);
        let refused = campaign.ask(&here, 1).await;
        refused.refused(503, "database_away");
        assert_eq!(proxy.cuts_left(), 0);
        let asked = if there {
            // It is told that another holds what is left, and asks again.
            eventually("the other server deals", || async {
                let dealt = campaign.ask(&volunteer, 16).await.expect(200);
                assert!(
                    dealt["exhausted"] == false || dealt["retry_after_seconds"].is_number(),
                    "{dealt}"
                );
                (dealt["exhausted"] == false).then_some(dealt)
            })
            .await
        } else {
            campaign.ask(&here, 16).await.expect(200)
        };
        assert_eq!(cells_of(&asked).len(), 16, "{asked}");
    }
}

#[tokio::test]
async fn a_damaged_ledger_spoils_no_other_pile_and_not_its_own() {
    let app = App::start().await;
    let campaign = app.campaign().cells(12, 12).looks_wanted(1).open().await;
    app.execute(
        "UPDATE piles SET ledger = '\\x09', due_at = now()
         WHERE pile = (SELECT min(pile) FROM piles)",
    )
    .await;
    let mut dealt = BTreeSet::new();
    while dealt.len() < campaign.cells.len() {
        let volunteer = app.volunteer().await;
        let given = eventually("squares are dealt", || async {
            Some(campaign.given(&volunteer, 50).await).filter(|given| !given.is_empty())
        })
        .await;
        for cell in given {
            assert!(dealt.insert(cell), "{cell} twice");
        }
    }
    let again = campaign.path("/assignments/renew");
    let cell = campaign.cells[0].to_string();
    let renewed = app
        .volunteer()
        .await
        .post(&again)
        .json(json!({"cells": [cell]}));
    assert_eq!(
        renewed.await.expect(200)["results"][0]["verdict"],
        "not_given"
    );
}
