//! Where each collection of a volunteer ends: one statement for all of them.

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::{Collection, Position, campaigns, epoch::Standing};
use crate::{db::DbError, http::Problem};

/// Where a volunteer's collections end, and where the feed stood then.
pub struct Ends {
    pub standing: Standing,
    /// The last document that is final, or the last tombstone that was forgotten; the beginning where
    /// there is neither.
    pub of: [(Collection, Position); Collection::ALL.len()],
}

pub async fn ends(db: &impl GenericClient, volunteer_id: Uuid) -> Result<Ends, Problem> {
    let sql = "-- sync::ends
        SELECT s.epoch, s.horizon, s.floor, e.collection, e.xid::text::int8 AS xid, e.id
        FROM sync_standing($1, '') AS s
        LEFT JOIN (
            (SELECT 'campaigns' AS collection, xid, id
             FROM (SELECT greatest(c.xid, l.xid) AS xid, c.id
                   FROM campaigns AS c JOIN imagery_layers AS l ON l.id = c.imagery_layer_id
                   WHERE c.state = ANY ($2)) AS o
             WHERE o.xid < (SELECT pg_snapshot_xmin(pg_current_snapshot()))
             ORDER BY o.xid DESC, o.id DESC LIMIT 1)
            UNION ALL
            (SELECT 'assignments', xid, id
             FROM (SELECT xid, id FROM pack_cells WHERE volunteer_id = $1 OFFSET 0) AS o
             WHERE o.xid < (SELECT pg_snapshot_xmin(pg_current_snapshot()))
             ORDER BY o.xid DESC, o.id DESC LIMIT 1)
            UNION ALL
            (SELECT 'looks', xid, id
             FROM (SELECT xid, id FROM looks WHERE volunteer_id = $1 OFFSET 0) AS o
             WHERE o.xid < (SELECT pg_snapshot_xmin(pg_current_snapshot()))
             ORDER BY o.xid DESC, o.id DESC LIMIT 1)
            UNION ALL
            (SELECT 'receipts', xid, id
             FROM (SELECT xid, id::uuid AS id FROM sync_refusals
                   WHERE volunteer_id = $1 AND collection = 'looks'
                     AND id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' OFFSET 0) AS o
             WHERE o.xid < (SELECT pg_snapshot_xmin(pg_current_snapshot()))
             ORDER BY o.xid DESC, o.id DESC LIMIT 1)
            UNION ALL
            (SELECT 'tags', xid, id
             FROM (SELECT xid, id FROM tags WHERE volunteer_id = $1
                   UNION ALL
                   SELECT xid, id FROM waiting_tags WHERE volunteer_id = $1 OFFSET 0) AS o
             WHERE o.xid < (SELECT pg_snapshot_xmin(pg_current_snapshot()))
             ORDER BY o.xid DESC, o.id DESC LIMIT 1)
            UNION ALL
            (SELECT collection, xid, '00000000-0000-0000-0000-000000000000' FROM sync_floors WHERE volunteer_id = $1)
        ) AS e ON true";
    let states = campaigns::public_states();
    let found = db
        .query_typed(
            sql,
            &[(&volunteer_id, Type::UUID), (&states, Type::TEXT_ARRAY)],
        )
        .await
        .map_err(DbError::from)?;
    let standing = found.first().map(Standing::of);
    let mut of = Collection::ALL.map(|collection| (collection, Position::default()));
    for row in &found {
        let name = row.get::<_, Option<&str>>("collection");
        if let Some(collection) = name.and_then(Collection::parse) {
            let end = &mut of[collection.index()].1;
            *end = (*end).max(Position {
                xid: row.get("xid"),
                id: row.get("id"),
            });
        }
    }
    // Each look has a receipt.
    let looks = of[Collection::Looks.index()].1;
    let receipts = &mut of[Collection::Receipts.index()].1;
    *receipts = looks.max(*receipts);
    Ok(Ends {
        standing: standing.ok_or_else(|| Problem::internal(&"no standing"))?,
        of,
    })
}
