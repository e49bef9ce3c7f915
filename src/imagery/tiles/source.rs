//! Asking a source, gently: few at once and seldom, patiently after a failure, and not at all while it
//! rests.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::{
    TileError, TileImage,
    load::{Claimed, Load, jittered},
    queries::{self, RestRules},
};
use crate::imagery::fetch::FetchError;

/// How often a source is asked for a tile before that counts as failed.
const ATTEMPTS_MAX: u32 = 3;
/// Pause before the second attempt; before each further one it is three times as long.
const PAUSE: Duration = Duration::from_millis(200);
/// Longest rest that a source may demand before another attempt.
const REST_WAIT_MAX: Duration = Duration::from_secs(5);
/// When a source is left alone.
const RESTS: RestRules = RestRules {
    failures_max: 5,
    first: Duration::from_secs(1),
    longest: Duration::from_secs(15),
};

/// What came from a source.
pub enum Fetched {
    Image(TileImage),
    Failed(FetchError),
    /// It is left alone.
    Resting(Duration),
}

impl Load {
    /// Fetches the tile that we hold.
    pub(super) async fn fetch(&self) -> Result<Fetched, TileError> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            let failure = match self.attempt().await? {
                Ok(image) => return Ok(Fetched::Image(image)),
                Err(failure) => failure,
            };
            let rest = self.note(&failure).await?;
            if !failure.is_passing() || attempt == ATTEMPTS_MAX {
                return Ok(Fetched::Failed(failure));
            }
            match rest {
                Some(rest) if rest > REST_WAIT_MAX => return Ok(Fetched::Resting(rest)),
                // Never before the time that the source named.
                Some(rest) => tokio::time::sleep(rest + jittered(pause)).await,
                None => tokio::time::sleep(jittered(pause)).await,
            }
            pause *= 3;
            match self.claim_out_of_turn().await? {
                Claimed::Ours => {}
                Claimed::Resting(rest) => return Ok(Fetched::Resting(rest)),
                Claimed::Others | Claimed::Failed(_) | Claimed::Unwanted => {
                    return Ok(Fetched::Failed(failure));
                }
            }
        }
        Ok(Fetched::Failed(FetchError::Unreachable))
    }

    async fn attempt(&self) -> Result<Result<TileImage, FetchError>, TileError> {
        let address = self.source.address(self.tile);
        let hosts = &self.source.layer.definition.redirect_hosts;
        let begun = Instant::now();
        let fetched = self.tiles.0.fetcher.fetch(&address, hosts).await;
        let image = match fetched {
            Ok((bytes, kind)) => {
                let image = TileImage::new(bytes, kind).ok_or(TileError::Damaged)?;
                let is_blank = self.source.is_blank(&image.tag, || hash(&image.bytes));
                if is_blank {
                    Err(FetchError::Missing)
                } else {
                    Ok(image)
                }
            }
            Err(failure) => Err(failure),
        };
        let size = image.as_ref().map(|image| image.bytes.len());
        self.tiles.0.counts.fetch(size, begun.elapsed());
        Ok(image)
    }

    /// Notes a failure for all servers; how long the source is left alone now.
    async fn note(&self, failure: &FetchError) -> Result<Option<Duration>, TileError> {
        if *failure == FetchError::Missing {
            return Ok(None);
        }
        tracing::warn!(layer.key = self.source.layer.definition.key, tile = %self.tile, cause = %failure, "a source failed");
        if !failure.is_of_the_source() {
            return Ok(None);
        }
        let conn = self.tiles.0.db.get().await?;
        let demanded = (failure.retry_after(), RESTS);
        let rest = queries::source_failed(&*conn, self.id.layer, self.holder, demanded).await?;
        if rest.is_some() {
            self.source.turns.resting.set(1.0);
        }
        Ok(rest)
    }
}

fn hash(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut hash, byte| {
            let _always_fits = write!(hash, "{byte:02x}");
            hash
        })
}
