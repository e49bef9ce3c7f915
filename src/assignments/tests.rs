//! The dealing as a whole, played against a model of the table of piles.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    NEAR_CELLS, Reason,
    card::{CellFacts, Pile, Summary},
    hand::{Ask, Hand, Scope},
    ledger::{self, Seconds, VolunteerKey},
    order::{bands, distance_squared, pile_of},
    rules::{Floor, Rules},
};
use crate::geo::{CellId, Tile};

const CAMPAIGN: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
const WANTED: u16 = 3;
const LEASE_SECS: u32 = 60;

/// The database: cells with who looked, and piles as they are stored.
struct Table {
    rules: Rules,
    weights: BTreeMap<CellId, f32>,
    looked: BTreeMap<CellId, Vec<VolunteerKey>>,
    stored: BTreeMap<CellId, Summary>,
    held: BTreeSet<CellId>,
    now: Seconds,
}

impl Table {
    /// A square of cells, of which the first columns are heavier.
    fn new(side: u32, heavy_columns: u32, weight: f32) -> Self {
        let cells = (0..side).flat_map(|x| (0..side).map(move |y| (x, y)));
        let weights: BTreeMap<CellId, f32> = cells
            .map(|(x, y)| {
                let cell = Tile::new(17, 40_000 + x, 50_000 + y).unwrap().into();
                (cell, if x < heavy_columns { weight } else { 1.0 })
            })
            .collect();
        let mut table = Self {
            rules: Rules {
                edition: (1, 1),
                looks_wanted: WANTED,
                bands: bands([weight]),
            },
            looked: BTreeMap::new(),
            stored: BTreeMap::new(),
            held: BTreeSet::new(),
            now: Timestamp::from_second(1_800_000_000).unwrap().into(),
            weights,
        };
        let ids: BTreeSet<CellId> = table.weights.keys().map(|c| pile_of(c.tile())).collect();
        for id in ids {
            let summary = table.load(id, &[]).summary(CAMPAIGN, &table.rules);
            table.stored.insert(id, summary);
        }
        table
    }

    fn load(&self, id: CellId, bytes: &[u8]) -> Pile {
        let cells = self
            .weights
            .iter()
            .filter(|(cell, _)| pile_of(cell.tile()) == id);
        let facts = cells
            .map(|(cell, weight)| {
                let seen = self.looked.get(cell).cloned().unwrap_or_default();
                let facts = CellFacts {
                    weight: *weight,
                    done: u16::try_from(seen.len()).unwrap(),
                    seen,
                    ..CellFacts::default()
                };
                (*cell, facts)
            })
            .collect();
        let ledger = ledger::decode(id, bytes).unwrap();
        Pile::new(CAMPAIGN, id, facts, ledger, self.now)
    }

    /// Where the deck stands, in whoever's hand.
    fn floor(&self) -> Option<Floor> {
        self.stored
            .values()
            .filter(|pile| pile.level < WANTED)
            .map(|pile| (self.rules.band(pile.weight), pile.level))
            .min()
            .map(|(band, level)| Floor { band, level })
    }

    /// Claims what comes next, as the statement does.
    fn claim(&mut self, take: usize) -> (Floor, Vec<Pile>) {
        let floor = self.floor().unwrap_or_default();
        let mut next: Vec<&Summary> = self
            .stored
            .values()
            .filter(|pile| !self.held.contains(&pile.pile) && pile.level < WANTED)
            .filter(|pile| self.rules.band(pile.weight) == floor.band)
            .filter(|pile| pile.level <= floor.level + 1)
            .collect();
        next.sort_by_key(|pile| (pile.level, pile.position.to_bits()));
        let due = self.stored.values().filter(|pile| {
            pile.due_at.is_some_and(|at| at <= self.now) && !self.held.contains(&pile.pile)
        });
        let ids: BTreeSet<CellId> = next
            .into_iter()
            .take(take)
            .chain(due)
            .map(|p| p.pile)
            .collect();
        self.held.extend(&ids);
        let piles: Vec<Pile> = ids
            .iter()
            .map(|id| self.load(*id, &self.stored[id].ledger))
            .collect();
        (self.rules.floor(Some(floor), &piles), piles)
    }

    fn put(&mut self, piles: Vec<Pile>) {
        for pile in piles {
            self.held.remove(&pile.id);
            let summary = pile.summary(CAMPAIGN, &self.rules);
            self.stored.insert(pile.id, summary);
        }
    }
}

/// What happens next in the story.
#[derive(Clone, Debug)]
enum Event {
    /// A volunteer asks a server for cells and looks at some of them.
    Ask {
        server: usize,
        volunteer: u128,
        count: usize,
        answers: usize,
    },
    /// A server gives its hand back.
    GiveBack(usize),
    /// Time goes by.
    Wait(u32),
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => (0..3_usize, 0..12_u128, 1..4_usize, 0..4_usize).prop_map(
            |(server, volunteer, count, answers)| Event::Ask { server, volunteer, count, answers }
        ),
        1 => (0..3_usize).prop_map(Event::GiveBack),
        1 => (1..50_u32).prop_map(Event::Wait),
    ]
}

struct Story {
    table: Table,
    hands: Vec<Hand>,
    given: BTreeMap<u128, BTreeSet<CellId>>,
    /// How often each cell was dealt.
    dealt: BTreeMap<CellId, u16>,
}

impl Story {
    fn new(table: Table) -> Self {
        Self {
            hands: (0..3)
                .map(|_| Hand::new(CAMPAIGN, table.rules.clone()))
                .collect(),
            table,
            given: BTreeMap::new(),
            dealt: BTreeMap::new(),
        }
    }

    fn ask(&mut self, server: usize, volunteer: u128, count: usize, answers: usize) -> usize {
        let ask = Ask {
            volunteer: Uuid::from_u128(volunteer).into(),
            count,
            lease_secs: LEASE_SECS,
            is_reserved: false,
        };
        let hand = &mut self.hands[server];
        if hand.waiting() == 0 {
            self.table.put(hand.lay_down());
            let (floor, piles) = self.table.claim(2);
            hand.take_up(piles, floor);
        }
        let dealt = hand.deal(&ask, Scope::Next, self.table.now);
        for one in &dealt {
            let known = self.given.entry(volunteer).or_default();
            assert!(
                known.insert(one.cell),
                "{volunteer} was given {:?} twice",
                one.cell
            );
            let times = self.dealt.entry(one.cell).or_default();
            *times += 1;
            assert_ne!(one.reason, Reason::Again);
        }
        for one in dealt.iter().take(answers) {
            self.table
                .looked
                .entry(one.cell)
                .or_default()
                .push(ask.volunteer);
        }
        dealt.len()
    }

    /// Looks and live leases of every cell, as all hands and the table together have them.
    fn levels(&self) -> BTreeMap<CellId, u16> {
        let held = self.hands.iter().flat_map(Hand::levels);
        let stored = self
            .table
            .stored
            .iter()
            .filter(|(id, _)| !self.table.held.contains(*id))
            .flat_map(|(id, pile)| self.table.load(*id, &pile.ledger).cards)
            .map(|card| (card.cell, card.level));
        held.chain(stored).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nobody_is_dealt_a_cell_twice_and_no_cell_beyond_what_is_wanted(
        events in prop::collection::vec(any_event(), 1..300),
    ) {
        let mut story = Story::new(Table::new(9, 3, 50.0));
        for event in events {
            match event {
                Event::Ask { server, volunteer, count, answers } => {
                    story.ask(server, volunteer, count, answers);
                }
                Event::GiveBack(server) => {
                    let piles = story.hands[server].lay_down();
                    story.table.put(piles);
                }
                Event::Wait(secs) => story.table.now = story.table.now.plus(secs),
            }
            for (cell, level) in story.levels() {
                prop_assert!(level <= WANTED, "{cell:?} has {level}");
            }
        }
    }

    #[test]
    fn within_a_band_no_cell_is_two_looks_ahead(
        asks in prop::collection::vec((0..3_usize, 1..4_usize), 1..400),
    ) {
        // Nobody comes back and no lease ends: levels are what was dealt.
        let mut story = Story::new(Table::new(8, 0, 1.0));
        for (volunteer, (server, count)) in asks.into_iter().enumerate() {
            let volunteer = u128::try_from(volunteer).unwrap();
            story.ask(server, volunteer, count, 0);
            let levels = story.levels();
            let (least, most) = (levels.values().min().unwrap(), levels.values().max().unwrap());
            prop_assert!(most - least <= 2, "{least} to {most}");
        }
    }

    #[test]
    fn heavier_cells_are_all_dealt_before_lighter_ones(server in 0..3_usize) {
        let mut story = Story::new(Table::new(8, 2, 4.0));
        let heavy = 2 * 8 * usize::from(WANTED);
        let mut volunteer = 0;
        let mut dealt = 0;
        while dealt < heavy {
            let given = story.ask(server, volunteer, 1, 0);
            prop_assert_eq!(given, 1);
            dealt += given;
            volunteer += 1;
        }
        for (cell, times) in &story.dealt {
            prop_assert!(story.table.weights[cell] > 1.0, "{:?}", cell);
            prop_assert_eq!(*times, WANTED);
        }
    }
}

#[test]
fn a_crowd_that_answers_finishes_everything() {
    let mut story = Story::new(Table::new(7, 2, 1.5));
    let all = 49 * usize::from(WANTED);
    for volunteer in 0..1000_u128 {
        let server = usize::try_from(volunteer % 3).unwrap();
        if story.ask(server, volunteer, 1, 1) == 0 {
            // What is left is in the hands of others, which are given back when they lie idle.
            for server in 0..3 {
                let piles = story.hands[server].lay_down();
                story.table.put(piles);
            }
        }
    }
    let looks: Vec<usize> = story.table.looked.values().map(Vec::len).collect();
    assert_eq!(looks.iter().sum::<usize>(), all);
    assert!(looks.iter().all(|looks| *looks == usize::from(WANTED)));
}

#[test]
fn an_abandoned_cell_comes_back_when_its_lease_ends() {
    let mut story = Story::new(Table::new(1, 0, 1.0));
    for volunteer in 0..u128::from(WANTED) {
        assert_eq!(story.ask(0, volunteer, 1, 0), 1);
    }
    assert_eq!(story.ask(1, 10, 1, 1), 0, "the first server holds it");
    assert_eq!(story.ask(0, 10, 1, 1), 0);
    story.table.now = story.table.now.plus(LEASE_SECS - 1);
    assert_eq!(story.ask(1, 10, 1, 1), 0);
    story.table.now = story.table.now.plus(1);
    assert_eq!(story.ask(1, 0, 1, 1), 0, "0 had it before");
    assert_eq!(story.ask(1, 10, 1, 1), 1);
}

#[test]
fn a_cell_is_dealt_beyond_what_is_wanted_when_its_holders_are_idle_and_not_before() {
    for (count, is_reserved, idle_after) in [
        (1, false, 60),
        (2, false, 120),
        (1, true, 3600),
        (100, false, 3600),
    ] {
        let table = Table::new(1, 0, 1.0);
        let mut hand = Hand::new(CAMPAIGN, table.rules.clone());
        let cell = *table.weights.keys().next().unwrap();
        hand.take_up(
            [table.load(pile_of(cell.tile()), &[])],
            Floor { band: 0, level: 0 },
        );
        let ask = |volunteer: u128| Ask {
            volunteer: Uuid::from_u128(volunteer).into(),
            count,
            lease_secs: 3600,
            is_reserved,
        };
        for volunteer in 0..u128::from(WANTED) {
            assert_eq!(hand.deal(&ask(volunteer), Scope::Any, table.now).len(), 1);
        }
        let mut tail = |after| {
            let dealt = hand.deal(&ask(99), Scope::Tail, table.now.plus(after));
            dealt.len()
        };
        assert_eq!(tail(idle_after - 1), 0, "{count} {is_reserved}");
        assert_eq!(tail(idle_after), 1, "{count} {is_reserved}");
    }
}

proptest! {
    #[test]
    fn near_a_place_the_nearest_that_come_next_are_dealt(
        x in 0..24_u32,
        y in 0..24_u32,
        count in 1..40_usize,
        within in 1..20_u64,
    ) {
        let table = Table::new(24, 0, 1.0);
        let mut hand = Hand::new(CAMPAIGN, table.rules.clone());
        let piles: Vec<Pile> = table.stored.keys().map(|id| table.load(*id, &[])).collect();
        hand.take_up(piles, Floor { band: 0, level: 0 });
        let centre = Tile::new(17, 40_000 + x, 50_000 + y).unwrap();
        let ask = Ask {
            volunteer: Uuid::from_u128(1).into(),
            count,
            lease_secs: LEASE_SECS,
            is_reserved: false,
        };
        let far = |cell: Tile| distance_squared(centre, cell);
        let mut nearest: Vec<u64> = table.weights.keys().map(|cell| far(cell.tile())).collect();
        nearest.sort_unstable();
        let closest: Vec<u64> = nearest.iter().copied().take(count).collect();
        let is_close = closest.iter().all(|distance| *distance <= within * within);
        let dealt = hand.deal(&ask, Scope::Close { centre, within }, table.now);
        let found: Vec<u64> = dealt.iter().map(|one| far(one.cell.tile())).collect();
        prop_assert_eq!(found, if is_close { closest } else { Vec::new() });
        prop_assert!(dealt.iter().all(|one| one.reason == Reason::Near));

        let other = Ask { volunteer: Uuid::from_u128(2).into(), ..ask };
        let mut near = nearest;
        near.retain(|distance| *distance <= NEAR_CELLS * NEAR_CELLS);
        near.truncate(count);
        let dealt = hand.deal(&other, Scope::Near { centre }, table.now);
        let found: Vec<u64> = dealt.iter().map(|one| far(one.cell.tile())).collect();
        prop_assert_eq!(found, near);
    }
}
