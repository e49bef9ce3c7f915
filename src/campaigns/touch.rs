//! A change that another feature makes to a campaign: it is held, changed, and has a new version.

use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::{define::record_version, queries};
use crate::http::Problem;

pub use queries::hold;

/// Makes a new version of a campaign, in the transaction that holds it, and keeps what is told at
/// that version. Call [`super::forget`] after the commit.
pub async fn touch(db: &impl GenericClient, id: Uuid, by: Uuid) -> Result<(), Problem> {
    queries::touch(db, id).await?;
    record_version(db, id, Some(by)).await?;
    Ok(())
}
