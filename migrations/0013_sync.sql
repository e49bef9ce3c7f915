-- Owner: sync. What phones sync beside looks and tags: whose history their cursors belong to, what waits, what was refused.

-- The one row says of which history of this database the transaction ids in phones' cursors are.
CREATE TABLE sync_epoch (
    is_only  boolean NOT NULL DEFAULT true
        CONSTRAINT sync_epoch_pkey PRIMARY KEY
        CONSTRAINT sync_epoch_only_check CHECK (is_only),
    -- Random; another one in each history, also in its lowest 12 bits.
    epoch    int NOT NULL,
    -- See sync_history().
    history  text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now()
);

-- What becomes another when the database is restored, or a standby takes over: cluster, timeline, and the table of the epoch itself
-- with its database, which a restore into the same database makes or fills anew (so does a move to another tablespace).
-- One expression, and not called stable, so that it becomes a part of the statement that asks.
CREATE FUNCTION sync_history() RETURNS text
LANGUAGE sql AS $$
    SELECT concat_ws('.', (pg_control_system()).system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8),
                     'sync_epoch'::regclass::oid, pg_relation_filepath('sync_epoch'))
$$;

-- Tombstones of a volunteer that were forgotten: a cursor before the last of them must start again.
CREATE TABLE sync_floors (
    volunteer_id uuid NOT NULL,
    collection   text NOT NULL,
    xid          xid8 NOT NULL,
    CONSTRAINT sync_floors_pkey PRIMARY KEY (volunteer_id, collection)
);

-- Where a volunteer's pull of a collection stands: the epoch (NULL when the history is another one than noted), below which
-- transaction id everything is final, and the floor.
CREATE FUNCTION sync_standing(volunteer uuid, name text)
RETURNS TABLE (epoch int, horizon bigint, floor bigint)
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT (SELECT e.epoch FROM sync_epoch AS e WHERE e.history = sync_history()),
           pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
           coalesce((SELECT f.xid::text::bigint FROM sync_floors AS f
                     WHERE f.volunteer_id = volunteer AND f.collection = name), 0)
$$;

-- Tags that came before their look. They become tags once it is there.
CREATE TABLE waiting_tags (
    volunteer_id uuid NOT NULL,
    -- Made by the client.
    id           uuid NOT NULL,
    look_id      uuid NOT NULL,
    campaign_id  uuid NOT NULL,
    tag_type     text NOT NULL,
    -- EWKB.
    place        bytea NOT NULL,
    note         text,
    -- Grows with each edit, and goes on in tags.
    revision     int NOT NULL DEFAULT 1,
    received_at  timestamptz NOT NULL DEFAULT now(),
    -- By the volunteer, or because it did not fit its look.
    withdrawn_at timestamptz,
    xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT waiting_tags_pkey PRIMARY KEY (volunteer_id, id)
);
CREATE INDEX waiting_tags_received_idx ON waiting_tags (received_at);
CREATE INDEX waiting_tags_feed_idx ON waiting_tags (xid);

-- Withdrawn tags of which nothing but the id is kept: whoever was away for longer than that does not bring them back.
CREATE TABLE forgotten_tags (
    volunteer_id uuid NOT NULL,
    id           uuid NOT NULL,
    CONSTRAINT forgotten_tags_pkey PRIMARY KEY (volunteer_id, id)
);

-- What phones pushed and was not taken, so that they can be told, and remove it.
CREATE TABLE sync_refusals (
    volunteer_id uuid NOT NULL,
    collection   text NOT NULL,
    -- As it was sent.
    id           text NOT NULL,
    campaign     text,
    cell         text,
    -- Of the problem.
    code         text NOT NULL,
    detail       text NOT NULL,
    refused_at   timestamptz NOT NULL DEFAULT now(),
    xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT sync_refusals_pkey PRIMARY KEY (volunteer_id, collection, id)
);
CREATE INDEX sync_refusals_refused_idx ON sync_refusals (refused_at);
CREATE INDEX sync_refusals_feed_idx ON sync_refusals (xid);

-- Withdrawn tags are forgotten after a while.
CREATE INDEX tags_withdrawn_idx ON tags (withdrawn_at) WHERE withdrawn_at IS NOT NULL;

-- The transaction of the last change that volunteers see.
ALTER TABLE campaigns ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
ALTER TABLE imagery_layers ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
