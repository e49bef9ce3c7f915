//! The pages, embedded in the program: hashed assets that never change, and documents with a
//! strict Content-Security-Policy. A program that was built without `--release` reads them from
//! `web/dist` instead, as they are at that moment.
//!
//! **Invariant:** a page loads nothing from another host, and runs no script that was not in it
//! when the program was built: inline scripts and styles are allowed by their hash.

use std::{collections::BTreeMap, sync::LazyLock};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
    web,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use crate::http::{Problem, etag, packing::takes};

#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Files;

/// Addresses of documents and the files behind them.
const DOCUMENTS: [(&str, &str); 7] = [
    ("/", "index.html"),
    ("/busy.html", BUSY),
    ("/s/{slug}", VOLUNTEER),
    ("/organise", ORGANISER),
    ("/organise/new", ORGANISER),
    ("/organise/{slug}", ORGANISER),
    ("/organise/{slug}/edit", ORGANISER),
];
/// The organiser's pages show it in a frame, to try a campaign out.
const VOLUNTEER: &str = "volunteer.html";
const ORGANISER: &str = "organise.html";
const BUSY: &str = "busy.html";
/// What keeps the volunteer's page on a device for times without a network (a service worker). Browsers ask for it
/// again and again, so that a device never stays with the pages of an older program.
const OFFLINE: &str = "offline.js";
/// It fetches from this server, and does nothing else.
const OFFLINE_POLICY: &str = "default-src 'none'; connect-src 'self'";

/// Codings for which files were made at build time, best first.
const PRECOMPRESSED: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Policy of each document, made once.
static POLICIES: LazyLock<BTreeMap<&'static str, HeaderValue>> = LazyLock::new(|| {
    DOCUMENTS
        .iter()
        .filter_map(|(_, file)| Some((*file, policy_of(file)?)))
        .collect()
});

fn policy_of(file: &str) -> Option<HeaderValue> {
    let html = Files::get(file)?;
    let policy = policy(file, &String::from_utf8_lossy(&html.data));
    HeaderValue::from_str(&policy).ok()
}

pub fn routes(config: &mut web::ServiceConfig) {
    for (path, file) in DOCUMENTS {
        config.route(
            path,
            web::get().to(move |req: HttpRequest| async move { document(&req, file) }),
        );
    }
    config.route("/assets/{path:.*}", web::get().to(asset));
    config.route("/favicon.svg", web::get().to(favicon));
    config.route("/offline.js", web::get().to(offline));
}

/// The page for people who cannot be let through, and its policy; none in a program without pages.
pub fn busy() -> Option<(String, HeaderValue)> {
    let html = Files::get(BUSY)?;
    let html = String::from_utf8_lossy(&html.data).into_owned();
    Some((html, policy_of(BUSY)?))
}

/// Addresses of pages, for `Allow`.
pub fn paths() -> impl Iterator<Item = &'static str> {
    DOCUMENTS.iter().map(|(path, _)| *path).chain([
        "/assets/{path:.*}",
        "/favicon.svg",
        "/offline.js",
    ])
}

fn document(req: &HttpRequest, file: &'static str) -> Result<HttpResponse, Problem> {
    if Files::get(file).is_none() {
        return Err(Problem::not_found(
            "pages_missing",
            "This program was built without its pages. Build them with `./dev build`.",
        ));
    }
    let mut response = serve(req, file, "no-cache")?;
    let headers = response.headers_mut();
    let policy = if cfg!(debug_assertions) {
        policy_of(file)
    } else {
        POLICIES.get(file).cloned()
    };
    if let Some(policy) = policy {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    let framing = if file == VOLUNTEER {
        "SAMEORIGIN"
    } else {
        "DENY"
    };
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static(framing));
    Ok(response)
}

async fn asset(req: HttpRequest, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    serve(
        &req,
        &format!("assets/{path}"),
        "public, max-age=31536000, immutable",
    )
}

async fn favicon(req: HttpRequest) -> Result<HttpResponse, Problem> {
    serve(&req, "favicon.svg", "public, max-age=86400")
}

async fn offline(req: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut response = serve(&req, OFFLINE, "no-cache")?;
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(OFFLINE_POLICY),
    );
    Ok(response)
}

/// A file in the best coding that was made of it and that the browser takes.
fn serve(req: &HttpRequest, file: &str, lifetime: &'static str) -> Result<HttpResponse, Problem> {
    let whole = Files::get(file)
        .ok_or_else(|| Problem::not_found("not_found", "There is no such page or asset."))?;
    let accepted = req
        .headers()
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let coded = PRECOMPRESSED.iter().find_map(|(coding, ending)| {
        let file = takes(accepted, coding).then(|| Files::get(&format!("{file}{ending}")))??;
        Some((*coding, file))
    });
    let tag = etag::of_hash(&whole.metadata.sha256_hash());
    let (coding, data) = match coded {
        Some((coding, file)) => (Some(coding), file.data),
        None => (None, whole.data),
    };
    let mut response = etag::respond(
        req,
        &tag,
        lifetime,
        || Ok(Bytes::from(data.into_owned())),
        media_type(file),
    )?;
    let headers = response.headers_mut();
    if let Some(coding) = coding
        && response_has_body(headers)
    {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    Ok(response)
}

fn response_has_body(headers: &header::HeaderMap) -> bool {
    headers.contains_key(header::CONTENT_TYPE)
}

fn media_type(file: &str) -> &'static str {
    match file.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" => "image/jpeg",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

/// The policy of a document: itself, and its inline scripts and styles by hash.
fn policy(file: &str, html: &str) -> String {
    let scripts = hashes(html, "script");
    let styles = hashes(html, "style");
    let frames = if file == ORGANISER {
        "'self'"
    } else {
        "'none'"
    };
    let ancestors = if file == VOLUNTEER {
        "'self'"
    } else {
        "'none'"
    };
    format!(
        "default-src 'none'; script-src 'self'{scripts}; style-src 'self'{styles}; \
         img-src 'self' blob: data:; connect-src 'self'; worker-src 'self' blob:; \
         manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-src {frames}; \
         frame-ancestors {ancestors}"
    )
}

/// Hashes of the inline elements of a kind, as source expressions (CSP 3, 6.7.3).
fn hashes(html: &str, element: &str) -> String {
    let (open, close) = (format!("<{element}"), format!("</{element}>"));
    let contents = html.split(&open).skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (content, _) = rest.split_once(&close)?;
        (!attributes.contains("src=") && !content.is_empty()).then_some(content)
    });
    contents.fold(String::new(), |sources, content| {
        sources + " 'sha256-" + &STANDARD.encode(Sha256::digest(content)) + "'"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_scripts_are_allowed_by_hash_and_others_by_origin() {
        let policy = policy(
            ORGANISER,
            "<script>alert(1)</script><script src=\"/a.js\"></script><style>b{}</style>",
        );
        assert_eq!(policy.matches("sha256-").count(), 2, "{policy}");
        assert!(policy.contains(&STANDARD.encode(Sha256::digest("alert(1)"))));
    }
}
