//! Server-sent events, read as they come.

use super::{DEADLINE, Value, client::Call};

/// One open stream.
pub struct Events {
    response: reqwest::Response,
    read: String,
    /// The last id that was said, by an event or alone.
    pub last_id: String,
    /// What was said last of when to come back, in milliseconds.
    pub retry_ms: Option<u64>,
}

/// One event.
#[derive(Debug)]
pub struct Event {
    pub data: Value,
}

impl Event {
    /// Ids of its documents.
    pub fn ids(&self) -> Vec<String> {
        let documents = self.data["documents"].as_array().unwrap();
        let id = |document: &Value| document["id"].as_str().unwrap().to_owned();
        documents.iter().map(id).collect()
    }
}

impl Events {
    /// Opens a stream, which is begun once this returns.
    pub async fn open(call: Call) -> Self {
        let response = call.open().await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut events = Self {
            response,
            read: String::new(),
            last_id: String::new(),
            retry_ms: None,
        };
        events.until(|events| events.retry_ms.is_some()).await;
        events
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self.response.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The next event; nothing when the server ends the stream.
    pub async fn next(&mut self) -> Option<Event> {
        let reading = async {
            loop {
                match self.block().await {
                    Some(Some(event)) => return Some(event),
                    Some(None) => {}
                    None => return None,
                }
            }
        };
        tokio::time::timeout(DEADLINE, reading)
            .await
            .expect("an event, or the end")
    }

    /// Ids of as many documents as are wanted, in their order.
    pub async fn documents(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        while ids.len() < count {
            ids.extend(self.next().await.expect("the stream goes on").ids());
        }
        ids
    }

    /// Reads what is no event until something holds.
    pub async fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        let reading = async {
            while !holds(self) {
                let block = self.block().await.expect("the stream goes on");
                assert!(block.is_none(), "{block:?}");
            }
        };
        tokio::time::timeout(DEADLINE, reading).await.unwrap();
    }

    /// The next thing that is said, which need be no event.
    async fn block(&mut self) -> Option<Option<Event>> {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.read = rest;
                return Some(self.take(&block));
            }
            let piece = self.response.chunk().await.ok().flatten()?;
            self.read.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    fn take(&mut self, block: &str) -> Option<Event> {
        let mut data = None;
        for line in block.lines() {
            let (field, value) = line.split_once(": ").unwrap_or((line, ""));
            match field {
                "id" => value.clone_into(&mut self.last_id),
                "retry" => self.retry_ms = Some(value.parse().unwrap()),
                "data" => data = Some(serde_json::from_str(value).unwrap()),
                ":" => {}
                other => panic!("unknown field {other:?}"),
            }
        }
        data.map(|data| Event { data })
    }
}
