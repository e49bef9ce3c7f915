-- campaigns::area_repair
--
-- Makes one valid area of the polygons that an organiser uploaded.
--
-- Input
--   $1 bytea[]  polygons as EWKB, SRID 4326, longitudes within ±540 (ParsedArea::to_ewkb_polygons)
--
-- Output: always one row. No type of an extension leaves the server.
--   area           bytea     EWKB MultiPolygon within ±180: valid, no overlaps; NULL if nothing is left
--   area_geojson   text      the same as GeoJSON, 7 decimals (11 mm), RFC 7946 winding
--   area_km2       float8    on the ellipsoid; 0 if nothing is left
--   west, south, east, north  float8   box; west > east if it crosses the antimeridian
--   vertices       bigint    positions, closing ones included
--   problems       bigint    polygons which were not valid (all of them, listed or not)
--   problem_index, problem_reason, problem_lon, problem_lat   bigint[], text[], float8[], float8[]
--                            the first 20: index into $1 from 0, PostGIS' words, the place if known
--
-- Time. 200,000 positions 0.4 s, 10,000 overlapping polygons 1.4 s, but a scribble which crosses
-- itself at most of its 5,000 positions 7 s: run it under a `statement_timeout`, and with `jit`
-- off (compiling costs 0.6 s, which is more than most areas take).
--
-- Area. PostGIS takes sides of a geography as geodesics and the smaller part of the globe as the
-- inside. Ours are straight in degrees and may be larger than a hemisphere. So the area is cut
-- into the 8 octants of the globe, and sides get a point each 0.25 degrees before they become
-- geography: off by less than 1 in 100,000 for any side, and right up to the whole Earth.
WITH uploaded AS (
    SELECT u.ordinality - 1 AS index, ST_GeomFromEWKB(u.wkb) AS geom
    FROM unnest($1::bytea[]) WITH ORDINALITY AS u (wkb, ordinality)
),
checked AS (
    SELECT index, geom, ST_IsValidDetail(geom) AS detail
    FROM uploaded
),
invalid AS (
    SELECT index, (detail).reason AS reason, (detail).location AS place,
        row_number() OVER (ORDER BY index) AS n
    FROM checked
    WHERE NOT (detail).valid
),
problems AS (
    SELECT count(*) AS problems,
        COALESCE(array_agg(index ORDER BY n) FILTER (WHERE n <= 20), '{}') AS problem_index,
        COALESCE(array_agg(reason ORDER BY n) FILTER (WHERE n <= 20), '{}') AS problem_reason,
        COALESCE(array_agg(ST_X(place) ORDER BY n) FILTER (WHERE n <= 20), '{}') AS problem_lon,
        COALESCE(array_agg(ST_Y(place) ORDER BY n) FILTER (WHERE n <= 20), '{}') AS problem_lat
    FROM invalid
),
-- What counts is inside the outer ring and outside the holes. ST_MakeValid of the whole polygon
-- would keep a hole which lies outside its ring as area, so each ring is made valid by itself
-- ('structure': a part which a ring goes round twice stays inside) and the holes are taken away.
rings AS (
    SELECT c.index,
        ring.path[1] = 0 AS is_outer,
        ST_CollectionExtract(ST_MakeValid(ring.geom, 'method=structure keepcollapsed=false'), 3) AS geom
    FROM checked AS c, ST_DumpRings(c.geom) AS ring
    WHERE NOT (c.detail).valid
),
repaired AS (
    SELECT geom
    FROM checked
    WHERE (detail).valid
    UNION ALL
    SELECT ST_CollectionExtract(ST_Difference(
        ST_UnaryUnion(ST_Collect(geom) FILTER (WHERE is_outer)),
        COALESCE(ST_UnaryUnion(ST_Collect(geom) FILTER (WHERE NOT is_outer)),
            'SRID=4326;POLYGON EMPTY'::geometry)), 3)
    FROM rings
    GROUP BY index
),
-- Wrapped one by one and before the union: what was moved by a turn may then overlap the rest.
wrapped AS (
    SELECT ST_CollectionExtract(
        CASE WHEN ST_XMin(geom) < -180 OR ST_XMax(geom) > 180
             THEN ST_WrapX(ST_WrapX(geom, -180, 360), 180, -360)
             ELSE geom END, 3) AS geom
    FROM repaired
    WHERE NOT ST_IsEmpty(geom)
),
united AS (
    SELECT ST_Multi(ST_ForcePolygonCCW(ST_CollectionExtract(ST_UnaryUnion(ST_Collect(geom)), 3))) AS geom
    FROM wrapped
),
-- An aggregate without rows is NULL, and so is all that is made of it.
area AS MATERIALIZED (
    SELECT CASE WHEN ST_IsEmpty(geom) THEN NULL ELSE geom END AS geom
    FROM united
),
octants AS (
    SELECT ST_MakeEnvelope(w, s, w + 90, s + 90, 4326) AS box
    FROM generate_series(-180, 90, 90) AS w, generate_series(-90, 0, 90) AS s
),
measured AS (
    SELECT COALESCE(sum(ST_Area(ST_Segmentize(
        ST_CollectionExtract(ST_Intersection(area.geom, box), 3), 0.25)::geography)), 0) / 1e6 AS area_km2
    FROM area JOIN octants ON ST_Intersects(area.geom, box)
),
-- The box leaves out the widest gap between polygons, going once round: usually the one across
-- the antimeridian, and another one if the area lies on both sides of it.
parts AS (
    SELECT ST_XMin(part.geom) AS west, ST_XMax(part.geom) AS east
    FROM area, ST_Dump(area.geom) AS part
),
reached AS (
    SELECT west,
        max(east) OVER (ORDER BY west ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS east_before
    FROM parts
),
gaps AS (
    SELECT west, east_before AS east, west - east_before AS width
    FROM reached
    UNION ALL
    SELECT min(west), max(east), min(west) + 360 - max(east)
    FROM parts
),
sides AS (
    SELECT geom, gap.west, gap.east
    FROM area,
        -- The gap across 180 is preferred to another of the same width.
        (SELECT west, east FROM gaps ORDER BY width DESC NULLS LAST, west LIMIT 1) AS gap
)
SELECT ST_AsEWKB(geom) AS area,
    ST_AsGeoJSON(geom, 7, 0) AS area_geojson,
    area_km2,
    west,
    ST_YMin(geom) AS south,
    east,
    ST_YMax(geom) AS north,
    COALESCE(ST_NPoints(geom), 0)::bigint AS vertices,
    problems.*
FROM sides, measured, problems
