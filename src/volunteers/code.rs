//! Link codes: short enough to be typed, without signs that are taken for each other. Pure.

use rand::Rng;

use crate::accounts::TokenKeys;

/// Neither 0 O, 1 I L, 2 Z, 5 S, 8 B nor U, which looks like V.
const SIGNS: [u8; 24] = *b"ACDEFGHJKMNPQRTVWXY34679";
/// 24^8 codes: a guess finds one of a thousand that can be used once in a hundred million times.
pub const CODE_SIGNS: usize = 8;

/// A code without its hyphen.
#[derive(Clone, Eq, PartialEq)]
pub struct Code([u8; CODE_SIGNS]);

impl Code {
    pub fn random() -> Self {
        let mut rng = rand::rng();
        Self(std::array::from_fn(|_| {
            SIGNS[rng.random_range(0..SIGNS.len())]
        }))
    }

    /// A code as somebody typed it: hyphens, spaces and small letters do not matter.
    pub fn parse(typed: &str) -> Result<Self, String> {
        let signs: Vec<u8> = typed
            .chars()
            .filter(|sign| !sign.is_whitespace() && *sign != '-')
            .map(|sign| u8::try_from(sign.to_ascii_uppercase()).unwrap_or(b'?'))
            .collect();
        let known = signs.iter().all(|sign| SIGNS.contains(sign));
        let code = <[u8; CODE_SIGNS]>::try_from(signs.as_slice());
        match code {
            Ok(code) if known => Ok(Self(code)),
            _ => Err(format!(
                "found {} signs; a code has {CODE_SIGNS}, each one of {}",
                signs.len(),
                String::from_utf8_lossy(&SIGNS)
            )),
        }
    }

    /// As it is shown.
    pub fn shown(&self) -> String {
        let (first, second) = self.0.split_at(CODE_SIGNS / 2);
        [first, second].map(String::from_utf8_lossy).join("-")
    }

    /// As it is stored.
    pub fn hash(&self, keys: &TokenKeys) -> Vec<u8> {
        let code = String::from_utf8_lossy(&self.0);
        keys.derive(&format!("link code {code}")).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_understood_however_it_is_typed() {
        for _ in 0..200 {
            let code = Code::random();
            let shown = code.shown();
            assert_eq!(shown.len(), 9, "{shown}");
            for typed in [
                shown.clone(),
                shown.to_lowercase(),
                shown.replace('-', ""),
                format!(" {} ", shown.replace('-', " - ")),
            ] {
                assert!(
                    Code::parse(&typed).is_ok_and(|read| read == code),
                    "{typed}"
                );
            }
        }
    }

    #[test]
    fn other_signs_and_lengths_are_no_code() {
        for typed in [
            "",
            "ACDE-FGH",
            "ACDE-FGHJK",
            "ACDE-FGH0",
            "ACDE-FGHü",
            "ACDE-FGH\0",
        ] {
            assert!(Code::parse(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn codes_differ() {
        let codes: std::collections::BTreeSet<String> =
            (0..1000).map(|_| Code::random().shown()).collect();
        assert_eq!(codes.len(), 1000);
    }
}
