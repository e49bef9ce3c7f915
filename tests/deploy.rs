//! What is shipped for operating Spotter says the same as the program.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Metrics of the other programs that Prometheus asks.
const OTHERS: [&str; 2] = ["haproxy_", "node_"];

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn yaml(name: &str) -> Value {
    let mut value: serde_yaml_ng::Value = serde_yaml_ng::from_str(&read(name)).unwrap();
    // What is merged may merge itself.
    for _ in 0..4 {
        value.apply_merge().unwrap();
    }
    serde_json::to_value(value).unwrap()
}

fn rules() -> Vec<Value> {
    let groups = yaml("deploy/prometheus/alerts.yml");
    let groups = groups["groups"].as_array().unwrap();
    groups
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap().clone())
        .collect()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member]
        .as_str()
        .unwrap_or_else(|| panic!("{member} of {value}"))
}

/// Settings that a command reads, by its help.
fn settings_of(command: &str) -> BTreeSet<String> {
    let help = Command::new(env!("CARGO_BIN_EXE_spotter"))
        .args([command, "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let names = help.split("[env: ").skip(1);
    names
        .map(|rest| rest.split(['=', ']']).next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_setting_of_the_compose_file_is_one_of_the_program() {
    let compose = yaml("docker-compose.yml");
    for (service, command) in [
        ("server-1", "serve"),
        ("server-2", "serve"),
        ("worker", "worker"),
        ("migrate", "migrate"),
    ] {
        let known = settings_of(command);
        // What serve reads and worker does not does no harm there.
        let known = &known | &settings_of("serve");
        let settings = compose["services"][service]["environment"]
            .as_object()
            .unwrap();
        assert!(settings.contains_key("DATABASE_URL"), "{service}");
        for name in settings.keys() {
            assert!(
                known.contains(name) || name.starts_with("AWS_"),
                "{service}: {name} is no setting of `spotter {command}`"
            );
        }
    }
}

#[test]
fn every_setting_of_the_program_is_in_the_readme() {
    let readme = read("README.md");
    for name in &settings_of("serve") | &settings_of("worker") {
        // Of several that begin alike the others may stand as `…_LOOKS`.
        let ends = name.match_indices('_').filter_map(|(at, _)| name.get(at..));
        let mut forms = ends
            .map(|end| format!("`…{end}`"))
            .chain([format!("`{name}`")]);
        assert!(
            forms.any(|form| readme.contains(&form)),
            "{name} is not in README.md"
        );
    }
}

#[test]
fn prometheus_asks_services_of_the_compose_file() {
    let compose = yaml("docker-compose.yml");
    let prometheus = yaml("deploy/prometheus/prometheus.yml");
    let jobs = prometheus["scrape_configs"].as_array().unwrap();
    let targets = jobs
        .iter()
        .flat_map(|job| job["static_configs"].as_array().unwrap())
        .flat_map(|config| config["targets"].as_array().unwrap());
    for target in targets {
        let host = target.as_str().unwrap().split(':').next().unwrap();
        let known = host == "localhost" || compose["services"][host].is_object();
        assert!(known, "{host} is no service of docker-compose.yml");
    }
}

#[test]
fn every_alert_says_what_to_do_and_the_runbook_knows_no_others() {
    let runbook = read("RUNBOOK.md");
    let (_, part) = runbook.split_once("\n## Alerts\n").unwrap();
    let part = part.split("\n## ").next().unwrap();
    let headings: BTreeSet<&str> = part
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    let mut alerts = BTreeSet::new();
    let rules = rules();
    for rule in &rules {
        let name = text(rule, "alert");
        alerts.insert(name);
        assert!(!text(rule, "for").is_empty(), "{name}");
        assert!(
            ["critical", "warning"].contains(&text(&rule["labels"], "severity")),
            "{name}"
        );
        let notes = &rule["annotations"];
        assert!(
            text(notes, "summary").len() > 10 && text(notes, "description").len() > 10,
            "{name}"
        );
        assert_eq!(
            text(notes, "runbook_url"),
            format!("RUNBOOK.md#{}", name.to_lowercase())
        );
    }
    assert_eq!(alerts, headings);
}

/// Names of metrics in an expression: words with a `_` that are neither functions, nor labels in
/// braces, nor texts.
fn metrics_in(expression: &str) -> BTreeSet<String> {
    let (mut names, mut word) = (BTreeSet::new(), String::new());
    let (mut depth, mut quoted) = (0_u32, false);
    for sign in expression.chars().chain([' ']) {
        let outside = depth == 0 && !quoted;
        match sign {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            _ => {}
        }
        if outside && (sign.is_ascii_alphanumeric() || sign == '_') {
            word.push(sign);
        } else {
            if word.contains('_') && sign != '(' {
                names.insert(word.clone());
            }
            word.clear();
        }
    }
    names
}

#[test]
fn metrics_are_found_in_expressions() {
    let found = metrics_in(
        r#"histogram_quantile(0.9, sum by (le) (rate(a_seconds_bucket{x_y="b_c"}[$__rate_interval]))) > up or d_e"#,
    );
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(found, ["a_seconds_bucket", "d_e"]);
}

/// Every name that the program gives to a metric.
fn metrics_of_the_program() -> BTreeSet<String> {
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut names = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = fs::read_to_string(path).unwrap();
            for macro_name in ["counter!(", "gauge!(", "histogram!("] {
                for rest in source.split(macro_name).skip(1) {
                    let name = rest.trim_start().strip_prefix('"');
                    names.extend(name.and_then(|rest| Some(rest.split_once('"')?.0.to_owned())));
                }
            }
        }
    }
    assert!(names.contains("http_requests_total"), "{names:?}");
    names
}

fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(expression)) = members.get("expr") {
                found.push(expression.clone());
            }
            members.values().for_each(|inner| expressions(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| expressions(inner, found)),
        _ => {}
    }
}

#[test]
fn every_metric_of_alerts_and_dashboard_is_one_that_the_program_gives() {
    let known = metrics_of_the_program();
    let dashboard: Value =
        serde_json::from_str(&read("deploy/grafana/dashboards/spotter.json")).unwrap();
    let mut found = Vec::new();
    expressions(&dashboard, &mut found);
    assert!(found.len() > 30, "{}", found.len());
    expressions(&Value::Array(rules()), &mut found);
    for expression in found {
        for name in metrics_in(&expression) {
            let of_a_histogram = ["_bucket", "_sum", "_count"]
                .iter()
                .filter_map(|part| name.strip_suffix(part))
                .any(|name| known.contains(name));
            assert!(
                known.contains(&name)
                    || of_a_histogram
                    || OTHERS.iter().any(|other| name.starts_with(other)),
                "{name} is no metric of the program: {expression}"
            );
        }
    }
}
