//! What a request says of who calls, before anything is looked up.

use std::borrow::Cow;

use actix_web::http::header::{self, HeaderMap};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::token::{Token, TokenKeys};
use crate::http::Problem;

/// How API keys begin.
pub(super) const KEY_START: &str = "spk_";

/// Who a request claims to be from.
#[derive(Debug)]
pub enum Claimed<'a> {
    /// There are no credentials.
    Nobody,
    /// One of our keys signed the token.
    Volunteer(Token),
    /// Something that looks like an API key. Whether it is one the database knows.
    Key(Cow<'a, str>),
    /// Nothing that we ever gave out.
    Unproven,
}

/// Reads the credentials, and verifies the signature when they are a token.
pub fn claimed<'a>(headers: &'a HeaderMap, keys: &TokenKeys) -> Claimed<'a> {
    match read(headers) {
        Ok(None) => Claimed::Nobody,
        Ok(Some(secret)) if secret.starts_with(KEY_START) => Claimed::Key(secret),
        Ok(Some(token)) => keys
            .verify(&token)
            .map_or(Claimed::Unproven, Claimed::Volunteer),
        Err(_) => Claimed::Unproven,
    }
}

/// The token or key of the request: Bearer, or the password of Basic (GDAL sends nothing else).
pub(super) fn read(headers: &HeaderMap) -> Result<Option<Cow<'_, str>>, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let (scheme, rest) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(unreadable)?;
    if scheme.eq_ignore_ascii_case("bearer") && !rest.trim().is_empty() {
        return Ok(Some(Cow::Borrowed(rest.trim())));
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD.decode(rest.trim()).ok();
        let password = decoded
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|pair| {
                pair.split_once(':')
                    .map(|(_, password)| password.to_owned())
            })
            .ok_or_else(unreadable)?;
        return Ok(Some(Cow::Owned(password)));
    }
    Err(unreadable())
}

fn unreadable() -> Problem {
    Problem::unauthorized(
        "credentials_missing",
        "Authorization is neither `Bearer <token or key>` nor Basic with the key as password.",
    )
}
