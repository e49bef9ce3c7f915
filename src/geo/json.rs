//! Reading `GeoJSON` strictly, and saying exactly what is wrong with it.
//!
//! **Invariant:** a `Flaw` says what was found, what is needed, and where: its pointer is an
//! RFC 6901 JSON pointer into the value that was read.

use serde::Serialize;
use serde_json::Value;

use super::ring::Position;

/// One thing wrong with a `GeoJSON` value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{pointer}: {detail}")]
pub struct Flaw {
    /// Stable name in `snake_case`, for programs.
    pub code: &'static str,
    /// JSON pointer to the place; empty is the whole value.
    pub pointer: String,
    /// A sentence for people.
    pub detail: String,
}

impl Flaw {
    pub fn new(code: &'static str, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            code,
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }
}

/// A position as read, and whether it had a third member (height), which is dropped.
pub(crate) struct ReadPosition {
    pub at: Position,
    pub had_height: bool,
}

/// Reads `[lon, lat]` or `[lon, lat, height, …]`; finite numbers, range not checked.
pub(crate) fn position(value: &Value, pointer: impl Fn() -> String) -> Result<ReadPosition, Flaw> {
    let refuse = |found: String| {
        let detail = format!("found {found}; a position is [longitude, latitude] in degrees");
        Flaw::new("bad_position", pointer(), detail)
    };
    let Some(members) = value.as_array() else {
        return Err(refuse(kind(value)));
    };
    let (Some(lon), Some(lat)) = (members.first(), members.get(1)) else {
        return Err(refuse(format!("an array of {}", members.len())));
    };
    // serde_json reads 1e999 as an error and never yields NaN, so a number is finite.
    let (Some(x), Some(y)) = (lon.as_f64(), lat.as_f64()) else {
        let odd = if lon.is_number() { lat } else { lon };
        return Err(refuse(format!("{} inside a position", kind(odd))));
    };
    Ok(ReadPosition {
        at: [x, y],
        had_height: members.len() > 2,
    })
}

/// What a value is, in words for a message: "null", "the text \"abc\"", "an array of 3".
pub(crate) fn kind(value: &Value) -> String {
    const TEXT_SHOWN_MAX: usize = 40;
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => {
            let shown: String = text.chars().take(TEXT_SHOWN_MAX).collect();
            let more = if shown.len() < text.len() { "…" } else { "" };
            format!("the text {shown:?}{more}")
        }
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// `name` as one step of a JSON pointer.
pub(crate) fn pointer_step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_third_member_is_dropped_and_told() {
        let read = position(&json!([1, 2.5, 300]), String::new).ok().unwrap();
        assert_eq!(Some(read.at), Some([1.0, 2.5]));
        assert!(read.had_height);
    }

    #[test]
    fn what_is_not_a_position_is_named() {
        let cases = [
            (json!("1,2"), "found the text \"1,2\";"),
            (json!([1]), "found an array of 1;"),
            (json!([1, null]), "found null inside a position;"),
            (json!(["1", 2]), "found the text \"1\" inside a position;"),
            (json!({"lon": 1}), "found an object;"),
        ];
        for (value, words) in cases {
            let flaw = position(&value, || "/here".to_owned()).err().unwrap();
            assert!(flaw.detail.starts_with(words), "{}", flaw.detail);
            assert_eq!(flaw.pointer, "/here");
        }
    }

    #[test]
    fn long_texts_are_shortened_in_messages() {
        assert_eq!(
            kind(&json!("é".repeat(41))),
            format!("the text \"{}\"…", "é".repeat(40))
        );
    }

    #[test]
    fn pointer_steps_are_escaped() {
        assert_eq!(pointer_step("a/b~c"), "a~1b~0c");
    }
}
