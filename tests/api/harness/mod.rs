//! What every test stands on: a database of its own, the real program as child processes, a
//! client, a source of tiles, and short builders for layers and campaigns.

pub mod app;
pub mod balancer;
pub mod between;
pub mod client;
pub mod db;
pub mod events;
pub mod fixtures;
pub mod memcached;
pub mod places;
pub mod postgres;
pub mod proxy;
pub mod s3;
pub mod source;
pub mod wire;

use std::{future::Future, time::Duration};

pub use app::App;
pub use client::{Client, Reply};
pub use events::Events;
pub use fixtures::{Campaign, look, nothing, point, tag, tagged};
pub use places::Cell;
pub use serde_json::{Value, json};
pub use source::Source;

/// Longest wait for something that must happen.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// In this time everybody sees what an organiser changed, at every server.
pub const CHANGES_SEEN_IN: Duration = Duration::from_secs(2);

/// Waits until a condition gives a value; fails the test when it does not within [`DEADLINE`].
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    condition: impl Fn() -> F,
) -> T {
    within(DEADLINE, what, condition).await
}

/// The same with another deadline.
pub async fn within<T, F: Future<Output = Option<T>>>(
    deadline: Duration,
    what: &str,
    condition: impl Fn() -> F,
) -> T {
    let polling = async {
        loop {
            if let Some(value) = condition().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    };
    tokio::time::timeout(deadline, polling)
        .await
        .unwrap_or_else(|_elapsed| panic!("it did not happen within {deadline:?}: {what}"))
}

/// A port for a program that cannot choose one by itself. It lies below the range from which the
/// kernel gives ports to outgoing connections, so that none of these takes it meanwhile.
pub fn free_port() -> u16 {
    let first = 10_000 + u16::try_from(uuid::Uuid::new_v4().as_u128() % 10_000).unwrap();
    let mut ports = (first..20_000).chain(10_000..first);
    ports
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}

/// Whether this run goes through `PgBouncer`. What has nothing to do with the database is left to
/// the run without it, which repeats a part of the others (`./dev test`).
pub fn is_repetition() -> bool {
    db::pgbouncer().is_some()
}

/// A new id, as a client makes it.
pub fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}
