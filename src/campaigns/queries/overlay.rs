//! Areas laid over each other, by PostGIS.

use tokio_postgres::{GenericClient, types::Type};

use crate::{db::DbError, geo::bbox::Bbox};

/// What is made of two areas.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Overlay {
    /// What is in the first and not in the second.
    Difference,
    /// What is in both.
    Intersection,
}

/// The polygons of an overlay, as EWKB; none when nothing is left.
pub async fn overlay(
    db: &impl GenericClient,
    overlay: Overlay,
    first: &[u8],
    second: &[u8],
) -> Result<Vec<Vec<u8>>, DbError> {
    let sql = "-- campaigns::overlay
        WITH given AS (
            SELECT ST_GeomFromEWKB($1) AS first, ST_GeomFromEWKB($2) AS second
        ), laid AS (
            SELECT ST_CollectionExtract(
                CASE WHEN $3 THEN ST_Difference(first, second) ELSE ST_Intersection(first, second) END,
                3) AS geom
            FROM given
        )
        SELECT ST_AsEWKB(part.geom) AS polygon
        FROM laid, ST_Dump(laid.geom) AS part
        WHERE NOT ST_IsEmpty(part.geom)";
    let rows = db
        .query_typed(
            sql,
            &[
                (&first, Type::BYTEA),
                (&second, Type::BYTEA),
                (&(overlay == Overlay::Difference), Type::BOOL),
            ],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get("polygon")).collect())
}

/// The part of an area that lies within boxes which do not overlap: 0 to 1.
pub async fn share_within(
    db: &impl GenericClient,
    area: &[u8],
    boxes: &[Bbox],
) -> Result<f64, DbError> {
    let sql = "-- campaigns::share_within
        WITH given AS (
            SELECT ST_GeomFromEWKB($1) AS area
        ), within AS (
            SELECT sum(ST_Area(ST_CollectionExtract(
                ST_Intersection(given.area, ST_MakeEnvelope(b.w, b.s, b.e, b.n, 4326)), 3)::geography)) AS size
            FROM given, unnest($2::float8[], $3::float8[], $4::float8[], $5::float8[]) AS b (w, s, e, n)
        )
        SELECT coalesce(least(1, within.size / nullif(ST_Area(given.area::geography), 0)), 0)::float8 AS share
        FROM given, within";
    let edge = |index: usize| -> Vec<f64> {
        let edges = boxes.iter().map(|b| b.edges());
        edges.filter_map(|e| e.get(index).copied()).collect()
    };
    let row = db
        .query_typed_one(
            sql,
            &[
                (&area, Type::BYTEA),
                (&edge(0), Type::FLOAT8_ARRAY),
                (&edge(1), Type::FLOAT8_ARRAY),
                (&edge(2), Type::FLOAT8_ARRAY),
                (&edge(3), Type::FLOAT8_ARRAY),
            ],
        )
        .await?;
    Ok(row.get("share"))
}
