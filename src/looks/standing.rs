//! How a look that was stored came in: in time and wanted, or late, or one more than was wanted.
//!
//! **Invariant:** looks at a cell are told apart by the order of the change feed, so that what is
//! said of a look stays, but for looks that are being stored at the same moment.

use std::collections::BTreeMap;

use serde::Serialize;
use tokio_postgres::{GenericClient, types::Type};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::DbError;

/// Of several, the first that is true.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It came after the campaign was closed, within its grace.
    AfterClose,
    /// It came while the campaign was paused.
    WhilePaused,
    /// The square had all the looks that were wanted, or one of the same volunteer.
    Extra,
    /// The square needed it.
    Counted,
}

impl Standing {
    const ALL: [Self; 4] = [
        Self::AfterClose,
        Self::WhilePaused,
        Self::Extra,
        Self::Counted,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::AfterClose => "after_close",
            Self::WhilePaused => "while_paused",
            Self::Extra => "extra",
            Self::Counted => "counted",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// How looks of a volunteer came in, by their ids; those that are not stored are left out.
pub async fn standings(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Standing>, DbError> {
    let sql = "-- looks::standings
        SELECT l.id, t.standing
        FROM looks AS l, LATERAL look_standing(l) AS t
        WHERE l.volunteer_id = $1 AND l.id = ANY ($2)";
    let rows = db
        .query_typed(
            sql,
            &[(&volunteer_id, Type::UUID), (&ids, Type::UUID_ARRAY)],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let standing = Standing::parse(row.get("standing"))
                .ok_or_else(|| DbError::Damaged("the standing of a look".to_owned()))?;
            Ok((row.get("id"), standing))
        })
        .collect()
}
