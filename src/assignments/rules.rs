//! What a campaign says of dealing, and where its deck stands: pure.

use super::{card::Pile, order};
use crate::campaigns::Running;

/// What the campaign says of dealing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// Of the campaign: see [`Running::edition`].
    pub edition: (i32, i32),
    pub looks_wanted: u16,
    /// See [`order::bands`].
    pub bands: Vec<Vec<f32>>,
}

/// The heaviest band that has cells to deal, and the fewest looks and leases among them.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Floor {
    pub band: usize,
    pub level: u16,
}

impl From<&Running> for Rules {
    fn from(campaign: &Running) -> Self {
        Self {
            edition: campaign.edition(),
            looks_wanted: campaign.looks_wanted,
            bands: order::bands(campaign.weights.iter().copied()),
        }
    }
}

impl Rules {
    /// The band of a weight, 0 the heaviest.
    pub fn band(&self, weight: f32) -> usize {
        let lighter = |band: &Vec<f32>| band.last().is_some_and(|lowest| weight < *lowest);
        let last = self.bands.len().saturating_sub(1);
        self.bands
            .iter()
            .take_while(|band| lighter(band))
            .count()
            .min(last)
    }

    /// The floor that was found, or what piles turn out to have below it.
    pub fn floor(&self, found: Option<Floor>, piles: &[Pile]) -> Floor {
        piles
            .iter()
            .flat_map(|pile| &pile.cards)
            .filter(|card| card.level < self.looks_wanted)
            .map(|card| Floor {
                band: self.band(card.weight),
                level: card.level,
            })
            .chain(found)
            .min()
            .unwrap_or_default()
    }
}
