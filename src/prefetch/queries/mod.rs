//! Statements of prefetch: beginning, stopping, reading; those of the workers beside.

mod work;

use jiff::Timestamp;
use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

pub use work::{
    Piece, Results, Running, abandoned, finish, flush, new_piece, replanned, running, wait,
};

use super::{LISTED_MAX, model::PrefetchState, plan::Zooms};
use crate::{
    db::DbError,
    geo::{CellId, Tile},
};

/// Tiles of a piece that tries again what could not be had.
const RETRY_PIECE_TILES: i64 = 500;

/// What a run is planned from.
pub struct Begin {
    pub layer: Uuid,
    /// Of the layer's tiles.
    pub revision: i32,
    /// Of the campaign.
    pub version: i32,
    pub area_hash: String,
    pub zooms: Zooms,
    pub tiles: i64,
}

/// A campaign's prefetch as it is kept.
pub struct Prefetch {
    pub state: PrefetchState,
    pub layer: Uuid,
    pub layer_key: String,
    pub revision: i32,
    pub area_hash: String,
    pub zooms: Zooms,
    pub tiles: i64,
    pub done: i64,
    pub fetched: i64,
    pub kept: i64,
    pub outside: i64,
    pub missing: i64,
    pub failed: i64,
    pub trouble: Option<String>,
    pub waits_until: Option<Timestamp>,
    pub before_at: Timestamp,
    pub before_done: i64,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// With a piece in work.
    pub workers: i64,
}

impl Prefetch {
    /// Whether it is of the same tiles.
    pub fn is_of(&self, begin: &Begin) -> bool {
        self.layer == begin.layer
            && self.revision == begin.revision
            && self.area_hash == begin.area_hash
            && self.zooms == begin.zooms
    }

    /// Whether there are tiles that could not be had, and all of them are listed.
    pub fn lists_all(&self) -> bool {
        let not_had = self.failed + self.missing;
        self.state == PrefetchState::Done && not_had > 0 && not_had <= LISTED_MAX
    }
}

/// A tile that could not be had.
#[derive(Clone, Debug)]
pub struct Failure {
    pub tile: Tile,
    pub reason: String,
    pub failed_at: Timestamp,
}

const COLUMNS: &str = "
    p.state, p.imagery_layer_id, l.key AS layer_key, p.revision, p.area_hash, p.min_zoom, p.max_zoom,
    p.tiles, p.done, p.fetched, p.kept, p.outside, p.missing, p.failed, p.trouble, p.waits_until,
    p.before_at, p.before_done, p.started_at, p.ended_at,
    (SELECT count(DISTINCT w.holder) FROM prefetch_pieces AS w
     WHERE w.campaign_id = p.campaign_id AND w.run = p.run AND w.lease_until > now()) AS workers
    FROM prefetches AS p JOIN imagery_layers AS l ON l.id = p.imagery_layer_id
    WHERE p.campaign_id = $1";

pub async fn find(db: &impl GenericClient, campaign: Uuid) -> Result<Option<Prefetch>, DbError> {
    let sql = ["-- prefetch::find\nSELECT ", COLUMNS].concat();
    let row = db.query_typed_opt(&sql, &[(&campaign, Type::UUID)]).await?;
    row.as_ref().map(from_row).transpose()
}

/// The same; nobody else changes it until the transaction ends.
pub async fn hold(db: &impl GenericClient, campaign: Uuid) -> Result<Option<Prefetch>, DbError> {
    let sql = ["-- prefetch::hold\nSELECT ", COLUMNS, " FOR UPDATE OF p"].concat();
    let row = db.query_typed_opt(&sql, &[(&campaign, Type::UUID)]).await?;
    row.as_ref().map(from_row).transpose()
}

/// Begins a run at the first tile. What an earlier one left is void.
pub async fn begin(db: &impl GenericClient, campaign: Uuid, of: &Begin) -> Result<(), DbError> {
    let sql = "-- prefetch::begin
        WITH pieces AS (DELETE FROM prefetch_pieces WHERE campaign_id = $1),
        failures AS (DELETE FROM prefetch_failures WHERE campaign_id = $1)
        INSERT INTO prefetches AS p
            (campaign_id, state, imagery_layer_id, revision, campaign_version, area_hash, min_zoom,
             max_zoom, tiles, next_tile)
        VALUES ($1, 'running', $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT ON CONSTRAINT prefetches_pkey DO UPDATE
        SET state = 'running', run = p.run + 1, imagery_layer_id = $2, revision = $3,
            campaign_version = $4, area_hash = $5, min_zoom = $6, max_zoom = $7, tiles = $8, done = 0,
            fetched = 0, kept = 0, outside = 0, missing = 0, failed = 0, next_tile = $9,
            trouble = NULL, pauses = 0, waits_until = NULL, mark_at = now(), mark_done = 0,
            before_at = now(), before_done = 0, started_at = now(), updated_at = now(), ended_at = NULL";
    let zoom = |zoom: u8| i16::from(zoom);
    let first = Tile::new(of.zooms.min, 0, 0)
        .map_err(|e| DbError::Damaged(format!("prefetches.min_zoom: {e}")))?;
    db.execute_typed(
        sql,
        &[
            (&campaign, Type::UUID),
            (&of.layer, Type::UUID),
            (&of.revision, Type::INT4),
            (&of.version, Type::INT4),
            (&of.area_hash, Type::TEXT),
            (&zoom(of.zooms.min), Type::INT2),
            (&zoom(of.zooms.max), Type::INT2),
            (&of.tiles, Type::INT8),
            (&CellId::from(first).get(), Type::INT8),
        ],
    )
    .await?;
    Ok(())
}

/// Goes on where it was stopped.
pub async fn go_on(db: &impl GenericClient, campaign: Uuid) -> Result<(), DbError> {
    let sql = "-- prefetch::go_on
        UPDATE prefetches
        SET state = 'running', trouble = NULL, pauses = 0, waits_until = NULL, mark_at = now(),
            mark_done = done, before_at = now(), before_done = done, updated_at = now()
        WHERE campaign_id = $1";
    db.execute_typed(sql, &[(&campaign, Type::UUID)]).await?;
    Ok(())
}

/// Begins a run of the tiles that the last one could not get; says how many these are.
pub async fn retry(db: &impl GenericClient, campaign: Uuid) -> Result<i64, DbError> {
    let sql = "-- prefetch::retry
        WITH again AS (DELETE FROM prefetch_failures WHERE campaign_id = $1 RETURNING tile),
        numbered AS (SELECT tile, (row_number() OVER (ORDER BY tile) - 1) / $2 AS n FROM again),
        begun AS (
            UPDATE prefetches AS p
            SET state = 'running', run = p.run + 1, tiles = (SELECT count(*) FROM again), done = 0,
                fetched = 0, kept = 0, outside = 0, missing = 0, failed = 0, next_tile = NULL,
                trouble = NULL, pauses = 0, waits_until = NULL, mark_at = now(), mark_done = 0,
                before_at = now(), before_done = 0, started_at = now(), updated_at = now(),
                ended_at = NULL
            WHERE p.campaign_id = $1 AND EXISTS (SELECT FROM again)
            RETURNING p.run),
        pieces AS (
            INSERT INTO prefetch_pieces (campaign_id, run, first, next_tile, tiles, lease_until)
            SELECT $1, b.run, min(n.tile), min(n.tile), array_agg(n.tile ORDER BY n.tile), '-infinity'
            FROM numbered AS n, begun AS b
            GROUP BY b.run, n.n)
        SELECT count(*) AS tiles FROM again";
    let row = db
        .query_typed_one(
            sql,
            &[(&campaign, Type::UUID), (&RETRY_PIECE_TILES, Type::INT8)],
        )
        .await?;
    Ok(row.get("tiles"))
}

pub async fn stop(db: &impl GenericClient, campaign: Uuid) -> Result<(), DbError> {
    let sql = "-- prefetch::stop
        UPDATE prefetches SET state = 'stopped', updated_at = now()
        WHERE campaign_id = $1 AND state = 'running'";
    db.execute_typed(sql, &[(&campaign, Type::UUID)]).await?;
    Ok(())
}

pub async fn failures(
    db: &impl GenericClient,
    campaign: Uuid,
    after: i64,
    limit: i64,
) -> Result<Vec<Failure>, DbError> {
    let sql = "-- prefetch::failures
        SELECT tile, reason, failed_at FROM prefetch_failures
        WHERE campaign_id = $1 AND tile > $2
        ORDER BY tile
        LIMIT $3";
    let rows = db
        .query_typed(
            sql,
            &[
                (&campaign, Type::UUID),
                (&after, Type::INT8),
                (&limit, Type::INT8),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Failure {
                tile: tile(row.get("tile"))?,
                reason: row.get("reason"),
                failed_at: row.get("failed_at"),
            })
        })
        .collect()
}

fn tile(packed: i64) -> Result<Tile, DbError> {
    CellId::try_from(packed)
        .map(CellId::tile)
        .map_err(|e| DbError::Damaged(format!("a tile of a prefetch: {e}")))
}

fn zooms(row: &Row) -> Result<Zooms, DbError> {
    let zoom = |column: &str| {
        u8::try_from(row.get::<_, i16>(column))
            .map_err(|_e| DbError::Damaged(format!("prefetches.{column}")))
    };
    Ok(Zooms {
        min: zoom("min_zoom")?,
        max: zoom("max_zoom")?,
    })
}

fn from_row(row: &Row) -> Result<Prefetch, DbError> {
    Ok(Prefetch {
        state: PrefetchState::parse(row.get("state"))
            .ok_or_else(|| DbError::Damaged("prefetches.state".to_owned()))?,
        layer: row.get("imagery_layer_id"),
        layer_key: row.get("layer_key"),
        revision: row.get("revision"),
        area_hash: row.get("area_hash"),
        zooms: zooms(row)?,
        tiles: row.get("tiles"),
        done: row.get("done"),
        fetched: row.get("fetched"),
        kept: row.get("kept"),
        outside: row.get("outside"),
        missing: row.get("missing"),
        failed: row.get("failed"),
        trouble: row.get("trouble"),
        waits_until: row.get("waits_until"),
        before_at: row.get("before_at"),
        before_done: row.get("before_done"),
        started_at: row.get("started_at"),
        ended_at: row.get("ended_at"),
        workers: row.get("workers"),
    })
}
