-- Owner: imagery. Sources of map tiles with their provenance.
CREATE TABLE imagery_layers (
    id          uuid NOT NULL CONSTRAINT imagery_layers_pkey PRIMARY KEY,
    key         text NOT NULL CONSTRAINT imagery_layers_key_key UNIQUE,
    -- Grows with each change; the tile cache is keyed by it.
    revision    int NOT NULL DEFAULT 1,
    -- Everything that may be shown: name, template without secrets, zooms, provenance.
    definition  jsonb NOT NULL,
    -- Values of the secret holes of the template. Never leaves the server, except to the source.
    secrets     jsonb NOT NULL DEFAULT '{}',
    created_by  uuid CONSTRAINT imagery_layers_created_by_fkey REFERENCES organisers (id),
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
