//! Requests that no handler took: `OPTIONS`, 405 with `Allow`, 404.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    dev::ResourceDef,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
    web::Data,
};
use anyhow::Context;

use crate::http::Problem;

/// Which methods each address has.
pub struct Methods {
    table: Vec<(ResourceDef, HeaderValue)>,
}

impl Methods {
    pub fn new(
        api: &[(String, Vec<&'static str>)],
        pages: impl Iterator<Item = &'static str>,
    ) -> anyhow::Result<Self> {
        let read_only = HeaderValue::from_static("GET, HEAD, OPTIONS");
        let mut table = Vec::new();
        for (path, methods) in api {
            let allow = HeaderValue::from_str(&methods.join(", ")).context("Allow")?;
            table.push((ResourceDef::new(path.as_str()), allow));
        }
        let others = ["/docs", "/docs/{_:.*}"];
        for path in others.into_iter().chain(pages) {
            table.push((ResourceDef::new(path), read_only.clone()));
        }
        Ok(Self { table })
    }

    fn allow(&self, path: &str) -> Option<&HeaderValue> {
        self.table
            .iter()
            .find(|(pattern, _)| pattern.is_match(path))
            .map(|(_, allow)| allow)
    }
}

pub async fn answer(req: HttpRequest, methods: Data<Methods>) -> HttpResponse {
    match methods.allow(req.path()) {
        Some(allow) if req.method() == Method::OPTIONS => HttpResponse::NoContent()
            .insert_header((header::ALLOW, allow.clone()))
            .finish(),
        Some(allow) => {
            let mut response = Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                format!(
                    "{} is not possible here; {} are.",
                    req.method(),
                    allow.to_str().unwrap_or_default()
                ),
            )
            .error_response();
            response.headers_mut().insert(header::ALLOW, allow.clone());
            response
        }
        None => Problem::not_found(
            "not_found",
            "There is nothing at this address. /docs lists all that there is.",
        )
        .error_response(),
    }
}
