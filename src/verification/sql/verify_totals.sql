-- verification::totals
-- In: $1 campaign, $2 pending cells, $3 reader, $4 limit. Out: what, shown, counted.
-- Totals, against the looks that progress has read, and against the cells.
WITH read AS (
    SELECT l.outcome, l.volunteer_id
    FROM looks AS l JOIN feed_cursors AS c ON c.reader = $3
    WHERE l.campaign_id = $1
      AND (l.xid, l.id, l.volunteer_id) <= (c.looks_xid, c.looks_id, c.looks_owner)
), counted AS (
    SELECT count(*) AS looks,
           count(*) FILTER (WHERE outcome = 'tagged') AS tagged,
           count(*) FILTER (WHERE outcome = 'nothing') AS nothing,
           count(*) FILTER (WHERE outcome = 'skipped') AS skipped,
           count(*) FILTER (WHERE outcome = 'bad_imagery') AS bad_imagery,
           count(DISTINCT volunteer_id) AS volunteers
    FROM read
), cell_sums AS (
    -- Three is assignments::BAD_IMAGERY_REPORTS.
    SELECT count(*) FILTER (WHERE bad_imagery >= 3 AND NOT closed) AS bad_imagery,
           count(*) FILTER (WHERE closed) AS closed
    FROM cells WHERE campaign_id = $1
)
SELECT n.what, n.shown, n.counted
FROM counted CROSS JOIN cell_sums
LEFT JOIN campaign_totals AS t ON t.campaign_id = $1
CROSS JOIN LATERAL (VALUES
    ('looks', coalesce(t.looks, 0), counted.looks),
    ('looks tagged', coalesce(t.tagged, 0), counted.tagged),
    ('looks nothing', coalesce(t.nothing, 0), counted.nothing),
    ('looks skipped', coalesce(t.skipped, 0), counted.skipped),
    ('looks bad_imagery', coalesce(t.bad_imagery, 0), counted.bad_imagery),
    ('volunteers', coalesce(t.volunteers, 0), counted.volunteers),
    ('cells with bad imagery', coalesce(t.cells_bad_imagery, 0), cell_sums.bad_imagery),
    ('cells closed', coalesce(t.cells_closed, 0), cell_sums.closed)) AS n (what, shown, counted)
WHERE n.shown <> n.counted AND $2::int8[] IS NOT NULL
LIMIT $4
