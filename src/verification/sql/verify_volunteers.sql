-- verification::volunteers
-- In: $1 campaign, $2 pending cells, $3 reader, $4 limit. Out: what, shown, counted.
-- Looks of each volunteer, against the looks that progress has read.
WITH counted AS (
    SELECT l.volunteer_id, count(*) AS looks
    FROM looks AS l JOIN feed_cursors AS c ON c.reader = $3
    WHERE l.campaign_id = $1
      AND (l.xid, l.id, l.volunteer_id) <= (c.looks_xid, c.looks_id, c.looks_owner)
    GROUP BY l.volunteer_id
), shown AS (
    SELECT volunteer_id, looks FROM campaign_volunteers WHERE campaign_id = $1
)
SELECT 'looks of volunteer ' || volunteer_id AS what,
       coalesce(shown.looks, 0)::int8 AS shown, coalesce(counted.looks, 0) AS counted
FROM shown FULL JOIN counted USING (volunteer_id)
WHERE coalesce(shown.looks, 0) <> coalesce(counted.looks, 0) AND $2::int8[] IS NOT NULL
LIMIT $4
