//! Statements about tiles on their way. Each is short and holds no lock longer than itself.

use std::time::Duration;

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::TileId;
use crate::{db::DbError, imagery::fetch::FetchError};

/// Whether a tile may be fetched.
#[derive(Debug)]
pub enum Verdict {
    /// By us, until the lease ends.
    Ours,
    /// Somebody else does.
    Fetching,
    /// Somebody did.
    Failed(FetchError),
    /// The limits of the source are reached; ask again after this time.
    Busy(Duration),
    /// The source is left alone for this time.
    Resting(Duration),
}

/// Who wants to fetch, and what the source allows.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    pub id: TileId,
    pub holder: Uuid,
    pub lease: Duration,
    /// How long a fetch that finds out whether a source is back keeps others from it.
    pub trial: Duration,
    pub at_once: u16,
    pub per_second: u16,
    /// Nobody waits for it.
    pub is_ahead: bool,
}

pub async fn claim(db: &impl GenericClient, claim: &Claim) -> Result<Verdict, DbError> {
    let sql = "-- imagery::claim
        SELECT verdict, failure, wait_ms FROM claim_tile($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let row = db
        .query_typed_one(
            sql,
            &[
                (&claim.id.layer, Type::UUID),
                (&claim.id.revision, Type::INT4),
                (&claim.id.cell.get(), Type::INT8),
                (&claim.holder, Type::UUID),
                (&millis(claim.lease), Type::INT4),
                (&millis(claim.trial), Type::INT4),
                (&i32::from(claim.at_once), Type::INT4),
                (&i32::from(claim.per_second), Type::INT4),
                (&claim.is_ahead, Type::BOOL),
            ],
        )
        .await?;
    let wait_ms: i32 = row.get("wait_ms");
    let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0));
    let failure = row
        .get::<_, Option<&str>>("failure")
        .and_then(|failure| serde_json::from_str(failure).ok());
    match row.get("verdict") {
        "ours" => Ok(Verdict::Ours),
        "fetching" => Ok(Verdict::Fetching),
        "missing" => Ok(Verdict::Failed(FetchError::Missing)),
        "failed" => Ok(Verdict::Failed(failure.unwrap_or(FetchError::Unreachable))),
        "resting" => Ok(Verdict::Resting(wait)),
        "busy" => Ok(Verdict::Busy(wait)),
        other => Err(DbError::Damaged(format!("claim_tile: verdict {other:?}"))),
    }
}

/// Goes on holding a tile; whether it is still ours.
pub async fn renew(
    db: &impl GenericClient,
    id: TileId,
    holder: Uuid,
    lease: Duration,
) -> Result<bool, DbError> {
    let sql = "-- imagery::renew
        UPDATE tile_fetches SET until = now() + $5 * interval '1 millisecond'
        WHERE layer_id = $1 AND revision = $2 AND tile = $3 AND holder = $4 AND state = 'fetching'";
    let renewed = db
        .execute_typed(
            sql,
            &[
                (&id.layer, Type::UUID),
                (&id.revision, Type::INT4),
                (&id.cell.get(), Type::INT8),
                (&holder, Type::UUID),
                (&millis(lease), Type::INT4),
            ],
        )
        .await?;
    Ok(renewed == 1)
}

/// Lets go of a tile. When the source answered, its failures are forgotten; a rest that it demanded
/// stays, unless this fetch was to find out.
pub async fn let_go(
    db: &impl GenericClient,
    id: TileId,
    holder: Uuid,
    has_answered: bool,
) -> Result<(), DbError> {
    let sql = "-- imagery::let_go
        WITH gone AS (
            DELETE FROM tile_fetches
            WHERE layer_id = $1 AND revision = $2 AND tile = $3 AND holder = $4 AND state = 'fetching'
        )
        UPDATE tile_sources
        SET failures = 0, trials = 0,
            rests_until = CASE WHEN trial_holder = $4 THEN NULL ELSE rests_until END,
            trial_holder = nullif(trial_holder, $4)
        WHERE $5 AND layer_id = $1 AND (failures > 0 OR trial_holder = $4)";
    db.execute_typed(
        sql,
        &[
            (&id.layer, Type::UUID),
            (&id.revision, Type::INT4),
            (&id.cell.get(), Type::INT8),
            (&holder, Type::UUID),
            (&has_answered, Type::BOOL),
        ],
    )
    .await?;
    Ok(())
}

/// Leaves what came of a tile that is held, for a while.
pub async fn leave(
    db: &impl GenericClient,
    id: TileId,
    holder: Uuid,
    (failure, lifetime): (&FetchError, Duration),
) -> Result<(), DbError> {
    let sql = "-- imagery::leave
        UPDATE tile_fetches SET state = $5, failure = $6, until = now() + $7 * interval '1 millisecond'
        WHERE layer_id = $1 AND revision = $2 AND tile = $3 AND holder = $4";
    let state = match failure {
        FetchError::Missing => "missing",
        _ => "failed",
    };
    db.execute_typed(
        sql,
        &[
            (&id.layer, Type::UUID),
            (&id.revision, Type::INT4),
            (&id.cell.get(), Type::INT8),
            (&holder, Type::UUID),
            (&state, Type::TEXT),
            (&serde_json::to_string(failure).ok(), Type::TEXT),
            (&millis(lifetime), Type::INT4),
        ],
    )
    .await?;
    Ok(())
}

/// When a source is left alone.
#[derive(Clone, Copy, Debug)]
pub struct RestRules {
    /// Failures in a row after which it is.
    pub failures_max: i32,
    /// For how long at first; each fetch that finds out in vain doubles it.
    pub first: Duration,
    pub longest: Duration,
}

/// A source failed, and perhaps demands to be left alone. Gives how long it is left alone.
pub async fn source_failed(
    db: &impl GenericClient,
    layer: Uuid,
    holder: Uuid,
    (demanded, rules): (Option<u32>, RestRules),
) -> Result<Option<Duration>, DbError> {
    // Those that failed together count as one. A fifth more or less, so that sources that failed
    // together are not asked together.
    let sql = "-- imagery::source_failed
        INSERT INTO tile_sources AS s (layer_id, failures, rests_until)
        VALUES ($1, 1, now() + $3 * interval '1 second')
        ON CONFLICT ON CONSTRAINT tile_sources_pkey DO UPDATE
        SET failures = least(s.failures, 1000) + 1,
            trials = CASE WHEN s.trial_holder = $2 THEN least(s.trials, 30) + 1 ELSE s.trials END,
            rests_until = greatest(
                CASE WHEN s.trial_holder = $2 THEN NULL ELSE s.rests_until END,
                EXCLUDED.rests_until,
                CASE WHEN s.trial_holder = $2 OR (s.rests_until IS NULL AND s.failures + 1 >= $4) THEN
                    now() + least($6, $5 * power(2, s.trials + (s.trial_holder IS NOT NULL)::int))
                        * (0.8 + 0.4 * random()) * interval '1 millisecond'
                END),
            trial_holder = nullif(s.trial_holder, $2)
        RETURNING (1000 * extract(epoch FROM rests_until - now()))::float8 AS rests_ms";
    let row = db
        .query_typed_one(
            sql,
            &[
                (&layer, Type::UUID),
                (&holder, Type::UUID),
                (&demanded.map(f64::from), Type::FLOAT8),
                (&rules.failures_max, Type::INT4),
                (&f64::from(millis(rules.first)), Type::FLOAT8),
                (&f64::from(millis(rules.longest)), Type::FLOAT8),
            ],
        )
        .await?;
    let rests_ms: Option<f64> = row.get("rests_ms");
    Ok(rests_ms
        .filter(|ms| *ms > 0.0)
        .and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok()))
}

/// Removes what does not count any more.
pub async fn forget_ended(db: &impl GenericClient) -> Result<u64, DbError> {
    let sql = "-- imagery::forget_ended
        DELETE FROM tile_fetches WHERE until < now() - interval '1 minute'";
    Ok(db.execute_typed(sql, &[]).await?)
}

fn millis(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}
