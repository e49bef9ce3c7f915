//! Which looks of a group go to the database, and what its answer means for each. Pure.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::super::model::{Kept, Look, Stored};

/// Whose look, and its id.
type Key = (Uuid, Uuid);

fn key(look: &Look) -> Key {
    (look.volunteer_id, look.id)
}

/// The looks without those that are there before with the same content.
pub fn distinct<'a>(looks: impl IntoIterator<Item = &'a Look>) -> Vec<&'a Look> {
    let mut seen = HashSet::new();
    looks
        .into_iter()
        .filter(|look| seen.insert((key(look), look.content_hash)))
        .collect()
}

/// What became of each look, in order, when this is kept. Of several with the content that was
/// stored just now the first was created and the others repeat it.
pub fn judge<'a>(looks: impl IntoIterator<Item = &'a Look>, rows: Vec<Kept>) -> Vec<Stored> {
    let mut kept: HashMap<Key, Kept> = HashMap::with_capacity(rows.len());
    for row in rows {
        let known = kept.entry((row.volunteer_id, row.id)).or_insert(row);
        known.is_new |= row.is_new;
    }
    looks
        .into_iter()
        .map(|look| match kept.get_mut(&key(look)) {
            None => Stored::NoSuchCell,
            Some(kept) if kept.content_hash != look.content_hash => Stored::Conflict,
            Some(kept) if kept.is_new => {
                kept.is_new = false;
                Stored::Created(kept.stamp)
            }
            Some(kept) => Stored::Repeated(kept.stamp),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::looks::model::Stamp;

    const STAMP: Stamp = Stamp {
        received_at: Timestamp::UNIX_EPOCH,
        campaign_version: 1,
    };

    fn kept(id: u128, content: u8, is_new: bool) -> Kept {
        Kept {
            volunteer_id: Uuid::nil(),
            id: Uuid::from_u128(id),
            content_hash: [content; 32],
            stamp: STAMP,
            is_new,
        }
    }

    fn words(stored: &[Stored]) -> Vec<&'static str> {
        let word = |stored: &Stored| match stored {
            Stored::Created(_) => "created",
            Stored::Repeated(_) => "repeated",
            Stored::Conflict => "conflict",
            Stored::TagIdTaken => "tag",
            Stored::NoSuchCell => "cell",
            Stored::Failed(_) => "failed",
        };
        stored.iter().map(word).collect()
    }

    #[test]
    fn the_same_look_goes_to_the_database_once_and_another_of_its_id_too() {
        let looks = [
            Look::sample(1, 7),
            Look::sample(2, 7),
            Look::sample(1, 7),
            Look::sample(1, 8),
        ];
        let contents = distinct(&looks)
            .iter()
            .map(|look| (look.id.as_u128(), look.content_hash[0]))
            .collect::<Vec<_>>();
        assert_eq!(contents, [(1, 7), (2, 7), (1, 8)]);
    }

    #[test]
    fn of_several_with_one_id_the_one_that_is_kept_was_created_once() {
        let looks = [
            Look::sample(1, 8),
            Look::sample(1, 7),
            Look::sample(1, 7),
            Look::sample(2, 7),
        ];
        let rows = vec![kept(1, 7, true), kept(1, 7, false)];
        assert_eq!(
            words(&judge(&looks, rows)),
            ["conflict", "created", "repeated", "cell"]
        );
    }

    #[test]
    fn what_was_kept_before_is_repeated() {
        let rows = vec![kept(1, 7, false)];
        let looks = [Look::sample(1, 7), Look::sample(1, 7), Look::sample(1, 8)];
        assert_eq!(
            words(&judge(&looks, rows)),
            ["repeated", "repeated", "conflict"]
        );
    }
}
