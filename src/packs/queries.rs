//! Statements of packs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio_postgres::{GenericClient, Row, types::Type};
use uuid::Uuid;

use super::model::{Pack, PackCell, PackEntry, Stage, Wanted};
use crate::{assignments::Assignment, db::DbError, geo::CellId};

/// Keeps other requests of a volunteer from beginning packs until the transaction ends.
pub async fn hold(db: &impl GenericClient, volunteer_id: Uuid) -> Result<(), DbError> {
    let sql = "-- packs::hold
        SELECT pg_advisory_xact_lock(hashtextextended('packs ' || $1::text, 0))";
    db.execute_typed(sql, &[(&volunteer_id, Type::UUID)])
        .await?;
    Ok(())
}

pub async fn find(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    id: Uuid,
) -> Result<Option<Pack>, DbError> {
    let sql = "-- packs::find
        SELECT id, campaign_id, cells_wanted, lease_hours, near_lon, near_lat, exhausted, made_at,
               expires_at, returned_at IS NOT NULL AS is_returned,
               dealt_until IS NOT NULL AS is_begun, dealt_until > now() AS is_in_work
        FROM packs WHERE volunteer_id = $1 AND id = $2";
    let row = db
        .query_typed_opt(sql, &[(&volunteer_id, Type::UUID), (&id, Type::UUID)])
        .await?;
    Ok(row.as_ref().map(pack))
}

fn pack(row: &Row) -> Pack {
    let near: (Option<f64>, Option<f64>) = (row.get("near_lon"), row.get("near_lat"));
    let small = |column: &str| row.get::<_, i16>(column).unsigned_abs();
    let stage = match (row.get("is_begun"), row.get("is_in_work")) {
        (true, Some(true)) => Stage::InWork,
        (true, _) => Stage::Abandoned,
        (false, _) => Stage::Complete,
    };
    Pack {
        id: row.get("id"),
        campaign_id: row.get("campaign_id"),
        cells_wanted: small("cells_wanted"),
        lease_hours: small("lease_hours"),
        near: near.0.zip(near.1).map(<[f64; 2]>::from),
        stage,
        exhausted: row.get("exhausted"),
        made_at: row.get("made_at"),
        expires_at: row.get("expires_at"),
        is_returned: row.get("is_returned"),
    }
}

/// What a volunteer has along.
#[derive(Clone, Copy, Debug)]
pub struct Along {
    /// Packs with squares that are not answered, or in work.
    pub packs: i64,
    /// Such squares, or those that packs in work may get.
    pub cells: i64,
}

pub async fn along(db: &impl GenericClient, volunteer_id: Uuid) -> Result<Along, DbError> {
    let sql = "-- packs::along
        SELECT count(DISTINCT pack_id) AS packs, coalesce(sum(cells), 0)::int8 AS cells
        FROM (SELECT pack_id, 1::int8 AS cells FROM pack_cells
              WHERE volunteer_id = $1 AND state = 'open'
              UNION ALL
              SELECT id, cells_wanted FROM packs
              WHERE volunteer_id = $1 AND dealt_until > now()) AS open";
    let row = db
        .query_typed_one(sql, &[(&volunteer_id, Type::UUID)])
        .await?;
    Ok(Along {
        packs: row.get("packs"),
        cells: row.get("cells"),
    })
}

/// Notes that a server deals a pack now, and until when nobody else does.
pub async fn begin(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    wanted: &Wanted,
    secs: f64,
) -> Result<Timestamp, DbError> {
    let sql = "-- packs::begin
        INSERT INTO packs AS p (volunteer_id, id, campaign_id, cells_wanted, lease_hours, near_lon,
                                near_lat, dealt_until)
        VALUES ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8))
        ON CONFLICT ON CONSTRAINT packs_pkey DO UPDATE SET dealt_until = excluded.dealt_until
        RETURNING p.dealt_until";
    let (lon, lat) = wanted.near.map(<(f64, f64)>::from).unzip();
    let small = |value: u16| i16::try_from(value).unwrap_or(i16::MAX);
    let row = db
        .query_typed_one(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&wanted.id, Type::UUID),
                (&campaign_id, Type::UUID),
                (&small(wanted.cells), Type::INT2),
                (&small(wanted.lease_hours), Type::INT2),
                (&lon, Type::FLOAT8),
                (&lat, Type::FLOAT8),
                (&secs, Type::FLOAT8),
            ],
        )
        .await?;
    Ok(row.get("dealt_until"))
}

/// Completes the pack whose dealing was begun until then and not given back; gives the end of its
/// leases, in whole seconds as ledgers have them. `None` when another server deals it by now.
pub async fn complete(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    id: Uuid,
    until: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    let sql = "-- packs::complete
        UPDATE packs
        SET dealt_until = NULL,
            expires_at = date_trunc('second', now() + make_interval(hours => lease_hours))
        WHERE volunteer_id = $1 AND id = $2 AND dealt_until = $3 AND dealt_until > now()
          AND returned_at IS NULL
        RETURNING expires_at";
    let row = db
        .query_typed_opt(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&id, Type::UUID),
                (&until, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    Ok(row.map(|row| row.get("expires_at")))
}

/// Stores the squares of a pack; gives those that no other open pack of the volunteer has.
pub async fn put_cells(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    pack_id: Uuid,
    dealt: &BTreeMap<CellId, Assignment>,
    until: Timestamp,
) -> Result<Vec<CellId>, DbError> {
    let sql = "-- packs::put_cells
        INSERT INTO pack_cells (volunteer_id, campaign_id, pack_id, lease_expires_at, id, cell,
                                imagery_layer_id)
        SELECT $1, $2, $3, $4, g.id, g.cell, g.layer
        FROM unnest($5::uuid[], $6::int8[], $7::uuid[]) AS g (id, cell, layer)
        ORDER BY g.cell
        ON CONFLICT (volunteer_id, campaign_id, cell) WHERE state = 'open' DO NOTHING
        RETURNING cell";
    let ids: Vec<Uuid> = dealt.keys().map(|_| Uuid::now_v7()).collect();
    let cells: Vec<i64> = dealt.keys().map(|cell| cell.get()).collect();
    let layers: Vec<Option<Uuid>> = dealt.values().map(|one| one.layer).collect();
    let rows = db
        .query_typed(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&campaign_id, Type::UUID),
                (&pack_id, Type::UUID),
                (&until, Type::TIMESTAMPTZ),
                (&ids, Type::UUID_ARRAY),
                (&cells, Type::INT8_ARRAY),
                (&layers, Type::UUID_ARRAY),
            ],
        )
        .await?;
    rows.iter().map(cell_of).collect()
}

pub async fn note_exhausted(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    id: Uuid,
    is_exhausted: bool,
) -> Result<(), DbError> {
    let sql = "-- packs::note_exhausted
        UPDATE packs SET exhausted = $3 WHERE volunteer_id = $1 AND id = $2";
    db.execute_typed(
        sql,
        &[
            (&volunteer_id, Type::UUID),
            (&id, Type::UUID),
            (&is_exhausted, Type::BOOL),
        ],
    )
    .await?;
    Ok(())
}

/// Forgets a pack that has no squares.
pub async fn forget(db: &impl GenericClient, volunteer_id: Uuid, id: Uuid) -> Result<(), DbError> {
    let sql = "-- packs::forget
        DELETE FROM packs WHERE volunteer_id = $1 AND id = $2";
    db.execute_typed(sql, &[(&volunteer_id, Type::UUID), (&id, Type::UUID)])
        .await?;
    Ok(())
}

/// Forgets a pack whose dealing, begun until then, came to nothing.
pub async fn give_up(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    id: Uuid,
    until: Timestamp,
) -> Result<(), DbError> {
    let sql = "-- packs::give_up
        DELETE FROM packs WHERE volunteer_id = $1 AND id = $2 AND dealt_until = $3";
    db.execute_typed(
        sql,
        &[
            (&volunteer_id, Type::UUID),
            (&id, Type::UUID),
            (&until, Type::TIMESTAMPTZ),
        ],
    )
    .await?;
    Ok(())
}

/// The squares of a pack that are not gone, in the order of their places.
pub async fn cells(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    pack_id: Uuid,
) -> Result<Vec<PackCell>, DbError> {
    let sql = "-- packs::cells
        SELECT id, cell, imagery_layer_id, lease_expires_at, state = 'open' AS is_open
        FROM pack_cells
        WHERE volunteer_id = $1 AND campaign_id = $2 AND pack_id = $3 AND state <> 'gone'
        ORDER BY cell";
    let rows = db
        .query_typed(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&campaign_id, Type::UUID),
                (&pack_id, Type::UUID),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(PackCell {
                id: row.get("id"),
                cell: cell_of(row)?,
                layer: row.get("imagery_layer_id"),
                lease_expires_at: row.get("lease_expires_at"),
                is_open: row.get("is_open"),
            })
        })
        .collect()
}

/// The packs that a volunteer has along, newest first.
pub async fn list(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
) -> Result<Vec<PackEntry>, DbError> {
    let sql = "-- packs::list
        SELECT p.id, p.made_at, p.expires_at, c.open
        FROM (SELECT pack_id, count(*) AS open FROM pack_cells
              WHERE volunteer_id = $1 AND campaign_id = $2 AND state = 'open'
              GROUP BY pack_id) AS c
        JOIN packs AS p ON p.volunteer_id = $1 AND p.id = c.pack_id
        ORDER BY p.made_at DESC, p.id DESC
        LIMIT $3";
    let limit = super::model::PACKS_OPEN_MAX;
    let rows = db
        .query_typed(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&campaign_id, Type::UUID),
                (&limit, Type::INT8),
            ],
        )
        .await?;
    let entry = |row: &Row| PackEntry {
        id: row.get("id"),
        made_at: row.get("made_at"),
        expires_at: row.get("expires_at"),
        open: row.get("open"),
    };
    Ok(rows.iter().map(entry).collect())
}

/// Notes that a pack was given back; says whether there is such a pack.
pub async fn note_returned(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    campaign_id: Uuid,
    id: Uuid,
) -> Result<bool, DbError> {
    let sql = "-- packs::note_returned
        UPDATE packs SET returned_at = coalesce(returned_at, now())
        WHERE volunteer_id = $1 AND campaign_id = $2 AND id = $3";
    let noted = db
        .execute_typed(
            sql,
            &[
                (&volunteer_id, Type::UUID),
                (&campaign_id, Type::UUID),
                (&id, Type::UUID),
            ],
        )
        .await?;
    Ok(noted == 1)
}

/// Takes back the squares of a pack that are not answered, and gives them.
pub async fn take_back(
    db: &impl GenericClient,
    volunteer_id: Uuid,
    pack_id: Uuid,
) -> Result<Vec<CellId>, DbError> {
    let sql = "-- packs::take_back
        WITH locked AS (
            SELECT id FROM pack_cells
            WHERE volunteer_id = $1 AND pack_id = $2 AND state = 'open'
            ORDER BY id
            FOR UPDATE
        )
        UPDATE pack_cells AS p
        SET state = 'gone', changed_at = now(), xid = pg_current_xact_id()
        FROM locked AS l
        WHERE p.volunteer_id = $1 AND p.id = l.id
        RETURNING p.cell";
    let rows = db
        .query_typed(sql, &[(&volunteer_id, Type::UUID), (&pack_id, Type::UUID)])
        .await?;
    rows.iter().map(cell_of).collect()
}

fn cell_of(row: &Row) -> Result<CellId, DbError> {
    CellId::try_from(row.get::<_, i64>("cell"))
        .map_err(|e| DbError::Damaged(format!("pack_cells.cell: {e}")))
}
