//! The HTTP conventions of all features: problems, bodies, pages, entity tags, limits,
//! the OpenAPI document.
//!
//! **Invariant:** every answer with a status of 400 or more is `application/problem+json` with a
//! stable `code`, carries CORS headers and a request id, and never shows what went wrong inside.

mod access;
pub mod connection;
mod cors;
pub mod etag;
pub mod events;
pub mod extract;
pub mod limits;
pub mod merge;
pub mod middleware;
pub mod openapi;
pub mod origin;
pub mod packing;
pub mod page;
mod problem;
pub mod ready;
mod receive;
mod routes;
pub mod text;

pub use extract::{Body, OptionalBody, PathParam, Query};
pub use problem::{FieldError, FieldErrors, Problem, ProblemBody};
pub use routes::Routes;
