//! A phone that was without a network for a month.

use super::phone::{Phone, all_is_final, change, deleted, id_of, look, new, tag};
use crate::{
    harness::{App, Cell, Value, json},
    late_looks::{closed_everywhere, take},
};

const COLLECTIONS: [&str; 5] = ["campaigns", "assignments", "looks", "receipts", "tags"];

#[tokio::test]
async fn thirty_days_later_all_is_taken_and_all_that_changed_is_told() {
    let app = App::start().await;
    let campaign = app.campaign().cells(4, 4).looks_wanted(1).open().await;
    let (volunteer, other) = (app.volunteer().await, app.volunteer().await);
    let cells = take(&campaign, &volunteer, 6).await;
    let before = look(&campaign, cells[0], "tagged");
    let tag_before = tag(&campaign, &before, cells[0].middle());
    let mut phones = COLLECTIONS.map(|name| Phone::new(&volunteer, name));
    phones[2].pushes([new(&before)]).await;
    phones[4].pushes([new(&tag_before)]).await;
    for (phone, count) in phones.iter_mut().zip([1, 6, 1, 1, 1]) {
        phone.has(count).await;
    }

    // The month: leases end, another device withdraws a tag, others look at the squares, the search is closed.
    let tablet = Phone::new(&volunteer, "tags");
    tablet
        .pushes([change(&tag_before, &deleted(&tag_before))])
        .await;
    app.execute(
        "UPDATE pack_cells SET lease_expires_at = lease_expires_at - interval '30 days';
         UPDATE packs SET expires_at = expires_at - interval '30 days', made_at = made_at - interval '30 days';
         DELETE FROM lease_renewals; UPDATE piles SET ledger = ''",
    )
    .await;
    let _worker = app.start_worker();
    phones[1]
        .sees(&of_cell(&phones[1], cells[1]), "/_deleted", &json!(true))
        .await;
    campaign.look_at(&other, cells[1]).await;
    campaign.steer("close").await.expect(200);
    closed_everywhere(&app, &campaign).await;
    all_is_final(&app).await;

    let looks: Vec<Value> = cells[1..]
        .iter()
        .map(|cell| look(&campaign, *cell, "tagged"))
        .collect();
    let tags: Vec<Value> = looks
        .iter()
        .zip(&cells[1..])
        .map(|(look, cell)| tag(&campaign, look, cell.middle()))
        .collect();
    phones[2].pushes(looks.iter().map(new)).await;
    phones[4].pushes(tags.iter().map(new)).await;
    let [campaigns, _, own, receipts, own_tags] = &mut phones;
    campaigns
        .sees(&campaign.id, "/state", &json!("closed"))
        .await;
    own.has(6).await;
    own_tags
        .sees(id_of(&tag_before), "/_deleted", &json!(true))
        .await;
    own_tags.has(6).await;
    for look in &looks {
        receipts
            .sees(id_of(look), "/standing", &json!("after_close"))
            .await;
    }
    campaign.progress_shows("/looks", 7).await;
}

fn of_cell(assignments: &Phone, cell: Cell) -> String {
    let mut of = assignments.documents.iter();
    let (id, _) = of.find(|(_, one)| one["cell"] == cell.to_string()).unwrap();
    id.clone()
}
