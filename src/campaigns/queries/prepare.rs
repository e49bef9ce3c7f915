//! Statements of preparation and of the end of a campaign.

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::{Campaign, concat_columns, from_row};
use crate::db::DbError;

/// The campaign whose cells are to be made next, for this transaction, with the column to go on
/// with; `None` when there is none or another worker has it.
pub async fn next_to_prepare(db: &impl GenericClient) -> Result<Option<(Campaign, i64)>, DbError> {
    let sql = concat_columns(
        "-- campaigns::next_to_prepare\nSELECT prepare_column, ",
        " FROM campaigns WHERE state = 'preparing' ORDER BY published_at, id
        LIMIT 1 FOR UPDATE SKIP LOCKED",
    );
    let row = db.query_typed_opt(&sql, &[]).await?;
    row.map(|row| Ok((from_row(&row)?, row.get("prepare_column"))))
        .transpose()
}

/// Notes how far preparation came, in the transaction that stored the cells.
pub async fn record_prepared(
    db: &impl GenericClient,
    id: Uuid,
    next_column: i64,
    cells: i64,
) -> Result<(), DbError> {
    let sql = "-- campaigns::record_prepared
        UPDATE campaigns SET prepare_column = $2, cells_prepared = cells_prepared + $3
        WHERE id = $1";
    db.execute_typed(
        sql,
        &[
            (&id, Type::UUID),
            (&next_column, Type::INT8),
            (&cells, Type::INT8),
        ],
    )
    .await?;
    Ok(())
}

/// Opens a campaign whose cells are all there.
pub async fn finish_preparation(db: &impl GenericClient, id: Uuid) -> Result<(), DbError> {
    let sql = "-- campaigns::finish_preparation
        UPDATE campaigns SET state = 'open', version = version + 1, updated_at = now(),
            cells = cells_prepared
        WHERE id = $1 AND state = 'preparing'";
    db.execute_typed(sql, &[(&id, Type::UUID)]).await?;
    Ok(())
}

/// Closes campaigns whose end has come and gives their references.
pub async fn close_ended(db: &impl GenericClient) -> Result<Vec<(Uuid, String)>, DbError> {
    let sql = "-- campaigns::close_ended
        UPDATE campaigns SET state = 'closed', version = version + 1, updated_at = now()
        WHERE state IN ('open', 'paused') AND ends_at <= now()
        RETURNING id, slug";
    let rows = db.query_typed(sql, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| (row.get("id"), row.get("slug")))
        .collect())
}
