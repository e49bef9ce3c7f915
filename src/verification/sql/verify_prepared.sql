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
    -- While a change is carried out, cells are missing; for ever when the campaign was closed meanwhile.
    ('cells', CASE WHEN EXISTS (SELECT FROM campaign_changes AS h WHERE h.campaign_id = $1)
                   THEN counted.cells ELSE c.cells END)) AS n (what, shown)
WHERE c.id = $1 AND n.shown <> counted.cells AND $2::int8[] IS NOT NULL AND $3::text IS NOT NULL
LIMIT $4
