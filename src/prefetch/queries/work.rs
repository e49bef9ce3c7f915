//! Statements of those who carry a prefetch out.

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::{Begin, tile, zooms};
use crate::{
    db::DbError,
    geo::{CellId, Tile},
    prefetch::{LISTED_MAX, plan::Zooms},
};

/// How long nobody else works on a piece whose worker is silent, in seconds.
const LEASE_SECONDS: f64 = 30.0;
/// Age of the mark that the rate is counted from, in seconds, when the next one is made.
const MARK_SECONDS: f64 = 10.0;
/// Prefetches among which a worker chooses.
const CHOICE_MAX: i64 = 20;

/// A prefetch that somebody may work on.
#[derive(Clone, Debug)]
pub struct Running {
    pub campaign: Uuid,
    pub run: i32,
    pub cell_zoom: u8,
    pub zooms: Zooms,
    pub area_hash: String,
    /// Key of the campaign's layer.
    pub layer_key: String,
    /// Its present one: a worker that remembers an older one reads the layer anew.
    pub layer_revision: i32,
    /// Layer, its revision and the campaign's version are those that the run was planned from.
    pub is_current: bool,
    pub next_tile: Option<i64>,
    pub pauses: i32,
}

/// A piece in a worker's hands.
#[derive(Clone, Debug)]
pub struct Piece {
    pub first: i64,
    pub next: Tile,
    pub ends_at: Option<Tile>,
    /// Only these.
    pub tiles: Option<Vec<Tile>>,
}

/// What came of some tiles of a piece.
#[derive(Debug, Default)]
pub struct Results {
    pub fetched: i64,
    pub kept: i64,
    pub outside: i64,
    pub missing: i64,
    pub failed: i64,
    /// The missing and failed ones with the reason.
    pub not_had: Vec<(Tile, String)>,
}

/// Prefetches that run and do not wait, in the order of their ids.
pub async fn running(db: &impl GenericClient) -> Result<Vec<Running>, DbError> {
    let sql = "-- prefetch::running
        SELECT p.campaign_id, p.run, c.cell_zoom, p.min_zoom, p.max_zoom, p.area_hash, l.key, l.revision,
               p.imagery_layer_id = l.id AND p.revision = l.tiles_revision AS is_same_layer,
               p.campaign_version = c.version AS is_same_version, p.next_tile, p.pauses
        FROM prefetches AS p
        JOIN campaigns AS c ON c.id = p.campaign_id
        JOIN imagery_layers AS l ON l.id = c.imagery_layer_id
        WHERE p.state = 'running' AND (p.waits_until IS NULL OR p.waits_until <= now())
        ORDER BY p.campaign_id
        LIMIT $1";
    let rows = db.query_typed(sql, &[(&CHOICE_MAX, Type::INT8)]).await?;
    rows.iter()
        .map(|row| {
            let is_same_layer: bool = row.get("is_same_layer");
            Ok(Running {
                campaign: row.get("campaign_id"),
                run: row.get("run"),
                cell_zoom: u8::try_from(row.get::<_, i16>("cell_zoom"))
                    .map_err(|_e| DbError::Damaged("campaigns.cell_zoom".to_owned()))?,
                zooms: zooms(row)?,
                area_hash: row.get("area_hash"),
                layer_key: row.get("key"),
                layer_revision: row.get("revision"),
                is_current: is_same_layer && row.get::<_, bool>("is_same_version"),
                next_tile: row.get("next_tile"),
                pauses: row.get("pauses"),
            })
        })
        .collect()
}

/// Notes that a run, though the campaign has another version, is of the same tiles.
pub async fn replanned(
    db: &impl GenericClient,
    of: &Running,
    begin: &Begin,
) -> Result<(), DbError> {
    let sql = "-- prefetch::replanned
        UPDATE prefetches SET campaign_version = $3 WHERE campaign_id = $1 AND run = $2";
    db.execute_typed(
        sql,
        &[
            (&of.campaign, Type::UUID),
            (&of.run, Type::INT4),
            (&begin.version, Type::INT4),
        ],
    )
    .await?;
    Ok(())
}

/// Takes a piece that nobody holds any more.
pub async fn abandoned(
    db: &impl GenericClient,
    of: &Running,
    holder: Uuid,
) -> Result<Option<Piece>, DbError> {
    let sql = "-- prefetch::abandoned
        WITH free AS (
            SELECT first FROM prefetch_pieces
            WHERE campaign_id = $1 AND run = $2 AND lease_until <= now()
            ORDER BY first
            LIMIT 1
            FOR UPDATE SKIP LOCKED)
        UPDATE prefetch_pieces AS p
        SET holder = $3, lease_until = now() + make_interval(secs => $4)
        FROM free
        WHERE p.campaign_id = $1 AND p.run = $2 AND p.first = free.first
        RETURNING p.first, p.next_tile, p.ends_at, p.tiles";
    let row = db
        .query_typed_opt(
            sql,
            &[
                (&of.campaign, Type::UUID),
                (&of.run, Type::INT4),
                (&holder, Type::UUID),
                (&LEASE_SECONDS, Type::FLOAT8),
            ],
        )
        .await?;
    row.map(|row| {
        let tiles: Option<Vec<i64>> = row.get("tiles");
        Ok(Piece {
            first: row.get("first"),
            next: tile(row.get("next_tile"))?,
            ends_at: row.get::<_, Option<i64>>("ends_at").map(tile).transpose()?,
            tiles: tiles
                .map(|tiles| tiles.into_iter().map(tile).collect())
                .transpose()?,
        })
    })
    .transpose()
}

/// Takes the piece from `first` to `ends_at`, unless somebody else has just taken what begins there.
pub async fn new_piece(
    db: &impl GenericClient,
    of: &Running,
    holder: Uuid,
    first: i64,
    ends_at: Option<Tile>,
) -> Result<bool, DbError> {
    let sql = "-- prefetch::new_piece
        WITH taken AS (
            UPDATE prefetches SET next_tile = $4
            WHERE campaign_id = $1 AND run = $2 AND state = 'running' AND next_tile = $3
            RETURNING 1)
        INSERT INTO prefetch_pieces (campaign_id, run, first, ends_at, next_tile, holder, lease_until)
        SELECT $1, $2, $3, $4, $3, $5, now() + make_interval(secs => $6) FROM taken";
    let ends_at = ends_at.map(|tile| CellId::from(tile).get());
    let made = db
        .execute_typed(
            sql,
            &[
                (&of.campaign, Type::UUID),
                (&of.run, Type::INT4),
                (&first, Type::INT8),
                (&ends_at, Type::INT8),
                (&holder, Type::UUID),
                (&LEASE_SECONDS, Type::FLOAT8),
            ],
        )
        .await?;
    Ok(made > 0)
}

/// Stores results with the tile to go on with; without one the piece is finished. Says whether the
/// piece is still this holder's and the prefetch still runs.
pub async fn flush(
    db: &impl GenericClient,
    of: &Running,
    holder: Uuid,
    first: i64,
    next: Option<Tile>,
    results: &Results,
) -> Result<bool, DbError> {
    let sql = include_str!("flush.sql");
    let (tiles, reasons): (Vec<i64>, Vec<&str>) = results
        .not_had
        .iter()
        .map(|(tile, reason)| (CellId::from(*tile).get(), reason.as_str()))
        .unzip();
    let next = next.map(|tile| CellId::from(tile).get());
    let row = db
        .query_typed_opt(
            sql,
            &[
                (&of.campaign, Type::UUID),
                (&of.run, Type::INT4),
                (&first, Type::INT8),
                (&holder, Type::UUID),
                (&next, Type::INT8),
                (&LEASE_SECONDS, Type::FLOAT8),
                (&tiles, Type::INT8_ARRAY),
                (&reasons, Type::TEXT_ARRAY),
                (&LISTED_MAX, Type::INT8),
                (&results.fetched, Type::INT8),
                (&results.kept, Type::INT8),
                (&results.outside, Type::INT8),
                (&results.missing, Type::INT8),
                (&results.failed, Type::INT8),
                (&MARK_SECONDS, Type::FLOAT8),
            ],
        )
        .await?;
    Ok(row.is_some_and(|row| row.get("runs")))
}

/// Gives a piece back, and leaves the source alone for a while when there is trouble with it.
pub async fn wait(
    db: &impl GenericClient,
    of: &Running,
    holder: Uuid,
    first: i64,
    trouble: Option<(&str, f64)>,
) -> Result<(), DbError> {
    let sql = "-- prefetch::wait
        WITH given AS (
            UPDATE prefetch_pieces SET lease_until = '-infinity', holder = NULL
            WHERE campaign_id = $1 AND run = $2 AND first = $3 AND holder = $4)
        UPDATE prefetches
        SET trouble = $5, pauses = pauses + 1, waits_until = now() + make_interval(secs => $6)
        WHERE campaign_id = $1 AND run = $2 AND $5 IS NOT NULL
          AND (waits_until IS NULL OR waits_until <= now())";
    let (reason, seconds) = trouble.unzip();
    db.execute_typed(
        sql,
        &[
            (&of.campaign, Type::UUID),
            (&of.run, Type::INT4),
            (&first, Type::INT8),
            (&holder, Type::UUID),
            (&reason, Type::TEXT),
            (&seconds.unwrap_or_default(), Type::FLOAT8),
        ],
    )
    .await?;
    Ok(())
}

/// Ends a run of which nothing is left.
pub async fn finish(db: &impl GenericClient, of: &Running) -> Result<bool, DbError> {
    let sql = "-- prefetch::finish
        UPDATE prefetches AS p
        SET state = 'done', ended_at = now(), updated_at = now(), trouble = NULL, waits_until = NULL
        WHERE p.campaign_id = $1 AND p.run = $2 AND p.state = 'running' AND p.next_tile IS NULL
          AND NOT EXISTS (SELECT FROM prefetch_pieces AS w
                          WHERE w.campaign_id = p.campaign_id AND w.run = p.run)";
    let ended = db
        .execute_typed(sql, &[(&of.campaign, Type::UUID), (&of.run, Type::INT4)])
        .await?;
    Ok(ended > 0)
}
