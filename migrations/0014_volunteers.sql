-- Owner: volunteers. Who is no longer themselves, and codes by which devices become one volunteer. Nobody else has a row.

-- Volunteers who were forgotten, or joined to another one when a device was linked. Every server keeps all of them in its memory.
CREATE TABLE departures (
    -- SHA-256 of the id, cut to 16 bytes (accounts::departure_hash): what stays of a volunteer who was forgotten.
    volunteer_hash bytea NOT NULL CONSTRAINT departures_pkey PRIMARY KEY,
    -- The id itself, until nothing can be stored under it any more; of who was joined to another for good.
    volunteer_id   uuid,
    -- As whom they go on; NULL when they were forgotten.
    continues_as   uuid,
    -- Tells what their devices were told before from what they are told now.
    mark           smallint NOT NULL DEFAULT 0,
    departed_at    timestamptz NOT NULL DEFAULT now(),
    -- When what they had was deleted, or belonged to whom they go on as.
    settled_at     timestamptz,
    -- When somebody looks next for what is stored under the id; NULL when nothing can come any more.
    due_at         timestamptz DEFAULT now(),
    -- Transaction of the last change: the order in which servers read.
    xid            xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX departures_feed_idx ON departures (xid, volunteer_hash);
CREATE INDEX departures_due_idx ON departures (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX departures_joined_idx ON departures (continues_as) WHERE continues_as IS NOT NULL;

CREATE TABLE link_codes (
    -- Keyed hash of the code.
    code_hash    bytea NOT NULL CONSTRAINT link_codes_pkey PRIMARY KEY,
    volunteer_id uuid NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    -- When and by which attempt it was used, and the mark that the device got: a lost answer can be repeated.
    used_at      timestamptz,
    attempt      uuid,
    mark         smallint
);
CREATE INDEX link_codes_volunteer_idx ON link_codes (volunteer_id, made_at);
CREATE INDEX link_codes_ended_idx ON link_codes (expires_at);

-- What is stored under a volunteer's id is found by it.
CREATE INDEX lease_renewals_volunteer_idx ON lease_renewals (volunteer_id);
