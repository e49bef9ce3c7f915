//! Compares what was acknowledged with what the database holds.

use std::{fmt, time::Duration};

use anyhow::{Context, bail};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{Entry, Ledger, content};
use crate::{measure::float_of, place::Place, statements::connect};

/// Longest wait until the worker has counted everything.
const COUNT_WAIT: Duration = Duration::from_mins(10);
const STEP: Duration = Duration::from_millis(100);
/// Differences that are listed.
const LISTED_MAX: usize = 50;
/// How far a stored place may be from the one that was sent, in degrees.
const PLACE_TOLERANCE: f64 = 2e-7;

/// What was compared; it is only made when all of it fits.
#[derive(Clone, Debug)]
pub struct Checked {
    pub acknowledged: usize,
    pub stored: usize,
    pub tags: usize,
    pub sent: usize,
}

/// Fails with a list of the differences unless each acknowledged look is stored exactly once with
/// its content, nothing is stored that was not sent, or twice, and every number is equal to a recount.
/// A look that was sent and not acknowledged may be there once or not at all.
///
/// Nobody may send meanwhile, and a worker must run.
pub async fn check(place: &Place, campaign_id: &str, ledger: &Ledger) -> anyhow::Result<Checked> {
    let database = connect(place.setting("DATABASE_URL")?).await?;
    let campaign_id: Uuid = campaign_id.parse()?;
    let mut comparison = Comparison::new(ledger);
    let looks = "SELECT id, volunteer_id, cell, outcome,
                        started_at = $2::text::timestamptz AND finished_at = $3::text::timestamptz AS has_its_times
                 FROM looks WHERE campaign_id = $1";
    let (started_at, finished_at) = (content::STARTED_AT, content::FINISHED_AT);
    for row in database
        .query(looks, &[&campaign_id, &started_at, &finished_at])
        .await?
    {
        comparison.look(&StoredLook::of(&row));
    }
    let tags = "SELECT id, look_id, volunteer_id, cell, tag_type, note, ST_X(place) AS lon, ST_Y(place) AS lat
                FROM tags WHERE campaign_id = $1";
    for row in database.query(tags, &[&campaign_id]).await? {
        comparison.tag(&StoredTag::of(&row));
    }
    let checked = comparison.finish()?;
    recount(place).await?;
    Ok(checked)
}

/// Waits until the worker has counted everything, and lets the program recount it.
async fn recount(place: &Place) -> anyhow::Result<()> {
    let database = connect(place.setting("DATABASE_URL")?).await?;
    let counted = async {
        let behind = "SELECT EXISTS (SELECT FROM looks AS l JOIN feed_cursors AS c ON c.reader = 'progress'
                                     WHERE (l.xid, l.id, l.volunteer_id) > (c.looks_xid, c.looks_id, c.looks_owner))
                          OR EXISTS (SELECT FROM tags AS t JOIN feed_cursors AS c ON c.reader = 'progress'
                                     WHERE (t.xid, t.id, t.volunteer_id) > (c.tags_xid, c.tags_id, c.tags_owner))";
        while database.query_one(behind, &[]).await?.get(0) {
            tokio::time::sleep(STEP).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(COUNT_WAIT, counted)
        .await
        .context("the worker does not come to an end")??;
    place.run_to_end(&["verify"]).await
}

/// A row of `looks`.
struct StoredLook {
    id: Uuid,
    volunteer: Uuid,
    cell: i64,
    outcome: String,
    has_its_times: bool,
}

impl StoredLook {
    fn of(row: &Row) -> Self {
        Self {
            id: row.get("id"),
            volunteer: row.get("volunteer_id"),
            cell: row.get("cell"),
            outcome: row.get("outcome"),
            has_its_times: row.get("has_its_times"),
        }
    }
}

/// A row of `tags`.
struct StoredTag {
    id: Uuid,
    look: Uuid,
    volunteer: Uuid,
    cell: i64,
    tag_type: String,
    note: Option<String>,
    /// None when it is no point.
    place: [Option<f64>; 2],
}

impl StoredTag {
    fn of(row: &Row) -> Self {
        Self {
            id: row.get("id"),
            look: row.get("look_id"),
            volunteer: row.get("volunteer_id"),
            cell: row.get("cell"),
            tag_type: row.get("tag_type"),
            note: row.get("note"),
            place: [row.get("lon"), row.get("lat")],
        }
    }
}

/// Entries on one side, rows on the other.
struct Comparison {
    entries: Vec<Entry>,
    /// Of each entry: whether its look was found, and which of its tags, as bits.
    found: Vec<(bool, u8)>,
    tags: usize,
    differences: Vec<String>,
}

impl Comparison {
    fn new(ledger: &Ledger) -> Self {
        let entries = ledger.copy();
        Self {
            found: vec![(false, 0); entries.len()],
            entries,
            tags: 0,
            differences: Vec::new(),
        }
    }

    fn entry(&self, look: Uuid) -> Option<(usize, Entry)> {
        let index = usize::try_from(content::number(look)?).ok()?;
        Some((index, *self.entries.get(index)?))
    }

    fn look(&mut self, stored: &StoredLook) {
        let id = stored.id;
        let Some((index, entry)) = self.entry(id) else {
            return self.differs(format!("the look {id} was never sent"));
        };
        if self.found[index].0 {
            return self.differs(format!("the look {id} is stored twice"));
        }
        self.found[index].0 = true;
        let as_sent = stored.volunteer == entry.volunteer
            && stored.cell == entry.cell.packed()
            && stored.outcome == content::outcome(entry.tags)
            && stored.has_its_times;
        if !as_sent {
            self.differs(format!("the look {id} is stored with other content"));
        }
    }

    fn tag(&mut self, stored: &StoredTag) {
        let (id, look) = (stored.id, stored.look);
        let Some((index, entry)) = self.entry(look) else {
            return self.differs(format!("the tag {id} is of a look that was never sent"));
        };
        let number = u64::try_from(index).unwrap_or(u64::MAX);
        let Some(nth) = (0..entry.tags).find(|nth| content::tag_id(number, *nth) == id) else {
            return self.differs(format!("the tag {id} was never sent with its look {look}"));
        };
        let seen = &mut self.found[index].1;
        if *seen & (1 << nth) != 0 {
            return self.differs(format!("the tag {id} is stored twice"));
        }
        *seen |= 1 << nth;
        self.tags += 1;
        let sent = content::tag_place(number, nth, entry.cell);
        let mut both = stored.place.iter().zip(sent);
        let is_there = both.all(|(stored, sent)| {
            stored.is_some_and(|stored| (stored - sent).abs() <= PLACE_TOLERANCE)
        });
        let as_sent = stored.volunteer == entry.volunteer
            && stored.cell == entry.cell.packed()
            && stored.tag_type == content::TAG_TYPE
            && stored.note.is_none()
            && is_there;
        if !as_sent {
            self.differs(format!("the tag {id} is stored with other content"));
        }
    }

    fn differs(&mut self, what: String) {
        self.differences.push(what);
    }

    fn finish(mut self) -> anyhow::Result<Checked> {
        let (mut acknowledged, mut stored) = (0, 0);
        for index in 0..self.entries.len() {
            let (entry, (is_there, tags)) = (self.entries[index], self.found[index]);
            let id = content::look_id(u64::try_from(index)?);
            acknowledged += usize::from(entry.is_acknowledged);
            stored += usize::from(is_there);
            if entry.is_acknowledged && !is_there {
                self.differs(format!("the look {id} was acknowledged and is not stored"));
            }
            let wanted = if is_there { entry.tags.into() } else { 0 };
            if tags.count_ones() != wanted {
                self.differs(format!(
                    "the look {id} has {} tags instead of {wanted}",
                    tags.count_ones()
                ));
            }
        }
        if !self.differences.is_empty() {
            let count = self.differences.len();
            self.differences.truncate(LISTED_MAX);
            bail!(
                "{count} differences between what clients were told and what is stored:\n  {}",
                self.differences.join("\n  ")
            );
        }
        Ok(Checked {
            acknowledged,
            stored,
            tags: self.tags,
            sent: self.entries.len(),
        })
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = 100.0 * float_of(self.acknowledged) / float_of(self.sent.max(1));
        write!(
            f,
            "{} looks were sent, {} ({share:.1} %) acknowledged, {} are stored with {} tags: each acknowledged one \
             exactly once with its content, none that was not sent, none twice. A recount found no difference.",
            self.sent, self.acknowledged, self.stored, self.tags
        )
    }
}

#[cfg(test)]
mod tests;
