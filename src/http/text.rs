//! Text from outside: measured in characters, without the sign that the database cannot store.

use std::collections::BTreeMap;

use super::FieldErrors;
use super::limits::{LOCALE_CHARS_MAX, LOCALES_MAX};

/// A text in several languages, by BCP 47 tag.
pub type Localised = BTreeMap<String, String>;

/// Notes what is wrong with a text: longer than `chars_max` characters, or a NUL in it.
pub fn check_text(errors: &mut FieldErrors, pointer: &str, text: &str, chars_max: usize) {
    let chars = text.chars().count();
    errors.need(chars <= chars_max, pointer, || {
        format!("found {chars} characters; {chars_max} are allowed")
    });
    errors.need(!text.contains('\0'), pointer, || {
        "found the character U+0000, which cannot be stored; remove it".to_owned()
    });
}

/// Notes a time before the year 0: RFC 3339 cannot write it and the database cannot keep it.
pub fn check_time(errors: &mut FieldErrors, pointer: &str, time: jiff::Timestamp) {
    const YEAR_0_SECS: i64 = -62_167_219_200;
    errors.need(time.as_second() >= YEAR_0_SECS, pointer, || {
        format!("found {time}; times from the year 0 on can be kept")
    });
}

/// Notes what is wrong with a text in several languages; `required` texts need one at least.
pub fn check_localised(
    errors: &mut FieldErrors,
    pointer: &str,
    texts: &Localised,
    chars_max: usize,
    required: bool,
) {
    errors.need(!required || !texts.is_empty(), pointer, || {
        "found no text; give one language at least, for example {\"en\": \"…\"}".to_owned()
    });
    errors.need(texts.len() <= LOCALES_MAX, pointer, || {
        format!("found {} languages; {LOCALES_MAX} are allowed", texts.len())
    });
    for (locale, text) in texts.iter().take(LOCALES_MAX) {
        let at = format!("{pointer}/{}", escape_pointer(locale));
        errors.need(is_locale(locale), &at, || {
            format!("found the language {locale:?}; give a BCP 47 tag such as \"en\" or \"pt-BR\"")
        });
        errors.need(!required || !text.trim().is_empty(), &at, || {
            "found an empty text".to_owned()
        });
        check_text(errors, &at, text, chars_max);
    }
}

/// One part of a JSON pointer, escaped as RFC 6901 asks.
pub fn escape_pointer(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

/// Whether a text has the form of a BCP 47 tag.
pub fn is_locale(tag: &str) -> bool {
    tag.len() <= LOCALE_CHARS_MAX
        && tag.split('-').enumerate().all(|(i, part)| {
            let long_enough = if i == 0 {
                part.len() >= 2
            } else {
                !part.is_empty()
            };
            long_enough && part.len() <= 8 && part.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_may_have_as_many_characters_as_the_limit_and_not_one_more() {
        let mut errors = FieldErrors::default();
        check_text(&mut errors, "/note", &"é".repeat(5), 5);
        assert!(errors.is_empty());
        check_text(&mut errors, "/note", &"é".repeat(6), 5);
        assert!(!errors.is_empty());
    }

    #[test]
    fn a_language_tag_is_told_from_other_words() {
        for good in ["en", "pt-BR", "zh-Hant-TW", "gsw"] {
            assert!(is_locale(good), "{good}");
        }
        for bad in [
            "",
            "e",
            "en_US",
            "en-",
            "way-too-long-for-a-tag-really-it-isnt",
        ] {
            assert!(!is_locale(bad), "{bad}");
        }
    }
}
