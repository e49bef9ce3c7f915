//! Entity tags: strong, one for each content coding, and the preconditions built on them.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
};

use bytes::Bytes;

use super::Problem;

/// Codings in which answers are sent. The tag of a compressed answer is `"tag.coding"`, since
/// a strong tag must differ when the bytes do (RFC 9110, 8.8.3).
pub const CODINGS: [&str; 4] = ["br", "gzip", "zstd", "deflate"];

/// A tag for content with this hash: its first 16 hex digits.
pub fn of_hash(hash: &[u8]) -> String {
    hash.iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .take(16)
        .collect()
}

/// Whether `If-None-Match` names this tag (weak comparison).
pub fn none_match(headers: &HeaderMap, tag: &str) -> bool {
    known(headers, tag).is_some()
}

/// The tag of the coding that the client has, when `If-None-Match` names this tag (weak
/// comparison): a 304 names it too (RFC 9110, 15.4.5).
pub fn known(headers: &HeaderMap, tag: &str) -> Option<HeaderValue> {
    let mut any = false;
    for found in tags(headers, &header::IF_NONE_MATCH) {
        let strong = found.trim_start_matches("W/");
        if bare(strong) == Some(tag) {
            return HeaderValue::from_str(strong).ok();
        }
        any |= found == "*";
    }
    any.then(|| HeaderValue::from_str(&format!("\"{tag}\"")).ok())?
}

/// Demands that `If-Match` names this tag (strong comparison): 428 without it, 412 when it
/// names another.
pub fn require_match(req: &HttpRequest, tag: &str) -> Result<(), Problem> {
    let headers = req.headers();
    if !headers.contains_key(header::IF_MATCH) {
        return Err(Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "if_match_required",
            "Send If-Match with the ETag that you read, so that nobody's change is overwritten unseen.",
        ));
    }
    let matches =
        tags(headers, &header::IF_MATCH).any(|found| found == "*" || bare(found) == Some(tag));
    if matches {
        return Ok(());
    }
    Err(changed_meanwhile())
}

/// Demands that `If-Match` names this version. A campaign's tag may have its layer's revision
/// behind the version (`"7-2"`); only the version counts.
pub fn require_version(req: &HttpRequest, version: i32) -> Result<(), Problem> {
    let version = version.to_string();
    let named = tags(req.headers(), &header::IF_MATCH)
        .filter_map(bare)
        .find(|tag| tag.split('-').next() == Some(version.as_str()));
    require_match(req, named.unwrap_or(&version))
}

/// Somebody else's change came first.
pub fn changed_meanwhile() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "changed_meanwhile",
        "It was changed meanwhile. Read it again, then repeat the change.",
    )
}

/// The answer to a `GET`: the body with its tag, or 304 when the client has it already.
pub fn respond(
    req: &HttpRequest,
    tag: &str,
    cache_control: &'static str,
    body: impl FnOnce() -> Result<Bytes, Problem>,
    content_type: &'static str,
) -> Result<HttpResponse, Problem> {
    if let Some(known) = known(req.headers(), tag) {
        return Ok(HttpResponse::NotModified()
            .insert_header((header::ETAG, known))
            .insert_header((header::CACHE_CONTROL, cache_control))
            .finish());
    }
    let mut response = HttpResponse::Ok();
    response.insert_header((header::ETAG, format!("\"{tag}\"")));
    response.insert_header((header::CACHE_CONTROL, cache_control));
    response.insert_header((header::CONTENT_TYPE, content_type));
    Ok(response.body(body()?))
}

/// A JSON answer with a tag.
pub fn respond_json<T: serde::Serialize>(
    req: &HttpRequest,
    tag: &str,
    cache_control: &'static str,
    value: &T,
) -> Result<HttpResponse, Problem> {
    respond(
        req,
        tag,
        cache_control,
        || {
            serde_json::to_vec(value)
                .map(Bytes::from)
                .map_err(|e| Problem::internal(&e))
        },
        "application/json",
    )
}

fn tags<'a>(headers: &'a HeaderMap, name: &'a header::HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// What stands between the quotes, without the coding.
fn bare(tag: &str) -> Option<&str> {
    let inner = tag.strip_prefix('"')?.strip_suffix('"')?;
    let without = inner
        .rsplit_once('.')
        .filter(|(_, coding)| CODINGS.contains(coding))
        .map_or(inner, |(tag, _)| tag);
    Some(without)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_with_and_without_its_coding() {
        assert_eq!(bare("\"7\""), Some("7"));
        assert_eq!(bare("\"7.gzip\""), Some("7"));
        assert_eq!(bare("\"7.5\""), Some("7.5"));
        assert_eq!(bare("7"), None);
        assert_eq!(bare("W/\"7\""), None);
    }
}
