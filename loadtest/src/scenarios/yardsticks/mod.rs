//! What writes are measured by: the same rows straight into PostgreSQL.

mod pgbench;
mod unnest;

pub use pgbench::Pgbench;
pub use unnest::Unnest;
