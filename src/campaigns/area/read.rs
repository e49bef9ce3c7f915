//! Walks an uploaded `GeoJSON` value and collects polygons, notes and errors.

use serde_json::{Map, Value};

use super::notes::{self, Notes};
use super::{
    AreaErrors, DEPTH_MAX, ERRORS_MAX, POLYGONS_MAX, ParsedArea, RINGS_MAX, VERTICES_MAX, refuse,
};
use crate::geo::json::{Flaw, kind, pointer_step, position};
use crate::geo::mercator::MERCATOR_LAT_MAX;
use crate::geo::ring::{
    NOISE_DEG, Polygon, Position, Ring, Unwrapped, has_three_points, lon_span, settle, signed_area,
    tidy, unwrap,
};

pub(super) fn area(value: &Value, pointer: &str) -> Result<ParsedArea, AreaErrors> {
    let mut reader = Reader::default();
    reader.any(value, pointer, 0);
    if reader.polygons.is_empty() && reader.errors.is_empty() && reader.outside.is_empty() {
        reader.refuse(
            "no_polygon",
            pointer,
            "found no polygon; an area must be a Polygon or MultiPolygon",
        );
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    polygons: Vec<Polygon>,
    notes: Notes,
    errors: Vec<Flaw>,
    more: usize,
    /// Positions outside the world: the first of each code, and how many follow it. A projected
    /// file would otherwise repeat one mistake at every position.
    outside: Vec<(Flaw, usize)>,
    vertices: usize,
    rings: usize,
    /// A limit was passed; reading on would only cost.
    stopped: bool,
}

impl Reader {
    fn finish(mut self) -> Result<ParsedArea, AreaErrors> {
        if self.errors.is_empty() && self.outside.is_empty() {
            return Ok(ParsedArea {
                polygons: self.polygons,
                notes: self.notes.0,
            });
        }
        let room = ERRORS_MAX - self.outside.len();
        self.more += self.errors.len().saturating_sub(room);
        self.errors.truncate(room);
        self.errors
            .extend(self.outside.into_iter().map(|(mut flaw, others)| {
                if others > 0 {
                    flaw.detail = format!("{} ({others} more positions are like it.)", flaw.detail);
                }
                flaw
            }));
        Err(AreaErrors {
            errors: self.errors,
            more: self.more,
        })
    }

    fn any(&mut self, value: &Value, pointer: &str, depth: usize) {
        if self.stopped {
            return;
        }
        let Some(members) = value.as_object() else {
            let detail = format!("found {}; {}", kind(value), refuse::NEEDED);
            return self.refuse("not_geojson", pointer, detail);
        };
        if depth > DEPTH_MAX {
            self.stopped = true;
            let detail = format!(
                "found more than {DEPTH_MAX} collections within each other; put the polygons into one FeatureCollection"
            );
            return self.refuse("too_deep", pointer, detail);
        }
        if let Some(detail) = members.get("crs").and_then(refuse::foreign_crs) {
            self.refuse("foreign_crs", format!("{pointer}/crs"), detail);
        }
        let Some(Value::String(found)) = members.get("type") else {
            return self.untyped(members, pointer, depth);
        };
        match found.as_str() {
            "FeatureCollection" => self.each(members, "features", pointer, depth),
            "GeometryCollection" => self.each(members, "geometries", pointer, depth),
            "Feature" => match members.get("geometry") {
                None | Some(Value::Null) => {
                    let detail = "found a Feature without geometry; remove it or give it a Polygon";
                    self.refuse("null_geometry", format!("{pointer}/geometry"), detail);
                }
                Some(geometry) => self.any(geometry, &format!("{pointer}/geometry"), depth + 1),
            },
            "Polygon" => self.polygon(coordinates(members), &format!("{pointer}/coordinates")),
            "MultiPolygon" => {
                self.multi_polygon(coordinates(members), &format!("{pointer}/coordinates"));
            }
            "Point" | "MultiPoint" | "LineString" | "MultiLineString" => {
                let coordinates = coordinates(members);
                self.refuse(
                    "not_an_area",
                    pointer,
                    refuse::not_an_area(found, coordinates),
                );
                self.look_outside(coordinates, &format!("{pointer}/coordinates"), 0);
            }
            other => {
                let detail = format!(
                    "found the type {:?}; {}",
                    other.chars().take(40).collect::<String>(),
                    refuse::NEEDED
                );
                self.refuse("unknown_type", format!("{pointer}/type"), detail);
            }
        }
    }

    fn each(&mut self, members: &Map<String, Value>, name: &str, pointer: &str, depth: usize) {
        let pointer = format!("{pointer}/{name}");
        match members.get(name) {
            Some(Value::Array(items)) if items.is_empty() => {
                let detail = format!(
                    "found no {name}; the collection needs at least one Polygon or MultiPolygon"
                );
                self.refuse("empty_collection", pointer, detail);
            }
            Some(Value::Array(items)) => {
                for (i, item) in items.iter().enumerate() {
                    self.any(item, &format!("{pointer}/{i}"), depth + 1);
                }
            }
            other => {
                let found = other.map_or("nothing".to_owned(), kind);
                self.refuse(
                    "not_geojson",
                    pointer,
                    format!("found {found}; `{name}` must be an array"),
                );
            }
        }
    }

    /// An object without `type`; a project file may hold the `GeoJSON` one step further in, and
    /// then its other mistakes are told too.
    fn untyped(&mut self, members: &Map<String, Value>, pointer: &str, depth: usize) {
        let within = members
            .iter()
            .find(|(_, value)| value.get("type").is_some_and(Value::is_string));
        let Some((name, value)) = within else {
            return self.refuse(
                "not_geojson",
                pointer,
                format!("found an object without `type`; {}", refuse::NEEDED),
            );
        };
        let shown: String = name.chars().take(40).collect();
        let detail = format!(
            "found an object without `type` which holds GeoJSON in its member `{shown}`; send that member alone"
        );
        self.refuse("not_geojson", pointer, detail);
        self.any(
            value,
            &format!("{pointer}/{}", pointer_step(name)),
            depth + 1,
        );
    }

    fn multi_polygon(&mut self, value: &Value, pointer: &str) {
        match value.as_array() {
            Some(items) if !items.is_empty() => {
                for (i, item) in items.iter().enumerate() {
                    self.polygon(item, &format!("{pointer}/{i}"));
                }
            }
            _ => self.refuse(
                "empty_geometry",
                pointer,
                format!(
                    "found {}; a MultiPolygon is an array of polygons",
                    kind(value)
                ),
            ),
        }
    }

    fn polygon(&mut self, value: &Value, pointer: &str) {
        if self.stopped {
            return;
        }
        let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
            let detail = format!(
                "found {}; a Polygon is an array of rings, the outer one first",
                kind(value)
            );
            return self.refuse("empty_geometry", pointer, detail);
        };
        if self.polygons.len() == POLYGONS_MAX {
            return self.stop("too_many_polygons", pointer, POLYGONS_MAX, "polygons");
        }
        self.rings += items.len();
        if self.rings > RINGS_MAX {
            return self.stop("too_many_rings", pointer, RINGS_MAX, "rings");
        }
        let mut rings = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let pointer = format!("{pointer}/{i}");
            if let Some(mut ring) = self.ring(item, &pointer) {
                self.turn(&mut ring, i == 0, &pointer);
                rings.push(ring);
            }
        }
        if rings.len() == items.len() {
            settle(&mut rings);
            if rings
                .iter()
                .flatten()
                .any(|[lon, _]| lon.abs() > 180.0 + NOISE_DEG)
            {
                self.notes.add(notes::CROSSES, pointer);
            }
        }
        // Also kept when a ring was refused: the limit counts what was found.
        self.polygons.push(Polygon { rings });
    }

    fn ring(&mut self, value: &Value, pointer: &str) -> Option<Ring> {
        let Some(items) = value.as_array() else {
            self.refuse(
                "bad_coordinates",
                pointer,
                format!("found {}; a ring is an array of positions", kind(value)),
            );
            return None;
        };
        self.vertices += items.len();
        if self.vertices > VERTICES_MAX {
            self.stop("too_many_vertices", pointer, VERTICES_MAX, "positions");
            return None;
        }
        let mut ring = self.positions(items, pointer)?;
        let tidied = tidy(&mut ring);
        if tidied.duplicates > 0 {
            self.notes.add(notes::REPEATS, pointer);
        }
        if !has_three_points(&ring) {
            self.refuse("too_few_positions", pointer, "found fewer than 3 different positions; a ring needs at least 3: remove it or draw it again");
            return None;
        }
        if tidied.was_open {
            self.notes.add(notes::CLOSED, pointer);
        }
        if unwrap(&mut ring) == Unwrapped::AroundPole {
            self.refuse("encloses_pole", pointer, "the ring goes once round the Earth and so encloses a pole; lead it along the antimeridian to the pole and back (… [180, -70], [180, -90], [-180, -90], [-180, -70] …)");
            return None;
        }
        let (west, east) = lon_span(&ring);
        if east - west > 360.0 + NOISE_DEG {
            self.refuse(
                "wider_than_the_world",
                pointer,
                format!(
                    "the ring is {:.1}° wide; the Earth is 360° round",
                    east - west
                ),
            );
            return None;
        }
        if ring.iter().any(|[_, lat]| lat.abs() > MERCATOR_LAT_MAX) {
            self.notes.add(notes::BEYOND, pointer);
        }
        Some(ring)
    }

    /// All positions of a ring, or nothing if one of them cannot be used.
    fn positions(&mut self, items: &[Value], pointer: &str) -> Option<Ring> {
        let mut ring = Vec::with_capacity(items.len() + 1);
        let mut usable = true;
        for (i, item) in items.iter().enumerate() {
            match position(item, || format!("{pointer}/{i}")) {
                Ok(read) => {
                    if read.had_height {
                        self.notes.add(notes::HEIGHT, pointer);
                    }
                    usable &= self.is_inside(read.at, || format!("{pointer}/{i}"));
                    ring.push(read.at);
                }
                Err(flaw) => {
                    self.push(flaw);
                    return None;
                }
            }
        }
        usable.then_some(ring)
    }

    fn is_inside(&mut self, at: Position, pointer: impl Fn() -> String) -> bool {
        let Some((code, detail)) = refuse::outside(at) else {
            return true;
        };
        match self.outside.iter_mut().find(|(flaw, _)| flaw.code == code) {
            Some((_, others)) => *others += 1,
            None => self.outside.push((Flaw::new(code, pointer(), detail()), 0)),
        }
        false
    }

    /// Tells of positions outside the world in a geometry which is refused anyway.
    fn look_outside(&mut self, value: &Value, pointer: &str, depth: usize) {
        // MultiLineString: lines, positions, numbers.
        const NESTED_MAX: usize = 2;
        if let Ok(read) = position(value, String::new) {
            self.is_inside(read.at, || pointer.to_owned());
        } else if depth < NESTED_MAX {
            for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                self.look_outside(item, &format!("{pointer}/{i}"), depth + 1);
            }
        }
    }

    /// Turns a ring which runs the wrong way.
    fn turn(&mut self, ring: &mut Ring, outer: bool, pointer: &str) {
        let area = signed_area(ring);
        if (outer && area < 0.0) || (!outer && area > 0.0) {
            ring.reverse();
            self.notes.add(notes::WINDING, pointer);
        }
    }

    fn stop(&mut self, code: &'static str, pointer: &str, limit: usize, what: &str) {
        self.stopped = true;
        let detail = format!(
            "found more than {limit} {what}, which is the most in one area; simplify it (for example \
             `ogr2ogr -simplify 0.0001 simple.geojson area.geojson`, about 10 m) or make several campaigns"
        );
        self.refuse(code, pointer, detail);
    }

    fn refuse(
        &mut self,
        code: &'static str,
        pointer: impl Into<String>,
        detail: impl Into<String>,
    ) {
        self.push(Flaw::new(code, pointer, detail));
    }

    fn push(&mut self, flaw: Flaw) {
        // A limit which stopped the reading must be told even after many other errors.
        if self.errors.len() == ERRORS_MAX {
            self.more += 1;
            if !self.stopped {
                return;
            }
            self.errors.pop();
        }
        self.errors.push(flaw);
    }
}

fn coordinates(members: &Map<String, Value>) -> &Value {
    members.get("coordinates").unwrap_or(&Value::Null)
}
