//! Laying the deck: preparation makes piles of cells, and others say what must be counted anew.

use std::collections::BTreeMap;

use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::order::{pile_of, position};
use crate::{
    db::DbError,
    geo::{CellId, Tile},
};

/// What preparation knows of a pile.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewPile {
    /// Highest weight of its cells.
    pub weight: f32,
    /// Whether they have several weights.
    pub is_mixed: bool,
    /// Whether it has cells that were not there before.
    pub has_new_cells: bool,
}

/// Groups cells into piles. All cells of a pile must be among them.
pub fn piles(cells: impl IntoIterator<Item = (Tile, f32, bool)>) -> BTreeMap<CellId, NewPile> {
    let mut piles: BTreeMap<CellId, NewPile> = BTreeMap::new();
    for (cell, weight, is_new) in cells {
        let pile = piles.entry(pile_of(cell)).or_insert(NewPile {
            weight,
            ..NewPile::default()
        });
        pile.is_mixed |= pile.weight.total_cmp(&weight).is_ne();
        pile.weight = pile.weight.max(weight);
        pile.has_new_cells |= is_new;
    }
    piles
}

/// Puts piles into the deck; one that is there already takes the new weight and is counted anew.
pub async fn lay(
    db: &impl GenericClient,
    campaign_id: Uuid,
    piles: &BTreeMap<CellId, NewPile>,
) -> Result<(), DbError> {
    let sql = "-- assignments::lay
        INSERT INTO piles AS p (campaign_id, pile, weight, position, level, is_mixed)
        SELECT $1, n.pile, n.weight, n.position, CASE WHEN n.has_new_cells THEN 0 ELSE 32767 END,
               n.is_mixed
        FROM unnest($2::int8[], $3::float4[], $4::float4[], $5::bool[], $6::bool[])
             AS n (pile, weight, position, has_new_cells, is_mixed)
        ON CONFLICT ON CONSTRAINT piles_pkey DO UPDATE
        SET weight = excluded.weight, position = excluded.position,
            level = least(p.level, excluded.level), is_mixed = excluded.is_mixed, due_at = now(), nudged = true";
    let ids: Vec<i64> = piles.keys().map(|pile| pile.get()).collect();
    let weights: Vec<f32> = piles.values().map(|pile| pile.weight).collect();
    let positions: Vec<f32> = piles
        .iter()
        .map(|(id, pile)| position(campaign_id, *id, pile.weight))
        .collect();
    let mixed: Vec<bool> = piles.values().map(|pile| pile.is_mixed).collect();
    let with_new: Vec<bool> = piles.values().map(|pile| pile.has_new_cells).collect();
    db.execute_typed(
        sql,
        &[
            (&campaign_id, Type::UUID),
            (&ids, Type::INT8_ARRAY),
            (&weights, Type::FLOAT4_ARRAY),
            (&positions, Type::FLOAT4_ARRAY),
            (&with_new, Type::BOOL_ARRAY),
            (&mixed, Type::BOOL_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

/// Has the piles of these cells counted anew, because something changed that their holder cannot
/// know: a look that gives the place back, a decision of the organiser.
pub async fn nudge(db: &impl GenericClient, cells: &[(Uuid, CellId)]) -> Result<(), DbError> {
    let sql = "-- assignments::nudge
        WITH given AS (
            SELECT DISTINCT campaign_id, pile
            FROM unnest($1::uuid[], $2::int8[]) AS g (campaign_id, pile)
        ), locked AS (
            SELECT campaign_id, pile FROM piles JOIN given USING (campaign_id, pile)
            ORDER BY campaign_id, pile
            FOR UPDATE OF piles
        )
        UPDATE piles AS p SET nudged = true, due_at = least(p.due_at, now())
        FROM locked AS l
        WHERE p.campaign_id = l.campaign_id AND p.pile = l.pile";
    if cells.is_empty() {
        return Ok(());
    }
    let (campaigns, piles): (Vec<Uuid>, Vec<i64>) = cells
        .iter()
        .map(|(campaign, cell)| (*campaign, pile_of(cell.tile()).get()))
        .unzip();
    db.execute_typed(
        sql,
        &[(&campaigns, Type::UUID_ARRAY), (&piles, Type::INT8_ARRAY)],
    )
    .await?;
    Ok(())
}

/// Has piles counted anew that hide cells of one band behind those of another, after the looks
/// wanted changed.
pub async fn wanted_changed(db: &impl GenericClient, campaign_id: Uuid) -> Result<(), DbError> {
    let sql = "-- assignments::wanted_changed
        WITH locked AS (
            SELECT pile FROM piles WHERE campaign_id = $1 AND is_mixed
            ORDER BY pile
            FOR UPDATE
        )
        UPDATE piles AS p SET nudged = true, due_at = least(p.due_at, now())
        FROM locked AS l
        WHERE p.campaign_id = $1 AND p.pile = l.pile";
    db.execute_typed(sql, &[(&campaign_id, Type::UUID)]).await?;
    Ok(())
}
