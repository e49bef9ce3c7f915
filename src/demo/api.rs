//! The public API, as its clients use it.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Client, Method, StatusCode, header};
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(30);

/// One caller: a volunteer, an organiser, or nobody yet.
#[derive(Clone)]
pub struct Api {
    client: Client,
    base: String,
    bearer: Option<String>,
}

/// What the server said.
pub struct Answer {
    pub status: StatusCode,
    pub etag: Option<String>,
    pub retry_after: Option<Duration>,
    pub body: Value,
}

impl Answer {
    /// The body of a success; otherwise an error with the server's words.
    pub fn good(self) -> anyhow::Result<Value> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        bail!("{}: {}", self.status, self.words())
    }

    pub fn words(&self) -> String {
        match (&self.body["detail"], &self.body["errors"]) {
            (Value::String(detail), Value::Null) => detail.clone(),
            (Value::String(detail), errors) => format!("{detail} {errors}"),
            _ => self.body.to_string(),
        }
    }

    /// The stable code of a problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Api {
    pub fn new(base: &str) -> anyhow::Result<Self> {
        let client = Client::builder()
            .user_agent(concat!("spotter-demo/", env!("CARGO_PKG_VERSION")))
            .timeout(TIMEOUT)
            .no_proxy()
            .build()
            .context("an HTTP client")?;
        Ok(Self {
            client,
            base: base.trim_end_matches('/').to_owned(),
            bearer: None,
        })
    }

    /// The same server for another caller; connections are shared.
    pub fn with_bearer(&self, bearer: &str) -> Self {
        Self {
            bearer: Some(bearer.to_owned()),
            ..self.clone()
        }
    }

    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.call(Method::GET, path, None, None).await
    }

    pub async fn post(&self, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        self.call(Method::POST, path, None, body).await
    }

    pub async fn call(
        &self,
        method: Method,
        path: &str,
        if_match: Option<&str>,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(tag) = if_match {
            request = request.header(header::IF_MATCH, tag);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let text = |name: header::HeaderName| {
            Some(response.headers().get(name)?.to_str().ok()?.to_owned())
        };
        let (status, etag) = (response.status(), text(header::ETAG));
        let retry_after = text(header::RETRY_AFTER)
            .and_then(|secs| secs.parse().ok())
            .map(Duration::from_secs);
        let bytes = response.bytes().await?;
        // A proxy's page of error is no JSON; its status says enough.
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer {
            status,
            etag,
            retry_after,
            body,
        })
    }
}
