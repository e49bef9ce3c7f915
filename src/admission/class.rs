//! Which class a request belongs to, by its address and method alone. Pure.
//!
//! **Invariant:** what is not known here is a read, and a write unless its method is `GET`: nothing
//! gets past the limits and modes because it was forgotten.

use std::time::Duration;

use actix_web::http::Method;

/// Parts of an address that are looked at; none has more.
const PARTS_MAX: usize = 8;

/// Requests that share permits and a queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    Reads,
    Looks,
    Assignments,
    Tiles,
    Organisers,
    Exports,
}

impl Class {
    pub const ALL: [Self; 6] = [
        Self::Reads,
        Self::Looks,
        Self::Assignments,
        Self::Tiles,
        Self::Organisers,
        Self::Exports,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Looks => "looks",
            Self::Assignments => "assignments",
            Self::Tiles => "tiles",
            Self::Organisers => "organisers",
            Self::Exports => "exports",
        }
    }

    /// Longest work, from the shortest that the settings name. A tile waits for its source,
    /// organisers send and repair large areas, and a batch of looks may come over a slow line.
    pub fn deadline(self, shortest: Duration) -> Duration {
        match self {
            Self::Reads | Self::Assignments => shortest,
            Self::Tiles => shortest * 2,
            Self::Organisers | Self::Exports => shortest * 8,
            Self::Looks => shortest * 40,
        }
    }
}

/// What admission has to know of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Health, metrics, the mode, and what is given from memory as it is: always answered.
    Open,
    /// A page for people.
    Page,
    /// Events that go on for hours. They are made from memory, and counted where they are made.
    Stream,
    Work(Work),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Work {
    pub class: Class,
    /// It changes what is stored.
    pub writes: bool,
    /// It begins something new, so that it waits while only a part of the volunteers is let in.
    pub begins: bool,
}

impl Work {
    /// Work that changes and begins nothing.
    pub const fn of(class: Class) -> Self {
        Self {
            class,
            writes: false,
            begins: false,
        }
    }

    const fn writing(self) -> Self {
        Self {
            writes: true,
            ..self
        }
    }

    const fn beginning(self) -> Self {
        Self {
            begins: true,
            ..self
        }
    }
}

/// The kind of a request. Whether it carries an organiser's key is only asked of reads.
pub fn classify(method: &Method, path: &str, has_key: impl FnOnce() -> bool) -> Kind {
    use Class::{Assignments, Exports, Looks, Organisers, Reads, Tiles};
    let mut parts = [""; PARTS_MAX];
    let mut count = 0;
    for part in path.split('/').skip(1) {
        if count == PARTS_MAX {
            break;
        }
        parts[count] = part;
        count += 1;
    }
    if *method == Method::OPTIONS {
        return Kind::Open;
    }
    let gets = *method == Method::GET || *method == Method::HEAD;
    let work = match &parts[..count] {
        [
            "livez" | "readyz" | "metrics" | "openapi.json" | "favicon.svg" | "busy.html"
            | "offline.js",
        ]
        | ["docs" | "assets", ..]
        | ["v1", "mode"] => return Kind::Open,
        ["v1", "sync", "rxdb", _, _, "pullStream"] if gets => return Kind::Stream,
        [""] | ["s", _] | ["organise", ..] if gets => return Kind::Page,
        ["v1", "campaigns", _, "assignments"] => Work::of(Assignments).writing().beginning(),
        ["v1", "campaigns", _, "assignments", "renew"] => Work::of(Assignments).writing(),
        ["v1", "campaigns", _, "packs"] if !gets => Work::of(Assignments).writing().beginning(),
        ["v1", "campaigns", _, "packs", _] if !gets => Work::of(Assignments).writing(),
        ["v1", "sync", ..] if gets => Work::of(Reads),
        ["v1", "sync", "tickets"] => Work::of(Reads),
        ["v1", "campaigns", _, "looks", ..] | ["v1", "sync", ..] => Work::of(Looks).writing(),
        ["v1", "campaigns", _, "tags", _] if !gets => Work::of(Looks).writing(),
        ["v1", "imagery", _, _, _, _] if gets => Work::of(Tiles),
        ["v1", "volunteers"] => Work::of(Reads).beginning(),
        ["v1", "campaigns", _, "downloads", _] | ["v1", "volunteers", "me", "export"] if gets => {
            Work::of(Exports)
        }
        ["v1", "campaigns", "preview"] | ["v1", "imagery", "probe"] => Work::of(Organisers),
        ["v1", "campaigns" | "imagery" | "organisers", ..] if !gets => {
            Work::of(Organisers).writing()
        }
        _ if gets && has_key() => Work::of(Organisers),
        // From memory for nearly all, and a page has to know it to say anything.
        ["v1", "campaigns"]
        | ["v1", "campaigns", _]
        | ["v1", "campaigns", _, "progress"]
        | ["v1", "imagery", _, "tilejson.json" | "WMTSCapabilities.xml"] => Work::of(Reads),
        _ if gets => Work::of(Reads).beginning(),
        _ => Work::of(Reads).writing(),
    };
    Kind::Work(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, path: &str) -> Kind {
        classify(&method.parse().unwrap(), path, || false)
    }

    fn class(method: &str, path: &str) -> (Class, bool, bool) {
        match of(method, path) {
            Kind::Work(work) => (work.class, work.writes, work.begins),
            kind => panic!("{method} {path}: {kind:?}"),
        }
    }

    #[test]
    fn health_metrics_mode_and_assets_are_always_open() {
        for path in [
            "/livez",
            "/readyz",
            "/metrics",
            "/v1/mode",
            "/assets/a/b.js",
            "/docs/",
            "/docs/index.html",
            "/openapi.json",
            "/offline.js",
        ] {
            assert_eq!(of("GET", path), Kind::Open, "{path}");
        }
        assert_eq!(of("PATCH", "/v1/mode"), Kind::Open);
        assert_eq!(of("OPTIONS", "/v1/campaigns"), Kind::Open);
    }

    #[test]
    fn pages_are_pages() {
        for path in ["/", "/s/demo", "/organise", "/organise/demo/edit"] {
            assert_eq!(of("GET", path), Kind::Page, "{path}");
        }
    }

    #[test]
    fn streams_hold_no_permit() {
        let path = "/v1/sync/rxdb/tags/0/pullStream";
        assert_eq!(of("GET", path), Kind::Stream);
        assert_eq!(class("POST", path), (Class::Looks, true, false));
    }

    #[test]
    fn every_call_has_its_class() {
        use Class::{Assignments, Exports, Looks, Organisers, Reads, Tiles};
        for (method, path, expected) in [
            ("GET", "/v1/campaigns", (Reads, false, false)),
            ("HEAD", "/v1/campaigns/demo", (Reads, false, false)),
            ("GET", "/v1/campaigns/demo/progress", (Reads, false, false)),
            (
                "GET",
                "/v1/imagery/demo/tilejson.json",
                (Reads, false, false),
            ),
            (
                "POST",
                "/v1/campaigns/demo/prefetch/stop",
                (Organisers, true, false),
            ),
            ("GET", "/v1/campaigns/demo/tags", (Reads, false, true)),
            ("GET", "/v1/campaigns/demo/tags/1", (Reads, false, true)),
            ("PATCH", "/v1/campaigns/demo/tags/1", (Looks, true, false)),
            ("DELETE", "/v1/campaigns/demo/tags/1", (Looks, true, false)),
            ("POST", "/v1/campaigns/demo/looks", (Looks, true, false)),
            (
                "POST",
                "/v1/campaigns/demo/looks/batch",
                (Looks, true, false),
            ),
            (
                "POST",
                "/v1/campaigns/demo/assignments",
                (Assignments, true, true),
            ),
            (
                "POST",
                "/v1/campaigns/demo/assignments/renew",
                (Assignments, true, false),
            ),
            ("GET", "/v1/sync/rxdb/tags/0/pull", (Reads, false, false)),
            ("POST", "/v1/sync/rxdb/tags/0/push", (Looks, true, false)),
            ("GET", "/v1/sync/watermelondb", (Reads, false, false)),
            ("POST", "/v1/sync/watermelondb", (Looks, true, false)),
            ("POST", "/v1/sync/tickets", (Reads, false, false)),
            ("POST", "/v1/volunteers", (Reads, false, true)),
            ("POST", "/v1/volunteers/me/link-codes", (Reads, true, false)),
            ("POST", "/v1/volunteers/link", (Reads, true, false)),
            ("GET", "/v1/volunteers/me/export", (Exports, false, false)),
            ("DELETE", "/v1/volunteers/me", (Reads, true, false)),
            ("GET", "/v1/imagery/demo/17/1/2", (Tiles, false, false)),
            (
                "GET",
                "/v1/campaigns/demo/downloads/tags.csv",
                (Exports, false, false),
            ),
            ("POST", "/v1/campaigns", (Organisers, true, false)),
            ("PATCH", "/v1/campaigns/demo", (Organisers, true, false)),
            (
                "PATCH",
                "/v1/campaigns/demo/cells",
                (Organisers, true, false),
            ),
            (
                "POST",
                "/v1/campaigns/demo/publish",
                (Organisers, true, false),
            ),
            ("POST", "/v1/campaigns/preview", (Organisers, false, false)),
            ("POST", "/v1/imagery/probe", (Organisers, false, false)),
            ("POST", "/v1/imagery", (Organisers, true, false)),
        ] {
            assert_eq!(class(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn packs_are_assignments() {
        use Class::{Assignments, Reads};
        let (packs, one) = ("/v1/campaigns/demo/packs", "/v1/campaigns/demo/packs/1");
        assert_eq!(class("POST", packs), (Assignments, true, true));
        assert_eq!(class("DELETE", one), (Assignments, true, false));
        assert_eq!(class("GET", packs), (Reads, false, true));
    }

    #[test]
    fn what_is_not_known_is_limited_and_a_write() {
        assert_eq!(
            class("POST", "/v1/what/comes/next"),
            (Class::Reads, true, false)
        );
        assert_eq!(class("GET", "/nowhere"), (Class::Reads, false, true));
        let long = "/a".repeat(100);
        assert_eq!(class("PUT", &long), (Class::Reads, true, false));
    }

    #[test]
    fn reads_with_a_key_are_an_organisers() {
        let kind = classify(&Method::GET, "/v1/campaigns/demo/progress", || true);
        assert_eq!(kind, Kind::Work(Work::of(Class::Organisers)));
    }
}
