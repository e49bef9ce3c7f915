-- Owner: looks. Stores a group of looks in one call. A function, since a connection plans what stands in it only once.

-- Looks and tags come as columns. A tag names its look by volunteer, id and content, for a group may hold different looks of
-- one id. Skipped are ids that are taken and cells that are not of the campaign. Gives what was stored (`is_new`), and when
-- that is not all, also what is kept under the ids of all.
CREATE FUNCTION store_looks(
    volunteer_ids uuid[], ids uuid[], campaign_ids uuid[], cells bigint[], outcomes text[], campaign_versions int[],
    times_started timestamptz[], times_finished timestamptz[], content_hashes bytea[],
    tag_volunteer_ids uuid[], tag_look_ids uuid[], tag_look_hashes bytea[], tag_ids uuid[], tag_types text[], tag_places bytea[],
    tag_notes text[]
)
RETURNS TABLE (volunteer_id uuid, id uuid, content_hash bytea, campaign_version int, received_at timestamptz, is_new boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    stored bigint;
BEGIN
    RETURN QUERY
    WITH new_looks AS (
        INSERT INTO looks (volunteer_id, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, content_hash)
        SELECT g.volunteer_id, g.id, g.campaign_id, g.cell, g.outcome, g.campaign_version, g.started_at, g.finished_at,
               g.content_hash
        FROM unnest(store_looks.volunteer_ids, store_looks.ids, store_looks.campaign_ids, store_looks.cells,
                    store_looks.outcomes, store_looks.campaign_versions, store_looks.times_started,
                    store_looks.times_finished, store_looks.content_hashes)
             WITH ORDINALITY AS g (volunteer_id, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at,
                                   content_hash, n)
        WHERE EXISTS (SELECT FROM cells AS c WHERE c.campaign_id = g.campaign_id AND c.cell = g.cell)
        -- All in one order, so that two groups never wait for each other crosswise.
        ORDER BY g.volunteer_id, g.id, g.n
        ON CONFLICT ON CONSTRAINT looks_pkey DO NOTHING
        RETURNING looks.volunteer_id, looks.id, looks.campaign_id, looks.cell, looks.content_hash, looks.campaign_version,
                  looks.received_at
    ), new_tags AS (
        INSERT INTO tags (volunteer_id, id, look_id, campaign_id, cell, tag_type, place, note, campaign_version)
        SELECT n.volunteer_id, t.id, n.id, n.campaign_id, n.cell, t.tag_type, ST_GeomFromEWKB(t.place), t.note,
               n.campaign_version
        FROM unnest(store_looks.tag_volunteer_ids, store_looks.tag_look_ids, store_looks.tag_look_hashes,
                    store_looks.tag_ids, store_looks.tag_types, store_looks.tag_places, store_looks.tag_notes)
             AS t (volunteer_id, look_id, look_hash, id, tag_type, place, note)
        JOIN new_looks AS n ON n.volunteer_id = t.volunteer_id AND n.id = t.look_id AND n.content_hash = t.look_hash
    )
    SELECT n.volunteer_id, n.id, n.content_hash, n.campaign_version, n.received_at, true
    FROM new_looks AS n;

    GET DIAGNOSTICS stored = ROW_COUNT;
    IF stored < cardinality(store_looks.ids) THEN
        RETURN QUERY
        SELECT l.volunteer_id, l.id, l.content_hash, l.campaign_version, l.received_at, false
        FROM unnest(store_looks.volunteer_ids, store_looks.ids) AS g (volunteer_id, id)
        JOIN looks AS l ON l.volunteer_id = g.volunteer_id AND l.id = g.id;
    END IF;
END
$$;
