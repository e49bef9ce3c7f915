//! Which answers are compressed on their way, and how.

use actix_http::encoding::Encoder;
use actix_web::{
    body::{BodySize, MessageBody},
    dev::ServiceResponse,
    http::header::{self, ContentEncoding, HeaderMap},
};

use super::events;

/// Bytes of an answer from which on it is compressed. A smaller one fits one packet as it is, and
/// packing it would cost more than making it.
const PACKED_MIN: u64 = 1024;
/// What is packed on the way, best first.
const CODINGS: [(&str, ContentEncoding); 4] = [
    ("br", ContentEncoding::Brotli),
    ("gzip", ContentEncoding::Gzip),
    ("zstd", ContentEncoding::Zstd),
    ("deflate", ContentEncoding::Deflate),
];

/// Compresses an answer when the client takes it so and it is worth it. One that is packed already
/// is left as it is.
pub fn pack<B: MessageBody>(response: ServiceResponse<B>) -> ServiceResponse<Encoder<B>> {
    let coding = choose(&response);
    response.map_body(|head, body| Encoder::response(coding, head, body))
}

fn choose<B: MessageBody>(response: &ServiceResponse<B>) -> ContentEncoding {
    let (asked, answered) = (response.request().headers(), response.headers());
    let is_small =
        matches!(response.response().body().size(), BodySize::Sized(bytes) if bytes < PACKED_MIN);
    let accepted = asked
        .get(header::ACCEPT_ENCODING)
        .and_then(|accepted| accepted.to_str().ok());
    match accepted {
        Some(accepted)
            if !is_small
                && !answered.contains_key(header::CONTENT_ENCODING)
                && !is_sent_plain(answered) =>
        {
            CODINGS
                .into_iter()
                .find(|(name, _)| takes(accepted, name))
                .map_or(ContentEncoding::Identity, |(_, coding)| coding)
        }
        _ => ContentEncoding::Identity,
    }
}

/// Images and films, which are packed by their nature, and events, which packing would hold back.
fn is_sent_plain(answered: &HeaderMap) -> bool {
    let media_type = answered
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    (media_type.starts_with("image/") && !media_type.starts_with("image/svg"))
        || media_type.starts_with("video/")
        || events::is_endless(answered)
}

/// Whether an `Accept-Encoding` names a coding and does not refuse it (RFC 9110, 12.5.3). What is
/// only meant by `*` is not sent.
pub fn takes(accepted: &str, coding: &str) -> bool {
    accepted.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(coding))
            && !parts.any(|part| {
                let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
                weight.is_some_and(|weight| weight.parse::<f32>().is_ok_and(|q| q <= 0.0))
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_is_taken_when_it_is_named_and_not_refused() {
        for accepted in ["br", "gzip, br", "GZIP;q=0.1,BR ; q=0.5", "br;q=1"] {
            assert!(takes(accepted, "br"), "{accepted}");
        }
        for accepted in ["", "*", "gzip", "br;q=0", "gzip, br;q=0.000", "brr", "br2"] {
            assert!(!takes(accepted, "br"), "{accepted}");
        }
    }
}
