-- verification::tags
-- In: $1 campaign, $2 pending cells, $3 reader, $4 limit. Out: what, shown, counted.
-- Tags of the campaign by type, against the tags of its cells.
WITH counted AS (
    SELECT tag_type, sum(tags)::int8 AS tags FROM cell_tags WHERE campaign_id = $1 GROUP BY tag_type
), shown AS (
    SELECT tag_type, tags FROM campaign_tags WHERE campaign_id = $1
)
SELECT 'tags of type ' || tag_type AS what,
       coalesce(shown.tags, 0) AS shown, coalesce(counted.tags, 0) AS counted
FROM shown FULL JOIN counted USING (tag_type)
WHERE coalesce(shown.tags, 0) <> coalesce(counted.tags, 0)
  AND $2::int8[] IS NOT NULL AND $3::text IS NOT NULL
LIMIT $4
