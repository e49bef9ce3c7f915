-- prefetch::flush
-- Of: campaign $1, run $2, the piece that begins at $3, held by $4.
-- In: the tile to go on with $5, NULL when the piece is finished; the lease $6; tiles that could not
-- be had $7 with reasons $8, listed up to $9 about; numbers fetched $10, kept $11, outside $12,
-- missing $13, failed $14; age of a mark $15.
-- Out: whether the prefetch still runs; no row, and nothing stored, when the piece is another's.
WITH gone_on AS (
    UPDATE prefetch_pieces
    SET next_tile = $5, lease_until = now() + make_interval(secs => $6)
    WHERE campaign_id = $1 AND run = $2 AND first = $3 AND holder = $4 AND $5 IS NOT NULL
    RETURNING 1),
finished AS (
    DELETE FROM prefetch_pieces
    WHERE campaign_id = $1 AND run = $2 AND first = $3 AND holder = $4 AND $5 IS NULL
    RETURNING 1),
held AS (SELECT FROM gone_on UNION ALL SELECT FROM finished),
listed AS (
    INSERT INTO prefetch_failures AS f (campaign_id, tile, reason)
    SELECT $1, n.tile, n.reason
    FROM held, unnest($7, $8) AS n (tile, reason)
    WHERE (SELECT p.missing + p.failed FROM prefetches AS p WHERE p.campaign_id = $1) < $9
    ON CONFLICT ON CONSTRAINT prefetch_failures_pkey DO UPDATE
    SET reason = excluded.reason, failed_at = now())
UPDATE prefetches AS p
SET done = p.done + $10 + $11 + $12 + $13 + $14,
    fetched = p.fetched + $10, kept = p.kept + $11, outside = p.outside + $12,
    missing = p.missing + $13, failed = p.failed + $14,
    trouble = CASE WHEN $10 + $11 > 0 THEN NULL ELSE p.trouble END,
    pauses = CASE WHEN $10 + $11 > 0 THEN 0 ELSE p.pauses END,
    before_at = CASE WHEN p.mark_at < now() - make_interval(secs => $15) THEN p.mark_at ELSE p.before_at END,
    before_done = CASE WHEN p.mark_at < now() - make_interval(secs => $15) THEN p.mark_done ELSE p.before_done END,
    mark_done = CASE WHEN p.mark_at < now() - make_interval(secs => $15)
                     THEN p.done + $10 + $11 + $12 + $13 + $14 ELSE p.mark_done END,
    mark_at = CASE WHEN p.mark_at < now() - make_interval(secs => $15) THEN now() ELSE p.mark_at END,
    updated_at = now()
FROM held
WHERE p.campaign_id = $1 AND p.run = $2
RETURNING p.state = 'running' AS runs
