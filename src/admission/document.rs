//! What admission adds to the OpenAPI document: by rule, to each call that it may refuse.

use actix_web::http::Method;
use utoipa::openapi::{
    ContentBuilder, Header, HeaderBuilder, ObjectBuilder, OpenApi, RefOr, Type, path::Operation,
};

use super::class::{Kind, Work, classify};

/// Adds codes, the page and `Retry-After` to the 503 of each call.
pub fn document(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in [
            (Method::GET, &mut item.get),
            (Method::POST, &mut item.post),
            (Method::PUT, &mut item.put),
            (Method::PATCH, &mut item.patch),
            (Method::DELETE, &mut item.delete),
        ] {
            let kind = classify(&method, path, || false);
            if let (Kind::Work(work), Some(operation)) = (kind, operation) {
                add(operation, work);
            }
        }
    }
}

fn add(operation: &mut Operation, work: Work) {
    let Some(RefOr::T(refused)) = operation.responses.responses.get_mut("503") else {
        return;
    };
    let mut codes = "`overloaded`, `unfinished`, `maintenance`".to_owned();
    if work.writes {
        codes.push_str(", `read_only`");
    }
    if work.begins {
        codes.push_str(", `not_let_in`");
    }
    let more = format!(
        " Of the service as a whole, as a page where a browser opens the address: {codes}."
    );
    refused.description.push_str(&more);
    let page = ContentBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build();
    refused.content.insert("text/html".to_owned(), page.into());
    refused
        .headers
        .insert("Retry-After".to_owned(), retry_after().into());
}

fn retry_after() -> Header {
    HeaderBuilder::new()
        .description(Some("Seconds, at least 1: sooner is of no use."))
        .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)))
        .build()
}
