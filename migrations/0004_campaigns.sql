-- Owner: campaigns. What to look for, where, and on which imagery.
CREATE TABLE campaigns (
    id                uuid NOT NULL CONSTRAINT campaigns_pkey PRIMARY KEY,
    slug              text NOT NULL CONSTRAINT campaigns_slug_key UNIQUE,
    state             text NOT NULL DEFAULT 'draft'
        CONSTRAINT campaigns_state_check CHECK (state IN ('draft', 'preparing', 'open', 'paused', 'closed')),
    -- Grows with each change, of the state too; it is the ETag.
    version           int NOT NULL DEFAULT 1,
    -- Of its texts, the one first that readers of no other get.
    languages         text[] NOT NULL,
    title             jsonb NOT NULL,
    summary           jsonb NOT NULL,
    instructions      jsonb NOT NULL,
    message           text,
    area              geometry (MultiPolygon, 4326) NOT NULL,
    area_km2          float8 NOT NULL,
    -- Where a part was left out: what the organiser drew, as GeoJSON with every digit. The area is the difference.
    outline           jsonb,
    leave_out         jsonb,
    -- Box of the area; west > east when it crosses the antimeridian.
    west              float8 NOT NULL,
    south             float8 NOT NULL,
    east              float8 NOT NULL,
    north             float8 NOT NULL,
    -- [{"area": GeoJSON, "weight": number, "name"?: text}]
    priorities        jsonb NOT NULL DEFAULT '[]',
    cell_zoom         smallint NOT NULL,
    -- Number of cells that cover the area.
    cells             bigint NOT NULL,
    looks_wanted      smallint NOT NULL,
    lease_seconds     int NOT NULL,
    agreement_radius_m float8 NOT NULL,
    imagery_layer_id  uuid NOT NULL CONSTRAINT campaigns_imagery_layer_fkey REFERENCES imagery_layers (id),
    starts_at         timestamptz,
    ends_at           timestamptz,
    created_by        uuid CONSTRAINT campaigns_created_by_fkey REFERENCES organisers (id),
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    published_at      timestamptz,
    -- Cells that there are; fewer than `cells` while a change is being carried out.
    cells_prepared    bigint NOT NULL DEFAULT 0,
    -- Grows whenever cells or their weights changed: what a server has taken to deal from is old then.
    deck              int NOT NULL DEFAULT 0
);
CREATE INDEX campaigns_state_idx ON campaigns (state, created_at DESC, id);

-- Changes of what is searched that the worker has not carried out yet. Publishing is the first, from nothing.
CREATE TABLE campaign_changes (
    campaign_id uuid NOT NULL CONSTRAINT campaign_changes_campaign_fkey REFERENCES campaigns (id),
    -- The version that brought it.
    version     int NOT NULL,
    -- What was searched before and its priorities; no area when nothing was.
    area        geometry (MultiPolygon, 4326),
    priorities  jsonb NOT NULL DEFAULT '[]',
    -- Areas whose cells go first: new priority areas as GeoJSON, heaviest first.
    first       jsonb NOT NULL DEFAULT '[]',
    -- Whether the looks wanted changed, so that the order of the deck is to be made anew.
    reorders    boolean NOT NULL DEFAULT false,
    -- Where to go on, in the transaction that stored the cells: how many of those areas are done, and
    -- the next column (tile x) of the one after them, or of all the rest.
    areas_done  smallint NOT NULL DEFAULT 0,
    next_column bigint NOT NULL DEFAULT 0,
    CONSTRAINT campaign_changes_pkey PRIMARY KEY (campaign_id, version)
);

CREATE TABLE tag_types (
    campaign_id    uuid NOT NULL CONSTRAINT tag_types_campaign_fkey REFERENCES campaigns (id),
    key            text NOT NULL,
    position       smallint NOT NULL,
    geometry       text NOT NULL CONSTRAINT tag_types_geometry_check CHECK (geometry IN ('Point', 'LineString', 'Polygon')),
    -- name, description, colour, icon, typical size, examples
    definition     jsonb NOT NULL,
    CONSTRAINT tag_types_pkey PRIMARY KEY (campaign_id, key)
);

-- What volunteers were told at each version. Rows never change.
CREATE TABLE campaign_versions (
    campaign_id uuid NOT NULL CONSTRAINT campaign_versions_campaign_fkey REFERENCES campaigns (id),
    version     int NOT NULL,
    document    jsonb NOT NULL,
    made_by     uuid,
    made_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT campaign_versions_pkey PRIMARY KEY (campaign_id, version)
);

-- The squares of a campaign. Written only by the worker: prepared from the area, counted from looks, tags and decisions.
CREATE TABLE cells (
    campaign_id  uuid NOT NULL,
    -- z/x/y packed into 63 bits, see geo::tile::CellId.
    cell         bigint NOT NULL,
    -- Highest weight of the priority areas that touch the cell.
    weight       real NOT NULL DEFAULT 1,
    -- Distinct volunteers who answered 'tagged' or 'nothing'. Derived.
    looks        smallint NOT NULL DEFAULT 0,
    -- Distinct volunteers who reported bad imagery. Derived.
    bad_imagery  smallint NOT NULL DEFAULT 0,
    -- Tags that were not withdrawn. Derived.
    tags         int NOT NULL DEFAULT 0,
    -- The organiser closed it: nobody is given it. Derived.
    closed       boolean NOT NULL DEFAULT false,
    CONSTRAINT cells_pkey PRIMARY KEY (campaign_id, cell)
) WITH (fillfactor = 85);
