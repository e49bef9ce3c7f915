-- Owner: admission. How the service is run at the moment, as an operator wants it: one row.
CREATE TABLE service_mode (
    one           boolean NOT NULL DEFAULT true CONSTRAINT service_mode_pkey PRIMARY KEY
                  CONSTRAINT service_mode_one_check CHECK (one),
    mode          text NOT NULL DEFAULT 'normal'
                  CONSTRAINT service_mode_mode_check CHECK (mode IN ('normal', 'read_only', 'maintenance')),
    -- Of a hundred volunteers so many are let in.
    admit_percent smallint NOT NULL DEFAULT 100
                  CONSTRAINT service_mode_admit_percent_check CHECK (admit_percent BETWEEN 5 AND 100),
    -- For people, in the operator's words.
    message       text CONSTRAINT service_mode_message_check CHECK (length(message) BETWEEN 1 AND 500),
    changed_at    timestamptz NOT NULL DEFAULT now()
);
INSERT INTO service_mode DEFAULT VALUES;
