//! The spherical Web-Mercator projection (EPSG:3857), in units of tiles.

use std::f64::consts::{PI, TAU};

/// Equatorial radius of WGS 84 in metres, which Web Mercator uses for its sphere.
pub const EARTH_RADIUS_M: f64 = 6_378_137.0;
/// Northern end of Web Mercator in degrees, `atan(sinh(π))`; the southern end is its negative.
pub const MERCATOR_LAT_MAX: f64 = 85.051_128_779_806_59;

/// Number of columns, and of rows, at zoom `z`: `2^z`.
pub fn tiles_across(z: u8) -> u32 {
    1 << z.min(31)
}

/// Column of a longitude in degrees, with fraction; not limited to the world.
pub fn x_of_lon(lon: f64, z: u8) -> f64 {
    (lon + 180.0) / 360.0 * f64::from(tiles_across(z))
}

/// Row of a latitude in degrees, with fraction; held within `0..=2^z`.
///
/// `y = (1 − asinh(tan φ)/π)/2 · 2^z`, the spherical Mercator of EPSG:3857.
pub fn y_of_lat(lat: f64, z: u8) -> f64 {
    let across = f64::from(tiles_across(z));
    if lat >= MERCATOR_LAT_MAX {
        return 0.0;
    }
    if lat <= -MERCATOR_LAT_MAX {
        return across;
    }
    (0.5 - lat.to_radians().tan().asinh() / TAU) * across
}

/// Longitude in degrees of a column with fraction.
pub fn lon_of_x(x: f64, z: u8) -> f64 {
    x / f64::from(tiles_across(z)) * 360.0 - 180.0
}

/// Latitude in degrees of a row with fraction, the inverse of [`y_of_lat`].
pub fn lat_of_y(y: f64, z: u8) -> f64 {
    let turn = 1.0 - 2.0 * y / f64::from(tiles_across(z));
    (PI * turn).sinh().atan().to_degrees()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ends_of_the_map_are_the_first_and_the_last_row() {
        let rows: Vec<f64> = [90.0, MERCATOR_LAT_MAX, -MERCATOR_LAT_MAX, -90.0]
            .into_iter()
            .map(|lat| y_of_lat(lat, 3))
            .collect();
        assert_eq!(rows, vec![0.0, 0.0, 8.0, 8.0]);
        assert!((lat_of_y(0.0, 3) - MERCATOR_LAT_MAX).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn the_projection_goes_there_and_back(lat in -85.0..85.0f64, z in 0..=26u8) {
            prop_assert!((lat_of_y(y_of_lat(lat, z), z) - lat).abs() < 1e-9);
        }
    }
}
