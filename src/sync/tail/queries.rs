//! The statement that reads the end of the feed.

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::{db::DbError, sync::Collection};

/// Rows of one collection in a table that are read at once. When there are more, everybody is taken to
/// have something new in it.
const ROWS_MAX: i64 = 100_000;

/// What happened since the feed was read last.
pub struct Tidings {
    /// Of this history; none when it was not given a number yet.
    pub epoch: Option<i32>,
    /// Everything of transactions below was read.
    pub horizon: i64,
    pub changes: Vec<Change>,
    /// Collections in which anybody may have something new, of transactions below.
    pub of_all: Vec<(Collection, i64)>,
}

/// Somebody has something new.
pub struct Change {
    pub collection: Collection,
    pub volunteer_id: Uuid,
    /// The last transaction of which it is.
    pub xid: i64,
}

/// What happened in transactions from this one on; without one, only how far the feed is.
pub async fn tidings(db: &impl GenericClient, from: Option<i64>) -> Result<Tidings, DbError> {
    let sql = "-- sync::tidings
        WITH new_rows AS (
            (SELECT 'looks' AS collection, volunteer_id, xid FROM looks
             WHERE xid >= $1::text::xid8 AND xid < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY looks.xid LIMIT $2)
            UNION ALL
            (SELECT 'tags', volunteer_id, xid FROM tags
             WHERE xid >= $1::text::xid8 AND xid < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY tags.xid LIMIT $2)
            UNION ALL
            (SELECT 'tags', volunteer_id, xid FROM waiting_tags
             WHERE xid >= $1::text::xid8 AND xid < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY waiting_tags.xid LIMIT $2)
            UNION ALL
            (SELECT 'looks', volunteer_id, xid FROM sync_refusals
             WHERE collection = 'looks' AND xid >= $1::text::xid8 AND xid < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY sync_refusals.xid LIMIT $2)
            UNION ALL
            (SELECT 'tags', volunteer_id, xid FROM sync_refusals
             WHERE collection = 'tags' AND xid >= $1::text::xid8 AND xid < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY sync_refusals.xid LIMIT $2)
            UNION ALL
            (SELECT 'assignments', volunteer_id, xid FROM pack_cells
             WHERE xid >= $1::text::xid8 AND xid < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY pack_cells.xid LIMIT $2)
        )
        SELECT pg_snapshot_xmin(pg_current_snapshot())::text::int8 AS horizon,
               (SELECT e.epoch FROM sync_epoch AS e WHERE e.history = sync_history()) AS epoch,
               NULL AS collection, NULL::uuid AS volunteer_id, NULL::int8 AS xid, NULL::int8 AS rows
        UNION ALL
        SELECT NULL, NULL, n.collection, n.volunteer_id, max(n.xid::text::int8), count(*)
        FROM new_rows AS n
        GROUP BY n.collection, n.volunteer_id
        UNION ALL
        SELECT NULL, NULL, 'campaigns', NULL, max(c.xid::text::int8), count(*)
        FROM (SELECT xid FROM campaigns UNION ALL SELECT xid FROM imagery_layers) AS c
        WHERE c.xid >= $1::text::xid8 AND c.xid < pg_snapshot_xmin(pg_current_snapshot())
        HAVING count(*) > 0";
    let from = from.unwrap_or(i64::MAX).to_string();
    let found = db
        .query_typed(sql, &[(&from, Type::TEXT), (&(ROWS_MAX + 1), Type::INT8)])
        .await?;
    let mut tidings = Tidings {
        epoch: None,
        horizon: 0,
        changes: Vec::with_capacity(found.len()),
        of_all: Vec::new(),
    };
    let mut rows = [0; Collection::ALL.len()];
    for row in &found {
        if let Some(horizon) = row.get("horizon") {
            tidings.horizon = horizon;
            tidings.epoch = row.get("epoch");
        } else if let Some(collection) = Collection::parse(row.get("collection")) {
            rows[collection.index()] += row.get::<_, i64>("rows");
            tidings.take(collection, row.get("volunteer_id"), row.get("xid"));
        }
    }
    rows[Collection::Receipts.index()] = rows[Collection::Looks.index()];
    for collection in Collection::ALL {
        if rows[collection.index()] > ROWS_MAX {
            tidings.of_all.push((collection, tidings.horizon));
        }
    }
    Ok(tidings)
}

impl Tidings {
    fn take(&mut self, collection: Collection, volunteer_id: Option<Uuid>, xid: i64) {
        let Some(volunteer_id) = volunteer_id else {
            self.of_all.push((collection, xid + 1));
            return;
        };
        // What became of a look is told in a collection of its own.
        let receipts = (collection == Collection::Looks).then_some(Collection::Receipts);
        let collections = [Some(collection), receipts].into_iter().flatten();
        self.changes.extend(collections.map(|collection| Change {
            collection,
            volunteer_id,
            xid,
        }));
    }
}
