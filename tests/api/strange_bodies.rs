//! Whatever stands in a body, the answer is no 5xx and the server goes on: each member of each
//! kind of body is replaced by values that nobody expects.

use std::future::IntoFuture;

use futures_util::{StreamExt, stream};
use reqwest::Method;

use crate::harness::{App, Client, Value, is_repetition, json, point, tagged};

/// Values, as JSON, of which some are none.
fn strange() -> Vec<String> {
    let mut strange: Vec<String> = [
        "null",
        "true",
        "-1",
        "0",
        "1e308",
        "-1e400",
        "9007199254740993",
        "1e-400",
        "\"\"",
        "[]",
        "{}",
        "[null]",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\u{202e}\u{feff}\"",
        "\"a\\u0000b\"",
        "\"9999-12-31T23:59:60Z\"",
        "\"-009999-01-02T01:59:59Z\"",
        "18446744073709551616",
        "[[[[[]]]]]",
        "{\"\":{\"\":{}}}",
        "{\"a\":1,\"a\":2}",
        "NaN",
        "0x1",
        "'a'",
        "\"00000000-0000-0000-0000-000000000000\"",
        "\"0/0/0\"",
        "\"99/4294967295/4294967295\"",
        "[179.9999,90.1]",
        "[1e308,-1e308]",
    ]
    .map(str::to_owned)
    .into();
    strange.push("9".repeat(400));
    strange.push(format!("\"{}\"", "é".repeat(50_000)));
    strange.push(format!("{}{}", "[".repeat(100), "]".repeat(100)));
    strange.push(format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    strange.push("{\"a\":".repeat(30_000));
    strange.push(format!("[{}]", vec!["0"; 20_000].join(",")));
    strange
}

/// Pointers to each value within.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                places(member, &format!("{at}/{name}"), found);
            }
        }
        // One entry stands for all.
        Value::Array(entries) => {
            if let Some(first) = entries.first() {
                places(first, &format!("{at}/0"), found);
            }
        }
        _ => {}
    }
}

/// The body with something else at each place, and cut off.
fn variants(body: &Value) -> Vec<Vec<u8>> {
    const MARK: &str = "here-it-stands";
    let mut all = Vec::new();
    let mut found = Vec::new();
    places(body, "", &mut found);
    for place in &found {
        let mut marked = body.clone();
        *marked.pointer_mut(place).unwrap() = MARK.into();
        let marked = marked.to_string();
        for value in strange() {
            all.push(marked.replace(&format!("\"{MARK}\""), &value).into_bytes());
        }
        let raw = marked.replace(MARK, "\u{1}").into_bytes();
        // A control character, and what is no UTF-8.
        all.push(raw.clone());
        all.push(
            raw.into_iter()
                .map(|byte| if byte == 1 { 0xff } else { byte })
                .collect(),
        );
    }
    let whole = body.to_string().into_bytes();
    all.extend((0..whole.len()).step_by(7).map(|end| whole[..end].to_vec()));
    all
}

async fn bodies(app: &App) -> Vec<(Method, String, Client, Value)> {
    let campaign = app.campaign().cells(3, 3).open().await;
    let volunteer = app.volunteer().await;
    let organiser = campaign.organiser.clone();
    let cell = campaign.cells[0];
    let look = tagged(cell, [point(cell.middle())]);
    campaign.send(&volunteer, &look).await.expect(201);
    let tag = campaign.path(&format!(
        "/tags/{}",
        look["tags"][0]["id"].as_str().unwrap()
    ));
    let mut polygon = tagged(cell, [point(cell.middle())]);
    let [lon, lat] = cell.middle();
    polygon["tags"][0]["tag_type"] = "slick".into();
    polygon["tags"][0]["geometry"] = json!({"type": "Polygon", "coordinates": [[[lon, lat], [lon + 1e-5, lat], [lon, lat + 1e-5], [lon, lat]]]});
    let definition = app.campaign().definition().await;
    let of = |below: &str| campaign.path(below);
    vec![
        (
            Method::POST,
            of("/assignments"),
            volunteer.clone(),
            json!({"count": 1, "near": [lon, lat], "lease_seconds": 60}),
        ),
        (
            Method::POST,
            of("/looks"),
            volunteer.clone(),
            polygon.clone(),
        ),
        (
            Method::POST,
            of("/looks/batch"),
            volunteer.clone(),
            json!({"looks": [polygon]}),
        ),
        (
            Method::PATCH,
            tag,
            volunteer,
            json!({"note": "a wing", "geometry": {"type": "Point", "coordinates": [lon, lat]}}),
        ),
        (
            Method::PATCH,
            of("/cells"),
            organiser.clone(),
            json!({"cells": [cell.to_string()], "closed": true}),
        ),
        (
            Method::POST,
            of("/pause"),
            organiser.clone(),
            json!({"message": "Wait"}),
        ),
        (
            Method::PATCH,
            of(""),
            organiser.clone(),
            json!({"title": {"en": "Other"}, "looks_wanted": 2, "ends_at": "2027-01-01T00:00:00Z"}),
        ),
        (
            Method::POST,
            "/v1/campaigns".to_owned(),
            organiser.clone(),
            definition.clone(),
        ),
        (
            Method::POST,
            "/v1/campaigns/preview".to_owned(),
            organiser.clone(),
            json!({"area": definition["area"], "cell_zoom": 17, "looks_wanted": 2}),
        ),
        (
            Method::POST,
            "/v1/imagery".to_owned(),
            organiser,
            json!({"key": "a", "name": "A", "url_template": "https://tiles.example.org/{z}/{x}/{y}", "max_zoom": 20, "min_zoom": 1, "attribution": "B", "bounds": [1, 2, 3, 4], "acquired_at": "2027-01-01T00:00:00Z"}),
        ),
    ]
}

#[tokio::test]
async fn whatever_stands_in_a_body_the_answer_is_no_5xx() {
    if is_repetition() {
        return;
    }
    let app = App::builder().servers(1).start().await;
    let mut sent = 0;
    for (method, path, client, body) in bodies(&app).await {
        let calls = variants(&body).into_iter().map(|bytes| {
            let call = client
                .call(method.clone(), &path)
                .header("Content-Type", "application/json")
                .if_match("*")
                .body(bytes.clone());
            async move { (bytes, call.into_future().await) }
        });
        let mut answers = stream::iter(calls).buffer_unordered(16);
        while let Some((bytes, answer)) = answers.next().await {
            let body: String = String::from_utf8_lossy(&bytes).chars().take(600).collect();
            assert!(matches!(answer.status, 200..=499), "{body}\n{answer:?}");
            if answer.status >= 400 {
                assert_eq!(
                    answer.header("content-type"),
                    "application/problem+json",
                    "{body}\n{answer:?}"
                );
            }
            sent += 1;
        }
        // What was changed was understood, or it was taken already in another form.
        let good = client
            .call(method.clone(), &path)
            .if_match("*")
            .json(&body)
            .await;
        assert!(matches!(good.status, 200 | 201 | 409), "{good:?}");
    }
    assert!(sent > 3000, "{sent}");
    app.public().get("/readyz").await.expect(200);
}
