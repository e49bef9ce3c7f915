//! Compares what was acknowledged with what the database holds.

use std::{collections::HashMap, fmt, time::Duration};

use anyhow::{Context, ensure};
use uuid::Uuid;

use super::rows::{number, tag_id};
use crate::{place::Place, statements::connect};

/// Longest wait until the worker has counted everything.
const COUNT_WAIT: Duration = Duration::from_mins(10);

/// What was compared; it is only made when all of it fits.
#[derive(Debug)]
pub struct Checked {
    acknowledged: usize,
    stored: usize,
}

/// Fails unless each acknowledged look is stored exactly once with its one tag, and nothing is
/// stored that was not sent, or twice.
pub async fn check(
    url: &str,
    campaign_id: Uuid,
    sent: u64,
    acknowledged: &[u64],
) -> anyhow::Result<Checked> {
    let database = connect(url).await?;
    let mut stored: HashMap<u64, u32> = HashMap::new();
    let looks = "SELECT id FROM looks WHERE campaign_id = $1";
    for row in database.query(looks, &[&campaign_id]).await? {
        let id: Uuid = row.get("id");
        let number = number(id).filter(|number| *number < sent);
        let number = number.with_context(|| format!("the look {id} was never sent"))?;
        ensure!(
            stored.insert(number, 0).is_none(),
            "the look {id} is stored twice"
        );
    }
    let tags = "SELECT id, look_id FROM tags WHERE campaign_id = $1";
    for row in database.query(tags, &[&campaign_id]).await? {
        let (id, look): (Uuid, Uuid) = (row.get("id"), row.get("look_id"));
        let number = number(look).filter(|number| tag_id(*number) == id);
        let tags = number.and_then(|number| stored.get_mut(&number));
        *tags.with_context(|| format!("the tag {id} is not of its look {look}"))? += 1;
    }
    for (number, tags) in &stored {
        ensure!(*tags == 1, "look number {number} has {tags} tags");
    }
    for number in acknowledged {
        ensure!(
            stored.contains_key(number),
            "look number {number} was acknowledged and is not stored"
        );
    }
    Ok(Checked {
        acknowledged: acknowledged.len(),
        stored: stored.len(),
    })
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} looks were acknowledged, {} are stored: each acknowledged one once and with its tag, none that was not sent. A recount found no difference.",
            self.acknowledged, self.stored
        )
    }
}

/// Waits until the worker has counted everything, and lets the program recount it.
pub async fn recount(place: &Place) -> anyhow::Result<()> {
    let database = connect(place.setting("DATABASE_URL")?).await?;
    let counted = async {
        let behind = "SELECT EXISTS (SELECT FROM looks AS l JOIN feed_cursors AS c ON c.reader = 'progress'
                                     WHERE (l.xid, l.id, l.volunteer_id) > (c.looks_xid, c.looks_id, c.looks_owner))
                          OR EXISTS (SELECT FROM tags AS t JOIN feed_cursors AS c ON c.reader = 'progress'
                                     WHERE (t.xid, t.id, t.volunteer_id) > (c.tags_xid, c.tags_id, c.tags_owner))";
        while database.query_one(behind, &[]).await?.get(0) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(COUNT_WAIT, counted)
        .await
        .context("the worker does not come to an end")??;
    place.run_to_end(&["verify"]).await
}
