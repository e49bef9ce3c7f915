//! A prefetch as organisers see it.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::queries::{Begin, Prefetch};
use crate::imagery::Layer;

/// Before so many seconds have passed, a rate says nothing.
const RATE_AFTER_S: f64 = 1.0;

/// Where a prefetch stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrefetchState {
    /// Nobody ever began it.
    NotBegun,
    /// Workers are at it, or will be.
    Running,
    /// Somebody stopped it; it goes on when it is started again.
    Stopped,
    /// All tiles were tried; `failed` and `missing` are those that could not be had.
    Done,
}

impl PrefetchState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotBegun => "not_begun",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Done => "done",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Stopped, Self::Done]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// How far a prefetch is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PrefetchView {
    pub state: PrefetchState,
    /// Key of the layer.
    #[schema(example = "demo")]
    pub imagery_layer: String,
    /// First and last zoom.
    #[schema(min_items = 2, max_items = 2, example = json!([16, 19]))]
    pub zooms: [u8; 2],
    /// Tiles of this run, or those that a run would have.
    pub tiles: i64,
    /// Those that were tried: `fetched`, `kept`, `outside`, `missing` and `failed` together.
    pub done: i64,
    pub left: i64,
    /// Fetched from the source.
    pub fetched: i64,
    /// They were in the store.
    pub kept: i64,
    /// The layer's bounds do not reach there.
    pub outside: i64,
    /// The source has none there.
    pub missing: i64,
    /// They could not be had. Started again, only these and the missing ones are tried.
    pub failed: i64,
    /// Tiles in a second, of late.
    pub rate_per_second: f64,
    /// At that rate; `null` while nothing moves.
    pub seconds_left: Option<f64>,
    /// Workers that are at it.
    pub workers: i64,
    /// Why nothing moves: the source fails.
    pub trouble: Option<Trouble>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
}

/// What keeps a prefetch from going on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Trouble {
    /// For people.
    #[schema(example = "the source answered with status 500")]
    pub reason: String,
    /// When the source is asked again.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub retried_at: Option<Timestamp>,
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a billion tiles at most"
)]
pub fn view(known: &Prefetch, now: Timestamp) -> PrefetchView {
    let left = (known.tiles - known.done).max(0);
    let since = now.duration_since(known.before_at).as_secs_f64();
    let rate = if known.state == PrefetchState::Running && since >= RATE_AFTER_S {
        (known.done - known.before_done) as f64 / since
    } else {
        0.0
    };
    PrefetchView {
        state: known.state,
        imagery_layer: known.layer_key.clone(),
        zooms: [known.zooms.min, known.zooms.max],
        tiles: known.tiles,
        done: known.done,
        left,
        fetched: known.fetched,
        kept: known.kept,
        outside: known.outside,
        missing: known.missing,
        failed: known.failed,
        rate_per_second: (rate * 10.0).round() / 10.0,
        seconds_left: (rate > 0.0).then(|| (left as f64 / rate).round()),
        workers: known.workers,
        trouble: known.trouble.clone().map(|reason| Trouble {
            reason,
            retried_at: known.waits_until,
        }),
        started_at: Some(known.started_at),
        ended_at: known.ended_at,
    }
}

/// What a run would be.
pub fn not_begun(layer: &Layer, begin: &Begin) -> PrefetchView {
    PrefetchView {
        state: PrefetchState::NotBegun,
        imagery_layer: layer.definition.key.clone(),
        zooms: [begin.zooms.min, begin.zooms.max],
        tiles: begin.tiles,
        done: 0,
        left: begin.tiles,
        fetched: 0,
        kept: 0,
        outside: 0,
        missing: 0,
        failed: 0,
        rate_per_second: 0.0,
        seconds_left: None,
        workers: 0,
        trouble: None,
        started_at: None,
        ended_at: None,
    }
}
