-- verification::cells
-- In: $1 campaign, $2 pending cells, $3 reader, $4 limit. Out: what, shown, counted.
-- Looks, bad imagery and tags of each cell that is not pending, against looks and tags.
WITH counted AS (
    SELECT cell,
           count(DISTINCT volunteer_id) FILTER (WHERE outcome IN ('tagged', 'nothing')) AS looks,
           count(DISTINCT volunteer_id) FILTER (WHERE outcome = 'bad_imagery') AS bad_imagery
    FROM looks WHERE campaign_id = $1 GROUP BY cell
), tagged AS (
    SELECT cell, count(*) AS tags
    FROM tags WHERE campaign_id = $1 AND withdrawn_at IS NULL GROUP BY cell
), compared AS (
    SELECT c.cell, n.name, n.shown, n.counted
    FROM cells AS c
    LEFT JOIN counted ON counted.cell = c.cell
    LEFT JOIN tagged ON tagged.cell = c.cell
    CROSS JOIN LATERAL (VALUES
        ('looks', c.looks::int8, coalesce(counted.looks, 0)),
        ('bad_imagery', c.bad_imagery::int8, coalesce(counted.bad_imagery, 0)),
        ('tags', c.tags::int8, coalesce(tagged.tags, 0))) AS n (name, shown, counted)
    WHERE c.campaign_id = $1 AND c.cell <> ALL ($2)
)
SELECT name || ' of cell ' || (cell >> 58) || '/' || ((cell >> 29) & 536870911) || '/' || (cell & 536870911) AS what,
       shown, counted
FROM compared
WHERE shown <> counted AND $3::text IS NOT NULL
ORDER BY cell LIMIT $4
