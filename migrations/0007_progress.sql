-- Owner: progress. All of it is derived from looks, tags and decisions about cells by the worker and can be dropped and rebuilt.

-- How many cells that are not closed have exactly so many looks: "done" follows at once when the looks wanted change.
CREATE TABLE cell_counts (
    campaign_id uuid NOT NULL,
    looks       smallint NOT NULL,
    cells       bigint NOT NULL,
    CONSTRAINT cell_counts_pkey PRIMARY KEY (campaign_id, looks)
);

CREATE TABLE campaign_totals (
    campaign_id       uuid NOT NULL CONSTRAINT campaign_totals_pkey PRIMARY KEY,
    looks             bigint NOT NULL DEFAULT 0,
    tagged            bigint NOT NULL DEFAULT 0,
    nothing           bigint NOT NULL DEFAULT 0,
    skipped           bigint NOT NULL DEFAULT 0,
    bad_imagery       bigint NOT NULL DEFAULT 0,
    volunteers        bigint NOT NULL DEFAULT 0,
    -- Cells that enough volunteers reported as bad imagery and that are not closed.
    cells_bad_imagery bigint NOT NULL DEFAULT 0,
    cells_closed      bigint NOT NULL DEFAULT 0
);

CREATE TABLE campaign_volunteers (
    campaign_id  uuid NOT NULL,
    volunteer_id uuid NOT NULL,
    looks        int NOT NULL,
    last_look_at timestamptz NOT NULL,
    CONSTRAINT campaign_volunteers_pkey PRIMARY KEY (campaign_id, volunteer_id)
);
CREATE INDEX campaign_volunteers_active_idx ON campaign_volunteers (campaign_id, last_look_at);

-- Tags that were not withdrawn, by cell and type; only cells that have any.
CREATE TABLE cell_tags (
    campaign_id uuid NOT NULL,
    cell        bigint NOT NULL,
    tag_type    text NOT NULL,
    tags        int NOT NULL,
    CONSTRAINT cell_tags_pkey PRIMARY KEY (campaign_id, cell, tag_type)
);
CREATE TABLE campaign_tags (
    campaign_id uuid NOT NULL,
    tag_type    text NOT NULL,
    tags        bigint NOT NULL,
    CONSTRAINT campaign_tags_pkey PRIMARY KEY (campaign_id, tag_type)
);

CREATE TABLE campaign_minutes (
    campaign_id uuid NOT NULL,
    minute      timestamptz NOT NULL,
    looks       int NOT NULL DEFAULT 0,
    CONSTRAINT campaign_minutes_pkey PRIMARY KEY (campaign_id, minute)
);

-- Sums of cells over coarser tiles, for maps that are zoomed out: two, four, six … zooms above the cells.
CREATE TABLE blocks (
    campaign_id uuid NOT NULL,
    -- Packed like a cell, at the block's own zoom.
    block       bigint NOT NULL,
    cells       bigint NOT NULL,
    looks       bigint NOT NULL DEFAULT 0,
    bad_imagery bigint NOT NULL DEFAULT 0,
    tags        bigint NOT NULL DEFAULT 0,
    -- Cells that are closed.
    closed      bigint NOT NULL DEFAULT 0,
    CONSTRAINT blocks_pkey PRIMARY KEY (campaign_id, block)
);
