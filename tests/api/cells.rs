//! One cell, as organisers see it.

use crate::harness::{App, eventually, json, look, nothing, point, tagged};

#[tokio::test]
async fn a_cell_shows_who_looked_and_what_they_answered() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(5).open().await;
    let cell = campaign.cells[0];
    let (one, two, three) = (
        app.volunteer().await,
        app.volunteer().await,
        app.volunteer().await,
    );
    // While no cell has a look, all of them come next.
    assert!(campaign.given(&three, 4).await.contains(&cell));
    let sent = tagged(cell, [point(cell.middle()), point(cell.middle())]);
    campaign.send(&one, &sent).await.expect(201);
    campaign.send(&two, &nothing(cell)).await.expect(201);
    campaign
        .send(&two, &look(cell, "bad_imagery"))
        .await
        .expect(201);
    let path = campaign.path(&format!("/cells/{cell}"));
    // The server that dealt it to the third volunteer stores that a little later.
    let seen = eventually("the worker counted", || async {
        let seen = campaign.organiser.get(&path).await.expect(200);
        (seen["looks"] == 2 && seen["tags"] == 2 && seen["leases"] == 1).then_some(seen)
    })
    .await;
    assert_eq!(seen["cell"], cell.to_string());
    assert_eq!(seen["bad_imagery"], 1);
    assert_eq!(seen["weight"], 1.0);
    assert_eq!(seen["state"], "open");
    assert_eq!(seen["imagery_layer"], json!(null));
    assert_eq!(seen["decided_at"], json!(null));
    let answers = seen["answers"].as_array().unwrap();
    let outcomes: Vec<_> = answers.iter().map(|answer| &answer["outcome"]).collect();
    assert_eq!(outcomes, ["bad_imagery", "nothing", "tagged"]);
    assert_eq!(answers[2]["tags"], 2);
    assert_eq!(answers[2]["volunteer_id"], one.id);
    assert_eq!(answers[2]["look_id"], sent["id"]);
    assert_eq!(seen["last_look_at"], answers[0]["received_at"]);
}

#[tokio::test]
async fn a_cell_is_shown_to_organisers_only_and_only_if_it_is_one() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let cell = campaign.cells[0];
    let path = campaign.path(&format!("/cells/{cell}"));
    campaign.organiser.get(&path).await.expect(200);
    app.public()
        .get(&path)
        .await
        .refused(401, "credentials_missing");
    app.volunteer()
        .await
        .get(&path)
        .await
        .refused(403, "organiser_needed");
    app.organiser_with("imagery")
        .await
        .get(&path)
        .await
        .refused(403, "scope_missing");
    for elsewhere in [
        cell.step(9, 0).to_string(),
        "16/1/1".to_owned(),
        "40/1/1".to_owned(),
    ] {
        let path = campaign.path(&format!("/cells/{elsewhere}"));
        campaign
            .organiser
            .get(&path)
            .await
            .refused(404, "cell_not_found");
    }
}

#[tokio::test]
async fn the_100_newest_answers_of_a_cell_are_listed() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(100).open().await;
    let cell = campaign.cells[0];
    let volunteer = app.volunteer().await;
    let looks: Vec<_> = (0..101).map(|_| look(cell, "skipped")).collect();
    campaign.send_batch(&volunteer, &looks).await.expect(200);
    let path = campaign.path(&format!("/cells/{cell}"));
    let seen = campaign.organiser.get(&path).await.expect(200);
    assert_eq!(seen["answers"].as_array().unwrap().len(), 100);
    assert_eq!(seen["looks"], json!(0));
}
