//! Whether a request belongs to somebody who is let in, while only a part is.

use actix_web::{
    HttpMessage,
    dev::ServiceRequest,
    http::header::{self, HeaderMap},
};

use crate::{
    accounts::{Claimed, LetIn, TokenKeys, claimed},
    rates::Rates,
};

/// Whether the request carries an organiser's key, by its form; whether it is one is found out later.
pub fn has_key(headers: &HeaderMap) -> bool {
    headers.get(header::AUTHORIZATION).is_some_and(|value| {
        let value = value.as_bytes();
        starts(value, b"bearer spk_") || starts(value, b"basic ")
    })
}

/// Whether whoever asks is in. By the volunteer who signed in, else by the network; somebody who is
/// in by their network and signs up stays in.
pub fn is_in(req: &ServiceRequest, let_in: LetIn, keys: &TokenKeys, rates: &Rates) -> bool {
    match claimed(req.headers(), keys) {
        Claimed::Key(_) => true,
        Claimed::Volunteer(token) => let_in.has(keys, token.volunteer),
        Claimed::Nobody | Claimed::Unproven => {
            let is_in = let_in.has_network(keys, &rates.network_of(req));
            if is_in {
                req.extensions_mut().insert(let_in);
            }
            is_in
        }
    }
}

fn starts(value: &[u8], with: &[u8]) -> bool {
    value
        .get(..with.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(with))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_key_is_told_from_a_token_by_its_form() {
        for (value, is_key) in [
            ("Bearer spk_abc", true),
            ("bearer SPK_abc", true),
            ("Basic eDp5", true),
            ("Bearer s1.k1.x.y", false),
            ("Bearer ", false),
        ] {
            let req = TestRequest::default()
                .insert_header((header::AUTHORIZATION, value))
                .to_srv_request();
            assert_eq!(has_key(req.headers()), is_key, "{value}");
        }
    }
}
