//! `spotter verify`: counts every number that is shown anew and compares.
//!
//! **Invariant:** one state of the database is looked at. Cells with changes that progress has
//! not read yet, decisions among them, are left out of the comparison by cell, so it can run
//! beside the crowd.

use serde::Serialize;
use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::{
    campaigns,
    db::{Db, DbError},
    feed,
    progress::READER,
};

/// Differences that one check lists at most.
const LISTED_MAX: i64 = 100;

/// A number that is not what a recount gives.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    pub campaign: String,
    /// Which number.
    pub what: String,
    pub shown: i64,
    pub counted: i64,
}

/// What was compared.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub campaigns: usize,
    pub checks: usize,
    /// Cells left out because progress has not read their last changes.
    pub cells_pending: usize,
    pub differences: Vec<Difference>,
}

/// Each compares what is shown with a recount and gives `what, shown, counted` where they differ.
/// `$1` is the campaign, `$2` the cells that are pending, `$3` the reader, `$4` the limit.
const CHECKS: [(&str, &str); 9] = [
    ("cells", include_str!("sql/verify_cells.sql")),
    ("cell_tags", include_str!("sql/verify_cell_tags.sql")),
    ("cell_counts", include_str!("sql/verify_cell_counts.sql")),
    ("totals", include_str!("sql/verify_totals.sql")),
    ("volunteers", include_str!("sql/verify_volunteers.sql")),
    ("tags", include_str!("sql/verify_tags.sql")),
    ("minutes", include_str!("sql/verify_minutes.sql")),
    ("blocks", include_str!("sql/verify_blocks.sql")),
    ("prepared", include_str!("sql/verify_prepared.sql")),
];

/// Recounts all campaigns, or one.
pub async fn verify(db: &Db, only: Option<&str>) -> anyhow::Result<Report> {
    let mut conn = db.get().await?;
    let tx = conn.begin_snapshot().await?;
    let mut report = Report::default();
    for campaign in campaigns::published(&tx).await? {
        if only.is_some_and(|only| only != campaign.slug && only != campaign.id.to_string()) {
            continue;
        }
        report.campaigns += 1;
        let pending = feed::pending_cells(&tx, READER, campaign.id).await?;
        report.cells_pending += pending.len();
        for (name, sql) in CHECKS {
            report.checks += 1;
            let found = run(&tx, name, sql, campaign.id, &pending).await?;
            report
                .differences
                .extend(found.into_iter().map(|found| Difference {
                    campaign: campaign.slug.clone(),
                    ..found
                }));
        }
    }
    if let Some(only) = only
        && report.campaigns == 0
    {
        anyhow::bail!("there is no published campaign {only:?}");
    }
    Ok(report)
}

async fn run(
    db: &impl GenericClient,
    name: &str,
    sql: &str,
    campaign_id: Uuid,
    pending: &[i64],
) -> Result<Vec<Difference>, DbError> {
    let rows = db
        .query_typed(
            sql,
            &[
                (&campaign_id, Type::UUID),
                (&pending, Type::INT8_ARRAY),
                (&READER, Type::TEXT),
                (&LISTED_MAX, Type::INT8),
            ],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Difference {
            campaign: String::new(),
            what: format!("{name}: {}", row.get::<_, String>("what")),
            shown: row.get("shown"),
            counted: row.get("counted"),
        })
        .collect())
}
