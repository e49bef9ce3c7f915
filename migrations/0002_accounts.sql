-- Owner: accounts. People who define campaigns, and their keys. Volunteers have no row: their token is signed.
CREATE TABLE organisers (
    id         uuid NOT NULL CONSTRAINT organisers_pkey PRIMARY KEY,
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_keys (
    id           uuid NOT NULL CONSTRAINT api_keys_pkey PRIMARY KEY,
    organiser_id uuid NOT NULL CONSTRAINT api_keys_organiser_fkey REFERENCES organisers (id),
    -- The public part, by which a key is found, listed and revoked.
    prefix       text NOT NULL CONSTRAINT api_keys_prefix_key UNIQUE,
    -- SHA-256 of the whole key: it is 256 random bits, so a slow hash would add nothing.
    secret_hash  bytea NOT NULL,
    scopes       text[] NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    -- Written at most once a minute.
    last_used_at timestamptz,
    revoked_at   timestamptz
);
