//! Where a call comes from.
//!
//! **Invariant:** nobody can choose where they seem to come from: what a header says is taken only
//! from a declared proxy, and only as far back as declared proxies wrote it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::http::header::{self, HeaderMap, HeaderName};

use crate::config::{Network, ProxyHeader};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Proxies in a row that are followed.
const HOPS_MAX: usize = 32;
/// Bits of an IPv6 address that name who calls. A household is commonly given a /56 (RIPE-690), so
/// anything longer would let one person be 256 networks.
const V6_BITS: u32 = 56;

/// Whose word about addresses is taken.
#[derive(Clone, Debug)]
pub struct Proxies {
    pub trusted: Vec<Network>,
    pub header: ProxyHeader,
}

impl Proxies {
    /// The address of whoever called the outermost proxy that we trust.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let mut nearest = peer;
        // The right-most was written by our own proxy; each is believed when the one after it is ours.
        for hop in self.hops(headers).take(HOPS_MAX) {
            let Some(address) = hop else { break };
            nearest = address;
            if !self.trusts(address) {
                break;
            }
        }
        nearest
    }

    /// Whether a header tells of an address that is not believed, as behind an undeclared proxy.
    pub fn is_ignored(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        !self.trusts(peer) && headers.contains_key(self.name())
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    fn name(&self) -> HeaderName {
        match self.header {
            ProxyHeader::XForwardedFor => X_FORWARDED_FOR,
            ProxyHeader::Forwarded => header::FORWARDED,
        }
    }

    /// The addresses in the header from right to left; `None` for what is no address.
    fn hops<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = Option<IpAddr>> + 'a {
        let read = match self.header {
            ProxyHeader::XForwardedFor => address,
            ProxyHeader::Forwarded => forwarded_for,
        };
        // Several header lines are one list.
        let mut lines: Vec<&str> = headers
            .get_all(self.name())
            .map(|line| line.to_str().unwrap_or_default())
            .collect();
        lines.reverse();
        lines
            .into_iter()
            .flat_map(|line| line.rsplit(','))
            .map(move |hop| read(hop.trim()))
    }
}

/// `for=` of one element of `Forwarded` (RFC 7239).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let value = element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("for")
            .then_some(value.trim())
    })?;
    address(value.trim_matches('"'))
}

/// An address, perhaps with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()))
        .ok()
}

/// What of an address names who calls: all of an IPv4 address, behind which there may be a school or
/// a country, and the beginning of an IPv6 address.
pub fn network(address: IpAddr) -> [u8; 16] {
    let bits = match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits() & (u128::MAX << (Ipv6Addr::BITS - V6_BITS)),
    };
    bits.to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(header: ProxyHeader, peer: &str, lines: &str) -> String {
        let proxies = Proxies {
            trusted: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            header,
        };
        let mut headers = HeaderMap::new();
        for line in lines.lines() {
            headers.append(proxies.name(), line.parse().unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_right_most_hop_that_is_not_ours_calls() {
        let x = ProxyHeader::XForwardedFor;
        for (peer, lines, client) in [
            ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"),
            (
                "10.0.0.1",
                "1.1.1.1, 198.51.100.7, 10.9.9.9",
                "198.51.100.7",
            ),
            ("10.0.0.1", "1.1.1.1\n198.51.100.7:4711", "198.51.100.7"),
            ("fd00::1", "[2001:db8::7]:443", "2001:db8::7"),
            ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "1.1.1.1, unknown", "10.0.0.1"),
            ("10.0.0.1", "1.1.1.1, , 10.0.0.2", "10.0.0.2"),
        ] {
            assert_eq!(seen(x, peer, lines), client, "{lines}");
        }
    }

    #[test]
    fn nobody_but_a_declared_proxy_is_believed() {
        let x = ProxyHeader::XForwardedFor;
        assert_eq!(seen(x, "203.0.113.5", "10.0.0.1"), "203.0.113.5");
        assert_eq!(seen(x, "203.0.113.5", "1.1.1.1"), "203.0.113.5");
    }

    #[test]
    fn forwarded_is_read_by_its_grammar() {
        let f = ProxyHeader::Forwarded;
        for (line, client) in [
            ("for=198.51.100.7;proto=https;by=10.0.0.1", "198.51.100.7"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=1.1.1.1, proto=http; for=198.51.100.7", "198.51.100.7"),
            ("for=1.1.1.1, for=_hidden", "10.0.0.1"),
        ] {
            assert_eq!(seen(f, "10.0.0.1", line), client, "{line}");
        }
    }

    #[test]
    fn a_household_is_one_network_and_its_neighbours_are_others() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:200::1"), of("2001:db8:1:2ff:9::9"));
        assert_ne!(of("2001:db8:1:200::1"), of("2001:db8:1:300::1"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
