//! A file as a stream of pieces.

use std::{future::Future, time::Duration};

use actix_web::Error;
use bytes::Bytes;
use futures_util::{Stream, stream};
use jiff::Timestamp;
use uuid::Uuid;

use super::file::{self, File};
use crate::{
    db::DbError,
    http::Problem,
    looks::{self, LookPlace, TagPlace},
    state::App,
};

/// Rows of a piece.
const PIECE_ROWS: i64 = 2000;
/// How often a piece is tried while the database is away for a passing reason.
const ATTEMPTS_MAX: u32 = 5;
const ATTEMPT_PAUSE: Duration = Duration::from_millis(500);

/// How far a download is.
pub struct Download {
    pub app: App,
    pub campaign_id: Uuid,
    pub file: File,
    /// Rows that come later are not in the file.
    pub until: Timestamp,
    after: After,
    rows: u64,
}

/// Behind which row to go on.
enum After {
    Beginning,
    Tag(TagPlace),
    Look(LookPlace),
    End,
}

impl Download {
    pub fn new(app: App, campaign_id: Uuid, file: File, until: Timestamp) -> Self {
        Self {
            app,
            campaign_id,
            file,
            until,
            after: After::Beginning,
            rows: 0,
        }
    }

    /// The whole file.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> {
        stream::try_unfold(self, |mut download| async move {
            match download.next_piece(PIECE_ROWS).await {
                Ok(Some(piece)) => Ok(Some((piece, download))),
                Ok(None) => Ok(None),
                Err(problem) => {
                    tracing::warn!(code = problem.code(), "a download broke off");
                    Err(Error::from(problem))
                }
            }
        })
    }

    /// Bytes that a row takes on average, by the first rows.
    pub async fn mean_row_bytes(mut self, rows: i64) -> Result<u64, Problem> {
        let frame = self.file.beginning()?.len() + self.file.end().len();
        let piece = self.next_piece(rows).await?.unwrap_or_default();
        let bytes = u64::try_from(piece.len().saturating_sub(frame)).unwrap_or(u64::MAX);
        Ok(bytes.checked_div(self.rows).unwrap_or(0))
    }

    async fn next_piece(&mut self, limit: i64) -> Result<Option<Bytes>, Problem> {
        if matches!(self.after, After::End) {
            return Ok(None);
        }
        let mut piece = if matches!(self.after, After::Beginning) {
            self.file.beginning()?
        } else {
            Vec::new()
        };
        let rows = match self.file {
            File::TagsGeoJson | File::TagsCsv => self.write_tags(limit, &mut piece).await?,
            File::LooksCsv => self.write_looks(limit, &mut piece).await?,
        };
        self.rows += u64::try_from(rows).unwrap_or(0);
        if i64::try_from(rows).unwrap_or(i64::MAX) < limit {
            piece.extend_from_slice(self.file.end());
            self.after = After::End;
        }
        Ok(Some(piece.into()))
    }

    async fn write_tags(&mut self, limit: i64, piece: &mut Vec<u8>) -> Result<usize, Problem> {
        let after = match self.after {
            After::Tag(place) => Some(place),
            _ => None,
        };
        let tags = patiently(async || {
            let conn = self.app.db.get().await?;
            looks::export_tags(&*conn, self.campaign_id, self.until, after, limit).await
        })
        .await?;
        let count = tags.len();
        if let Some(last) = tags.last().map(|last| &last.tag) {
            self.after = After::Tag((last.received_at, last.id, last.volunteer_id));
        }
        piece.extend(match self.file {
            File::TagsGeoJson => file::features(tags, after.is_none())?,
            _ => file::tag_rows(tags)?,
        });
        Ok(count)
    }

    async fn write_looks(&mut self, limit: i64, piece: &mut Vec<u8>) -> Result<usize, Problem> {
        let after = match self.after {
            After::Look(place) => Some(place),
            _ => None,
        };
        let looks = patiently(async || {
            let conn = self.app.db.get().await?;
            looks::export(&*conn, self.campaign_id, self.until, after, limit).await
        })
        .await?;
        let count = looks.len();
        if let Some(last) = looks.last() {
            self.after = After::Look((last.cell, last.volunteer_id, last.id));
        }
        piece.extend(file::look_rows(looks)?);
        Ok(count)
    }
}

/// Tries again while the database is away for a passing reason.
async fn patiently<T, F: Future<Output = Result<T, DbError>>>(
    read: impl Fn() -> F,
) -> Result<T, DbError> {
    let mut attempt = 1;
    loop {
        match read().await {
            Err(e) if e.is_passing() && attempt < ATTEMPTS_MAX => {
                tokio::time::sleep(ATTEMPT_PAUSE).await;
                attempt += 1;
            }
            result => return result,
        }
    }
}
