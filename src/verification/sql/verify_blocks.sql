-- verification::blocks
-- In: $1 campaign, $2 pending cells, $3 reader, $4 limit. Out: what, shown, counted.
-- Sums of each block, against its cells. A cell is packed as z (5 bits), x (29), y (29).
WITH unpacked AS (
    SELECT cell >> 58 AS z, (cell >> 29) & 536870911 AS x, cell & 536870911 AS y,
           looks, bad_imagery, tags, closed
    FROM cells WHERE campaign_id = $1
), counted AS (
    SELECT ((z - up) << 58) | ((x >> up) << 29) | (y >> up) AS block, count(*) AS cells,
           sum(looks)::int8 AS looks, sum(bad_imagery)::int8 AS bad_imagery, sum(tags)::int8 AS tags,
           count(*) FILTER (WHERE closed) AS closed
    FROM unpacked CROSS JOIN LATERAL (
        SELECT (2 * step)::int AS up FROM generate_series(1, (z / 2)::int) AS step) AS ups
    GROUP BY 1
), compared AS (
    SELECT block, n.name, n.shown, n.counted
    FROM (SELECT * FROM blocks WHERE campaign_id = $1) AS b
    FULL JOIN counted AS c USING (block)
    CROSS JOIN LATERAL (VALUES
        ('cells', coalesce(b.cells, 0), coalesce(c.cells, 0)),
        ('looks', coalesce(b.looks, 0), coalesce(c.looks, 0)),
        ('bad_imagery', coalesce(b.bad_imagery, 0), coalesce(c.bad_imagery, 0)),
        ('tags', coalesce(b.tags, 0), coalesce(c.tags, 0)),
        ('closed', coalesce(b.closed, 0), coalesce(c.closed, 0))) AS n (name, shown, counted)
)
SELECT name || ' of block ' || (block >> 58) || '/' || ((block >> 29) & 536870911) || '/' || (block & 536870911) AS what,
       shown, counted
FROM compared
WHERE shown <> counted AND $2::int8[] IS NOT NULL AND $3::text IS NOT NULL
ORDER BY block LIMIT $4
