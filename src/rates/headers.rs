//! What answers tell of a limit: the `RateLimit` fields of the IETF's draft
//! (draft-ietf-httpapi-ratelimit-headers-10), and those that older clients know.

use std::fmt::Write;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;

use super::limit::{Rule, Standing};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Tells the caller how they stand, unless the answer may be kept for others: then it must be the
/// same for all.
pub fn add(headers: &mut HeaderMap, rule: &Rule, standing: Standing) {
    if is_for_everybody(headers) {
        return;
    }
    let Standing {
        left,
        reset_secs,
        reset_at,
        ..
    } = standing;
    let mut text = String::with_capacity(160);
    // Clients that know the draft ignore the last three parameters; those of its seventh version
    // read nothing else, also when there are `X-` headers.
    let _infallible = write!(
        text,
        "\"{}\";r={left};t={reset_secs};limit={};remaining={left};reset={reset_secs}",
        rule.limit.as_str(),
        rule.units
    );
    let combined = text.len();
    let _infallible = write!(text, "{left}");
    let remaining = text.len();
    let _infallible = write!(text, "{reset_at}");
    // One piece of memory for all three.
    let text = Bytes::from(text);
    headers.insert(RATE_LIMIT_POLICY, rule.policy.clone());
    headers.insert(LIMIT, rule.units_text.clone());
    for (name, value) in [
        (RATE_LIMIT, text.slice(..combined)),
        (REMAINING, text.slice(combined..remaining)),
        (RESET, text.slice(remaining..)),
    ] {
        if let Ok(value) = HeaderValue::from_maybe_shared(value) {
            headers.insert(name, value);
        }
    }
}

fn is_for_everybody(headers: &HeaderMap) -> bool {
    headers
        .get(header::CACHE_CONTROL)
        .is_some_and(|value| value.as_bytes().starts_with(b"public"))
}
