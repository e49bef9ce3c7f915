//! One device of a volunteer, as simple as can be: it keeps documents and where it stands.

use std::collections::BTreeMap;

use crate::harness::{App, Campaign, Cell, Client, Reply, Value, eventually, id, json};

pub const THEN: &str = "2026-03-08T10:00:00.000Z";

pub struct Phone {
    pub client: Client,
    pub collection: &'static str,
    /// Where it stands: `lwt` and `id`.
    pub at: (Value, String),
    pub documents: BTreeMap<String, Value>,
}

impl Phone {
    pub fn new(client: &Client, collection: &'static str) -> Self {
        Self {
            client: client.clone(),
            collection,
            at: (json!(0), String::new()),
            documents: BTreeMap::new(),
        }
    }

    fn address(&self, end: &str) -> String {
        format!("/v1/sync/rxdb/{}/0/{end}", self.collection)
    }

    pub async fn ask(&self, limit: usize) -> Reply {
        let (lwt, id) = &self.at;
        let pull = self.address(&format!("pull?lwt={lwt}&id={id}&limit={limit}"));
        self.client.get(&pull).await
    }

    /// Waits until every server gives so many documents from here: other tests hold back what is final.
    pub async fn is_given(&self, count: usize) {
        let documents = async || {
            let page = self.ask(1000).await.expect(200);
            page["documents"].as_array().unwrap().len()
        };
        eventually(&format!("every server gives {count}"), || async {
            // Calls go to the servers in turn.
            for _ in 0..4 {
                if documents().await < count {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }

    /// Waits until every server says that it cannot be gone on from here.
    pub async fn must_start_again(&self) {
        eventually("every server refuses", || async {
            for _ in 0..4 {
                let reply = self.ask(10).await;
                if reply.status == 200 {
                    return None;
                }
                reply.refused(426, "sync_start_again");
            }
            Some(())
        })
        .await;
    }

    /// One page; how many documents it had.
    pub async fn page(&mut self, limit: usize) -> usize {
        let page = self.ask(limit).await.expect(200);
        let checkpoint = &page["checkpoint"];
        self.at = (
            checkpoint["lwt"].clone(),
            checkpoint["id"].as_str().unwrap().to_owned(),
        );
        let documents = page["documents"].as_array().unwrap();
        for document in documents {
            let id = document["id"].as_str().unwrap().to_owned();
            self.documents.insert(id, document.clone());
        }
        documents.len()
    }

    /// All pages, as the stock client reads them.
    pub async fn pull(&mut self) {
        while self.page(100).await == 100 {}
    }

    /// Pulls until it has so many documents: other tests hold back what is final.
    pub async fn pull_until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let phone = tokio::sync::Mutex::new(self);
        eventually(what, || async {
            let mut phone = phone.lock().await;
            phone.pull().await;
            holds(&phone).then_some(())
        })
        .await;
    }

    pub async fn has(&mut self, count: usize) {
        self.pull_until(&format!("{count} documents are there"), |phone| {
            phone.documents.len() == count
        })
        .await;
    }

    /// Waits until the document is so.
    pub async fn sees(&mut self, id: &str, pointer: &str, value: &Value) {
        self.pull_until(&format!("{id} has {value} at {pointer}"), |phone| {
            let known = phone.documents.get(id);
            known.is_some_and(|known| known.pointer(pointer).unwrap_or(&Value::Null) == value)
        })
        .await;
    }

    pub async fn push(&self, rows: impl IntoIterator<Item = Value>) -> Reply {
        let rows: Vec<Value> = rows.into_iter().collect();
        self.client.post(&self.address("push")).json(rows).await
    }

    /// Pushes and demands that all is taken.
    pub async fn pushes(&self, rows: impl IntoIterator<Item = Value>) {
        assert_eq!(self.push(rows).await.expect(200), json!([]));
    }
}

/// Something new.
pub fn new(document: &Value) -> Value {
    json!({"newDocumentState": document})
}

/// A change of what is known.
pub fn change(from: &Value, to: &Value) -> Value {
    json!({"newDocumentState": to, "assumedMasterState": from})
}

pub fn look(campaign: &Campaign, cell: Cell, outcome: &str) -> Value {
    json!({"id": id(), "campaign": campaign.id, "cell": cell.to_string(), "outcome": outcome,
           "started_at": THEN, "finished_at": THEN, "_deleted": false})
}

pub fn tag(campaign: &Campaign, look: &Value, place: [f64; 2]) -> Value {
    json!({"id": id(), "look_id": look["id"], "campaign": campaign.id, "tag_type": "wreckage",
           "geometry": {"type": "Point", "coordinates": place}, "_deleted": false})
}

/// The same with another member.
pub fn with(document: &Value, member: &str, value: impl Into<Value>) -> Value {
    let mut document = document.clone();
    document[member] = value.into();
    document
}

pub fn deleted(document: &Value) -> Value {
    with(document, "_deleted", true)
}

pub fn id_of(document: &Value) -> &str {
    document["id"].as_str().unwrap()
}

/// Waits until all that was stored is final: a transaction that began before, also one of another
/// test, holds it back.
pub async fn all_is_final(app: &App) {
    let next = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
    let next = app.number(next).await;
    eventually("all transactions before have ended", || async {
        let oldest = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
        (app.number(oldest).await >= next).then_some(())
    })
    .await;
}
