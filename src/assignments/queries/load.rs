//! What is known of the cells of piles that were claimed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio_postgres::{GenericClient, types::Type};
use uuid::Uuid;

use super::{Stored, cell_id, history::renewal, ledger_of};
use crate::{
    assignments::{
        card::{CellFacts, Pile},
        ledger::{self, Renewal, Seconds, VolunteerKey},
        order::cells_of,
    },
    db::DbError,
    geo::CellId,
};

/// Looks of one cell that are read.
const LOOKS_MAX: i64 = 10_000;

/// What is known of the cells of piles.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    pub cells: BTreeMap<CellId, CellFacts>,
    /// Leases that were renewed and are live, or were given back before their end.
    pub renewed: Vec<(CellId, VolunteerKey, Renewal)>,
}

impl Loaded {
    /// Puts piles together, in the order in which they were claimed.
    pub fn into_piles(mut self, campaign_id: Uuid, stored: &[Stored], now: Seconds) -> Vec<Pile> {
        let mut renewed: BTreeMap<CellId, Vec<(VolunteerKey, Renewal)>> = BTreeMap::new();
        for (cell, volunteer, renewal) in self.renewed {
            renewed.entry(cell).or_default().push((volunteer, renewal));
        }
        stored
            .iter()
            .map(|stored| {
                let id = stored.id;
                let mut ledger = ledger_of(id, &stored.ledger);
                let mut facts = BTreeMap::new();
                for cell in cells_of(id) {
                    facts.extend(self.cells.remove_entry(&cell));
                    for (volunteer, renewal) in renewed.remove(&cell).unwrap_or_default() {
                        ledger::apply(ledger.entry(cell).or_default(), volunteer, renewal);
                    }
                }
                Pile::new(campaign_id, id, facts, ledger, now)
            })
            .collect()
    }
}

/// Reads what is known of the cells of piles; after the claim, in a statement of its own, so that
/// it sees what the last holder saw.
pub async fn load(
    db: &impl GenericClient,
    campaign_id: Uuid,
    piles: impl Iterator<Item = CellId>,
) -> Result<Loaded, DbError> {
    let sql = "-- assignments::load
        SELECT c.cell, c.weight, coalesce(d.closed, false) AS is_closed,
               d.imagery_layer_id AS layer, l.volunteer_id,
               l.outcome IN ('tagged', 'nothing')
                   AND (d.looks_since IS NULL OR l.received_at > d.looks_since) AS is_done,
               l.outcome = 'bad_imagery'
                   AND (d.looks_since IS NULL OR l.received_at > d.looks_since)
                   AND (d.reports_since IS NULL OR l.received_at > d.reports_since) AS is_report,
               NULL::timestamptz AS renewed, NULL::timestamptz AS replaces, NULL::bool AS is_returned
        FROM unnest($2::int8[]) AS u (cell)
        JOIN cells AS c ON c.campaign_id = $1 AND c.cell = u.cell
        LEFT JOIN cell_decisions AS d ON d.campaign_id = $1 AND d.cell = u.cell
        LEFT JOIN LATERAL (
            SELECT volunteer_id, outcome, received_at FROM looks
            WHERE campaign_id = $1 AND cell = u.cell
            -- Keeps the planner from joining with the whole table.
            ORDER BY volunteer_id LIMIT $3) AS l ON true
        UNION ALL
        SELECT cell, 0, false, NULL, volunteer_id, NULL, NULL, lease_expires_at, replaces,
               returned_at IS NOT NULL
        FROM lease_renewals
        WHERE campaign_id = $1 AND cell = ANY ($2) AND lease_expires_at > now()";
    let cells: Vec<i64> = piles.flat_map(cells_of).map(CellId::get).collect();
    let rows = db
        .query_typed(
            sql,
            &[
                (&campaign_id, Type::UUID),
                (&cells, Type::INT8_ARRAY),
                (&LOOKS_MAX, Type::INT8),
            ],
        )
        .await?;
    let mut loaded = Loaded::default();
    let mut answers: BTreeMap<(CellId, VolunteerKey), (bool, bool)> = BTreeMap::new();
    for row in &rows {
        let cell = cell_id(row.get("cell"), "cells.cell")?;
        let volunteer = row
            .get::<_, Option<Uuid>>("volunteer_id")
            .map(VolunteerKey::from);
        if let Some(ends) = row.get::<_, Option<Timestamp>>("renewed") {
            let renewal = renewal(ends, row.get("replaces"), row.get("is_returned"));
            loaded
                .renewed
                .extend(volunteer.map(|volunteer| (cell, volunteer, renewal)));
            continue;
        }
        loaded.cells.entry(cell).or_insert_with(|| CellFacts {
            weight: row.get("weight"),
            is_closed: row.get("is_closed"),
            layer: row.get("layer"),
            ..CellFacts::default()
        });
        if let Some(volunteer) = volunteer {
            let answer = answers.entry((cell, volunteer)).or_default();
            answer.0 |= row.get::<_, bool>("is_done");
            answer.1 |= row.get::<_, bool>("is_report");
        }
    }
    for ((cell, volunteer), (is_done, is_report)) in answers {
        if let Some(facts) = loaded.cells.get_mut(&cell) {
            facts.seen.push(volunteer);
            facts.done += u16::from(is_done);
            facts.reports += u16::from(is_report);
        }
    }
    Ok(loaded)
}
