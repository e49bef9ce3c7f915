//! Parts of an area: what is left out, what is searched first.

use super::areas::polygon;
use crate::harness::{App, Cell, Value, fixtures::CampaignBuilder, json, places::ring};

fn first() -> Cell {
    Cell::at(17, -152.4, 57.6)
}

fn column(x: u32) -> Value {
    polygon(json!([ring(first().step(x, 0).block(1, 2))]))
}

/// Three columns of two cells, the last one left out.
fn cut(app: &App) -> CampaignBuilder<'_> {
    app.campaign().cells(3, 2).with("leave_out", column(2))
}

#[tokio::test]
async fn cells_that_are_left_out_are_not_searched() {
    let app = App::start().await;
    let campaign = cut(&app).open().await;
    let seen = campaign.read().await;
    assert_eq!(seen["cells"], 4);
    let volunteer = app.volunteer().await;
    let mut given = campaign.given(&volunteer, 10).await;
    given.sort();
    assert_eq!(given, campaign.cells[..4]);
}

#[tokio::test]
async fn what_was_drawn_is_kept_and_may_be_changed_while_it_is_a_draft() {
    let app = App::start().await;
    let campaign = cut(&app).draft().await;
    let seen = campaign.read().await;
    assert_eq!(seen["leave_out"]["type"], "MultiPolygon");
    assert_eq!(seen["outline"]["type"], "MultiPolygon");
    campaign
        .change(json!({"title": {"en": "Another"}}))
        .await
        .expect(200);
    let renamed = campaign.read().await;
    for member in ["area", "outline", "leave_out", "area_km2", "cells"] {
        assert_eq!(renamed[member], seen[member], "{member}");
    }
    campaign
        .change(json!({"leave_out": null}))
        .await
        .expect(200);
    let whole = campaign.read().await;
    assert_eq!(whole["cells"], 6);
    assert!(whole["leave_out"].is_null() && whole["outline"].is_null());
}

#[tokio::test]
async fn a_clone_has_the_same_parts() {
    let app = App::start().await;
    let campaign = cut(&app).draft().await;
    let clone = campaign.steer("clone").await.expect(201);
    let seen = campaign.read().await;
    for member in ["area", "outline", "leave_out", "cells"] {
        assert_eq!(clone[member], seen[member], "{member}");
    }
}

#[tokio::test]
async fn leaving_out_everything_is_refused() {
    let app = App::start().await;
    let whole = polygon(json!([ring(first().block(3, 2))]));
    let refused = app
        .campaign()
        .cells(3, 2)
        .with("leave_out", whole)
        .attempt()
        .await;
    let why = refused.refused_at("campaign_refused", "/leave_out");
    assert!(why.contains("nothing is left"), "{why}");
    app.campaign()
        .with("leave_out", json!({"type": "Point", "coordinates": [0, 0]}))
        .attempt()
        .await
        .refused_at("campaign_refused", "/leave_out");
}

#[tokio::test]
async fn leaving_out_what_lies_elsewhere_changes_nothing_and_says_so() {
    let app = App::start().await;
    let made = app
        .campaign()
        .with("leave_out", column(50))
        .attempt()
        .await
        .expect(201);
    assert_eq!(made["cells"], 4);
    assert_eq!(made["notes"][0]["pointer"], "/leave_out");
}

#[tokio::test]
async fn a_priority_area_has_a_name_of_60_characters_at_most() {
    let app = App::start().await;
    let named = |name: String| {
        app.campaign().with(
            "priorities",
            json!([{"area": column(0), "weight": 2, "name": name}]),
        )
    };
    let made = named("é".repeat(60)).attempt().await.expect(201);
    assert_eq!(made["priorities"][0]["name"], "é".repeat(60));
    named("é".repeat(61))
        .attempt()
        .await
        .refused_at("campaign_refused", "/priorities/0/name");
}
