-- Owner: feed. The extension, and the cursors of those who read the change feed.
CREATE EXTENSION IF NOT EXISTS postgis;

-- One row for each reader of the feed. It moves in the transaction that stores what was derived.
CREATE TABLE feed_cursors (
    reader      text NOT NULL CONSTRAINT feed_cursors_pkey PRIMARY KEY,
    -- Where the reader stands in looks and in tags: everything up to and including this row was read.
    looks_xid   xid8 NOT NULL DEFAULT '0',
    looks_id    uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    looks_owner uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    tags_xid    xid8 NOT NULL DEFAULT '0',
    tags_id     uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    tags_owner  uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    -- The same in decisions about cells.
    decisions_xid      xid8 NOT NULL DEFAULT '0',
    decisions_campaign uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    decisions_cell     bigint NOT NULL DEFAULT 0,
    moved_at    timestamptz NOT NULL DEFAULT now()
);
