//! Settings of limits, and of the proxies that say where a call comes from.

use std::{net::IpAddr, str::FromStr};

use clap::Args;

/// How often may be called, and whose word about addresses is taken.
#[derive(Args, Clone, Debug)]
pub struct RateConfig {
    /// Calls of one volunteer, as `calls/seconds`; a look in a batch counts as a call. 0 is no limit.
    #[arg(long, env = "RATE_VOLUNTEER", default_value = "12000/600")]
    pub rate_volunteer: Rate,

    /// Calls with one API key.
    #[arg(long, env = "RATE_ORGANISER", default_value = "6000/60")]
    pub rate_organiser: Rate,

    /// Calls from one network, whoever makes them: an IPv4 address, or the /56 of an IPv6 address.
    #[arg(long, env = "RATE_NETWORK", default_value = "300000/60")]
    pub rate_network: Rate,

    /// New volunteers from one network.
    #[arg(long, env = "RATE_SIGN_UPS", default_value = "30000/600")]
    pub rate_sign_ups: Rate,

    /// Calls with unknown API keys from one network.
    #[arg(long, env = "RATE_UNKNOWN_KEYS", default_value = "300/60")]
    pub rate_unknown_keys: Rate,

    /// Tiles to one network; they count nowhere else.
    #[arg(long, env = "RATE_TILES", default_value = "0")]
    pub rate_tiles: Rate,

    /// Wrong link codes from one network.
    #[arg(long, env = "RATE_LINK_CODES", default_value = "30/600")]
    pub rate_link_codes: Rate,

    /// Wrong link codes from all networks together.
    #[arg(long, env = "RATE_LINK_CODES_IN_ALL", default_value = "10000/600")]
    pub rate_link_codes_in_all: Rate,

    /// Proxies whose word is taken for where a call comes from: addresses or networks such as
    /// `10.0.0.0/8`, separated by commas.
    #[arg(long, env = "TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,

    /// The header in which they say it. The other one is never believed.
    #[arg(
        long,
        env = "PROXY_HEADER",
        value_enum,
        default_value = "x-forwarded-for"
    )]
    pub proxy_header: ProxyHeader,
}

/// So many units in each window of so many seconds; no units are no limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    pub units: u32,
    pub window_secs: u32,
}

impl Rate {
    /// Most units of a window.
    const UNITS_MAX: u32 = 1_000_000_000;
    /// Longest window: a day.
    const WINDOW_SECS_MAX: u32 = 86_400;
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "0" {
            return Ok(Self {
                units: 0,
                window_secs: 1,
            });
        }
        let parsed = text.split_once('/').and_then(|(units, window_secs)| {
            Some(Self {
                units: units.parse().ok()?,
                window_secs: window_secs.parse().ok()?,
            })
        });
        parsed
            .filter(|rate| {
                rate.units <= Self::UNITS_MAX
                    && (1..=Self::WINDOW_SECS_MAX).contains(&rate.window_secs)
            })
            .ok_or_else(|| {
                format!(
                    "write units/seconds, for example 12000/600 (at most {}/{}), or 0 for no limit",
                    Self::UNITS_MAX,
                    Self::WINDOW_SECS_MAX
                )
            })
    }
}

/// Addresses with a common beginning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Network {
    base: IpAddr,
    bits: u32,
}

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let differs = base.to_bits() ^ address.to_bits();
                differs.leading_zeros() >= self.bits
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let differs = base.to_bits() ^ address.to_bits();
                differs.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base, Some(bits)),
            None => (text, None),
        };
        let wrong = || "write an address or a network such as 10.0.0.0/8 or fd00::/8".to_owned();
        let base: IpAddr = base.trim().parse().ok().ok_or_else(wrong)?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |bits| bits.trim().parse().ok());
        let bits = bits.filter(|bits| *bits <= most).ok_or_else(wrong)?;
        Ok(Self { base, bits })
    }
}

/// Where a proxy says for whom it asks.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_units_in_seconds_or_none() {
        let rate: Rate = "12000/600".parse().unwrap();
        assert_eq!((rate.units, rate.window_secs), (12_000, 600));
        assert_eq!("0".parse::<Rate>().unwrap().units, 0);
        assert!("1000000000/86400".parse::<Rate>().is_ok());
        for wrong in [
            "",
            "5",
            "5/0",
            "/5",
            "5/86401",
            "1000000001/1",
            "-1/5",
            "5/5/5",
        ] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_network_holds_the_addresses_that_begin_like_it() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.0/31", "::ffff:192.0.2.1", "192.0.2.2"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{outside}");
        }
        for wrong in ["", "10.0.0.0/33", "fd00::/129", "proxy.internal", "10/8"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
