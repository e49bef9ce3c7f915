//! What the tiles in the store take, and how they go.

use std::{
    fs::{self, File, FileTimes},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::harness::{App, Source, Value, eventually, json};

const MEBIBYTE: u64 = 1024 * 1024;

/// Files of tiles in the store, by their last parts, `z/x/y`.
fn stored(app: &App) -> Vec<PathBuf> {
    let mut folders = vec![app.store().join("tiles")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn tile(app: &App, name: &str) -> PathBuf {
    let files = stored(app);
    let found = files.iter().find(|path| path.ends_with(name));
    found
        .unwrap_or_else(|| panic!("{name} of {files:?}"))
        .clone()
}

/// As if it was written and last used so long ago.
fn used_before(file: &Path, age: Duration) {
    #[expect(clippy::disallowed_methods, reason = "times of files are the system's")]
    let then = SystemTime::now() - age;
    let times = FileTimes::new().set_accessed(then).set_modified(then);
    File::options()
        .write(true)
        .open(file)
        .unwrap()
        .set_times(times)
        .unwrap();
}

fn hours(hours: u64) -> Duration {
    Duration::from_hours(hours)
}

async fn get(app: &App, layer: &str, tile: &str) {
    let path = format!("/v1/imagery/{layer}/{tile}");
    app.public().get(&path).await.expect_status(200);
}

async fn change(app: &App, layer: &str, members: Value) {
    let organiser = app.organiser().await;
    let path = format!("/v1/imagery/{layer}");
    let tag = organiser.get(&path).await.etag().to_owned();
    let changed = organiser.patch(&path).if_match(&tag).json(members).await;
    changed.expect(200);
}

async fn printed(app: &App, arguments: &[&str]) -> String {
    let run = app.spotter(arguments).await;
    assert!(run.status.success(), "{run:?}");
    String::from_utf8(run.stdout).unwrap()
}

#[tokio::test]
async fn usage_is_told_by_layer_and_revision_and_purge_throws_away_what_is_named() {
    let app = App::start().await;
    let source = Source::start().await;
    let template = source.url("/png/{z}/{x}/{y}");
    let one = app.layer(&template).with("key", "one").create().await;
    let two = app.layer(&template).with("key", "two").create().await;
    for tile in ["3/1/1", "3/1/2"] {
        get(&app, &one, &format!("{tile}?v=1")).await;
    }
    get(&app, &two, "3/1/1?v=1").await;
    change(
        &app,
        &one,
        json!({"url_template": source.url("/png/{z}/{x}/{y}?b")}),
    )
    .await;
    get(&app, &one, "3/1/1?v=2").await;
    let usage = async || {
        let text = printed(&app, &["imagery", "usage", "--json"]).await;
        let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
        rows.into_iter()
            .map(|row| {
                assert!(row["bytes"].as_u64().unwrap() > 0);
                json!([
                    row["layer"],
                    row["revision"],
                    row["is_present"],
                    row["tiles"]
                ])
            })
            .collect::<Vec<_>>()
    };
    let (old, new) = (json!(["one", 1, false, 2]), json!(["one", 2, true, 1]));
    let other = json!(["two", 1, true, 1]);
    assert_eq!(usage().await, [old, new.clone(), other.clone()]);
    let table = printed(&app, &["imagery", "usage", "--layer", "one"]).await;
    assert!(table.contains("old") && !table.contains("two"), "{table}");
    let purge = ["imagery", "purge", "--layer", "one", "--revision"];
    let purged = printed(&app, &[&purge[..], &["old"]].concat()).await;
    assert!(purged.starts_with("2 tiles thrown away"), "{purged}");
    assert_eq!(usage().await, [new, other.clone()]);
    let purged = printed(&app, &["imagery", "purge", "--layer", "one"]).await;
    assert!(purged.starts_with("1 tiles thrown away"), "{purged}");
    assert_eq!(usage().await, [other]);
    let purged = printed(&app, &[&purge[..], &["7"]].concat()).await;
    assert!(purged.starts_with("0 tiles"), "{purged}");
    for (arguments, told) in [
        ([&purge[..], &["newest"]].concat(), "write old, all"),
        (
            vec!["imagery", "usage", "--layer", "none"],
            "no imagery layer",
        ),
    ] {
        let refused = app.spotter(&arguments).await;
        assert!(!refused.status.success());
        assert!(String::from_utf8(refused.stderr).unwrap().contains(told));
    }
}

#[tokio::test]
async fn beyond_the_budget_old_revisions_go_first_and_then_what_was_used_longest_ago() {
    // Tiles of 4 MiB: three fit, with a tenth to spare.
    let app = App::builder()
        .workers(0)
        .setting("TILE_STORE_MB", "15")
        .start()
        .await;
    let source = Source::start().await;
    let layer = app.layer(&source.url("/fits/{z}/{x}/{y}")).create().await;
    get(&app, &layer, "5/1/1?v=1").await;
    change(
        &app,
        &layer,
        json!({"url_template": source.url("/fits/{z}/{x}/{y}?b")}),
    )
    .await;
    for (tile_name, age) in [("5/2/1", 4), ("5/3/1", 9), ("5/4/1", 2), ("5/5/1", 1)] {
        get(&app, &layer, &format!("{tile_name}?v=2")).await;
        used_before(&tile(&app, tile_name), hours(age));
    }
    used_before(&tile(&app, "5/1/1"), Duration::from_mins(30));
    // A server that does not have it in memory reads it: that is a use.
    let other = app.start_server(&[]).await;
    let read = app.public().at(&other.url);
    let read = read.get(&format!("/v1/imagery/{layer}/5/3/1?v=2"));
    read.await.expect_status(200);
    // Not a tile of ours, and what a killed server left of a write.
    let keep = app.store().join("notes.txt");
    fs::write(&keep, "kept").unwrap();
    let rest = tile(&app, "5/4/1").with_file_name("1#7");
    fs::write(&rest, vec![0; 1000]).unwrap();
    used_before(&rest, hours(2));
    assert_eq!(stored(&app).len(), 6);
    let _worker = app.start_worker();
    let left = eventually("the store is within its budget", || async {
        let files = stored(&app);
        let bytes: u64 = files
            .iter()
            .map(|file| fs::metadata(file).map_or(0, |m| m.len()))
            .sum();
        (bytes <= 15 * MEBIBYTE && !rest.exists()).then_some(files)
    })
    .await;
    let names = |file: &PathBuf| {
        ["5/3/1", "5/4/1", "5/5/1"]
            .iter()
            .any(|name| file.ends_with(name))
    };
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left.iter().all(names), "{left:?}");
    assert_eq!(fs::read_to_string(&keep).unwrap(), "kept");
    // What went is fetched again, whole.
    let again = app
        .public()
        .at(&other.url)
        .get(&format!("/v1/imagery/{layer}/5/2/1?v=2"));
    assert_eq!(
        again.await.body.len(),
        usize::try_from(4 * MEBIBYTE).unwrap()
    );
}

#[tokio::test]
async fn tiles_that_were_just_used_stay_whatever_the_budget_and_a_bucket_has_none() {
    let app = App::builder()
        .workers(0)
        .setting("TILE_STORE_MB", "5")
        .start()
        .await;
    let source = Source::start().await;
    let layer = app.layer(&source.url("/fits/{z}/{x}/{y}")).create().await;
    for name in ["5/1/1", "5/2/1", "5/3/1"] {
        get(&app, &layer, &format!("{name}?v=1")).await;
    }
    used_before(&tile(&app, "5/2/1"), hours(1));
    let _worker = app.start_worker();
    eventually("what is old goes", || async {
        (stored(&app).len() == 2).then_some(())
    })
    .await;
    assert!(tile(&app, "5/1/1").exists() && tile(&app, "5/3/1").exists());
    let refused = app
        .spotter_with(&["worker"], &[("STORE", "s3://bucket/tiles")])
        .await;
    assert!(!refused.status.success());
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("TILE_STORE_MB is for a folder"), "{told}");
}
