//! Spotter: the backend with which a crowd searches imagery.
//!
//! The modules stand in dependency order: each uses only modules above it
//! (`tests/architecture.rs` enforces it). ARCHITECTURE.md has the map.

// Platform: knows no feature.
pub mod config;
pub mod telemetry;
pub mod clock;
pub mod geo;
pub mod db;
pub mod cache;
pub mod objects;
pub mod http;

// Record keeping, used by all features.
pub mod feed;
pub mod state;

// Features.
pub mod accounts;
pub mod rates;
pub mod admission;
pub mod imagery;
pub mod campaigns;
pub mod assignments;
pub mod cells;
pub mod prefetch;
pub mod looks;
pub mod packs;
pub mod sync;
pub mod progress;
pub mod downloads;
pub mod preparation;
pub mod volunteers;
pub mod verification;

// Assembly.
pub mod pages;
pub mod server;
pub mod worker;
pub mod demo;
pub mod cli;
