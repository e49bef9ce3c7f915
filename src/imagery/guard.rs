//! Which addresses a source may have.
//!
//! **Invariant:** unless `ALLOW_INTERNAL_SOURCES` is set, no connection for a tile goes to an
//! internal address: host names are checked after they were resolved, by the resolver that the
//! connection itself uses, so neither a redirect nor a changing name leads around it.

use std::{
    error::Error,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use url::{Host, Url};

/// Whether an address belongs to this machine, a private network or another special range
/// (IANA special-purpose registries).
pub fn is_internal(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_internal_v4(ip),
        IpAddr::V6(ip) => is_internal_v6(ip),
    }
}

fn is_internal_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 240
}

fn is_internal_v6(ip: Ipv6Addr) -> bool {
    if let Some(inner) = embedded_v4(ip) {
        return is_internal_v4(inner);
    }
    let first = ip.segments()[0];
    ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_multicast()
        || (first & 0xfe00) == 0xfc00
        || (first & 0xffc0) == 0xfe80
        || (first & 0xffc0) == 0xfec0
        || (first == 0x2001 && ip.segments()[1] == 0xdb8)
        || (first == 0x2001 && ip.segments()[1] == 0)
}

/// The IPv4 address within a mapped, compatible, NAT64 or 6to4 address.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = ip.segments();
    let low = || Ipv4Addr::from((u32::from(s[6]) << 16) | u32::from(s[7]));
    if let Some(mapped) = ip.to_ipv4_mapped() {
        return Some(mapped);
    }
    if s[..6] == [0x64, 0xff9b, 0, 0, 0, 0] || (s[..6] == [0; 6] && s[6] != 0) {
        return Some(low());
    }
    (s[0] == 0x2002).then(|| Ipv4Addr::from((u32::from(s[1]) << 16) | u32::from(s[2])))
}

/// Whether the address itself, without resolving, is allowed.
pub fn allows(url: &Url, allow_internal: bool) -> bool {
    if !matches!(url.scheme(), "http" | "https") {
        return false;
    }
    if allow_internal {
        return true;
    }
    match url.host() {
        Some(Host::Ipv4(ip)) => !is_internal_v4(ip),
        Some(Host::Ipv6(ip)) => !is_internal_v6(ip),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name != "localhost" && !name.ends_with(".localhost")
        }
        None => false,
    }
}

/// How names become addresses.
type Lookup = dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync;

/// Resolves names and leaves internal addresses out, each time that a connection is made.
#[derive(Clone)]
pub struct Guard {
    pub allow_internal: bool,
    lookup: Arc<Lookup>,
}

impl Guard {
    /// Asks the system.
    pub fn new(allow_internal: bool) -> Self {
        let lookup: Arc<Lookup> = Arc::new(|name: String| {
            Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
        });
        Self {
            allow_internal,
            lookup,
        }
    }

    /// Asks somebody else.
    #[cfg(test)]
    pub fn with_lookup(
        allow_internal: bool,
        lookup: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        let lookup: Arc<Lookup> =
            Arc::new(move |name: String| Box::pin(std::future::ready(lookup(&name))));
        Self {
            allow_internal,
            lookup,
        }
    }
}

/// A name leads to no address that may be connected to.
#[derive(Debug, Error)]
#[error("the source's name leads to no public address")]
struct Refusal;

/// Whether a connection was not made because of where it would have led.
pub fn is_refusal(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<Refusal>() {
            return true;
        }
        cause = error.source();
    }
    false
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_internal = self.allow_internal;
        let looking = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let mut found = looking.await?;
            found.retain(|address| allow_internal || !is_internal(address.ip()));
            if found.is_empty() {
                return Err(Refusal.into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_time_a_name_is_resolved_what_leads_inside_is_left_out() {
        let public: SocketAddr = "8.8.8.8:0".parse().unwrap();
        let inside: SocketAddr = "10.0.0.1:0".parse().unwrap();
        let times = std::sync::atomic::AtomicUsize::new(0);
        let guard = Guard::with_lookup(false, move |_name| {
            Ok(
                match times.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                    0 => vec![public],
                    1 => vec![inside, public],
                    _ => vec![inside],
                },
            )
        });
        let resolve = async || {
            let name: Name = "rebound.example".parse().unwrap();
            guard.resolve(name).await.map(Iterator::collect::<Vec<_>>)
        };
        assert_eq!(resolve().await.unwrap(), [public]);
        assert_eq!(resolve().await.unwrap(), [public]);
        let refused = resolve().await.unwrap_err();
        assert!(is_refusal(&*refused), "{refused}");
    }

    #[test]
    fn internal_addresses_are_known_in_every_disguise() {
        for internal in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::7f00:1",
            "ff02::1",
            "2001:db8::1",
        ] {
            assert!(is_internal(internal.parse().unwrap()), "{internal}");
        }
        for public in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
        ] {
            assert!(!is_internal(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn an_address_is_judged_before_it_is_resolved() {
        for bad in [
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://localhost:80/",
            "file:///etc/passwd",
            "http://2130706433/",
            "http://0x7f.1/",
        ] {
            assert!(!allows(&Url::parse(bad).unwrap(), false), "{bad}");
        }
        assert!(allows(&Url::parse("http://127.0.0.1/").unwrap(), true));
        assert!(allows(
            &Url::parse("https://tiles.example.org/").unwrap(),
            false
        ));
    }
}
