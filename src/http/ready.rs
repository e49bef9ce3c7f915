//! Answers made once and given often: their bytes in each coding, under strong tags.

use std::io::{self, Write};

use actix_web::{
    HttpResponse,
    body::BoxBody,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
};
use brotli::enc::BrotliEncoderParams;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use serde::{Deserialize, Serialize};

use super::{Problem, etag, packing::takes, page};

/// How hard brotli tries: beyond this, time grows faster than bytes shrink.
const BROTLI_QUALITY: i32 = 5;
/// Bytes below which packing an answer gains nothing.
const PACKED_FROM: usize = 256;

/// For everybody: a browser asks each time whether it changed, a CDN once a second. While no
/// server answers, a CDN may give what it has.
pub const SHARED: HeaderValue =
    HeaderValue::from_static("public, max-age=0, s-maxage=1, stale-if-error=300");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const VARY: HeaderValue = HeaderValue::from_static("Accept-Encoding");

/// A JSON answer.
#[derive(Clone, Debug)]
pub struct Ready {
    head: Head,
    plain: Form,
    brotli: Option<Form>,
    gzip: Option<Form>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Head {
    /// Without quotes and coding.
    tag: String,
    /// Address of the next page.
    next: Option<String>,
    /// Lengths of the bodies that follow: plain, brotli, gzip.
    lengths: [usize; 3],
}

/// The answer in one coding.
#[derive(Clone, Debug)]
struct Form {
    tag: HeaderValue,
    body: Bytes,
}

impl Form {
    fn new(tag: &str, body: Bytes) -> Option<Self> {
        let tag = HeaderValue::from_str(&format!("\"{tag}\"")).ok()?;
        Some(Self { tag, body })
    }
}

impl Ready {
    /// Packs a body in each coding, which may take some milliseconds. `next` is the address of
    /// the next page of a list.
    pub async fn make(tag: String, body: Vec<u8>, next: Option<String>) -> Result<Self, Problem> {
        let packing = tokio::task::spawn_blocking(move || {
            if body.len() < PACKED_FROM {
                return Ok((body, Vec::new(), Vec::new()));
            }
            let (brotli, gzip) = (brotli(&body)?, gzip(&body)?);
            io::Result::Ok((body, brotli, gzip))
        });
        let (plain, brotli, gzip) = packing
            .await
            .map_err(|e| Problem::internal(&e))?
            .map_err(|e| Problem::internal(&e))?;
        let head = Head {
            tag,
            next,
            lengths: [plain.len(), brotli.len(), gzip.len()],
        };
        let bodies = [plain, brotli, gzip].map(Bytes::from);
        Self::of(head, bodies).ok_or_else(|| Problem::internal(&"a tag is no header"))
    }

    fn of(head: Head, [plain, brotli, gzip]: [Bytes; 3]) -> Option<Self> {
        let form = |coding: &str, body: Bytes| {
            if body.is_empty() {
                return None;
            }
            Form::new(&format!("{}.{coding}", head.tag), body)
        };
        Some(Self {
            plain: Form::new(&head.tag, plain)?,
            brotli: form("br", brotli),
            gzip: form("gzip", gzip),
            head,
        })
    }

    /// The answer in the best coding that the client takes, or 304 when it has it already.
    pub fn respond(&self, headers: &HeaderMap) -> HttpResponse {
        if headers.contains_key(header::IF_NONE_MATCH)
            && let Some(known) = etag::known(headers, &self.head.tag)
        {
            let mut response = HttpResponse::new(StatusCode::NOT_MODIFIED);
            response.headers_mut().insert(header::ETAG, known);
            self.add_heads(response.headers_mut());
            return response;
        }
        let coded = headers.get(header::ACCEPT_ENCODING).and_then(|accepted| {
            let accepted = accepted.to_str().ok()?;
            let of = |coding, form: &'_ Option<Form>| {
                let form = form.clone().filter(|_| takes(accepted, coding))?;
                Some((coding, form))
            };
            of("br", &self.brotli).or_else(|| of("gzip", &self.gzip))
        });
        let (coding, form) = match coded {
            Some((coding, form)) => (Some(coding), form),
            None => (None, self.plain.clone()),
        };
        let mut response = HttpResponse::with_body(StatusCode::OK, BoxBody::new(form.body));
        let answered = response.headers_mut();
        answered.insert(header::CONTENT_TYPE, JSON);
        answered.insert(header::ETAG, form.tag);
        if let Some(coding) = coding {
            answered.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        self.add_heads(answered);
        response
    }

    fn add_heads(&self, headers: &mut HeaderMap) {
        headers.insert(header::CACHE_CONTROL, SHARED);
        headers.insert(header::VARY, VARY);
        if let Some(link) = self.head.next.as_deref().and_then(page::link) {
            headers.insert(header::LINK, link);
        }
    }

    /// As bytes, for a cache.
    pub fn pack(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(&self.head).unwrap_or_default();
        bytes.push(b'\n');
        let packed = [&self.brotli, &self.gzip].into_iter().flatten();
        for form in std::iter::once(&self.plain).chain(packed) {
            bytes.extend_from_slice(&form.body);
        }
        bytes
    }

    pub fn unpack(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (head, rest) = bytes.split_at_checked(end)?;
        let head: Head = serde_json::from_slice(head).ok()?;
        let mut rest = Bytes::copy_from_slice(rest.get(1..)?);
        let mut bodies = [const { Bytes::new() }; 3];
        for (body, length) in bodies.iter_mut().zip(head.lengths) {
            if rest.len() < length {
                return None;
            }
            *body = rest.split_to(length);
        }
        if rest.is_empty() {
            Self::of(head, bodies)
        } else {
            None
        }
    }
}

fn brotli(body: &[u8]) -> io::Result<Vec<u8>> {
    let params = BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        size_hint: body.len(),
        ..BrotliEncoderParams::default()
    };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &*body, &mut packed, &params)?;
    Ok(packed)
}

pub fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(body)?;
    packed.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    async fn ready() -> Ready {
        let body = format!("{{\"text\":\"{}\"}}", "square ".repeat(100));
        let next = Some("/v1/campaigns?cursor=x".to_owned());
        Ready::make("7".to_owned(), body.into_bytes(), next)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn the_best_coding_that_a_client_takes_is_given() {
        let ready = ready().await;
        for (accepted, coding, tag) in [
            ("gzip, deflate, br, zstd", Some("br"), "\"7.br\""),
            ("gzip;q=1.0, br;q=0", Some("gzip"), "\"7.gzip\""),
            ("GZIP", Some("gzip"), "\"7.gzip\""),
            ("zstd", None, "\"7\""),
            ("identity", None, "\"7\""),
            ("", None, "\"7\""),
            ("brr, xgzip", None, "\"7\""),
        ] {
            let given = ready.respond(&headers(header::ACCEPT_ENCODING, accepted));
            let found = given.headers().get(header::CONTENT_ENCODING);
            assert_eq!(
                found.map(|found| found.to_str().unwrap()),
                coding,
                "{accepted}"
            );
            assert_eq!(given.headers().get(header::ETAG).unwrap(), tag);
            assert_eq!(
                given.headers().get(header::VARY).unwrap(),
                "Accept-Encoding"
            );
        }
    }

    #[tokio::test]
    async fn whoever_has_it_in_any_coding_is_told_so() {
        let ready = ready().await;
        for (known, named) in [
            ("\"7.br\"", "\"7.br\""),
            ("\"6\", W/\"7\"", "\"7\""),
            ("*", "\"7\""),
        ] {
            let given = ready.respond(&headers(header::IF_NONE_MATCH, known));
            assert_eq!(given.status(), 304);
            assert_eq!(given.headers().get(header::ETAG).unwrap(), named);
        }
        let given = ready.respond(&headers(header::IF_NONE_MATCH, "\"6.br\""));
        assert_eq!(given.status(), 200);
    }

    #[tokio::test]
    async fn it_is_unpacked_as_it_was_packed_or_not_at_all() {
        let small = Ready::make("1".to_owned(), b"{}".to_vec(), None)
            .await
            .unwrap();
        for ready in [ready().await, small] {
            let packed = ready.pack();
            let again = Ready::unpack(&packed).unwrap();
            assert_eq!(again.pack(), packed);
            assert_eq!(again.head, ready.head);
            for end in 0..packed.len() {
                assert!(Ready::unpack(&packed[..end]).is_none());
            }
            assert!(Ready::unpack(&[packed, b"x".to_vec()].concat()).is_none());
        }
    }
}
