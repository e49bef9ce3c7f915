//! Errors as clients see them: RFC 9457 with a stable `code`.

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::middleware::{current_request_id, is_marked};
use crate::db::DbError;

/// Most field errors that one problem lists.
pub const FIELD_ERRORS_MAX: usize = 50;

/// One field that was refused.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where in the body, as a JSON pointer (RFC 6901).
    #[schema(example = "/tags/0/geometry")]
    pub pointer: String,
    /// What was found, what is needed.
    pub detail: String,
}

/// Collects what is wrong with an input, all of it rather than the first.
#[derive(Clone, Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    pub fn push(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        if self.0.len() < FIELD_ERRORS_MAX {
            self.0.push(FieldError {
                pointer: pointer.into(),
                detail: detail.into(),
            });
        }
    }

    /// Notes the error unless the condition holds.
    pub fn need(&mut self, holds: bool, pointer: &str, detail: impl FnOnce() -> String) {
        if !holds {
            self.push(pointer, detail());
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Ok` if nothing was noted.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    pub fn into_vec(self) -> Vec<FieldError> {
        self.0
    }
}

/// An answer that says what went wrong and what to do.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    retry_after_secs: Option<u32>,
    /// The organiser's words, when a campaign is paused.
    message: Option<String>,
    challenge: bool,
    /// Codings of a body that would have been accepted.
    codings: Option<&'static str>,
}

/// The problem on the wire.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(title = "Problem")]
pub struct ProblemBody {
    /// A URI reference that names the kind of problem; the part after `#` is the `code`.
    #[serde(rename = "type")]
    #[schema(example = "/docs#look_refused")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What was found, what is needed, what to do.
    pub detail: String,
    /// Stable; branch on this, never on texts.
    #[schema(example = "look_refused")]
    pub code: String,
    /// The same as the header `X-Request-Id`; name it when you report the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Fields that were refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// What the organisers say, where they said something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Always true; only below `/v1/sync/`, where clients look for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<bool>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_secs: None,
            message: None,
            challenge: false,
            codings: None,
        }
    }

    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub fn unauthorized(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            challenge: true,
            ..Self::new(StatusCode::UNAUTHORIZED, code, detail)
        }
    }

    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    pub fn unprocessable(
        code: &'static str,
        detail: impl Into<String>,
        errors: FieldErrors,
    ) -> Self {
        Self {
            errors: errors.into_vec(),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
        }
    }

    pub fn unavailable(
        code: &'static str,
        detail: impl Into<String>,
        retry_after_secs: u32,
    ) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(retry_after_secs)
    }

    /// The cause is logged here, once, and not shown.
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(request.id = current_request_id(), cause = %cause, "a request failed inside");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "Something failed inside the server. It was logged; name the request id when you report it.",
        )
    }

    #[must_use]
    pub fn retry_after(mut self, secs: u32) -> Self {
        self.retry_after_secs = Some(secs.max(1));
        self
    }

    /// Tells which codings of the body are understood.
    #[must_use]
    pub fn accepting(mut self, codings: &'static str) -> Self {
        self.codings = Some(codings);
        self
    }

    #[must_use]
    pub fn with_message(mut self, message: Option<String>) -> Self {
        self.message = message;
        self
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub fn code(&self) -> &'static str {
        self.code
    }

    pub fn body(&self) -> ProblemBody {
        ProblemBody {
            kind: format!("/docs#{}", self.code),
            title: self
                .status
                .canonical_reason()
                .unwrap_or("Problem")
                .to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            code: self.code.to_owned(),
            request_id: current_request_id(),
            errors: self.errors.clone(),
            message: self.message.clone(),
            error: is_marked().then_some(true),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(secs) = self.retry_after_secs {
            response.insert_header((header::RETRY_AFTER, secs));
        }
        if self.challenge {
            response.insert_header((
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"spotter\""),
            ));
        }
        if let Some(codings) = self.codings {
            response.insert_header((header::ACCEPT_ENCODING, HeaderValue::from_static(codings)));
        }
        response.json(self.body())
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Busy => Self::unavailable(
                "database_busy",
                "All connections to the database are in use. Try again after the time in Retry-After.",
                2,
            ),
            error if error.is_passing() => {
                tracing::warn!(cause = %error, "the database did not answer");
                Self::unavailable(
                    "database_away",
                    "The database cannot be reached at the moment. Try again after the time in Retry-After.",
                    5,
                )
            }
            error => Self::internal(&error),
        }
    }
}

impl From<tokio_postgres::Error> for Problem {
    fn from(error: tokio_postgres::Error) -> Self {
        DbError::from(error).into()
    }
}
