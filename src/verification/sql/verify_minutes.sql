-- verification::minutes
-- In: $1 campaign, $2 pending cells, $3 reader, $4 limit. Out: what, shown, counted.
-- Looks of each minute, against the looks that progress has read.
WITH counted AS (
    SELECT date_trunc('minute', l.received_at) AS minute, count(*) AS looks
    FROM looks AS l JOIN feed_cursors AS c ON c.reader = $3
    WHERE l.campaign_id = $1
      AND (l.xid, l.id, l.volunteer_id) <= (c.looks_xid, c.looks_id, c.looks_owner)
    GROUP BY 1
), shown AS (
    SELECT minute, looks FROM campaign_minutes WHERE campaign_id = $1
)
SELECT 'looks of minute ' || minute AS what,
       coalesce(shown.looks, 0)::int8 AS shown, coalesce(counted.looks, 0) AS counted
FROM shown FULL JOIN counted USING (minute)
WHERE coalesce(shown.looks, 0) <> coalesce(counted.looks, 0) AND $2::int8[] IS NOT NULL
LIMIT $4
