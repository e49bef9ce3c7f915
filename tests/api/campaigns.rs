//! Campaigns: from the draft to the close.

use crate::harness::{
    App, CHANGES_SEEN_IN, Value, eventually, json, nothing, point, tagged, within,
};

#[tokio::test]
async fn a_campaign_lives_from_draft_to_close() {
    let app = App::start().await;
    let campaign = app.campaign().draft().await;
    let volunteer = app.volunteer().await;
    assert_eq!(campaign.read().await["state"], "draft");
    let published = campaign.steer("publish").await.expect(200);
    assert_eq!(published["state"], "preparing");
    assert!(published["published_at"].is_string());
    campaign.publish().await;
    assert_eq!(campaign.read().await["state"], "open");
    let given = campaign.given(&volunteer, 1).await[0];
    let paused = campaign
        .steer("pause")
        .json(json!({"message": "Wait for new pictures."}))
        .await
        .expect(200);
    assert_eq!(
        (&paused["state"], &paused["message"]),
        (&json!("paused"), &json!("Wait for new pictures."))
    );
    within(CHANGES_SEEN_IN, "everybody reads the message", || async {
        let seen = app.public().get(&campaign.path("")).await.expect(200);
        (seen["message"] == "Wait for new pictures.").then_some(())
    })
    .await;
    let resumed = campaign.steer("resume").await.expect(200);
    assert_eq!(
        (&resumed["state"], &resumed["message"]),
        (&json!("open"), &Value::Null)
    );
    campaign.send(&volunteer, &nothing(given)).await.expect(201);
    assert_eq!(campaign.steer("close").await.expect(200)["state"], "closed");
    for action in ["publish", "pause", "resume"] {
        campaign.steer(action).await.refused(409, "state_conflict");
    }
}

#[tokio::test]
async fn an_action_may_be_repeated_and_changes_nothing_then() {
    let app = App::start().await;
    let campaign = app.campaign().draft().await;
    for (action, wait) in [
        ("publish", true),
        ("pause", false),
        ("resume", false),
        ("close", false),
    ] {
        campaign.steer(action).await.expect(200);
        if wait {
            campaign.publish().await;
        }
        let before = campaign.read().await;
        assert_eq!(
            campaign.steer(action).await.expect(200)["version"],
            before["version"],
            "{action}"
        );
    }
}

#[tokio::test]
async fn a_draft_is_neither_paused_nor_closed() {
    let app = App::start().await;
    let campaign = app.campaign().draft().await;
    for action in ["pause", "resume", "close"] {
        campaign.steer(action).await.refused(409, "state_conflict");
    }
}

#[tokio::test]
async fn the_public_does_not_see_drafts() {
    let app = App::start().await;
    let draft = app.campaign().draft().await;
    let open = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    for client in [&app.public(), &volunteer] {
        client
            .get(&draft.path(""))
            .await
            .refused(404, "campaign_not_found");
        client
            .get(&format!("/v1/campaigns/{}", draft.id))
            .await
            .refused(404, "campaign_not_found");
        let listed = client.get("/v1/campaigns").await.expect(200);
        let slugs: Vec<&str> = listed["campaigns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["slug"].as_str().unwrap())
            .collect();
        assert_eq!(slugs, [open.slug.as_str()]);
        assert_eq!(
            client.get("/v1/campaigns?state=draft").await.expect(200)["campaigns"],
            json!([])
        );
    }
    let listed = draft
        .organiser
        .get("/v1/campaigns?state=draft")
        .await
        .expect(200);
    assert_eq!(listed["campaigns"][0]["slug"], draft.slug);
}

#[tokio::test]
async fn a_campaign_is_found_by_slug_and_by_id() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let by_id = app
        .public()
        .get(&format!("/v1/campaigns/{}", campaign.id))
        .await
        .expect(200);
    assert_eq!(
        by_id,
        app.public().get(&campaign.path("")).await.expect(200)
    );
    for none in [
        "none",
        "None",
        "a%2Fb",
        "01a20759-9fdb-715e-b63e-b4a444f42d8d",
    ] {
        app.public()
            .get(&format!("/v1/campaigns/{none}"))
            .await
            .refused(404, "campaign_not_found");
    }
}

#[tokio::test]
async fn campaigns_are_listed_in_pages_newest_first() {
    let app = App::start().await;
    let mut slugs = Vec::new();
    for _ in 0..5 {
        slugs.insert(0, app.campaign().draft().await.slug);
    }
    let organiser = app.organiser().await;
    let (mut seen, mut next) = (
        Vec::new(),
        Some("/v1/campaigns?limit=2&state=draft".to_owned()),
    );
    while let Some(address) = next {
        let page = organiser.get(&address).await;
        let body = page.expect(200);
        seen.extend(
            body["campaigns"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["slug"].as_str().unwrap().to_owned()),
        );
        next = body["next"].as_str().map(str::to_owned);
        assert_eq!(page.header("link").is_empty(), next.is_none());
    }
    assert_eq!(seen, slugs);
    organiser
        .get("/v1/campaigns?limit=0")
        .await
        .refused(400, "invalid_query");
    organiser
        .get("/v1/campaigns?limit=1001")
        .await
        .refused(400, "invalid_query");
    organiser
        .get("/v1/campaigns?state=lost")
        .await
        .refused(400, "invalid_query");
    organiser
        .get("/v1/campaigns?cursor=x")
        .await
        .refused(400, "invalid_cursor");
}

#[tokio::test]
async fn colours_and_icons_are_given_out_in_order() {
    let app = App::start().await;
    let campaign = app.campaign().draft().await;
    let types = campaign.read().await["tag_types"].clone();
    let looks: Vec<(&str, &str)> = types
        .as_array()
        .unwrap()
        .iter()
        .map(|t| (t["icon"].as_str().unwrap(), t["colour"].as_str().unwrap()))
        .collect();
    assert_eq!(
        looks,
        [
            ("triangle", "#F5330F"),
            ("circle", "#6CCEEF"),
            ("square", "#DD64A4")
        ]
    );
}

#[tokio::test]
async fn a_slug_names_one_campaign() {
    let app = App::start().await;
    app.campaign().with("slug", "one").draft().await;
    app.campaign()
        .with("slug", "one")
        .attempt()
        .await
        .refused(409, "slug_taken");
    let other = app.campaign().draft().await;
    other
        .change(json!({"slug": "one"}))
        .await
        .refused(409, "slug_taken");
}

#[tokio::test]
async fn the_etag_of_a_campaign_is_its_version() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let read = app.public().get(&campaign.path("")).await;
    assert_eq!(read.etag(), format!("\"{}\"", read.json()["version"]));
    assert!(read.header("cache-control").contains("public"));
    let known = app
        .public()
        .get(&campaign.path(""))
        .header("If-None-Match", read.etag())
        .await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    campaign.steer("pause").await.expect(200);
    within(
        CHANGES_SEEN_IN,
        "everybody is given the new version",
        || async {
            let seen = app.public().get(&campaign.path(""));
            let seen = seen.header("If-None-Match", read.etag()).await;
            (seen.status == 200).then_some(())
        },
    )
    .await;
}

#[tokio::test]
async fn texts_are_kept_in_each_language() {
    let app = App::start().await;
    let title = json!({"en": "Find the aircraft", "de": "Findet das Flugzeug", "zh-Hant-TW": "尋找飛機", "pt-BR": "Encontre o avião"});
    let campaign = app.campaign().with("title", title.clone()).open().await;
    assert_eq!(
        app.public().get(&campaign.path("")).await.expect(200)["title"],
        title
    );
}

#[tokio::test]
async fn instructions_are_rendered_without_anything_that_could_harm() {
    let app = App::start().await;
    let harm = "# Look\n**well** [here](https://example.org) <script>alert(1)</script>\n\n<img src=x onerror=alert(2)>\n\n\
        [x](javascript:alert(3)) <a href=\"data:text/html,x\" onclick=\"alert(4)\">y</a> <iframe src=//evil></iframe> <svg onload=alert(5)>\n\n\
        <style>*{display:none}</style> <form action=//evil><input></form>";
    let campaign = app
        .campaign()
        .with("instructions", json!({"en": harm}))
        .open()
        .await;
    let html = app.public().get(&campaign.path("")).await.expect(200)["instructions_html"]["en"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        html.contains("<strong>well</strong>") && html.contains("href=\"https://example.org\""),
        "{html}"
    );
    for bad in [
        "<script",
        "onerror",
        "<img",
        "javascript:",
        "data:",
        "onclick",
        "<iframe",
        "<svg",
        "onload",
        "<style",
        "<form",
        "<input",
    ] {
        assert!(!html.contains(bad), "{bad} in {html}");
    }
    assert_eq!(
        campaign.read().await["instructions"]["en"],
        harm,
        "what was written is kept"
    );
}

#[tokio::test]
async fn a_tag_of_every_look_stays_readable_after_the_close() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let sent = tagged(campaign.cells[0], [point(campaign.cells[0].middle())]);
    campaign
        .send(&app.volunteer().await, &sent)
        .await
        .expect(201);
    campaign.steer("close").await.expect(200);
    let page = campaign
        .organiser
        .get(&campaign.path("/tags"))
        .await
        .expect(200);
    assert_eq!(page["features"].as_array().unwrap().len(), 1);
    eventually("the numbers are final", || async {
        (campaign.progress().await["tags"] == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_list_shows_how_lively_each_campaign_is() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let idle = app.campaign().draft().await;
    let cell = campaign.cells[0];
    let sent = tagged(cell, [point(cell.middle())]);
    campaign
        .send(&app.volunteer().await, &sent)
        .await
        .expect(201);
    campaign.progress_shows("/looks", 1).await;
    let listed = campaign.organiser.get("/v1/campaigns").await.expect(200);
    let listed = listed["campaigns"].as_array().unwrap().clone();
    let of = |slug: &str| {
        let entry = listed.iter().find(|entry| entry["slug"] == slug).unwrap();
        entry["activity"].clone()
    };
    let lively = of(&campaign.slug);
    for member in ["cells_done", "looks", "tags", "volunteers_active"] {
        assert_eq!(lively[member], 1, "{member}");
    }
    assert!(lively["last_look_at"].is_string());
    let quiet = of(&idle.slug);
    assert_eq!(quiet["looks"], 0);
    assert!(quiet["looks_per_minute"].is_null() && quiet["last_look_at"].is_null());
    assert!(campaign.read().await.get("activity").is_none());
}

#[tokio::test]
async fn a_campaign_comes_without_its_area_for_those_who_do_not_need_it() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let path = campaign.path("?area=false");
    let light = app.public().get(&path).await.expect(200);
    let whole = campaign.read().await;
    for member in ["area", "priorities", "outline", "leave_out"] {
        assert!(light.get(member).is_none(), "{member}");
    }
    assert!(whole["area"].is_object());
    assert_eq!(light["tag_types"], whole["tag_types"]);
}

#[tokio::test]
async fn a_draft_can_be_deleted_and_nothing_else() {
    let app = App::start().await;
    let draft = app.campaign().draft().await;
    let stale = draft
        .organiser
        .delete(&draft.path(""))
        .if_match("\"7\"")
        .await;
    stale.refused(412, "changed_meanwhile");
    draft
        .organiser
        .delete(&draft.path(""))
        .await
        .expect_status(204);
    draft
        .organiser
        .get(&draft.path(""))
        .await
        .refused(404, "campaign_not_found");
    let open = app.campaign().open().await;
    let refused = open.organiser.delete(&open.path("")).await;
    refused.refused(409, "campaign_published");
    let volunteer = app.volunteer().await;
    volunteer
        .delete(&open.path(""))
        .await
        .refused(403, "organiser_needed");
}
