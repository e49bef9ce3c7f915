//! Statements of changes that other features make to a campaign.

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::{Campaign, concat_columns, from_row};
use crate::db::DbError;

/// The campaign as it is now; until the end of the transaction nobody else changes it.
pub async fn hold(db: &impl GenericClient, id: Uuid) -> Result<Option<Campaign>, DbError> {
    let sql = concat_columns(
        "-- campaigns::hold\nSELECT ",
        " FROM campaigns WHERE id = $1 FOR NO KEY UPDATE",
    );
    let row = db.query_typed_opt(&sql, &[(&id, Type::UUID)]).await?;
    row.as_ref().map(from_row).transpose()
}

pub async fn touch(db: &impl GenericClient, id: Uuid) -> Result<(), DbError> {
    let sql = "-- campaigns::touch
        UPDATE campaigns SET version = version + 1, updated_at = now(), xid = pg_current_xact_id()
        WHERE id = $1";
    db.execute_typed(sql, &[(&id, Type::UUID)]).await?;
    Ok(())
}
