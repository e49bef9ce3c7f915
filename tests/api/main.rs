//! The API, tested from outside: real `spotter` processes on real PostGIS and memcached.
//!
//! Each file mirrors a feature, each name is a rule. `./dev test` starts what is needed; by hand
//! set `DATABASE_URL` and `MEMCACHED`.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    reason = "`json!` makes values, and a table of cases is as long as it is"
)]

mod harness;

mod accounts;
mod admission;
mod admission_away;
mod admission_share;
mod area_parts;
mod area_repairs;
mod areas;
mod assignment_order;
mod assignments;
mod cache;
mod campaign_changes;
mod campaign_languages;
mod campaign_refusals;
mod campaigns;
mod changes_while_open;
mod cell_decisions;
mod cell_decisions_deck;
mod cell_decisions_numbers;
mod cells;
mod connections;
mod deck;
mod deck_near;
mod deck_servers;
mod degraded;
mod downloads;
mod feed;
mod group_commit;
mod http;
mod http_answers;
mod imagery;
mod imagery_secrets;
mod late_looks;
mod lifecycle;
mod look_checks;
mod looks;
mod looks_over_time;
mod looks_through_failures;
mod map_clients;
mod modes;
mod object_store;
mod operations;
mod oversized;
mod pack_limits;
mod packs;
mod pages;
mod prefetch;
mod prefetch_failures;
mod preparation;
mod preview;
mod probe;
mod progress;
mod rates;
mod rates_degraded;
mod rates_networks;
mod restore;
mod rolling_restart;
mod seen_within;
mod server_dies;
mod shared_answers;
mod simulation;
mod slow_clients;
mod strange_bodies;
mod sync;
mod sync_idle;
mod sync_streams;
mod tag_changes;
mod tags;
mod tile_answers;
mod tile_fleet;
mod tile_sources;
mod tile_upkeep;
mod tiles;
mod volunteer_codes;
mod volunteer_devices;
mod volunteer_forgetting;
mod volunteer_links;
mod volunteer_sync;
