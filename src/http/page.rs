//! Keyset pages: a cursor says after which entry to go on. Never an offset.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{
    Problem, etag,
    limits::{PAGE_DEFAULT, PAGE_MAX},
};

/// What no cursor of ours holds, and the database cannot compare with: years before 0, NUL.
const FOREIGN: [&str; 2] = ["\"-", "\\u0000"];

/// Entries of the page that the client asked for, checked.
pub fn page_size(limit: Option<u32>) -> Result<u32, Problem> {
    match limit.unwrap_or(PAGE_DEFAULT) {
        limit @ 1..=PAGE_MAX => Ok(limit),
        limit => Err(Problem::bad_request(
            "invalid_query",
            format!("limit: found {limit}; 1 to {PAGE_MAX} are allowed"),
        )),
    }
}

/// Cuts a list that was read with one entry too many to the page's size, and gives the last
/// entry that stays when there are more.
pub fn cut<T>(entries: &mut Vec<T>, limit: u32) -> Option<&T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > limit;
    entries.truncate(limit);
    if more { entries.last() } else { None }
}

/// A page as JSON, with the next one in `Link` too.
pub fn respond<T: Serialize>(body: &T, next: Option<&str>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "private, no-cache"));
    if let Some(link) = next.and_then(link) {
        response.insert_header((header::LINK, link));
    }
    response.json(body)
}

/// The same with a strong tag, or 304 when the client has the page already.
pub fn respond_tagged<T: Serialize>(
    req: &HttpRequest,
    body: &T,
    next: Option<&str>,
) -> Result<HttpResponse, Problem> {
    let bytes = serde_json::to_vec(body).map_err(|e| Problem::internal(&e))?;
    let tag = etag::of_hash(&Sha256::digest(&bytes));
    let body = || Ok(bytes.into());
    let mut response = etag::respond(req, &tag, "private, no-cache", body, "application/json")?;
    if let Some(link) = next.and_then(link) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// The value of `Link` that names the next page.
pub fn link(next: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok()
}

/// The place of an entry as an opaque text.
pub fn encode_cursor<T: Serialize>(place: &T) -> String {
    // Serializing tuples of plain values cannot fail.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

pub fn decode_cursor<T: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<T>, Problem> {
    let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else {
        return Ok(None);
    };
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|text| !FOREIGN.iter().any(|sign| text.contains(sign)))
        .and_then(|text| serde_json::from_str(&text).ok())
        .map(Some)
        .ok_or_else(|| {
            Problem::bad_request(
                "invalid_cursor",
                "cursor: it is not one of ours. Start without it, and follow `next`.",
            )
        })
}

/// The address of the next page: this query with another cursor.
pub fn next_url(path: &str, query: &str, cursor: &str) -> String {
    let kept = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "cursor");
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("cursor", cursor)
        .finish();
    format!("{path}?{query}")
}
