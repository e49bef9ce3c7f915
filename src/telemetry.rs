//! Logs and metrics of one process.

use std::time::Duration;

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// Upper bounds of the request histogram, in seconds.
const LATENCY_BUCKETS: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// Upper bounds of the histogram of looks that are stored together.
const GROUP_BUCKETS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Starts the log. Standard output stays free for what a command prints.
pub fn init_log(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log)
        .with_context(|| format!("LOG is not understood: {:?}", config.log))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Json => log.json().flatten_event(true).init(),
        LogFormat::Text => log.compact().with_target(false).init(),
    }
    Ok(())
}

/// How often samples of histograms are put into their buckets. Until then each takes memory, also
/// where nobody asks for `/metrics`.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Installs the recorder of this process; `/metrics` renders it.
pub fn init_metrics() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &LATENCY_BUCKETS)
        .and_then(|builder| {
            let sizes = Matcher::Suffix("_group_size".to_owned());
            builder.set_buckets_for_metric(sizes, &GROUP_BUCKETS)
        })
        .context("metrics buckets")?
        .install_recorder()
        .context("metrics recorder")?;
    tokio::spawn(tidy(handle.clone()));
    describe_http();
    metrics::describe_gauge!(
        "database_connections",
        "Connections of the pool by state: size, available, waiting."
    );
    metrics::describe_counter!(
        "cache_lookups_total",
        "Cache look-ups by key family and outcome: near, joined, hit, stale, miss, bypass, error."
    );
    metrics::describe_counter!(
        "cache_refreshes_total",
        "Cache look-ups that the process made by itself while it gave what it had; as above."
    );
    metrics::describe_gauge!(
        "cache_node_away",
        "1 while a memcached does not answer and is left alone, by node."
    );
    metrics::describe_gauge!(
        "feed_lag_seconds",
        "Age of the oldest change that a reader of the feed has not read."
    );
    metrics::describe_counter!("rate_limited_total", "Refused calls (429) by limit.");
    metrics::describe_counter!(
        "rate_checks_total",
        "Checks of limits by outcome: lease, shared (memcached), closed (refused before), fallback (memcached did not answer)."
    );
    describe_looks();
    describe_admission();
    describe_assignments();
    describe_tiles();
    describe_tile_store();
    describe_sync();
    describe_jobs();
    metrics::describe_counter!(
        "volunteers_departed_total",
        "Volunteers who were forgotten or joined to another, by kind."
    );
    Ok(handle)
}

fn describe_assignments() {
    metrics::describe_counter!("assignments_total", "Assignments by reason.");
    metrics::describe_counter!(
        "assignments_beyond_wanted_total",
        "Assignments beyond the looks wanted: the tail, whose holders were idle."
    );
    metrics::describe_counter!(
        "assignments_repeats_avoided_total",
        "How often a cell was passed over because the volunteer knew it."
    );
    metrics::describe_counter!(
        "deck_claims_total",
        "Claims of piles by kind: next, near, search and leased (when nothing comes next)."
    );
    metrics::describe_gauge!(
        "deck_level",
        "Fewest looks and leases among the cells that come next, by campaign."
    );
    metrics::describe_counter!(
        "deck_piles_lost_total",
        "Piles that another server took because this one held them too long."
    );
}

fn describe_http() {
    metrics::describe_counter!(
        "http_requests_total",
        "Requests by method, route and status."
    );
    metrics::describe_histogram!(
        "http_request_seconds",
        "Time to answer by method and route, in seconds."
    );
    metrics::describe_gauge!("http_requests_in_flight", "Requests being answered.");
    metrics::describe_gauge!("http_connections", "Open connections of clients.");
    metrics::describe_counter!(
        "http_clients_too_slow_total",
        "Connections and requests that were ended because the client was too slow, by what was waited for: head, body, answer."
    );
}

fn describe_admission() {
    metrics::describe_counter!(
        "http_requests_shed_total",
        "Requests that were not let through, or not finished in time, by class and reason."
    );
    metrics::describe_gauge!(
        "admission_in_work",
        "Requests of a class that have a permit."
    );
    metrics::describe_gauge!(
        "admission_waiting",
        "Requests of a class that wait for a permit."
    );
    metrics::describe_gauge!("admission_limit", "Permits of a class.");
    metrics::describe_gauge!(
        "spotter_mode",
        "1 for the mode of the service, 0 for the others."
    );
    metrics::describe_gauge!(
        "admit_percent",
        "Of a hundred volunteers so many are let in."
    );
}

fn describe_tile_store() {
    metrics::describe_counter!(
        "prefetch_tiles_total",
        "Tiles fetched ahead by outcome: fetched, kept, outside, missing, failed."
    );
    metrics::describe_gauge!("tile_store_bytes", "Tiles in the folder, in bytes.");
    metrics::describe_gauge!("tile_store_tiles", "Tiles in the folder.");
    metrics::describe_counter!(
        "tiles_evicted_total",
        "Tiles that were thrown away because they took more than TILE_STORE_MB."
    );
}

fn describe_tiles() {
    metrics::describe_counter!(
        "tile_requests_total",
        "Imagery tiles by outcome: near, store, source, waited, missing, outside, failed, resting, late, store_failed, error."
    );
    metrics::describe_counter!(
        "tile_fetches_total",
        "Questions to sources of imagery by outcome: fetched, missing, failed."
    );
    metrics::describe_counter!(
        "tile_fetched_bytes_total",
        "Bytes of tiles that came from sources."
    );
    metrics::describe_counter!(
        "tile_read_bytes_total",
        "Bytes of tiles that were read from the store."
    );
    metrics::describe_counter!(
        "tile_served_bytes_total",
        "Bytes of tiles that were answered."
    );
    metrics::describe_histogram!(
        "tile_fetch_seconds",
        "Time that a source took for a tile, in seconds."
    );
    metrics::describe_gauge!(
        "tile_memory_bytes",
        "Tiles in the memory of the process, in bytes."
    );
    metrics::describe_gauge!(
        "tile_source_resting",
        "1 while a source that failed is left alone, by layer."
    );
}

fn describe_looks() {
    metrics::describe_counter!("looks_total", "Looks by verdict.");
    metrics::describe_counter!("tags_created_total", "Tags of looks that were created.");
    metrics::describe_counter!(
        "looks_accepted_total",
        "Looks that were queued to be stored."
    );
    metrics::describe_counter!(
        "looks_shed_total",
        "Looks that were refused because too much waited."
    );
    metrics::describe_gauge!("looks_waiting", "Looks that wait to be stored.");
    metrics::describe_histogram!(
        "looks_group_size",
        "Looks that were stored together by one statement."
    );
    metrics::describe_histogram!(
        "looks_wait_seconds",
        "Time that the oldest look of a group waited before it was sent to the database."
    );
    metrics::describe_histogram!(
        "looks_commit_seconds",
        "Time of a statement that stores looks, its commit included."
    );
    metrics::describe_counter!(
        "looks_retries_total",
        "Statements of looks that were tried again after a passing failure."
    );
}

fn describe_sync() {
    metrics::describe_gauge!("sync_streams", "Live streams of changes that are open.");
    metrics::describe_counter!(
        "sync_streams_refused_total",
        "Streams that were not begun, by reason: full, too_many, ending, away."
    );
    metrics::describe_counter!(
        "sync_idle_pulls_total",
        "Pulls with nothing new that were answered without a statement of their own."
    );
    metrics::describe_counter!(
        "sync_readings_total",
        "Readings of the end of the feed, which such pulls share and which wake streams."
    );
}

fn describe_jobs() {
    metrics::describe_counter!(
        "job_steps_total",
        "Steps of the background jobs by name and outcome: worked, idle, failed."
    );
    metrics::describe_gauge!(
        "job_succeeded_timestamp_seconds",
        "When a step of a background job last succeeded, as Unix time, by name."
    );
}

async fn tidy(handle: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP_EVERY).await;
        handle.run_upkeep();
    }
}
