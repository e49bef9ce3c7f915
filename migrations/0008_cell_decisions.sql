-- Owner: cells. What organisers decided about single cells. The truth; what `cells` and progress say of them is derived.
CREATE TABLE cell_decisions (
    campaign_id      uuid NOT NULL,
    cell             bigint NOT NULL,
    -- Shown instead of the campaign's layer; NULL for the campaign's.
    imagery_layer_id uuid CONSTRAINT cell_decisions_layer_fkey REFERENCES imagery_layers (id),
    -- Nobody is given it.
    closed           boolean NOT NULL DEFAULT false,
    -- Looks received up to then do not count towards the looks wanted: it was reset.
    looks_since      timestamptz,
    -- Reports of bad imagery received up to then do not count: it was reset or got another layer.
    reports_since    timestamptz,
    decided_by       uuid,
    decided_at       timestamptz NOT NULL DEFAULT now(),
    -- Transaction of the last change: the order of the change feed.
    xid              xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT cell_decisions_pkey PRIMARY KEY (campaign_id, cell)
);
CREATE INDEX cell_decisions_feed_idx ON cell_decisions (xid, campaign_id, cell);
CREATE INDEX cell_decisions_closed_idx ON cell_decisions (campaign_id, cell) WHERE closed;

-- Cells that wait for a decision. Three is assignments::BAD_IMAGERY_REPORTS.
CREATE INDEX cells_bad_imagery_idx ON cells (campaign_id, cell) WHERE bad_imagery >= 3;
