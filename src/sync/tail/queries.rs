//! The statement that reads the end of the feed.

use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use crate::{db::DbError, sync::Collection};

/// Rows of one collection that are read at once. When there are more, everybody is taken to have
/// something new in it.
const ROWS_MAX: i64 = 100_000;

/// What happened since the feed was read last.
pub struct Tidings {
    /// Of this history; none when it was not given a number yet.
    pub epoch: Option<i32>,
    /// Everything of transactions below was read.
    pub horizon: i64,
    pub changes: Vec<Change>,
    /// Collections in which anybody may have something new.
    pub of_all: Vec<Collection>,
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
            (SELECT collection, volunteer_id, xid FROM sync_refusals
             WHERE xid >= $1::text::xid8 AND xid < pg_snapshot_xmin(pg_current_snapshot())
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
        (SELECT NULL, NULL, 'campaigns', NULL, NULL, NULL
         WHERE EXISTS (SELECT FROM campaigns AS c
                       WHERE c.xid >= $1::text::xid8 AND c.xid < pg_snapshot_xmin(pg_current_snapshot()))
            OR EXISTS (SELECT FROM imagery_layers AS i
                       WHERE i.xid >= $1::text::xid8 AND i.xid < pg_snapshot_xmin(pg_current_snapshot())))";
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
            rows[collection.index()] += row.get::<_, Option<i64>>("rows").unwrap_or(ROWS_MAX + 1);
            tidings.changes.extend(changes(row, collection));
        }
    }
    rows[Collection::Receipts.index()] = rows[Collection::Looks.index()];
    let many = Collection::ALL.into_iter();
    tidings.of_all = many
        .filter(|collection| rows[collection.index()] > ROWS_MAX)
        .collect();
    Ok(tidings)
}

fn changes(row: &Row, collection: Collection) -> impl Iterator<Item = Change> {
    // What became of a look is told in a collection of its own.
    let receipts = (collection == Collection::Looks).then_some(Collection::Receipts);
    let of = row.get::<_, Option<Uuid>>("volunteer_id");
    let of = of.zip(row.get::<_, Option<i64>>("xid"));
    of.into_iter().flat_map(move |(volunteer_id, xid)| {
        let collections = [Some(collection), receipts].into_iter().flatten();
        collections.map(move |collection| Change {
            collection,
            volunteer_id,
            xid,
        })
    })
}
