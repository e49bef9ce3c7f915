//! What the demo relies on. Pixels are compared before they are packed as JPEG.
#![expect(
    clippy::many_single_char_names,
    reason = "pixels and tiles have short names"
)]

use super::geo::unit_square;
use super::*;

/// A tile's column and row, with fractions.
fn tile_at(z: u8, lon: f64, lat: f64) -> (f64, f64) {
    let (u, v) = unit_square(lon, lat);
    let tiles = f64::from(z).exp2();
    (u * tiles, v * tiles)
}

fn whole(n: f64) -> u32 {
    u32::try_from(geo::floor_i32(n)).unwrap_or(0)
}

fn demo_objects(scene: &Scene) -> Vec<SceneObject> {
    let [west, south, east, north] = DEMO_AREA;
    scene.objects_in(west, south, east, north)
}

/// Columns or rows of two tiles differ by no more than columns within one tile do.
fn edge_steps(a: &[u8], b: &[u8], across: bool) -> (f64, f64) {
    let at = |t: &[u8], along: usize, deep: usize| {
        let (x, y) = if across { (deep, along) } else { (along, deep) };
        f64::from(t[(y * 256 + x) * 3 + 1])
    };
    let (mut seam, mut inner) = (0.0, 0.0);
    for k in 0..256 {
        seam += (at(a, k, 255) - at(b, k, 0)).abs();
        let (here, there) = (at(a, k, 254) - at(a, k, 255), at(b, k, 0) - at(b, k, 1));
        inner += f64::midpoint(here.abs(), there.abs());
    }
    (seam / 256.0, inner / 256.0)
}

#[test]
fn the_same_seed_draws_the_same_bytes_and_another_seed_does_not() {
    let (x, y) = tile_at(17, -152.36, 57.62);
    let draw = |seed| Scene::new(seed).render(17, whole(x), whole(y)).unwrap();
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7), draw(8));
}

#[test]
fn neighbouring_tiles_meet_without_a_seam_at_every_zoom() {
    let scene = Scene::new(7);
    for z in [3, 9, 12, 14, 15, 16, 17, 18, 19, 20] {
        let (x, y) = tile_at(z, -152.362, 57.618);
        let (x, y) = (whole(x), whole(y));
        let draw = |x, y| scene.pixels(z, x, y, Layer::Everything).unwrap();
        let here = draw(x, y);
        for (next, across) in [(draw(x + 1, y), true), (draw(x, y + 1), false)] {
            let (seam, inner) = edge_steps(&here, &next, across);
            assert!(
                seam < inner * 1.5 + 1.5,
                "z{z}: {seam} at the seam, {inner} within"
            );
        }
    }
}

#[test]
fn overlapping_frames_draw_the_same_pixels() {
    let scene = Scene::new(7);
    for z in [13, 16, 18] {
        let (x, y) = tile_at(z, -152.362, 57.618);
        let (left, top) = (geo::floor_i32(x * 256.0), geo::floor_i32(y * 256.0));
        let draw = |left| {
            render::picture(
                &scene,
                render::Frame {
                    z,
                    left,
                    top,
                    side: 96,
                },
                Layer::Everything,
            )
        };
        let (a, b) = (draw(left), draw(left + 37));
        for row in 0..96_usize {
            for k in 0..96 - 37_usize {
                let (p, q) = (a[row * 96 + k + 37], b[row * 96 + k]);
                let off = (0..3).map(|n| (p[n] - q[n]).abs()).fold(0.0, f32::max);
                assert!(off < 0.02, "z{z}, row {row}, column {k}: {p:?} and {q:?}");
            }
        }
    }
}

/// The weighted middle of what the objects change, in metres from where they should be.
fn offset_m(scene: &Scene, object: &SceneObject) -> f64 {
    let (u, v) = tile_at(17, object.lon, object.lat);
    let (x, y) = (whole(u), whole(v));
    let with = scene.pixels(17, x, y, Layer::Everything).unwrap();
    let without = scene.pixels(17, x, y, Layer::Shadows).unwrap();
    let (mut sum, mut sx, mut sy) = (0.0, 0.0, 0.0);
    for (k, (a, b)) in with.chunks(3).zip(without.chunks(3)).enumerate() {
        let off = (0..3).map(|n| a[n].abs_diff(b[n])).max().unwrap_or(0);
        if off > 2 {
            let k = i32::try_from(k).unwrap();
            let weight = f64::from(off.min(12));
            sum += weight;
            sx += weight * (f64::from(k % 256) + 0.5);
            sy += weight * (f64::from(k / 256) + 0.5);
        }
    }
    assert!(sum > 0.0, "nothing was drawn for {object:?}");
    let pixel_m = geo::Raster::new(17, 0, 0).pixel_m;
    let (px, py) = (u.fract() * 256.0, v.fract() * 256.0);
    (sx / sum - px).hypot(sy / sum - py) * pixel_m
}

#[test]
fn an_object_is_drawn_where_objects_in_says() {
    let scene = Scene::new(7);
    for object in demo_objects(&scene).iter().step_by(3) {
        let off = offset_m(&scene, object);
        assert!(off < 2.0, "{object:?} is {off:.1} m off");
    }
}

#[test]
fn objects_keep_their_distance_from_the_borders_of_their_cells() {
    let cell_m = geo::world_m() / f64::from(17).exp2();
    for object in demo_objects(&Scene::new(11)) {
        let (u, v) = tile_at(17, object.lon, object.lat);
        for part in [u.fract(), v.fract()] {
            let border_m = part.min(1.0 - part) * cell_m;
            assert!(
                border_m > objects::BORDER_M + f64::from(object.size_m) / 2.0,
                "{object:?}: {border_m}"
            );
        }
    }
}

#[test]
fn about_one_cell_in_eight_of_the_demo_area_holds_an_object_and_every_kind_is_there() {
    let [west, south, east, north] = DEMO_AREA;
    for seed in 0..8 {
        let found = demo_objects(&Scene::new(seed));
        let cells = Cells::within(west, south, east, north)
            .iter(CELLS_MAX)
            .count();
        let per_object = f64::from(u32::try_from(cells).unwrap())
            / f64::from(u32::try_from(found.len()).unwrap());
        assert!(
            (6.0..11.0).contains(&per_object),
            "seed {seed}: one in {per_object:.1}"
        );
        for kind in ObjectKind::ALL {
            let count = found.iter().filter(|o| o.kind == kind).count();
            assert!(count >= 8, "seed {seed}: {count} of {}", kind.key());
        }
    }
}

#[test]
fn the_demo_area_holds_sea_beach_forest_meadow_and_snow() {
    for seed in 0..8 {
        let scene = Scene::new(seed);
        let mut counts = [0; 5];
        for k in 0..1_600 {
            let p = geo::Point::new(
                f64::from(k % 40 - 20) * 157.0,
                f64::from(k / 40 - 20) * 157.0,
            );
            let g = scene.terrain.survey(p);
            let is = [
                g.height < 0.0,
                (0.0..3.0).contains(&g.height),
                g.height > 3.0 && g.wood > 0.5,
                g.height > 3.0 && g.wood < 0.3 && g.snow < -0.1,
                g.height > 3.0 && g.wood < 0.5 && g.snow > 0.1,
            ];
            for (count, is) in counts.iter_mut().zip(is) {
                *count += i32::from(is);
            }
        }
        assert!(
            counts.iter().all(|&n| n > 12),
            "seed {seed}: {counts:?} of 1,600"
        );
    }
}

#[test]
fn a_smaller_box_holds_the_same_objects_as_the_part_of_a_larger_one() {
    let scene = Scene::new(7);
    let [west, south, east, north] = DEMO_AREA;
    let middle = f64::midpoint(west, east);
    let halves = [
        scene.objects_in(west, south, middle, north),
        scene.objects_in(middle, south, east, north),
    ];
    let count: usize = halves.iter().map(Vec::len).sum();
    assert_eq!(count, demo_objects(&scene).len());
}

#[test]
fn a_tile_outside_the_world_is_refused() {
    let scene = Scene::new(7);
    assert_eq!(scene.render(3, 8, 0), Err(NoSuchTile));
    assert_eq!(scene.render(3, 0, 8), Err(NoSuchTile));
    assert_eq!(scene.render(21, 0, 0), Err(NoSuchTile));
    assert!(scene.render(0, 0, 0).is_ok());
}

#[test]
fn the_far_ends_of_the_world_can_be_drawn() {
    let scene = Scene::new(7);
    let last = (1 << 20) - 1;
    for (x, y) in [(0, 0), (last, last), (last, 0)] {
        assert!(scene.render(20, x, y).is_ok());
    }
}
