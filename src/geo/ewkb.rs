//! Geometry as EWKB bytes, the only form in which shapes cross the database wire.
//!
//! **Invariant:** what is written carries SRID 4326; what is read is complete, of the expected
//! type, finite, and nothing follows it. Bytes from anywhere give a value or an error.

use postgis::ewkb::{
    AsEwkbLineString, AsEwkbPoint, AsEwkbPolygon, EwkbRead, EwkbWrite, LineStringT, MultiPolygonT,
    Point, PolygonT,
};

use super::ring::{MultiPolygon, Polygon, Position, Ring};

/// The spatial reference of everything stored: WGS 84 longitude and latitude.
pub const SRID: i32 = 4326;

pub(crate) const POINT: u32 = 1;
pub(crate) const LINE_STRING: u32 = 2;
pub(crate) const POLYGON: u32 = 3;
const MULTI_POLYGON: u32 = 6;

/// Why bytes are not the geometry that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EwkbError {
    #[error("the bytes end early or are no EWKB")]
    Broken,
    #[error("found geometry type {0}")]
    Type(u32),
    #[error("found SRID {0}, only {SRID} is known")]
    Srid(u32),
    #[error("{0} bytes follow the geometry")]
    Trailing(usize),
    #[error("a coordinate is not finite")]
    NotFinite,
    #[error("the geometry is not one of ours: {0}")]
    Refused(String),
}

/// One polygon as EWKB.
pub fn polygon_to_ewkb(polygon: &Polygon) -> Result<Vec<u8>, EwkbError> {
    written(&to_wire(&polygon.rings).as_ewkb())
}

/// The area that `PostGIS` returned with `ST_AsEWKB(ST_Multi(…))`; a Polygon is read too.
pub fn decode_ewkb_multipolygon(bytes: &[u8]) -> Result<MultiPolygon, EwkbError> {
    let polygons = match geometry_type(bytes)? {
        POLYGON => vec![read::<PolygonT<Point>>(bytes)?],
        MULTI_POLYGON => read::<MultiPolygonT<Point>>(bytes)?.polygons,
        other => return Err(EwkbError::Type(other)),
    };
    let polygons = polygons.iter().map(|polygon| {
        Ok(Polygon {
            rings: rings_of(polygon)?,
        })
    });
    Ok(MultiPolygon {
        polygons: polygons.collect::<Result<_, EwkbError>>()?,
    })
}

/// The type number (1 Point, 2 `LineString`, 3 Polygon, 6 `MultiPolygon`) without its flags.
///
/// Checked before reading, because the `postgis` crate trusts the type, and would follow nested
/// collections until the stack ends.
pub(crate) fn geometry_type(bytes: &[u8]) -> Result<u32, EwkbError> {
    const HAS_SRID: u32 = 0x2000_0000;
    const FLAGS: u32 = 0xE000_0000;
    let word = |at: usize| {
        let four = bytes
            .get(at..at + 4)
            .and_then(|b| <[u8; 4]>::try_from(b).ok())
            .ok_or(EwkbError::Broken)?;
        match bytes.first() {
            Some(0) => Ok(u32::from_be_bytes(four)),
            Some(1) => Ok(u32::from_le_bytes(four)),
            _ => Err(EwkbError::Broken),
        }
    };
    let type_id = word(1)?;
    if type_id & HAS_SRID != 0 {
        let srid = word(5)?;
        if i32::try_from(srid) != Ok(SRID) {
            return Err(EwkbError::Srid(srid));
        }
    }
    Ok(type_id & !FLAGS)
}

/// Reads exactly one geometry; call [`geometry_type`] first.
pub(crate) fn read<T: EwkbRead>(bytes: &[u8]) -> Result<T, EwkbError> {
    let mut rest = bytes;
    let read = T::read_ewkb(&mut rest).ok().ok_or(EwkbError::Broken)?;
    if rest.is_empty() {
        Ok(read)
    } else {
        Err(EwkbError::Trailing(rest.len()))
    }
}

pub(crate) fn point_to_ewkb(at: Position) -> Result<Vec<u8>, EwkbError> {
    written(&wire_point(at).as_ewkb())
}

pub(crate) fn line_to_ewkb(line: &[Position]) -> Result<Vec<u8>, EwkbError> {
    written(&wire_line(line).as_ewkb())
}

pub(crate) fn position_of(point: &Point) -> Result<Position, EwkbError> {
    if point.x.is_finite() && point.y.is_finite() {
        Ok([point.x, point.y])
    } else {
        Err(EwkbError::NotFinite)
    }
}

pub(crate) fn line_of(line: &LineStringT<Point>) -> Result<Ring, EwkbError> {
    line.points.iter().map(position_of).collect()
}

pub(crate) fn rings_of(polygon: &PolygonT<Point>) -> Result<Vec<Ring>, EwkbError> {
    polygon.rings.iter().map(line_of).collect()
}

fn to_wire(rings: &[Ring]) -> PolygonT<Point> {
    PolygonT {
        rings: rings.iter().map(|ring| wire_line(ring)).collect(),
        srid: Some(SRID),
    }
}

fn wire_line(line: &[Position]) -> LineStringT<Point> {
    LineStringT {
        points: line.iter().map(|at| wire_point(*at)).collect(),
        srid: Some(SRID),
    }
}

fn wire_point([lon, lat]: Position) -> Point {
    Point::new(lon, lat, Some(SRID))
}

fn written(geometry: &impl EwkbWrite) -> Result<Vec<u8>, EwkbError> {
    let mut bytes = Vec::new();
    geometry
        .write_ewkb(&mut bytes)
        .ok()
        .ok_or(EwkbError::Broken)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn square() -> Polygon {
        Polygon {
            rings: vec![vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]],
        }
    }

    #[test]
    fn a_polygon_comes_back_as_it_was_written() {
        let bytes = polygon_to_ewkb(&square()).unwrap();
        assert_eq!(
            decode_ewkb_multipolygon(&bytes).unwrap().polygons,
            vec![square()]
        );
    }

    #[test]
    fn bytes_cut_anywhere_are_refused() {
        let bytes = polygon_to_ewkb(&square()).unwrap();
        for length in 0..bytes.len() {
            assert!(
                decode_ewkb_multipolygon(&bytes[..length]).is_err(),
                "{length}"
            );
        }
    }

    #[test]
    fn bytes_after_the_geometry_are_refused() {
        let mut bytes = polygon_to_ewkb(&square()).unwrap();
        bytes.push(0);
        assert_eq!(
            decode_ewkb_multipolygon(&bytes),
            Err(EwkbError::Trailing(1))
        );
    }

    #[test]
    fn another_srid_or_type_is_refused() {
        let mut bytes = polygon_to_ewkb(&square()).unwrap();
        bytes[5] = 0;
        assert_eq!(
            decode_ewkb_multipolygon(&bytes),
            Err(EwkbError::Srid(0x1000))
        );
        let point = point_to_ewkb([0.0, 0.0]).unwrap();
        assert_eq!(decode_ewkb_multipolygon(&point), Err(EwkbError::Type(1)));
    }

    #[test]
    fn coordinates_which_are_not_finite_are_refused() {
        let mut bad = square();
        bad.rings[0][1][0] = f64::NAN;
        let bytes = polygon_to_ewkb(&bad).unwrap();
        assert_eq!(decode_ewkb_multipolygon(&bytes), Err(EwkbError::NotFinite));
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0..8u8) {
            let head = [1, kind, 0, 0, 0];
            for (byte, wanted) in bytes.iter_mut().zip(head) {
                *byte = wanted;
            }
            let _ = decode_ewkb_multipolygon(&bytes);
        }
    }
}
