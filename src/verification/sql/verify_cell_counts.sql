-- verification::cell_counts
-- In: $1 campaign, $2 pending cells, $3 reader, $4 limit. Out: what, shown, counted.
-- How many cells that are not closed have how many looks ("done" follows from it), against the cells.
WITH counted AS (
    SELECT looks, count(*) AS cells FROM cells
    WHERE campaign_id = $1 AND NOT closed GROUP BY looks
), shown AS (
    SELECT looks, cells FROM cell_counts WHERE campaign_id = $1
)
SELECT 'cells with ' || looks || ' looks' AS what,
       coalesce(shown.cells, 0) AS shown, coalesce(counted.cells, 0) AS counted
FROM shown FULL JOIN counted USING (looks)
WHERE coalesce(shown.cells, 0) <> coalesce(counted.cells, 0)
  AND $2::int8[] IS NOT NULL AND $3::text IS NOT NULL
ORDER BY looks LIMIT $4
