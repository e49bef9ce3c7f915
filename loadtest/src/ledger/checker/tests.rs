//! What the comparison finds, one difference at a time.

use super::*;
use crate::campaign;

/// One look with two tags that was sent.
struct Sent {
    ledger: Ledger,
    number: u64,
    looks: Vec<StoredLook>,
    tags: Vec<StoredTag>,
}

impl Sent {
    /// With what the database holds when all is well.
    fn stored() -> Self {
        let (volunteer, cell) = (Uuid::from_u128(7), campaign::cell(1, 1));
        let ledger = Ledger::default();
        let number = ledger.enter(volunteer, cell, 2);
        let look = StoredLook {
            id: content::look_id(number),
            volunteer,
            cell: cell.packed(),
            outcome: "tagged".to_owned(),
            has_its_times: true,
        };
        let tag = |nth| StoredTag {
            id: content::tag_id(number, nth),
            look: look.id,
            volunteer,
            cell: cell.packed(),
            tag_type: content::TAG_TYPE.to_owned(),
            note: None,
            place: content::tag_place(number, nth, cell).map(Some),
        };
        Self {
            tags: vec![tag(0), tag(1)],
            ledger,
            number,
            looks: vec![look],
        }
    }

    fn acknowledged() -> Self {
        let sent = Self::stored();
        sent.ledger.acknowledge(sent.number);
        sent
    }

    fn changed(mut self, change: impl FnOnce(&mut Self)) -> String {
        change(&mut self);
        match self.compare() {
            Ok(checked) => format!("no difference: {checked}"),
            Err(differences) => differences.to_string(),
        }
    }

    fn compare(&self) -> anyhow::Result<Checked> {
        let mut comparison = Comparison::new(&self.ledger);
        self.looks.iter().for_each(|look| comparison.look(look));
        self.tags.iter().for_each(|tag| comparison.tag(tag));
        comparison.finish()
    }
}

#[test]
fn what_was_acknowledged_and_is_there_is_no_difference() {
    let checked = Sent::acknowledged().compare().unwrap();
    let counts = (
        checked.sent,
        checked.acknowledged,
        checked.stored,
        checked.tags,
    );
    assert_eq!(counts, (1, 1, 1, 2));
}

#[test]
fn an_acknowledged_look_that_is_lost_is_found_out() {
    let told = Sent::acknowledged().changed(|sent| {
        sent.looks.clear();
        sent.tags.clear();
    });
    assert!(
        told.contains("was acknowledged and is not stored"),
        "{told}"
    );
}

#[test]
fn a_look_that_was_not_acknowledged_is_there_whole_or_not_at_all() {
    assert!(Sent::stored().compare().is_ok());
    let none = Sent::stored().changed(|sent| {
        sent.looks.clear();
        sent.tags.clear();
    });
    assert!(none.starts_with("no difference"), "{none}");
    let torn = Sent::stored().changed(|sent| {
        sent.tags.pop();
    });
    assert!(torn.contains("has 1 tags instead of 2"), "{torn}");
}

#[test]
fn what_is_stored_twice_is_found_out() {
    let told = Sent::stored().changed(|sent| {
        sent.looks.extend(Sent::stored().looks);
        sent.tags.extend(Sent::stored().tags);
    });
    assert!(told.contains("3 differences"), "{told}");
    assert!(
        told.contains("the look") && told.contains("is stored twice"),
        "{told}"
    );
}

#[test]
fn other_content_is_found_out() {
    let changes: [fn(&mut Sent); 8] = [
        |sent| sent.looks[0].volunteer = Uuid::nil(),
        |sent| sent.looks[0].cell += 1,
        |sent| sent.looks[0].outcome = "nothing".to_owned(),
        |sent| sent.looks[0].has_its_times = false,
        |sent| sent.tags[1].volunteer = Uuid::nil(),
        |sent| sent.tags[0].tag_type = "boat".to_owned(),
        |sent| sent.tags[0].note = Some("?".to_owned()),
        |sent| sent.tags[0].place[0] = sent.tags[1].place[0],
    ];
    for change in changes {
        let told = Sent::acknowledged().changed(change);
        assert!(told.contains("is stored with other content"), "{told}");
    }
}

#[test]
fn what_nobody_sent_is_found_out() {
    let look = Sent::stored().changed(|sent| sent.looks[0].id = content::look_id(1));
    assert!(look.contains("was never sent"), "{look}");
    let tag = Sent::stored().changed(|sent| sent.tags[0].id = content::tag_id(0, 5));
    assert!(tag.contains("was never sent with its look"), "{tag}");
}
