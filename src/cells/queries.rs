//! Statements of cells.

use std::collections::BTreeMap;

use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use super::model::{Decided, Listed, ListedCell};
use crate::{campaigns::Campaign, db::DbError, geo::CellId};

/// What is decided about each of some cells.
pub struct Change {
    pub by: Uuid,
    /// Whether a layer is named; `None` below it is the campaign's.
    pub names_layer: bool,
    pub imagery_layer_id: Option<Uuid>,
    pub closed: Option<bool>,
    pub reset: bool,
}

/// Stores a decision; gives the cells that the campaign has, and whether each changed.
///
/// A reset changes a cell that somebody looked at since the last one; the layer that a cell has
/// already changes it when there are reports to forget, since its imagery may be good by now. Times
/// are those of the statement, which begins after the campaign is held, and never go back.
pub async fn decide(
    db: &impl GenericClient,
    campaign: &Campaign,
    cells: &[i64],
    change: &Change,
) -> Result<BTreeMap<CellId, bool>, DbError> {
    let sql = "-- cells::decide
        WITH present AS (
            SELECT c.cell, d.imagery_layer_id, coalesce(d.closed, false) AS closed,
                   coalesce(d.looks_since, '-infinity') AS looks_since,
                   coalesce(greatest(d.looks_since, d.reports_since), '-infinity') AS reports_since
            FROM (SELECT DISTINCT cell FROM unnest($2::int8[]) AS g (cell)) AS given
            JOIN cells AS c ON c.campaign_id = $1 AND c.cell = given.cell
            LEFT JOIN cell_decisions AS d ON d.campaign_id = $1 AND d.cell = c.cell
        ), wanted AS (
            SELECT p.cell, p.imagery_layer_id AS layer_before, p.closed AS closed_before,
                   CASE WHEN $4 THEN $5 ELSE p.imagery_layer_id END AS layer,
                   coalesce($6, p.closed) AS closed,
                   $7 AND EXISTS (SELECT FROM looks AS l
                                  WHERE l.campaign_id = $1 AND l.cell = p.cell
                                    AND l.received_at > p.looks_since) AS reset,
                   $4 AND (coalesce($5, $8) <> coalesce(p.imagery_layer_id, $8)
                           OR EXISTS (SELECT FROM looks AS l
                                      WHERE l.campaign_id = $1 AND l.cell = p.cell
                                        AND l.outcome = 'bad_imagery'
                                        AND l.received_at > p.reports_since)) AS other_imagery
            FROM present AS p
        ), changes AS (
            SELECT cell, layer, closed, reset, other_imagery
            FROM wanted
            WHERE reset OR other_imagery OR closed <> closed_before
               OR layer IS DISTINCT FROM layer_before
        ), stored AS (
            INSERT INTO cell_decisions AS d (campaign_id, cell, imagery_layer_id, closed, looks_since,
                                             reports_since, decided_by, decided_at)
            SELECT $1, cell, layer, closed, CASE WHEN reset THEN statement_timestamp() END,
                   CASE WHEN reset OR other_imagery THEN statement_timestamp() END,
                   $3, statement_timestamp()
            FROM changes
            ORDER BY cell
            ON CONFLICT ON CONSTRAINT cell_decisions_pkey DO UPDATE
            SET imagery_layer_id = excluded.imagery_layer_id, closed = excluded.closed,
                looks_since = greatest(d.looks_since, excluded.looks_since),
                reports_since = greatest(d.reports_since, excluded.reports_since),
                decided_by = excluded.decided_by, decided_at = excluded.decided_at,
                xid = pg_current_xact_id()
            RETURNING cell
        )
        SELECT p.cell, s.cell IS NOT NULL AS changed
        FROM present AS p LEFT JOIN stored AS s ON s.cell = p.cell";
    let rows = db
        .query_typed(
            sql,
            &[
                (&campaign.id, Type::UUID),
                (&cells, Type::INT8_ARRAY),
                (&change.by, Type::UUID),
                (&change.names_layer, Type::BOOL),
                (&change.imagery_layer_id, Type::UUID),
                (&change.closed, Type::BOOL),
                (&change.reset, Type::BOOL),
                (&campaign.imagery_layer_id, Type::UUID),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| Ok((cell_id(row)?, row.get("changed"))))
        .collect()
}

/// What was decided about a cell.
pub async fn decided(
    db: &impl GenericClient,
    campaign_id: Uuid,
    cell: i64,
) -> Result<Decided, DbError> {
    let sql = "-- cells::decided
        SELECT d.closed, i.key AS imagery_layer, d.decided_at
        FROM cell_decisions AS d
        LEFT JOIN imagery_layers AS i ON i.id = d.imagery_layer_id
        WHERE d.campaign_id = $1 AND d.cell = $2";
    let row = db
        .query_typed_opt(sql, &[(&campaign_id, Type::UUID), (&cell, Type::INT8)])
        .await?;
    Ok(row.as_ref().map(decided_of).unwrap_or_default())
}

/// Cells with what was decided about them. Looks and reports are counted here and now, so that a
/// cell leaves the list of those with bad imagery when it is decided about.
const LIST: &str = "
    SELECT c.cell, c.weight, c.tags, l.looks, l.bad_imagery,
           coalesce(d.closed, false) AS closed, i.key AS imagery_layer, d.decided_at
    FROM cells AS c
    LEFT JOIN cell_decisions AS d ON d.campaign_id = c.campaign_id AND d.cell = c.cell
    LEFT JOIN imagery_layers AS i ON i.id = d.imagery_layer_id
    CROSS JOIN LATERAL (
        SELECT least(count(DISTINCT volunteer_id) FILTER (WHERE outcome IN ('tagged', 'nothing')), 32767)::int2 AS looks,
               least(count(DISTINCT volunteer_id) FILTER (WHERE outcome = 'bad_imagery'
                   AND received_at > coalesce(d.reports_since, '-infinity')), 32767)::int2 AS bad_imagery
        FROM looks
        WHERE campaign_id = c.campaign_id AND cell = c.cell
          AND received_at > coalesce(d.looks_since, '-infinity')) AS l
    WHERE c.campaign_id = $1 AND c.cell > $2 AND ";

const PAGE: &str = " ORDER BY c.campaign_id, c.cell LIMIT $3";

/// A page of cells after one.
pub async fn list(
    db: &impl GenericClient,
    campaign_id: Uuid,
    listed: Listed,
    after: i64,
    limit: i64,
) -> Result<Vec<ListedCell>, DbError> {
    let (name, which) = match listed {
        // Three is assignments::BAD_IMAGERY_REPORTS; a literal, so that the partial index serves.
        Listed::BadImagery => (
            "-- cells::list_bad_imagery",
            "c.bad_imagery >= 3 AND l.bad_imagery >= 3 AND d.closed IS NOT TRUE",
        ),
        // The planner does not conclude by itself where to go on among the decisions.
        Listed::Closed => ("-- cells::list_closed", "d.cell > $2 AND d.closed"),
        Listed::Decided => ("-- cells::list_decided", "d.cell > $2"),
    };
    let sql = [name, LIST, which, PAGE].concat();
    let rows = db
        .query_typed(
            &sql,
            &[
                (&campaign_id, Type::UUID),
                (&after, Type::INT8),
                (&limit, Type::INT8),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(ListedCell {
                cell: cell_id(row)?,
                weight: row.get("weight"),
                looks: row.get("looks"),
                bad_imagery: row.get("bad_imagery"),
                tags: row.get("tags"),
                decided: decided_of(row),
            })
        })
        .collect()
}

fn decided_of(row: &Row) -> Decided {
    Decided {
        closed: row.get("closed"),
        imagery_layer: row.get("imagery_layer"),
        at: row.get("decided_at"),
    }
}

fn cell_id(row: &Row) -> Result<CellId, DbError> {
    CellId::try_from(row.get::<_, i64>("cell"))
        .map_err(|e| DbError::Damaged(format!("cells.cell: {e}")))
}
