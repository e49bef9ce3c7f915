//! While only a part of the volunteers is let in.

use crate::harness::{
    App, CHANGES_SEEN_IN, Campaign, Client, Reply, fixtures::at_once, json, nothing, within,
};

/// An installation of two servers and a campaign.
async fn open() -> (App, Campaign) {
    let app = App::builder()
        .servers(2)
        .setting("TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await;
    let campaign = app.campaign().cells(8, 8).looks_wanted(50).open().await;
    (app, campaign)
}

/// Lets in so many percent, at every server.
async fn admit(app: &App, percent: u8) {
    let set = app
        .spotter(&["mode", "--admit", &percent.to_string()])
        .await;
    assert!(set.status.success(), "{set:?}");
    for server in &app.servers {
        let public = app.public().at(&server.url);
        within(CHANGES_SEEN_IN, "the server follows", || async {
            let shown = public.get("/v1/mode").await.expect(200);
            (shown["admit_percent"] == percent).then_some(())
        })
        .await;
    }
}

/// Which of them are given a square.
async fn let_in(campaign: &Campaign, volunteers: &[Client]) -> Vec<bool> {
    let answers = at_once(volunteers.iter().map(|v| campaign.ask(v, 1))).await;
    answers.iter().map(is_let_in).collect()
}

fn is_let_in(answer: &Reply) -> bool {
    if answer.status == 200 {
        return true;
    }
    let problem = answer.refused(503, "not_let_in");
    assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
    let told = problem["detail"].as_str().unwrap();
    assert!(told.contains("You will be let in"), "{told}");
    false
}

#[tokio::test]
async fn a_larger_part_has_everybody_of_a_smaller_one_at_every_server() {
    let (app, campaign) = open().await;
    let volunteers = app.volunteers(40).await;
    let mut before = vec![false; volunteers.len()];
    for percent in [20, 60, 100] {
        admit(&app, percent).await;
        let now = let_in(&campaign, &volunteers).await;
        // Each asks the other server now.
        let _turn = app.public().get("/livez").await;
        assert_eq!(let_in(&campaign, &volunteers).await, now, "{percent}");
        for (n, was_in) in before.iter().enumerate() {
            assert!(now[n] || !was_in, "{percent}: {n}");
        }
        let count = now.iter().filter(|is_in| **is_in).count();
        match percent {
            20 => assert!(count < 25, "{count}"),
            60 => assert!(count > 10, "{count}"),
            _ => assert_eq!(count, 40),
        }
        before = now;
    }
}

#[tokio::test]
async fn looks_are_taken_from_everybody_and_organisers_are_always_let_in() {
    let (app, campaign) = open().await;
    let volunteers = app.volunteers(30).await;
    let given = campaign.given(&volunteers[0], 1).await;
    admit(&app, 5).await;
    let ins = let_in(&campaign, &volunteers).await;
    assert!(ins.iter().any(|is_in| !is_in), "{ins:?}");
    for (n, volunteer) in volunteers.iter().enumerate() {
        let cell = campaign.cells[n % campaign.cells.len()];
        campaign.look_at(volunteer, cell).await;
        let batch = [nothing(campaign.cells[(n + 1) % campaign.cells.len()])];
        campaign.send_batch(volunteer, &batch).await.expect(200);
    }
    let renewal = json!({"cells": [given[0].to_string()]});
    volunteers[0]
        .post(&campaign.path("/assignments/renew"))
        .json(renewal)
        .await
        .expect(200);
    campaign
        .organiser
        .get(&campaign.path("/progress"))
        .await
        .expect(200);
    campaign
        .change(json!({"looks_wanted": 60}))
        .await
        .expect(200);
    // What is searched for, everybody may know: the page needs it to say anything.
    for path in [
        "/v1/campaigns".to_owned(),
        campaign.path(""),
        campaign.path("/progress"),
    ] {
        app.public().get(&path).await.expect(200);
    }
}

#[tokio::test]
async fn without_a_token_the_network_decides_and_who_signs_up_stays_in() {
    let (app, campaign) = open().await;
    admit(&app, 20).await;
    let ask = async |nth: u8| {
        app.public()
            .post(&campaign.path("/assignments"))
            .header("X-Forwarded-For", &format!("10.9.9.9, 203.0.113.{nth}"))
            .await
    };
    let mut ins = 0;
    for nth in 0..40 {
        let answer = ask(nth).await;
        let is_in = is_let_in(&answer);
        assert_eq!(is_let_in(&ask(nth).await), is_in, "{nth}");
        if is_in {
            ins += 1;
            let token = answer.json()["volunteer"]["token"]
                .as_str()
                .unwrap()
                .to_owned();
            let volunteer = app.public().with_bearer(&token);
            campaign.ask(&volunteer, 1).await.expect(200);
        }
    }
    assert!((1..30).contains(&ins), "{ins}");
}
