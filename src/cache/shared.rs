//! The tier that all servers share: each key at one of the memcacheds.
//!
//! **Invariant:** a key never moves to another node because its own is away. A node that comes
//! back would otherwise give what was forgotten elsewhere meanwhile.

use std::time::Duration;

use futures_util::future::join_all;

use super::{
    Health,
    entry::Entry,
    node::{Answer, Node},
    router::route,
};

/// Bytes of an entry; memcached takes a mebibyte unless told otherwise. What is larger stays in
/// the memory of each process.
const ENTRY_BYTES_MAX: usize = 1_000_000;
/// For how long one server alone loads a key. Should it die, the others go on after that.
const LEASE: Duration = Duration::from_secs(2);
/// How long what the health check writes stays.
const HEALTH_LIFETIME: Duration = Duration::from_mins(1);

pub struct Shared {
    nodes: Vec<Node>,
    prefix: String,
}

/// What memcached has under a name.
#[derive(Debug)]
pub enum Reading {
    Found(Entry),
    /// Nothing, or nothing that can be read.
    Nothing,
    Failed,
    LeftAlone,
}

/// Who loads a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lease {
    /// We do, for all servers, under this token.
    Ours(u64),
    /// Another server does.
    Taken,
    /// Nobody knows.
    Unknown,
}

impl Shared {
    pub async fn open(addresses: &[String], prefix: &str) -> anyhow::Result<Self> {
        let mut nodes = Vec::new();
        for address in addresses {
            nodes.push(Node::open(address).await?);
        }
        anyhow::ensure!(!nodes.is_empty(), "MEMCACHED names no server");
        Ok(Self {
            nodes,
            prefix: prefix.to_owned(),
        })
    }

    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    pub async fn read(&self, name: &str) -> Reading {
        match self.node(name).get(name).await {
            Answer::Given(bytes) => bytes
                .and_then(|bytes| Entry::parse(&bytes))
                .map_or(Reading::Nothing, Reading::Found),
            Answer::Failed => Reading::Failed,
            Answer::LeftAlone => Reading::LeftAlone,
        }
    }

    /// Memcached may be away, or find the entry too large: then it is loaded again next time.
    /// Whether it is kept.
    pub async fn write(&self, name: &str, entry: Vec<u8>, kept: Duration) -> bool {
        entry.len() <= ENTRY_BYTES_MAX
            && matches!(
                self.node(name).set(name, entry, kept).await,
                Answer::Given(())
            )
    }

    /// The same under a lease. Who has it no more loaded too slowly, or something changed
    /// meanwhile: then the entry is not written.
    pub async fn write_leased(&self, name: &str, token: u64, entry: Vec<u8>, kept: Duration) {
        let (node, lease) = (self.node(name), lease_of(name));
        let Answer::Given(Some(holder)) = node.get(&lease).await else {
            return;
        };
        if holder == token.to_string().into_bytes() {
            self.write(name, entry, kept).await;
            node.delete(&lease).await;
        }
    }

    /// Tries to be the one who loads.
    pub async fn lease(&self, name: &str) -> Lease {
        let token: u64 = rand::random();
        let content = token.to_string().into_bytes();
        let added = self.node(name).add(&lease_of(name), content, LEASE).await;
        match added {
            Answer::Given(true) => Lease::Ours(token),
            Answer::Given(false) => Lease::Taken,
            Answer::Failed | Answer::LeftAlone => Lease::Unknown,
        }
    }

    /// Gives a lease back under which nothing was loaded.
    pub async fn end_lease(&self, name: &str) {
        self.node(name).delete(&lease_of(name)).await;
    }

    /// Forgets an entry, and who loads it.
    pub async fn forget(&self, name: &str) {
        let node = self.node(name);
        let lease = lease_of(name);
        let (value, _) = futures_util::future::join(node.delete(name), node.delete(&lease)).await;
        if !matches!(value, Answer::Given(())) {
            tracing::debug!(
                cache.key = name,
                "memcached kept an old entry; it lapses by itself"
            );
        }
    }

    /// See [`Node::change`]; whether memcached answered.
    pub async fn change(
        &self,
        name: &str,
        lifetime: Duration,
        change: impl FnMut(Option<u64>) -> Option<u64>,
    ) -> bool {
        let changed = self.node(name).change(name, lifetime, change).await;
        matches!(changed, Answer::Given(()))
    }

    pub async fn append(&self, name: &str, text: &str, lifetime: Duration) {
        self.node(name).append(name, text, lifetime).await;
    }

    pub async fn text(&self, name: &str) -> Option<Vec<u8>> {
        match self.node(name).get(name).await {
            Answer::Given(text) => text,
            Answer::Failed | Answer::LeftAlone => None,
        }
    }

    pub async fn health(&self) -> Health {
        let name = format!("{}:health", self.prefix);
        let asked = self
            .nodes
            .iter()
            .map(|node| node.is_up(&name, HEALTH_LIFETIME));
        if join_all(asked).await.into_iter().all(|up| up) {
            Health::Up
        } else {
            Health::Away
        }
    }

    fn node(&self, name: &str) -> &Node {
        let index = match self.nodes.as_slice() {
            [_] => 0,
            nodes => route(name, nodes.iter().map(|node| node.address.as_str())),
        };
        &self.nodes[index]
    }
}

/// The lease lies at the node of its value.
fn lease_of(name: &str) -> String {
    format!("{name}:lease")
}
