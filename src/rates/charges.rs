//! What a call is to the limits: by its path and its credentials.
//!
//! Limited is what is below `/v1/`. Not limited are the service's mode, pages, documentation, health
//! and metrics, nor questions of browsers whether they may call, which the layer outside of this
//! one answers.

use std::net::SocketAddr;

use actix_web::{
    HttpMessage,
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode},
};

use super::{
    Caller, Quick, Rates,
    limit::{Limit, Standing},
};
use crate::accounts::{Claimed, Departed, KeyFound, TokenKeys, claimed};

/// What all limited addresses begin with.
const LIMITED: &str = "/v1/";
/// Of them, the service's mode: all must see it, and operators change it also when their network is
/// used up. Keys are still counted, since finding one costs a look into the database.
const MODE: &str = "/v1/mode";
const SIGN_UP: &str = "/v1/volunteers";
const DEAL: &str = "/assignments";
const IMAGERY: &str = "/v1/imagery/";
/// Names hashes of API keys; no limit has this index.
const KEY: usize = 255;

/// What a call is to a limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Unlimited,
    /// Changes the mode.
    Steer,
    Tile,
    /// Makes a new volunteer of somebody who has no token.
    Deal,
    SignUp,
    Other,
}

/// The path as the routes see it, so that no way of writing it passes by.
fn kind(method: &Method, path: &str) -> Kind {
    if !path.starts_with(LIMITED) {
        return Kind::Unlimited;
    }
    if path == MODE {
        return if *method == Method::GET {
            Kind::Unlimited
        } else {
            Kind::Steer
        };
    }
    if *method == Method::POST {
        if path == SIGN_UP {
            return Kind::SignUp;
        }
        return if path.ends_with(DEAL) {
            Kind::Deal
        } else {
            Kind::Other
        };
    }
    // Layer, zoom, column and row.
    let parts = path
        .strip_prefix(IMAGERY)
        .map(|rest| rest.split('/').count());
    if parts == Some(4) {
        Kind::Tile
    } else {
        Kind::Other
    }
}

/// Who is charged one unit for a call, and what is done after it.
#[derive(Clone, Copy, Default)]
pub(super) struct Charges {
    callers: [Option<Caller>; 2],
    /// The keyed hash of an API key that may be a good one.
    pub key: Option<u64>,
}

/// Where a call did not pass at once.
pub(super) struct Stopped {
    at: usize,
    /// How the caller stands with what came before.
    own: Option<Standing>,
    /// Refused already; otherwise memcached is to be asked.
    refused: Option<Standing>,
}

impl Rates {
    pub(super) fn charges(
        &self,
        req: &ServiceRequest,
        keys: &TokenKeys,
        departed: &Departed,
    ) -> Charges {
        let kind = kind(req.method(), req.match_info().as_str());
        if kind == Kind::Unlimited {
            return Charges::default();
        }
        let peer = req.peer_addr().as_ref().map(SocketAddr::ip);
        let network = || self.network(peer, req.headers());
        if kind == Kind::Tile {
            let tiles = self.rule(Limit::Tiles);
            let caller = tiles.and_then(|_| self.caller(Limit::Tiles, &network()));
            return Charges {
                callers: [caller, None],
                key: None,
            };
        }
        let network = network();
        let (own, key) = if kind == Kind::SignUp {
            // Whoever makes them: a token of one volunteer is no way around it.
            (self.caller(Limit::SignUps, &network), None)
        } else {
            self.own(req, (keys, departed), kind, &network)
        };
        let network = (kind != Kind::Steer)
            .then(|| self.caller(Limit::Network, &network))
            .flatten();
        Charges {
            callers: [own, network],
            key,
        }
    }

    /// Who is charged beside the network, and the keyed hash of a key that is not known to be good.
    fn own(
        &self,
        req: &ServiceRequest,
        (keys, departed): (&TokenKeys, &Departed),
        kind: Kind,
        network: &[u8],
    ) -> (Option<Caller>, Option<u64>) {
        match claimed(req.headers(), keys) {
            Claimed::Volunteer(token) => {
                // Who was forgotten is refused by whoever needs to know who calls.
                let Some(volunteer) = departed.holder(token) else {
                    return (None, None);
                };
                req.extensions_mut().insert(volunteer);
                (self.caller(Limit::Volunteer, volunteer.id.as_bytes()), None)
            }
            Claimed::Key(secret) => {
                let hash = self.hash(KEY, secret.as_bytes());
                if self.is_good_key(hash, self.now_ms()) {
                    (self.caller(Limit::Organiser, &hash.to_be_bytes()), None)
                } else {
                    (self.caller(Limit::UnknownKeys, network), Some(hash))
                }
            }
            Claimed::Nobody if kind == Kind::Deal => (self.caller(Limit::SignUps, network), None),
            Claimed::Nobody | Claimed::Unproven => (None, None),
        }
    }

    /// How the caller stands, if this server can let the call pass by itself.
    pub(super) fn admit_quickly(&self, charges: &Charges) -> Result<Option<Standing>, Stopped> {
        let now_ms = self.now_ms();
        let mut own = None;
        for (at, caller) in charges.callers.iter().enumerate() {
            let Some(caller) = caller else { continue };
            let refused = match self.quick(*caller, 1, now_ms) {
                Quick::Passed(standing) => {
                    own = nearer(own, standing);
                    continue;
                }
                Quick::Refused(standing) => Some(standing),
                Quick::Ask => None,
            };
            return Err(Stopped { at, own, refused });
        }
        Ok(own)
    }

    /// The same from there on, with all the time that it takes.
    pub(super) async fn admit(
        &self,
        charges: &Charges,
        stopped: Stopped,
    ) -> Result<Option<Standing>, Standing> {
        let Stopped {
            at,
            mut own,
            refused,
        } = stopped;
        if let Some(refused) = refused {
            self.put_back_all(charges, at);
            return Err(refused);
        }
        for (index, caller) in charges.callers.iter().enumerate().skip(at) {
            let Some(caller) = caller else { continue };
            match self.ask(*caller, 1).await {
                Ok(standing) => own = nearer(own, standing),
                Err(refused) => {
                    self.put_back_all(charges, index);
                    return Err(refused);
                }
            }
        }
        Ok(own)
    }

    /// A call that is refused costs nothing: what was taken before that place is put back.
    fn put_back_all(&self, charges: &Charges, before: usize) {
        for taken in charges.callers.iter().take(before).flatten() {
            self.put_back(*taken, 1);
        }
    }

    /// An unknown key costs its network a unit unless it was not refused; one that was found has a
    /// limit of its own from now on.
    pub(super) fn judge_key<B>(&self, charges: &Charges, hash: u64, response: &ServiceResponse<B>) {
        if response.request().extensions().contains::<KeyFound>() {
            self.remember_key(hash);
        }
        if response.status() != StatusCode::UNAUTHORIZED
            && let Some(caller) = charges.callers[0]
        {
            self.put_back(caller, 1);
        }
    }
}

/// A caller is told of the limit of their own, otherwise of their network's.
fn nearer(own: Option<Standing>, next: Standing) -> Option<Standing> {
    own.or((next.limit != Limit::UnknownKeys).then_some(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_limited_follows_from_the_path() {
        for (method, path, expected) in [
            (Method::GET, "/livez", Kind::Unlimited),
            (Method::GET, "/readyz", Kind::Unlimited),
            (Method::GET, "/metrics", Kind::Unlimited),
            (Method::GET, "/v1/mode", Kind::Unlimited),
            (Method::GET, "/s/demo", Kind::Unlimited),
            (Method::POST, "/v1/volunteers", Kind::SignUp),
            (Method::GET, "/v1/volunteers", Kind::Other),
            (Method::POST, "/v1/campaigns/x/assignments", Kind::Deal),
            (
                Method::POST,
                "/v1/campaigns/x/assignments/renew",
                Kind::Other,
            ),
            (Method::GET, "/v1/campaigns", Kind::Other),
            (Method::GET, "/v1/imagery/layer/17/1/2", Kind::Tile),
            (Method::GET, "/v1/imagery/layer", Kind::Other),
            (Method::GET, "/v1/imagery/a/b/c/d/e", Kind::Other),
            (Method::PATCH, "/v1/mode", Kind::Steer),
            (Method::GET, "/v1/modes", Kind::Other),
        ] {
            assert_eq!(kind(&method, path), expected, "{method} {path}");
        }
    }
}
