-- verification::prepared
-- In: $1 campaign, $2 pending cells, $3 reader, $4 limit. Out: what, shown, counted.
-- Number of cells, against the cells.
WITH counted AS (
    SELECT count(*) AS cells FROM cells WHERE campaign_id = $1
)
SELECT n.what, n.shown, counted.cells AS counted
FROM campaigns AS c CROSS JOIN counted
CROSS JOIN LATERAL (VALUES
    ('cells prepared', c.cells_prepared),
    -- A campaign that was closed while it was being prepared never gets all its cells.
    ('cells', CASE WHEN c.state IN ('open', 'paused') OR c.cells = c.cells_prepared
                   THEN c.cells ELSE counted.cells END)) AS n (what, shown)
WHERE c.id = $1 AND n.shown <> counted.cells AND $2::int8[] IS NOT NULL AND $3::text IS NOT NULL
LIMIT $4
