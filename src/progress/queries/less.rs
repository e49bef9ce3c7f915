//! Statements that take looks out of the sums. What comes to nothing has no row.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::db::DbError;

/// Takes looks from volunteers; gives the campaign of each volunteer who has none left there.
pub async fn less_of_volunteers(
    db: &impl GenericClient,
    looks: &BTreeMap<(Uuid, Uuid), i32>,
) -> Result<Vec<Uuid>, DbError> {
    let sql = "-- progress::less_of_volunteers
        WITH given AS (
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int4[]) AS g (campaign_id, volunteer_id, looks)
        ), fewer AS (
            UPDATE campaign_volunteers AS v SET looks = v.looks - g.looks
            FROM given AS g
            WHERE v.campaign_id = g.campaign_id AND v.volunteer_id = g.volunteer_id AND v.looks > g.looks
        )
        DELETE FROM campaign_volunteers AS v
        USING given AS g
        WHERE v.campaign_id = g.campaign_id AND v.volunteer_id = g.volunteer_id AND v.looks <= g.looks
        RETURNING v.campaign_id";
    let (keys, counts): (Vec<(Uuid, Uuid)>, Vec<i32>) = looks.iter().map(|(k, v)| (*k, *v)).unzip();
    let (campaigns, volunteers): (Vec<Uuid>, Vec<Uuid>) = keys.into_iter().unzip();
    let rows = db
        .query_typed(
            sql,
            &[
                (&campaigns, Type::UUID_ARRAY),
                (&volunteers, Type::UUID_ARRAY),
                (&counts, Type::INT4_ARRAY),
            ],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get("campaign_id")).collect())
}

/// Takes looks from minutes.
pub async fn less_of_minutes(
    db: &impl GenericClient,
    looks: &BTreeMap<(Uuid, Timestamp), i32>,
) -> Result<(), DbError> {
    let sql = "-- progress::less_of_minutes
        WITH given AS (
            SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::int4[]) AS g (campaign_id, minute, looks)
        ), fewer AS (
            UPDATE campaign_minutes AS m SET looks = m.looks - g.looks
            FROM given AS g
            WHERE m.campaign_id = g.campaign_id AND m.minute = g.minute AND m.looks > g.looks
        )
        DELETE FROM campaign_minutes AS m
        USING given AS g
        WHERE m.campaign_id = g.campaign_id AND m.minute = g.minute AND m.looks <= g.looks";
    let (keys, counts): (Vec<(Uuid, Timestamp)>, Vec<i32>) =
        looks.iter().map(|(k, v)| (*k, *v)).unzip();
    let (campaigns, minutes): (Vec<Uuid>, Vec<Timestamp>) = keys.into_iter().unzip();
    db.execute_typed(
        sql,
        &[
            (&campaigns, Type::UUID_ARRAY),
            (&minutes, Type::TIMESTAMPTZ_ARRAY),
            (&counts, Type::INT4_ARRAY),
        ],
    )
    .await?;
    Ok(())
}
