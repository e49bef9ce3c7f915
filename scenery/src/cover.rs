//! The colour of each place without trees or objects: water, beach, grass, snow, roads.
//!
//! **Invariant:** texture too fine for the pixel is left out, never aliased.

use super::colour::{Rgb, blend, times};
use super::geo::{Point, index_u32};
use super::noise::Memo;
use super::terrain::{Ground, SUN, mix, smooth};

const GRASS: Rgb = [0.262, 0.214, 0.128];
const GREEN: Rgb = [0.142, 0.146, 0.080];
const HEATH: Rgb = [0.160, 0.104, 0.066];
const LITTER: Rgb = [0.060, 0.052, 0.036];
const CANOPY: Rgb = [0.058, 0.070, 0.055];
const ROCK: Rgb = [0.165, 0.157, 0.148];
const SAND: Rgb = [0.360, 0.310, 0.230];
const SHINGLE: Rgb = [0.150, 0.140, 0.125];
const SNOW: Rgb = [0.800, 0.815, 0.835];
const ICE: Rgb = [0.400, 0.470, 0.520];
const GRAVEL: Rgb = [0.205, 0.190, 0.170];
const DEEP: Rgb = [0.0075, 0.0280, 0.0400];
const SHALLOW: Rgb = [0.055, 0.175, 0.170];
const KELP: Rgb = [0.022, 0.032, 0.020];

/// What a pixel sends back, and the share of the sun that falls on it.
pub struct Paint {
    pub albedo: Rgb,
    pub sun: f32,
}

/// Paints at one ground resolution.
pub struct Brush {
    seed: u32,
    pixel_m: f32,
    per_m: f32,
    /// Whether trees are drawn one by one, or must be hinted at by colour.
    single_trees: bool,
    memos: [Memo; 256],
}

/// The upper bit of a salt: the same noise, remembered apart, for a second place.
const TWIN: u32 = 0x80;

impl Brush {
    pub fn new(seed: u32, pixel_m: f32, single_trees: bool) -> Self {
        Self {
            seed,
            pixel_m,
            per_m: 1.0 / pixel_m,
            single_trees,
            memos: [Memo::new(); 256],
        }
    }

    #[inline]
    fn noise(&mut self, q: Point, salt: u32) -> f32 {
        let seed = self.seed ^ (salt & !TWIN);
        self.memos[index_u32(salt & 0xFF)].gradient(q, seed)
    }

    /// How much of a texture of this wavelength the pixels can show.
    #[inline]
    fn shows(&self, wave_m: f32) -> f32 {
        (wave_m * self.per_m * 0.5 - 0.8).clamp(0.0, 1.0)
    }

    #[inline]
    fn grain(&mut self, p: Point, wave_m: f32, salt: u32) -> f32 {
        let shown = self.shows(wave_m);
        if shown <= 0.0 {
            return 0.0;
        }
        self.noise(p.scaled(1.0 / f64::from(wave_m)), salt) * shown
    }

    /// Noise as bumps: their height, and the light on them, which is the height against
    /// the height a little nearer to the sun.
    #[inline]
    fn relief(&mut self, p: Point, wave_m: f32, salt: u32) -> (f32, f32) {
        if self.shows(wave_m) <= 0.0 {
            return (0.0, 0.0);
        }
        let reach = wave_m * 0.22;
        let towards = p.moved(f64::from(SUN.0 * reach), f64::from(SUN.1 * reach));
        let high = self.grain(p, wave_m, salt);
        (high, high - self.grain(towards, wave_m, salt | TWIN))
    }

    /// Snow drifts: where snow lies deeper, and the light on it.
    fn drifts(&mut self, p: Point) -> (f32, f32) {
        if self.shows(7.0) <= 0.0 {
            return (0.0, 0.0);
        }
        let towards = p.moved(f64::from(SUN.0) * 0.9, f64::from(SUN.1) * 0.9);
        let mut of = |p, twin| {
            self.streaks(p, 26.0, 7.0, 0x58 | twin) + 0.45 * self.streaks(p, 7.0, 2.0, 0x59 | twin)
        };
        let high = of(p, 0);
        (high * 0.24, (high - of(towards, TWIN)) * 0.40)
    }

    /// Noise drawn out along the wind, which blows from the west-south-west.
    #[inline]
    fn streaks(&mut self, p: Point, along_m: f32, across_m: f32, salt: u32) -> f32 {
        let shown = self.shows(across_m);
        if shown <= 0.0 {
            return 0.0;
        }
        let along = 0.91 * p.x + 0.415 * p.y;
        let across = 0.91 * p.y - 0.415 * p.x;
        let q = Point::new(along / f64::from(along_m), across / f64::from(across_m));
        self.noise(q, salt) * shown
    }

    pub fn paint(&mut self, p: Point, g: &Ground) -> Paint {
        if g.height < -1.2 {
            return self.water(p, g, -g.height);
        }
        if g.height > 0.7 {
            return self.land(p, g);
        }
        let shore = g.height + g.mottle * 0.25 + self.grain(p, 5.5, 0x12) * 0.14;
        if shore < -0.6 {
            return self.water(p, g, -g.height);
        }
        if shore > 0.1 {
            return self.land(p, g);
        }
        let t = smooth(-0.6, 0.1, shore);
        let (sea, land) = (self.water(p, g, -g.height), self.land(p, g));
        Paint {
            albedo: blend(sea.albedo, land.albedo, t),
            sun: mix(sea.sun, land.sun, t),
        }
    }

    fn water(&mut self, p: Point, g: &Ground, depth: f32) -> Paint {
        let depth = depth.max(0.0);
        let near = if depth < 9.0 {
            self.grain(p, 9.0, 0x22)
        } else {
            0.0
        };
        let bottom = g.mottle * 0.6 + g.patch * 0.6 + near * 0.6;
        let weed = smooth(0.05, 0.5, bottom + g.moist * 0.7) * smooth(0.5, 2.5, depth);
        let bed = blend(
            blend(times(SAND, 0.62), SHINGLE, g.rock.max(0.35)),
            KELP,
            weed * 0.85,
        );
        let clear = (-depth / 1.5).exp();
        let tint = (-depth / 9.0).exp();
        let body = blend(DEEP, SHALLOW, tint * 0.85);
        let mut albedo = blend(body, bed, clear * 0.85);

        let swell = self.streaks(p, 34.0, 120.0, 0x23) * 0.45
            + self.streaks(p, 13.0, 44.0, 0x24) * 0.5
            + self.streaks(p, 3.4, 9.5, 0x25) * 0.55
            + self.grain(p, 1.5, 0x26) * 0.3;
        let gust = self.noise(p.scaled(1.0 / 410.0), 0x27);
        let calm = smooth(0.0, 9.0, depth);
        let sheen = 1.0 + swell * mix(0.10, 0.34, calm) + gust * 0.13;
        albedo = times(albedo, sheen);
        albedo = blend(
            albedo,
            [0.10, 0.125, 0.14],
            (0.06 + 0.05 * gust + 0.05 * swell).clamp(0.0, 0.2),
        );

        let foam = self.whitecaps(p, swell, gust) * calm + self.surf(p, g, depth);
        Paint {
            albedo: blend(albedo, [0.66, 0.70, 0.72], foam.clamp(0.0, 0.9)),
            sun: 1.0,
        }
    }

    fn whitecaps(&mut self, p: Point, swell: f32, gust: f32) -> f32 {
        if self.pixel_m > 2.0 {
            return 0.0;
        }
        let crest = self.streaks(p, 2.4, 7.0, 0x31) + self.streaks(p, 0.8, 2.0, 0x32) * 0.35;
        let where_windy = self.noise(p.scaled(1.0 / 26.0), 0x33) + gust * 0.5;
        smooth(0.62, 0.95, crest * 0.75 + swell * 0.25 + where_windy * 0.42) * 0.6
    }

    /// Waves breaking on the shore: bands which follow the depth, torn by noise.
    fn surf(&mut self, p: Point, g: &Ground, depth: f32) -> f32 {
        if depth > 3.0 || self.pixel_m > 12.0 {
            return 0.0;
        }
        let torn = self.grain(p, 30.0, 0x41) * 0.5 + self.grain(p, 6.0, 0x42) * 0.4;
        let lace = 0.5 + 0.7 * self.grain(p, 1.3, 0x43);
        let swash = smooth(0.45, 0.08, depth + torn * 0.25);
        let line = 1.0 - ((depth - 1.15 - torn * 0.6).abs() / 0.22).min(1.0);
        let broken = smooth(-0.1, 0.35, torn + g.rock * 0.3 + 0.05);
        (swash * 0.75 + line * broken * 0.8) * mix(1.0, 0.35 + lace, self.shows(1.3))
    }

    fn land(&mut self, p: Point, g: &Ground) -> Paint {
        let (n60, n23) = (g.patch, g.mottle);
        let (n7, lit7) = self.relief(p, 7.0, 0x53);
        let (n2, lit2) = self.relief(p, 2.1, 0x54);
        let turned = Point::new(0.83 * p.x - 0.56 * p.y, 0.56 * p.x + 0.83 * p.y);
        let fine = self.grain(turned, 0.85, 0x55) * 0.6;
        let wet = smooth(-0.5, 0.7, g.moist + n23 * 0.45 + n60 * 0.3 + n7 * 0.25);
        let mut albedo = blend(GRASS, GREEN, wet * 0.8);
        let heath = smooth(
            -0.15,
            0.85,
            n60 * 0.7 + n23 * 0.35 + n7 * 0.35 - g.moist * 0.6,
        );
        albedo = blend(albedo, HEATH, heath * 0.75);
        albedo = blend(albedo, LITTER, g.wood * 0.85);
        albedo = times(
            albedo,
            1.0 + n7 * 0.28 + n2 * 0.3 + fine * 0.55 + n23 * 0.15,
        );
        let mut bump = lit7 * 0.35 + lit2 * 0.5;

        let rocky = smooth(0.25, 0.7, g.rock + n7 * 0.35 + n23 * 0.2);
        if rocky > 0.0 {
            let strata = self.streaks(p, 30.0, 4.0, 0x57) * 0.25;
            albedo = blend(
                albedo,
                times(ROCK, 1.0 + strata + n2 * 0.4 + fine * 0.5),
                rocky,
            );
        }
        bump *= 1.0 + rocky * 1.3;
        albedo = beach(albedo, g, n23, n7, fine);

        let (drift, drift_lit) = if g.snow > -1.2 {
            self.drifts(p)
        } else {
            (0.0, 0.0)
        };
        let depth = g.snow + n60 * 0.3 + n23 * 0.28 + n7 * 0.16 + n2 * 0.07 + drift
            - rocky * 0.55
            - heath * 0.12;
        let shore = smooth(1.0, 3.5, g.height + n23);
        let snow = smooth(-0.06, 0.10, depth) * shore;
        let dust = smooth(-0.55, 0.0, depth) * shore * 0.30;
        let deep = smooth(0.05, 0.7, depth);
        albedo = blend(
            albedo,
            times(SNOW, 0.9 + fine * 0.1),
            dust * (0.6 + n2 * 0.8 + fine).clamp(0.0, 1.0),
        );
        let texture = 1.0 + n7 * 0.02 + fine * 0.03 + drift * 0.12;
        albedo = blend(
            albedo,
            times(SNOW, texture * mix(0.86, 1.0, deep)),
            snow * mix(0.86, 1.0, deep),
        );
        bump = mix(bump, bump * 0.25 + drift_lit * deep, snow);

        albedo = self.lake(p, albedo, g, n23, fine);
        bump *= 1.0 - g.lake * 0.9;
        albedo = self.roads(albedo, g, n7, fine);
        if !self.single_trees {
            albedo = self.canopy(p, albedo, g);
        }
        Paint {
            albedo,
            sun: g.shade * (1.0 + bump).clamp(0.2, 1.8),
        }
    }

    fn lake(&mut self, p: Point, albedo: Rgb, g: &Ground, n23: f32, fine: f32) -> Rgb {
        if g.lake <= 0.01 {
            return albedo;
        }
        let blown = self.streaks(p, 60.0, 14.0, 0x61) * 0.45
            + self.streaks(p, 15.0, 4.0, 0x62) * 0.25
            + n23 * 0.4
            + g.patch * 0.5;
        let bend = p.moved(f64::from(n23) * 8.0, f64::from(blown) * 6.0);
        let crack = self.noise(bend.scaled(1.0 / 70.0), 0x63).abs();
        let line = smooth(0.014, 0.004, crack) * self.shows(1.6);
        let bare = blend(ICE, times(ICE, 0.55), smooth(-0.2, 0.6, n23 + blown * 0.4));
        let ice = blend(
            bare,
            SNOW,
            (smooth(-0.45, 0.5, blown + g.snow * 0.2) * 0.92).max(line * 0.7),
        );
        blend(
            albedo,
            times(ice, 1.0 + fine * 0.04),
            smooth(0.3, 0.7, g.lake),
        )
    }

    fn roads(&self, albedo: Rgb, g: &Ground, n7: f32, fine: f32) -> Rgb {
        let open = smooth(2.6, 4.0, g.height) * (1.0 - smooth(0.4, 0.6, g.lake));
        let mut out = albedo;
        let steep = (g.slope.0 * g.slope.0 + g.slope.1 * g.slope.1).sqrt();
        let edge = self.pixel_m * 0.5;
        let road = g.road_m.abs() + n7 * 0.5;
        if open > 0.0 && road < 9.0 + self.pixel_m {
            let bank = smooth(6.2 + edge, 3.4, road) * open;
            let verge = blend(
                times(GRASS, 1.15),
                times(SNOW, 0.93),
                smooth(-0.2, 0.3, g.snow),
            );
            out = blend(out, verge, bank * 0.75);
            let rut = ((g.road_m.abs() - 1.35).abs() / 0.55).min(1.0);
            let bare = times(
                GRAVEL,
                0.82 + 0.2 * (1.0 - rut) * self.shows(2.0) + fine * 0.16,
            );
            let packed = blend(
                bare,
                times(SNOW, 0.62),
                smooth(0.2, 1.2, g.snow) * rut * 0.55,
            );
            out = blend(
                out,
                packed,
                smooth(2.9 + edge, 2.9 - edge, g.road_m.abs()) * open,
            );
        }
        let track = g.track_m.abs();
        let passable = open * smooth(0.5, 0.35, steep) * smooth(-0.3, 0.0, n7 + 0.4);
        if passable > 0.0 && track < 4.0 + self.pixel_m {
            let rut = smooth(0.55 + edge, 0.25, (track - 0.85).abs());
            let worn = smooth(2.4 + edge, 1.2, track) * 0.4;
            let mud = times(GRAVEL, 0.62 + fine * 0.2);
            out = blend(
                out,
                blend(mud, times(SNOW, 0.6), smooth(0.1, 0.9, g.snow) * 0.7),
                (rut * 0.75).max(worn) * passable,
            );
        }
        out
    }

    /// A forest from too far for single trees: dark, mottled, lighter on its sunny side.
    fn canopy(&mut self, p: Point, albedo: Rgb, g: &Ground) -> Rgb {
        let tufts = self.grain(p, 26.0, 0x71) * 0.35 + self.grain(p, 12.0, 0x72) * 0.45;
        let cover = smooth(0.1, 0.75, g.wood + tufts * 0.4);
        let crowns = times(CANOPY, 1.0 + tufts + g.moist * 0.5 + g.mottle * 0.25);
        let snowy = smooth(0.0, 1.2, g.snow) * 0.07;
        blend(albedo, blend(crowns, SNOW, snowy), cover * 0.93)
    }
}

fn beach(albedo: Rgb, g: &Ground, n23: f32, n7: f32, fine: f32) -> Rgb {
    let reach = g.height + n23 * 0.9 + n7 * 0.35;
    let sandy = smooth(3.1, 2.2, reach) * (1.0 - g.rock);
    if sandy <= 0.0 {
        return albedo;
    }
    let stones = smooth(-0.1, 0.35, n23 * 0.5 + g.moist * 0.6 + n7 * 0.3);
    let dry = times(
        blend(SAND, SHINGLE, stones * 0.8),
        1.0 + n7 * 0.1 + fine * 0.25,
    );
    let wet = times(dry, mix(0.42, 1.0, smooth(0.3, 1.3, g.height + n7 * 0.2)));
    let wrack = 1.0 - ((reach - 1.7).abs() / 0.16).min(1.0);
    let line = wrack * smooth(0.0, 0.3, n7 + fine * 0.6) * 0.6;
    blend(albedo, blend(wet, HEATH, line), sandy)
}
