//! The OpenAPI document: what all operations share is added here, once, by rule.

use std::collections::BTreeMap;

use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HeaderBuilder, InfoBuilder, LicenseBuilder, ObjectBuilder,
    OpenApi, OpenApiBuilder, Ref, RefOr, Response, ResponseBuilder, Schema, ServerBuilder, Type,
    path::{Operation, ParameterIn},
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa::{PartialSchema, ToSchema};

use super::{FieldError, ProblemBody};

/// Codes that any call can answer, beside those of its own.
const DESCRIPTION: &str = "\
Spotter is the backend with which a crowd searches imagery: *what are we looking for*, *where should \
I look next*, and what the crowd saw.

**Conventions.** JSON; geometry as GeoJSON (RFC 7946) in EPSG:4326; times RFC 3339 in UTC; ids of looks \
and tags are UUIDs made by the client (version 7 advised). `{campaign}` is a slug or an id. Every `GET` \
also answers `HEAD`; `OPTIONS` lists the methods, and another method gets 405 (`method_not_allowed`) with `Allow`. Lists are objects with `next` where there is a next page.

**Problems** are `application/problem+json` (RFC 9457) with a stable `code`; refused members are listed in \
`errors` with JSON pointers. Those below `/v1/sync/` have `error: true`, by which stock clients tell them from documents. Answers that ask for patience carry `Retry-After` in seconds.

**What is sent.** A body may be packed by gzip or deflate (`Content-Encoding`); its limit holds for both sizes. An address has \
8,192 bytes at most (414, `address_too_long`), the head of a request 96 headers and 128 KiB (431). A head has to come within \
10 seconds (408); a body or an answer that moves less than 2 KiB a second for that long is given up.

**Who calls.** Volunteers are anonymous: `POST /v1/volunteers` gives a signed token. Organisers use an API \
key. Both are sent as `Authorization: Bearer …`; a key may also be the password of Basic authentication.

**Limits.** Calls are counted for each volunteer, API key and network. Answers that are for you alone say how you \
stand: `RateLimit-Policy` and `RateLimit` (units left `r`, seconds until they are renewed `t`), and for older clients \
`X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset` (Unix time). Beyond a limit the answer is 429 with a \
`Retry-After` after which the call passes; a refused call costs nothing.

**Under load** a bounded number of calls of each class is in work; beyond it, and in the modes that `GET /v1/mode` \
tells, the answer is 503 with a `Retry-After` that says when it is your turn. `overloaded`: nothing was begun. `unfinished`: \
it took too long; how much was done is not known. `not_let_in`: volunteers are let in one part after the other, looks are \
taken from all. `read_only`: nothing can be changed at the moment. `maintenance`: nothing works. The operators' words are \
in `message`. Keep what was not taken, and send it again.

**Retries** are safe: a look or tag is known by its id, and the same content again is answered as the first time.";

/// Completes what was collected from the handlers.
pub fn complete(mut collected: OpenApi) -> OpenApi {
    for (path, item) in &mut collected.paths.paths {
        for (operation, has_body) in operations(item) {
            let secured = operation.security.is_some();
            add_problems(operation, has_body, secured);
            if is_limited(path, has_body) {
                add_refusal(operation);
            }
            name_uniquely(operation);
        }
    }
    let mut document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Spotter")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(DESCRIPTION))
                .license(Some(
                    LicenseBuilder::new()
                        .name("Apache-2.0")
                        .identifier(Some("Apache-2.0"))
                        .build(),
                )),
        )
        .servers(Some([ServerBuilder::new().url("/").build()]))
        .paths(collected.paths)
        .components(Some(components(collected.components)))
        .build();
    document.tags = None;
    document
}

/// Whether calls of an operation are counted (`rates` does it): all but the reading of the mode.
fn is_limited(path: &str, has_body: bool) -> bool {
    path.starts_with("/v1/") && (path != "/v1/mode" || has_body)
}

fn add_refusal(operation: &mut Operation) {
    operation.responses.responses.entry("429".to_owned()).or_insert_with(|| {
        RefOr::T(problem(
            "Too many calls: send the same again after `Retry-After`; nothing was done. Code: `too_many_requests`.",
        ))
    });
}

/// Handlers are named within their feature: `read` of Campaigns becomes `campaigns_read`.
fn name_uniquely(operation: &mut Operation) {
    let tag = operation
        .tags
        .iter()
        .flatten()
        .next()
        .map(|tag| tag.to_ascii_lowercase());
    if let (Some(tag), Some(name)) = (tag, &operation.operation_id) {
        operation.operation_id = Some(format!("{tag}_{name}"));
    }
}

/// Methods of each path, for `Allow`.
pub fn methods(document: &OpenApi) -> Vec<(String, Vec<&'static str>)> {
    document
        .paths
        .paths
        .iter()
        .map(|(path, item)| {
            let mut methods = Vec::new();
            if item.get.is_some() {
                methods.extend(["GET", "HEAD"]);
            }
            for (name, operation) in [
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
            ] {
                if operation.is_some() {
                    methods.push(name);
                }
            }
            methods.push("OPTIONS");
            (path.clone(), methods)
        })
        .collect()
}

fn operations(
    item: &mut utoipa::openapi::PathItem,
) -> impl Iterator<Item = (&mut Operation, bool)> {
    [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .filter_map(Option::as_mut)
    .map(|operation| {
        let has_body = operation.request_body.is_some();
        (operation, has_body)
    })
}

fn add_problems(operation: &mut Operation, has_body: bool, secured: bool) {
    let in_path = operation.parameters.as_ref().is_some_and(|all| {
        all.iter().any(|parameter| {
                matches!(parameter, RefOr::T(found) if found.parameter_in == ParameterIn::Path)
            })
    });
    let mut add = |status: &str, what: &str| {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(problem(what)));
    };
    add(
        "400",
        "The query, a cursor or the body cannot be read. Codes: `invalid_query`, `invalid_cursor`, `malformed_json`, `body_unreadable`.",
    );
    if secured {
        add(
            "401",
            "No credentials, or refused ones. Codes: `credentials_missing`, `token_refused`, `key_refused`.",
        );
        add(
            "403",
            "These credentials do not allow it. Code: `scope_missing`, `organiser_needed`, `volunteer_needed`.",
        );
    }
    if in_path {
        add(
            "404",
            "The address names nothing. Codes: `not_found`, `campaign_not_found`, `layer_not_found`, `tag_not_found`.",
        );
    }
    if has_body {
        add("408", "The body came too slowly. Code: `body_too_slow`.");
        add(
            "413",
            "The body is larger than allowed here, packed or unpacked. Code: `body_too_large`.",
        );
        add(
            "415",
            "The body is not JSON by its Content-Type, or packed in another way than by gzip or deflate; `Accept-Encoding` names them. Codes: `not_json`, `unknown_coding`.",
        );
        add(
            "422",
            "A member is missing, unknown, of the wrong kind or not allowed; `errors` says which. Code: `invalid_body` and those of the call.",
        );
    }
    add(
        "500",
        "Something failed inside; it was logged under the request id. Code: `internal_error`.",
    );
    add(
        "503",
        "Too busy, or the database is away: try again after `Retry-After`. Codes: `database_busy`, `database_away`.",
    );
}

fn problem(description: &str) -> Response {
    let mut response = ResponseBuilder::new()
        .description(description)
        .content(
            "application/problem+json",
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("ProblemBody")))
                .build(),
        )
        .build();
    response.headers.insert(
        "X-Request-Id".to_owned(),
        HeaderBuilder::new()
            .description(Some("Id of the request, as in the logs."))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build()
            .into(),
    );
    response
}

fn components(collected: Option<utoipa::openapi::Components>) -> utoipa::openapi::Components {
    let mut components = collected.unwrap_or_else(|| ComponentsBuilder::new().build());
    open_parts(&mut components.schemas);
    components
        .schemas
        .insert(ProblemBody::name().into_owned(), ProblemBody::schema());
    components
        .schemas
        .insert(FieldError::name().into_owned(), FieldError::schema());
    components.security_schemes.insert(
        "volunteer".to_owned(),
        bearer("A volunteer's token, from `POST /v1/volunteers`."),
    );
    components.security_schemes.insert(
        "organiser".to_owned(),
        bearer("An organiser's API key, from `spotter organiser create`."),
    );
    components
}

/// A schema that is part of another one must not forbid the other's members.
fn open_parts(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    let parts: Vec<String> = schemas
        .values()
        .filter_map(|schema| match schema {
            RefOr::T(Schema::AllOf(all)) => Some(&all.items),
            _ => None,
        })
        .flatten()
        .filter_map(|item| match item {
            RefOr::Ref(part) => part.ref_location.rsplit('/').next().map(str::to_owned),
            RefOr::T(_) => None,
        })
        .collect();
    for part in parts {
        if let Some(RefOr::T(Schema::Object(object))) = schemas.get_mut(&part) {
            object.additional_properties = None;
        }
    }
}

fn bearer(description: &str) -> RefOr<SecurityScheme> {
    RefOr::T(SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(description))
            .build(),
    ))
}
