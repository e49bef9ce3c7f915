//! A group into the database: tried again after a passing failure, and without the looks that
//! cannot be stored.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    super::{
        model::{Kept, Look, Stored},
        queries,
    },
    group,
};
use crate::{
    db::{Db, DbError},
    http::Problem,
};

/// Rest after a passing failure, which is doubled each time up to the longest.
const REST_FIRST: Duration = Duration::from_millis(20);
const REST_MAX: Duration = Duration::from_millis(500);

type Outcome = Result<Stored, Problem>;

/// What became of each look, in order; an `Err` where that is not known.
pub async fn store(db: &Db, looks: &[&Look], until: Instant) -> Vec<Outcome> {
    let mut outcomes: Vec<Option<Outcome>> = looks.iter().map(|_| None).collect();
    let mut parts: Vec<Vec<usize>> = vec![(0..looks.len()).collect()];
    while let Some(mut part) = parts.pop() {
        let chosen: Vec<&Look> = part.iter().map(|index| looks[*index]).collect();
        let cause = match write(db, &chosen, until).await {
            Ok(kept) => {
                for (index, stored) in part.iter().zip(group::judge(chosen, kept)) {
                    outcomes[*index] = Some(Ok(stored));
                }
                continue;
            }
            Err(cause) if cause.is_about_rows() => cause,
            Err(cause) => {
                let problem = Problem::from(cause);
                for index in part {
                    outcomes[index] = Some(Err(problem.clone()));
                }
                continue;
            }
        };
        let taken = if cause.violates("tags_pkey") {
            with_taken_tags(db, &chosen, until).await
        } else {
            Vec::new()
        };
        for at in taken.iter().rev() {
            outcomes[part.remove(*at)] = Some(Ok(Stored::TagIdTaken));
        }
        match part.as_slice() {
            [] => {}
            [one] if taken.is_empty() => {
                outcomes[*one] = Some(Ok(Stored::Failed(Problem::internal(&cause))));
            }
            // One of them is to blame: the halves are tried, the earlier one first.
            many if taken.is_empty() => {
                let (first, second) = many.split_at(many.len() / 2);
                parts.extend([second.to_vec(), first.to_vec()]);
            }
            _ => parts.push(part),
        }
    }
    outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(|| Err(Problem::internal(&"a look was passed over"))))
        .collect()
}

/// One statement and its commit, tried until a time.
///
/// Whether a commit happened is not known after a lost connection, and does not matter: what it
/// stored is found under the same ids.
async fn write(db: &Db, looks: &[&Look], until: Instant) -> Result<Vec<Kept>, DbError> {
    let looks = group::distinct(looks.iter().copied());
    let seconds = metrics::histogram!("looks_commit_seconds");
    patiently(until, async || {
        let conn = db.get().await?;
        let begin = Instant::now();
        let kept = queries::store(&*conn, &looks).await?;
        seconds.record(begin.elapsed());
        Ok(kept)
    })
    .await
}

/// Places of the looks with a tag whose id another look's tag has; none when they cannot be read.
async fn with_taken_tags(db: &Db, looks: &[&Look], until: Instant) -> Vec<usize> {
    let found = patiently(until, async || {
        queries::find_taken_tags(&*db.get().await?, looks).await
    })
    .await;
    found.unwrap_or_default()
}

/// Tries again after passing failures, as long as the next attempt begins before a time.
async fn patiently<T>(
    until: Instant,
    attempt: impl AsyncFn() -> Result<T, DbError>,
) -> Result<T, DbError> {
    let mut rest = REST_FIRST;
    loop {
        match attempt().await {
            Err(cause)
                if (cause.is_passing() || cause.is_timeout()) && Instant::now() + rest < until =>
            {
                metrics::counter!("looks_retries_total").increment(1);
                tracing::warn!(%cause, "looks could not be stored yet; it is tried again");
                sleep(rest).await;
                rest = (rest * 2).min(REST_MAX);
            }
            result => return result,
        }
    }
}
