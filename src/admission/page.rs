//! The page for people who cannot be let through: `busy.html`, filled in.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use actix_web::http::header::HeaderValue;
use bytes::Bytes;

use crate::http::ready;

/// What is filled in, as the file has it.
const REASON: &str = "data-reason=\"overloaded\"";
const RETRY: &str = "data-retry=\"20\"";
const MESSAGE: &str = "<p class=\"message\" id=\"message\" dir=\"auto\" hidden></p>";

/// The page, and what was made of it: its forms are few, and packing one costs more than sending it.
pub struct Page {
    html: String,
    policy: HeaderValue,
    made: Mutex<Made>,
}

/// Forms of the page with one message.
#[derive(Default)]
struct Made {
    message: Option<String>,
    forms: HashMap<(&'static str, u32), Form>,
}

#[derive(Clone)]
pub struct Form {
    pub plain: Bytes,
    pub gzip: Bytes,
}

impl Page {
    /// From the file and its Content-Security-Policy. Errors: the file lacks what is filled in.
    pub fn new(html: String, policy: HeaderValue) -> anyhow::Result<Self> {
        for hole in [REASON, RETRY, MESSAGE] {
            anyhow::ensure!(
                html.matches(hole).count() == 1,
                "busy.html must have {hole} once"
            );
        }
        Ok(Self {
            html,
            policy,
            made: Mutex::default(),
        })
    }

    pub fn policy(&self) -> &HeaderValue {
        &self.policy
    }

    /// The form for a reason, a wait and the operators' message.
    pub fn of(&self, reason: &'static str, retry_secs: u32, message: Option<&str>) -> Form {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.message.as_deref() != message {
            *made = Made {
                message: message.map(str::to_owned),
                ..Made::default()
            };
        }
        let form = made.forms.entry((reason, retry_secs));
        form.or_insert_with(|| self.make(reason, retry_secs, message))
            .clone()
    }

    fn make(&self, reason: &str, retry_secs: u32, message: Option<&str>) -> Form {
        let mut html = self
            .html
            .replacen(REASON, &format!("data-reason=\"{reason}\""), 1)
            .replacen(RETRY, &format!("data-retry=\"{retry_secs}\""), 1);
        if let Some(message) = message {
            let shown = format!(
                "<p class=\"message\" id=\"message\" dir=\"auto\">{}</p>",
                escape(message)
            );
            html = html.replacen(MESSAGE, &shown, 1);
        }
        let gzip = ready::gzip(html.as_bytes()).unwrap_or_default();
        Form {
            plain: html.into(),
            gzip: gzip.into(),
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let html = format!("<main {REASON} {RETRY}>{MESSAGE}</main>");
        Page::new(html, HeaderValue::from_static("default-src 'none'")).unwrap()
    }

    #[test]
    fn reason_wait_and_message_are_filled_in() {
        let page = page();
        let text = |form: Form| String::from_utf8(form.plain.to_vec()).unwrap();
        assert_eq!(
            text(page.of("maintenance", 30, Some("Back at <16:00> & later"))),
            "<main data-reason=\"maintenance\" data-retry=\"30\"><p class=\"message\" id=\"message\" dir=\"auto\">Back at &lt;16:00&gt; &amp; later</p></main>"
        );
        let without = text(page.of("maintenance", 30, None));
        assert!(without.contains(MESSAGE), "{without}");
    }

    #[test]
    fn a_file_that_lacks_something_is_refused() {
        let policy = HeaderValue::from_static("default-src 'none'");
        assert!(Page::new("<main></main>".to_owned(), policy).is_err());
    }
}
