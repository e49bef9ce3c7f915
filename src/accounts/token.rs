//! Volunteers' tokens: `s1.<key name>.<volunteer, time and, where it has one, mark>.<signature>`; and
//! tickets, which open one address for a while: `d1.<key name>.<end in Unix seconds>.<signature>`.
//!
//! Signed with HMAC-SHA-256 (RFC 2104), cut to 128 bits as RFC 2104 section 5 allows. The key's
//! name stands in the token, so that keys can be rotated: the first of `TOKEN_KEYS` signs, all verify.

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use uuid::Uuid;

use super::device::DeviceSecret;

const VERSION: &str = "s1";
const TICKET_VERSION: &str = "d1";
const SIGNATURE_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
/// Longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 200;

/// Where the mark stands in what was signed.
const MARK_AT: std::ops::Range<usize> = 24..26;

/// What a token says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Token {
    pub volunteer: Uuid,
    /// See [`super::Volunteer`].
    pub mark: u16,
}

/// The keys of `TOKEN_KEYS`.
#[derive(Clone)]
pub struct TokenKeys {
    keys: Vec<(String, Hmac<Sha256>)>,
}

impl TokenKeys {
    /// Reads `name:64 hex digits` entries; the first one signs.
    pub fn parse(entries: &[String]) -> anyhow::Result<Self> {
        let mut keys = Vec::with_capacity(entries.len());
        for entry in entries {
            let (name, hex) = entry.split_once(':').context(
                "TOKEN_KEYS: each key is name:64 hex digits, for example k1:$(openssl rand -hex 32)",
            )?;
            ensure!(
                (1..=16).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric()),
                "TOKEN_KEYS: a key's name is 1 to 16 letters and digits"
            );
            ensure!(
                keys.iter().all(|(known, _)| known != name),
                "TOKEN_KEYS: the name {name} is given twice"
            );
            let secret = parse_hex(hex)
                .with_context(|| format!("TOKEN_KEYS: key {name} needs 64 hex digits"))?;
            let mac = Hmac::<Sha256>::new_from_slice(&secret).context("TOKEN_KEYS")?;
            keys.push((name.to_owned(), mac));
        }
        ensure!(!keys.is_empty(), "TOKEN_KEYS is missing");
        Ok(Self { keys })
    }

    pub fn sign(&self, volunteer: Uuid, now: Timestamp) -> String {
        self.sign_marked(Token { volunteer, mark: 0 }, now)
    }

    pub fn sign_marked(&self, token: Token, now: Timestamp) -> String {
        let (name, mac) = &self.keys[0];
        let mut payload = token.volunteer.as_bytes().to_vec();
        payload.extend_from_slice(&now.as_second().to_be_bytes());
        if token.mark != 0 {
            payload.extend_from_slice(&token.mark.to_be_bytes());
        }
        let signed = format!("{VERSION}.{name}.{}", URL_SAFE_NO_PAD.encode(payload));
        let signature = signature(mac, &signed);
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A ticket for one purpose, until a time.
    pub fn sign_ticket(&self, purpose: &str, until: Timestamp) -> String {
        let (name, mac) = &self.keys[0];
        let ticket = format!("{TICKET_VERSION}.{name}.{}", until.as_second());
        let signature = signature(mac, &format!("{ticket} {purpose}"));
        format!("{ticket}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Whether one of our keys signed the ticket for this purpose, and its time has not come.
    pub fn verify_ticket(&self, purpose: &str, ticket: &str, now: Timestamp) -> bool {
        let Some((ticket, given)) = ticket.rsplit_once('.') else {
            return false;
        };
        let mut parts = ticket.split('.');
        let (Some(TICKET_VERSION), Some(name), Some(until), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return false;
        };
        let known = self.keys.iter().find(|(known, _)| known == name);
        let (Some((_, mac)), Ok(given), Ok(until)) =
            (known, URL_SAFE_NO_PAD.decode(given), until.parse::<i64>())
        else {
            return false;
        };
        let wanted = signature(mac, &format!("{ticket} {purpose}"));
        now.as_second() < until
            && bool::from(subtle::ConstantTimeEq::ct_eq(
                wanted.as_slice(),
                given.as_slice(),
            ))
    }

    /// A secret for another purpose, the same on all servers. It changes when another key signs.
    pub fn derive(&self, purpose: &str) -> [u8; SIGNATURE_BYTES] {
        let (_, mac) = &self.keys[0];
        let mut secret = [0; SIGNATURE_BYTES];
        secret.copy_from_slice(&signature(mac, &format!("derived {purpose}")));
        secret
    }

    /// A number from 0 to 99 that nobody can choose: the same for the same thing at all servers, as
    /// long as the first key is the same.
    pub fn place(&self, kind: &str, of: &[u8]) -> u8 {
        let (_, mac) = &self.keys[0];
        let mut mac = mac.clone();
        mac.update(b"place ");
        mac.update(kind.as_bytes());
        mac.update(b" ");
        mac.update(of);
        let bytes = mac.finalize().into_bytes();
        let first = bytes.iter().take(4);
        let number = first.fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        u8::try_from(number % 100).unwrap_or(0)
    }

    /// The volunteer whose device has this secret. The last key says it, the one that was there
    /// first: a new key put before it changes nobody.
    pub(super) fn volunteer_of(&self, secret: &DeviceSecret) -> Option<Uuid> {
        let (_, mac) = self.keys.last()?;
        let mut mac = mac.clone();
        mac.update(b"device ");
        mac.update(secret.bytes());
        let bytes = mac.finalize().into_bytes();
        let bytes: [u8; 16] = bytes.get(..16)?.try_into().ok()?;
        Some(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// What a token says, if one of our keys signed it.
    pub fn verify(&self, token: &str) -> Option<Token> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (signed, given) = token.rsplit_once('.')?;
        let mut parts = signed.split('.');
        let (version, name, payload) = (parts.next()?, parts.next()?, parts.next()?);
        if version != VERSION || parts.next().is_some() {
            return None;
        }
        let (_, mac) = self.keys.iter().find(|(known, _)| known == name)?;
        let given = URL_SAFE_NO_PAD.decode(given).ok()?;
        if !bool::from(subtle::ConstantTimeEq::ct_eq(
            signature(mac, signed).as_slice(),
            given.as_slice(),
        )) {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let mark = payload.get(MARK_AT).unwrap_or_default().iter();
        Some(Token {
            volunteer: Uuid::from_slice(payload.get(..16)?).ok()?,
            mark: mark.fold(0, |mark, byte| mark << 8 | u16::from(*byte)),
        })
    }
}

fn signature(mac: &Hmac<Sha256>, signed: &str) -> Vec<u8> {
    let mut mac = mac.clone();
    mac.update(signed.as_bytes());
    let mut bytes = mac.finalize().into_bytes().to_vec();
    bytes.truncate(SIGNATURE_BYTES);
    bytes
}

fn parse_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect();
    let digits = digits?;
    (digits.len() == 2 * KEY_BYTES).then(|| {
        digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(entries: &[&str]) -> TokenKeys {
        let entries: Vec<String> = entries.iter().map(|e| (*e).to_owned()).collect();
        TokenKeys::parse(&entries).unwrap()
    }

    fn key(name: &str, digit: &str) -> String {
        format!("{name}:{}", digit.repeat(64))
    }

    #[test]
    fn a_token_names_the_volunteer_that_it_was_signed_for() {
        let keys = keys(&[&key("a", "1")]);
        for mark in [0, 1, 4095] {
            let token = Token {
                volunteer: Uuid::now_v7(),
                mark,
            };
            let signed = keys.sign_marked(token, Timestamp::UNIX_EPOCH);
            assert_eq!(keys.verify(&signed), Some(token));
        }
    }

    #[test]
    fn a_device_is_one_volunteer_as_long_as_the_first_key_of_all_is_there() {
        let secret = |n: u8| {
            let bytes: Vec<u8> = (0..32_u8).map(|at| at.wrapping_mul(at) ^ n | 128).collect();
            DeviceSecret::try_from(URL_SAFE_NO_PAD.encode(bytes)).unwrap()
        };
        let before = keys(&[&key("a", "1")]);
        let rotated = keys(&[&key("b", "2"), &key("a", "1")]);
        let after = keys(&[&key("b", "2")]);
        let known = before.volunteer_of(&secret(1));
        assert!(known.is_some());
        assert_eq!(rotated.volunteer_of(&secret(1)), known);
        assert_ne!(after.volunteer_of(&secret(1)), known);
        assert_ne!(before.volunteer_of(&secret(2)), known);
    }

    #[test]
    fn a_ticket_opens_what_it_was_signed_for_until_its_time() {
        let keys = keys(&[&key("a", "1")]);
        let end = Timestamp::from_second(1000).unwrap();
        let ticket = keys.sign_ticket("tags.csv of x", end);
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(keys.verify_ticket("tags.csv of x", &ticket, at(999)));
        assert!(!keys.verify_ticket("tags.csv of x", &ticket, at(1000)));
        assert!(!keys.verify_ticket("tags.csv of y", &ticket, at(999)));
        let later = ticket.replacen(".1000.", ".9000.", 1);
        assert!(!keys.verify_ticket("tags.csv of x", &later, at(999)));
        assert!(!keys.verify_ticket("tags.csv of x", "", at(999)));
        let token = keys.sign(Uuid::now_v7(), Timestamp::UNIX_EPOCH);
        assert!(!keys.verify_ticket("tags.csv of x", &token, at(999)));
    }

    #[test]
    fn a_rotated_key_logs_nobody_out_and_a_removed_one_does() {
        let before = keys(&[&key("a", "1")]);
        let token = before.sign(Uuid::now_v7(), Timestamp::UNIX_EPOCH);
        assert!(
            keys(&[&key("b", "2"), &key("a", "1")])
                .verify(&token)
                .is_some()
        );
        assert!(keys(&[&key("b", "2")]).verify(&token).is_none());
        assert!(keys(&[&key("a", "2")]).verify(&token).is_none());
    }

    #[test]
    fn a_token_with_any_sign_changed_is_refused() {
        let keys = keys(&[&key("a", "1")]);
        let token = keys.sign(Uuid::now_v7(), Timestamp::UNIX_EPOCH);
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            // The last sign of unpadded base64 holds bits that are not used.
            if at + 1 < token.len() && !forged.ends_with('.') {
                assert!(keys.verify(&forged).is_none(), "{at}");
            }
        }
        assert!(keys.verify("").is_none());
        assert!(keys.verify(&"x".repeat(1000)).is_none());
    }

    #[test]
    fn a_wrong_key_setting_is_named() {
        for bad in ["", "a", "a:12", "a b:1", ":11"] {
            let error = TokenKeys::parse(&[bad.to_owned()]).err().unwrap();
            assert!(format!("{error:#}").contains("TOKEN_KEYS"), "{bad}");
        }
    }
}
