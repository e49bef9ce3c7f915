//! Secrets of devices: who makes one before there is a network signs up with it, and is the same
//! volunteer each time.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use utoipa::ToSchema;

/// Random bytes of a secret, and the signs in which they are written.
pub const SECRET_BYTES: usize = 32;
pub const SECRET_CHARS: usize = 43;
/// Of 32 random bytes at least so many differ; fewer do once in 10^13 secrets.
const DISTINCT_BYTES_MIN: usize = 16;

/// 32 random bytes that a device made, as 43 signs of base64url.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(
    value_type = String,
    min_length = 43,
    max_length = 43,
    pattern = "^[A-Za-z0-9_-]{43}$",
    example = "q1Tz0mQeXo5c8iZr3hWJ4uYb7sKd2vNfLgApRtUyE6k"
)]
pub struct DeviceSecret([u8; SECRET_BYTES]);

impl DeviceSecret {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<String> for DeviceSecret {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let chars = text.chars().count();
        if chars != SECRET_CHARS {
            return Err(format!(
                "found {chars} signs; a secret is {SECRET_BYTES} random bytes as {SECRET_CHARS} signs of base64url, without `=`"
            ));
        }
        let bytes = URL_SAFE_NO_PAD.decode(&text).ok();
        let bytes: [u8; SECRET_BYTES] = bytes
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| {
                format!(
                    "it is not base64url of {SECRET_BYTES} bytes; possible are A-Z, a-z, 0-9, - and _"
                )
            })?;
        if is_weak(&bytes) {
            return Err(
                "these bytes are not random, so that somebody else could guess them; take them from the system's generator, such as crypto.getRandomValues"
                    .to_owned(),
            );
        }
        Ok(Self(bytes))
    }
}

/// Whether the bytes are such as only carelessness makes: a text, a count, a repetition.
fn is_weak(bytes: &[u8; SECRET_BYTES]) -> bool {
    let mut seen = [false; 256];
    for byte in bytes {
        seen[usize::from(*byte)] = true;
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    let step = bytes[1].wrapping_sub(bytes[0]);
    let counts = bytes
        .windows(2)
        .all(|pair| pair[1].wrapping_sub(pair[0]) == step);
    distinct < DISTINCT_BYTES_MIN || counts || bytes.is_ascii()
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    fn read(bytes: &[u8]) -> Result<DeviceSecret, String> {
        URL_SAFE_NO_PAD.encode(bytes).try_into()
    }

    #[test]
    fn random_bytes_are_a_secret() {
        for _ in 0..1000 {
            let mut bytes = [0; SECRET_BYTES];
            rand::rng().fill(&mut bytes);
            assert!(read(&bytes).is_ok());
        }
    }

    #[test]
    fn what_is_shorter_longer_or_no_base64url_is_none() {
        let mut bytes = [0_u8; 33];
        rand::rng().fill(&mut bytes);
        assert!(read(&bytes[..31]).is_err());
        assert!(read(&bytes).is_err());
        for text in ["", &"=".repeat(43), &"é".repeat(43), &"+".repeat(43)] {
            assert!(DeviceSecret::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn careless_bytes_are_no_secret() {
        let counted: Vec<u8> = (7..39).collect();
        let steps: Vec<u8> = (0..32_u8).map(|n| n.wrapping_mul(37)).collect();
        let few: Vec<u8> = (0..32_u8).map(|n| 200 + n % 15).collect();
        for bytes in [
            &[0; 32],
            &counted[..],
            &steps,
            &few,
            b"correct horse battery staple 123",
        ] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
    }
}
