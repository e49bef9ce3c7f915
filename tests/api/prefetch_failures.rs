//! What cannot be fetched ahead, and the command that does it and tells.

use std::time::Duration;

use crate::{
    harness::{App, Campaign, Source, Value, eventually, json},
    prefetch::{asked, becomes, campaign, each_once, read, start},
};

async fn listed(campaign: &Campaign) -> Vec<(String, String)> {
    let mut listed = Vec::new();
    let mut next = Some(campaign.path("/prefetch/failures?limit=3"));
    while let Some(address) = next {
        let page = campaign.organiser.get(&address).await.expect(200);
        let failures = page["failures"].as_array().unwrap();
        assert!(failures.len() <= 3);
        listed.extend(failures.iter().map(|failure| {
            let text = |member: &str| failure[member].as_str().unwrap().to_owned();
            (text("tile"), text("reason"))
        }));
        next = page["next"].as_str().map(str::to_owned);
    }
    listed
}

#[tokio::test]
async fn what_could_not_be_had_is_listed_and_tried_again_by_the_next_run() {
    let app = App::start().await;
    let source = Source::start().await;
    let campaign = campaign(&app, &source, "spotty", 4).await;
    start(&campaign).await;
    let done = becomes(&campaign, "done").await;
    let tiles = asked(&source);
    let ending = |ends: &[&str]| {
        let tiles = tiles
            .keys()
            .filter(|tile| ends.iter().any(|end| tile.ends_with(end)));
        tiles.cloned().collect::<Vec<_>>()
    };
    let (broken, missing) = (ending(&["0", "5"]), ending(&["7"]));
    assert!(!broken.is_empty() && !missing.is_empty());
    assert_eq!(done["failed"], json!(broken.len()));
    assert_eq!(done["missing"], json!(missing.len()));
    assert_eq!(done["done"], done["tiles"]);
    let list = listed(&campaign).await;
    assert_eq!(list.len(), broken.len() + missing.len());
    for (tile, reason) in &list {
        let wanted = if broken.contains(tile) {
            "403"
        } else {
            "no tile there"
        };
        assert!(reason.contains(wanted), "{tile}: {reason}");
    }
    let before = source.asked().len();
    source.heal();
    let again = start(&campaign).await;
    assert_eq!(again["tiles"], json!(list.len()));
    // A failure is remembered for two seconds; each run tries only what is left.
    let had = eventually("a later run gets the rest", || async {
        let done = becomes(&campaign, "done").await;
        if done["failed"] == 0 {
            return Some(done);
        }
        start(&campaign).await;
        None
    })
    .await;
    assert_eq!(had["missing"], json!(missing.len()));
    assert_eq!(listed(&campaign).await.len(), missing.len());
    let tried = source.asked().len() - before;
    assert!(tried <= broken.len(), "{tried}: nothing is asked for twice");
}

#[tokio::test]
async fn a_source_that_fails_is_left_alone_for_a_while_and_no_tile_is_blamed() {
    let app = App::start().await;
    let source = Source::start().await;
    let campaign = campaign(&app, &source, "broken", 4).await;
    start(&campaign).await;
    let waiting = eventually("it waits", || async {
        let view = read(&campaign).await;
        view["trouble"].is_object().then_some(view)
    })
    .await;
    let reason = waiting["trouble"]["reason"].as_str().unwrap();
    let known = ["status 500", "several times"];
    assert!(known.iter().any(|part| reason.contains(part)), "{reason}");
    assert!(waiting["trouble"]["retried_at"].is_string());
    assert_eq!(waiting["state"], "running");
    assert_eq!(
        (&waiting["failed"], &waiting["done"]),
        (&json!(0), &json!(0))
    );
    let stop = campaign.organiser.post(&campaign.path("/prefetch/stop"));
    assert_eq!(stop.await.expect(200)["state"], "stopped");
}

#[tokio::test]
async fn the_command_carries_it_out_shows_how_far_it_is_and_reports() {
    let app = App::builder().workers(0).start().await;
    let source = Source::start().await;
    let campaign = campaign(&app, &source, "spotty", 3).await;
    let run = ["imagery", "prefetch", "--campaign", &campaign.slug];
    let first = app.spotter(&run).await;
    assert!(!first.status.success(), "tiles failed");
    let report = String::from_utf8(first.stdout).unwrap();
    let failed = listed(&campaign).await;
    assert!(report.starts_with("done: "), "{report}");
    for (tile, reason) in &failed {
        assert!(report.contains(&format!("{tile}\t{reason}")), "{report}");
    }
    let shown = String::from_utf8(first.stderr).unwrap();
    for part in ["done", "left", "/s", "errors"] {
        assert!(shown.contains(part), "{shown}");
    }
    source.heal();
    // A failure is remembered for two seconds.
    eventually("a later run gets the rest", || async {
        let again = app.spotter(&run).await;
        again.status.success().then_some(())
    })
    .await;
    for (arguments, told) in [
        (
            ["--campaign", "none", "--zooms", "17"],
            "there is no campaign",
        ),
        (["--campaign", &campaign.slug, "--zooms", "1-30"], "/zooms"),
        (
            ["--campaign", &campaign.slug, "--zooms", "a-b"],
            "is no zoom",
        ),
    ] {
        let refused = app
            .spotter(&[&["imagery", "prefetch"], &arguments[..]].concat())
            .await;
        assert!(!refused.status.success());
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.contains(told), "{said}");
    }
}

#[tokio::test]
async fn the_command_stops_at_once_and_goes_on_when_it_is_given_again() {
    let app = App::builder().workers(0).start().await;
    let source = Source::start().await;
    let campaign = campaign(&app, &source, "held", 3).await;
    let run = ["imagery", "prefetch", "--campaign", &campaign.slug];
    let mut first = app.start_command(&run, &[]);
    eventually("the source is asked", || async {
        (!source.asked().is_empty()).then_some(())
    })
    .await;
    first.terminate();
    eventually("it is stopped", || async {
        (read(&campaign).await["state"] == "stopped").then_some(())
    })
    .await;
    source.release();
    assert!(
        !first.ended(Duration::from_secs(15)).await,
        "it is not whole"
    );
    let second = app.spotter(&run).await;
    assert!(second.status.success(), "{second:?}");
    let done: Value = read(&campaign).await;
    assert_eq!(done["state"], "done");
    each_once(&source, &done["tiles"]);
}
