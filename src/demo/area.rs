//! Where the demo searches: a piece of coast with a hole in it, and what lies in and around it.

/// Longitude and latitude.
pub type Place = [f64; 2];

/// The border of the area.
pub const BORDER: [Place; 17] = [
    [-152.3985, 57.6075],
    [-152.3840, 57.6005],
    [-152.3660, 57.6022],
    [-152.3535, 57.5985],
    [-152.3340, 57.6030],
    [-152.3180, 57.6012],
    [-152.3030, 57.6110],
    [-152.3005, 57.6255],
    [-152.3105, 57.6350],
    [-152.3040, 57.6440],
    [-152.3215, 57.6515],
    [-152.3430, 57.6468],
    [-152.3590, 57.6512],
    [-152.3790, 57.6478],
    [-152.3880, 57.6370],
    [-152.4015, 57.6300],
    [-152.3985, 57.6075],
];

/// A part that was searched on foot, which volunteers need not look at.
pub const HOLE: [Place; 8] = [
    [-152.3640, 57.6270],
    [-152.3600, 57.6318],
    [-152.3510, 57.6330],
    [-152.3450, 57.6296],
    [-152.3472, 57.6248],
    [-152.3540, 57.6222],
    [-152.3610, 57.6238],
    [-152.3640, 57.6270],
];

/// Around the last place that radar saw the aircraft: searched first.
pub const LAST_SEEN: [Place; 7] = [
    [-152.3420, 57.6100],
    [-152.3330, 57.6072],
    [-152.3205, 57.6098],
    [-152.3170, 57.6180],
    [-152.3260, 57.6235],
    [-152.3385, 57.6205],
    [-152.3420, 57.6100],
];

/// Whether volunteers search this place. The database knows it too; this is for tests.
#[cfg(test)]
pub fn searched(place: Place) -> bool {
    within(&BORDER, place) && !within(&HOLE, place)
}

/// Whether a closed ring winds around a place: a way to the east crosses it an odd number of times.
#[cfg(test)]
fn within(ring: &[Place], [lon, lat]: Place) -> bool {
    let crossings = ring.windows(2).filter(|edge| {
        let ([a_lon, a_lat], [b_lon, b_lat]) = (edge[0], edge[1]);
        (a_lat > lat) != (b_lat > lat)
            && lon < a_lon + (lat - a_lat) / (b_lat - a_lat) * (b_lon - a_lon)
    });
    crossings.count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use scenery::DEMO_AREA;

    use super::*;

    #[test]
    fn the_area_lies_within_the_scenery_made_for_it() {
        let [west, south, east, north] = DEMO_AREA;
        for [lon, lat] in BORDER {
            assert!(
                west < lon && lon < east && south < lat && lat < north,
                "{lon} {lat}"
            );
        }
    }

    #[test]
    fn the_hole_and_the_first_part_lie_within_the_border() {
        assert!(HOLE.iter().all(|place| within(&BORDER, *place)));
        assert!(LAST_SEEN.iter().all(|place| searched(*place)));
        assert!(!searched([-152.354, 57.628]));
        assert!(!searched([-152.41, 57.61]));
        assert!(searched([-152.33, 57.615]));
    }
}
