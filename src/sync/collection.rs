//! What is synced, by name. Another collection is one more variant here and its query.

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::{
    Checkpoint, Document, PAGE_BYTES, Position, assignments, campaigns,
    epoch::{self, Standing},
    looks, receipts, tags,
};
use crate::http::Problem;

/// A collection of `RxDB`, a table of `WatermelonDB`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Collection {
    Campaigns,
    Assignments,
    Looks,
    Receipts,
    Tags,
}

/// Documents after a place.
#[derive(Debug)]
pub struct Page {
    pub standing: Standing,
    pub documents: Vec<Document>,
    /// There are more, though these may be fewer than were asked for.
    pub is_cut: bool,
}

/// A page as it goes over the wire.
#[derive(Debug)]
pub struct Written {
    documents: Vec<String>,
    /// Where whoever has it goes on.
    pub checkpoint: Checkpoint,
    /// Nothing comes after it.
    pub is_last: bool,
    is_cut: bool,
    pub standing: Standing,
}

impl Collection {
    pub const ALL: [Self; 5] = [
        Self::Campaigns,
        Self::Assignments,
        Self::Looks,
        Self::Receipts,
        Self::Tags,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Campaigns => "campaigns",
            Self::Assignments => "assignments",
            Self::Looks => "looks",
            Self::Receipts => "receipts",
            Self::Tags => "tags",
        }
    }

    /// Members that a document may lack.
    pub fn optional(self) -> &'static [&'static str] {
        match self {
            Self::Campaigns => &["message", "ends_at"],
            Self::Assignments => &["imagery"],
            Self::Looks => &["campaign_version"],
            Self::Receipts => &["campaign", "cell", "standing", "code", "detail"],
            Self::Tags => &["note"],
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    pub fn index(self) -> usize {
        let at = Self::ALL.iter().position(|known| *known == self);
        at.unwrap_or_default()
    }

    /// The documents that changed after a place, at most `limit`, in their order.
    pub async fn after(
        self,
        db: &impl GenericClient,
        volunteer_id: Uuid,
        after: &Position,
        limit: usize,
    ) -> Result<Page, Problem> {
        match self {
            Self::Campaigns => campaigns::after(db, volunteer_id, after, limit).await,
            Self::Assignments => assignments::after(db, volunteer_id, after, limit).await,
            Self::Looks => looks::after(db, volunteer_id, after, limit).await,
            Self::Receipts => receipts::after(db, volunteer_id, after, limit).await,
            Self::Tags => tags::after(db, volunteer_id, after, limit).await,
        }
    }

    /// The same from a place that may be of no use any more.
    ///
    /// Errors: 426 `sync_start_again`.
    pub async fn pull(
        self,
        db: &impl GenericClient,
        volunteer_id: Uuid,
        from: &Checkpoint,
        limit: usize,
    ) -> Result<Page, Problem> {
        let mut page = self.after(db, volunteer_id, &from.at, limit).await?;
        if page.standing.epoch.is_none() {
            epoch::begin(db).await?;
            page = self.after(db, volunteer_id, &from.at, limit).await?;
        }
        page.standing.check(from)?;
        Ok(page)
    }
}

impl Page {
    /// Where whoever has read this page, of at most `limit` documents, stands.
    pub fn checkpoint(&self, from: &Checkpoint, limit: usize) -> Checkpoint {
        let is_last = self.documents.len() < limit && !self.is_cut;
        let known_below = if is_last || from.epoch.is_none() {
            self.standing.horizon
        } else {
            from.known_below
        };
        self.documents.last().map_or(*from, |last| Checkpoint {
            epoch: self.standing.epoch,
            at: last.at,
            known_below,
            is_end: is_last,
        })
    }

    /// The page of whoever has everything, as `RxDB` pulls it.
    pub fn nothing_after(from: &Checkpoint) -> String {
        format!("{{\"documents\":[],\"checkpoint\":{}}}", from.written())
    }

    /// Its documents as `RxDB` has them, as many as a page may have bytes, when at most `limit` were
    /// asked for.
    pub fn write(mut self, from: &Checkpoint, limit: usize) -> Written {
        let mut written: Vec<String> = Vec::with_capacity(self.documents.len());
        let mut bytes = 0;
        for document in &self.documents {
            let text = document.clone().for_rxdb().to_string();
            if !written.is_empty() && bytes + text.len() > PAGE_BYTES {
                self.is_cut = true;
                break;
            }
            bytes += text.len();
            written.push(text);
        }
        self.documents.truncate(written.len());
        Written {
            checkpoint: self.checkpoint(from, limit),
            is_last: self.documents.len() < limit && !self.is_cut,
            is_cut: self.is_cut,
            standing: self.standing,
            documents: written,
        }
    }
}

impl Written {
    /// As a device with this mark is told it.
    #[must_use]
    pub fn marked(self, mark: u16) -> Self {
        Self {
            checkpoint: self.checkpoint.marked(mark),
            ..self
        }
    }

    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// With so many documents when it is not the last one. `RxDB`'s client takes a page with fewer
    /// than it asked for as the last; so one that ends for its bytes begins with stubs of its last
    /// document, which comes after them whole: of one id the client takes what comes last.
    pub fn filled_up(mut self, limit: usize) -> Self {
        if self.is_cut {
            let missing = limit.saturating_sub(self.documents.len());
            let stub = format!(
                "{{\"id\":\"{}\",\"_deleted\":false}}",
                self.checkpoint.at.id
            );
            self.documents.splice(0..0, vec![stub; missing]);
        }
        self
    }

    /// `{"documents": […], "checkpoint": {…}}`.
    pub fn json(&self) -> String {
        format!(
            "{{\"documents\":[{}],\"checkpoint\":{}}}",
            self.documents.join(","),
            self.checkpoint.written()
        )
    }
}

/// A limit for the database.
pub fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Parameters of a statement that reads a volunteer's documents after a place.
pub fn after_params<'a>(
    volunteer_id: &'a Uuid,
    xid: &'a String,
    id: &'a Uuid,
    limit: &'a i64,
) -> [(&'a (dyn tokio_postgres::types::ToSql + Sync), Type); 4] {
    [
        (volunteer_id, Type::UUID),
        (xid, Type::TEXT),
        (id, Type::UUID),
        (limit, Type::INT8),
    ]
}
