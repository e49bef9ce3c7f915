-- Owner: assignments. Offers of cells to volunteers. A row stays after its lease, as memory of what was given.
CREATE TABLE assignments (
    campaign_id      uuid NOT NULL,
    cell             bigint NOT NULL,
    volunteer_id     uuid NOT NULL,
    dealt_at         timestamptz NOT NULL DEFAULT now(),
    lease_expires_at timestamptz NOT NULL,
    CONSTRAINT assignments_pkey PRIMARY KEY (campaign_id, cell, volunteer_id)
);
CREATE INDEX assignments_lease_idx ON assignments (campaign_id, lease_expires_at);
