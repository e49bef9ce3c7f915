//! How often may be called: limits for each volunteer, each network and each API key, counted
//! together by all servers, checked before the work.
//!
//! A limit is so many units in a window of so many seconds. The windows of different callers end at
//! different moments, so that those who were told to wait do not come back all at once.
//!
//! **Invariant:** of a limit of N the N-th call passes and the next gets 429, at however many servers
//! and however many come at once, while memcached answers (`share` says how). When it does not, each
//! server counts for itself; when it forgets, the count begins anew, but for what the server that
//! counts next knows. Then more may pass, never an error, and nobody waits longer than
//! `ask::TURN_WAIT` and what `cache::node` allows for changing a number.
//!
//! **Invariant:** no address is stored or sent on: a caller is a keyed hash.

mod ask;
mod charges;
mod door;
mod guess;
mod headers;
mod limit;
mod origin;
mod share;
mod table;

use std::{
    collections::HashMap,
    hash::Hasher,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use actix_web::{
    HttpMessage, HttpRequest, dev::ServiceRequest, http::header::HeaderMap, web::Data,
};
use siphasher::sip::SipHasher24;
use uuid::Uuid;

pub use door::Door;
pub use guess::{Guess, guess};
use limit::{Counts, Limit, Rule, Standing};
use origin::Proxies;
use table::Table;

use crate::{accounts::TokenKeys, cache::Cache, clock::Clock, config::RateConfig, http::Problem};

/// Calls whose turns to ask memcached are apart. A caller's calls take turns.
const TURNS: usize = 1024;
/// API keys that are remembered as good ones.
const GOOD_KEYS_MAX: usize = 4096;
/// For how long.
const GOOD_KEY_MS: i64 = 600_000;

/// The limits of one server. Cheap to clone.
#[derive(Clone)]
pub struct Rates(Arc<Inner>);

struct Inner {
    rules: [Option<Rule>; Limit::ALL.len()],
    hasher: SipHasher24,
    table: Table,
    turns: Box<[tokio::sync::Mutex<()>]>,
    /// Callers of whom this server has units that it does not need.
    returns: Mutex<Vec<Caller>>,
    /// Keyed hashes of API keys, and until when they are taken for good ones.
    good_keys: Mutex<HashMap<u64, i64>>,
    proxies: Proxies,
    told_of_proxy: AtomicBool,
    counts: Counts,
    cache: Cache,
    clock: Clock,
}

/// Somebody under a limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Caller {
    limit: Limit,
    hash: u64,
}

/// What can be said of a call without asking memcached.
enum Quick {
    Passed(Standing),
    Refused(Standing),
    Ask,
}

impl Rates {
    /// The recorder of metrics must be there.
    pub fn new(config: &RateConfig, keys: &TokenKeys, cache: Cache, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            rules: Limit::ALL.map(|limit| Rule::of(limit, config)),
            hasher: SipHasher24::new_with_key(&keys.derive("rate limits")),
            table: Table::default(),
            turns: (0..TURNS).map(|_| tokio::sync::Mutex::default()).collect(),
            returns: Mutex::default(),
            good_keys: Mutex::default(),
            proxies: Proxies {
                trusted: config.trusted_proxies.clone(),
                header: config.proxy_header,
            },
            told_of_proxy: AtomicBool::new(false),
            counts: Counts::default(),
            cache,
            clock,
        }))
    }

    fn rule(&self, limit: Limit) -> Option<&Rule> {
        self.0.rules[limit.index()].as_ref()
    }

    /// Nobody when there is no such limit.
    fn caller(&self, limit: Limit, name: &[u8]) -> Option<Caller> {
        self.rule(limit)?;
        let hash = self.hash(limit.index(), name);
        Some(Caller { limit, hash })
    }

    fn hash(&self, kind: usize, name: &[u8]) -> u64 {
        let mut hasher = self.0.hasher;
        hasher.write(&[u8::try_from(kind).unwrap_or(u8::MAX)]);
        hasher.write(name);
        hasher.finish()
    }

    fn now_ms(&self) -> i64 {
        self.0.clock.now().as_millisecond()
    }

    /// Lets a call pass or refuses it, if this server can by itself.
    fn quick(&self, caller: Caller, units: u32, now_ms: i64) -> Quick {
        let Some(rule) = self.rule(caller.limit) else {
            return Quick::Ask;
        };
        let ends = || rule.window_end(caller.hash, now_ms);
        let quick = self.0.table.with(caller.hash, now_ms, ends, |share| {
            let passes = share.take(units);
            let standing = Standing::of(rule, share, now_ms);
            if passes {
                Quick::Passed(standing)
            } else if now_ms < share.closed_until_ms {
                Quick::Refused(standing)
            } else {
                Quick::Ask
            }
        });
        match &quick {
            Quick::Passed(_) => self.0.counts.lease.increment(1),
            Quick::Refused(_) => self.0.counts.closed.increment(1),
            Quick::Ask => {}
        }
        quick
    }

    /// Gives back what a call took that then was refused for another reason.
    fn put_back(&self, caller: Caller, units: u32) {
        let Some(rule) = self.rule(caller.limit) else {
            return;
        };
        let now_ms = self.now_ms();
        let ends = || rule.window_end(caller.hash, now_ms);
        let needless = self.0.table.with(caller.hash, now_ms, ends, |share| {
            share.put_back(units);
            rule.is_needless(share)
        });
        if needless {
            self.return_later(caller);
        }
    }

    fn return_later(&self, caller: Caller) {
        let mut returns = lock(&self.0.returns);
        if !returns.contains(&caller) {
            returns.push(caller);
        }
    }

    /// The network that a request comes from.
    pub fn network_of(&self, req: &ServiceRequest) -> [u8; 16] {
        self.network(req.peer_addr().map(|peer| peer.ip()), req.headers())
    }

    /// Where a request comes from, for the limits of networks.
    fn network(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> [u8; 16] {
        let peer = peer.unwrap_or(std::net::Ipv4Addr::UNSPECIFIED.into());
        let proxies = &self.0.proxies;
        if !self.0.told_of_proxy.load(Ordering::Relaxed)
            && proxies.is_ignored(peer, headers)
            && !self.0.told_of_proxy.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                "a request came through a proxy that TRUSTED_PROXIES does not name: all who come through it are limited as one network"
            );
        }
        origin::network(proxies.client(peer, headers))
    }

    fn is_good_key(&self, hash: u64, now_ms: i64) -> bool {
        lock(&self.0.good_keys)
            .get(&hash)
            .is_some_and(|until_ms| now_ms < *until_ms)
    }

    fn remember_key(&self, hash: u64) {
        let until_ms = self.now_ms().saturating_add(GOOD_KEY_MS);
        let mut known = lock(&self.0.good_keys);
        if known.len() >= GOOD_KEYS_MAX {
            known.clear();
        }
        known.insert(hash, until_ms);
    }

    /// Charges a volunteer for what a request turned out to carry, beyond the one unit at the door.
    /// All of it or nothing.
    ///
    /// What carries more than the limit costs the whole limit, so that it passes in a window of
    /// its own.
    async fn charge(
        &self,
        req: &HttpRequest,
        volunteer_id: Uuid,
        units: u32,
    ) -> Result<(), Problem> {
        let caller = self.caller(Limit::Volunteer, volunteer_id.as_bytes());
        let (Some(caller), Some(rule)) = (caller, self.rule(Limit::Volunteer)) else {
            return Ok(());
        };
        let units = units.min(rule.units - 1);
        if units == 0 {
            return Ok(());
        }
        let charged = match self.quick(caller, units, self.now_ms()) {
            Quick::Passed(standing) => Ok(standing),
            Quick::Refused(standing) => Err(standing),
            Quick::Ask => self.ask(caller, units).await,
        };
        let told = match charged {
            Ok(standing) => standing,
            Err(refused) => {
                // The unit of the door.
                self.put_back(caller, 1);
                Standing {
                    left: refused.left + 1,
                    ..refused
                }
            }
        };
        req.extensions_mut().insert(told);
        charged.map(|_| ()).map_err(|refused| self.refuse(refused))
    }

    fn refuse(&self, refused: Standing) -> Problem {
        self.0.counts.limited[refused.limit.index()].increment(1);
        limit::problem(refused)
    }
}

/// Charges a volunteer for so many units more than the call itself, before anything is stored.
pub async fn charge(req: &HttpRequest, volunteer_id: Uuid, units: usize) -> Result<(), Problem> {
    let rates = req
        .app_data::<Data<Rates>>()
        .ok_or_else(|| Problem::internal(&"Rates are not registered"))?;
    let units = u32::try_from(units).unwrap_or(u32::MAX);
    rates.charge(req, volunteer_id, units).await
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
