//! Tickets for streams.

use crate::harness::App;

#[tokio::test]
async fn a_ticket_is_for_volunteers_and_lasts_ten_minutes() {
    let app = App::start().await;
    let volunteer = app.volunteer().await;
    let ticket = volunteer.post("/v1/sync/tickets").await.expect(201);
    let name = volunteer.id.replace('-', "");
    assert!(ticket["ticket"].as_str().unwrap().starts_with(&name));
    let ends: jiff::Timestamp = ticket["expires_at"].as_str().unwrap().parse().unwrap();
    let left = app
        .number(&format!(
            "SELECT extract(epoch FROM '{ends}' - now())::int8"
        ))
        .await;
    assert!((580..=600).contains(&left), "{left}");
    let nobody = app.public().post("/v1/sync/tickets").await;
    nobody.refused(401, "credentials_missing");
}
