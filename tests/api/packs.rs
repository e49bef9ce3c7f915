//! Squares that are taken along to where there is no network.

use std::collections::BTreeSet;

use crate::harness::{
    App, Campaign, Cell, Client, Reply, Source, Value, eventually,
    fixtures::{at_once, cells_of},
    id, json,
};

/// Asks for a pack.
pub async fn ask(campaign: &Campaign, volunteer: &Client, wanted: Value) -> Reply {
    volunteer.post(&campaign.path("/packs")).json(wanted).await
}

/// Takes so many squares along.
pub async fn take(campaign: &Campaign, volunteer: &Client, cells: u32) -> Value {
    let wanted = json!({"id": id(), "cells": cells});
    ask(campaign, volunteer, wanted).await.expect(200)
}

pub fn cell_set(pack: &Value) -> BTreeSet<Cell> {
    cells_of(pack).into_iter().collect()
}

pub fn hours_until(time: &Value) -> f64 {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    time.duration_since(spotter::clock::Clock::default().now())
        .as_secs_f64()
        / 3600.0
}

/// Waits until no server holds a pile, so that the table has all that was dealt.
async fn put_back(app: &App) {
    eventually("all piles are put back", || async {
        let held = "SELECT count(*) FROM piles WHERE held_until >= now()";
        (app.number(held).await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn one_call_gives_all_that_is_needed_without_a_network() {
    let app = App::start().await;
    let campaign = app
        .campaign()
        .cells(4, 4)
        .with(
            "instructions",
            json!({"en": "Look at the **whole** square."}),
        )
        .open()
        .await;
    let volunteer = app.volunteer().await;
    let pack = take(&campaign, &volunteer, 16).await;
    let told = app
        .public()
        .get(&campaign.path("?area=false"))
        .await
        .expect(200);
    assert_eq!(pack["campaign"], told);
    assert_eq!(pack["exhausted"], false);
    assert!(
        (23.9..=24.0).contains(&hours_until(&pack["expires_at"])),
        "{pack}"
    );
    assert_eq!(cell_set(&pack), campaign.cells.iter().copied().collect());
    for one in pack["assignments"].as_array().unwrap() {
        let cell = Cell::parse(one["cell"].as_str().unwrap());
        for (edge, wanted) in one["bbox"].as_array().unwrap().iter().zip(cell.block(1, 1)) {
            assert!((edge.as_f64().unwrap() - wanted).abs() < 1e-9, "{one}");
        }
        assert_eq!(one["lease_expires_at"], pack["expires_at"]);
        assert_eq!(one["state"], "open");
        assert!(one["id"].is_string());
    }
    let layer = &pack["tiles"]["layers"][0];
    assert_eq!(layer["imagery_layer"], told["imagery_layer"]);
    assert_eq!(layer["tiles"], told["imagery"]["tiles"]);
    // The layer ends at zoom 20: the squares' own tiles, one zoom above and three below.
    let first = campaign.cells[0];
    let mut all = 0;
    for (zoom, z) in layer["zooms"].as_array().unwrap().iter().zip(16..) {
        assert_eq!(zoom["z"], z);
        let mut tiles = BTreeSet::new();
        for range in zoom["ranges"].as_array().unwrap() {
            let [x, y, last_x, last_y] = [0, 1, 2, 3].map(|n| range[n].as_u64().unwrap());
            tiles.extend((x..=last_x).flat_map(|x| (y..=last_y).map(move |y| (x, y))));
        }
        let at = |from: u32, step: u32| {
            let fine = u64::from(from + step) << 3;
            (fine >> (20 - z), (fine + 7) >> (20 - z))
        };
        let (x, y) = (
            (at(first.x, 0).0, at(first.x, 3).1),
            (at(first.y, 0).0, at(first.y, 3).1),
        );
        let wanted: BTreeSet<(u64, u64)> = (x.0..=x.1)
            .flat_map(|x| (y.0..=y.1).map(move |y| (x, y)))
            .collect();
        assert_eq!(tiles, wanted, "{zoom}");
        let count = zoom["count"].as_u64().unwrap();
        assert_eq!(count, u64::try_from(wanted.len()).unwrap());
        assert_eq!(zoom["bytes_estimate"], 20 * 1024 * count);
        all += count;
    }
    assert_eq!(layer["zooms"].as_array().unwrap().len(), 5);
    assert_eq!(pack["tiles"]["count"], all);
    assert_eq!(pack["tiles"]["bytes_estimate"], 20 * 1024 * all);
}

#[tokio::test]
async fn bytes_are_estimated_from_stored_tiles() {
    let app = App::start().await;
    let source = Source::start().await;
    let layer = app.layer(&source.url("/png/{z}/{x}/{y}")).create().await;
    let campaign = app
        .campaign()
        .with("imagery_layer", layer.as_str())
        .open()
        .await;
    let cell = campaign.cells[0];
    let tile = app
        .public()
        .get(&format!("/v1/imagery/{layer}/{cell}"))
        .await;
    tile.expect_status(200);
    let pack = take(&campaign, &app.volunteer().await, 4).await;
    for zoom in pack["tiles"]["layers"][0]["zooms"].as_array().unwrap() {
        let each = zoom["bytes_estimate"].as_u64().unwrap() / zoom["count"].as_u64().unwrap();
        let body = u64::try_from(tile.body.len()).unwrap();
        assert!((body..body + 200).contains(&each), "{zoom}");
    }
}

#[tokio::test]
async fn a_pack_that_is_asked_for_again_is_the_same() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(5, 5).open().await;
    let volunteer = app.volunteer().await;
    let wanted = json!({"id": id(), "cells": 10, "near": campaign.cells[7].middle()});
    let calls = (0..8).map(|_| volunteer.post(&campaign.path("/packs")).json(&wanted));
    let answers = at_once(calls).await;
    let first = answers[0].expect(200);
    assert_eq!(cell_set(&first).len(), 10);
    for answer in &answers {
        assert_eq!(answer.expect(200), first);
    }
    campaign.steer("pause").await.expect(200);
    let later = ask(&campaign, &volunteer, wanted.clone()).await.expect(200);
    assert_eq!(later["assignments"], first["assignments"]);
    assert_eq!(app.number("SELECT count(*) FROM pack_cells").await, 10);
    let other = json!({"id": wanted["id"], "cells": 11, "near": wanted["near"]});
    ask(&campaign, &volunteer, other)
        .await
        .refused(409, "pack_id_reused");
    // Another volunteer's pack is another one.
    campaign.steer("resume").await.expect(200);
    let theirs = ask(&campaign, &app.volunteer().await, wanted)
        .await
        .expect(200);
    assert!(cell_set(&theirs).is_disjoint(&cell_set(&first)));
}

#[tokio::test]
async fn squares_that_were_taken_along_are_given_to_nobody_else() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(6, 6).open().await;
    let (one, other) = (app.volunteer().await, app.volunteer().await);
    let taken = cell_set(&take(&campaign, &one, 30).await);
    assert_eq!(taken.len(), 30);
    put_back(&app).await;
    // As if the server had died before it stored what it dealt.
    app.execute("UPDATE piles SET ledger = '', level = 0, due_at = now(), nudged = true")
        .await;
    let rest = take(&campaign, &other, 30).await;
    assert_eq!(rest["exhausted"], true);
    assert_eq!(cell_set(&rest).len(), 6);
    assert!(cell_set(&rest).is_disjoint(&taken));
    let none = take(&campaign, &app.volunteer().await, 5).await;
    assert_eq!(none["assignments"], json!([]), "{none}");
    assert_eq!(
        (&none["exhausted"], none.get("expires_at")),
        (&json!(true), None)
    );
    assert!(none["retry_after_seconds"].as_i64().unwrap() > 60, "{none}");
}

#[tokio::test]
async fn a_pack_goes_on_where_the_heaviest_priority_ends() {
    let app = App::start().await;
    let first = app.campaign().cells(1, 1).draft().await.cells[0];
    let [west, south, east, north] = first.step(0, 0).block(2, 2);
    let middle = [west + 1e-6, south + 1e-6, east - 1e-6, north - 1e-6];
    let ring = json!([[
        [middle[0], middle[1]],
        [middle[2], middle[1]],
        [middle[2], middle[3]],
        [middle[0], middle[3]],
        [middle[0], middle[1]]
    ]]);
    let campaign = app
        .campaign()
        .cells(8, 8)
        .looks_wanted(3)
        .with(
            "priorities",
            json!([{"area": {"type": "Polygon", "coordinates": ring}, "weight": 50}]),
        )
        .open()
        .await;
    let pack = take(&campaign, &app.volunteer().await, 64).await;
    assert_eq!(cell_set(&pack).len(), 64);
    assert_eq!(pack["exhausted"], false);
}

#[tokio::test]
async fn a_pack_near_a_place_lies_around_it() {
    let app = App::start().await;
    let campaign = app.campaign().cells(48, 48).looks_wanted(2).open().await;
    let centre = campaign.cells[48 * 24 + 24];
    let wanted = json!({"id": id(), "cells": 200, "near": centre.middle()});
    let pack = ask(&campaign, &app.volunteer().await, wanted)
        .await
        .expect(200);
    let cells = cell_set(&pack);
    assert_eq!(cells.len(), 200);
    let farthest = cells.iter().map(|cell| cell.distance(centre)).max();
    assert!(farthest.unwrap() <= 12, "{farthest:?}");
}

#[tokio::test]
async fn a_pack_that_is_given_back_frees_what_was_not_answered() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(4, 4).open().await;
    let (one, other) = (app.volunteer().await, app.volunteer().await);
    let pack = take(&campaign, &one, 16).await;
    put_back(&app).await;
    // So that the ledgers know of the long leases.
    app.execute("UPDATE piles SET due_at = now()").await;
    assert!(campaign.given(&other, 1).await.is_empty());
    let seen = *cell_set(&pack).first().unwrap();
    campaign.look_at(&one, seen).await;
    eventually("the look is noted", || async {
        let answered = "SELECT count(*) FROM pack_cells WHERE state = 'answered'";
        (app.number(answered).await == 1).then_some(())
    })
    .await;
    let path = campaign.path(&format!("/packs/{}", pack["id"].as_str().unwrap()));
    other.delete(&path).await.refused(404, "pack_not_found");
    assert_eq!(
        one.delete(&path).await.expect(200),
        json!({"given_back": 15})
    );
    assert_eq!(
        one.delete(&path).await.expect(200),
        json!({"given_back": 0})
    );
    let wanted = json!({"id": pack["id"], "cells": 16});
    ask(&campaign, &one, wanted)
        .await
        .refused(409, "pack_returned");
    let free = eventually("all others are free", || async {
        let given = campaign.given(&other, 16).await;
        (!given.is_empty()).then_some(given)
    })
    .await;
    assert_eq!(free.len(), 15);
    assert!(!free.contains(&seen));
}

#[tokio::test]
async fn what_was_answered_is_noted_and_what_was_not_goes_with_the_lease() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).open().await;
    let volunteer = app.volunteer().await;
    let pack = take(&campaign, &volunteer, 3).await;
    let wanted = json!({"id": pack["id"], "cells": 3});
    let seen = cells_of(&pack)[0];
    campaign.look_at(&volunteer, seen).await;
    let states = |pack: &Value| -> Vec<(Cell, bool)> {
        let cells = pack["assignments"].as_array().unwrap().iter();
        cells
            .map(|one| {
                (
                    Cell::parse(one["cell"].as_str().unwrap()),
                    one["state"] == "open",
                )
            })
            .collect()
    };
    eventually("the look is noted", || async {
        let pack = ask(&campaign, &volunteer, wanted.clone()).await.expect(200);
        let shut: Vec<_> = states(&pack)
            .into_iter()
            .filter(|(_, open)| !open)
            .collect();
        (shut == [(seen, false)]).then_some(())
    })
    .await;
    let listed = volunteer.get(&campaign.path("/packs")).await.expect(200);
    assert_eq!(listed["packs"][0]["open"], 2, "{listed}");
    assert_eq!(listed["packs"][0]["expires_at"], pack["expires_at"]);
    app.execute("UPDATE pack_cells SET lease_expires_at = now()")
        .await;
    eventually("the others go", || async {
        let pack = ask(&campaign, &volunteer, wanted.clone()).await.expect(200);
        (states(&pack) == [(seen, false)]).then_some(())
    })
    .await;
    app.execute("UPDATE pack_cells SET changed_at = now() - interval '25 hours'")
        .await;
    eventually("so does the answered one", || async {
        let pack = ask(&campaign, &volunteer, wanted.clone()).await.expect(200);
        states(&pack).is_empty().then_some(())
    })
    .await;
    let listed = volunteer.get(&campaign.path("/packs")).await.expect(200);
    assert_eq!(listed, json!({"packs": []}));
}
