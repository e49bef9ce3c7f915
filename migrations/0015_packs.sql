-- Owner: packs. Squares that volunteers take along to where there is no network.
CREATE TABLE packs (
    volunteer_id uuid NOT NULL,
    -- Made by the client.
    id           uuid NOT NULL,
    campaign_id  uuid NOT NULL,
    -- What was asked for, to tell a repetition from another pack under the same id.
    cells_wanted smallint NOT NULL,
    lease_hours  smallint NOT NULL,
    near_lon     float8,
    near_lat     float8,
    -- Until then a server deals it and nobody else may; NULL once it is complete.
    dealt_until  timestamptz,
    -- Whether there were fewer squares than were asked for.
    exhausted    boolean NOT NULL DEFAULT false,
    expires_at   timestamptz,
    made_at      timestamptz NOT NULL DEFAULT now(),
    -- When what was not answered of it was given back.
    returned_at  timestamptz,
    CONSTRAINT packs_pkey PRIMARY KEY (volunteer_id, id)
);
CREATE INDEX packs_made_idx ON packs (made_at);

CREATE TABLE pack_cells (
    volunteer_id     uuid NOT NULL,
    -- Of this square in this pack, for clients that keep it by its id.
    id               uuid NOT NULL,
    pack_id          uuid NOT NULL,
    campaign_id      uuid NOT NULL,
    cell             bigint NOT NULL,
    -- The imagery layer that the square has instead of the campaign's.
    imagery_layer_id uuid,
    lease_expires_at timestamptz NOT NULL,
    -- Gone are those that were given back, whose lease ended, or that were answered a while ago.
    state            text NOT NULL DEFAULT 'open'
        CONSTRAINT pack_cells_state_check CHECK (state IN ('open', 'answered', 'gone')),
    changed_at       timestamptz NOT NULL DEFAULT now(),
    -- Transaction of the last change: the order of the change feed.
    xid              xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT pack_cells_pkey PRIMARY KEY (volunteer_id, id)
);
-- A square is in one open pack of a volunteer at a time.
CREATE UNIQUE INDEX pack_cells_open_idx ON pack_cells (volunteer_id, campaign_id, cell) WHERE state = 'open';
CREATE INDEX pack_cells_cell_idx ON pack_cells (volunteer_id, campaign_id, cell);
CREATE INDEX pack_cells_feed_idx ON pack_cells (xid, id, volunteer_id);
CREATE INDEX pack_cells_changes_idx ON pack_cells (volunteer_id, xid, id);
CREATE INDEX pack_cells_ends_idx ON pack_cells (lease_expires_at) WHERE state = 'open';
CREATE INDEX pack_cells_changed_idx ON pack_cells (state, changed_at) WHERE state <> 'open';

-- A square that is taken along is dealt for a moment only, and kept by a renewal once the pack is stored, so that a pack
-- that never came about reserves nothing.
ALTER TABLE lease_renewals
    -- The end of the lease that the renewal took over from.
    ADD COLUMN replaces    timestamptz,
    -- The square was given back: neither of the two leases counts any more.
    ADD COLUMN returned_at timestamptz;

ALTER TABLE campaigns
    -- How long after the close looks are taken at squares that were given before.
    ADD COLUMN grace_days smallint NOT NULL DEFAULT 30,
    ADD COLUMN closed_at  timestamptz;
UPDATE campaigns SET closed_at = updated_at WHERE state = 'closed';

-- In which state volunteers knew a campaign at any time.
ALTER TABLE campaign_versions ADD COLUMN state text GENERATED ALWAYS AS (document ->> 'state') STORED;

-- How a stored look came in: see looks::standing. Looks of other volunteers that were there before it are told by the order
-- of the feed; one that was reset away counts for looks of before the reset only. Of the looks at the square
-- three times as many as are wanted are read, and some: a bound for squares that somebody sends looks at without end.
-- One row, as a table: such a function becomes part of the statement, where a scalar one is begun anew for each look.
CREATE FUNCTION look_standing(l looks) RETURNS TABLE (standing text)
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN l.received_at >= c.closed_at OR l.received_at >= c.ends_at THEN 'after_close'
        WHEN (SELECT v.state FROM campaign_versions AS v
              WHERE v.campaign_id = l.campaign_id AND v.made_at <= l.received_at
              ORDER BY v.version DESC LIMIT 1) = 'paused' THEN 'while_paused'
        WHEN (SELECT count(DISTINCT o.volunteer_id) >= c.looks_wanted OR bool_or(o.volunteer_id = l.volunteer_id)
              FROM (SELECT a.xid, a.id, a.volunteer_id, a.outcome, a.received_at
                    FROM looks AS a
                    WHERE a.campaign_id = l.campaign_id AND a.cell = l.cell
                    -- The order of looks_cell_idx.
                    ORDER BY a.volunteer_id, a.outcome LIMIT 20 + 3 * c.looks_wanted) AS o
              WHERE o.outcome IN ('tagged', 'nothing')
                AND (o.xid, o.id, o.volunteer_id) < (l.xid, l.id, l.volunteer_id)
                AND (d.looks_since IS NULL OR o.received_at > d.looks_since OR l.received_at <= d.looks_since))
            THEN 'extra'
        ELSE 'counted'
    END
    FROM campaigns AS c
    LEFT JOIN cell_decisions AS d ON d.campaign_id = c.id AND d.cell = l.cell
    WHERE c.id = l.campaign_id
$$;
