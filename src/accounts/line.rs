//! While only a part of the volunteers is let in: who is in.
//!
//! Everybody has a place from 0 to 99 that stays theirs, and is in when so many percent or more are.
//! So a larger part has everybody of a smaller one.

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use uuid::Uuid;

use super::token::TokenKeys;

/// All are in.
const EVERYBODY: u8 = 100;

/// How many of a hundred are in. Whoever signs up by a request that was let in is to be in, too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LetIn(pub u8);

impl LetIn {
    /// Whether this volunteer is in.
    pub fn has(self, keys: &TokenKeys, volunteer: Uuid) -> bool {
        self.0 >= EVERYBODY || keys.place("volunteer", volunteer.as_bytes()) < self.0
    }

    /// The same for somebody without a token, by the network that they come from.
    pub fn has_network(self, keys: &TokenKeys, network: &[u8]) -> bool {
        self.0 >= EVERYBODY || keys.place("network", network) < self.0
    }

    /// What was noted when the request was let in; everybody when nothing was.
    pub fn noted(req: &HttpRequest) -> Self {
        let noted = req.extensions().get::<Self>().copied();
        noted.unwrap_or(Self(EVERYBODY))
    }

    /// An id for a new volunteer who is in.
    pub fn new_volunteer(self, keys: &TokenKeys) -> Uuid {
        loop {
            let id = Uuid::now_v7();
            // The smallest part is a twentieth.
            if self.has(keys, id) {
                return id;
            }
        }
    }
}

impl FromRequest for LetIn {
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self, Self::Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Ok(Self::noted(req)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> TokenKeys {
        TokenKeys::parse(&[format!("a:{}", "1".repeat(64))]).unwrap()
    }

    #[test]
    fn a_larger_part_has_everybody_of_a_smaller_one() {
        let keys = keys();
        for _ in 0..500 {
            let volunteer = Uuid::now_v7();
            let ins: Vec<bool> = (5..=100)
                .map(|percent| LetIn(percent).has(&keys, volunteer))
                .collect();
            assert!(ins.is_sorted());
            assert!(ins.last().unwrap());
        }
    }

    #[test]
    fn the_part_is_about_as_large_as_it_says() {
        let keys = keys();
        let all = 4000;
        let has = |percent, n: u32| LetIn(percent).has_network(&keys, &n.to_be_bytes());
        let ins = (0..all).filter(|n| has(20, *n)).count();
        assert!((650..950).contains(&ins), "{ins}");
    }

    #[test]
    fn whoever_signs_up_is_in() {
        let keys = keys();
        for percent in [5, 20, 100] {
            let volunteer = LetIn(percent).new_volunteer(&keys);
            assert!(LetIn(percent).has(&keys, volunteer));
        }
    }
}
