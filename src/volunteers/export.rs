//! All that is stored of a volunteer as one JSON document, piece by piece.
//!
//! **Invariant:** memory and the time for which a connection is held do not depend on its size. When
//! it breaks off, the transfer ends with an error, never as if it were whole.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::queries;
use crate::{
    assignments::{self, RenewedLease},
    db::DbError,
    http::Problem,
    looks::own::{self, OwnLook, OwnTag},
    packs::{self, leaving::OwnPack},
    state::App,
    sync::leaving::{self, OwnRefusal, OwnWaitingTag},
};

/// Rows of a piece.
const PIECE_ROWS: i64 = 2000;
/// How often a piece is tried while the database is away for a passing reason.
const ATTEMPTS_MAX: u32 = 5;
const ATTEMPT_PAUSE: Duration = Duration::from_millis(500);

/// All that is stored of a volunteer.
#[derive(Serialize, ToSchema)]
pub struct ExportView {
    volunteer_id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    exported_at: Timestamp,
    /// Volunteers of other devices that became this one.
    joined: Vec<JoinedView>,
    /// Codes for other devices, without the codes.
    link_codes: Vec<LinkCodeView>,
    /// Squares whose reservation was renewed.
    renewed_leases: Vec<RenewedLease>,
    /// Squares that were taken along.
    packs: Vec<OwnPack>,
    /// What was pushed by sync and not taken; the newest 10,000.
    refusals: Vec<OwnRefusal>,
    /// Ids of tags that were withdrawn more than 180 days ago; 10,000 at most.
    forgotten_tags: Vec<Uuid>,
    /// Tags that came before their look.
    waiting_tags: Vec<OwnWaitingTag>,
    looks: Vec<OwnLook>,
    tags: Vec<OwnTag>,
}

#[derive(Serialize, ToSchema)]
struct JoinedView {
    volunteer_id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    joined_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "times are named so everywhere")]
struct LinkCodeView {
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    used_at: Option<Timestamp>,
}

/// Lists that are read piece by piece, in this order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum List {
    WaitingTags,
    Looks,
    Tags,
}

/// What comes next.
#[derive(Clone, Copy)]
enum Next {
    Beginning,
    Piece(List, Uuid),
    End,
}

/// How far an export is.
pub struct Export {
    app: App,
    volunteer_id: Uuid,
    next: Next,
}

impl Export {
    pub fn new(app: App, volunteer_id: Uuid) -> Self {
        Self {
            app,
            volunteer_id,
            next: Next::Beginning,
        }
    }

    /// The whole document.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, actix_web::Error>> {
        stream::try_unfold(self, |mut export| async move {
            match export.next_piece().await {
                Ok(Some(piece)) => Ok(Some((piece, export))),
                Ok(None) => Ok(None),
                Err(problem) => {
                    tracing::warn!(code = problem.code(), "an export broke off");
                    Err(actix_web::Error::from(problem))
                }
            }
        })
    }

    /// The next bytes of the document; none after its end.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, Problem> {
        let before = self.next;
        let mut piece = match before {
            Next::Beginning => {
                self.next = Next::Piece(List::WaitingTags, Uuid::nil());
                self.beginning().await?
            }
            Next::Piece(List::WaitingTags, after) => {
                let tags = self.read(after, leaving::waiting_tags).await?;
                let last = tags.last().map(|tag| tag.id);
                self.next = next(List::WaitingTags, last, tags.len());
                rows(&tags, after)?
            }
            Next::Piece(List::Looks, after) => {
                let looks = self.read(after, own::looks).await?;
                self.next = next(List::Looks, looks.last().map(|look| look.id), looks.len());
                rows(&looks, after)?
            }
            Next::Piece(List::Tags, after) => {
                let tags = self.read(after, own::tags).await?;
                self.next = next(List::Tags, tags.last().map(|tag| tag.id), tags.len());
                rows(&tags, after)?
            }
            Next::End => return Ok(None),
        };
        match (before, self.next) {
            (Next::Piece(List::WaitingTags, _), Next::Piece(List::Looks, _)) => {
                piece.extend_from_slice(b"\n],\"looks\":[");
            }
            (Next::Piece(List::Looks, _), Next::Piece(List::Tags, _)) => {
                piece.extend_from_slice(b"\n],\"tags\":[");
            }
            (_, Next::End) => piece.extend_from_slice(b"\n]}\n"),
            _ => {}
        }
        Ok(Some(piece.into()))
    }

    /// Everything that is short, and the beginning of the first list.
    async fn beginning(&self) -> Result<Vec<u8>, Problem> {
        let conn = self.app.db.get().await?;
        let joined = queries::joined_since(&*conn, self.volunteer_id).await?;
        let codes = queries::codes::of_volunteer(&*conn, self.volunteer_id).await?;
        let view = ExportView {
            volunteer_id: self.volunteer_id,
            exported_at: self.app.clock.now(),
            joined: joined
                .into_iter()
                .map(|(volunteer_id, joined_at)| JoinedView {
                    volunteer_id,
                    joined_at,
                })
                .collect(),
            link_codes: codes
                .into_iter()
                .map(|(made_at, expires_at, used_at)| LinkCodeView {
                    made_at,
                    expires_at,
                    used_at,
                })
                .collect(),
            renewed_leases: assignments::renewed_leases(&*conn, self.volunteer_id).await?,
            packs: packs::leaving::own(&*conn, self.volunteer_id).await?,
            refusals: leaving::refusals(&*conn, self.volunteer_id).await?,
            forgotten_tags: leaving::forgotten_tags(&*conn, self.volunteer_id).await?,
            waiting_tags: Vec::new(),
            looks: Vec::new(),
            tags: Vec::new(),
        };
        let mut bytes = serde_json::to_vec(&view).map_err(|e| Problem::internal(&e))?;
        // The lists come last, and are filled from here on.
        let filled = bytes.len() - b"],\"looks\":[],\"tags\":[]}".len();
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Reads a piece; tried again while the database is away for a passing reason.
    async fn read<T>(
        &self,
        after: Uuid,
        rows: impl AsyncFn(&tokio_postgres::Client, Uuid, Uuid, i64) -> Result<Vec<T>, DbError>,
    ) -> Result<Vec<T>, Problem> {
        let mut attempt = 1;
        loop {
            let read = async {
                let conn = self.app.db.get().await?;
                rows(&conn, self.volunteer_id, after, PIECE_ROWS).await
            };
            match read.await {
                Err(e) if e.is_passing() && attempt < ATTEMPTS_MAX => {
                    tokio::time::sleep(ATTEMPT_PAUSE).await;
                    attempt += 1;
                }
                result => return Ok(result?),
            }
        }
    }
}

/// What follows a piece with so many rows, the last of which has this id.
fn next(of: List, last: Option<Uuid>, rows: usize) -> Next {
    match (of, last) {
        (_, Some(last)) if i64::try_from(rows).unwrap_or(i64::MAX) >= PIECE_ROWS => {
            Next::Piece(of, last)
        }
        (List::WaitingTags, _) => Next::Piece(List::Looks, Uuid::nil()),
        (List::Looks, _) => Next::Piece(List::Tags, Uuid::nil()),
        (List::Tags, _) => Next::End,
    }
}

/// Rows of a list, each on a line of its own; the list goes on after an id.
fn rows<T: Serialize>(rows: &[T], after: Uuid) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let is_first = after.is_nil() && index == 0;
        bytes.extend_from_slice(if is_first { b"\n" } else { b",\n" });
        serde_json::to_writer(&mut bytes, row).map_err(|e| Problem::internal(&e))?;
    }
    Ok(bytes)
}
