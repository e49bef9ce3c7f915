//! Counting cells anew from their looks and tags, and from what the organiser decided about them.

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::db::DbError;

/// A cell whose numbers changed.
#[derive(Clone, Copy, Debug)]
pub struct CellChange {
    pub campaign_id: Uuid,
    pub cell: i64,
    pub looks_before: i16,
    pub looks: i16,
    pub bad_imagery_before: i16,
    pub bad_imagery: i16,
    pub tags_before: i32,
    pub tags: i32,
    pub closed_before: bool,
    pub closed: bool,
}

/// Counts cells anew and gives those that changed.
pub async fn cells(
    db: &impl GenericClient,
    touched: &[(Uuid, i64)],
) -> Result<Vec<CellChange>, DbError> {
    let sql = "-- progress::recount_cells
        WITH touched AS (
            -- In order, like those who prepare cells: otherwise the two could wait for each other.
            SELECT c.campaign_id, c.cell, c.looks, c.bad_imagery, c.tags, c.closed
            FROM unnest($1::uuid[], $2::int8[]) AS t (campaign_id, cell)
            JOIN cells AS c ON c.campaign_id = t.campaign_id AND c.cell = t.cell
            ORDER BY c.campaign_id, c.cell
            FOR NO KEY UPDATE OF c
        ), fresh AS (
            SELECT t.campaign_id, t.cell, t.looks AS looks_before,
                   t.bad_imagery AS bad_imagery_before, t.tags AS tags_before,
                   t.closed AS closed_before,
                   l.looks, l.bad_imagery, g.tags, coalesce(d.closed, false) AS closed
            FROM touched AS t
            LEFT JOIN cell_decisions AS d ON d.campaign_id = t.campaign_id AND d.cell = t.cell
            CROSS JOIN LATERAL (
                SELECT least(count(*) FILTER (WHERE answered), 32767)::int2 AS looks,
                       least(count(*) FILTER (WHERE reported), 32767)::int2 AS bad_imagery
                FROM (SELECT bool_or(outcome IN ('tagged', 'nothing')) AS answered,
                             bool_or(outcome = 'bad_imagery'
                                     AND received_at > coalesce(d.reports_since, '-infinity')) AS reported
                      FROM looks
                      WHERE campaign_id = t.campaign_id AND cell = t.cell
                        AND received_at > coalesce(d.looks_since, '-infinity')
                      GROUP BY volunteer_id) AS v) AS l
            CROSS JOIN LATERAL (
                SELECT count(*)::int4 AS tags FROM tags
                WHERE campaign_id = t.campaign_id AND cell = t.cell AND withdrawn_at IS NULL) AS g
        )
        UPDATE cells AS c
        SET looks = f.looks, bad_imagery = f.bad_imagery, tags = f.tags, closed = f.closed
        FROM fresh AS f
        WHERE c.campaign_id = f.campaign_id AND c.cell = f.cell
          AND (f.looks, f.bad_imagery, f.tags, f.closed)
              <> (f.looks_before, f.bad_imagery_before, f.tags_before, f.closed_before)
        RETURNING f.campaign_id, f.cell, f.looks_before, f.looks, f.bad_imagery_before,
                  f.bad_imagery, f.tags_before, f.tags, f.closed_before, f.closed";
    let (campaigns, cells): (Vec<Uuid>, Vec<i64>) = touched.iter().copied().unzip();
    let rows = db
        .query_typed(
            sql,
            &[(&campaigns, Type::UUID_ARRAY), (&cells, Type::INT8_ARRAY)],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| CellChange {
            campaign_id: row.get("campaign_id"),
            cell: row.get("cell"),
            looks_before: row.get("looks_before"),
            looks: row.get("looks"),
            bad_imagery_before: row.get("bad_imagery_before"),
            bad_imagery: row.get("bad_imagery"),
            tags_before: row.get("tags_before"),
            tags: row.get("tags"),
            closed_before: row.get("closed_before"),
            closed: row.get("closed"),
        })
        .collect())
}

/// Counts the tags of cells by type anew, and moves the campaign's tags by the difference.
pub async fn tags(db: &impl GenericClient, touched: &[(Uuid, i64)]) -> Result<(), DbError> {
    let sql = "-- progress::recount_tags
        WITH touched AS (
            SELECT * FROM unnest($1::uuid[], $2::int8[]) AS t (campaign_id, cell)
        ), fresh AS (
            SELECT campaign_id, cell, tag_type, count(*)::int4 AS tags
            FROM tags JOIN touched USING (campaign_id, cell)
            WHERE withdrawn_at IS NULL
            GROUP BY campaign_id, cell, tag_type
        ), kept AS (
            SELECT campaign_id, cell, tag_type, tags
            FROM cell_tags JOIN touched USING (campaign_id, cell)
        ), changed AS (
            SELECT campaign_id, cell, tag_type, coalesce(fresh.tags, 0) AS tags,
                   coalesce(fresh.tags, 0) - coalesce(kept.tags, 0) AS difference
            FROM fresh FULL JOIN kept USING (campaign_id, cell, tag_type)
            WHERE coalesce(fresh.tags, 0) <> coalesce(kept.tags, 0)
        ), gone AS (
            DELETE FROM cell_tags AS c USING changed AS d
            WHERE d.tags = 0 AND c.campaign_id = d.campaign_id AND c.cell = d.cell
              AND c.tag_type = d.tag_type
        ), put AS (
            INSERT INTO cell_tags (campaign_id, cell, tag_type, tags)
            SELECT campaign_id, cell, tag_type, tags FROM changed WHERE tags > 0
            ON CONFLICT ON CONSTRAINT cell_tags_pkey DO UPDATE SET tags = excluded.tags
        )
        INSERT INTO campaign_tags (campaign_id, tag_type, tags)
        SELECT campaign_id, tag_type, sum(difference) FROM changed GROUP BY campaign_id, tag_type
        ON CONFLICT ON CONSTRAINT campaign_tags_pkey
        DO UPDATE SET tags = campaign_tags.tags + excluded.tags";
    let (campaigns, cells): (Vec<Uuid>, Vec<i64>) = touched.iter().copied().unzip();
    db.execute_typed(
        sql,
        &[(&campaigns, Type::UUID_ARRAY), (&cells, Type::INT8_ARRAY)],
    )
    .await?;
    Ok(())
}
