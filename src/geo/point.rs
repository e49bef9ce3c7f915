//! Places on the Earth.
//!
//! **Invariant:** longitudes within ±180, latitudes within ±90, both finite.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ring::Position;

/// A place: longitude and latitude in degrees. As text `lon,lat`, as JSON `[lon, lat]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Position", into = "Position")]
pub struct LonLat {
    lon: f64,
    lat: f64,
}

/// Why two numbers are not a place.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum LonLatError {
    #[error("a place is two numbers: longitude,latitude in degrees")]
    Shape,
    #[error("longitude {0} is outside -180..180")]
    Longitude(f64),
    #[error("latitude {0} is outside -90..90")]
    Latitude(f64),
}

impl LonLat {
    pub fn new(lon: f64, lat: f64) -> Result<Self, LonLatError> {
        if !(lon.is_finite() && lat.is_finite()) {
            return Err(LonLatError::Shape);
        }
        if lon.abs() > 180.0 {
            return Err(LonLatError::Longitude(lon));
        }
        if lat.abs() > 90.0 {
            return Err(LonLatError::Latitude(lat));
        }
        Ok(Self { lon, lat })
    }

    /// Degrees east.
    pub fn lon(self) -> f64 {
        self.lon
    }

    /// Degrees north.
    pub fn lat(self) -> f64 {
        self.lat
    }
}

impl fmt::Display for LonLat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.lon, self.lat)
    }
}

impl FromStr for LonLat {
    type Err = LonLatError;

    fn from_str(text: &str) -> Result<Self, LonLatError> {
        let (lon, lat) = text.split_once(',').ok_or(LonLatError::Shape)?;
        let number = |part: &str| part.trim().parse().ok().ok_or(LonLatError::Shape);
        Self::new(number(lon)?, number(lat)?)
    }
}

impl TryFrom<Position> for LonLat {
    type Error = LonLatError;

    fn try_from([lon, lat]: Position) -> Result<Self, LonLatError> {
        Self::new(lon, lat)
    }
}

impl From<LonLat> for Position {
    fn from(place: LonLat) -> Self {
        [place.lon, place.lat]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_place_is_two_finite_numbers_within_the_world() {
        assert_eq!("-180,90".parse(), LonLat::new(-180.0, 90.0));
        assert_eq!(
            "180.1,0".parse::<LonLat>(),
            Err(LonLatError::Longitude(180.1))
        );
        assert_eq!(
            "0,-90.1".parse::<LonLat>(),
            Err(LonLatError::Latitude(-90.1))
        );
        for text in ["", "1", "1,2,3", "nan,1", "1,inf", "a,b"] {
            assert_eq!(text.parse::<LonLat>(), Err(LonLatError::Shape), "{text}");
        }
    }

    proptest! {
        #[test]
        fn places_survive_text_and_json(lon in -180.0..=180.0f64, lat in -90.0..=90.0f64) {
            let place = LonLat::new(lon, lat).unwrap();
            prop_assert_eq!(place.to_string().parse::<LonLat>().unwrap(), place);
            let json = serde_json::to_string(&place).unwrap();
            // serde_json may read a number one bit off without its `float_roundtrip` feature.
            let read: LonLat = serde_json::from_str(&json).unwrap();
            prop_assert!((read.lon - lon).abs() < 1e-12 && (read.lat - lat).abs() < 1e-12);
        }
    }
}
