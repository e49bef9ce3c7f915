//! Makes the demo's search through the public API.
//!
//! **Invariant:** it may run any number of times: what is there already stays, as somebody may
//! have changed it; only the address of the imagery follows the source's port.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{
    api::Api,
    definition::{self, CAMPAIGN, LAYER},
    say,
};

/// Longest wait for the squares of the search.
const PREPARATION_WAIT: Duration = Duration::from_mins(2);
const STEP: Duration = Duration::from_millis(100);

/// Returns when the demo's search is there and volunteers can start.
pub async fn seed(base: &str, key: &str, url_template: &str) -> anyhow::Result<()> {
    let api = Api::new(base)?.with_bearer(key);
    layer(&api, url_template)
        .await
        .context("its imagery layer")?;
    let path = format!("/v1/campaigns/{CAMPAIGN}");
    let found = api.get(&path).await?;
    let state = match found.status {
        StatusCode::NOT_FOUND => {
            say("making the demo's search …");
            api.post("/v1/campaigns", Some(&definition::campaign()))
                .await?
                .good()?;
            "draft".to_owned()
        }
        _ => state_of(&found.good()?),
    };
    if state == "draft" {
        api.post(&format!("{path}/publish"), None)
            .await?
            .good()
            .context("publishing it")?;
    }
    let opened = async {
        loop {
            let state = state_of(&api.get(&path).await?.good()?);
            if state != "draft" && state != "preparing" {
                return Ok(());
            }
            tokio::time::sleep(STEP).await;
        }
    };
    tokio::time::timeout(PREPARATION_WAIT, opened)
        .await
        .with_context(|| {
            format!(
                "its squares are not ready after {} s",
                PREPARATION_WAIT.as_secs()
            )
        })?
}

fn state_of(campaign: &serde_json::Value) -> String {
    campaign["state"].as_str().unwrap_or_default().to_owned()
}

async fn layer(api: &Api, url_template: &str) -> anyhow::Result<()> {
    let path = format!("/v1/imagery/{LAYER}");
    let found = api.get(&path).await?;
    if found.status == StatusCode::NOT_FOUND {
        api.post("/v1/imagery", Some(&definition::layer(url_template)))
            .await?
            .good()?;
        return Ok(());
    }
    let Some(etag) = found.etag.clone() else {
        bail!("{}: {}", found.status, found.words());
    };
    let layer = found.good()?;
    if layer["url_template"] != url_template {
        let change = json!({"url_template": url_template});
        api.call(Method::PATCH, &path, Some(&etag), Some(&change))
            .await?
            .good()?;
    }
    Ok(())
}
