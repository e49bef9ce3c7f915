-- Owner: prefetch. Tiles that are fetched before anybody asks for them: for each campaign at most one, run after run.
CREATE TABLE prefetches (
    campaign_id      uuid NOT NULL CONSTRAINT prefetches_pkey PRIMARY KEY
                     CONSTRAINT prefetches_campaign_fkey REFERENCES campaigns (id) ON DELETE CASCADE,
    state            text NOT NULL
                     CONSTRAINT prefetches_state_check CHECK (state IN ('running', 'stopped', 'done')),
    -- Grows with each beginning from the start; what workers do for an older run counts for nothing.
    run              int NOT NULL DEFAULT 1,
    -- What the run was planned from. When layer, revision or area are others, it begins anew.
    imagery_layer_id uuid NOT NULL CONSTRAINT prefetches_layer_fkey REFERENCES imagery_layers (id),
    revision         int NOT NULL,
    campaign_version int NOT NULL,
    area_hash        text NOT NULL,
    min_zoom         smallint NOT NULL,
    max_zoom         smallint NOT NULL,
    -- Numbers of this run. Done is the sum of the five that follow it.
    tiles            bigint NOT NULL,
    done             bigint NOT NULL DEFAULT 0,
    fetched          bigint NOT NULL DEFAULT 0,
    kept             bigint NOT NULL DEFAULT 0,
    outside          bigint NOT NULL DEFAULT 0,
    missing          bigint NOT NULL DEFAULT 0,
    failed           bigint NOT NULL DEFAULT 0,
    -- Where the next piece begins, a tile packed like a cell; NULL when all pieces are given out.
    next_tile        bigint,
    -- The source fails: why, how often in a row, and until when it is left alone.
    trouble          text,
    pauses           int NOT NULL DEFAULT 0,
    waits_until      timestamptz,
    -- Two earlier moments and what was done by then, for the rate.
    mark_at          timestamptz NOT NULL DEFAULT now(),
    mark_done        bigint NOT NULL DEFAULT 0,
    before_at        timestamptz NOT NULL DEFAULT now(),
    before_done      bigint NOT NULL DEFAULT 0,
    started_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    ended_at         timestamptz
);
CREATE INDEX prefetches_running_idx ON prefetches (campaign_id) WHERE state = 'running';

-- Pieces of the present run that were given out and are not finished.
CREATE TABLE prefetch_pieces (
    campaign_id uuid NOT NULL
                CONSTRAINT prefetch_pieces_prefetch_fkey REFERENCES prefetches (campaign_id) ON DELETE CASCADE,
    run         int NOT NULL,
    -- From here (packed) up to, not including, the end; without an end to the last tile.
    first       bigint NOT NULL,
    ends_at     bigint,
    -- Only these instead: what an earlier run could not get.
    tiles       bigint[],
    -- The first tile that is not done.
    next_tile   bigint NOT NULL,
    -- Whoever works on it, and how long nobody else does.
    holder      uuid,
    lease_until timestamptz NOT NULL,
    CONSTRAINT prefetch_pieces_pkey PRIMARY KEY (campaign_id, run, first)
);

-- What the present run could not get, as far as it is listed: prefetch::LISTED_MAX.
CREATE TABLE prefetch_failures (
    campaign_id uuid NOT NULL
                CONSTRAINT prefetch_failures_prefetch_fkey REFERENCES prefetches (campaign_id) ON DELETE CASCADE,
    tile        bigint NOT NULL,
    reason      text NOT NULL,
    failed_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT prefetch_failures_pkey PRIMARY KEY (campaign_id, tile)
);
