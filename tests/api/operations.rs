//! Health, metrics, the OpenAPI document.

use crate::harness::{App, DEADLINE, Value, eventually, json};

#[tokio::test]
async fn a_server_with_everything_is_ready() {
    let app = App::start().await;
    assert_eq!(
        app.public().get("/livez").await.expect(200),
        json!({"status": "up"})
    );
    let ready = app.public().get("/readyz").await.expect(200);
    assert_eq!(
        ready,
        json!({"status": "ready", "database": "up", "memcached": "up"})
    );
}

#[tokio::test]
async fn a_server_without_memcached_is_ready_but_degraded() {
    let app = App::builder()
        .setting("MEMCACHED", "127.0.0.1:9")
        .start()
        .await;
    let ready = app.public().get("/readyz").await.expect(200);
    assert_eq!(
        ready,
        json!({"status": "degraded", "database": "up", "memcached": "away"})
    );
}

#[tokio::test]
async fn a_server_without_its_database_lives_but_is_not_ready() {
    let app = App::builder()
        .servers(1)
        .workers(0)
        .setting("DATABASE_WAIT_MS", "300")
        .start()
        .await;
    let campaign = app.campaign().draft().await;
    let server = app.database.elsewhere().await;
    server
        .batch_execute(&format!("ALTER DATABASE {} RENAME TO {}_away", app.database.name, app.database.name).replace("ALTER", &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'; ALTER", app.database.name)))
        .await
        .unwrap();
    let unready = eventually("the server notices", || async {
        let answer = app.public().get("/readyz").await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert_eq!(unready.json()["database"], "away");
    assert!(unready.header("retry-after").parse::<u32>().unwrap() >= 1);
    app.public().get("/livez").await.expect(200);
    let refused = app
        .public()
        .get(&campaign.path(""))
        .header("Origin", "https://x.example.org")
        .await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(
        refused.header("retry-after").parse::<u32>().unwrap() >= 1,
        "{refused:?}"
    );
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    server
        .batch_execute(&format!(
            "ALTER DATABASE {}_away RENAME TO {}",
            app.database.name, app.database.name
        ))
        .await
        .unwrap();
    eventually("the server finds its database again", || async {
        (app.public().get("/readyz").await.status == 200).then_some(())
    })
    .await;
    campaign.read().await;
}

#[tokio::test]
async fn metrics_name_routes_by_their_pattern_and_unknown_ones_not_at_all() {
    let app = App::builder().servers(1).start().await;
    let campaign = app.campaign().open().await;
    app.public().get("/nowhere/at/all").await;
    app.public()
        .call(
            reqwest::Method::from_bytes(b"BREW").unwrap(),
            "/v1/campaigns",
        )
        .await;
    let shown = app.public().get("/metrics").await;
    assert!(shown.header("content-type").starts_with("text/plain"));
    let text = shown.text();
    assert!(
        !text.contains(&campaign.slug) && !text.contains("nowhere") && !text.contains("BREW"),
        "{text}"
    );
    let counted = text.lines().find(|line| {
        line.starts_with("http_requests_total")
            && line.contains("route=\"/v1/campaigns/{campaign}\"")
            && line.contains("method=\"GET\"")
            && line.contains("status=\"200\"")
    });
    assert!(counted.is_some(), "{text}");
    for name in [
        "http_request_seconds_bucket",
        "http_requests_in_flight",
        "database_connections{state=\"size\"}",
        "feed_lag_seconds{reader=\"progress\"}",
    ] {
        assert!(text.contains(name), "{name}:\n{text}");
    }
}

#[tokio::test]
async fn a_worker_tells_that_its_jobs_go_on() {
    let app = App::builder().servers(1).workers(0).start().await;
    let mut worker = app.start_watched_worker().await;
    let client = app.public().at(&worker.url);
    client.get("/livez").await.expect(200);
    let value = |text: &str, sample: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(sample));
        line.and_then(|value| value.trim().parse::<f64>().ok())
    };
    let began = client.get("/metrics").await.text();
    for job in ["progress", "preparation", "close_ended", "forget_renewals"] {
        let succeeded = format!("job_succeeded_timestamp_seconds{{name=\"{job}\"}}");
        assert!(value(&began, &succeeded).is_some(), "{job}:\n{began}");
        let failed = format!("job_steps_total{{name=\"{job}\",outcome=\"failed\"}}");
        assert!(value(&began, &failed).is_some(), "{job}:\n{began}");
    }
    let campaign = app.campaign().open().await;
    campaign
        .look_at(&app.volunteer().await, campaign.cells[0])
        .await;
    eventually("the look was counted by a step", || async {
        let text = client.get("/metrics").await.text();
        let steps = "job_steps_total{name=\"progress\",outcome=\"worked\"}";
        value(&text, steps).filter(|steps| *steps > 0.0)
    })
    .await;
    worker.terminate();
    assert!(worker.ended(DEADLINE).await);
}

#[tokio::test]
async fn the_openapi_document_is_served_and_is_the_one_that_is_printed() {
    let app = App::start().await;
    let served = app.public().get("/openapi.json").await;
    assert_eq!(served.expect(200)["openapi"], "3.1.0");
    let printed = app.spotter(&["openapi"]).await;
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(served.json(), printed);
    let known = app
        .public()
        .get("/openapi.json")
        .header("If-None-Match", served.etag())
        .await;
    assert_eq!(known.status, 304);
}

fn document() -> Value {
    let text = spotter::server::openapi_text(&spotter::server::document()).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Calls `check` with name and definition of each operation.
fn each_operation(check: impl Fn(&str, &Value)) {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            check(&format!("{method} {path}"), operation);
        }
    }
}

#[test]
fn every_operation_documents_its_errors() {
    each_operation(|name, operation| {
        let responses = operation["responses"].as_object().unwrap();
        let mut needed = if name.contains("/v1/") {
            vec!["500", "503"]
        } else {
            vec![]
        };
        if operation["security"].is_array() {
            needed.extend(["401", "403"]);
        }
        if operation["requestBody"].is_object() {
            needed.extend(["400", "408", "413", "415", "422"]);
        }
        let by_id = name.contains('{');
        needed.extend(by_id.then_some("404"));
        for status in needed {
            assert!(
                responses.contains_key(status),
                "{name} does not document {status}"
            );
        }
        for (status, response) in responses {
            assert!(
                response["description"]
                    .as_str()
                    .is_some_and(|text| text.len() > 5),
                "{name} {status}"
            );
            // Health is told in its own form, for machines that look at the status alone.
            if status.starts_with(['4', '5']) && name.contains("/v1/") {
                assert!(
                    response["content"]["application/problem+json"].is_object(),
                    "{name} {status}"
                );
            }
        }
    });
}

#[test]
fn every_operation_has_a_summary_a_tag_and_described_parameters() {
    each_operation(|name, operation| {
        assert!(
            operation["summary"]
                .as_str()
                .is_some_and(|text| text.len() > 5),
            "{name}"
        );
        assert!(
            operation["tags"]
                .as_array()
                .is_some_and(|tags| !tags.is_empty()),
            "{name}"
        );
        assert!(operation["operationId"].is_string(), "{name}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(
                parameter["description"]
                    .as_str()
                    .is_some_and(|text| text.len() > 3),
                "{name}: {parameter}"
            );
            assert!(parameter["schema"].is_object(), "{name}: {parameter}");
        }
    });
}

#[test]
fn operation_ids_are_unique() {
    let ids = std::cell::RefCell::new(std::collections::BTreeSet::new());
    each_operation(|name, operation| {
        assert!(
            ids.borrow_mut()
                .insert(operation["operationId"].to_string()),
            "{name}"
        );
    });
}

#[test]
fn every_reference_of_the_openapi_document_leads_somewhere() {
    fn walk(value: &Value, document: &Value) {
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            assert!(
                document.pointer(target.trim_start_matches('#')).is_some(),
                "{target}"
            );
        }
        for inner in value
            .as_object()
            .into_iter()
            .flat_map(|members| members.values())
            .chain(value.as_array().into_iter().flatten())
        {
            walk(inner, document);
        }
    }
    let document = document();
    walk(&document, &document);
}

/// The document is part of the contract: a change of it must be seen. `SPOTTER_BLESS=1` accepts.
#[test]
fn the_openapi_document_is_the_one_that_was_agreed() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/openapi.json");
    let now = spotter::server::openapi_text(&spotter::server::document()).unwrap() + "\n";
    if std::env::var_os("SPOTTER_BLESS").is_some() {
        std::fs::write(file, &now).unwrap();
    }
    let agreed = std::fs::read_to_string(file).unwrap_or_default();
    let first = agreed.lines().zip(now.lines()).position(|(a, b)| a != b);
    assert!(
        agreed == now,
        "the OpenAPI document changed, first at line {first:?}; SPOTTER_BLESS=1 accepts it"
    );
}
