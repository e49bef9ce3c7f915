//! Linear colours, and their way into the bytes of a picture.
//!
//! **Invariant:** everything is painted as reflectance under sun and sky; only
//! [`Film::develop`] knows of gamma, haze and the look of a survey camera.

use super::geo::{count_f32, index};
use super::terrain::smooth;

/// Linear red, green and blue.
pub type Rgb = [f32; 3];

/// The light of the sky, which is all that reaches a shadow, and is blue.
const SKY: Rgb = [0.150, 0.200, 0.275];
/// The light of the low sun, which is warm.
const SUNLIGHT: Rgb = [0.850, 0.785, 0.690];

#[inline]
pub fn blend(a: Rgb, b: Rgb, t: f32) -> Rgb {
    [
        a[0] + (b[0] - a[0]) * t,
        a[1] + (b[1] - a[1]) * t,
        a[2] + (b[2] - a[2]) * t,
    ]
}

#[inline]
pub fn times(a: Rgb, by: f32) -> Rgb {
    [a[0] * by, a[1] * by, a[2] * by]
}

#[inline]
pub fn under(albedo: Rgb, light: Rgb) -> Rgb {
    [
        albedo[0] * light[0],
        albedo[1] * light[1],
        albedo[2] * light[2],
    ]
}

/// The light where the share `sun` of the full sun arrives.
#[inline]
pub fn daylight(sun: f32) -> Rgb {
    [
        SKY[0] + SUNLIGHT[0] * sun,
        SKY[1] + SUNLIGHT[1] * sun,
        SKY[2] + SUNLIGHT[2] * sun,
    ]
}

/// Turns light into the bytes of sRGB, through a table.
pub struct Film(Vec<u8>);

/// The brightest light the table tells apart.
const WHITE: f32 = 1.6;
const STEPS: u16 = 4_095;

impl Film {
    pub fn new() -> Self {
        Self(
            (0..=STEPS)
                .map(|i| tone(f32::from(i) / f32::from(STEPS) * WHITE))
                .collect(),
        )
    }

    /// Adds haze and a muted grade; `grain` is the sensor's noise, in light.
    #[inline]
    pub fn develop(&self, light: Rgb, grain: f32) -> [u8; 3] {
        let grey = 0.3 * light[0] + 0.55 * light[1] + 0.15 * light[2];
        let mut out = [0; 3];
        let haze = [0.0085, 0.0125, 0.0180];
        for (i, byte) in out.iter_mut().enumerate() {
            let muted = grey + (light[i] - grey) * 0.92;
            let noisy = muted * 0.965 + haze[i] + grain * (0.10 + muted).sqrt();
            let at = index(noisy * (count_f32(i32::from(STEPS)) / WHITE)).min(usize::from(STEPS));
            *byte = self.0[at];
        }
        out
    }
}

/// sRGB with a soft shoulder, so that lit snow keeps its form.
fn tone(light: f32) -> u8 {
    let knee = 0.62;
    let soft = if light > knee {
        knee + (1.0 - knee) * (1.0 - (-(light - knee) / (1.0 - knee) * 0.95).exp())
    } else {
        light
    };
    let srgb = if soft <= 0.003_130_8 {
        soft * 12.92
    } else {
        1.055 * soft.powf(1.0 / 2.4) - 0.055
    };
    // A little more contrast in the middle than the eye would see from the air.
    let srgb = srgb + (smooth(0.0, 1.0, srgb) - srgb) * 0.22;
    byte(srgb)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates to 0..=255, which is what a byte of colour means"
)]
fn byte(srgb: f32) -> u8 {
    (srgb * 255.0 + 0.5) as u8
}
