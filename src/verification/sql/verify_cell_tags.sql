-- verification::cell_tags
-- In: $1 campaign, $2 pending cells, $3 reader, $4 limit. Out: what, shown, counted.
-- Tags by type of each cell that is not pending, against tags.
WITH counted AS (
    SELECT cell, tag_type, count(*) AS tags
    FROM tags WHERE campaign_id = $1 AND withdrawn_at IS NULL AND cell <> ALL ($2)
    GROUP BY cell, tag_type
), shown AS (
    SELECT cell, tag_type, tags FROM cell_tags WHERE campaign_id = $1 AND cell <> ALL ($2)
)
SELECT tag_type || ' in cell ' || (cell >> 58) || '/' || ((cell >> 29) & 536870911) || '/' || (cell & 536870911) AS what,
       coalesce(shown.tags, 0)::int8 AS shown, coalesce(counted.tags, 0) AS counted
FROM shown FULL JOIN counted USING (cell, tag_type)
WHERE coalesce(shown.tags, 0) <> coalesce(counted.tags, 0) AND $3::text IS NOT NULL
ORDER BY cell LIMIT $4
