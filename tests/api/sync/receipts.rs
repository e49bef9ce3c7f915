//! What became of looks, as documents.

use super::phone::{Phone, id_of, look, new, with};
use crate::harness::{App, eventually, id, json, nothing};

#[tokio::test]
async fn each_look_has_a_receipt_that_says_how_it_came_in() {
    let app = App::start().await;
    let campaign = app.campaign().cells(2, 2).open().await;
    let (volunteer, other) = (app.volunteer().await, app.volunteer().await);
    campaign.look_at(&other, campaign.cells[1]).await;
    let looks = Phone::new(&volunteer, "looks");
    let [first, second] = [0, 1].map(|n: usize| look(&campaign, campaign.cells[n], "nothing"));
    looks.pushes([new(&first), new(&second)]).await;
    // However a look is sent, it has one.
    let third = nothing(campaign.cells[2]);
    campaign.steer("pause").await.expect(200);
    campaign.send(&volunteer, &third).await.expect(201);
    let mut receipts = Phone::new(&volunteer, "receipts");
    receipts.has(3).await;
    for (look, standing) in [
        (&first, "counted"),
        (&second, "extra"),
        (&third, "while_paused"),
    ] {
        assert_eq!(
            receipts.documents[id_of(look)],
            json!({"id": look["id"], "campaign": campaign.id, "cell": look["cell"], "verdict": "stored",
                   "standing": standing, "_deleted": false})
        );
    }
    assert_eq!(receipts.page(1).await, 0);
    receipts.push([new(&first)]).await.refused(403, "pull_only");
}

#[tokio::test]
async fn a_refused_look_is_a_tombstone_and_its_receipt_says_why() {
    let app = App::start().await;
    let campaign = app
        .campaign()
        .cells(2, 2)
        .with("grace_days", 0)
        .open()
        .await;
    let volunteer = app.volunteer().await;
    campaign.given(&volunteer, 4).await;
    campaign.steer("close").await.expect(200);
    let asking = app.volunteer().await;
    eventually("every server knows of the close", || async {
        let asked = (
            campaign.ask(&asking, 1).await,
            campaign.ask(&asking, 1).await,
        );
        (asked.0.status == 409 && asked.1.status == 409).then_some(())
    })
    .await;
    let looks = Phone::new(&volunteer, "looks");
    let late = with(
        &look(&campaign, campaign.cells[0], "nothing"),
        "campaign",
        campaign.slug.as_str(),
    );
    let lost = with(&late, "campaign", "nowhere");
    let lost = with(&lost, "id", id());
    let strange = json!({"id": "not-a-uuid", "_deleted": false});
    let answer = looks
        .push([new(&late), new(&lost), new(&strange)])
        .await
        .expect(200);
    for document in answer.as_array().unwrap() {
        assert_eq!(document["_deleted"], true, "{document}");
    }
    assert_eq!(answer.as_array().unwrap().len(), 3);
    let mut receipts = Phone::new(&volunteer, "receipts");
    receipts.has(2).await;
    let late = &receipts.documents[id_of(&late)];
    assert_eq!(late["campaign"], campaign.id.as_str());
    assert_eq!(late["cell"], campaign.cells[0].to_string());
    assert_eq!(
        (&late["verdict"], &late["code"]),
        (&json!("refused"), &json!("grace_over"))
    );
    assert!(late["detail"].as_str().unwrap().len() > 10);
    assert!(late.get("standing").is_none(), "{late}");
    let lost = &receipts.documents[id_of(&lost)];
    assert_eq!(
        (&lost["campaign"], &lost["code"]),
        (&json!("nowhere"), &json!("campaign_not_found"))
    );
    let pulled = volunteer
        .get("/v1/sync/watermelondb?last_pulled_at=null&schema_version=0&migration=null")
        .await
        .expect(200);
    let rows = pulled["changes"]["receipts"]["updated"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{pulled}");
    assert!(rows.iter().all(|row| row["standing"].is_null()), "{pulled}");
}

#[tokio::test]
async fn a_look_that_is_taken_after_all_has_another_receipt() {
    let app = App::start().await;
    let campaign = app.campaign().cells(2, 2).open().await;
    let volunteer = app.volunteer().await;
    let looks = Phone::new(&volunteer, "looks");
    let outside = look(&campaign, campaign.cells[0].step(50, 0), "nothing");
    looks.push([new(&outside)]).await.expect(200);
    let mut receipts = Phone::new(&volunteer, "receipts");
    receipts
        .sees(id_of(&outside), "/code", &json!("look_refused"))
        .await;
    let inside = with(&outside, "cell", campaign.cells[0].to_string());
    looks.pushes([new(&inside)]).await;
    receipts
        .sees(id_of(&outside), "/standing", &json!("counted"))
        .await;
    assert!(receipts.documents[id_of(&outside)].get("code").is_none());
}

#[tokio::test]
async fn the_newest_5000_refusals_of_a_volunteer_are_remembered() {
    let app = App::builder().setting("RATE_VOLUNTEER", "0").start().await;
    let campaign = app.campaign().cells(1, 1).open().await;
    let volunteer = app.volunteer().await;
    let looks = Phone::new(&volunteer, "looks");
    let outside = campaign.cells[0].step(50, 0);
    let refused = |count: usize| (0..count).map(|_| new(&look(&campaign, outside, "nothing")));
    for _ in 0..5 {
        looks.push(refused(1000)).await.expect(200);
    }
    let remembered = "SELECT count(*) FROM sync_refusals";
    assert_eq!(app.number(remembered).await, 5000);
    looks.push(refused(1)).await.expect(200);
    assert_eq!(app.number(remembered).await, 5000);
}
