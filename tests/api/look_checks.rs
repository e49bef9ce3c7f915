//! A look that cannot be is refused, with the member named.

use crate::harness::{App, Cell, json, look, nothing, point, tag, tagged};
#[tokio::test]
async fn a_tagged_look_has_1_to_100_tags() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let cell = campaign.cells[0];
    let with = |count: usize| tagged(cell, (0..count).map(|_| point(cell.middle())));
    campaign.send(&volunteer, &with(100)).await.expect(201);
    for count in [0, 101] {
        campaign
            .send(&volunteer, &with(count))
            .await
            .refused_at("look_refused", "/tags");
    }
    assert_eq!(app.number("SELECT count(*) FROM tags").await, 100);
}

#[tokio::test]
async fn a_look_without_tagged_has_no_tags() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    for outcome in ["nothing", "skipped", "bad_imagery"] {
        let mut wrong = look(campaign.cells[0], outcome);
        wrong["tags"] = json!([point(campaign.cells[0].middle())]);
        campaign
            .send(&volunteer, &wrong)
            .await
            .refused_at("look_refused", "/tags");
        campaign
            .send(&volunteer, &look(campaign.cells[0], outcome))
            .await
            .expect(201);
    }
}

#[tokio::test]
async fn a_note_has_500_characters_at_most() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let cell = campaign.cells[0];
    let with = |note: String| {
        let mut tag = point(cell.middle());
        tag["note"] = note.into();
        tagged(cell, [tag])
    };
    campaign
        .send(&volunteer, &with("é".repeat(500)))
        .await
        .expect(201);
    campaign
        .send(&volunteer, &with("é".repeat(501)))
        .await
        .refused_at("look_refused", "/tags/0/note");
    let refused = campaign.send(&volunteer, &with("a\0b".to_owned())).await;
    assert!(
        refused
            .refused_at("look_refused", "/tags/0/note")
            .contains("U+0000")
    );
}

#[tokio::test]
async fn a_nul_anywhere_is_refused_and_breaks_nothing() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let cell = campaign.cells[0];
    let mut strange = point(cell.middle());
    strange["tag_type"] = "wreck\0age".into();
    campaign
        .send(&volunteer, &tagged(cell, [strange]))
        .await
        .refused_at("look_refused", "/tags/0/tag_type");
    volunteer
        .get(&campaign.path("/tags?volunteer=me&tag_type=a%00b"))
        .await
        .expect(200);
    volunteer
        .get("/v1/campaigns/a%00b")
        .await
        .refused(404, "campaign_not_found");
}

#[tokio::test]
async fn a_tag_on_the_border_of_its_square_is_taken() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let cell = campaign.cells[0];
    let corners = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
    let tags = corners.map(|[east, south]| point(cell.place(east, south)));
    campaign
        .send(&volunteer, &tagged(cell, tags))
        .await
        .expect(201);
}

#[tokio::test]
async fn a_tag_more_than_a_centimetre_outside_its_square_is_refused() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let cell = campaign.cells[0];
    let [west, south, east, north] = cell.block(1, 1);
    let far = 2e-7;
    let [lon, lat] = cell.middle();
    for place in [
        [west - far, lat],
        [east + far, lat],
        [lon, south - far],
        [lon, north + far],
        [0.0, 0.0],
    ] {
        let refused = campaign
            .send(&volunteer, &tagged(cell, [point(place)]))
            .await;
        let detail = refused.refused_at("look_refused", "/tags/0/geometry");
        assert!(
            detail.contains("outside") && detail.contains(&cell.to_string()),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn a_line_that_leaves_its_square_is_refused() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let cell = campaign.cells[0];
    let line = json!({"type": "LineString", "coordinates": [cell.middle(), cell.place(1.5, 0.5)]});
    campaign
        .send(&app.volunteer().await, &tagged(cell, [tag("track", line)]))
        .await
        .refused_at("look_refused", "/tags/0/geometry");
}

#[tokio::test]
async fn an_unknown_tag_type_is_refused_with_those_that_are_known() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let cell = campaign.cells[0];
    let strange = tag(
        "yeti",
        json!({"type": "Point", "coordinates": cell.middle()}),
    );
    let refused = campaign
        .send(&app.volunteer().await, &tagged(cell, [strange]))
        .await;
    let detail = refused.refused_at("look_refused", "/tags/0/tag_type");
    assert!(
        detail.contains("yeti") && detail.contains("wreckage"),
        "{detail}"
    );
}

#[tokio::test]
async fn each_tag_type_takes_its_own_kind_of_geometry_only() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).open().await;
    let volunteer = app.volunteer().await;
    let cell = campaign.cells[0];
    let at = |east, south| cell.place(east, south);
    let shapes = [
        (
            "wreckage",
            json!({"type": "Point", "coordinates": at(0.5, 0.5)}),
        ),
        (
            "track",
            json!({"type": "LineString", "coordinates": [at(0.2, 0.2), at(0.8, 0.7)]}),
        ),
        (
            "slick",
            json!({"type": "Polygon", "coordinates": [[at(0.2, 0.8), at(0.8, 0.8), at(0.5, 0.2), at(0.2, 0.8)]]}),
        ),
    ];
    for (own, _) in &shapes {
        for (kind, shape) in &shapes {
            let sent = campaign
                .send(&volunteer, &tagged(cell, [tag(own, shape.clone())]))
                .await;
            if own == kind {
                sent.expect(201);
            } else {
                sent.refused_at("look_refused", "/tags/0/geometry");
            }
        }
    }
    let listed = volunteer
        .get(&campaign.path("/tags?volunteer=me"))
        .await
        .expect(200);
    assert_eq!(listed["features"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_geometry_that_is_none_is_refused_with_its_place() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let cell = campaign.cells[0];
    for broken in [
        json!(null),
        json!(7),
        json!({}),
        json!({"type": "Point"}),
        json!({"type": "Point", "coordinates": []}),
        json!({"type": "Point", "coordinates": ["a", "b"]}),
        json!({"type": "Point", "coordinates": [999, 999]}),
        json!({"type": "Circle", "coordinates": [1, 2]}),
        json!({"type": "Point", "coordinates": [[1, 2]]}),
    ] {
        let refused = campaign
            .send(&volunteer, &tagged(cell, [tag("wreckage", broken.clone())]))
            .await;
        let problem = refused.refused(422, "look_refused");
        let pointer = problem["errors"][0]["pointer"].as_str().unwrap();
        assert!(
            pointer.starts_with("/tags/0/geometry"),
            "{broken}: {pointer}"
        );
    }
}

#[tokio::test]
async fn a_clock_that_is_years_off_is_kept_as_it_is() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    for (cell, time) in campaign.cells.iter().zip([
        "1970-01-01T00:00:00Z",
        "2093-05-05T05:05:05.5+13:45",
        "2026-11-23T19:00:00Z",
    ]) {
        let mut off = nothing(*cell);
        off["started_at"] = time.into();
        off["finished_at"] = "2001-01-01T00:00:00Z".into();
        campaign.send(&volunteer, &off).await.expect(201);
    }
    assert_eq!(app.number("SELECT count(*) FROM looks WHERE started_at IN ('1970-01-01Z', '2093-05-05T05:05:05.5+13:45', '2026-11-23T19:00Z')").await, 3);
    assert_eq!(
        app.number("SELECT count(*) FROM looks WHERE received_at > now() - interval '1 minute'")
            .await,
        3
    );
}

#[tokio::test]
async fn a_wrong_member_is_named_by_its_pointer() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let cell = campaign.cells[0];
    let good = tagged(cell, [point(cell.middle())]);
    for (pointer, value) in [
        ("/id", json!("no-uuid")),
        ("/id", json!(5)),
        ("/cell", json!("17/1")),
        ("/cell", json!("99/1/1")),
        ("/outcome", json!("maybe")),
        ("/started_at", json!("yesterday")),
        ("/started_at", json!(5)),
        ("/tags", json!("x")),
        ("/tags/0/id", json!(null)),
        ("/tags/0/note", json!(5)),
        ("/campaign_version", json!("x")),
        ("/campaign_version", json!(1.5)),
    ] {
        let mut wrong = good.clone();
        if let Some(place) = wrong.pointer_mut(pointer) {
            *place = value;
        } else if let Some((_, tag_member)) = pointer.split_once("/tags/0/") {
            wrong["tags"][0][tag_member] = value;
        } else {
            wrong[pointer.trim_start_matches('/')] = value;
        }
        campaign
            .send(&volunteer, &wrong)
            .await
            .refused_at("invalid_body", pointer);
    }
    for missing in ["id", "cell", "outcome", "started_at", "finished_at"] {
        let mut wrong = good.clone();
        wrong.as_object_mut().unwrap().remove(missing);
        let problem = campaign
            .send(&volunteer, &wrong)
            .await
            .refused(422, "invalid_body");
        assert!(
            problem["detail"].as_str().unwrap().contains(missing),
            "{problem}"
        );
    }
    let mut unknown = good.clone();
    unknown["colour"] = "red".into();
    let problem = campaign
        .send(&volunteer, &unknown)
        .await
        .refused(422, "invalid_body");
    assert!(
        problem["detail"].as_str().unwrap().contains("colour"),
        "{problem}"
    );
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 0);
}

#[tokio::test]
async fn a_look_at_a_square_outside_the_area_is_refused() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let outside = campaign.cells[0].step(2, 0);
    campaign
        .send(&volunteer, &nothing(outside))
        .await
        .refused_at("look_refused", "/cell");
    let other_zoom = Cell {
        z: 16,
        x: outside.x / 2,
        y: outside.y / 2,
    };
    campaign
        .send(&volunteer, &nothing(other_zoom))
        .await
        .refused_at("look_refused", "/cell");
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 0);
}

#[tokio::test]
async fn an_id_twice_among_the_tags_of_a_look_is_refused() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let cell = campaign.cells[0];
    let tag = point(cell.middle());
    campaign
        .send(&app.volunteer().await, &tagged(cell, [tag.clone(), tag]))
        .await
        .refused_at("look_refused", "/tags/1/id");
}

#[tokio::test]
async fn a_tag_id_that_another_look_has_is_a_conflict_and_nothing_is_stored() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let tag = point(campaign.cells[0].middle());
    campaign
        .send(&volunteer, &tagged(campaign.cells[0], [tag.clone()]))
        .await
        .expect(201);
    let mut moved = tag;
    moved["geometry"]["coordinates"] = json!(campaign.cells[1].middle());
    let second = tagged(
        campaign.cells[1],
        [moved, point(campaign.cells[1].middle())],
    );
    campaign
        .send(&volunteer, &second)
        .await
        .refused(409, "tag_id_reused");
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM tags").await, 1);
}

#[tokio::test]
async fn a_time_that_the_database_cannot_keep_is_refused_and_its_neighbours_are_stored() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let mut ancient = nothing(campaign.cells[0]);
    ancient["started_at"] = "-005000-01-01T00:00:00Z".into();
    campaign
        .send(&volunteer, &ancient)
        .await
        .refused_at("look_refused", "/started_at");
    let batch = [
        nothing(campaign.cells[1]),
        ancient,
        nothing(campaign.cells[2]),
    ];
    let answer = campaign.send_batch(&volunteer, &batch).await.expect(200);
    let results = answer["results"].as_array().unwrap();
    let verdicts: Vec<&str> = results
        .iter()
        .map(|result| result["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(verdicts, ["created", "invalid", "created"], "{answer}");
    let mut latest = nothing(campaign.cells[0]);
    latest["finished_at"] = "9999-12-30T22:00:00Z".into();
    latest["started_at"] = "0000-01-01T00:00:00Z".into();
    campaign.send(&volunteer, &latest).await.expect(201);
}
