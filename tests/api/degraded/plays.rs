//! Each invariant of ARCHITECTURE as a short play on a stage.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;

use super::stage::{Stage, Trouble};
use crate::{
    feed::{caught_up, verify},
    harness::{
        App, CHANGES_SEEN_IN, Campaign, Cell, Client, Source, eventually, fixtures::cells_of, json,
        nothing, point, tagged, within,
    },
};

/// Volunteers who send looks again and again.
const SENDERS: usize = 8;
/// Volunteers who look at everything that they are given.
const LOOKERS: usize = 4;
const LOOKS_WANTED: usize = 2;
/// What the plays need; made before there is any trouble.
struct Props {
    sent: Campaign,
    looked_at: Campaign,
    senders: Vec<Client>,
    lookers: Vec<Client>,
    source: Source,
    layer: String,
}

impl Props {
    async fn make(stage: &Stage) -> Self {
        let app = &stage.app;
        let source = Source::start().await;
        let layer = app.layer(&source.url("/png/{z}/{x}/{y}")).create().await;
        let looks_wanted = LOOKS_WANTED.try_into().unwrap();
        let looked_at = app.campaign().cells(4, 3).looks_wanted(looks_wanted);
        Self {
            sent: app.campaign().cells(4, 4).looks_wanted(3).open().await,
            looked_at: looked_at.with("lease_seconds", 5).open().await,
            senders: stage.volunteers(SENDERS).await,
            lookers: stage.volunteers(LOOKERS).await,
            source,
            layer,
        }
    }
}

/// Plays all of it while the trouble goes on, and counts afterwards.
pub async fn every_invariant_holds(stage: &Stage, mut trouble: Trouble) {
    let props = Props::make(stage).await;
    let playing = async {
        tokio::join!(
            looks_are_stored_once(stage, &props),
            batches_are_answered_item_by_item(stage, &props),
            cells_get_their_looks(stage, &props),
            tiles_are_fetched_once(stage, &props),
        );
        own_tags_are_listed_once(stage, &props).await;
        if !stage.is_patient() {
            a_look_lives(&stage.app).await;
        }
    };
    tokio::select! {
        () = playing => {}
        () = trouble.go_on() => {}
    }
    trouble.end().await;
    if stage.is_patient() {
        // What was left then is there for whoever comes later.
        for by in stage.volunteers(LOOKS_WANTED).await {
            looks_at_everything(stage, &props.looked_at, &by).await;
        }
    }
    numbers_are_those_of_a_recount(stage, &props).await;
}

/// Acknowledged means stored; the same again, also at the same moment, is the stored one; other
/// content under the same id is refused.
async fn looks_are_stored_once(stage: &Stage, props: &Props) {
    let campaign = &props.sent;
    let sending = props.senders.iter().enumerate().map(async |(n, by)| {
        let cell = campaign.cells[n];
        let look = tagged(cell, [point(cell.middle()), point(cell.place(0.3, 0.3))]);
        let copies = (0..4).map(|_| stage.insist(|| campaign.send(by, &look)));
        let answers = join_all(copies).await;
        let new = answers.iter().filter(|one| one.status == 201).count();
        let known = answers.iter().filter(|one| one.status == 200).count();
        assert_eq!(new + known, 4, "{answers:?}");
        // The answer to the first may have been lost on the way from the database.
        assert!(new == 1 || new == 0 && stage.is_patient(), "{answers:?}");
        for answer in &answers {
            assert_eq!(answer.json(), answers[0].json());
        }
        let mut other = look.clone();
        other["outcome"] = "skipped".into();
        other["tags"] = json!([]);
        let refused = stage.insist(|| campaign.send(by, &other)).await;
        refused.refused(409, "look_id_reused");
    });
    join_all(sending).await;
}

async fn batches_are_answered_item_by_item(stage: &Stage, props: &Props) {
    let campaign = &props.sent;
    let by = &stage.volunteers(1).await[0];
    let good = |n: usize| tagged(campaign.cells[n], [point(campaign.cells[n].middle())]);
    let first = good(0);
    let mut conflict = first.clone();
    conflict["outcome"] = "nothing".into();
    conflict["tags"] = json!([]);
    let mut unknown = good(1);
    unknown["tags"][0]["tag_type"] = "ship".into();
    let outside = nothing(campaign.cells[0].step(500, 0));
    let batch = [first.clone(), unknown, good(2), first, outside, conflict];
    let answer = stage.insist(|| campaign.send_batch(by, &batch)).await;
    let results = answer.expect(200)["results"].clone();
    let verdicts: Vec<&str> = (0..batch.len())
        .map(|n| results[n]["verdict"].as_str().unwrap())
        .collect();
    let wanted = [
        "created", "invalid", "created", "repeated", "invalid", "conflict",
    ];
    for (found, wanted) in verdicts.iter().zip(wanted) {
        let repeated = stage.is_patient() && (*found, wanted) == ("repeated", "created");
        assert!(*found == wanted || repeated, "{results}");
    }
}

/// Nobody is given a cell twice, and every cell gets its looks.
async fn cells_get_their_looks(stage: &Stage, props: &Props) {
    let looking = props
        .lookers
        .iter()
        .map(|by| looks_at_everything(stage, &props.looked_at, by));
    let looks: usize = join_all(looking).await.into_iter().sum();
    // While the database is away now and then, somebody may be told too early that nothing is left.
    assert!(stage.is_patient() || looks == props.looked_at.cells.len() * LOOKS_WANTED);
}

/// Asks and looks until there is nothing more, and says how many looks that were.
async fn looks_at_everything(stage: &Stage, campaign: &Campaign, by: &Client) -> usize {
    let mut seen: Vec<Cell> = Vec::new();
    loop {
        let asked = stage.insist(|| campaign.ask(by, 3)).await.expect(200);
        let cells = cells_of(&asked);
        if cells.is_empty() && asked["retry_after_seconds"].is_null() {
            return seen.len();
        }
        for cell in &cells {
            assert!(!seen.contains(cell), "{cell} twice");
            seen.push(*cell);
            let look = nothing(*cell);
            let answer = stage.insist(|| campaign.send(by, &look)).await;
            assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        }
        if cells.is_empty() {
            // Others have the last ones, or they were lost on the way.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

async fn tiles_are_fetched_once(stage: &Stage, props: &Props) {
    let anybody = stage.here(&stage.app.public());
    let path = format!("/v1/imagery/{}/3/5/2?v=1", props.layer);
    for _ in 0..2 {
        let asking = (0..6).map(|_| stage.insist(|| anybody.get(&path)));
        for answer in join_all(asking).await {
            answer.expect_status(200);
        }
    }
    let fetched = props.source.asked().len();
    // Each server may be the first.
    assert!((1..=stage.count()).contains(&fetched), "{fetched}");
}

/// A look and its tag, and a search that pauses and goes on.
async fn a_look_lives(app: &App) {
    let campaign = app.campaign().looks_wanted(1).open().await;
    let volunteer = app.volunteer().await;
    let given = campaign.given(&volunteer, 1).await;
    let look = tagged(given[0], [point(given[0].middle())]);
    campaign.send(&volunteer, &look).await.expect(201);
    campaign.send(&volunteer, &look).await.expect(200);
    let path = campaign.path(&format!(
        "/tags/{}",
        look["tags"][0]["id"].as_str().unwrap()
    ));
    volunteer
        .patch(&path)
        .if_match("\"1\"")
        .json(json!({"note": "a wing"}))
        .await
        .expect(200);
    campaign.progress_shows("/tags", 1).await;
    campaign.steer("pause").await.expect(200);
    within(
        Duration::from_secs(20),
        "every server knows of the pause",
        || async {
            let one = campaign.ask(&volunteer, 1).await.status;
            let two = campaign.ask(&volunteer, 1).await.status;
            (one == 409 && two == 409).then_some(())
        },
    )
    .await;
    campaign.steer("resume").await.expect(200);
    // Servers may not have heard of it, as when memcached is slow.
    let given = within(CHANGES_SEEN_IN, "it goes on at every server", || async {
        let dealt = campaign.ask(&volunteer, 4).await;
        (dealt.status == 200).then(|| cells_of(&dealt.json()))
    })
    .await;
    assert!(!given.is_empty());
}

/// A reader who goes from page to page sees each tag once.
async fn own_tags_are_listed_once(stage: &Stage, props: &Props) {
    let reading = props.senders.iter().map(async |by| {
        let mut path = props.sent.path("/tags?volunteer=me&limit=1");
        let mut found = Vec::new();
        loop {
            let page = stage.insist(|| by.get(&path)).await.expect(200);
            let tags = page["features"].as_array().unwrap();
            found.extend(tags.iter().map(|tag| tag["id"].to_string()));
            let Some(next) = page["next"].as_str() else {
                break;
            };
            next.clone_into(&mut path);
        }
        let distinct: BTreeSet<&String> = found.iter().collect();
        assert_eq!((found.len(), distinct.len()), (2, 2), "{found:?}");
    });
    join_all(reading).await;
}

/// What is shown is what is stored, and what is stored is what was acknowledged.
async fn numbers_are_those_of_a_recount(stage: &Stage, props: &Props) {
    let app = &stage.app;
    let of = |campaign: &Campaign, what: &str| {
        format!(
            "SELECT count(*) FROM {what} WHERE campaign_id = '{}'",
            campaign.id
        )
    };
    // One of each sender, and two of the batch.
    let senders = i64::try_from(SENDERS).unwrap();
    assert_eq!(app.number(&of(&props.sent, "looks")).await, senders + 2);
    assert_eq!(app.number(&of(&props.sent, "tags")).await, senders * 2 + 2);
    let wanted = props.looked_at.cells.len() * LOOKS_WANTED;
    let wanted = i64::try_from(wanted).unwrap();
    let beyond = app.number(&of(&props.looked_at, "looks")).await - wanted;
    let allowed = stage.beyond_max();
    assert!((0..=allowed).contains(&beyond), "{beyond} beyond");
    let short = format!(
        "SELECT count(*) FROM (SELECT FROM looks WHERE campaign_id = '{}'
         GROUP BY cell HAVING count(DISTINCT volunteer_id) < {LOOKS_WANTED}) AS short",
        props.looked_at.id
    );
    assert_eq!(app.number(&short).await, 0);
    caught_up(app).await;
    // A pooler may take a while to notice that the database is back.
    let (right, report) = eventually("the database is reached", || async {
        let (right, report) = verify(app).await;
        (!report.is_empty()).then_some((right, report))
    })
    .await;
    assert!(right, "{report}");
    let shown = props.sent.progress_shows("/looks", senders + 2).await;
    assert_eq!(shown["tags"], senders * 2 + 2, "{shown}");
    let shown = props.looked_at.progress().await;
    assert_eq!(shown["cells_done"], shown["cells"], "{shown}");
}
