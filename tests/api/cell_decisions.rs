//! What organisers decide about cells: the calls, their refusals and limits.

use crate::harness::{App, Campaign, Cell, Reply, Value, fixtures::at_once, id, json, look};

/// Decides about these cells.
pub async fn decide(campaign: &Campaign, cells: &[Cell], mut decision: Value) -> Reply {
    decision["cells"] = cells.iter().map(ToString::to_string).collect();
    let call = campaign.organiser.patch(&campaign.path("/cells"));
    call.json(decision).await
}

/// The same, and each cell must have changed.
pub async fn change(campaign: &Campaign, cells: &[Cell], decision: Value) {
    let found = verdicts(&decide(campaign, cells, decision).await.expect(200));
    assert!(found.iter().all(|v| v == "changed"), "{found:?}");
}

pub fn verdicts(answer: &Value) -> Vec<String> {
    let results = answer["results"].as_array().unwrap();
    let verdict = |one: &Value| one["verdict"].as_str().unwrap().to_owned();
    results.iter().map(verdict).collect()
}

/// The cells of a list.
pub async fn listed(campaign: &Campaign, state: &str) -> Vec<Value> {
    let path = campaign.path(&format!("/cells?state={state}"));
    let page = campaign.organiser.get(&path).await.expect(200);
    page["cells"].as_array().unwrap().clone()
}

/// So many volunteers answer so of a cell.
pub async fn answer(app: &App, campaign: &Campaign, cell: Cell, outcome: &str, times: usize) {
    for _ in 0..times {
        let volunteer = app.volunteer().await;
        let sent = campaign.send(&volunteer, &look(cell, outcome));
        sent.await.expect(201);
    }
}

#[tokio::test]
async fn cells_are_judged_one_by_one() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let (first, elsewhere) = (campaign.cells[0], campaign.cells[0].step(9, 0));
    let names = [
        first.to_string(),
        elsewhere.to_string(),
        "17/x/1".to_owned(),
        "17/1/1\0".to_owned(),
        "16/1/1".to_owned(),
        first.to_string(),
        campaign.cells[1].to_string(),
    ];
    let call = campaign.organiser.patch(&campaign.path("/cells"));
    let reply = call.json(json!({"cells": names, "closed": true})).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    let answer = reply.expect(200);
    assert_eq!(
        verdicts(&answer),
        [
            "changed",
            "invalid",
            "invalid",
            "invalid",
            "invalid",
            "unchanged",
            "changed"
        ]
    );
    let results = answer["results"].as_array().unwrap();
    for (result, name) in results.iter().zip(&names) {
        assert_eq!(result["cell"], *name);
    }
    assert_eq!(results[0].get("problem"), None);
    assert_eq!(results[1]["problem"]["code"], "cell_not_found");
    assert_eq!(results[2]["problem"]["code"], "decision_refused");
    assert_eq!(results[2]["problem"]["errors"][0]["pointer"], "/cells/2");
    assert_eq!(listed(&campaign, "closed").await.len(), 2);
}

#[tokio::test]
async fn what_is_decided_again_changes_nothing_and_makes_no_version() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().open().await;
    let layer = app
        .layer("https://tiles.example.org/b/{z}/{x}/{y}")
        .create()
        .await;
    let cells = &campaign.cells[..2];
    answer(&app, &campaign, cells[0], "nothing", 1).await;
    answer(&app, &campaign, cells[1], "skipped", 1).await;
    for decision in [
        json!({"closed": true}),
        json!({"closed": false}),
        json!({"imagery_layer": layer}),
        json!({"imagery_layer": null}),
        json!({"reset": true}),
        json!({"closed": true, "imagery_layer": layer}),
    ] {
        let before = campaign.read().await["version"].as_i64().unwrap();
        let mut body = decision.clone();
        body["cells"] = cells.iter().map(ToString::to_string).collect();
        let path = campaign.path("/cells");
        let repeats = (0..4).map(|_| campaign.organiser.patch(&path).json(&body));
        let mut changed = 0;
        for reply in at_once(repeats).await {
            let found = verdicts(&reply.expect(200));
            assert_eq!(found[0], found[1], "{decision}");
            changed += i64::from(found[0] == "changed");
        }
        assert_eq!(changed, 1, "{decision}");
        let after = campaign.read().await["version"].as_i64().unwrap();
        assert_eq!(after, before + 1, "{decision}");
    }
    let kept = app
        .number("SELECT count(*) FROM campaign_versions WHERE made_by IS NOT NULL AND (document ->> 'version')::int = version")
        .await;
    assert!(kept >= 6, "{kept}");
}

#[tokio::test]
async fn the_campaigns_own_layer_is_the_same_as_none() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let own = campaign.read().await["imagery_layer"].clone();
    let cells = &campaign.cells[..1];
    let answer = decide(&campaign, cells, json!({"imagery_layer": own})).await;
    assert_eq!(verdicts(&answer.expect(200)), ["unchanged"]);
    let other = app
        .layer("https://tiles.example.org/b/{z}/{x}/{y}")
        .create()
        .await;
    change(&campaign, cells, json!({"imagery_layer": other})).await;
    assert_eq!(
        listed(&campaign, "decided").await[0]["imagery_layer"],
        other
    );
    change(&campaign, cells, json!({"imagery_layer": own})).await;
    assert_eq!(
        listed(&campaign, "decided").await[0]["imagery_layer"],
        Value::Null
    );
}

#[tokio::test]
async fn a_layer_must_exist_and_have_imagery_of_the_cell() {
    let app = App::start().await;
    let campaign = app.campaign().cells(4, 1).open().await;
    let refused = decide(&campaign, &campaign.cells, json!({"imagery_layer": "none"})).await;
    let detail = refused.refused_at("decision_refused", "/imagery_layer");
    assert!(detail.contains("GET /v1/imagery"), "{detail}");
    let [west, south, _, north] = campaign.cells[0].block(1, 1);
    let east = campaign.cells[1].middle()[0];
    let layer = app
        .layer("https://tiles.example.org/b/{z}/{x}/{y}")
        .with("bounds", json!([west, south, east, north]))
        .create()
        .await;
    let answer = decide(&campaign, &campaign.cells, json!({"imagery_layer": layer})).await;
    let answer = answer.expect(200);
    assert_eq!(
        verdicts(&answer),
        ["changed", "changed", "invalid", "invalid"]
    );
    let problem = &answer["results"][2]["problem"];
    assert_eq!(problem["code"], "decision_refused");
    assert_eq!(problem["errors"][0]["pointer"], "/cells/2");
}

#[tokio::test]
async fn a_decision_names_1_to_1000_cells_and_says_something() {
    let app = App::start().await;
    let campaign = app.campaign().cells(40, 26).open().await;
    let cells = &campaign.cells;
    let closing = || json!({"closed": true});
    let answer = decide(&campaign, &cells[..1000], closing())
        .await
        .expect(200);
    assert_eq!(verdicts(&answer).len(), 1000);
    assert!(verdicts(&answer).iter().all(|verdict| verdict == "changed"));
    for wrong in [&cells[..0], &cells[..1001]] {
        let refused = decide(&campaign, wrong, closing()).await;
        refused.refused_at("decision_refused", "/cells");
    }
    for nothing in [json!({}), json!({"closed": null}), json!({"reset": false})] {
        let refused = decide(&campaign, &cells[..1], nothing).await;
        refused.refused_at("decision_refused", "");
    }
    for wrong in [
        json!({"colour": "red"}),
        json!({"closed": 1}),
        json!({"imagery_layer": 7}),
    ] {
        let refused = decide(&campaign, &cells[..1], wrong).await;
        refused.refused(422, "invalid_body");
    }
    assert_eq!(
        app.number("SELECT count(*) FROM cell_decisions").await,
        1000
    );
}

#[tokio::test]
async fn lists_have_pages_of_1_to_1000_cells() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).open().await;
    change(&campaign, &campaign.cells, json!({"closed": true})).await;
    let mut path = campaign.path("/cells?state=closed&limit=4");
    let mut seen = Vec::new();
    let mut pages = Vec::new();
    loop {
        let reply = campaign.organiser.get(&path).await;
        let page = reply.expect(200);
        let cells = page["cells"].as_array().unwrap();
        pages.push(cells.len());
        seen.extend(
            cells
                .iter()
                .map(|c| Cell::parse(c["cell"].as_str().unwrap())),
        );
        let Some(next) = page["next"].as_str() else {
            assert_eq!(reply.header("link"), "");
            break;
        };
        assert_eq!(reply.header("link"), format!("<{next}>; rel=\"next\""));
        next.clone_into(&mut path);
    }
    assert_eq!(pages, [4, 4, 1]);
    let mut all = campaign.cells.clone();
    all.sort_unstable();
    assert_eq!(seen, all);
    for limit in [1, 9, 1000] {
        let path = campaign.path(&format!("/cells?state=closed&limit={limit}"));
        let page = campaign.organiser.get(&path).await.expect(200);
        assert_eq!(page["next"].is_string(), limit < 9);
    }
    for wrong in [
        "limit=0&state=closed",
        "limit=1001&state=closed",
        "state=open",
        "limit=5",
        "state=closed&colour=red",
    ] {
        let call = campaign
            .organiser
            .get(&campaign.path(&format!("/cells?{wrong}")));
        call.await.refused(400, "invalid_query");
    }
    let wrong = campaign.path("/cells?state=closed&cursor=x");
    campaign
        .organiser
        .get(&wrong)
        .await
        .refused(400, "invalid_cursor");
}

#[tokio::test]
async fn cells_are_listed_and_decided_about_by_organisers_only() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let list = campaign.path("/cells?state=closed");
    let body = json!({"cells": [campaign.cells[0].to_string()], "closed": true});
    for (caller, status, code) in [
        (app.public(), 401, "credentials_missing"),
        (app.volunteer().await, 403, "organiser_needed"),
        (app.organiser_with("imagery").await, 403, "scope_missing"),
    ] {
        caller.get(&list).await.refused(status, code);
        let call = caller.patch(&campaign.path("/cells")).json(&body);
        call.await.refused(status, code);
    }
    let reader = app.organiser_with("read").await;
    reader.get(&list).await.expect(200);
    let call = reader.patch(&campaign.path("/cells")).json(&body);
    call.await.refused(403, "scope_missing");
    let nowhere = format!("/v1/campaigns/none-{}/cells", id());
    let call = campaign.organiser.patch(&nowhere).json(&body);
    call.await.refused(404, "campaign_not_found");
}

#[tokio::test]
async fn cells_are_decided_about_while_the_campaign_is_open_or_paused() {
    let app = App::start().await;
    let draft = app.campaign().draft().await;
    let closing = || json!({"closed": true});
    let refused = decide(&draft, &draft.cells[..1], closing()).await;
    let problem = refused.refused(409, "state_conflict");
    assert!(problem["detail"].as_str().unwrap().contains("publish"));
    draft.publish().await;
    draft.steer("pause").await.expect(200);
    change(&draft, &draft.cells[..1], closing()).await;
    draft.steer("close").await.expect(200);
    let refused = decide(&draft, &draft.cells[1..2], closing()).await;
    refused.refused(409, "state_conflict");
    assert_eq!(listed(&draft, "closed").await.len(), 1);
}
