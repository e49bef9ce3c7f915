//! The repair of an uploaded area, by PostGIS.

use tokio_postgres::{GenericClient, types::Type};

use crate::{
    campaigns::survey::{Repaired, RingProblem},
    db::DbError,
};

/// Longest time that the repair of an area may take.
const REPAIR_TIMEOUT: &str = "20s";

/// Must run in a transaction, to which its time limit belongs.
pub async fn repair_area(
    db: &impl GenericClient,
    polygons: &[Vec<u8>],
) -> Result<Repaired, DbError> {
    // Compiling the statement would take longer than running it, and a hostile outline must not
    // hold a connection for ever.
    db.execute_typed(
        "-- campaigns::bound_repair
        SELECT set_config('jit', 'off', true), set_config('statement_timeout', $1, true)",
        &[(&REPAIR_TIMEOUT, Type::TEXT)],
    )
    .await?;
    let sql = include_str!("area_repair.sql");
    let row = db
        .query_typed_one(sql, &[(&polygons, Type::BYTEA_ARRAY)])
        .await?;
    db.execute_typed(
        "-- campaigns::unbound_repair
        SELECT set_config('statement_timeout', '0', true)",
        &[],
    )
    .await?;
    let indices: Vec<i64> = row.get("problem_index");
    let reasons: Vec<Option<String>> = row.get("problem_reason");
    let lons: Vec<Option<f64>> = row.get("problem_lon");
    let lats: Vec<Option<f64>> = row.get("problem_lat");
    let problems = indices
        .into_iter()
        .zip(reasons)
        .zip(lons.into_iter().zip(lats))
        .map(|((polygon, reason), (lon, lat))| RingProblem {
            polygon,
            reason: reason.unwrap_or_default(),
            place: lon.zip(lat).map(|(lon, lat)| [lon, lat]),
        })
        .collect();
    Ok(Repaired {
        ewkb: row.get("area"),
        geojson: row.get("area_geojson"),
        area_km2: row.get("area_km2"),
        bbox: [
            row.get("west"),
            row.get("south"),
            row.get("east"),
            row.get("north"),
        ],
        problems,
        problems_total: row.get("problems"),
    })
}
