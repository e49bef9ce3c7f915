//! The API, tested from outside: real `spotter` processes on real PostGIS and memcached.
//!
//! Each file mirrors a feature, each name is a rule. `./dev test` starts what is needed; by hand
//! set `DATABASE_URL` and `MEMCACHED`.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod harness;

mod accounts;
mod areas;
mod assignments;
mod campaign_refusals;
mod campaigns;
mod degraded;
mod http;
mod imagery;
mod lifecycle;
mod looks;
mod looks_over_time;
mod operations;
mod preparation;
mod progress;
mod tags;
mod tiles;
