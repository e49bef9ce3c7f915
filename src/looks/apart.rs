//! Looks whose tags come apart from them, before or after, as phones sync them.
//!
//! The content of such a look is without tags. So one that has none is the same look on every way
//! by which it is sent; one that was stored with its tags is told from others by its members.

use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::{
    batcher::{distinct, judge},
    check,
    model::{Look, NewLook, Stored},
    queries,
};
use crate::{db::DbError, http::Problem, state::App};

/// The looks at one campaign in the form in which they are stored, or why they are refused.
///
/// Holds no connection afterwards. An `Err` for all of them when the campaign is not there.
pub async fn examine(
    app: &App,
    volunteer_id: Uuid,
    campaign: &str,
    given: Vec<NewLook>,
) -> Result<Vec<Result<Look, Problem>>, Problem> {
    let given: Vec<Result<NewLook, Problem>> = given.into_iter().map(Ok).collect();
    super::examine(app, volunteer_id, campaign, &given, check::check_apart).await
}

/// Stores looks in the caller's transaction and says what became of each, in order.
pub async fn store(db: &impl GenericClient, looks: &[&Look]) -> Result<Vec<Stored>, DbError> {
    if looks.is_empty() {
        return Ok(Vec::new());
    }
    let kept = queries::store(db, &distinct(looks.iter().copied())).await?;
    Ok(judge(looks.iter().copied(), kept))
}

/// What tells such a look from another one under its id.
pub fn hash(look: &NewLook, campaign_id: Uuid) -> [u8; 32] {
    check::hash(look, campaign_id)
}
