//! Statements that give piles back.

use jiff::Timestamp;
use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::level;
use crate::{
    assignments::{card::Summary, ledger::Seconds},
    db::DbError,
};

/// Stores piles that a server holds; those that it `keeps` for some seconds more, all others are
/// free. Gives those that were stored: one that was not had another holder meanwhile.
///
/// Of a pile that changed meanwhile the holder knows only the ledger, so what the change said of
/// its place in the order stays.
pub async fn put(
    db: &impl GenericClient,
    campaign_id: Uuid,
    server: Uuid,
    piles: &[Summary],
    keep_secs: Option<f64>,
) -> Result<u64, DbError> {
    let sql = "-- assignments::put
        WITH given AS (
            SELECT * FROM unnest($3::int8[], $4::float4[], $5::float4[], $6::int2[],
                                 $7::timestamptz[], $8::bool[], $9::bytea[], $11::timestamptz[])
                 AS g (pile, weight, position, level, due_at, is_mixed, ledger, tail_at)
        ), locked AS (
            SELECT p.pile FROM piles AS p JOIN given AS g ON g.pile = p.pile
            WHERE p.campaign_id = $1 AND p.holder = $2
            ORDER BY p.pile
            FOR UPDATE OF p
        )
        UPDATE piles AS p
        SET weight = CASE WHEN p.nudged THEN p.weight ELSE g.weight END,
            position = CASE WHEN p.nudged THEN p.position ELSE g.position END,
            level = CASE WHEN p.nudged THEN least(p.level, g.level) ELSE g.level END,
            is_mixed = g.is_mixed OR (p.nudged AND p.is_mixed),
            ledger = g.ledger,
            tail_at = g.tail_at,
            due_at = CASE WHEN p.nudged THEN now() ELSE g.due_at END,
            holder = CASE WHEN $10::float8 IS NULL THEN NULL ELSE p.holder END,
            held_until = CASE WHEN $10::float8 IS NULL THEN NULL
                              ELSE now() + make_interval(secs => $10) END
        FROM given AS g JOIN locked AS l ON l.pile = g.pile,
             (SELECT set_config('synchronous_commit', 'off', true) AS commit) AS c
        WHERE p.campaign_id = $1 AND p.pile = g.pile AND c.commit = 'off'";
    let ids: Vec<i64> = piles.iter().map(|pile| pile.pile.get()).collect();
    let weights: Vec<f32> = piles.iter().map(|pile| pile.weight).collect();
    let positions: Vec<f32> = piles.iter().map(|pile| pile.position).collect();
    let levels: Vec<i16> = piles.iter().map(|pile| level(pile.level)).collect();
    let due: Vec<Option<Timestamp>> = piles
        .iter()
        .map(|pile| pile.due_at.map(Seconds::timestamp))
        .collect();
    let tails: Vec<Option<Timestamp>> = piles
        .iter()
        .map(|pile| pile.tail_at.map(Seconds::timestamp))
        .collect();
    let mixed: Vec<bool> = piles.iter().map(|pile| pile.is_mixed).collect();
    let ledgers: Vec<&[u8]> = piles.iter().map(|pile| pile.ledger.as_slice()).collect();
    let stored = db
        .execute_typed(
            sql,
            &[
                (&campaign_id, Type::UUID),
                (&server, Type::UUID),
                (&ids, Type::INT8_ARRAY),
                (&weights, Type::FLOAT4_ARRAY),
                (&positions, Type::FLOAT4_ARRAY),
                (&levels, Type::INT2_ARRAY),
                (&due, Type::TIMESTAMPTZ_ARRAY),
                (&mixed, Type::BOOL_ARRAY),
                (&ledgers, Type::BYTEA_ARRAY),
                (&keep_secs, Type::FLOAT8),
                (&tails, Type::TIMESTAMPTZ_ARRAY),
            ],
        )
        .await?;
    Ok(stored)
}

/// Frees piles that a server holds and never read, as they are.
pub async fn release(
    db: &impl GenericClient,
    campaign_id: Uuid,
    server: Uuid,
    piles: &[i64],
) -> Result<(), DbError> {
    let which = "pile = ANY ($3)";
    free(
        db,
        "-- assignments::release",
        which,
        (campaign_id, server),
        piles,
    )
    .await
}

/// Frees what a server holds without knowing it: all but these.
pub async fn release_others(
    db: &impl GenericClient,
    campaign_id: Uuid,
    server: Uuid,
    own: &[i64],
) -> Result<(), DbError> {
    let which = "pile <> ALL ($3)";
    free(
        db,
        "-- assignments::release_others",
        which,
        (campaign_id, server),
        own,
    )
    .await
}

async fn free(
    db: &impl GenericClient,
    name: &str,
    which: &str,
    (campaign_id, server): (Uuid, Uuid),
    piles: &[i64],
) -> Result<(), DbError> {
    let sql = format!(
        "{name}
        WITH locked AS (
            SELECT pile FROM piles
            WHERE campaign_id = $1 AND holder = $2 AND {which}
            ORDER BY pile
            FOR UPDATE
        )
        UPDATE piles AS p
        SET holder = NULL, held_until = NULL, nudged = true, due_at = least(p.due_at, now())
        FROM locked AS l
        WHERE p.campaign_id = $1 AND p.pile = l.pile"
    );
    db.execute_typed(
        &sql,
        &[
            (&campaign_id, Type::UUID),
            (&server, Type::UUID),
            (&piles, Type::INT8_ARRAY),
        ],
    )
    .await?;
    Ok(())
}
