//! Every key in memcached: its form, its version, how long it lives and why.

use std::time::Duration;

use uuid::Uuid;

#[derive(Clone, Debug)]
pub enum Key {
    /// What volunteers' calls need of a campaign, by slug or id. It is forgotten when the
    /// campaign changes; the short life bounds the harm when that message is lost.
    Campaign(String),
    /// Open campaigns, for volunteers who have seen all of theirs. Old by seconds does no harm.
    OpenCampaigns,
    /// An imagery layer as volunteers see it, for squares that have one of their own.
    Layer(Uuid),
    /// Raised while a server finds no piles of a campaign's deck because others hold them.
    DeckSought(Uuid),
    /// Written by the health check.
    Health,
}

impl Key {
    pub(super) fn name(&self, prefix: &str) -> String {
        match self {
            Self::Campaign(reference) => format!("{prefix}:campaign:2:{reference}"),
            Self::OpenCampaigns => format!("{prefix}:open-campaigns:1"),
            Self::Layer(id) => format!("{prefix}:layer:1:{id}"),
            Self::DeckSought(campaign_id) => format!("{prefix}:deck-sought:1:{campaign_id}"),
            Self::Health => format!("{prefix}:health"),
        }
    }

    pub(super) fn lifetime(&self) -> Duration {
        match self {
            Self::Campaign(_) | Self::Layer(_) | Self::DeckSought(_) => Duration::from_secs(1),
            Self::OpenCampaigns => Duration::from_secs(5),
            Self::Health => Duration::from_mins(1),
        }
    }

    pub(super) fn family(&self) -> &'static str {
        match self {
            Self::Campaign(_) => "campaign",
            Self::OpenCampaigns => "open-campaigns",
            Self::Layer(_) => "layer",
            Self::DeckSought(_) => "deck-sought",
            Self::Health => "health",
        }
    }
}
