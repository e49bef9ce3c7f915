//! The limits by name, and what is told of them.

use actix_web::http::{StatusCode, header::HeaderValue};
use metrics::Counter;

use super::share::{Share, is_leased};
use crate::{
    config::{Rate, RateConfig},
    http::Problem,
};

/// Servers' clocks are that far apart at most; who comes back meets an open window everywhere.
const CLOCKS_APART_MS: i64 = 250;
/// Each limit, what it is called and what it says to whom it refuses.
const REFUSALS: [(Limit, &str, &str); Limit::ALL.len()] = [
    (
        Limit::Volunteer,
        "volunteer",
        "You called more often than a volunteer may.",
    ),
    (
        Limit::Organiser,
        "organiser",
        "This API key was used more often than it may be.",
    ),
    (
        Limit::Network,
        "network",
        "Your network called more often than a network may.",
    ),
    (
        Limit::SignUps,
        "sign-ups",
        "More volunteers signed up from your network than may.",
    ),
    (
        Limit::UnknownKeys,
        "unknown-keys",
        "Too many unknown API keys came from your network.",
    ),
    (
        Limit::Tiles,
        "tiles",
        "Your network asked for more tiles than a network may.",
    ),
    (
        Limit::LinkCodes,
        "link-codes",
        "Too many wrong link codes came from your network.",
    ),
    (
        Limit::LinkCodesInAll,
        "link-codes-in-all",
        "Too many wrong link codes are being tried at the moment, by whomever.",
    ),
];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    Volunteer,
    Organiser,
    Network,
    SignUps,
    UnknownKeys,
    Tiles,
    LinkCodes,
    LinkCodesInAll,
}

impl Limit {
    pub const ALL: [Self; 8] = [
        Self::Volunteer,
        Self::Organiser,
        Self::Network,
        Self::SignUps,
        Self::UnknownKeys,
        Self::Tiles,
        Self::LinkCodes,
        Self::LinkCodesInAll,
    ];

    pub const fn index(self) -> usize {
        match self {
            Self::Volunteer => 0,
            Self::Organiser => 1,
            Self::Network => 2,
            Self::SignUps => 3,
            Self::UnknownKeys => 4,
            Self::Tiles => 5,
            Self::LinkCodes => 6,
            Self::LinkCodesInAll => 7,
        }
    }

    pub const fn as_str(self) -> &'static str {
        REFUSALS[self.index()].1
    }

    fn rate(self, config: &RateConfig) -> Rate {
        match self {
            Self::Volunteer => config.rate_volunteer,
            Self::Organiser => config.rate_organiser,
            Self::Network => config.rate_network,
            Self::SignUps => config.rate_sign_ups,
            Self::UnknownKeys => config.rate_unknown_keys,
            Self::Tiles => config.rate_tiles,
            Self::LinkCodes => config.rate_link_codes,
            Self::LinkCodesInAll => config.rate_link_codes_in_all,
        }
    }
}

/// A limit as it is set.
pub struct Rule {
    pub limit: Limit,
    pub units: u32,
    pub window_ms: i64,
    /// The header that tells of it, and its units.
    pub policy: HeaderValue,
    pub units_text: HeaderValue,
}

impl Rule {
    /// Nothing when the limit is off.
    pub fn of(limit: Limit, config: &RateConfig) -> Option<Self> {
        let rate = limit.rate(config);
        if rate.units == 0 {
            return None;
        }
        let (name, units, secs) = (limit.as_str(), rate.units, rate.window_secs);
        Some(Self {
            limit,
            units,
            window_ms: i64::from(secs) * 1000,
            policy: HeaderValue::from_str(&format!("\"{name}\";q={units};w={secs}")).ok()?,
            units_text: HeaderValue::from(units),
        })
    }

    /// When the present window of a caller ends. Each has windows of their own.
    pub fn window_end(&self, hash: u64, now_ms: i64) -> i64 {
        // Not the bits by which anything else is chosen.
        let begins = i64::from(u32::try_from(hash >> 32 & 0x7fff_ffff).unwrap_or_default());
        let begins = begins % self.window_ms;
        now_ms - (now_ms - begins).rem_euclid(self.window_ms) + self.window_ms
    }

    /// Whether the server has units that others may need.
    pub fn is_needless(&self, share: &Share) -> bool {
        share.spare() > 0 && (share.tight_since_ms != 0 || !is_leased(self.units))
    }
}

/// How a caller stands with a limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Standing {
    pub limit: Limit,
    /// Units that are left, as far as this server knows.
    pub left: u32,
    /// Whole seconds until the window has ended, at every server; 1 at least.
    pub reset_secs: u32,
    /// The same as Unix time.
    pub reset_at: i64,
}

impl Standing {
    /// Of whom nothing is known.
    pub const fn none(limit: Limit) -> Self {
        Self {
            limit,
            left: 0,
            reset_secs: 1,
            reset_at: 0,
        }
    }

    pub fn of(rule: &Rule, share: &Share, now_ms: i64) -> Self {
        let left_ms = (share.ends_ms - now_ms).max(0);
        let secs = (left_ms + CLOCKS_APART_MS + 999) / 1000;
        Self {
            limit: rule.limit,
            left: share.left(rule.units),
            reset_secs: u32::try_from(secs).unwrap_or(1).max(1),
            reset_at: (share.ends_ms + CLOCKS_APART_MS + 999) / 1000,
        }
    }
}

/// What a refused caller is told.
pub fn problem(refused: Standing) -> Problem {
    let (_, _, why) = REFUSALS[refused.limit.index()];
    let secs = refused.reset_secs;
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests",
        format!("{why} Nothing was done. Send the same again in {secs} s."),
    )
    .retry_after(secs)
}

/// What became of checks. The handles are kept, since finding them costs more than a check.
pub struct Counts {
    /// Passed by what the server had taken ahead.
    pub lease: Counter,
    /// Decided by the number that all servers share.
    pub shared: Counter,
    /// Refused by what was found out before.
    pub closed: Counter,
    /// Decided by the server alone, since memcached did not answer.
    pub fallback: Counter,
    /// Refused calls, by limit.
    pub limited: [Counter; Limit::ALL.len()],
}

impl Default for Counts {
    fn default() -> Self {
        let of = |outcome| metrics::counter!("rate_checks_total", "outcome" => outcome);
        Self {
            lease: of("lease"),
            shared: of("shared"),
            closed: of("closed"),
            fallback: of("fallback"),
            limited: Limit::ALL
                .map(|limit| metrics::counter!("rate_limited_total", "limit" => limit.as_str())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_has_its_own_place_and_name() {
        for (index, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit.index(), index);
            assert_eq!(REFUSALS[index].0, limit);
        }
    }

    #[test]
    fn windows_follow_each_other_without_a_gap() {
        let rule = Rule {
            limit: Limit::Volunteer,
            units: 10,
            window_ms: 60_000,
            policy: HeaderValue::from_static(""),
            units_text: HeaderValue::from(10),
        };
        for hash in [0, 1 << 32, u64::MAX, 0x1234_5678_9abc_def0] {
            let end = rule.window_end(hash, 1_700_000_000_123);
            assert!((1_700_000_000_123..=1_700_000_060_123).contains(&end));
            assert_eq!(rule.window_end(hash, end - 1), end);
            assert_eq!(rule.window_end(hash, end), end + 60_000);
        }
        assert_ne!(rule.window_end(1 << 40, 0), rule.window_end(1 << 41, 0));
    }

    #[test]
    fn whoever_waits_as_long_as_they_are_told_finds_an_open_window() {
        let share = Share::new(10_000);
        let rule = Rule {
            limit: Limit::Network,
            units: 1,
            window_ms: 5000,
            policy: HeaderValue::from_static(""),
            units_text: HeaderValue::from(1),
        };
        for (now_ms, secs) in [
            (5000, 6),
            (8750, 2),
            (8751, 2),
            (9250, 1),
            (9999, 1),
            (10_000, 1),
        ] {
            let standing = Standing::of(&rule, &share, now_ms);
            assert_eq!(standing.reset_secs, secs, "{now_ms}");
            assert!(now_ms + i64::from(secs) * 1000 >= 10_000 + CLOCKS_APART_MS);
        }
    }
}
