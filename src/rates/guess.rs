//! Guesses at secrets that people type: wrong ones are limited for each network and in all.

use std::net::SocketAddr;

use actix_web::{HttpRequest, web::Data};

use super::{Caller, Quick, Rates, limit::Limit};
use crate::http::Problem;

/// A guess that was let pass. It counts, unless it turns out to be right.
#[must_use]
pub struct Guess {
    rates: Rates,
    callers: [Option<Caller>; 2],
}

impl Guess {
    /// Whoever knows the secret has guessed nothing.
    pub fn was_right(self) {
        for caller in self.callers.into_iter().flatten() {
            self.rates.put_back(caller, 1);
        }
    }
}

/// Lets a guess at a link code pass, before it is looked up.
///
/// Errors: 429 when there were too many wrong ones.
pub async fn guess(req: &HttpRequest) -> Result<Guess, Problem> {
    let rates = req
        .app_data::<Data<Rates>>()
        .ok_or_else(|| Problem::internal(&"Rates are not registered"))?;
    let peer = req.peer_addr().as_ref().map(SocketAddr::ip);
    let network = rates.network(peer, req.headers());
    let callers = [
        rates.caller(Limit::LinkCodes, &network),
        rates.caller(Limit::LinkCodesInAll, &[]),
    ];
    for (at, caller) in callers.iter().enumerate() {
        let Some(caller) = caller else { continue };
        let asked = match rates.quick(*caller, 1, rates.now_ms()) {
            Quick::Passed(standing) => Ok(standing),
            Quick::Refused(standing) => Err(standing),
            Quick::Ask => rates.ask(*caller, 1).await,
        };
        if let Err(refused) = asked {
            for taken in callers.iter().take(at).flatten() {
                rates.put_back(*taken, 1);
            }
            return Err(rates.refuse(refused));
        }
    }
    Ok(Guess {
        rates: Rates::clone(rates),
        callers,
    })
}
