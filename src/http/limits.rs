//! Limits that more than one feature shares. Those of one feature stand in its `model.rs`.

/// Bytes of a JSON body where nothing else is said.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a body that holds an area of interest.
pub const AREA_BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of a batch of looks.
pub const BATCH_BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of an address, its query included.
pub const ADDRESS_BYTES_MAX: usize = 8192;
/// Languages of one text.
pub const LOCALES_MAX: usize = 50;
/// Characters of a language tag.
pub const LOCALE_CHARS_MAX: usize = 35;
/// Characters of a slug or key.
pub const KEY_CHARS_MAX: usize = 64;
/// Entries of a page.
pub const PAGE_MAX: u32 = 1000;
/// Entries of a page when the client does not say.
pub const PAGE_DEFAULT: u32 = 100;

/// Whether a text may be a slug or key: lower-case letters, digits, `-` and `_`, not first.
pub fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= KEY_CHARS_MAX
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        && text
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_64_characters_at_most() {
        assert!(is_key(&"a".repeat(64)));
        assert!(!is_key(&"a".repeat(65)));
        assert!(!is_key(""));
        assert!(!is_key("-a"));
        assert!(!is_key("Ä"));
    }
}
