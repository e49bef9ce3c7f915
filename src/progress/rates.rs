//! The series of rates: looks in steps of a period, short enough to draw.

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use tokio_postgres::GenericClient;
use utoipa::ToSchema;
use uuid::Uuid;

use super::queries;
use crate::http::Problem;

/// Points of a series.
pub const POINTS_MAX: i64 = 200;
/// Lengths of a step, in seconds; the last one serves however long the campaign runs.
const STEPS: [i32; 7] = [60, 600, 3600, 6 * 3600, 86_400, 7 * 86_400, 28 * 86_400];
const HOUR_SECS: i64 = 3600;
const DAY_SECS: i64 = 86_400;

/// How far back a series goes.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    #[default]
    Hour,
    Day,
    /// Since the first look.
    All,
}

impl Period {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::All => "all",
        }
    }
}

/// Looks over time.
#[derive(Serialize, ToSchema)]
pub struct RatesView {
    /// Length of a step.
    pub step_seconds: i32,
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// Oldest first. A step that is left out had no looks; after `as_of` nothing is known.
    pub points: Vec<RateView>,
}

/// Looks of one step.
#[derive(Serialize, ToSchema)]
pub struct RateView {
    #[schema(value_type = String, format = DateTime)]
    pub start: Timestamp,
    pub looks: i64,
}

/// The series of a campaign that ends now.
pub async fn read(
    db: &impl GenericClient,
    campaign_id: Uuid,
    period: Period,
    first_look_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<RatesView, Problem> {
    let (from, step_seconds) = grid(period, first_look_at, now)?;
    let points = queries::series(db, campaign_id, from, step_seconds).await?;
    Ok(RatesView {
        step_seconds,
        from,
        to: now,
        points: points
            .into_iter()
            .map(|(start, looks)| RateView { start, looks })
            .collect(),
    })
}

/// Beginning and step of a series, the beginning at a multiple of the step.
fn grid(
    period: Period,
    first_look_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(Timestamp, i32), Problem> {
    let seconds = match period {
        Period::Hour => HOUR_SECS,
        Period::Day => DAY_SECS,
        Period::All => {
            let first = first_look_at.unwrap_or(now);
            now.as_second()
                .saturating_sub(first.as_second())
                .max(HOUR_SECS)
        }
    };
    let fits = |step: &&i32| seconds / i64::from(**step) < POINTS_MAX;
    let step = STEPS.iter().find(fits).copied().unwrap_or(STEPS[6]);
    let start = now
        .checked_sub(seconds.seconds())
        .map_err(|e| Problem::internal(&e))?
        .as_second();
    let from = Timestamp::from_second(start - start.rem_euclid(i64::from(step)))
        .map_err(|e| Problem::internal(&e))?;
    Ok((from, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_series_begins_at_a_whole_step_and_is_short_enough_to_draw() {
        let now = at("2026-03-08T12:34:56Z");
        for (period, first, from, step) in [
            (Period::Hour, None, "2026-03-08T11:34:00Z", 60),
            (Period::Day, None, "2026-03-07T12:30:00Z", 600),
            (Period::All, None, "2026-03-08T11:34:00Z", 60),
            (
                Period::All,
                Some("2026-03-08T10:00:30Z"),
                "2026-03-08T10:00:00Z",
                60,
            ),
            (
                Period::All,
                Some("2026-03-01T00:00:00Z"),
                "2026-03-01T00:00:00Z",
                3600,
            ),
            (
                Period::All,
                Some("2020-03-01T00:00:00Z"),
                "2020-02-20T00:00:00Z",
                28 * 86_400,
            ),
        ] {
            let (start, seconds) = grid(period, first.map(at), now).unwrap();
            assert_eq!(seconds, step, "{period:?} since {first:?}");
            assert_eq!(start, at(from), "{period:?} since {first:?}");
            assert!((now.as_second() - start.as_second()) / i64::from(seconds) <= POINTS_MAX);
        }
    }
}
