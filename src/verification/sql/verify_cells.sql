-- verification::cells
-- In: $1 campaign, $2 pending cells, $3 reader, $4 limit. Out: what, shown, counted.
-- Looks, bad imagery, tags and whether it is closed of each cell that is not pending, against looks,
-- tags and decisions.
WITH decided AS (
    SELECT cell, closed, coalesce(looks_since, '-infinity') AS looks_since,
           coalesce(reports_since, '-infinity') AS reports_since
    FROM cell_decisions WHERE campaign_id = $1
), counted AS (
    SELECT l.cell,
           count(DISTINCT l.volunteer_id) FILTER (WHERE l.outcome IN ('tagged', 'nothing')) AS looks,
           count(DISTINCT l.volunteer_id) FILTER (WHERE l.outcome = 'bad_imagery'
               AND (d.cell IS NULL OR l.received_at > d.reports_since)) AS bad_imagery
    FROM looks AS l LEFT JOIN decided AS d ON d.cell = l.cell
    WHERE l.campaign_id = $1 AND (d.cell IS NULL OR l.received_at > d.looks_since)
    GROUP BY l.cell
), tagged AS (
    SELECT cell, count(*) AS tags
    FROM tags WHERE campaign_id = $1 AND withdrawn_at IS NULL GROUP BY cell
), compared AS (
    SELECT c.cell, n.name, n.shown, n.counted
    FROM cells AS c
    LEFT JOIN counted ON counted.cell = c.cell
    LEFT JOIN tagged ON tagged.cell = c.cell
    LEFT JOIN decided ON decided.cell = c.cell
    CROSS JOIN LATERAL (VALUES
        ('looks', c.looks::int8, coalesce(counted.looks, 0)),
        ('bad_imagery', c.bad_imagery::int8, coalesce(counted.bad_imagery, 0)),
        ('tags', c.tags::int8, coalesce(tagged.tags, 0)),
        ('closed', c.closed::int4::int8, coalesce(decided.closed, false)::int4::int8)) AS n (name, shown, counted)
    WHERE c.campaign_id = $1 AND c.cell <> ALL ($2)
)
SELECT name || ' of cell ' || (cell >> 58) || '/' || ((cell >> 29) & 536870911) || '/' || (cell & 536870911) AS what,
       shown, counted
FROM compared
WHERE shown <> counted AND $3::text IS NOT NULL
ORDER BY cell LIMIT $4
