//! Calls as people make them: a path, perhaps a body and headers, and an answer to look at.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// Whoever calls: with a token, with a key, or nobody. Each call goes to the next server.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    servers: Arc<Vec<String>>,
    turn: Arc<AtomicUsize>,
    bearer: Option<String>,
    /// The volunteer's id, for a volunteer.
    pub id: String,
}

impl Client {
    pub fn new(servers: Vec<String>) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()
            .unwrap();
        Self {
            http,
            servers: Arc::new(servers),
            turn: Arc::default(),
            bearer: None,
            id: String::new(),
        }
    }

    /// The same caller with other credentials.
    pub fn with_bearer(&self, bearer: &str) -> Self {
        Self {
            bearer: Some(bearer.to_owned()),
            ..self.clone()
        }
    }

    /// The same caller at one server only.
    pub fn at(&self, server: &str) -> Self {
        Self {
            servers: Arc::new(vec![server.to_owned()]),
            ..self.clone()
        }
    }

    /// The same caller at these servers in turn.
    pub fn among(&self, servers: &[String]) -> Self {
        Self {
            servers: Arc::new(servers.to_vec()),
            ..self.clone()
        }
    }

    pub fn bearer(&self) -> &str {
        self.bearer.as_deref().unwrap_or_default()
    }

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub fn head(&self, path: &str) -> Call {
        self.call(Method::HEAD, path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    pub fn call(&self, method: Method, path: &str) -> Call {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let server = &self.servers[turn % self.servers.len()];
        let name = format!("{method} {path}");
        let mut request = self.http.request(method, format!("{server}{path}"));
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer);
        }
        Call { name, request }
    }
}

/// A call that is made when it is awaited.
pub struct Call {
    name: String,
    request: RequestBuilder,
}

impl Call {
    pub fn json(self, body: impl serde::Serialize) -> Self {
        let text = serde_json::to_vec(&body).unwrap();
        self.header("Content-Type", "application/json").body(text)
    }

    pub fn body(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.body(body);
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn if_match(self, tag: &str) -> Self {
        self.header("If-Match", tag)
    }

    /// The answer whose body is still to come.
    pub async fn open(self) -> reqwest::Response {
        self.request.send().await.unwrap()
    }

    /// The answer, or why there is none.
    pub async fn attempt(self) -> Result<Reply, reqwest::Error> {
        let response = self.request.send().await?;
        Ok(Reply {
            call: self.name,
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
        })
    }
}

impl IntoFuture for Call {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let name = self.name.clone();
            match self.attempt().await {
                Ok(reply) => reply,
                Err(e) => panic!("{name}: no answer: {e:?}"),
            }
        })
    }
}

/// An answer.
pub struct Reply {
    call: String,
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub fn etag(&self) -> &str {
        self.header("etag")
    }

    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(e) => panic!("{self:?}: no JSON: {e}"),
        }
    }

    /// Demands a status, whatever the body is.
    #[track_caller]
    pub fn expect_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Demands a status and gives the body, `null` when there is none.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Demands a well-formed problem with this status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        let problem = self.json();
        assert_eq!(problem["code"], code, "{self:?}");
        assert_eq!(problem["status"], status, "{self:?}");
        assert_eq!(
            problem["request_id"],
            self.header("x-request-id"),
            "{self:?}"
        );
        assert!(
            problem["title"].is_string() && problem["type"].is_string(),
            "{self:?}"
        );
        assert!(
            problem["detail"]
                .as_str()
                .is_some_and(|text| text.len() > 10),
            "{self:?}"
        );
        problem
    }

    /// Demands a 422 that names this member, and gives what it says of it.
    #[track_caller]
    pub fn refused_at(&self, code: &str, pointer: &str) -> String {
        let problem = self.refused(422, code);
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let named = errors.iter().find(|error| error["pointer"] == pointer);
        match named.and_then(|error| error["detail"].as_str()) {
            Some(detail) => detail.to_owned(),
            None => panic!("no error at {pointer:?}: {self:?}"),
        }
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body: String = self.text().chars().take(2000).collect();
        write!(
            f,
            "{} answered {} {:?}\n{body}",
            self.call, self.status, self.headers
        )
    }
}
