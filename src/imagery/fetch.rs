//! One tile from its source: bounded in time and bytes, and an image by its bytes.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Client, StatusCode, redirect};
use thiserror::Error;
use url::Url;

use super::guard;

/// Longest time to connect to a source.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time for one tile.
const FETCH_TIMEOUT: Duration = Duration::from_secs(20);
/// Bytes of one tile.
pub const TILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long an idle connection to a source is kept: shorter than servers keep it, so that a
/// request seldom meets a connection that the source is just closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3);
/// Redirects that are followed.
const REDIRECTS_MAX: usize = 3;

/// Kind of image, by its first bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ImageKind {
    Png,
    Jpeg,
    Webp,
    Avif,
}

impl ImageKind {
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Some(Self::Webp),
            [
                _,
                _,
                _,
                _,
                b'f',
                b't',
                b'y',
                b'p',
                b'a',
                b'v',
                b'i',
                b'f' | b's',
                ..,
            ] => Some(Self::Avif),
            _ => None,
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
        }
    }
}

/// Why there is no tile. No variant holds the address, which may hold secrets.
#[derive(Clone, Debug, Error)]
pub enum FetchError {
    #[error("the source has no tile there")]
    Missing,
    #[error("the source answered with status {0}")]
    Status(u16),
    #[error("the source did not answer within {} s", FETCH_TIMEOUT.as_secs())]
    Timeout,
    #[error("the source's address is not allowed: it leads to an internal network")]
    Forbidden,
    #[error("the source sent more than {TILE_BYTES_MAX} bytes for one tile")]
    TooLarge,
    #[error("the source did not send an image (PNG, JPEG, WebP or AVIF)")]
    NotAnImage,
    #[error("the source could not be reached")]
    Unreachable,
}

/// A client for sources that refuses internal addresses unless they are allowed.
pub fn client(allow_internal: bool) -> anyhow::Result<Client> {
    let policy = redirect::Policy::custom(move |attempt| {
        if attempt.previous().len() > REDIRECTS_MAX || !guard::allows(attempt.url(), allow_internal)
        {
            attempt.error("redirect refused")
        } else {
            attempt.follow()
        }
    });
    Ok(Client::builder()
        .user_agent(concat!("spotter/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(FETCH_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(policy)
        .dns_resolver(guard::resolver(allow_internal))
        .no_proxy()
        .build()?)
}

/// Fetches one tile.
pub async fn fetch(
    client: &Client,
    address: &str,
    allow_internal: bool,
) -> Result<(Bytes, ImageKind), FetchError> {
    let url = Url::parse(address).map_err(|_e| FetchError::Unreachable)?;
    if !guard::allows(&url, allow_internal) {
        return Err(FetchError::Forbidden);
    }
    let mut response = client.get(url).send().await.map_err(|e| classify(&e))?;
    match response.status() {
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::NO_CONTENT => {
            return Err(FetchError::Missing);
        }
        status if !status.is_success() => return Err(FetchError::Status(status.as_u16())),
        _ => {}
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| classify(&e))? {
        if bytes.len() + chunk.len() > TILE_BYTES_MAX {
            return Err(FetchError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    let kind = ImageKind::of(&bytes).ok_or(FetchError::NotAnImage)?;
    Ok((bytes.freeze(), kind))
}

fn classify(error: &reqwest::Error) -> FetchError {
    if error.is_timeout() {
        FetchError::Timeout
    } else if error.is_redirect() {
        FetchError::Forbidden
    } else {
        FetchError::Unreachable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_its_bytes() {
        assert_eq!(
            ImageKind::of(b"\x89PNG\r\n\x1a\n...."),
            Some(ImageKind::Png)
        );
        assert_eq!(ImageKind::of(b"\xff\xd8\xff\xe0"), Some(ImageKind::Jpeg));
        assert_eq!(
            ImageKind::of(b"RIFF\0\0\0\0WEBPVP8 "),
            Some(ImageKind::Webp)
        );
        assert_eq!(ImageKind::of(b"\0\0\0\x1cftypavif"), Some(ImageKind::Avif));
        assert_eq!(ImageKind::of(b"<html><script>"), None);
        assert_eq!(ImageKind::of(b""), None);
    }
}
