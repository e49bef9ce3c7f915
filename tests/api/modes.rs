//! How the service is run: normal, read only, maintenance.

use crate::harness::{
    App, CHANGES_SEEN_IN, Campaign, Reply, Source, Value, eventually, json, nothing, within,
};

/// Sets the mode from the command line and waits until every server follows.
pub async fn set(app: &App, arguments: &[&str]) {
    let set = app.spotter(&[&["mode"], arguments].concat()).await;
    assert!(set.status.success(), "{set:?}");
    for server in &app.servers {
        let public = app.public().at(&server.url);
        within(CHANGES_SEEN_IN, "the server follows", || async {
            let shown = public.get("/v1/mode").await.expect(200);
            (shown["mode"] == arguments[0]).then_some(())
        })
        .await;
    }
}

fn refused(reply: &Reply, code: &str) -> Value {
    let problem = reply.refused(503, code);
    assert!(reply.header("retry-after").parse::<u32>().unwrap() >= 1);
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    problem
}

/// Two servers without memcached, a campaign whose imagery comes, and a volunteer's square.
async fn two_servers() -> (App, Campaign, Source) {
    let app = App::builder()
        .servers(2)
        .setting("MEMCACHED", "127.0.0.1:9")
        .start()
        .await;
    let source = Source::start().await;
    let layer = app.layer(&source.url("/png/{z}/{x}/{y}")).create().await;
    let campaign = app.campaign().with("imagery_layer", layer).open().await;
    (app, campaign, source)
}

#[tokio::test]
async fn read_only_reads_and_keeps_everything_as_it_is_until_it_ends() {
    let (app, campaign, _source) = two_servers().await;
    let volunteer = app.volunteer().await;
    let given = campaign.given(&volunteer, 1).await;
    let look = nothing(given[0]);
    set(&app, &["read_only", "--message", "Moving house."]).await;
    for server in &app.servers {
        let public = app.public().at(&server.url);
        let volunteer = volunteer.at(&server.url);
        let organiser = campaign.organiser.at(&server.url);
        for path in ["", "/progress"] {
            public.get(&campaign.path(path)).await.expect(200);
        }
        volunteer
            .get(&campaign.path("/tags?volunteer=me"))
            .await
            .expect(200);
        let layer = campaign.read().await["imagery"]["key"]
            .as_str()
            .unwrap()
            .to_owned();
        public
            .get(&format!("/v1/imagery/{layer}/3/5/2"))
            .await
            .expect_status(200);
        public.get("/s/demo").await.expect_status(200);
        let problem = refused(&campaign.send(&volunteer, &look).await, "read_only");
        assert_eq!(problem["message"], "Moving house.");
        let sent = [look.clone()];
        refused(&campaign.send_batch(&volunteer, &sent).await, "read_only");
        refused(&campaign.ask(&volunteer, 1).await, "read_only");
        let path = campaign.path("/pause");
        refused(&organiser.post(&path).await, "read_only");
    }
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 0);
    set(&app, &["normal"]).await;
    campaign.send(&volunteer, &look).await.expect(201);
    let shown = app.public().get("/v1/mode").await.expect(200);
    assert_eq!(shown["message"], Value::Null);
}

#[tokio::test]
async fn maintenance_answers_nothing_but_health_metrics_and_the_mode() {
    let (app, campaign, _source) = two_servers().await;
    let volunteer = app.volunteer().await;
    let admin = app.admin().await;
    set(&app, &["maintenance", "--message", "Back at <4>."]).await;
    for server in &app.servers {
        let public = app.public().at(&server.url);
        for path in ["/livez", "/readyz", "/metrics", "/v1/mode"] {
            public.get(path).await.expect_status(200);
        }
        for path in ["/v1/campaigns".to_owned(), campaign.path("/progress")] {
            let problem = refused(&public.get(&path).await, "maintenance");
            assert_eq!(problem["message"], "Back at <4>.");
        }
        let volunteer = volunteer.at(&server.url);
        refused(&campaign.ask(&volunteer, 1).await, "maintenance");
        for path in ["/", "/s/demo", "/organise"] {
            let page = public.get(path).header("Accept", "text/html").await;
            assert_eq!(page.status, 503);
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
            let text = page.text();
            assert!(text.contains("data-reason=\"maintenance\""), "{text}");
            assert!(text.contains("Back at &lt;4&gt;."), "{text}");
        }
    }
    // The way back is open.
    let change = admin.patch("/v1/mode").json(json!({"mode": "normal"}));
    assert_eq!(change.await.expect(200)["mode"], "normal");
    for server in &app.servers {
        let volunteer = volunteer.at(&server.url);
        within(CHANGES_SEEN_IN, "the server works again", || async {
            let dealt = campaign.ask(&volunteer, 1).await;
            (dealt.status == 200).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn only_admins_change_the_mode_and_what_they_do_not_name_stays() {
    let app = App::builder().servers(1).workers(0).start().await;
    let admin = app.admin().await;
    let change = |to: Value| admin.patch("/v1/mode").json(to);
    let other = app.organiser().await;
    let by_other = other.patch("/v1/mode").json(json!({"mode": "read_only"}));
    by_other.await.refused(403, "scope_missing");
    let by_nobody = app.public().patch("/v1/mode").json(json!({}));
    by_nobody.await.refused(401, "credentials_missing");
    for (wrong, pointer) in [
        (json!({"admit_percent": 4}), "/admit_percent"),
        (json!({"admit_percent": 101}), "/admit_percent"),
        (json!({"message": ""}), "/message"),
        (json!({"message": "x".repeat(501)}), "/message"),
        (json!({"mode": "off"}), "/mode"),
    ] {
        change(wrong).await.refused_at("invalid_body", pointer);
    }
    let message = "x".repeat(500);
    let steps = [
        (
            json!({"admit_percent": 5, "message": message}),
            ("normal", 5, json!(message)),
        ),
        (
            json!({"admit_percent": 100}),
            ("normal", 100, json!(message)),
        ),
        (json!({"mode": "normal"}), ("normal", 100, json!(message))),
        (
            json!({"mode": "read_only"}),
            ("read_only", 100, Value::Null),
        ),
        (
            json!({"mode": "maintenance", "message": "M"}),
            ("maintenance", 100, json!("M")),
        ),
        (json!({"message": null}), ("maintenance", 100, Value::Null)),
    ];
    for (to, (mode, percent, message)) in steps {
        let changed = change(to).await.expect(200);
        let shown = app.public().get("/v1/mode").await;
        assert_eq!(shown.header("cache-control"), "no-store");
        assert_eq!(shown.json(), changed);
        assert_eq!(changed["mode"], mode);
        assert_eq!(changed["admit_percent"], percent);
        assert_eq!(changed["message"], message);
    }
    let printed = app.spotter(&["mode"]).await;
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(
        printed.starts_with("maintenance, 100 % let in"),
        "{printed}"
    );
    let wrong = app.spotter(&["mode", "--admit", "4"]).await;
    assert!(!wrong.status.success());
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("--admit: found 4"));
}

#[tokio::test]
async fn a_server_that_starts_meets_the_mode_that_is_in_force() {
    let app = App::builder().servers(1).workers(0).start().await;
    set(&app, &["maintenance"]).await;
    let server = app.start_server(&[]).await;
    let first = app.public().at(&server.url).get("/v1/campaigns").await;
    refused(&first, "maintenance");
}

#[tokio::test]
async fn the_worker_rests_during_maintenance_and_counts_on_while_nothing_may_be_changed() {
    let app = App::builder().servers(1).workers(0).start().await;
    let campaign = app.campaign().draft().await;
    campaign.steer("publish").await.expect(200);
    set(&app, &["maintenance"]).await;
    let _worker = app.start_worker_with(&[("LOG", "info")]);
    eventually("the worker knows", || async {
        app.log().contains("\"mode\":\"maintenance\"").then_some(())
    })
    .await;
    // Meanwhile a worker that does not rest would have opened it many times.
    for message in ["One.", "Two."] {
        set(&app, &["maintenance", "--message", message]).await;
        eventually("the server follows", || async {
            let shown = app.public().get("/v1/mode").await.expect(200);
            (shown["message"] == message).then_some(())
        })
        .await;
    }
    let state = "SELECT count(*) FROM campaigns WHERE state = 'preparing'";
    assert_eq!(app.number(state).await, 1);
    set(&app, &["read_only"]).await;
    eventually("the campaign opens", || async {
        (app.number(state).await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn metrics_of_admission_are_there_from_the_start() {
    let app = App::builder().servers(1).workers(0).start().await;
    let text = app.public().get("/metrics").await.text();
    for class in [
        "reads",
        "looks",
        "assignments",
        "tiles",
        "organisers",
        "exports",
    ] {
        for reason in [
            "queue_full",
            "waited_too_long",
            "unfinished",
            "not_let_in",
            "read_only",
            "maintenance",
        ] {
            let shown =
                format!("http_requests_shed_total{{class=\"{class}\",reason=\"{reason}\"}} 0\n");
            assert!(text.contains(&shown), "{shown}{text}");
        }
        for name in ["admission_in_work", "admission_waiting"] {
            assert!(
                text.contains(&format!("{name}{{class=\"{class}\"}} 0\n")),
                "{text}"
            );
        }
        let limit = format!("admission_limit{{class=\"{class}\"}}");
        assert!(app.metric(&limit).await >= Some(1));
    }
    for shown in [
        "spotter_mode{mode=\"normal\"} 1\n",
        "spotter_mode{mode=\"read_only\"} 0\n",
        "spotter_mode{mode=\"maintenance\"} 0\n",
        "admit_percent 100\n",
    ] {
        assert!(text.contains(shown), "{shown}{text}");
    }
    set(&app, &["read_only", "--admit", "40"]).await;
    let text = app.public().get("/metrics").await.text();
    assert!(
        text.contains("spotter_mode{mode=\"read_only\"} 1\n"),
        "{text}"
    );
    assert!(text.contains("admit_percent 40\n"), "{text}");
}

#[tokio::test]
async fn the_openapi_document_names_what_admission_may_answer() {
    let app = App::builder().servers(1).workers(0).start().await;
    let document = app.public().get("/openapi.json").await.json();
    let told = |method: &str, path: &str| {
        let refused = &document["paths"][path][method]["responses"]["503"];
        assert!(refused["headers"]["Retry-After"].is_object(), "{path}");
        assert!(refused["content"]["text/html"].is_object(), "{path}");
        refused["description"].as_str().unwrap().to_owned()
    };
    let look = told("post", "/v1/campaigns/{campaign}/looks");
    assert!(
        look.contains("`overloaded`") && look.contains("`read_only`"),
        "{look}"
    );
    assert!(!look.contains("`not_let_in`"), "{look}");
    let deal = told("post", "/v1/campaigns/{campaign}/assignments");
    assert!(
        deal.contains("`not_let_in`") && deal.contains("`maintenance`"),
        "{deal}"
    );
    let read = told("get", "/v1/campaigns/{campaign}");
    assert!(
        read.contains("`overloaded`") && !read.contains("`read_only`"),
        "{read}"
    );
    let mode = &document["paths"]["/v1/mode"]["get"]["responses"]["503"];
    assert!(!mode.to_string().contains("overloaded"), "{mode}");
}
