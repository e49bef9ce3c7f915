-- Owner: imagery. Which tiles are being fetched from their sources, and how the sources are: what all servers must agree on.
-- Nothing of it counts for longer than minutes, so it is not logged: after a crash of the database it is empty.

-- The revision of the layer in which its tiles became others; other changes of the layer leave them as they are.
ALTER TABLE imagery_layers ADD COLUMN tiles_revision int NOT NULL DEFAULT 1;
UPDATE imagery_layers SET tiles_revision = revision;

CREATE UNLOGGED TABLE tile_fetches (
    layer_id  uuid NOT NULL,
    -- That of the tiles.
    revision  int NOT NULL,
    tile      bigint NOT NULL,
    -- Whoever fetches, or did so last.
    holder    uuid NOT NULL,
    -- What came of it is kept here only while memcached is away.
    state     text NOT NULL CONSTRAINT tile_fetches_state_check CHECK (state IN ('fetching', 'missing', 'failed')),
    -- How it failed.
    failure   text,
    -- Until then the row counts. Whoever fetches moves this on; a server that died does not.
    until     timestamptz NOT NULL,
    CONSTRAINT tile_fetches_pkey PRIMARY KEY (layer_id, revision, tile)
);
CREATE INDEX tile_fetches_fetching_idx ON tile_fetches (layer_id, until) WHERE state = 'fetching';

CREATE UNLOGGED TABLE tile_sources (
    layer_id      uuid NOT NULL CONSTRAINT tile_sources_pkey PRIMARY KEY,
    -- When the fetches that were let through have used up what the rate allows.
    paced_until   timestamptz NOT NULL DEFAULT '2000-01-01Z',
    -- In a row.
    failures      int NOT NULL DEFAULT 0,
    -- Until then the source is left alone. After that one fetch finds out whether it is back.
    rests_until   timestamptz,
    trial_holder  uuid,
    -- How often that was in vain.
    trials        int NOT NULL DEFAULT 0,
    -- Until then somebody waits for a tile, and what is fetched ahead stands back.
    wanted_until  timestamptz
);

-- Lets one holder fetch a tile, unless another does or did, the source rests, or its limits are reached. Verdicts: ours,
-- fetching, missing, failed, resting, busy; with the time until asking again makes sense. Locks the source's row for its own
-- duration, so that the limits hold exactly, whatever the number of servers.
CREATE FUNCTION claim_tile(
    layer_id uuid, revision int, tile bigint, holder uuid, lease_ms int, trial_ms int, at_once int, per_second int, ahead boolean
)
RETURNS TABLE (verdict text, failure text, wait_ms int)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    moment  timestamptz;
    source  record;
    held    record;
    running bigint;
    allowed int := CASE WHEN claim_tile.ahead THEN greatest(claim_tile.at_once / 2, 1) ELSE claim_tile.at_once END;
    step    interval := interval '1 second' / claim_tile.per_second;
    wait    int := 0;
BEGIN
    INSERT INTO tile_sources (layer_id) VALUES (claim_tile.layer_id)
    ON CONFLICT ON CONSTRAINT tile_sources_pkey DO NOTHING;
    SELECT s.paced_until, s.rests_until, s.trial_holder, s.wanted_until INTO source
    FROM tile_sources AS s WHERE s.layer_id = claim_tile.layer_id FOR UPDATE;
    moment := clock_timestamp();

    SELECT f.state, f.failure, f.until INTO held
    FROM tile_fetches AS f
    WHERE f.layer_id = claim_tile.layer_id AND f.revision = claim_tile.revision AND f.tile = claim_tile.tile
      AND f.until > moment AND f.holder <> claim_tile.holder;
    IF FOUND THEN
        RETURN QUERY SELECT held.state, held.failure, ceil(1000 * extract(epoch FROM held.until - moment))::int;
        RETURN;
    END IF;
    IF source.rests_until > moment THEN
        wait := ceil(1000 * extract(epoch FROM source.rests_until - moment))::int;
        -- A fetch that finds out whether the source is back may end at any moment.
        RETURN QUERY SELECT 'resting', NULL::text, CASE WHEN source.trial_holder IS NULL THEN wait ELSE least(wait, 1000) END;
        RETURN;
    END IF;

    SELECT count(*) INTO running
    FROM tile_fetches AS f
    WHERE f.layer_id = claim_tile.layer_id AND f.state = 'fetching' AND f.until > moment AND f.holder <> claim_tile.holder;
    IF running >= allowed OR (claim_tile.ahead AND source.wanted_until > moment) THEN
        wait := 50;
    ELSE
        -- A tenth of a second's worth may come at once.
        wait := greatest(0, ceil(1000 * extract(epoch FROM
            source.paced_until - moment - greatest(interval '0.1 seconds' - step, interval '0'))))::int;
    END IF;
    IF wait > 0 THEN
        IF NOT claim_tile.ahead THEN
            UPDATE tile_sources SET wanted_until = moment + interval '0.5 seconds' WHERE layer_id = claim_tile.layer_id;
        END IF;
        RETURN QUERY SELECT 'busy', NULL::text, wait;
        RETURN;
    END IF;

    INSERT INTO tile_fetches AS f (layer_id, revision, tile, holder, state, until)
    VALUES (claim_tile.layer_id, claim_tile.revision, claim_tile.tile, claim_tile.holder, 'fetching',
            moment + claim_tile.lease_ms * interval '1 millisecond')
    ON CONFLICT ON CONSTRAINT tile_fetches_pkey
    DO UPDATE SET holder = EXCLUDED.holder, state = EXCLUDED.state, failure = NULL, until = EXCLUDED.until
    WHERE f.until <= moment OR f.holder = EXCLUDED.holder;
    IF NOT FOUND THEN
        -- Its holder renewed it meanwhile.
        RETURN QUERY SELECT 'fetching', NULL::text, 1000;
        RETURN;
    END IF;
    UPDATE tile_sources
    SET paced_until = greatest(source.paced_until, moment) + step,
        trial_holder = CASE WHEN source.rests_until IS NOT NULL THEN claim_tile.holder END,
        rests_until = CASE WHEN source.rests_until IS NOT NULL THEN moment + claim_tile.trial_ms * interval '1 millisecond' END
    WHERE layer_id = claim_tile.layer_id;
    RETURN QUERY SELECT 'ours', NULL::text, 0;
END
$$;
