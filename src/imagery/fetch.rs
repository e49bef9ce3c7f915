//! One tile from its source: bounded in time, bytes and pixels, and an image by its bytes.
//!
//! **Invariant:** a redirect leads to the host that was asked, or to one that the layer names.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{
    Client, Response, StatusCode,
    header::{HeaderMap, LOCATION, RETRY_AFTER},
    redirect,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

use super::{
    guard::{self, Guard},
    kind::ImageKind,
};

/// Longest time to connect to a source.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of one tile.
pub const TILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Pixels of a side of one tile. A few bytes may stand for a picture that no browser can hold.
pub const TILE_SIDE_MAX: usize = 4096;
/// How long an idle connection to a source is kept: shorter than servers keep it, so that a
/// request seldom meets a connection that the source is just closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3);
/// Redirects that are followed.
const REDIRECTS_MAX: usize = 3;
/// Longest time to wait before asking again that a source may demand, in seconds.
const RETRY_AFTER_MAX: u32 = 600;

/// Why there is no tile. No variant holds the address, which may hold secrets.
#[derive(Clone, Debug, Deserialize, Eq, Error, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FetchError {
    #[error("the source has no tile there")]
    Missing,
    #[error("the source answered with status {status}")]
    Status {
        status: u16,
        /// Seconds to wait before asking again, where the source said so.
        retry_after: Option<u32>,
    },
    #[error("the source did not answer within {seconds} s")]
    Timeout { seconds: u64 },
    #[error("the source's address is not allowed: it leads to an internal network")]
    Forbidden,
    #[error("the source redirects to a host that is not in `redirect_hosts`")]
    RedirectedAway,
    #[error("the source redirects more than {REDIRECTS_MAX} times")]
    RedirectedTooOften,
    #[error("the source sent more than {TILE_BYTES_MAX} bytes for one tile")]
    TooLarge,
    #[error("the source sent a tile with a side of more than {TILE_SIDE_MAX} pixels")]
    TooManyPixels,
    #[error("the source did not send an image (PNG, JPEG, WebP or AVIF)")]
    NotAnImage,
    #[error("the source could not be reached")]
    Unreachable,
}

impl FetchError {
    /// Whether the source is in trouble or overloaded, so that other tiles would fare no better.
    pub fn is_of_the_source(&self) -> bool {
        match self {
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            Self::Timeout { .. } | Self::Unreachable => true,
            _ => false,
        }
    }

    /// Whether it is worth asking again soon. A source that takes its time is not asked twice.
    pub fn is_passing(&self) -> bool {
        self.is_of_the_source() && !matches!(self, Self::Timeout { .. })
    }

    /// Seconds that the source wants to be left alone.
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Asks sources for tiles.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
    allow_internal: bool,
    timeout: Duration,
}

impl Fetcher {
    /// `timeout` is the longest time for one tile, however it is spent.
    pub fn new(guard: &Guard, timeout: Duration) -> anyhow::Result<Self> {
        let client = Client::builder()
            .user_agent(concat!("spotter/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            // Redirects are followed here, where the layer's hosts are known. The address that led
            // to one is nobody's business: it may hold secrets.
            .redirect(redirect::Policy::none())
            .referer(false)
            .dns_resolver(Arc::new(guard.clone()))
            .no_proxy();
        Ok(Self {
            client: client.build()?,
            allow_internal: guard.allow_internal,
            timeout,
        })
    }

    /// Whether an address may be asked.
    pub fn allows(&self, address: &str) -> bool {
        Url::parse(address).is_ok_and(|url| guard::allows(&url, self.allow_internal))
    }

    /// Fetches one tile. `hosts` may be redirected to, beside the one in the address.
    pub async fn fetch(
        &self,
        address: &str,
        hosts: &[String],
    ) -> Result<(Bytes, ImageKind), FetchError> {
        match tokio::time::timeout(self.timeout, self.follow(address, hosts)).await {
            Ok(fetched) => fetched,
            Err(_elapsed) => Err(FetchError::Timeout {
                seconds: self.timeout.as_secs(),
            }),
        }
    }

    async fn follow(
        &self,
        address: &str,
        hosts: &[String],
    ) -> Result<(Bytes, ImageKind), FetchError> {
        let mut url = Url::parse(address).map_err(|_e| FetchError::Unreachable)?;
        let first = url.host_str().map(str::to_owned);
        for _ in 0..=REDIRECTS_MAX {
            let response = self.ask(&url).await?;
            let Some(next) = redirected(&response, &url) else {
                return read(response).await;
            };
            url = next;
            let host = url.host_str();
            if host != first.as_deref() && !hosts.iter().any(|named| Some(named.as_str()) == host) {
                return Err(FetchError::RedirectedAway);
            }
        }
        Err(FetchError::RedirectedTooOften)
    }

    async fn ask(&self, url: &Url) -> Result<Response, FetchError> {
        if !guard::allows(url, self.allow_internal) {
            return Err(FetchError::Forbidden);
        }
        let ask = || self.client.get(url.clone()).send();
        let answer = match ask().await {
            // The source may have closed the connection that was kept: once more, on a new one.
            Err(e) if !e.is_connect() && !e.is_timeout() => ask().await,
            answer => answer,
        };
        answer.map_err(|e| classify(&e))
    }
}

/// Where a redirect leads. One that cannot be read leads nowhere.
fn redirected(response: &Response, from: &Url) -> Option<Url> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let to = response.headers().get(LOCATION).filter(|_| is_redirect)?;
    from.join(to.to_str().ok()?).ok()
}

async fn read(mut response: Response) -> Result<(Bytes, ImageKind), FetchError> {
    match response.status() {
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::NO_CONTENT => {
            return Err(FetchError::Missing);
        }
        status if !status.is_success() => {
            return Err(FetchError::Status {
                status: status.as_u16(),
                retry_after: retry_after(response.headers()),
            });
        }
        _ => {}
    }
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).is_ok_and(|bytes| bytes <= TILE_BYTES_MAX) {
        let mut bytes = BytesMut::with_capacity(usize::try_from(announced).unwrap_or(0));
        while let Some(chunk) = response.chunk().await.map_err(|e| classify(&e))? {
            if bytes.len() + chunk.len() > TILE_BYTES_MAX {
                return Err(FetchError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        let kind = recognised(&bytes)?;
        // What was not announced came into room that grew in steps; only what is needed is held.
        let bytes = if bytes.len() == bytes.capacity() {
            bytes.freeze()
        } else {
            Bytes::copy_from_slice(&bytes)
        };
        return Ok((bytes, kind));
    }
    Err(FetchError::TooLarge)
}

fn recognised(bytes: &[u8]) -> Result<ImageKind, FetchError> {
    let kind = ImageKind::of(bytes).ok_or(FetchError::NotAnImage)?;
    let size = imagesize::blob_size(bytes).map_err(|_e| FetchError::NotAnImage)?;
    if size.width > TILE_SIDE_MAX || size.height > TILE_SIDE_MAX {
        return Err(FetchError::TooManyPixels);
    }
    Ok(kind)
}

/// Seconds; a date, which few sources send, counts as a moment.
fn retry_after(headers: &HeaderMap) -> Option<u32> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = value.parse::<u64>().unwrap_or(1);
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    Some(seconds.clamp(1, RETRY_AFTER_MAX))
}

fn classify(error: &reqwest::Error) -> FetchError {
    if guard::is_refusal(error) {
        FetchError::Forbidden
    } else {
        FetchError::Unreachable
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::net::TcpListener;

    use super::*;

    /// A picture that says how large it is.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let head: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        [head, &width.to_be_bytes(), &height.to_be_bytes()].concat()
    }

    #[test]
    fn a_picture_has_4096_pixels_a_side_at_most() {
        assert_eq!(recognised(&png(4096, 4096)), Ok(ImageKind::Png));
        for (width, height) in [(4097, 1), (1, 4097), (u32::MAX, u32::MAX)] {
            let refused = recognised(&png(width, height));
            assert_eq!(refused, Err(FetchError::TooManyPixels), "{width} {height}");
        }
        assert_eq!(
            recognised(b"\x89PNG\r\n\x1a\n"),
            Err(FetchError::NotAnImage)
        );
    }

    #[test]
    fn what_a_source_demands_is_bounded() {
        for (value, wanted) in [
            ("7", 7),
            ("0", 1),
            ("600", 600),
            ("601", 600),
            ("99999999999999", 600),
            ("Fri, 27 Nov 2026 10:00:00 GMT", 1),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            assert_eq!(retry_after(&headers), Some(wanted), "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn a_name_that_comes_to_lead_inside_is_not_connected_to() {
        let inside = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = inside.local_addr().unwrap().port();
        let guard = Guard::with_lookup(false, move |_name| {
            // The check of a layer saw a public address; now it is ours.
            Ok(vec![SocketAddr::from(([127, 0, 0, 1], 0))])
        });
        let asking = Fetcher::new(&guard, Duration::from_secs(5)).unwrap();
        let address = format!("http://rebound.example:{port}/1/2/3.png");
        assert!(asking.allows(&address), "only resolving tells");
        let fetched = asking.fetch(&address, &[]).await;
        assert_eq!(fetched, Err(FetchError::Forbidden));
        let connected = tokio::time::timeout(Duration::from_millis(50), inside.accept()).await;
        assert!(connected.is_err(), "the source was reached");
    }
}
