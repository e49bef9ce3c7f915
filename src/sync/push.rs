//! What all pushes share: rows, what became of them, and what is remembered of refusals.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use tokio_postgres::{GenericClient, types::Type};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Document,
    document::{Members, tombstone},
};
use crate::{
    db::DbError,
    http::{Problem, extract},
};

/// Bytes of one document: a tag with 500 places and a long note takes less than half.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// Longest id of a refused document that is remembered.
const ID_CHARS_MAX: usize = 64;
/// Longest text of a refusal that is remembered, in characters.
const DETAIL_CHARS_MAX: usize = 500;

/// Refusals of a volunteer that are remembered; the oldest are forgotten first.
pub const REFUSALS_MAX: i64 = 5000;

/// One document that a client made, changed or deleted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PushedRow {
    /// The document as it is to be, with `_deleted`.
    #[schema(value_type = Object)]
    pub new_document_state: Members,
    /// What the client believes to be here; absent for what is new.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub assumed_master_state: Option<Members>,
}

/// What a client knows of the state that it changes.
#[derive(Clone, Debug)]
pub enum Base {
    /// This document, or that there is none.
    Assumed(Option<Members>),
    /// Everything with a lower transaction.
    Seen(i64),
}

/// A document as it is to be.
#[derive(Clone, Debug)]
pub struct Change {
    pub members: Members,
    pub base: Base,
}

impl Change {
    /// Reads a row of `RxDB`'s push.
    ///
    /// Errors: 422 `invalid_body` for what is no such row.
    pub fn of_rxdb(raw: &RawValue) -> Result<Self, Problem> {
        if raw.get().len() > 2 * DOCUMENT_BYTES_MAX {
            let row: LargeRow = extract::parse(raw.get().as_bytes())?;
            return Ok(Self {
                members: row.new_document_state.into_members(),
                base: Base::Assumed(None),
            });
        }
        let row: PushedRow = extract::parse(raw.get().as_bytes())?;
        Ok(Self {
            members: row.new_document_state,
            base: Base::Assumed(row.assumed_master_state),
        })
    }

    /// Reads a row of `WatermelonDB`'s push, made from what was there below a transaction.
    ///
    /// Errors: 422 `invalid_body` for what is no object.
    pub fn of_watermelon(raw: &RawValue, below: i64) -> Result<Self, Problem> {
        let members = if raw.get().len() > DOCUMENT_BYTES_MAX {
            extract::parse::<LargeDocument>(raw.get().as_bytes())?.into_members()
        } else {
            extract::parse(raw.get().as_bytes())?
        };
        Ok(Self {
            members,
            base: Base::Seen(below),
        })
    }
}

/// Of what is too large to be one of ours only the id is read; so it is refused and named.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LargeRow {
    new_document_state: LargeDocument,
}

#[derive(Deserialize)]
struct LargeDocument {
    id: String,
}

impl LargeDocument {
    fn into_members(self) -> Members {
        Members::from_iter([("id".to_owned(), Value::String(self.id))])
    }
}

/// What became of a document that was pushed and is not taken as it is.
#[derive(Debug)]
pub enum Objection {
    /// Something else is kept under its id.
    Kept(Document),
    /// It cannot be stored.
    Refused(Members, Problem),
}

impl Objection {
    /// What the client has to have instead, for `RxDB`.
    pub fn for_rxdb(self) -> Value {
        match self {
            Self::Kept(document) => document.for_rxdb(),
            Self::Refused(members, _) => tombstone(members),
        }
    }
}

pub fn is_deleted(members: &Members) -> bool {
    members.get("_deleted").and_then(Value::as_bool) == Some(true)
}

/// A document that cannot be read.
pub fn unreadable(cause: &str) -> Problem {
    Problem::new(
        actix_web::http::StatusCode::UNPROCESSABLE_ENTITY,
        "invalid_document",
        format!("This document cannot be read: {cause}"),
    )
}

/// Remembers what was refused, in the push that refuses it; forgets what is taken by now.
pub async fn remember(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    collection: &str,
    objections: &[Objection],
    taken: &[Uuid],
) -> Result<(), DbError> {
    let mut refused = Refused::default();
    for objection in objections {
        if let Objection::Refused(members, problem) = objection {
            refused.add(members, problem);
        }
    }
    if !refused.ids.is_empty() {
        refused.insert(db, volunteer_id, collection).await?;
        forget_oldest(db, volunteer_id).await?;
    }
    if !taken.is_empty() {
        forgive(db, volunteer_id, collection, taken).await?;
    }
    Ok(())
}

#[derive(Default)]
struct Refused {
    ids: Vec<String>,
    campaigns: Vec<Option<String>>,
    cells: Vec<Option<String>>,
    codes: Vec<&'static str>,
    details: Vec<String>,
}

impl Refused {
    fn add(&mut self, members: &Members, problem: &Problem) {
        let text = |name: &str| {
            let text = members.get(name)?.as_str()?;
            let fits = text.chars().count() <= ID_CHARS_MAX && !text.contains('\0');
            fits.then(|| text.to_owned())
        };
        let Some(id) = text("id").filter(|id| !self.ids.contains(id)) else {
            return;
        };
        let body = problem.body();
        let errors = body
            .errors
            .iter()
            .map(|e| format!(" {}: {}.", e.pointer, e.detail));
        let detail = body.detail.clone() + &errors.collect::<String>();
        self.ids.push(id);
        self.campaigns.push(text("campaign"));
        self.cells.push(text("cell"));
        self.codes.push(problem.code());
        self.details.push(
            detail
                .chars()
                .filter(|sign| *sign != '\0')
                .take(DETAIL_CHARS_MAX)
                .collect(),
        );
    }

    async fn insert(
        &self,
        db: &impl GenericClient,
        volunteer_id: Uuid,
        collection: &str,
    ) -> Result<(), DbError> {
        let sql = "-- sync::remember_refusals
            INSERT INTO sync_refusals (volunteer_id, collection, id, campaign, cell, code, detail)
            SELECT $1, $2, r.id, r.campaign, r.cell, r.code, r.detail
            FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) AS r (id, campaign, cell, code, detail)
            ORDER BY r.id
            ON CONFLICT ON CONSTRAINT sync_refusals_pkey DO UPDATE
            SET campaign = EXCLUDED.campaign, cell = EXCLUDED.cell, code = EXCLUDED.code, detail = EXCLUDED.detail,
                refused_at = now(), xid = pg_current_xact_id()";
        db.execute_typed(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&collection, Type::TEXT),
                (&self.ids, Type::TEXT_ARRAY),
                (&self.campaigns, Type::TEXT_ARRAY),
                (&self.cells, Type::TEXT_ARRAY),
                (&self.codes, Type::TEXT_ARRAY),
                (&self.details, Type::TEXT_ARRAY),
            ],
        )
        .await?;
        Ok(())
    }
}

async fn forget_oldest(db: &impl GenericClient, volunteer_id: Uuid) -> Result<(), DbError> {
    let sql = "-- sync::forget_oldest_refusals
        DELETE FROM sync_refusals AS r
        USING (SELECT collection, id FROM sync_refusals
               WHERE volunteer_id = $1
               ORDER BY refused_at DESC, collection, id
               OFFSET $2) AS old
        WHERE r.volunteer_id = $1 AND r.collection = old.collection AND r.id = old.id";
    db.execute_typed(
        sql,
        &[(&volunteer_id, Type::UUID), (&REFUSALS_MAX, Type::INT8)],
    )
    .await?;
    Ok(())
}

async fn forgive(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    collection: &str,
    taken: &[Uuid],
) -> Result<(), DbError> {
    let sql = "-- sync::forgive
        DELETE FROM sync_refusals WHERE volunteer_id = $1 AND collection = $2 AND id = ANY ($3)";
    let ids: Vec<String> = taken.iter().map(Uuid::to_string).collect();
    db.execute_typed(
        sql,
        &[
            (&volunteer_id, Type::UUID),
            (&collection, Type::TEXT),
            (&ids, Type::TEXT_ARRAY),
        ],
    )
    .await?;
    Ok(())
}
