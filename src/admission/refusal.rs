//! What somebody is told who is not let through: a problem for programs, a page for people.
//!
//! **Invariant:** a refusal is made from memory: neither the database nor the cache is asked.

use actix_web::{
    HttpResponse, ResponseError,
    http::header::{self, HeaderMap, HeaderValue},
};

use super::{
    class::{Class, Kind},
    page::Page,
};
use crate::http::{Problem, events, middleware::Routine, packing::takes};

/// `Retry-After` of a mode, which lasts minutes or hours, in seconds.
const MODE_RETRY_SECS: u32 = 30;
/// The same for whoever is not let in yet.
const LATER_RETRY_SECS: u32 = 60;
/// The same for what was not finished in time.
const UNFINISHED_RETRY_SECS: u32 = 5;
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Reason {
    /// The queue of the class is full.
    QueueFull,
    /// No permit came free in time.
    WaitedTooLong,
    /// It was not finished in time.
    Unfinished,
    /// Only a part of the volunteers is let in.
    NotLetIn,
    ReadOnly,
    Maintenance,
}

impl Reason {
    pub const ALL: [Self; 6] = [
        Self::QueueFull,
        Self::WaitedTooLong,
        Self::Unfinished,
        Self::NotLetIn,
        Self::ReadOnly,
        Self::Maintenance,
    ];

    /// As metrics name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::WaitedTooLong => "waited_too_long",
            Self::Unfinished => "unfinished",
            Self::NotLetIn => "not_let_in",
            Self::ReadOnly => "read_only",
            Self::Maintenance => "maintenance",
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::QueueFull | Self::WaitedTooLong => "overloaded",
            _ => self.as_str(),
        }
    }

    fn detail(self) -> &'static str {
        match self {
            Self::QueueFull | Self::WaitedTooLong => {
                "Very many people are here at the moment, and this request was not begun. Send it again after the time in Retry-After."
            }
            Self::Unfinished => {
                "This was not finished in time, and it is not known how much of it was done. Looks can be sent again: they are not stored twice. Look before you repeat anything else."
            }
            Self::NotLetIn => {
                "Many people are coming, and they are let in one part after the other. You will be let in: ask again after the time in Retry-After. Looks are taken at any time."
            }
            Self::ReadOnly => {
                "Nothing can be changed at the moment; reading works. This request changed nothing: keep what it says, and send it again after the time in Retry-After."
            }
            Self::Maintenance => {
                "The service is being maintained, and this request was not begun. Keep what it says, and send it again after the time in Retry-After."
            }
        }
    }

    /// How the page for people names it; none where people do not come by an address.
    pub fn on_page(self) -> Option<&'static str> {
        match self {
            Self::QueueFull | Self::WaitedTooLong | Self::Unfinished => Some("overloaded"),
            Self::NotLetIn => Some("not_let_in"),
            Self::Maintenance => Some("maintenance"),
            Self::ReadOnly => None,
        }
    }
}

/// A refusal of one request.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub kind: Kind,
    pub reason: Reason,
    pub retry_secs: u32,
    /// What the operators say.
    pub message: Option<String>,
}

impl Refusal {
    /// Too much is in work; the seconds are those until this caller's turn.
    pub fn overloaded(kind: Kind, reason: Reason, retry_secs: u32) -> Self {
        Self {
            kind,
            reason,
            retry_secs,
            message: None,
        }
    }

    /// The operators want it so.
    pub fn by_mode(kind: Kind, reason: Reason, message: Option<String>) -> Self {
        let retry_secs = match reason {
            Reason::NotLetIn => LATER_RETRY_SECS,
            _ => MODE_RETRY_SECS,
        };
        Self {
            kind,
            reason,
            retry_secs,
            message,
        }
    }

    pub fn unfinished(class: Class) -> Problem {
        let reason = Reason::Unfinished;
        tracing::warn!(class = class.as_str(), "a request was not finished in time");
        Problem::unavailable(reason.code(), reason.detail(), UNFINISHED_RETRY_SECS)
    }

    /// As the caller wants to see it.
    pub fn answer(self, asked: &HeaderMap, page: Option<&Page>) -> HttpResponse {
        if self.kind == Kind::Stream {
            return events::later();
        }
        let mut response = match (page, self.reason.on_page()) {
            (Some(page), Some(name)) if prefers_page(asked, self.kind == Kind::Page) => {
                self.page(asked, page, name)
            }
            _ => Problem::unavailable(self.reason.code(), self.reason.detail(), self.retry_secs)
                .with_message(self.message)
                .error_response(),
        };
        response.extensions_mut().insert(Routine);
        response
    }

    fn page(&self, asked: &HeaderMap, page: &Page, name: &'static str) -> HttpResponse {
        let made = page.of(name, self.retry_secs, self.message.as_deref());
        let accepted = asked
            .get(header::ACCEPT_ENCODING)
            .and_then(|accepted| accepted.to_str().ok());
        let mut response = HttpResponse::ServiceUnavailable();
        response
            .insert_header((header::CONTENT_TYPE, HTML))
            .insert_header((header::CACHE_CONTROL, NO_STORE))
            .insert_header((header::RETRY_AFTER, self.retry_secs))
            .insert_header((header::CONTENT_SECURITY_POLICY, page.policy().clone()))
            .insert_header((header::REFERRER_POLICY, "same-origin"))
            .insert_header((header::X_FRAME_OPTIONS, "DENY"));
        if accepted.is_some_and(|accepted| takes(accepted, "gzip")) {
            response.insert_header((header::CONTENT_ENCODING, "gzip"));
            response.body(made.gzip)
        } else {
            response.body(made.plain)
        }
    }
}

/// Whether a page is wanted rather than a problem: a browser that opens an address names
/// `text/html`, a program does not.
fn prefers_page(asked: &HeaderMap, is_page: bool) -> bool {
    let accepted = asked
        .get(header::ACCEPT)
        .and_then(|accepted| accepted.to_str().ok())
        .unwrap_or_default();
    let (mut page, mut problem) = (0.0_f32, 0.0_f32);
    for range in accepted.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts
            .find_map(|part| part.strip_prefix("q="))
            .and_then(|weight| weight.parse().ok())
            .unwrap_or(1.0);
        if name.eq_ignore_ascii_case("text/html") {
            page = weight;
        } else if name
            .get(name.len().saturating_sub(4)..)
            .is_some_and(|end| end.eq_ignore_ascii_case("json"))
        {
            problem = weight.max(problem);
        }
    }
    page > problem || is_page && problem == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_that_open_an_address_want_a_page_and_programs_a_problem() {
        let chromium = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        for (accepted, at_call, at_page) in [
            (chromium, true, true),
            ("text/html", true, true),
            ("*/*", false, true),
            ("", false, true),
            ("application/json", false, false),
            ("application/json, text/html;q=0.5", false, false),
            ("text/html, application/json;q=0.5", true, true),
            ("application/geo+json", false, false),
            ("image/avif,image/webp,*/*;q=0.8", false, true),
        ] {
            let mut asked = HeaderMap::new();
            asked.insert(header::ACCEPT, HeaderValue::from_static(accepted));
            assert_eq!(prefers_page(&asked, false), at_call, "{accepted}");
            assert_eq!(prefers_page(&asked, true), at_page, "{accepted}");
        }
    }
}
