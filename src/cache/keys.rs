//! Every key in memcached: its form, its version, how long it may be used and why.
//!
//! A version grows with the form of what is kept, so that servers of two releases never read each
//! other's.

use std::time::Duration;

use uuid::Uuid;

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Key {
    /// What volunteers' calls need of a campaign, by slug or id.
    Campaign(String),
    /// A campaign as it is shown to everybody, by slug or id, with or without its area.
    CampaignPage { reference: String, area: bool },
    /// The first page of the list of campaigns as it is shown to everybody: all, or those in one
    /// state.
    Front(Option<&'static str>),
    /// How far a campaign is, as it is shown to everybody, by slug or id, with the rates of a period.
    Progress {
        reference: String,
        period: &'static str,
    },
    /// Open campaigns, for volunteers who have seen all of theirs.
    OpenCampaigns,
    /// An imagery layer as volunteers see it, for squares that have one of their own.
    Layer(Uuid),
    /// Raised while a server finds no piles of a campaign's deck because others hold them.
    DeckSought(Uuid),
    /// What servers tell each other of a tile on its way, by layer and revision of its tiles.
    Tile {
        layer: Uuid,
        revision: i32,
        cell: i64,
    },
}

/// What servers count together. It is worth keeping and cannot be loaded again; who counts goes on
/// alone when it is lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tally {
    /// Units of a limit that one caller used in a window. The caller is a keyed hash.
    Rate {
        limit: &'static str,
        caller: u64,
        window_ends_ms: i64,
        window: Duration,
    },
    /// Callers whose units all servers are to give back, as called in one second.
    RateRecalls { second: i64 },
}

impl Tally {
    pub(super) fn name(&self, prefix: &str) -> String {
        match self {
            Self::Rate {
                limit,
                caller,
                window_ends_ms,
                ..
            } => format!("{prefix}:rate:1:{limit}:{caller:016x}:{window_ends_ms}"),
            Self::RateRecalls { second } => format!("{prefix}:rate-recalls:1:{second}"),
        }
    }

    /// A window and a little more, since clocks differ.
    pub(super) fn kept(&self) -> Duration {
        const MORE: Duration = Duration::from_secs(5);
        match self {
            Self::Rate { window, .. } => *window + MORE,
            Self::RateRecalls { .. } => MORE,
        }
    }
}

/// How old a value in memcached may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ages {
    /// Up to here it is simply given. Each value draws its own, a fifth more or less, so that
    /// values that were made together are not loaded again together.
    pub fresh: Duration,
    /// Up to here it is given while one server loads it anew. Beyond that whoever asks waits.
    pub usable: Duration,
    /// Up to here it stays, since finding out that nothing changed costs less than loading.
    pub kept: Duration,
}

/// With the time in a server's own memory, a change is seen within two seconds also when the
/// message that something changed was lost.
const CHANGED_BY_ORGANISERS: Ages = Ages {
    fresh: Duration::from_millis(500),
    usable: Duration::from_secs(1),
    kept: Duration::from_mins(1),
};
/// Old by seconds does no harm.
const LENIENT: Ages = Ages {
    fresh: Duration::from_secs(5),
    usable: Duration::from_secs(10),
    kept: Duration::from_mins(1),
};
/// A hint that lapses.
const FLAG: Ages = Ages {
    fresh: Duration::from_secs(1),
    usable: Duration::from_secs(1),
    kept: Duration::from_secs(1),
};

/// Kinds of keys, for metrics.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Family {
    Campaign,
    CampaignPage,
    Front,
    Progress,
    OpenCampaigns,
    Layer,
    DeckSought,
    Tile,
}

impl Family {
    pub const ALL: [Self; 8] = [
        Self::Campaign,
        Self::CampaignPage,
        Self::Front,
        Self::Progress,
        Self::OpenCampaigns,
        Self::Layer,
        Self::DeckSought,
        Self::Tile,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::CampaignPage => "campaign-page",
            Self::Front => "front",
            Self::Progress => "progress",
            Self::OpenCampaigns => "open-campaigns",
            Self::Layer => "layer",
            Self::DeckSought => "deck-sought",
            Self::Tile => "tile",
        }
    }
}

impl Key {
    /// Everything that shows a campaign, to be forgotten when it changes.
    pub fn of_campaign(slug: &str, id: Uuid) -> Vec<Self> {
        let references = [slug.to_owned(), id.to_string()];
        let by_reference = references.into_iter().flat_map(|reference| {
            let page = |area| Self::CampaignPage {
                reference: reference.clone(),
                area,
            };
            let progress = |period| Self::Progress {
                reference: reference.clone(),
                period,
            };
            [
                page(true),
                page(false),
                progress("hour"),
                progress("day"),
                progress("all"),
                Self::Campaign(reference),
            ]
        });
        let fronts = [None, Some("open"), Some("paused"), Some("closed")];
        by_reference
            .chain(fronts.map(Self::Front))
            .chain([Self::OpenCampaigns])
            .collect()
    }

    pub(super) fn name(&self, prefix: &str) -> String {
        match self {
            Self::Campaign(reference) => format!("{prefix}:campaign:3:{reference}"),
            Self::CampaignPage { reference, area } => {
                let part = if *area { "whole" } else { "short" };
                format!("{prefix}:campaign-page:1:{part}:{reference}")
            }
            Self::Front(state) => format!("{prefix}:front:1:{}", state.unwrap_or("all")),
            Self::Progress { reference, period } => {
                format!("{prefix}:progress:1:{period}:{reference}")
            }
            Self::OpenCampaigns => format!("{prefix}:open-campaigns:2"),
            Self::Layer(id) => format!("{prefix}:layer:2:{id}"),
            Self::DeckSought(campaign_id) => format!("{prefix}:deck-sought:1:{campaign_id}"),
            Self::Tile {
                layer,
                revision,
                cell,
            } => format!("{prefix}:tile:1:{layer}:{revision}:{cell}"),
        }
    }

    pub(super) fn ages(&self) -> Ages {
        match self {
            Self::Campaign(_)
            | Self::CampaignPage { .. }
            | Self::Front(_)
            | Self::Progress { .. }
            | Self::Layer(_) => CHANGED_BY_ORGANISERS,
            Self::OpenCampaigns => LENIENT,
            // A note says itself for how long.
            Self::DeckSought(_) | Self::Tile { .. } => FLAG,
        }
    }

    pub(super) fn family(&self) -> Family {
        match self {
            Self::Campaign(_) => Family::Campaign,
            Self::CampaignPage { .. } => Family::CampaignPage,
            Self::Front(_) => Family::Front,
            Self::Progress { .. } => Family::Progress,
            Self::OpenCampaigns => Family::OpenCampaigns,
            Self::Layer(_) => Family::Layer,
            Self::DeckSought(_) => Family::DeckSought,
            Self::Tile { .. } => Family::Tile,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_keys_share_a_name() {
        let keys = Key::of_campaign("demo", Uuid::nil());
        let names: BTreeSet<String> = keys.iter().map(|key| key.name("x")).collect();
        assert_eq!(names.len(), keys.len());
    }
}
