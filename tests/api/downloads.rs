//! Downloads: every tag and look in one file, safe to open anywhere.

use std::collections::BTreeSet;

use crate::harness::{App, Campaign, Value, eventually, json, nothing, point, tag, tagged};

async fn download(campaign: &Campaign, file: &str) -> String {
    let path = campaign.path(&format!("/downloads/{file}"));
    campaign
        .organiser
        .get(&path)
        .await
        .expect_status(200)
        .text()
}

fn rows(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let rows = reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect());
    std::iter::once(header).chain(rows).collect()
}

fn column<'a>(rows: &'a [Vec<String>], name: &str) -> Vec<&'a str> {
    let at = rows[0].iter().position(|column| column == name).unwrap();
    rows[1..].iter().map(|row| row[at].as_str()).collect()
}

#[tokio::test]
async fn tags_come_as_geojson_and_as_csv() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let cell = campaign.cells[0];
    let line =
        json!({"type": "LineString", "coordinates": [cell.place(0.2, 0.2), cell.place(0.8, 0.8)]});
    let sent = tagged(cell, [point(cell.middle()), tag("track", line)]);
    let volunteer = app.volunteer().await;
    campaign.send(&volunteer, &sent).await.expect(201);

    let collection: Value =
        serde_json::from_str(&download(&campaign, "tags.geojson").await).unwrap();
    assert_eq!(collection["type"], "FeatureCollection");
    let listed = campaign
        .organiser
        .get(&campaign.path("/tags"))
        .await
        .expect(200);
    let ids = |features: &Value| -> BTreeSet<String> {
        let features = features.as_array().unwrap().iter();
        features.map(ToString::to_string).collect()
    };
    assert_eq!(ids(&collection["features"]), ids(&listed["features"]));

    let rows = rows(&download(&campaign, "tags.csv").await);
    assert_eq!(rows.len(), 3);
    let types: BTreeSet<_> = column(&rows, "tag_type").into_iter().collect();
    assert_eq!(types, BTreeSet::from(["track", "wreckage"]));
    let at = column(&rows, "tag_type")
        .iter()
        .position(|t| *t == "wreckage")
        .unwrap();
    let number = |name: &str| column(&rows, name)[at].parse::<f64>().unwrap();
    let [lon, lat] = cell.middle();
    assert!((number("longitude") - lon).abs() < 1e-9 && (number("latitude") - lat).abs() < 1e-9);
    assert!(
        column(&rows, "wkt")
            .iter()
            .any(|wkt| wkt.starts_with("LINESTRING"))
    );
    assert_eq!(column(&rows, "cell"), [cell.to_string(), cell.to_string()]);
    assert_eq!(
        column(&rows, "volunteer_id"),
        [&volunteer.id, &volunteer.id]
    );
}

#[tokio::test]
async fn a_note_cannot_become_a_formula_or_break_a_row() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let cell = campaign.cells[0];
    let notes = [
        "=1+1",
        "+1",
        "-2",
        "@SUM(A1)",
        "two, \"three\"\nfour",
        "ø = π",
    ];
    let tags = notes.map(|note| {
        let mut tag = point(cell.middle());
        tag["note"] = note.into();
        tag
    });
    let sent = tagged(cell, tags);
    campaign
        .send(&app.volunteer().await, &sent)
        .await
        .expect(201);
    let rows = rows(&download(&campaign, "tags.csv").await);
    let found: BTreeSet<_> = column(&rows, "note").into_iter().collect();
    let wanted = [
        "'=1+1",
        "'+1",
        "'-2",
        "'@SUM(A1)",
        "two, \"three\"\nfour",
        "ø = π",
    ];
    assert_eq!(found, BTreeSet::from(wanted));
}

#[tokio::test]
async fn a_withdrawn_tag_is_not_downloaded() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let cell = campaign.cells[0];
    let sent = tagged(cell, [point(cell.middle()), point(cell.middle())]);
    let volunteer = app.volunteer().await;
    campaign.send(&volunteer, &sent).await.expect(201);
    let gone = sent["tags"][0]["id"].as_str().unwrap();
    volunteer
        .delete(&campaign.path(&format!("/tags/{gone}")))
        .if_match("\"1\"")
        .await
        .expect_status(204);
    let rows = rows(&download(&campaign, "tags.csv").await);
    assert_eq!(
        column(&rows, "id"),
        [sent["tags"][1]["id"].as_str().unwrap()]
    );
}

#[tokio::test]
async fn a_file_of_many_pieces_has_each_row_once() {
    let app = App::start().await;
    let campaign = app.campaign().cells(40, 60).looks_wanted(2).open().await;
    for _ in 0..2 {
        let volunteer = app.volunteer().await;
        for cells in campaign.cells.chunks(500) {
            let looks: Vec<_> = cells
                .iter()
                .map(|cell| tagged(*cell, [point(cell.middle())]))
                .collect();
            campaign.send_batch(&volunteer, &looks).await.expect(200);
        }
    }
    let tags = rows(&download(&campaign, "tags.csv").await);
    let looks = rows(&download(&campaign, "looks.csv").await);
    for file in [&tags, &looks] {
        let ids = column(file, "id");
        assert_eq!(ids.len(), 4800);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 4800);
    }
    let collection: Value =
        serde_json::from_str(&download(&campaign, "tags.geojson").await).unwrap();
    assert_eq!(collection["features"].as_array().unwrap().len(), 4800);
}

#[tokio::test]
async fn looks_come_with_their_outcome_and_times() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let sent = nothing(campaign.cells[1]);
    campaign
        .send(&app.volunteer().await, &sent)
        .await
        .expect(201);
    let rows = rows(&download(&campaign, "looks.csv").await);
    assert_eq!(column(&rows, "id"), [sent["id"].as_str().unwrap()]);
    assert_eq!(column(&rows, "outcome"), ["nothing"]);
    assert_eq!(column(&rows, "tags"), ["0"]);
    assert_eq!(
        column(&rows, "started_at"),
        [sent["started_at"].as_str().unwrap()]
    );
    assert_eq!(column(&rows, "cell"), [campaign.cells[1].to_string()]);
}

#[tokio::test]
async fn an_empty_campaign_gives_valid_empty_files() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let collection: Value =
        serde_json::from_str(&download(&campaign, "tags.geojson").await).unwrap();
    assert_eq!(collection["features"], json!([]));
    assert_eq!(rows(&download(&campaign, "tags.csv").await).len(), 1);
    assert_eq!(rows(&download(&campaign, "looks.csv").await).len(), 1);
}

#[tokio::test]
async fn the_list_says_how_much_there_is_and_its_addresses_need_no_key() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let cell = campaign.cells[0];
    let sent = tagged(cell, [point(cell.middle()), point(cell.middle())]);
    campaign
        .send(&app.volunteer().await, &sent)
        .await
        .expect(201);
    let listed = eventually("the worker counted", || async {
        let listed = campaign
            .organiser
            .get(&campaign.path("/downloads"))
            .await
            .expect(200);
        (listed["downloads"][0]["rows"] == 2).then_some(listed)
    })
    .await;
    let downloads = listed["downloads"].as_array().unwrap();
    let names: Vec<_> = downloads
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["tags.geojson", "tags.csv", "looks.csv"]);
    assert_eq!(downloads[2]["rows"], 1);
    for one in downloads {
        let reply = app.public().get(one["url"].as_str().unwrap()).await;
        reply.expect_status(200);
        let saved = reply.header("content-disposition");
        assert!(
            saved.starts_with(&format!("attachment; filename=\"{}-", campaign.slug)),
            "{saved}"
        );
        let real = i64::try_from(reply.text().len()).unwrap();
        let estimated = one["bytes_estimated"].as_i64().unwrap();
        assert!(estimated > 0 && estimated <= real, "{estimated} of {real}");
    }
}

#[tokio::test]
async fn an_address_opens_its_own_file_only() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let other = app.campaign().open().await;
    let listed = campaign
        .organiser
        .get(&campaign.path("/downloads"))
        .await
        .expect(200);
    let url = listed["downloads"][1]["url"].as_str().unwrap().to_owned();
    let public = app.public();
    public.get(&url).await.expect_status(200);
    for forged in [
        url.replace("tags.csv", "looks.csv"),
        url.replace(&campaign.slug, &other.slug),
        format!("{url}x"),
        url.replace("d1.", "s1."),
    ] {
        public.get(&forged).await.refused(403, "ticket_refused");
    }
    public
        .get(&campaign.path("/downloads/tags.csv"))
        .await
        .refused(401, "credentials_missing");
    app.volunteer()
        .await
        .get(&campaign.path("/downloads/tags.csv"))
        .await
        .refused(403, "organiser_needed");
    campaign
        .organiser
        .get(&campaign.path("/downloads/tags.xlsx"))
        .await
        .refused(404, "download_not_found");
    app.organiser_with("imagery")
        .await
        .get(&campaign.path("/downloads"))
        .await
        .refused(403, "scope_missing");
}
