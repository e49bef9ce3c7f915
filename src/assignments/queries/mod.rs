//! Statements of assignments: claiming piles here, putting them back and who was given what beside.

mod history;
mod load;
mod put;
mod renewed;

use jiff::Timestamp;
use tokio_postgres::{
    GenericClient, Row,
    types::{ToSql, Type},
};
use uuid::Uuid;

pub use history::{
    forget_ended, give_back, keep, looked_at, now, open_campaigns, read, renew, renewals,
    taken_along, who_looked,
};
pub use load::load;
pub use put::{put, release, release_others};
pub use renewed::{
    LiveRenewal, RenewedLease, copy_renewals, delete_counted, delete_renewals, has_renewals,
    live_renewals, renewed_leases,
};

use super::{
    card::LEVEL_NONE,
    ledger::{self, Ledger},
    rules::{Floor, Rules},
};
use crate::{db::DbError, geo::CellId};

type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// Who claims piles, of which campaign, by which rules.
pub struct Claimant<'a> {
    pub campaign_id: Uuid,
    pub rules: &'a Rules,
    pub server: Uuid,
    /// For how long nobody else may claim them.
    pub hold_secs: f64,
}

/// Which free piles are claimed.
#[derive(Clone, Debug)]
pub enum Claim {
    /// Those that come next, a quarter of what is free at most, so that other servers find some
    /// too, and those whose leases are to be counted anew. With `beyond_held` what other servers
    /// hold does not count, and the free ones that stand further down come next.
    Next { take: i64, beyond_held: bool },
    /// Of those listed, each with the number of the place that it is near to, nearest first: the
    /// first that come next, so many for each place.
    Near {
        piles: Vec<i64>,
        places: Vec<i32>,
        each: i64,
    },
    /// Those that need looks, wherever they stand in the order, but not these.
    Search { skip: Vec<i64>, take: i64 },
    /// Those with open leases, but not these.
    Leased { skip: Vec<i64>, take: i64 },
    /// Those with a cell whose holders are idle, but not these.
    Tail { skip: Vec<i64>, take: i64 },
}

impl Claim {
    /// See [`Claim::kind`].
    pub const KINDS: [&str; 5] = ["next", "near", "search", "leased", "tail"];

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Next { .. } => "next",
            Self::Near { .. } => "near",
            Self::Search { .. } => "search",
            Self::Leased { .. } => "leased",
            Self::Tail { .. } => "tail",
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
    /// Whether others took all that was found to come next, at the same moment.
    pub is_raced: bool,
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
              AND (NOT $9 OR holder IS NULL OR held_until < now())
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
            LIMIT 4 * $10) AS p
        ORDER BY p.level, p.position
        LIMIT 4 * $10
    )";

const NEXT: &str = "
    , share AS (
        SELECT CASE WHEN count(*) < 4 THEN count(*) ELSE count(*) / 4 END AS piles FROM free
    ), picked AS (
        (SELECT pile FROM free ORDER BY level, position LIMIT (SELECT piles FROM share))
        UNION
        (SELECT pile FROM piles
         WHERE campaign_id = $1 AND due_at <= now() AND (holder IS NULL OR held_until < now())
         ORDER BY due_at
         LIMIT $10)
    )";

const NEAR: &str = "
    , around AS (
        SELECT a.pile, row_number() OVER (PARTITION BY a.place ORDER BY a.nth) AS nth
        FROM unnest($11::int8[], $12::int4[]) WITH ORDINALITY AS a (pile, place, nth)
        JOIN piles AS p ON p.campaign_id = $1 AND p.pile = a.pile
        CROSS JOIN floor AS f
        LEFT JOIN weights AS w ON w.weight = p.weight
        WHERE (p.holder IS NULL OR p.held_until < now())
          AND (p.due_at <= now()
               OR (w.band = f.band AND p.level <= f.level + 1 AND p.level < $2))
    ), picked AS (SELECT DISTINCT pile FROM around WHERE nth <= $13)";

/// Whether what is left free is little.
const REST: &str = "
    , rest AS (
        SELECT count(*) < 3 AS is_scarce FROM free WHERE pile NOT IN (SELECT pile FROM picked)
    )";

/// For piles that do not stay in the hand.
const NO_REST: &str = "
    , rest AS (SELECT true AS is_scarce), free AS (SELECT 0::int8 AS pile WHERE false)";

const SEARCH: &str = "
    , picked AS (
        SELECT p.pile
        FROM weights AS w
        CROSS JOIN LATERAL (
            SELECT pile, level, position FROM piles
            WHERE campaign_id = $1 AND weight = w.weight AND level < $2
              AND (holder IS NULL OR held_until < now()) AND pile <> ALL ($11::int8[])
            ORDER BY level, position
            LIMIT $10) AS p
        ORDER BY w.band, p.level, p.position
        LIMIT $10
    )";

const LEASED: &str = "
    , picked AS (
        SELECT pile FROM piles
        WHERE campaign_id = $1 AND due_at IS NOT NULL AND level < $12
          AND (holder IS NULL OR held_until < now()) AND pile <> ALL ($11::int8[])
        ORDER BY due_at
        LIMIT $10
    )";

const TAIL: &str = "
    , picked AS (
        SELECT pile FROM piles
        WHERE campaign_id = $1 AND tail_at <= now()
          AND (holder IS NULL OR held_until < now()) AND pile <> ALL ($11::int8[])
        ORDER BY tail_at
        LIMIT $10
    )";

/// Takes what was picked, as far as nobody else did in the meantime. A pile that somebody changed
/// stays marked as such while the campaign's rules here are not the latest.
///
/// Neither this nor [`put()`] waits for the disk: when the database itself crashes, leases of its
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
        SET holder = $5, held_until = now() + make_interval(secs => $6),
            nudged = p.nudged AND NOT c.is_latest
        FROM locked AS l,
             (SELECT version = $7 AND deck = $8 AS is_latest,
                     set_config('synchronous_commit', 'off', true) AS commit
              FROM campaigns WHERE id = $1) AS c
        WHERE p.campaign_id = $1 AND p.pile = l.pile AND c.commit = 'off'
        RETURNING p.pile, p.weight, p.level, p.ledger
    )
    SELECT now() AS now, f.band, f.level AS floor, r.is_scarce,
           EXISTS (SELECT FROM free)
               AND NOT EXISTS (SELECT FROM claimed JOIN free USING (pile)) AS is_raced,
           NOT EXISTS (SELECT FROM free) AND EXISTS (
               SELECT FROM weights AS w
               JOIN piles AS p ON p.campaign_id = $1 AND p.weight = w.weight
               WHERE w.band = f.band AND p.level >= f.level AND p.level <= f.level + 1
                 AND p.level < $2 AND p.holder <> $5 AND p.held_until >= now()) AS is_held,
           c.pile, c.weight, c.level, c.ledger
    FROM rest AS r
    LEFT JOIN floor AS f ON true
    LEFT JOIN claimed AS c ON true";

/// Piles that have to be left free, or else few are, when those near a place are claimed: as many
/// as are claimed of what comes next.
const NEAR_TAKE: i64 = 16;

/// Claims piles for a server, for some seconds.
pub async fn claim(
    db: &impl GenericClient,
    by: &Claimant<'_>,
    claim: &Claim,
) -> Result<Claimed, DbError> {
    let wanted = level(by.rules.looks_wanted);
    let (weights, bands) = weights(by.rules);
    let (version, deck) = by.rules.edition;
    let beyond_held = matches!(claim, Claim::Next { beyond_held, .. } if *beyond_held);
    let none = level(LEVEL_NONE);
    let mut params: Vec<Param<'_>> = vec![
        (&by.campaign_id, Type::UUID),
        (&wanted, Type::INT2),
        (&weights, Type::FLOAT4_ARRAY),
        (&bands, Type::INT2_ARRAY),
        (&by.server, Type::UUID),
        (&by.hold_secs, Type::FLOAT8),
        (&version, Type::INT4),
        (&deck, Type::INT4),
        (&beyond_held, Type::BOOL),
    ];
    let (name, pick) = match claim {
        Claim::Next { take, .. } => {
            params.push((take, Type::INT8));
            ("-- assignments::claim_next", [FREE, NEXT, REST])
        }
        Claim::Near {
            piles,
            places,
            each,
        } => {
            params.push((&NEAR_TAKE, Type::INT8));
            params.push((piles, Type::INT8_ARRAY));
            params.push((places, Type::INT4_ARRAY));
            params.push((each, Type::INT8));
            ("-- assignments::claim_near", [FREE, NEAR, REST])
        }
        Claim::Search { skip, take } => {
            params.push((take, Type::INT8));
            params.push((skip, Type::INT8_ARRAY));
            ("-- assignments::claim_search", [NO_REST, SEARCH, ""])
        }
        Claim::Leased { skip, take } => {
            params.push((take, Type::INT8));
            params.push((skip, Type::INT8_ARRAY));
            params.push((&none, Type::INT2));
            ("-- assignments::claim_leased", [NO_REST, LEASED, ""])
        }
        Claim::Tail { skip, take } => {
            params.push((take, Type::INT8));
            params.push((skip, Type::INT8_ARRAY));
            ("-- assignments::claim_tail", [NO_REST, TAIL, ""])
        }
    };
    let sql = [name, FLOOR, &pick.concat(), TAKE].concat();
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
        is_raced: first.get("is_raced"),
        piles,
    })
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

/// The ledger of a pile. A damaged one is empty, so that it spoils neither the pile nor others: who
/// was given its cells and has not answered is forgotten.
pub fn ledger_of(pile: CellId, bytes: &[u8]) -> Ledger {
    ledger::decode(pile, bytes).unwrap_or_else(|cause| {
        tracing::error!(pile = pile.get(), %cause, "who was given its cells is forgotten");
        Ledger::default()
    })
}

fn cell_id(id: i64, column: &str) -> Result<CellId, DbError> {
    CellId::try_from(id).map_err(|e| DbError::Damaged(format!("{column}: {e}")))
}
