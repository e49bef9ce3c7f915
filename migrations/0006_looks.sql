-- Owner: looks. The source of truth: who looked where, and what they marked.
CREATE TABLE looks (
    volunteer_id     uuid NOT NULL,
    -- Made by the client.
    id               uuid NOT NULL,
    campaign_id      uuid NOT NULL,
    cell             bigint NOT NULL,
    outcome          text NOT NULL
        CONSTRAINT looks_outcome_check CHECK (outcome IN ('tagged', 'nothing', 'skipped', 'bad_imagery')),
    -- Version of the campaign that the volunteer saw.
    campaign_version int NOT NULL,
    -- The client's clock: data, never order.
    started_at       timestamptz NOT NULL,
    finished_at      timestamptz NOT NULL,
    -- SHA-256 of what was sent, to tell a repetition from another look under the same id.
    content_hash     bytea NOT NULL,
    received_at      timestamptz NOT NULL DEFAULT now(),
    -- Transaction of the last change: the order of the change feed.
    xid              xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT looks_pkey PRIMARY KEY (volunteer_id, id)
);
CREATE INDEX looks_feed_idx ON looks (xid, id, volunteer_id);
CREATE INDEX looks_cell_idx ON looks (campaign_id, cell, volunteer_id, outcome) INCLUDE (received_at);

CREATE TABLE tags (
    volunteer_id     uuid NOT NULL,
    -- Made by the client.
    id               uuid NOT NULL,
    look_id          uuid NOT NULL,
    campaign_id      uuid NOT NULL,
    cell             bigint NOT NULL,
    tag_type         text NOT NULL,
    place            geometry (Geometry, 4326) NOT NULL,
    note             text,
    campaign_version int NOT NULL,
    -- Grows with each edit; it is the ETag.
    revision         int NOT NULL DEFAULT 1,
    received_at      timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    withdrawn_at     timestamptz,
    xid              xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT tags_pkey PRIMARY KEY (volunteer_id, id),
    CONSTRAINT tags_look_fkey FOREIGN KEY (volunteer_id, look_id) REFERENCES looks (volunteer_id, id)
);
CREATE INDEX tags_feed_idx ON tags (xid, id, volunteer_id);
-- Also for the tags of a look: those at its cell are few, and each index is paid for with every tag.
CREATE INDEX tags_cell_idx ON tags (campaign_id, cell) WHERE withdrawn_at IS NULL;
-- For lists, which name its condition. Without one of its own, a planner that has no statistics yet takes it for the tags of a
-- cell, and reads those of the whole campaign for each.
CREATE INDEX tags_newest_idx ON tags (campaign_id, received_at DESC, id DESC, volunteer_id DESC)
    WHERE withdrawn_at IS NULL AND tag_type <> '';
CREATE INDEX tags_place_idx ON tags USING gist (place);
