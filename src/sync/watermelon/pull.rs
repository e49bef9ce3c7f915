//! Everything that changed since the last pull.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use tokio_postgres::{GenericClient, types::Type};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{PULLED_PAGES_MAX, Since, marked, row::flat};
use crate::{
    db::DbError,
    http::Problem,
    state::App,
    sync::{Checkpoint, Collection, DOCUMENTS_MAX, Document, Tail, document::Members, epoch},
};

/// What is new in one table.
#[derive(Default, Serialize, ToSchema)]
pub struct TableChanges {
    /// Always empty: use `sendCreatedAsUpdated`.
    #[schema(value_type = Vec<Object>)]
    created: Vec<Members>,
    #[schema(value_type = Vec<Object>)]
    updated: Vec<Members>,
    /// Ids.
    deleted: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Pulled {
    /// By table.
    #[schema(value_type = BTreeMap<String, TableChanges>)]
    changes: BTreeMap<&'static str, TableChanges>,
    /// No time, but where to go on: send it as `last_pulled_at`.
    timestamp: i64,
    /// There is more than fits into one answer: synchronize again.
    more: bool,
}

impl Pulled {
    /// As a device with this mark is told it.
    #[must_use]
    pub fn marked(self, mark: u16) -> Self {
        Self {
            timestamp: marked(self.timestamp, mark),
            ..self
        }
    }
}

/// Tables that the client has newly, after it was updated: all of their rows are sent.
pub type Anew = Vec<String>;

/// The answer when it is known that nothing changed.
pub async fn nothing(tail: &Tail, volunteer_id: Uuid, since: Since, anew: &Anew) -> Option<Pulled> {
    if since.is_beginning() || !anew.is_empty() {
        return None;
    }
    let from = Checkpoint {
        epoch: None,
        at: since.position(),
        known_below: since.xid,
        is_end: true,
    };
    let epoch = tail.heard_nothing_since(&from, volunteer_id).await;
    let epoch = epoch.filter(|epoch| since.is_of(*epoch))?;
    Some(Pulled {
        changes: Collection::ALL
            .map(|collection| (collection.as_str(), TableChanges::default()))
            .into(),
        timestamp: Since::timestamp(epoch, since.xid),
        more: false,
    })
}

/// What changed, in one state of the database.
///
/// Errors: 426 `sync_start_again`.
pub async fn pull(
    app: &App,
    volunteer_id: Uuid,
    since: Since,
    anew: &Anew,
) -> Result<Pulled, Problem> {
    let mut conn = app.db.get().await?;
    let standing = epoch::standing(&*conn, volunteer_id).await?;
    if standing.epoch.is_none() {
        epoch::begin(&*conn).await?;
    }
    let tx = conn.begin_snapshot().await?;
    let standing = epoch::standing(&tx, volunteer_id).await?;
    since.check(&standing)?;
    let epoch = standing
        .epoch
        .ok_or_else(|| Problem::internal(&"no epoch"))?;
    let mut tables = Vec::with_capacity(Collection::ALL.len());
    let mut until = standing.horizon;
    for collection in Collection::ALL {
        let is_anew = anew.iter().any(|name| name == collection.as_str());
        let from = if is_anew { Since::default() } else { since };
        let table = read(&tx, volunteer_id, collection, from).await?;
        until = until.min(table.complete_below.unwrap_or(until));
        tables.push((collection, from, table.documents));
    }
    let mut changes = BTreeMap::new();
    for (collection, from, documents) in tables {
        let mut table = TableChanges::default();
        for document in documents {
            if document.at.xid >= until {
                continue;
            }
            if !document.is_deleted {
                table.updated.push(flat(collection, document));
            } else if let Some(Value::String(id)) = document.members.get("id") {
                // In a first pull too: an app that starts again may have it still.
                table.deleted.push(id.clone());
            }
        }
        if !from.is_beginning() {
            let refused = refused(&tx, volunteer_id, collection, from, until).await?;
            table.deleted.extend(refused);
        }
        changes.insert(collection.as_str(), table);
    }
    Ok(Pulled {
        changes,
        timestamp: Since::timestamp(epoch, until),
        more: until < standing.horizon,
    })
}

struct Table {
    documents: Vec<Document>,
    /// Where there are more: documents of lower transactions are all here.
    complete_below: Option<i64>,
}

/// A table's documents, to the end, or so many that a transaction ends among them.
async fn read(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    collection: Collection,
    since: Since,
) -> Result<Table, Problem> {
    let mut documents: Vec<Document> = Vec::new();
    let mut at = since.position();
    for pages in 1.. {
        let page = collection
            .after(db, volunteer_id, &at, DOCUMENTS_MAX)
            .await?;
        // The floor is each table's own.
        since.check(&page.standing)?;
        let is_last = page.documents.len() < DOCUMENTS_MAX && !page.is_cut;
        documents.extend(page.documents);
        let (Some(first), Some(last)) = (documents.first(), documents.last()) else {
            break;
        };
        at = last.at;
        if is_last {
            break;
        }
        if pages >= PULLED_PAGES_MAX && first.at.xid < last.at.xid {
            return Ok(Table {
                complete_below: Some(last.at.xid),
                documents,
            });
        }
    }
    Ok(Table {
        documents,
        complete_below: None,
    })
}

/// Ids of what the client pushed and what is not here.
async fn refused(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    collection: Collection,
    since: Since,
    until: i64,
) -> Result<Vec<String>, DbError> {
    let sql = "-- sync::refused
        SELECT r.id FROM sync_refusals AS r
        WHERE r.volunteer_id = $1 AND r.collection = $2 AND r.xid >= $3::text::xid8 AND r.xid < $4::text::xid8
        ORDER BY r.xid, r.id";
    let found = db
        .query_typed(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&collection.as_str(), Type::TEXT),
                (&since.xid.to_string(), Type::TEXT),
                (&until.to_string(), Type::TEXT),
            ],
        )
        .await?;
    Ok(found.iter().map(|row| row.get("id")).collect())
}
