//! Statements of progress: sums and series here, the map and one cell beside.

mod cell;
mod less;
mod map;

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use crate::db::DbError;

pub use cell::{answers, cell};
pub use less::{less_of_minutes, less_of_volunteers};
pub use map::{Block, Ranges, blocks_within, cells_within};

/// How the sums of a block change.
#[derive(Clone, Copy, Debug, Default)]
pub struct BlockDelta {
    pub cells: i64,
    pub looks: i64,
    pub bad_imagery: i64,
    pub tags: i64,
    pub closed: i64,
}

/// How the totals of a campaign change.
#[derive(Clone, Copy, Debug, Default)]
pub struct TotalsDelta {
    pub looks: i64,
    pub tagged: i64,
    pub nothing: i64,
    pub skipped: i64,
    pub bad_imagery: i64,
    pub volunteers: i64,
    pub cells_bad_imagery: i64,
    pub cells_closed: i64,
}

impl TotalsDelta {
    /// So many looks more of an outcome.
    pub fn count(&mut self, outcome: &str, looks: i64) {
        self.looks += looks;
        match outcome {
            "tagged" => self.tagged += looks,
            "nothing" => self.nothing += looks,
            "skipped" => self.skipped += looks,
            _ => self.bad_imagery += looks,
        }
    }
}

/// Adds cells without looks, when they are made.
pub async fn add_cells(
    db: &impl GenericClient,
    campaign_id: Uuid,
    cells: i64,
) -> Result<(), DbError> {
    add_cell_counts(db, &BTreeMap::from([((campaign_id, 0), cells)])).await
}

/// Moves the number of cells that have so many looks and are not closed.
pub async fn add_cell_counts(
    db: &impl GenericClient,
    deltas: &BTreeMap<(Uuid, i16), i64>,
) -> Result<(), DbError> {
    let sql = "-- progress::add_cell_counts
        INSERT INTO cell_counts (campaign_id, looks, cells)
        SELECT * FROM unnest($1::uuid[], $2::int2[], $3::int8[])
        ON CONFLICT ON CONSTRAINT cell_counts_pkey
        DO UPDATE SET cells = cell_counts.cells + excluded.cells";
    let (keys, cells): (Vec<(Uuid, i16)>, Vec<i64>) = deltas.iter().map(|(k, v)| (*k, *v)).unzip();
    let (campaigns, looks): (Vec<Uuid>, Vec<i16>) = keys.into_iter().unzip();
    db.execute_typed(
        sql,
        &[
            (&campaigns, Type::UUID_ARRAY),
            (&looks, Type::INT2_ARRAY),
            (&cells, Type::INT8_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

/// Moves the sums of blocks.
pub async fn add_blocks(
    db: &impl GenericClient,
    deltas: &BTreeMap<(Uuid, i64), BlockDelta>,
) -> Result<(), DbError> {
    let sql = "-- progress::add_blocks
        INSERT INTO blocks (campaign_id, block, cells, looks, bad_imagery, tags, closed)
        SELECT * FROM unnest($1::uuid[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[],
                             $7::int8[])
        ON CONFLICT ON CONSTRAINT blocks_pkey DO UPDATE
        SET cells = blocks.cells + excluded.cells, looks = blocks.looks + excluded.looks,
            bad_imagery = blocks.bad_imagery + excluded.bad_imagery,
            tags = blocks.tags + excluded.tags, closed = blocks.closed + excluded.closed";
    let (campaigns, blocks): (Vec<Uuid>, Vec<i64>) = deltas.keys().copied().unzip();
    let column = |of: fn(&BlockDelta) -> i64| -> Vec<i64> { deltas.values().map(of).collect() };
    let (cells, looks) = (column(|d| d.cells), column(|d| d.looks));
    let (bad_imagery, tags) = (column(|d| d.bad_imagery), column(|d| d.tags));
    let closed = column(|d| d.closed);
    db.execute_typed(
        sql,
        &[
            (&campaigns, Type::UUID_ARRAY),
            (&blocks, Type::INT8_ARRAY),
            (&cells, Type::INT8_ARRAY),
            (&looks, Type::INT8_ARRAY),
            (&bad_imagery, Type::INT8_ARRAY),
            (&tags, Type::INT8_ARRAY),
            (&closed, Type::INT8_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

/// Adds looks to volunteers; gives the campaign of each volunteer that was not known there.
pub async fn add_volunteers(
    db: &impl GenericClient,
    looks: &BTreeMap<(Uuid, Uuid), (i32, Timestamp)>,
) -> Result<Vec<Uuid>, DbError> {
    let sql = "-- progress::add_volunteers
        INSERT INTO campaign_volunteers (campaign_id, volunteer_id, looks, last_look_at)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int4[], $4::timestamptz[])
        ON CONFLICT ON CONSTRAINT campaign_volunteers_pkey DO UPDATE
        SET looks = campaign_volunteers.looks + excluded.looks,
            last_look_at = greatest(campaign_volunteers.last_look_at, excluded.last_look_at)
        RETURNING campaign_id, xmax = 0 AS is_new";
    let (campaigns, volunteers): (Vec<Uuid>, Vec<Uuid>) = looks.keys().copied().unzip();
    let (counts, times): (Vec<i32>, Vec<Timestamp>) = looks.values().copied().unzip();
    let rows = db
        .query_typed(
            sql,
            &[
                (&campaigns, Type::UUID_ARRAY),
                (&volunteers, Type::UUID_ARRAY),
                (&counts, Type::INT4_ARRAY),
                (&times, Type::TIMESTAMPTZ_ARRAY),
            ],
        )
        .await?;
    Ok(rows
        .iter()
        .filter(|row| row.get("is_new"))
        .map(|row| row.get("campaign_id"))
        .collect())
}

pub async fn add_minutes(
    db: &impl GenericClient,
    looks: &BTreeMap<(Uuid, Timestamp), i32>,
) -> Result<(), DbError> {
    let sql = "-- progress::add_minutes
        INSERT INTO campaign_minutes (campaign_id, minute, looks)
        SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::int4[])
        ON CONFLICT ON CONSTRAINT campaign_minutes_pkey
        DO UPDATE SET looks = campaign_minutes.looks + excluded.looks";
    let (campaigns, minutes): (Vec<Uuid>, Vec<Timestamp>) = looks.keys().copied().unzip();
    let counts: Vec<i32> = looks.values().copied().collect();
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

pub async fn add_totals(
    db: &impl GenericClient,
    deltas: &BTreeMap<Uuid, TotalsDelta>,
) -> Result<(), DbError> {
    let sql = "-- progress::add_totals
        INSERT INTO campaign_totals AS t (campaign_id, looks, tagged, nothing, skipped, bad_imagery,
                                          volunteers, cells_bad_imagery, cells_closed)
        SELECT * FROM unnest($1::uuid[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[],
                             $7::int8[], $8::int8[], $9::int8[])
        ON CONFLICT ON CONSTRAINT campaign_totals_pkey DO UPDATE
        SET looks = t.looks + excluded.looks, tagged = t.tagged + excluded.tagged,
            nothing = t.nothing + excluded.nothing, skipped = t.skipped + excluded.skipped,
            bad_imagery = t.bad_imagery + excluded.bad_imagery,
            volunteers = t.volunteers + excluded.volunteers,
            cells_bad_imagery = t.cells_bad_imagery + excluded.cells_bad_imagery,
            cells_closed = t.cells_closed + excluded.cells_closed";
    let campaigns: Vec<Uuid> = deltas.keys().copied().collect();
    let members: [fn(&TotalsDelta) -> i64; 8] = [
        |d| d.looks,
        |d| d.tagged,
        |d| d.nothing,
        |d| d.skipped,
        |d| d.bad_imagery,
        |d| d.volunteers,
        |d| d.cells_bad_imagery,
        |d| d.cells_closed,
    ];
    let columns: Vec<Vec<i64>> = members
        .iter()
        .map(|of| deltas.values().map(of).collect())
        .collect();
    let mut params: Vec<(&(dyn tokio_postgres::types::ToSql + Sync), Type)> =
        vec![(&campaigns, Type::UUID_ARRAY)];
    for column in &columns {
        params.push((column, Type::INT8_ARRAY));
    }
    db.execute_typed(sql, &params).await?;
    Ok(())
}

/// The numbers of a campaign but for its activity, tags and series.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    pub tagged: i64,
    pub nothing: i64,
    pub skipped: i64,
    pub bad_imagery: i64,
    pub volunteers: i64,
    pub cells_bad_imagery: i64,
    pub looks_missing: i64,
}

pub async fn totals(
    db: &impl GenericClient,
    campaign_id: Uuid,
    looks_wanted: i16,
) -> Result<Totals, DbError> {
    let sql = "-- progress::totals
        SELECT coalesce(t.tagged, 0) AS tagged, coalesce(t.nothing, 0) AS nothing,
               coalesce(t.skipped, 0) AS skipped, coalesce(t.bad_imagery, 0) AS bad_imagery,
               coalesce(t.volunteers, 0) AS volunteers,
               coalesce(t.cells_bad_imagery, 0) AS cells_bad_imagery,
               (SELECT coalesce(sum(cells * ($2 - looks)), 0)::int8 FROM cell_counts
                WHERE campaign_id = $1 AND looks < $2) AS looks_missing
        FROM (SELECT 1) AS one
        LEFT JOIN campaign_totals AS t ON t.campaign_id = $1";
    let row = db
        .query_typed_one(
            sql,
            &[(&campaign_id, Type::UUID), (&looks_wanted, Type::INT2)],
        )
        .await?;
    Ok(Totals {
        tagged: row.get("tagged"),
        nothing: row.get("nothing"),
        skipped: row.get("skipped"),
        bad_imagery: row.get("bad_imagery"),
        volunteers: row.get("volunteers"),
        cells_bad_imagery: row.get("cells_bad_imagery"),
        looks_missing: row.get("looks_missing"),
    })
}

pub async fn tags_by_type(
    db: &impl GenericClient,
    campaign_id: Uuid,
) -> Result<BTreeMap<String, i64>, DbError> {
    let sql = "-- progress::tags_by_type
        SELECT tag_type, tags FROM campaign_tags WHERE campaign_id = $1";
    let rows = db.query_typed(sql, &[(&campaign_id, Type::UUID)]).await?;
    Ok(rows
        .iter()
        .map(|row| (row.get("tag_type"), row.get("tags")))
        .collect())
}

/// The minute of the first look.
pub async fn first_minute(
    db: &impl GenericClient,
    campaign_id: Uuid,
) -> Result<Option<Timestamp>, DbError> {
    let sql = "-- progress::first_minute
        SELECT min(minute) AS minute FROM campaign_minutes WHERE campaign_id = $1";
    let row = db
        .query_typed_one(sql, &[(&campaign_id, Type::UUID)])
        .await?;
    Ok(row.get("minute"))
}

/// Looks in each step of a series in which there were any, oldest first. Steps begin at
/// multiples of their length since 1970.
pub async fn series(
    db: &impl GenericClient,
    campaign_id: Uuid,
    from: Timestamp,
    step_seconds: i32,
) -> Result<Vec<(Timestamp, i64)>, DbError> {
    let sql = "-- progress::series
        SELECT date_bin(make_interval(secs => $3), minute, 'epoch') AS start,
               sum(looks)::int8 AS looks
        FROM campaign_minutes
        WHERE campaign_id = $1 AND minute >= $2
        GROUP BY 1
        ORDER BY 1";
    let rows = db
        .query_typed(
            sql,
            &[
                (&campaign_id, Type::UUID),
                (&from, Type::TIMESTAMPTZ),
                (&f64::from(step_seconds), Type::FLOAT8),
            ],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| (row.get("start"), row.get("looks")))
        .collect())
}
