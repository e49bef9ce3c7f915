//! Requests of volunteers who try again, a little later each time.

use std::time::Duration;

use rand::{Rng, rngs::StdRng};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::super::api::{Answer, Api};

const TRIES: u32 = 8;
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// One request that may be repeated: all of ours carry ids of the client.
pub struct Request<'a> {
    pub method: Method,
    pub path: &'a str,
    pub if_match: Option<&'a str>,
    pub body: Option<&'a Value>,
}

/// Sends until there is an answer that another try would not change; nothing if there is none.
pub async fn send(api: &Api, request: Request<'_>, dice: &mut StdRng) -> Option<Answer> {
    let mut pause = FIRST;
    for _ in 0..TRIES {
        let answer = api
            .call(
                request.method.clone(),
                request.path,
                request.if_match,
                request.body,
            )
            .await;
        let asked = match answer {
            Ok(answer) if !passing(answer.status) => return Some(answer),
            Ok(answer) => answer.retry_after,
            Err(_) => None,
        };
        // Spread, so that those who were refused together do not come back together.
        let wait = asked.unwrap_or(pause).mul_f64(dice.random_range(1.0..1.5));
        tokio::time::sleep(wait).await;
        pause = (pause * 2).min(LONGEST);
    }
    None
}

fn passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}
