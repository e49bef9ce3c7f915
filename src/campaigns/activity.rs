//! How lively campaigns are: the few numbers that a list of them shows. Read from what the
//! worker derives.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{GenericClient, types::Type};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::DbError;

/// Somebody whose last look is younger than this is looking now, in seconds.
const ACTIVE_SECS: f64 = 300.0;
/// Most whole minutes of which `looks_per_minute` is the mean.
const RATE_MINUTES: i32 = 5;

/// How far a campaign is, and what happens in it now.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Activity {
    /// Cells with as many looks as wanted.
    pub cells_done: i64,
    /// Cells that the organiser closed; they are not among those done.
    pub cells_closed: i64,
    /// Looks of every outcome.
    pub looks: i64,
    /// Tags that were not withdrawn.
    pub tags: i64,
    /// Volunteers with a look in the last five minutes.
    pub volunteers_active: i64,
    /// Mean of the last five whole minutes, or of those since the first look; null before there
    /// is one.
    pub looks_per_minute: Option<f64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_look_at: Option<Timestamp>,
}

/// The activity of each of these campaigns.
pub async fn read(
    db: &impl GenericClient,
    campaigns: &[Uuid],
) -> Result<BTreeMap<Uuid, Activity>, DbError> {
    let sql = "-- campaigns::activity
        SELECT c.id, coalesce(t.looks, 0) AS looks, coalesce(t.cells_closed, 0) AS cells_closed, seen.last_look_at,
               (SELECT coalesce(sum(cells), 0)::int8 FROM cell_counts AS k
                WHERE k.campaign_id = c.id AND k.looks >= c.looks_wanted) AS cells_done,
               (SELECT coalesce(sum(tags), 0)::int8 FROM campaign_tags AS g
                WHERE g.campaign_id = c.id) AS tags,
               (SELECT count(*) FROM campaign_volunteers AS v
                WHERE v.campaign_id = c.id
                  AND v.last_look_at > now() - make_interval(secs => $2)) AS volunteers_active,
               CASE WHEN seen.first < whole.until THEN
                   (SELECT coalesce(sum(m.looks), 0)::float8
                           / least($3, extract(epoch FROM whole.until - seen.first) / 60)::float8
                    FROM campaign_minutes AS m
                    WHERE m.campaign_id = c.id AND m.minute < whole.until
                      AND m.minute >= whole.until - make_interval(mins => $3))
               END AS looks_per_minute
        FROM campaigns AS c
        LEFT JOIN campaign_totals AS t ON t.campaign_id = c.id
        CROSS JOIN (SELECT date_trunc('minute', now()) AS until) AS whole
        CROSS JOIN LATERAL (
            SELECT (SELECT max(last_look_at) FROM campaign_volunteers AS v
                    WHERE v.campaign_id = c.id) AS last_look_at,
                   (SELECT min(minute) FROM campaign_minutes AS m
                    WHERE m.campaign_id = c.id) AS first) AS seen
        WHERE c.id = ANY ($1)";
    let rows = db
        .query_typed(
            sql,
            &[
                (&campaigns, Type::UUID_ARRAY),
                (&ACTIVE_SECS, Type::FLOAT8),
                (&RATE_MINUTES, Type::INT4),
            ],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| {
            let activity = Activity {
                cells_done: row.get("cells_done"),
                cells_closed: row.get("cells_closed"),
                looks: row.get("looks"),
                tags: row.get("tags"),
                volunteers_active: row.get("volunteers_active"),
                looks_per_minute: row.get("looks_per_minute"),
                last_look_at: row.get("last_look_at"),
            };
            (row.get("id"), activity)
        })
        .collect())
}
