//! What became of a volunteer's looks, as documents: one for each look that is stored, and for each
//! that was pushed and refused.

use serde::Serialize;
use tokio_postgres::{GenericClient, Row};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Document, Page, Position,
    collection::{after_params, rows},
    epoch::Standing,
};
use crate::{db::DbError, geo::CellId, http::Problem, looks::Standing as LookStanding};

/// What became of a look.
#[derive(Serialize, ToSchema)]
pub struct ReceiptDocument {
    /// Of the look.
    id: Uuid,
    /// The campaign's id; as it was sent when it names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<String>,
    /// The square; as it was sent when the look was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "17/10043/39631")]
    cell: Option<String>,
    /// `stored` or `refused`.
    #[schema(example = "stored")]
    verdict: &'static str,
    /// How it came in, when it is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<LookStanding>,
    /// Code of the problem, when it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "grace_over")]
    code: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// What became of looks after a place. How a stored one came in is only found out for those of the page.
pub async fn after(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    after: &Position,
    limit: usize,
) -> Result<Page, Problem> {
    let sql = "-- sync::receipts_after
        SELECT s.epoch, s.horizon, s.floor, d.xid::text::int8 AS xid, d.id, d.campaign, d.cell, d.place, d.code,
               d.detail, t.standing
        FROM sync_standing($1, 'receipts') AS s
        LEFT JOIN (
            SELECT xid, id, campaign, cell, place, code, detail
            FROM (SELECT xid, id, campaign_id::text AS campaign, NULL AS cell, cell AS place, NULL AS code,
                         NULL AS detail
                  FROM looks WHERE volunteer_id = $1
                  UNION ALL
                  SELECT r.xid, r.id::uuid, coalesce(c.id::text, r.campaign), r.cell, NULL, r.code, r.detail
                  FROM sync_refusals AS r
                  LEFT JOIN campaigns AS c ON c.slug = r.campaign OR c.id::text = r.campaign
                  WHERE r.volunteer_id = $1 AND r.collection = 'looks' AND r.xid >= $2::text::xid8
                    AND r.id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                  OFFSET 0) AS o
            WHERE (xid, id) > ($2::text::xid8, $3)
              AND xid < (SELECT pg_snapshot_xmin(pg_current_snapshot()))
            ORDER BY xid, id
            LIMIT $4
        ) AS d ON true
        LEFT JOIN looks AS l ON l.volunteer_id = $1 AND l.id = d.id AND d.code IS NULL
        LEFT JOIN LATERAL look_standing(l) AS t ON true
        ORDER BY d.xid, d.id";
    let (xid, limit) = (after.xid.to_string(), rows(limit));
    let params = after_params(&volunteer_id, &xid, &after.id, &limit);
    let found = db.query_typed(sql, &params).await?;
    let standing = found.first().map(Standing::of);
    let documents = found
        .iter()
        .filter(|row| row.get::<_, Option<Uuid>>("id").is_some())
        .map(document)
        .collect::<Result<Vec<_>, DbError>>()?;
    Ok(Page {
        standing: standing.ok_or_else(|| Problem::internal(&"no standing"))?,
        documents,
        is_cut: false,
    })
}

fn document(row: &Row) -> Result<Document, DbError> {
    let at = Position {
        xid: row.get("xid"),
        id: row.get("id"),
    };
    let place = row
        .get::<_, Option<i64>>("place")
        .map(CellId::try_from)
        .transpose()
        .map_err(|e| DbError::Damaged(format!("looks.cell: {e}")))?;
    let code: Option<String> = row.get("code");
    let standing: Option<String> = row.get("standing");
    let shape = ReceiptDocument {
        id: at.id,
        campaign: row.get("campaign"),
        cell: place.map_or_else(|| row.get("cell"), |cell| Some(cell.tile().to_string())),
        verdict: if code.is_some() { "refused" } else { "stored" },
        standing: standing.as_deref().and_then(LookStanding::parse),
        code,
        detail: row.get("detail"),
    };
    Document::new(at, false, &shape)
}
