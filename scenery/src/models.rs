//! What the objects look like from above: flat parts with a colour and a height.
//!
//! **Invariant:** measures are true metres from the object's middle, `ahead` along its
//! heading and `right` of it; an object with its debris stays within [`Model::reach_m`].

use super::colour::Rgb;
use super::noise::Dice;
use super::props;

pub const WHITE: Rgb = [0.68, 0.69, 0.70];
pub const RED: Rgb = [0.46, 0.035, 0.028];
pub const GLASS: Rgb = [0.025, 0.030, 0.038];
pub const SOOT: Rgb = [0.030, 0.027, 0.025];
pub const EARTH: Rgb = [0.105, 0.066, 0.040];
pub const TIN: Rgb = [0.30, 0.32, 0.33];

/// How a kind of object can look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    Aircraft,
    BrokenAircraft,
    Tarp,
    Stones,
    Figures,
    Raft,
    Gash,
    Hut,
    Tents,
    SnowMachine,
    Pickup,
    Boat,
}

/// One flat piece. It is a box, or with `round` an ellipse.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub ahead: f32,
    pub right: f32,
    /// Half its length and half its width.
    pub half: (f32, f32),
    /// Clockwise from the heading, in radians.
    pub turn: f32,
    pub round: bool,
    /// The share of its width which is lost at its fore end.
    pub taper: f32,
    /// Metres above the ground of its underside and its top; flat paint has none.
    pub rise: (f32, f32),
    pub albedo: Rgb,
    /// How much of the ground it hides.
    pub opaque: f32,
    /// Metres by which its edge wanders.
    pub ragged: f32,
    /// How strongly its sides turn to and from the sun.
    pub bulge: f32,
}

pub const fn slab(ahead: f32, right: f32, half: (f32, f32), rise: (f32, f32), albedo: Rgb) -> Part {
    Part {
        ahead,
        right,
        half,
        turn: 0.0,
        round: false,
        taper: 0.0,
        rise,
        albedo,
        opaque: 1.0,
        ragged: 0.0,
        bulge: 0.0,
    }
}

pub const fn disc(ahead: f32, right: f32, half: (f32, f32), rise: (f32, f32), albedo: Rgb) -> Part {
    Part {
        round: true,
        ..slab(ahead, right, half, rise, albedo)
    }
}

/// A stain on the ground with a torn edge.
pub const fn stain(ahead: f32, right: f32, half: (f32, f32), albedo: Rgb, opaque: f32) -> Part {
    Part {
        opaque,
        ragged: 0.55,
        ..disc(ahead, right, half, (0.0, 0.0), albedo)
    }
}

impl Model {
    /// The length of the thing itself, in metres.
    pub const fn size_m(self) -> f32 {
        match self {
            Self::Aircraft | Self::BrokenAircraft => 9.0,
            Self::Tarp => 4.0,
            Self::Stones => 11.0,
            Self::Figures => 1.8,
            Self::Raft => 3.2,
            Self::Gash => 26.0,
            Self::Hut => 7.0,
            Self::Tents => 4.2,
            Self::SnowMachine => 3.0,
            Self::Pickup => 5.4,
            Self::Boat => 6.4,
        }
    }

    /// The furthest that any part lies from the middle.
    pub const fn reach_m(self) -> f64 {
        match self {
            Self::BrokenAircraft | Self::Gash => 16.0,
            Self::Stones => 8.0,
            _ => 7.0,
        }
    }

    /// How far the trees keep away.
    pub const fn clearing_m(self) -> f64 {
        match self {
            Self::Gash => 14.5,
            Self::BrokenAircraft | Self::Hut => 9.5,
            Self::Raft => 0.0,
            _ => 6.5,
        }
    }

    /// The parts, from the ground up, around the middle of what they cover.
    pub fn parts(self, dice: &mut Dice) -> Vec<Part> {
        let parts = match self {
            Self::Aircraft => aircraft(),
            Self::BrokenAircraft => broken_aircraft(dice),
            Self::Tarp => props::tarp(dice),
            Self::Stones => props::stones(dice),
            Self::Figures => props::figures(dice),
            Self::Raft => props::raft(),
            Self::Gash => props::gash(dice),
            Self::Hut => props::hut(dice),
            Self::Tents => props::tents(dice),
            Self::SnowMachine => props::snow_machine(dice),
            Self::Pickup => props::pickup(dice),
            Self::Boat => props::boat(dice),
        };
        centred(&parts)
    }
}

/// The same parts, moved so that the middle of their areas is the object's place.
fn centred(parts: &[Part]) -> Vec<Part> {
    let (mut area, mut ahead, mut right) = (1e-6, 0.0, 0.0);
    for part in parts {
        let weight = part.half.0 * part.half.1 * part.opaque;
        area += weight;
        ahead += part.ahead * weight;
        right += part.right * weight;
    }
    shifted(parts, -ahead / area, -right / area, 0.0).collect()
}

/// A part of an aircraft at its own place, moved and turned with the whole piece.
fn shifted(parts: &[Part], ahead: f32, right: f32, turn: f32) -> impl Iterator<Item = Part> {
    let (sin, cos) = turn.sin_cos();
    parts.iter().map(move |part| Part {
        ahead: part.ahead * cos - part.right * sin + ahead,
        right: part.ahead * sin + part.right * cos + right,
        turn: part.turn + turn,
        ..*part
    })
}

fn tail() -> Vec<Part> {
    vec![
        Part {
            taper: -1.1,
            bulge: 0.5,
            ..slab(-2.5, 0.0, (1.9, 0.34), (0.5, 1.3), WHITE)
        },
        slab(-3.95, 0.0, (0.48, 1.75), (1.0, 1.15), WHITE),
        slab(-3.95, 1.55, (0.48, 0.28), (1.0, 1.15), RED),
        slab(-3.95, -1.55, (0.48, 0.28), (1.0, 1.15), RED),
        slab(-4.0, 0.0, (0.62, 0.13), (1.2, 2.6), RED),
    ]
}

fn nose() -> Vec<Part> {
    vec![
        Part {
            taper: 0.25,
            bulge: 0.5,
            ..slab(1.3, 0.0, (2.2, 0.66), (0.5, 1.7), WHITE)
        },
        Part {
            taper: 0.3,
            bulge: 0.5,
            ..slab(3.4, 0.0, (0.75, 0.52), (0.6, 1.5), RED)
        },
        slab(2.15, 0.0, (0.32, 0.52), (1.6, 1.8), GLASS),
    ]
}

fn wing(side: f32) -> Vec<Part> {
    vec![
        slab(1.15, side * 2.8, (0.80, 2.75), (1.8, 2.0), WHITE),
        slab(1.15, side * 4.95, (0.74, 0.62), (1.8, 2.0), RED),
        slab(0.48, side * 2.4, (0.06, 2.1), (1.8, 2.0), TIN),
    ]
}

fn aircraft() -> Vec<Part> {
    let mut parts = tail();
    parts.extend(nose());
    parts.extend(wing(1.0));
    parts.extend(wing(-1.0));
    parts
}

fn broken_aircraft(dice: &mut Dice) -> Vec<Part> {
    let mut parts = vec![
        stain(-7.0, 0.0, (6.0, 0.9), EARTH, 0.75),
        stain(1.5, 0.3, (2.8, 1.9), SOOT, 0.55),
    ];
    let astray = dice.between(-0.5, 0.5);
    parts.extend(shifted(
        &tail(),
        -3.2,
        dice.between(-2.5, 2.5),
        astray * 2.2,
    ));
    parts.extend(shifted(&nose(), 0.5, 0.0, astray * 0.4));
    parts.extend(shifted(&wing(1.0), 0.6, 0.4, 0.35 + astray * 0.5).map(grounded));
    let thrown = dice.between(1.0, 2.4);
    parts.extend(
        shifted(
            &wing(-1.0),
            dice.between(-5.5, -2.5),
            dice.between(-2.5, 0.0),
            thrown,
        )
        .map(grounded),
    );
    for _ in 0..22 {
        let (far, aside) = (
            dice.between(-11.5, 4.0),
            dice.between(-4.5, 4.5) * dice.roll(),
        );
        let half = (dice.between(0.12, 0.5), dice.between(0.08, 0.24));
        let albedo = if dice.roll() > 0.75 {
            RED
        } else if dice.roll() > 0.4 {
            WHITE
        } else {
            SOOT
        };
        parts.push(Part {
            turn: dice.between(0.0, 3.0),
            ..slab(far, aside, half, (0.0, 0.25), albedo)
        });
    }
    parts
}

/// The same part fallen to the ground.
const fn grounded(part: Part) -> Part {
    Part {
        rise: (0.1, 0.45),
        ..part
    }
}

impl Part {
    /// The same part, letting the ground through.
    pub const fn faint(self, opaque: f32) -> Self {
        Self { opaque, ..self }
    }
}
