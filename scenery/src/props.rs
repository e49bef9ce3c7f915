//! The smaller things to find: signals, scars, shelters and vehicles.
//!
//! **Invariant:** the same as in [`super::models`]: true metres, ahead and to the right.

use super::colour::Rgb;
use super::geo::index;
use super::models::{EARTH, GLASS, Part, RED, SOOT, TIN, WHITE, disc, slab, stain};
use super::noise::Dice;

const WAKE: Rgb = [0.36, 0.42, 0.44];
const TRODDEN: Rgb = [0.44, 0.46, 0.50];
const BLACK: Rgb = [0.018, 0.018, 0.020];
const PLANK: Rgb = [0.135, 0.095, 0.066];
const YELLOW: Rgb = [0.60, 0.40, 0.045];
const BLUE: Rgb = [0.030, 0.085, 0.23];
const STONE: Rgb = [0.095, 0.090, 0.085];
const ORANGE: Rgb = [0.72, 0.17, 0.022];
const RAW: Rgb = [0.175, 0.115, 0.070];
pub fn tarp(dice: &mut Dice) -> Vec<Part> {
    let fold = dice.between(-0.5, 0.5);
    vec![
        stain(0.0, 0.5, (3.4, 2.9), TRODDEN, 0.30),
        Part {
            ragged: 0.12,
            ..slab(0.0, 0.0, (2.0, 1.5), (0.0, 0.3), ORANGE)
        },
        Part {
            turn: 0.2,
            opaque: 0.35,
            ..slab(fold, 0.0, (0.07, 1.4), (0.0, 0.0), BLACK)
        },
        Part {
            turn: 1.2,
            opaque: 0.3,
            ..slab(0.0, fold, (0.07, 1.7), (0.0, 0.0), BLACK)
        },
        disc(2.9, 1.0, (0.26, 0.26), (0.0, 1.6), BLUE),
    ]
}

/// SOS laid out of stones, the letters 2.6 m high.
pub fn stones(dice: &mut Dice) -> Vec<Part> {
    const S: [(f32, f32); 9] = [
        (0.9, 0.55),
        (1.2, 0.0),
        (0.9, -0.6),
        (0.4, -0.5),
        (0.0, 0.0),
        (-0.4, 0.5),
        (-0.9, 0.6),
        (-1.2, 0.0),
        (-0.9, -0.6),
    ];
    const O: [(f32, f32); 8] = [
        (1.25, 0.0),
        (0.85, 0.7),
        (0.0, 0.95),
        (-0.85, 0.7),
        (-1.25, 0.0),
        (-0.85, -0.7),
        (0.0, -0.95),
        (0.85, -0.7),
    ];
    let letters: [(&[(f32, f32)], f32); 3] = [(&S, -3.6), (&O, 0.0), (&S, 3.6)];
    let mut parts = Vec::new();
    for (letter, right) in letters {
        for &(up, along) in letter {
            let half = (dice.between(0.26, 0.40), dice.between(0.24, 0.36));
            let (up, along) = (up * 1.25 + dice.between(-0.1, 0.1), along * 1.35);
            parts.push(Part {
                turn: dice.between(0.0, 3.0),
                bulge: 0.5,
                ..disc(up, right + along, half, (0.0, 0.35), STONE)
            });
        }
    }
    parts
}

pub fn figures(dice: &mut Dice) -> Vec<Part> {
    let mut parts = vec![
        stain(-1.5, 0.0, (3.6, 0.35), TRODDEN, 0.35),
        stain(0.3, 0.2, (1.6, 1.2), TRODDEN, 0.30),
    ];
    let coats = [ORANGE, RED, YELLOW, ORANGE, BLUE];
    for (ahead, right) in [(0.0, 0.0), (0.9, 1.1), (-0.5, -1.2)] {
        let coat = coats[index(dice.between(0.0, 5.0)).min(4)];
        parts.push(Part {
            turn: dice.between(0.0, 3.0),
            ..disc(ahead, right, (0.26, 0.36), (0.0, 1.6), coat)
        });
        parts.push(disc(ahead, right, (0.13, 0.13), (1.6, 1.8), BLACK));
    }
    parts
}

pub fn raft() -> Vec<Part> {
    vec![
        Part {
            ragged: 0.3,
            ..disc(0.0, 0.0, (2.1, 2.0), (0.0, 0.0), WAKE)
        }
        .faint(0.25),
        Part {
            bulge: 0.4,
            ..disc(0.0, 0.0, (1.6, 1.5), (0.0, 0.5), ORANGE)
        },
        disc(-0.1, 0.0, (1.05, 0.95), (0.0, 0.9), YELLOW),
        slab(0.75, 0.0, (0.22, 0.45), (0.0, 0.9), BLACK),
    ]
}

/// Where something ploughed through the ground: torn turf, raw earth thrown ahead.
pub fn gash(dice: &mut Dice) -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut right, mut drift) = (0.0, dice.between(-0.25, 0.25));
    for ahead in [-11.0, -8.0, -5.0, -2.0, 1.0, 4.0, 7.0] {
        let wide: f32 = 0.6 + (ahead + 11.0) * 0.085;
        parts.push(Part {
            ragged: 0.8,
            ..stain(ahead, right, (2.9, wide + 0.9), RAW, 0.55)
        });
        parts.push(Part {
            ragged: 0.5,
            ..stain(ahead, right, (2.7, wide), EARTH, 0.85)
        });
        drift += dice.between(-0.12, 0.12);
        right += drift;
    }
    parts.push(Part {
        ragged: 1.1,
        ..stain(9.5, right, (3.0, 3.1), RAW, 0.8)
    });
    for _ in 0..26 {
        let half = (dice.between(0.15, 0.55), dice.between(0.12, 0.4));
        let aside = right * 0.5 + dice.between(-4.5, 4.5);
        parts.push(disc(
            dice.between(-8.0, 13.0),
            aside,
            half,
            (0.0, 0.3),
            EARTH,
        ));
    }
    parts
}

pub fn hut(dice: &mut Dice) -> Vec<Part> {
    let roof = if dice.roll() > 0.5 {
        TIN
    } else {
        [0.20, 0.075, 0.052]
    };
    let dark = [roof[0] * 0.62, roof[1] * 0.64, roof[2] * 0.70];
    vec![
        stain(-4.6, 1.0, (2.2, 1.2), TRODDEN, 0.25),
        slab(0.0, 0.0, (3.5, 2.6), (0.0, 2.6), PLANK),
        slab(0.0, -1.33, (3.6, 1.33), (2.4, 3.4), dark),
        slab(0.0, 1.33, (3.6, 1.33), (2.4, 3.4), roof),
        slab(0.0, 0.0, (3.6, 0.10), (3.4, 3.7), TIN),
        slab(1.6, 1.0, (0.28, 0.28), (3.4, 4.6), STONE),
        slab(-1.2, 4.2, (1.0, 0.45), (0.0, 0.9), PLANK),
    ]
}

pub fn tents(dice: &mut Dice) -> Vec<Part> {
    let skin = if dice.roll() > 0.5 {
        YELLOW
    } else {
        [0.12, 0.20, 0.075]
    };
    let mut parts = vec![stain(0.0, 0.0, (4.0, 3.2), TRODDEN, 0.28)];
    for (ahead, right, turn, colour) in [(-1.2, -1.5, 0.2, skin), (1.4, 1.7, 1.1, ORANGE)] {
        parts.push(Part {
            turn,
            bulge: 0.75,
            ..disc(ahead, right, (2.0, 1.25), (0.0, 1.3), colour)
        });
        parts.push(Part {
            turn,
            opaque: 0.4,
            ..slab(ahead, right, (1.9, 0.06), (1.3, 1.4), BLACK)
        });
    }
    parts.push(disc(1.6, -1.6, (0.4, 0.4), (0.0, 0.1), SOOT));
    parts
}

pub fn snow_machine(dice: &mut Dice) -> Vec<Part> {
    let hood = if dice.roll() > 0.5 { RED } else { BLUE };
    vec![
        slab(-4.2, 0.0, (2.8, 0.26), (0.0, 0.0), TRODDEN).faint(0.5),
        slab(-0.5, 0.0, (1.2, 0.28), (0.0, 0.8), BLACK),
        Part {
            taper: 0.45,
            bulge: 0.4,
            ..slab(0.75, 0.0, (0.8, 0.52), (0.2, 1.0), hood)
        },
        slab(1.15, 0.55, (0.6, 0.10), (0.0, 0.2), hood),
        slab(1.15, -0.55, (0.6, 0.10), (0.0, 0.2), hood),
        slab(0.2, 0.0, (0.12, 0.42), (0.9, 1.2), GLASS),
    ]
}

pub fn pickup(dice: &mut Dice) -> Vec<Part> {
    let roll = dice.roll();
    let body = if roll > 0.66 {
        WHITE
    } else if roll > 0.33 {
        BLUE
    } else {
        [0.20, 0.03, 0.03]
    };
    vec![
        slab(-5.0, 0.75, (2.0, 0.16), (0.0, 0.0), RAW).faint(0.35),
        slab(-5.0, -0.75, (2.0, 0.16), (0.0, 0.0), RAW).faint(0.35),
        Part {
            bulge: 0.3,
            ..slab(0.0, 0.0, (2.7, 0.95), (0.3, 1.1), body)
        },
        slab(-1.55, 0.0, (0.98, 0.74), (0.6, 0.8), BLACK),
        slab(0.5, 0.0, (1.15, 0.84), (1.1, 1.5), GLASS),
        slab(0.3, 0.0, (0.72, 0.74), (1.5, 1.8), body),
    ]
}

pub fn boat(dice: &mut Dice) -> Vec<Part> {
    let inside = if dice.roll() > 0.5 { PLANK } else { BLUE };
    vec![
        Part {
            taper: 0.0,
            ragged: 0.4,
            ..stain(-5.0, 0.0, (2.0, 0.8), WAKE, 0.22)
        },
        Part {
            taper: 0.35,
            bulge: 0.2,
            ..disc(0.0, 0.0, (3.2, 1.15), (0.0, 0.8), WHITE)
        },
        Part {
            taper: 0.3,
            ..disc(-0.2, 0.0, (2.6, 0.82), (0.0, 0.3), inside)
        },
        slab(0.8, 0.0, (0.6, 0.6), (0.8, 1.9), WHITE),
        slab(1.3, 0.0, (0.14, 0.52), (1.6, 1.9), GLASS),
        slab(-3.1, 0.0, (0.28, 0.2), (0.0, 1.1), BLACK),
    ]
}
