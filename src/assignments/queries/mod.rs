//! Statements of assignments: claiming piles and putting them back here, who was given what beside.

mod history;
mod load;

use jiff::Timestamp;
use tokio_postgres::{
    GenericClient, Row,
    types::{ToSql, Type},
};
use uuid::Uuid;

pub use load::load;

pub use history::{looked_at, now, open_campaigns, read, renew, renewals, who_looked};

use super::{
    card::{LEVEL_NONE, Summary},
    ledger::Seconds,
    rules::{Floor, Rules},
};
use crate::{db::DbError, geo::CellId};

type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// Which free piles are claimed.
#[derive(Clone, Debug)]
pub enum Claim {
    /// Those that come next, a quarter of what is free at most, so that other servers find some
    /// too, and those whose leases are to be counted anew.
    Next { take: i64 },
    /// These.
    These { piles: Vec<i64> },
    /// Those that need looks, wherever they stand in the order, but not these.
    Search { skip: Vec<i64>, take: i64 },
    /// Those with open leases, but not these.
    Leased { skip: Vec<i64>, take: i64 },
}

impl Claim {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Next { .. } => "next",
            Self::These { .. } => "near",
            Self::Search { .. } => "search",
            Self::Leased { .. } => "leased",
        }
    }
}

/// What a claim brought.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The database's clock.
    pub now: Timestamp,
    /// Where the deck stands; `None` when no cell needs anybody.
    pub floor: Option<Floor>,
    /// Whether only few piles were free, so that what was claimed must be given back at once.
    pub is_scarce: bool,
    /// Whether there is more that comes next, in the hands of other servers.
    pub is_held: bool,
    pub piles: Vec<Stored>,
}

/// A pile as it stood in the table.
#[derive(Clone, Debug)]
pub struct Stored {
    pub id: CellId,
    pub weight: f32,
    pub level: i16,
    pub ledger: Vec<u8>,
}

impl Stored {
    /// Whether the table tells others where the pile turned out to stand.
    pub fn is_at(&self, (weight, at): (f32, u16)) -> bool {
        self.level == level(at) && self.weight.total_cmp(&weight).is_eq()
    }
}

/// Where the deck stands: the heaviest band with cells to deal, the lowest level in it.
const FLOOR: &str = "
    WITH weights AS (
        SELECT weight, band FROM unnest($3::float4[], $4::int2[]) AS w (weight, band)
    ), floor AS (
        SELECT w.band, p.level
        FROM weights AS w
        CROSS JOIN LATERAL (
            SELECT level FROM piles
            WHERE campaign_id = $1 AND weight = w.weight AND level < $2
            ORDER BY level LIMIT 1) AS p
        ORDER BY w.band, p.level
        LIMIT 1
    )";

/// Free piles of the floor's band at its level and one above, four times what may be taken.
const FREE: &str = "
    , free AS MATERIALIZED (
        SELECT p.pile, p.level, p.position
        FROM floor AS f
        JOIN weights AS w ON w.band = f.band
        CROSS JOIN LATERAL (
            SELECT pile, level, position FROM piles
            WHERE campaign_id = $1 AND weight = w.weight
              AND level >= f.level AND level <= f.level + 1 AND level < $2
              AND (holder IS NULL OR held_until < now())
            ORDER BY level, position
            LIMIT 4 * $7) AS p
        ORDER BY p.level, p.position
        LIMIT 4 * $7
    ), share AS (
        SELECT CASE WHEN count(*) < 4 THEN count(*) ELSE count(*) / 4 END AS piles FROM free
    ), picked AS (
        (SELECT pile FROM free ORDER BY level, position LIMIT (SELECT piles FROM share))
        UNION
        (SELECT pile FROM piles
         WHERE campaign_id = $1 AND due_at <= now() AND (holder IS NULL OR held_until < now())
         ORDER BY due_at
         LIMIT $7)
    ), rest AS (
        SELECT count(*) < 3 AS is_scarce FROM free WHERE pile NOT IN (SELECT pile FROM picked)
    )";

const THESE: &str = "
    , rest AS (SELECT true AS is_scarce), free AS (SELECT 1 WHERE false)
    , picked AS (SELECT pile FROM unnest($7::int8[]) AS t (pile))";

const SEARCH: &str = "
    , rest AS (SELECT true AS is_scarce), free AS (SELECT 1 WHERE false)
    , picked AS (
        SELECT p.pile
        FROM weights AS w
        CROSS JOIN LATERAL (
            SELECT pile, level, position FROM piles
            WHERE campaign_id = $1 AND weight = w.weight AND level < $2
              AND (holder IS NULL OR held_until < now()) AND pile <> ALL ($8::int8[])
            ORDER BY level, position
            LIMIT $7) AS p
        ORDER BY w.band, p.level, p.position
        LIMIT $7
    )";

const LEASED: &str = "
    , rest AS (SELECT true AS is_scarce), free AS (SELECT 1 WHERE false)
    , picked AS (
        SELECT pile FROM piles
        WHERE campaign_id = $1 AND due_at IS NOT NULL AND level < $9
          AND (holder IS NULL OR held_until < now()) AND pile <> ALL ($8::int8[])
        ORDER BY due_at
        LIMIT $7
    )";

/// Takes what was picked, as far as nobody else did in the meantime.
///
/// Neither this nor [`put`] waits for the disk: when the database itself crashes, leases of its
/// last moments are forgotten, looks are not.
const TAKE: &str = "
    , locked AS (
        SELECT p.pile FROM piles AS p
        WHERE p.campaign_id = $1 AND p.pile IN (SELECT pile FROM picked)
          AND (p.holder IS NULL OR p.held_until < now())
        ORDER BY p.pile
        FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE piles AS p
        SET holder = $5, held_until = now() + make_interval(secs => $6), nudged = false
        FROM locked AS l, (SELECT set_config('synchronous_commit', 'off', true) AS commit) AS c
        WHERE p.campaign_id = $1 AND p.pile = l.pile AND c.commit = 'off'
        RETURNING p.pile, p.weight, p.level, p.ledger
    )
    SELECT now() AS now, f.band, f.level AS floor, r.is_scarce,
           CASE WHEN EXISTS (SELECT FROM free) THEN NOT EXISTS (SELECT FROM claimed)
                ELSE EXISTS (
                    SELECT FROM weights AS w
                    JOIN piles AS p ON p.campaign_id = $1 AND p.weight = w.weight
                    WHERE w.band = f.band AND p.level >= f.level AND p.level <= f.level + 1
                      AND p.level < $2 AND p.holder <> $5 AND p.held_until >= now())
           END AS is_held,
           c.pile, c.weight, c.level, c.ledger
    FROM rest AS r
    LEFT JOIN floor AS f ON true
    LEFT JOIN claimed AS c ON true";

/// Claims piles for a server, for some seconds.
pub async fn claim(
    db: &impl GenericClient,
    campaign_id: Uuid,
    rules: &Rules,
    server: Uuid,
    hold_secs: f64,
    claim: &Claim,
) -> Result<Claimed, DbError> {
    let wanted = level(rules.looks_wanted);
    let (weights, bands) = weights(rules);
    let none = level(LEVEL_NONE);
    let mut params: Vec<Param<'_>> = vec![
        (&campaign_id, Type::UUID),
        (&wanted, Type::INT2),
        (&weights, Type::FLOAT4_ARRAY),
        (&bands, Type::INT2_ARRAY),
        (&server, Type::UUID),
        (&hold_secs, Type::FLOAT8),
    ];
    let (name, pick) = match claim {
        Claim::Next { take } => {
            params.push((take, Type::INT8));
            ("-- assignments::claim_next", FREE)
        }
        Claim::These { piles } => {
            params.push((piles, Type::INT8_ARRAY));
            ("-- assignments::claim_these", THESE)
        }
        Claim::Search { skip, take } => {
            params.push((take, Type::INT8));
            params.push((skip, Type::INT8_ARRAY));
            ("-- assignments::claim_search", SEARCH)
        }
        Claim::Leased { skip, take } => {
            params.push((take, Type::INT8));
            params.push((skip, Type::INT8_ARRAY));
            params.push((&none, Type::INT2));
            ("-- assignments::claim_leased", LEASED)
        }
    };
    let sql = [name, FLOOR, pick, TAKE].concat();
    let rows = db.query_typed(&sql, &params).await?;
    claimed(&rows)
}

fn claimed(rows: &[Row]) -> Result<Claimed, DbError> {
    let first = rows
        .first()
        .ok_or_else(|| DbError::Damaged("a claim gave no row".to_owned()))?;
    let floor = match (
        first.get::<_, Option<i16>>("band"),
        first.get::<_, Option<i16>>("floor"),
    ) {
        (Some(band), Some(level)) => Some(Floor {
            band: usize::from(band.unsigned_abs()),
            level: level.unsigned_abs(),
        }),
        _ => None,
    };
    let piles = rows
        .iter()
        .filter_map(|row| Some((row, row.get::<_, Option<i64>>("pile")?)))
        .map(|(row, pile)| {
            Ok(Stored {
                id: cell_id(pile, "piles.pile")?,
                weight: row.get("weight"),
                level: row.get("level"),
                ledger: row.get("ledger"),
            })
        })
        .collect::<Result<_, DbError>>()?;
    Ok(Claimed {
        now: first.get("now"),
        floor,
        is_scarce: first.get("is_scarce"),
        is_held: first.get("is_held"),
        piles,
    })
}

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
                                 $7::timestamptz[], $8::bool[], $9::bytea[])
                 AS g (pile, weight, position, level, due_at, is_mixed, ledger)
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
            ],
        )
        .await?;
    Ok(stored)
}

fn weights(rules: &Rules) -> (Vec<f32>, Vec<i16>) {
    let numbered = rules.bands.iter().zip(0_i16..);
    numbered
        .flat_map(|(weights, band)| weights.iter().map(move |weight| (*weight, band)))
        .unzip()
}

fn level(level: u16) -> i16 {
    i16::try_from(level).unwrap_or(i16::MAX)
}

fn cell_id(id: i64, column: &str) -> Result<CellId, DbError> {
    CellId::try_from(id).map_err(|e| DbError::Damaged(format!("{column}: {e}")))
}
