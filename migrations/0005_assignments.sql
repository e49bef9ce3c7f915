-- Owner: assignments. The deck of each campaign, and what was dealt from it.

-- A pile is a square of 4 × 4 cells. One server at a time deals from it, so that what it knows of the pile's cells is whole.
CREATE TABLE piles (
    campaign_id uuid NOT NULL,
    -- The tile two zooms above its cells, packed like a cell.
    pile        bigint NOT NULL,
    -- Highest weight among its cells that can be dealt.
    weight      real NOT NULL,
    -- Order among piles of like weight: see assignments::order.
    position    real NOT NULL,
    -- Fewest looks and live leases among its cells of that weight; 32767 when it has no cell to deal, whatever is wanted.
    level       smallint NOT NULL DEFAULT 0,
    -- Whether it has cells of several bands of weights.
    is_mixed    boolean NOT NULL DEFAULT false,
    -- When it must be counted anew, since a lease ends; NULL when no lease is open.
    due_at      timestamptz,
    -- When one of its cells may be given beyond the looks wanted, since its holders are idle by then.
    tail_at     timestamptz,
    -- Something changed that is not counted yet; also when a server holds it.
    nudged      boolean NOT NULL DEFAULT false,
    -- The server that deals from it now, and until when nobody else may.
    holder      uuid,
    held_until  timestamptz,
    -- Who was given which cell and has not answered: see assignments::ledger.
    ledger      bytea NOT NULL DEFAULT '',
    CONSTRAINT piles_pkey PRIMARY KEY (campaign_id, pile)
) WITH (
    fillfactor = 80,
    -- Its rows change all the time, and a claim reads past dead entries of the indexes.
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0
);
-- Keys of volunteers are random: packing a ledger would cost time and save nothing.
ALTER TABLE piles ALTER COLUMN ledger SET STORAGE EXTERNAL;
CREATE INDEX piles_deal_idx ON piles (campaign_id, weight, level, position);
CREATE INDEX piles_due_idx ON piles (campaign_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX piles_tail_idx ON piles (campaign_id, tail_at) WHERE tail_at IS NOT NULL;
CREATE INDEX piles_mixed_idx ON piles (campaign_id, pile) WHERE is_mixed;

-- Leases that were renewed; the ledger has the rest.
CREATE TABLE lease_renewals (
    campaign_id      uuid NOT NULL,
    cell             bigint NOT NULL,
    volunteer_id     uuid NOT NULL,
    lease_expires_at timestamptz NOT NULL,
    CONSTRAINT lease_renewals_pkey PRIMARY KEY (campaign_id, cell, volunteer_id)
);
CREATE INDEX lease_renewals_ended_idx ON lease_renewals (lease_expires_at);
