//! Judges a campaign that is done by what is in the database, and by nothing else.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Client;
use uuid::Uuid;

/// Looks beyond the looks wanted that a cell may have.
const BEYOND_MAX: usize = 2;
/// Looks beyond the looks wanted, in percent of them, that all cells together may have.
const BEYOND_PERCENT_MAX: usize = 5;

/// What the database keeps of a campaign.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub looks_wanted: usize,
    pub cells: BTreeMap<i64, Kept>,
    pub looks: Vec<Look>,
    /// Tags whose look is of another cell or says that nothing was seen.
    pub loose_tags: usize,
}

/// A cell, and what was decided about it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept {
    /// Looks as they are shown.
    pub shown: usize,
    /// Nobody is given it any more.
    pub closed: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub cell: i64,
    pub volunteer: Uuid,
    /// Towards the looks wanted: neither skipped nor bad imagery, nor from before a reset.
    pub counts: bool,
}

/// What must not be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    Missing {
        cell: i64,
        looks: usize,
    },
    TooMany {
        cell: i64,
        looks: usize,
    },
    TooManyInAll {
        beyond: usize,
    },
    SeenTwice {
        cell: i64,
        volunteer: Uuid,
        looks: usize,
    },
    Miscounted {
        cell: i64,
        shown: usize,
        looks: usize,
    },
    NotOfTheCampaign {
        cell: i64,
    },
    LooseTags {
        tags: usize,
    },
}

impl Fault {
    /// The cell that it is about.
    pub fn cell(&self) -> Option<i64> {
        match *self {
            Self::Missing { cell, .. }
            | Self::TooMany { cell, .. }
            | Self::SeenTwice { cell, .. }
            | Self::Miscounted { cell, .. }
            | Self::NotOfTheCampaign { cell } => Some(cell),
            Self::TooManyInAll { .. } | Self::LooseTags { .. } => None,
        }
    }
}

#[derive(Debug, Default)]
pub struct Judgement {
    pub faults: Vec<Fault>,
    pub looks: usize,
    pub wanted: usize,
    /// Looks beyond the looks wanted.
    pub beyond: usize,
}

pub async fn read(db: &Client, campaign: &str) -> Record {
    let id: Uuid = campaign.parse().unwrap();
    let sql = "SELECT looks_wanted::int8 FROM campaigns WHERE id = $1";
    let wanted: i64 = db.query_one(sql, &[&id]).await.unwrap().get(0);
    let sql = "
        SELECT c.cell, c.looks::int8 AS looks, coalesce(d.closed, false) AS closed
        FROM cells AS c
        LEFT JOIN cell_decisions AS d USING (campaign_id, cell)
        WHERE c.campaign_id = $1";
    let cells = db.query(sql, &[&id]).await.unwrap();
    let sql = "
        SELECT l.cell, l.volunteer_id,
               l.outcome IN ('tagged', 'nothing')
                   AND (d.looks_since IS NULL OR l.received_at > d.looks_since) AS counts
        FROM looks AS l
        LEFT JOIN cell_decisions AS d USING (campaign_id, cell)
        WHERE l.campaign_id = $1";
    let looks = db.query(sql, &[&id]).await.unwrap();
    let sql = "
        SELECT count(*)
        FROM tags AS t
        JOIN looks AS l ON l.volunteer_id = t.volunteer_id AND l.id = t.look_id
        WHERE t.campaign_id = $1 AND (l.cell <> t.cell OR l.outcome <> 'tagged')";
    let loose: i64 = db.query_one(sql, &[&id]).await.unwrap().get(0);
    Record {
        looks_wanted: usize::try_from(wanted).unwrap(),
        cells: cells
            .iter()
            .map(|row| {
                let shown = usize::try_from(row.get::<_, i64>("looks")).unwrap();
                let closed = row.get("closed");
                (row.get("cell"), Kept { shown, closed })
            })
            .collect(),
        looks: looks
            .iter()
            .map(|row| Look {
                cell: row.get("cell"),
                volunteer: row.get("volunteer_id"),
                counts: row.get("counts"),
            })
            .collect(),
        loose_tags: usize::try_from(loose).unwrap(),
    }
}

pub fn judge(record: &Record) -> Judgement {
    let mut pairs: BTreeMap<(i64, Uuid), usize> = BTreeMap::new();
    let mut counted: BTreeMap<i64, BTreeSet<Uuid>> = BTreeMap::new();
    for look in &record.looks {
        *pairs.entry((look.cell, look.volunteer)).or_default() += 1;
        let volunteers = counted.entry(look.cell).or_default();
        if look.counts {
            volunteers.insert(look.volunteer);
        }
    }
    let mut judgement = Judgement {
        looks: record.looks.len(),
        ..Judgement::default()
    };
    let faults = &mut judgement.faults;
    for (&(cell, volunteer), &looks) in pairs.iter().filter(|(_, looks)| **looks > 1) {
        faults.push(Fault::SeenTwice {
            cell,
            volunteer,
            looks,
        });
    }
    let strays = counted
        .keys()
        .filter(|cell| !record.cells.contains_key(cell));
    faults.extend(strays.map(|&cell| Fault::NotOfTheCampaign { cell }));
    for (&cell, kept) in &record.cells {
        let looks = counted.get(&cell).map_or(0, BTreeSet::len);
        if looks != kept.shown {
            let shown = kept.shown;
            faults.push(Fault::Miscounted { cell, shown, looks });
        }
        if kept.closed {
            continue;
        }
        judgement.wanted += record.looks_wanted;
        let beyond = looks.saturating_sub(record.looks_wanted);
        judgement.beyond += beyond;
        if looks < record.looks_wanted {
            faults.push(Fault::Missing { cell, looks });
        }
        if beyond > BEYOND_MAX {
            faults.push(Fault::TooMany { cell, looks });
        }
    }
    if judgement.beyond * 100 > judgement.wanted * BEYOND_PERCENT_MAX {
        let beyond = judgement.beyond;
        faults.push(Fault::TooManyInAll { beyond });
    }
    if record.loose_tags > 0 {
        let tags = record.loose_tags;
        faults.push(Fault::LooseTags { tags });
    }
    judgement
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELLS: i64 = 100;
    const WANTED: usize = 3;

    fn volunteer(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn look(cell: i64, number: u128) -> Look {
        Look {
            cell,
            volunteer: volunteer(number),
            counts: true,
        }
    }

    /// A hundred cells that three volunteers looked at each.
    fn done() -> Record {
        let kept = Kept {
            shown: WANTED,
            closed: false,
        };
        Record {
            looks_wanted: WANTED,
            cells: (0..CELLS).map(|cell| (cell, kept)).collect(),
            looks: (0..CELLS)
                .flat_map(|cell| (0..3).map(move |number| look(cell, number)))
                .collect(),
            loose_tags: 0,
        }
    }

    /// Adds looks that are also shown.
    fn look_more(record: &mut Record, cell: i64, numbers: std::ops::Range<u128>) {
        for number in numbers {
            record.looks.push(look(cell, number));
            record.cells.get_mut(&cell).unwrap().shown += 1;
        }
    }

    #[test]
    fn a_campaign_that_is_done_has_no_fault() {
        let judgement = judge(&done());
        assert_eq!(judgement.faults, []);
        assert_eq!((judgement.looks, judgement.wanted), (300, 300));
    }

    #[test]
    fn a_cell_without_enough_looks_is_found() {
        let mut record = done();
        record
            .looks
            .retain(|look| look.cell != 7 || look.volunteer != volunteer(2));
        record.cells.get_mut(&7).unwrap().shown = 2;
        let missing = Fault::Missing { cell: 7, looks: 2 };
        assert_eq!(judge(&record).faults, [missing]);
        record.cells.get_mut(&7).unwrap().closed = true;
        assert_eq!(judge(&record).faults, []);
    }

    #[test]
    fn skipped_cells_and_looks_before_a_reset_do_not_count() {
        let mut record = done();
        record.looks[0].counts = false;
        record.cells.get_mut(&0).unwrap().shown = 2;
        let missing = Fault::Missing { cell: 0, looks: 2 };
        assert_eq!(judge(&record).faults, [missing]);
    }

    #[test]
    fn three_looks_by_two_volunteers_are_two_and_one_saw_the_cell_twice() {
        let mut record = done();
        record.looks[1].volunteer = volunteer(0);
        record.cells.get_mut(&0).unwrap().shown = 2;
        let twice = Fault::SeenTwice {
            cell: 0,
            volunteer: volunteer(0),
            looks: 2,
        };
        let missing = Fault::Missing { cell: 0, looks: 2 };
        assert_eq!(judge(&record).faults, [twice, missing]);
    }

    #[test]
    fn a_cell_that_was_skipped_and_then_seen_was_given_twice() {
        let mut record = done();
        let skipped = Look {
            counts: false,
            ..look(5, 1)
        };
        record.looks.push(skipped);
        let twice = Fault::SeenTwice {
            cell: 5,
            volunteer: volunteer(1),
            looks: 2,
        };
        assert_eq!(judge(&record).faults, [twice]);
    }

    #[test]
    fn two_looks_beyond_are_fine_and_three_are_not() {
        let mut record = done();
        look_more(&mut record, 4, 10..12);
        assert_eq!(judge(&record).faults, []);
        look_more(&mut record, 4, 12..13);
        let many = Fault::TooMany { cell: 4, looks: 6 };
        assert_eq!(judge(&record).faults, [many]);
    }

    #[test]
    fn five_percent_beyond_are_fine_and_more_are_not() {
        let mut record = done();
        for cell in 0..15 {
            look_more(&mut record, cell, 10..11);
        }
        assert_eq!(judge(&record).faults, []);
        look_more(&mut record, 15, 10..11);
        let many = Fault::TooManyInAll { beyond: 16 };
        assert_eq!(judge(&record).faults, [many]);
    }

    #[test]
    fn a_number_that_differs_from_the_looks_is_found() {
        let mut record = done();
        record.cells.get_mut(&9).unwrap().shown = 4;
        let miscounted = Fault::Miscounted {
            cell: 9,
            shown: 4,
            looks: 3,
        };
        assert_eq!(judge(&record).faults, [miscounted]);
    }

    #[test]
    fn looks_elsewhere_and_loose_tags_are_found() {
        let mut record = done();
        record.looks.push(look(1000, 1));
        record.loose_tags = 2;
        let elsewhere = Fault::NotOfTheCampaign { cell: 1000 };
        let loose = Fault::LooseTags { tags: 2 };
        assert_eq!(judge(&record).faults, [elsewhere, loose]);
    }
}
