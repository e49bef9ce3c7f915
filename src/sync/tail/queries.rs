//! The statement that reads the end of the feed.

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::{db::DbError, sync::Collection};

/// Rows of one collection that are read at once. When there are more, everybody is taken to have
/// something new.
const ROWS_MAX: i64 = 20_000;

/// What happened since the feed was read last.
pub struct Tidings {
    /// Of this history; none when it was not given a number yet.
    pub epoch: Option<i32>,
    /// Everything of transactions below was read.
    pub horizon: i64,
    /// Who has something new in a collection; nobody named means everybody.
    pub changes: Vec<(Collection, Option<Uuid>)>,
    /// Whether these are all.
    pub is_whole: bool,
}

/// What happened in transactions from this one on; without one, only how far the feed is.
pub async fn tidings(db: &impl GenericClient, from: Option<i64>) -> Result<Tidings, DbError> {
    let sql = "-- sync::tidings
        SELECT pg_snapshot_xmin(pg_current_snapshot())::text::int8 AS horizon,
               (SELECT e.epoch FROM sync_epoch AS e WHERE e.history = sync_history()) AS epoch,
               NULL AS collection, NULL::uuid AS volunteer_id
        UNION ALL
        (SELECT NULL, NULL, 'looks', l.volunteer_id FROM looks AS l
         WHERE l.xid >= $1::text::xid8 AND l.xid < pg_snapshot_xmin(pg_current_snapshot())
         ORDER BY l.xid LIMIT $2)
        UNION ALL
        (SELECT NULL, NULL, 'tags', t.volunteer_id FROM tags AS t
         WHERE t.xid >= $1::text::xid8 AND t.xid < pg_snapshot_xmin(pg_current_snapshot())
         ORDER BY t.xid LIMIT $2)
        UNION ALL
        (SELECT NULL, NULL, 'tags', w.volunteer_id FROM waiting_tags AS w
         WHERE w.xid >= $1::text::xid8 AND w.xid < pg_snapshot_xmin(pg_current_snapshot())
         ORDER BY w.xid LIMIT $2)
        UNION ALL
        (SELECT NULL, NULL, r.collection, r.volunteer_id FROM sync_refusals AS r
         WHERE r.xid >= $1::text::xid8 AND r.xid < pg_snapshot_xmin(pg_current_snapshot())
         ORDER BY r.xid LIMIT $2)
        UNION ALL
        (SELECT NULL, NULL, 'assignments', p.volunteer_id FROM pack_cells AS p
         WHERE p.xid >= $1::text::xid8 AND p.xid < pg_snapshot_xmin(pg_current_snapshot())
         ORDER BY p.xid LIMIT $2)
        UNION ALL
        (SELECT NULL, NULL, 'campaigns', NULL
         WHERE EXISTS (SELECT FROM campaigns AS c
                       WHERE c.xid >= $1::text::xid8 AND c.xid < pg_snapshot_xmin(pg_current_snapshot()))
            OR EXISTS (SELECT FROM imagery_layers AS i
                       WHERE i.xid >= $1::text::xid8 AND i.xid < pg_snapshot_xmin(pg_current_snapshot())))";
    let from = from.unwrap_or(i64::MAX).to_string();
    let rows = db
        .query_typed(sql, &[(&from, Type::TEXT), (&(ROWS_MAX + 1), Type::INT8)])
        .await?;
    let mut tidings = Tidings {
        epoch: None,
        horizon: 0,
        changes: Vec::with_capacity(rows.len()),
        is_whole: true,
    };
    for row in rows {
        if let Some(horizon) = row.get("horizon") {
            tidings.horizon = horizon;
            tidings.epoch = row.get("epoch");
        } else if let Some(collection) = Collection::parse(row.get("collection")) {
            let volunteer_id = row.get("volunteer_id");
            tidings.changes.push((collection, volunteer_id));
            // What became of a look is told in a collection of its own.
            if collection == Collection::Looks {
                tidings.changes.push((Collection::Receipts, volunteer_id));
            }
        }
    }
    tidings.is_whole = Collection::ALL.into_iter().all(|collection| {
        let of = tidings.changes.iter().filter(|(one, _)| *one == collection);
        i64::try_from(of.count()).is_ok_and(|rows| rows <= ROWS_MAX)
    });
    Ok(tidings)
}
