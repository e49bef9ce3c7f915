//! What the volunteers see, written down as it happens.
//!
//! A server decides before the volunteer hears of it, so what depends on the order of deals is
//! judged with some room; what one volunteer is given is exact.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::{Duration, Instant},
};

use crate::harness::Cell;

/// How long a lease that ended may still count, until every server knows of it.
const GRACE: Duration = Duration::from_secs(5);
/// How much earlier than a volunteer believes a lease may end, since they are kept in seconds.
const EARLY: Duration = Duration::from_millis(1500);
/// Reports of bad imagery that wait for the organiser.
const REPORTS_MAX: usize = 3;
/// How many answer one cell long after their lease ended.
const LATE_MAX: usize = 2;
/// How far from the place that was asked for a cell `near` may lie, in cells each way.
const NEAR_MAX: u32 = 12;

/// All that was dealt and answered.
pub struct Watch {
    looks_wanted: usize,
    began: Instant,
    cells: BTreeMap<Cell, Seen>,
    /// By volunteer and cell: whether it was answered.
    given: BTreeMap<(usize, Cell), bool>,
    /// What must not be, as sentences.
    pub wrong: Vec<String>,
    /// Ids of looks that a server confirmed.
    pub acknowledged: Vec<uuid::Uuid>,
    /// Whether each deal by order was of the priority area.
    in_order: Vec<bool>,
    reasons: BTreeMap<String, usize>,
    /// Deals of a cell while another of its kind was two looks behind.
    unfair: usize,
    /// Deals by order, not in the tail, of cells that had their looks and leases already.
    needless: usize,
    pub empty: usize,
    pub busy: usize,
}

/// One cell.
#[derive(Default)]
struct Seen {
    is_priority: bool,
    looks: usize,
    /// Who has it and has not answered, and until when.
    leases: BTreeMap<usize, Instant>,
    /// Reports of bad imagery: nobody is given the cell until the organiser decides.
    reports: usize,
    /// Answers long after a lease ended.
    late: usize,
    /// What happened to it, by time.
    history: Vec<String>,
}

impl Seen {
    fn note(&mut self, began: Instant, what: String) {
        let at = began.elapsed().as_secs_f64();
        self.history.push(format!("  {at:6.2} s {what}"));
    }

    /// Looks, and leases that end after a time.
    fn level(&self, time: Instant) -> usize {
        let live = self.leases.values().filter(|until| **until > time);
        self.looks + live.count()
    }
}

/// A cell that somebody was given.
pub struct Offer<'a> {
    pub cell: Cell,
    pub reason: &'a str,
    pub lease: Duration,
    pub near: Option<Cell>,
}

impl Watch {
    pub fn new(looks_wanted: usize, cells: &[Cell], priority: &BTreeSet<Cell>) -> Self {
        let seen = |cell: &Cell| Seen {
            is_priority: priority.contains(cell),
            ..Seen::default()
        };
        Self {
            looks_wanted,
            began: Instant::now(),
            cells: cells.iter().map(|cell| (*cell, seen(cell))).collect(),
            given: BTreeMap::new(),
            wrong: Vec::new(),
            acknowledged: Vec::new(),
            in_order: Vec::new(),
            reasons: BTreeMap::new(),
            unfair: 0,
            needless: 0,
            empty: 0,
            busy: 0,
        }
    }

    pub fn given(&mut self, who: usize, offer: &Offer<'_>) {
        let Offer { cell, reason, .. } = *offer;
        *self.reasons.entry(reason.to_owned()).or_default() += 1;
        match self.given.insert((who, cell), false) {
            Some(true) => self.wrong.push(format!(
                "{cell} was given to {who} who had answered it ({reason})"
            )),
            Some(false) if reason != "again" => {
                self.wrong
                    .push(format!("{cell} was given to {who} twice ({reason})"));
            }
            None if reason == "again" => self.wrong.push(format!(
                "{cell} was given to {who} for the first time: again"
            )),
            _ => {}
        }
        let far = |place: Cell| {
            place.x.abs_diff(cell.x) > NEAR_MAX || place.y.abs_diff(cell.y) > NEAR_MAX
        };
        if reason == "near" && offer.near.is_none_or(far) {
            self.wrong
                .push(format!("{cell} is not near {:?}", offer.near));
        }
        let now = Instant::now();
        if matches!(reason, "new" | "priority" | "near") {
            self.judge_order(who, cell, now);
        }
        match self.cells.get_mut(&cell) {
            Some(seen) => {
                seen.leases.insert(who, now + offer.lease);
                let lease = offer.lease.as_secs();
                seen.note(
                    self.began,
                    format!("given to {who} for {lease} s ({reason})"),
                );
            }
            None => self.wrong.push(format!("{cell} is not of the campaign")),
        }
    }

    fn judge_order(&mut self, who: usize, cell: Cell, now: Instant) {
        let Some(seen) = self.cells.get(&cell) else {
            return;
        };
        let is_priority = seen.is_priority;
        let level = seen.level(now + EARLY);
        let open = self
            .cells
            .iter()
            .filter(|(other, seen)| {
                seen.is_priority == is_priority
                    && seen.reports < REPORTS_MAX
                    && !self.given.contains_key(&(who, **other))
            })
            .map(|(_, seen)| now.checked_sub(GRACE).map_or(0, |then| seen.level(then)));
        if open.min().is_some_and(|lowest| level >= lowest + 2) {
            self.unfair += 1;
        }
        if level >= self.looks_wanted {
            self.needless += 1;
        }
        self.in_order.push(is_priority);
    }

    /// Whether somebody may answer a cell long after their lease ended, which they then will.
    ///
    /// No server can refuse such a look or foresee it, so that the bound on looks beyond those
    /// wanted holds only as far as it holds for these.
    pub fn answers_late(&mut self, cell: Cell) -> bool {
        let seen = self.cells.get_mut(&cell);
        let seen = seen.filter(|seen| seen.late < LATE_MAX);
        seen.map(|seen| seen.late += 1).is_some()
    }

    pub fn renewed(&mut self, who: usize, cell: Cell, lease: Duration) {
        if let Some(seen) = self.cells.get_mut(&cell) {
            seen.leases.insert(who, Instant::now() + lease);
            seen.note(self.began, format!("renewed by {who}"));
        }
    }

    pub fn answered(&mut self, who: usize, cell: Cell, outcome: &str, id: &str) {
        self.acknowledged.push(id.parse().unwrap());
        self.given.insert((who, cell), true);
        if let Some(seen) = self.cells.get_mut(&cell) {
            seen.leases.remove(&who);
            seen.looks += usize::from(matches!(outcome, "tagged" | "nothing"));
            seen.reports += usize::from(outcome == "bad_imagery");
            seen.note(self.began, format!("answered by {who}: {outcome}"));
        }
    }

    /// What happened to a cell, by its packed id.
    pub fn history(&self, cell: i64) -> String {
        let found = self.cells.iter().find(|(known, _)| known.packed() == cell);
        found.map_or_else(String::new, |(cell, seen)| {
            format!("{cell}\n{}\n", seen.history.join("\n"))
        })
    }

    /// In percent: how many of the deals were of the priority area, until half of its
    /// places had been dealt.
    pub fn priority_percent(&self) -> usize {
        let area = self.cells.values().filter(|seen| seen.is_priority).count();
        let places = area * self.looks_wanted / 2;
        let mut of_area = 0;
        for (before, is_priority) in self.in_order.iter().enumerate() {
            of_area += usize::from(*is_priority);
            if of_area == places {
                return of_area * 100 / (before + 1);
            }
        }
        0
    }

    /// In percent of the deals by order.
    pub fn unfair_percent(&self) -> usize {
        self.unfair * 100 / self.in_order.len().max(1)
    }

    pub fn needless_percent(&self) -> usize {
        self.needless * 100 / self.in_order.len().max(1)
    }
}

impl fmt::Display for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "dealt {:?}, nothing {} times, busy {} times; {} looks; {} % priority first, {} unfair, {} needless of {}",
            self.reasons,
            self.empty,
            self.busy,
            self.acknowledged.len(),
            self.priority_percent(),
            self.unfair,
            self.needless,
            self.in_order.len()
        )
    }
}
