//! Looks: stored once, acknowledged after the commit, refused with the place named.

use crate::harness::{App, eventually, fixtures::at_once, id, json, nothing, point, tagged};
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn a_look_is_created_once_and_then_repeated() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = tagged(campaign.cells[0], [point(campaign.cells[0].middle())]);
    let first = campaign.send(&volunteer, &look).await.expect(201);
    let second = campaign.send(&volunteer, &look).await.expect(200);
    assert_eq!(first, second);
    assert_eq!(first["id"], look["id"]);
    assert_eq!(first["cell"], look["cell"]);
    assert_eq!(first["outcome"], "tagged");
    assert_eq!(first["tags"], json!([look["tags"][0]["id"]]));
    assert_eq!(first["campaign_version"], campaign.read().await["version"]);
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 1);
}

#[tokio::test]
async fn the_order_of_members_does_not_make_another_look() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let (look_id, cell) = (id(), campaign.cells[0]);
    let send = |text: String| {
        volunteer
            .post(&campaign.path("/looks"))
            .header("Content-Type", "application/json")
            .body(text)
    };
    let times = r#""started_at":"2026-11-23T07:00:00Z","finished_at":"2026-11-23T07:00:00Z""#;
    send(format!(
        r#"{{"id":"{look_id}","cell":"{cell}","outcome":"nothing",{times}}}"#
    ))
    .await
    .expect(201);
    send(format!(
        r#"{{ {times}, "tags":[], "outcome":"nothing","cell":"{cell}","id":"{look_id}"}}"#
    ))
    .await
    .expect(200);
}

#[tokio::test]
async fn the_same_id_with_other_content_is_a_conflict() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let mut look = nothing(campaign.cells[0]);
    campaign.send(&volunteer, &look).await.expect(201);
    look["outcome"] = "skipped".into();
    campaign
        .send(&volunteer, &look)
        .await
        .refused(409, "look_id_reused");
    assert_eq!(
        app.number("SELECT count(*) FROM looks WHERE outcome = 'nothing'")
            .await,
        1
    );
}

#[tokio::test]
async fn two_volunteers_may_use_the_same_id() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(2).open().await;
    let look = tagged(campaign.cells[0], [point(campaign.cells[0].middle())]);
    campaign
        .send(&app.volunteer().await, &look)
        .await
        .expect(201);
    campaign
        .send(&app.volunteer().await, &look)
        .await
        .expect(201);
}

#[tokio::test]
async fn of_twenty_duplicates_at_once_exactly_one_is_created() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = tagged(campaign.cells[0], [point(campaign.cells[0].middle())]);
    let answers = at_once((0..20).map(|_| campaign.send(&volunteer, &look))).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    let repeated = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((created, repeated), (1, 19), "{answers:?}");
    assert!(
        answers
            .iter()
            .all(|answer| answer.json() == answers[0].json()),
        "{answers:?}"
    );
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM tags").await, 1);
}

#[tokio::test]
async fn of_different_looks_with_one_id_at_once_one_wins_and_the_others_conflict() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let shared = id();
    let looks = (0..12).map(|n| {
        let mut look = nothing(campaign.cells[n % 4]);
        look["id"] = shared.clone().into();
        look["finished_at"] = format!("2026-11-23T07:00:{:02}Z", n / 4).into();
        look
    });
    let looks: Vec<_> = looks.collect();
    let answers = at_once(looks.iter().map(|look| campaign.send(&volunteer, look))).await;
    let created: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .collect();
    assert_eq!(created.len(), 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refused(409, "look_id_reused");
    }
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 1);
}

#[tokio::test]
async fn a_look_whose_answer_was_lost_is_repeated_not_doubled() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let look = tagged(campaign.cells[0], [point(campaign.cells[0].middle())]);
    let body = look.to_string();
    let server = app.servers[0]
        .url
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    let mut cut = tokio::net::TcpStream::connect(&server).await.unwrap();
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: {server}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        campaign.path("/looks"),
        volunteer.bearer(),
        body.len()
    );
    cut.write_all(request.as_bytes()).await.unwrap();
    eventually("the look is committed", || async {
        (app.number("SELECT count(*) FROM looks").await == 1).then_some(())
    })
    .await;
    drop(cut);
    campaign.send(&volunteer, &look).await.expect(200);
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM tags").await, 1);
}

#[tokio::test]
async fn a_connection_cut_at_once_leaves_one_look_or_none() {
    let app = App::start().await;
    let campaign = app.campaign().cells(4, 4).open().await;
    let volunteer = app.volunteer().await;
    let server = app.servers[0]
        .url
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    for cell in campaign.cells.iter().take(8) {
        let look = nothing(*cell);
        let body = look.to_string();
        let mut cut = tokio::net::TcpStream::connect(&server).await.unwrap();
        let request = format!(
            "POST {} HTTP/1.1\r\nHost: {server}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            campaign.path("/looks"),
            volunteer.bearer(),
            body.len()
        );
        cut.write_all(request.as_bytes()).await.unwrap();
        drop(cut);
        let again = campaign.send(&volunteer, &look).await;
        assert!(matches!(again.status, 200 | 201), "{again:?}");
    }
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 8);
}
