//! A document as a row of one of `WatermelonDB`'s tables: texts, numbers and booleans only.

use serde_json::Value;

use crate::sync::{Collection, Document, document::Members};

/// Objects and arrays become JSON text. What is absent is null, since the client keeps the value it
/// had of a column that does not come.
pub fn flat(collection: Collection, document: Document) -> Members {
    let mut row = document.members;
    for value in row.values_mut() {
        if value.is_object() || value.is_array() {
            *value = Value::String(value.to_string());
        }
    }
    for name in collection.optional() {
        row.entry(*name).or_insert(Value::Null);
    }
    row
}

/// Columns that are objects in documents.
const OBJECTS: [&str; 1] = ["geometry"];

/// The document of a pushed row. What the client keeps for itself stays behind.
pub fn unflat(mut row: Members) -> Members {
    row.remove("_status");
    row.remove("_changed");
    row.remove("_deleted");
    for name in OBJECTS {
        if let Some(value) = row.get_mut(name)
            && let Some(parsed) = value
                .as_str()
                .and_then(|text| serde_json::from_str(text).ok())
        {
            *value = parsed;
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::Position;

    #[test]
    fn a_tag_becomes_a_row_and_a_document_again() {
        let document = json!({"id": "a", "geometry": {"type": "Point", "coordinates": [1.5, 2.5]}});
        let document = Document::new(Position::default(), false, &document).unwrap();
        let mut row = flat(Collection::Tags, document.clone());
        assert_eq!(
            row["geometry"],
            json!(r#"{"coordinates":[1.5,2.5],"type":"Point"}"#)
        );
        assert_eq!(row["note"], Value::Null);
        row.insert("_status".to_owned(), json!("created"));
        row.insert("_changed".to_owned(), json!(""));
        let mut back = unflat(row);
        back.remove("note");
        assert_eq!(back, document.members);
    }
}
