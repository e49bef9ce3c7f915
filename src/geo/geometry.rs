//! The geometry of tags: what a volunteer marked.
//!
//! **Invariant:** a geometry has at most [`VERTICES_MAX`] positions, a line two different places
//! or more, a ring three; rings are closed.

use postgis::ewkb::{LineString, Point, Polygon};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ewkb::{self, EwkbError};
use super::json::{Flaw, kind, position};
use super::point::LonLat;
use super::ring::{self, Position, Ring};

/// Most positions in the geometry of one tag.
pub const VERTICES_MAX: usize = 500;

/// Kind of a geometry, as a tag type demands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GeometryKind {
    Point,
    LineString,
    Polygon,
}

impl GeometryKind {
    /// The name that `GeoJSON` has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Point => "Point",
            Self::LineString => "LineString",
            Self::Polygon => "Polygon",
        }
    }
}

/// What a volunteer marked.
#[derive(Debug, Clone, PartialEq)]
pub enum Geometry {
    Point(LonLat),
    /// Two or more places.
    LineString(Vec<LonLat>),
    /// An outer ring and its holes, each closed.
    Polygon(Vec<Vec<LonLat>>),
}

impl Geometry {
    /// Reads a `GeoJSON` geometry; `pointer` is where `value` lies in what the client sent.
    ///
    /// A third coordinate is dropped and an open ring closed. The flaw is the first one.
    pub fn from_geojson(value: &Value, pointer: &str) -> Result<Self, Flaw> {
        const NEEDED: &str = "a tag's geometry is a GeoJSON Point, LineString or Polygon";
        let Some(members) = value.as_object() else {
            return Err(Flaw::new(
                "not_a_geometry",
                pointer,
                format!("found {}; {NEEDED}", kind(value)),
            ));
        };
        let at_type = format!("{pointer}/type");
        let found = match members.get("type") {
            Some(Value::String(found)) => found.as_str(),
            other => {
                let found = other.map_or("nothing".to_owned(), kind);
                return Err(Flaw::new(
                    "not_a_geometry",
                    at_type,
                    format!("found {found}; {NEEDED}"),
                ));
            }
        };
        let mut reader = Reader { left: VERTICES_MAX };
        let at = format!("{pointer}/coordinates");
        let coordinates = members.get("coordinates").unwrap_or(&Value::Null);
        match found {
            "Point" => place(coordinates, &at).map(Self::Point),
            "LineString" => reader.line(coordinates, &at).map(Self::LineString),
            "Polygon" => reader.rings(coordinates, &at).map(Self::Polygon),
            other => Err(Flaw::new(
                "not_a_geometry",
                at_type,
                format!("found the type {other:?}; {NEEDED}"),
            )),
        }
    }

    pub fn kind(&self) -> GeometryKind {
        match self {
            Self::Point(_) => GeometryKind::Point,
            Self::LineString(_) => GeometryKind::LineString,
            Self::Polygon(_) => GeometryKind::Polygon,
        }
    }

    /// Every place, holes included.
    pub fn places(&self) -> impl Iterator<Item = LonLat> {
        let (one, line, rings) = match self {
            Self::Point(place) => (Some(*place), None, None),
            Self::LineString(line) => (None, Some(line), None),
            Self::Polygon(rings) => (None, None, Some(rings)),
        };
        let many = line
            .into_iter()
            .chain(rings.into_iter().flatten())
            .flatten()
            .copied();
        one.into_iter().chain(many)
    }

    /// As a `GeoJSON` geometry object.
    pub fn to_geojson(&self) -> Value {
        match self {
            Self::Point(place) => json!({"type": "Point", "coordinates": place}),
            Self::LineString(line) => json!({"type": "LineString", "coordinates": line}),
            Self::Polygon(rings) => json!({"type": "Polygon", "coordinates": rings}),
        }
    }

    /// As EWKB with SRID 4326, for the database.
    pub fn to_ewkb(&self) -> Result<Vec<u8>, EwkbError> {
        match self {
            Self::Point(place) => ewkb::point_to_ewkb((*place).into()),
            Self::LineString(line) => ewkb::line_to_ewkb(&plain(line)),
            Self::Polygon(rings) => {
                let rings = rings.iter().map(|ring| plain(ring)).collect();
                ewkb::polygon_to_ewkb(&ring::Polygon { rings })
            }
        }
    }

    /// Reads EWKB from anywhere; what is accepted obeys the same rules as `GeoJSON`.
    pub fn from_ewkb(bytes: &[u8]) -> Result<Self, EwkbError> {
        let refused = |flaw: Flaw| EwkbError::Refused(flaw.detail);
        let mut reader = Reader { left: VERTICES_MAX };
        match ewkb::geometry_type(bytes)? {
            ewkb::POINT => {
                let at = ewkb::position_of(&ewkb::read::<Point>(bytes)?)?;
                place_at(at, "").map(Self::Point).map_err(refused)
            }
            ewkb::LINE_STRING => {
                let line = ewkb::line_of(&ewkb::read::<LineString>(bytes)?)?;
                reader
                    .line(&json!(line), "")
                    .map(Self::LineString)
                    .map_err(refused)
            }
            ewkb::POLYGON => {
                let rings = ewkb::rings_of(&ewkb::read::<Polygon>(bytes)?)?;
                reader
                    .rings(&json!(rings), "")
                    .map(Self::Polygon)
                    .map_err(refused)
            }
            other => Err(EwkbError::Type(other)),
        }
    }
}

/// Counts positions down over one geometry.
struct Reader {
    left: usize,
}

impl Reader {
    fn line(&mut self, value: &Value, pointer: &str) -> Result<Vec<LonLat>, Flaw> {
        let places = self.places(value, pointer, "a LineString")?;
        if places.iter().all(|place| Some(place) == places.first()) {
            let detail = "found fewer than 2 different positions; a LineString needs at least 2";
            return Err(Flaw::new("too_few_positions", pointer, detail));
        }
        Ok(places)
    }

    fn rings(&mut self, value: &Value, pointer: &str) -> Result<Vec<Vec<LonLat>>, Flaw> {
        let rings = value
            .as_array()
            .filter(|rings| !rings.is_empty())
            .ok_or_else(|| {
                let detail = format!("found {}; a Polygon is an array of rings", kind(value));
                Flaw::new("bad_coordinates", pointer, detail)
            })?;
        rings
            .iter()
            .enumerate()
            .map(|(i, ring)| self.ring(ring, &format!("{pointer}/{i}")))
            .collect()
    }

    fn ring(&mut self, value: &Value, pointer: &str) -> Result<Vec<LonLat>, Flaw> {
        let mut places = self.places(value, pointer, "a ring")?;
        if !ring::has_three_points(&plain(&places)) {
            let detail = "found fewer than 3 different positions; a ring needs at least 3";
            return Err(Flaw::new("too_few_positions", pointer, detail));
        }
        if places.first() != places.last() {
            places.extend(places.first().copied());
        }
        Ok(places)
    }

    fn places(&mut self, value: &Value, pointer: &str, what: &str) -> Result<Vec<LonLat>, Flaw> {
        let Some(items) = value.as_array() else {
            let detail = format!("found {}; {what} is an array of positions", kind(value));
            return Err(Flaw::new("bad_coordinates", pointer, detail));
        };
        self.left = self.left.checked_sub(items.len()).ok_or_else(|| {
            let detail = format!("found more than {VERTICES_MAX} positions, which is the most in one tag: mark it more coarsely");
            Flaw::new("too_many_positions", pointer, detail)
        })?;
        items
            .iter()
            .enumerate()
            .map(|(i, item)| place(item, &format!("{pointer}/{i}")))
            .collect()
    }
}

fn place(value: &Value, pointer: &str) -> Result<LonLat, Flaw> {
    place_at(position(value, || pointer.to_owned())?.at, pointer)
}

fn place_at([lon, lat]: Position, pointer: &str) -> Result<LonLat, Flaw> {
    LonLat::new(lon, lat).map_err(|error| {
        let detail = format!("{error}; positions are [longitude, latitude] in degrees (WGS 84)");
        Flaw::new("position_outside_the_world", pointer, detail)
    })
}

fn plain(places: &[LonLat]) -> Ring {
    places.iter().map(|place| Position::from(*place)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(value: &Value) -> Result<Geometry, Flaw> {
        Geometry::from_geojson(value, "/tags/0/geometry")
    }

    fn line(positions: usize) -> Value {
        let at: Vec<_> = (0..positions).map(|i| json!([i % 180, 1])).collect();
        json!({"type": "LineString", "coordinates": at})
    }

    #[test]
    fn each_kind_comes_back_as_it_was_read() {
        for value in [
            json!({"type": "Point", "coordinates": [1.5, 2.0]}),
            json!({"type": "LineString", "coordinates": [[1.5, 2.0], [2.0, 3.0]]}),
            json!({"type": "Polygon", "coordinates": [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]}),
        ] {
            let geometry = read(&value).unwrap();
            assert_eq!(geometry.to_geojson(), value);
            assert_eq!(
                Geometry::from_ewkb(&geometry.to_ewkb().unwrap()).unwrap(),
                geometry
            );
        }
    }

    #[test]
    fn height_is_dropped_and_an_open_ring_closed() {
        let polygon =
            read(&json!({"type": "Polygon", "coordinates": [[[0, 0, 9], [1, 0, 9], [1, 1, 9]]]}))
                .unwrap();
        assert_eq!(polygon.kind(), GeometryKind::Polygon);
        assert_eq!(polygon.places().count(), 4);
    }

    #[test]
    fn flaws_point_at_their_place() {
        let cases = [
            (json!(null), "/tags/0/geometry", "found null;"),
            (json!({}), "/tags/0/geometry/type", "found nothing;"),
            (
                json!({"type": 3}),
                "/tags/0/geometry/type",
                "found the number 3;",
            ),
            (
                json!({"type": "MultiPoint"}),
                "/tags/0/geometry/type",
                "found the type \"MultiPoint\";",
            ),
            (
                json!({"type": "Point"}),
                "/tags/0/geometry/coordinates",
                "found null;",
            ),
            (
                json!({"type": "Point", "coordinates": [181, 0]}),
                "/tags/0/geometry/coordinates",
                "longitude 181 is outside",
            ),
            (
                json!({"type": "LineString", "coordinates": [[0, 0], [0, "x"]]}),
                "/tags/0/geometry/coordinates/1",
                "found the text",
            ),
            (
                json!({"type": "LineString", "coordinates": [[0, 0], [0, 0]]}),
                "/tags/0/geometry/coordinates",
                "found fewer than 2",
            ),
            (
                json!({"type": "Polygon", "coordinates": []}),
                "/tags/0/geometry/coordinates",
                "found an array of 0;",
            ),
            (
                json!({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}),
                "/tags/0/geometry/coordinates/0",
                "found fewer than 3",
            ),
            (
                json!({"type": "Polygon", "coordinates": [7]}),
                "/tags/0/geometry/coordinates/0",
                "found the number 7;",
            ),
        ];
        for (value, pointer, words) in cases {
            let flaw = read(&value).unwrap_err();
            assert_eq!(flaw.pointer, pointer, "{value}");
            assert!(flaw.detail.starts_with(words), "{value}: {}", flaw.detail);
        }
    }

    #[test]
    fn five_hundred_positions_are_accepted_and_one_more_refused() {
        assert!(read(&line(VERTICES_MAX)).is_ok());
        assert_eq!(
            read(&line(VERTICES_MAX + 1)).unwrap_err().code,
            "too_many_positions"
        );
    }

    #[test]
    fn bytes_outside_the_world_are_refused() {
        let bytes = ewkb::point_to_ewkb([181.0, 0.0]).unwrap();
        assert!(matches!(
            Geometry::from_ewkb(&bytes),
            Err(EwkbError::Refused(_))
        ));
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..120), kind in 0..9u8) {
            for (byte, wanted) in bytes.iter_mut().zip([1, kind, 0, 0, 0]) {
                *byte = wanted;
            }
            let _ = Geometry::from_ewkb(&bytes);
        }
    }
}
