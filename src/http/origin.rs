//! Where clients reach this server, for answers that must name whole addresses.
//!
//! **Invariant:** what a request says of it is checked to be a host and no more, and an answer made
//! from it is kept by no shared cache, so nobody can have others sent elsewhere.

use actix_web::{
    HttpRequest,
    http::{StatusCode, header},
};
use url::Url;

use super::Problem;

/// For everybody: the address is a setting.
const SHARED: &str = "public, max-age=60, s-maxage=300, stale-while-revalidate=3600";
/// For who asked: the address is what their request said.
const OWN: &str = "private, max-age=60";

/// Scheme and host, or the setting `PUBLIC_URL`, without a slash at the end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    pub url: String,
    /// How long an answer that names it may be kept, and by whom.
    pub cache_control: &'static str,
}

impl Origin {
    /// From the setting, else from `Forwarded`, `X-Forwarded-Proto`, `X-Forwarded-Host` or `Host`.
    pub fn of(req: &HttpRequest, public_url: Option<&str>) -> Result<Self, Problem> {
        if let Some(url) = public_url {
            return Ok(Self {
                url: url.trim_end_matches('/').to_owned(),
                cache_control: SHARED,
            });
        }
        let said = req.connection_info();
        let url = checked(said.scheme(), said.host()).ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_host",
                format!(
                    "The request does not say at which address it came in. Send {}, or set PUBLIC_URL on the server.",
                    header::HOST
                ),
            )
        })?;
        Ok(Self {
            url,
            cache_control: OWN,
        })
    }
}

/// An origin that is nothing but scheme, host and port.
fn checked(scheme: &str, host: &str) -> Option<String> {
    let is_plain = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte));
    if !is_plain || host.is_empty() {
        return None;
    }
    let url = Url::parse(&format!("{scheme}://{host}/")).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn of(headers: &[(&'static str, &'static str)]) -> Result<String, Problem> {
        let request = headers
            .iter()
            .fold(TestRequest::default(), |request, header| {
                request.insert_header(*header)
            });
        Origin::of(&request.to_http_request(), None).map(|origin| origin.url)
    }

    #[test]
    fn the_address_is_what_the_proxies_say_else_the_host() {
        let host = ("host", "a.example:8080");
        assert_eq!(of(&[host]).unwrap(), "http://a.example:8080");
        let proxy = [
            host,
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "b.example"),
        ];
        assert_eq!(of(&proxy).unwrap(), "https://b.example");
        let standard = [host, ("forwarded", "proto=https;host=\"c.example\"")];
        assert_eq!(of(&standard).unwrap(), "https://c.example");
        assert_eq!(of(&[("host", "[::1]:80")]).unwrap(), "http://[::1]");
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for host in ["a.example/x?", "x@a.example", "a\"><script>", "a:99999", ""] {
            assert!(of(&[("host", "a"), ("x-forwarded-host", host)]).is_err() || host.is_empty());
        }
        assert!(of(&[("host", "a"), ("x-forwarded-proto", "javascript")]).is_err());
    }

    #[test]
    fn the_setting_goes_before_what_a_request_says() {
        let request = TestRequest::default()
            .insert_header(("host", "a.example"))
            .to_http_request();
        let origin = Origin::of(&request, Some("https://spotter.example/sub/")).unwrap();
        assert_eq!(origin.url, "https://spotter.example/sub");
        assert!(origin.cache_control.starts_with("public"));
    }
}
