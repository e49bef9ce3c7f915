//! Tiles of a campaign that are fetched before volunteers ask for them.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::{App, Campaign, Source, Value, eventually, json};

/// Tiles that a worker has on their way at a time.
const ON_THEIR_WAY: usize = 8;

/// A campaign of so many cells of zoom 17 on a layer of the source with zooms up to 18.
pub async fn campaign(app: &App, source: &Source, kind: &str, side: u32) -> Campaign {
    let template = source.url(&format!("/{kind}/{{z}}/{{x}}/{{y}}"));
    let layer = app
        .layer(&template)
        .with("max_zoom", 18)
        .with("max_fetches_per_second", 2000)
        .create()
        .await;
    app.campaign()
        .cells(side, side)
        .with("imagery_layer", layer)
        .draft()
        .await
}

pub async fn start(campaign: &Campaign) -> Value {
    let started = campaign.organiser.post(&campaign.path("/prefetch"));
    started.await.expect(202)
}

pub async fn read(campaign: &Campaign) -> Value {
    let read = campaign.organiser.get(&campaign.path("/prefetch"));
    read.await.expect(200)
}

pub async fn becomes(campaign: &Campaign, state: &str) -> Value {
    eventually(&format!("the prefetch is {state}"), || async {
        let view = read(campaign).await;
        (view["state"] == state).then_some(view)
    })
    .await
}

/// How often each tile was asked for, as `z/x/y`.
pub fn asked(source: &Source) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for path in source.asked() {
        let tile = path.splitn(3, '/').nth(2).unwrap().to_owned();
        *asked.entry(tile).or_default() += 1;
    }
    asked
}

#[track_caller]
pub fn each_once(source: &Source, tiles: &Value) {
    let asked = asked(source);
    assert!(asked.values().all(|times| *times == 1), "{asked:?}");
    assert_eq!(json!(asked.len()), *tiles);
}

#[tokio::test]
async fn every_tile_that_the_page_will_load_is_fetched_once() {
    let app = App::start().await;
    let source = Source::start().await;
    let campaign = campaign(&app, &source, "png", 3).await;
    // Before the start one sees what it would be.
    let before = read(&campaign).await;
    assert_eq!(before["state"], "not_begun");
    assert_eq!(before["zooms"], json!([16, 18]));
    start(&campaign).await;
    let done = becomes(&campaign, "done").await;
    let mut wanted = BTreeSet::new();
    for cell in &campaign.cells {
        let [z, x, y]: [u32; 3] = cell
            .to_string()
            .split('/')
            .map(|part| part.parse().unwrap())
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        wanted.insert(format!("{}/{}/{}", z - 1, x / 2, y / 2));
        wanted.insert(format!("{z}/{x}/{y}"));
        wanted.extend((0..4).map(|n| format!("{}/{}/{}", z + 1, 2 * x + n % 2, 2 * y + n / 2)));
    }
    each_once(&source, &done["tiles"]);
    assert_eq!(asked(&source).into_keys().collect::<BTreeSet<_>>(), wanted);
    assert_eq!(before["tiles"], done["tiles"]);
    for (member, number) in [
        ("done", json!(wanted.len())),
        ("fetched", json!(wanted.len())),
        ("left", json!(0)),
        ("failed", json!(0)),
        ("missing", json!(0)),
    ] {
        assert_eq!(done[member], number, "{member}");
    }
    // Volunteers then have them without the source.
    let layer = done["imagery_layer"].as_str().unwrap();
    for tile in &wanted {
        let path = format!("/v1/imagery/{layer}/{tile}?v=1");
        app.public().get(&path).await.expect_status(200);
    }
    each_once(&source, &done["tiles"]);
    // Once more asks the source for nothing.
    start(&campaign).await;
    let again = becomes(&campaign, "done").await;
    assert_eq!(again["kept"], done["tiles"]);
    each_once(&source, &done["tiles"]);
}

#[tokio::test]
async fn workers_share_it_and_what_one_leaves_another_takes_over() {
    let app = App::builder().workers(2).start().await;
    let source = Source::start().await;
    // Some 1300 tiles are two pieces.
    let template = source.url("/held/{z}/{x}/{y}");
    let layer = app
        .layer(&template)
        .with("max_zoom", 19)
        .with("max_fetches_per_second", 2000)
        .create()
        .await;
    let campaign = app.campaign().cells(8, 8).with("imagery_layer", layer);
    let campaign = campaign.draft().await;
    start(&campaign).await;
    eventually("both workers are at it", || async {
        let view = read(&campaign).await;
        (view["workers"] == 2).then_some(())
    })
    .await;
    // One dies with its tiles on their way; its lease ends.
    let mut app = app;
    app.workers.pop().unwrap().kill().await;
    app.execute("UPDATE prefetch_pieces SET lease_until = now()")
        .await;
    source.release();
    let done = becomes(&campaign, "done").await;
    assert_eq!(done["done"], done["tiles"]);
    assert_eq!(done["failed"], 0);
    let pieces = app.number("SELECT count(*) FROM prefetch_pieces").await;
    assert_eq!(pieces, 0);
    let asked = asked(&source);
    assert_eq!(json!(asked.len()), done["tiles"], "no tile is left out");
    // Those on their way in the dead worker are asked for again; nothing else is.
    let twice = asked.values().filter(|times| **times > 1).count();
    assert!(twice <= ON_THEIR_WAY, "{twice}");
}

#[tokio::test]
async fn it_stops_and_goes_on_where_it_was() {
    let app = App::start().await;
    let source = Source::start().await;
    let campaign = campaign(&app, &source, "held", 6).await;
    start(&campaign).await;
    eventually("the source is asked", || async {
        (!source.asked().is_empty()).then_some(())
    })
    .await;
    let stop = campaign.organiser.post(&campaign.path("/prefetch/stop"));
    let stopped = stop.await.expect(200);
    assert_eq!(stopped["state"], "stopped");
    eventually("the worker has left it", || async {
        (read(&campaign).await["workers"] == 0).then_some(())
    })
    .await;
    let before = source.asked().len();
    assert!(before <= ON_THEIR_WAY, "{before} of {}", stopped["tiles"]);
    source.release();
    start(&campaign).await;
    let done = becomes(&campaign, "done").await;
    assert_eq!(done["done"], done["tiles"]);
    assert_eq!(done["failed"], 0);
    let asked = asked(&source);
    assert_eq!(json!(asked.len()), done["tiles"], "no tile is left out");
    // Only those that were given up on their way may have been asked for twice.
    let twice = asked.values().filter(|times| **times > 1).count();
    assert!(twice <= ON_THEIR_WAY, "{twice}");
}

#[tokio::test]
async fn another_source_begins_it_anew() {
    let app = App::start().await;
    let source = Source::start().await;
    let campaign = campaign(&app, &source, "held", 2).await;
    let started = start(&campaign).await;
    let layer = started["imagery_layer"].as_str().unwrap();
    eventually("the source is asked", || async {
        (!source.asked().is_empty()).then_some(())
    })
    .await;
    let path = format!("/v1/imagery/{layer}");
    let changed = campaign
        .organiser
        .patch(&path)
        .if_match("\"1\"")
        .json(json!({"url_template": source.url("/png/{z}/{x}/{y}")}));
    changed.await.expect(200);
    source.release();
    let done = becomes(&campaign, "done").await;
    let new = source.asked();
    let new = new.iter().filter(|path| path.starts_with("/png/"));
    assert_eq!(json!(new.count()), done["tiles"]);
    // Some may have come from the new source before the run began anew.
    let had = ["fetched", "kept"].map(|member| done[member].as_i64().unwrap());
    assert_eq!(json!(had.iter().sum::<i64>()), done["tiles"]);
}

#[tokio::test]
async fn only_zooms_that_can_be_had_are_taken() {
    let app = App::start().await;
    let source = Source::start().await;
    let campaign = campaign(&app, &source, "png", 1).await;
    let ask = |zooms: Value| {
        let path = campaign.path("/prefetch");
        campaign.organiser.post(&path).json(json!({"zooms": zooms}))
    };
    for zooms in [json!([17, 19]), json!([18, 17])] {
        let refused = ask(zooms).await.refused(422, "prefetch_refused");
        assert_eq!(refused["errors"][0]["pointer"], "/zooms");
    }
    ask(json!([17])).await.refused(422, "invalid_body");
    assert_eq!(read(&campaign).await["state"], "not_begun");
    let view = ask(json!([17, 18])).await.expect(202);
    assert_eq!(
        (&view["tiles"], &view["zooms"]),
        (&json!(5), &json!([17, 18]))
    );
    let done = becomes(&campaign, "done").await;
    each_once(&source, &done["tiles"]);
    // Whoever names none means those of before.
    assert_eq!(start(&campaign).await["zooms"], json!([17, 18]));
    // A square degree at zoom 24 has two billion tiles.
    let square = json!({"type": "Polygon", "coordinates": [[[10, 50], [11, 50], [11, 51], [10, 51], [10, 50]]]});
    let layer = app
        .layer(&source.url("/png/{z}/{x}/{y}"))
        .with("max_zoom", 24);
    let large = app.campaign().with("area", square).with("cell_zoom", 14);
    let large = large
        .with("imagery_layer", layer.create().await)
        .draft()
        .await;
    let path = large.path("/prefetch");
    let too_many = large.organiser.post(&path).json(json!({"zooms": [14, 24]}));
    let refused = too_many.await.refused(422, "prefetch_refused");
    let detail = refused["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("1000000000 are possible"), "{detail}");
}

#[tokio::test]
async fn volunteers_have_nothing_to_do_with_it() {
    let app = App::start().await;
    let source = Source::start().await;
    let campaign = campaign(&app, &source, "png", 1).await;
    let path = campaign.path("/prefetch");
    app.public()
        .get(&path)
        .await
        .refused(401, "credentials_missing");
    let volunteer = app.volunteer().await;
    volunteer.post(&path).await.refused(403, "organiser_needed");
    let reader = app.organiser_with("read").await;
    reader.post(&path).await.refused(403, "scope_missing");
    reader.get(&path).await.expect(200);
    assert!(source.asked().is_empty());
}
