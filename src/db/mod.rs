//! PostgreSQL with `PostGIS`.
//!
//! **Invariant:** every statement is typed (`query_typed`, `execute_typed`) and no type of an
//! extension crosses the wire, so that all of it works through `PgBouncer` in transaction mode
//! beside other processes. `tests/architecture.rs` looks for breaches.
//!
//! **Invariant:** every wait is bounded: for a connection, for connecting, for a lock.

mod error;
mod migrate;
mod pool;

pub use error::DbError;
pub use migrate::{migrate, schema_version};
pub use pool::{Connection, Db, Health};
pub use tokio_postgres::{GenericClient, Row, Transaction, types::Type};
