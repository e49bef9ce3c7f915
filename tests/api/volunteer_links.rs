//! Devices that become one volunteer.

use std::time::Duration;

use super::{
    feed::{caught_up, verify},
    volunteer_devices::{secret, sign_up},
};
use crate::harness::{
    App, Campaign, Client, Reply, Value, eventually, fixtures::at_once, json, nothing, point,
    tagged,
};

/// Makes a code.
pub async fn code_of(volunteer: &Client) -> String {
    let made = volunteer.post("/v1/volunteers/me/link-codes").await;
    made.expect(201)["code"].as_str().unwrap().to_owned()
}

pub async fn try_code(device: &Client, code: &str) -> Reply {
    device
        .post("/v1/volunteers/link")
        .json(json!({"code": code}))
        .await
}

/// Makes a device the volunteer of another one; gives it with its new token.
pub async fn link(device: &Client, to: &Client) -> Client {
    let linked = try_code(device, &code_of(to).await).await.expect(200);
    let mut volunteer = device.with_bearer(linked["token"].as_str().unwrap());
    linked["volunteer_id"]
        .as_str()
        .unwrap()
        .clone_into(&mut volunteer.id);
    volunteer
}

/// Waits until all who departed have nothing left.
pub async fn settled(app: &App) {
    let open = "SELECT count(*) FROM departures WHERE settled_at IS NULL";
    eventually("all departures are carried out", || async {
        (app.number(open).await == 0).then_some(())
    })
    .await;
}

/// Waits until all is counted, and demands that the numbers are right.
pub async fn right(app: &App) {
    settled(app).await;
    caught_up(app).await;
    let (right, report) = verify(app).await;
    assert!(right, "{report}");
    assert!(report.contains(" 0 cells pending"), "{report}");
}

async fn own_tags(campaign: &Campaign, volunteer: &Client) -> Vec<Value> {
    let listed = volunteer.get(&campaign.path("/tags?volunteer=me")).await;
    listed.expect(200)["features"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_a_device_did_before_it_was_linked_becomes_the_volunteers() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(4, 4).looks_wanted(2).open().await;
    let (phone, tablet) = (app.volunteer().await, app.volunteer().await);
    let [a, b, c] = [0, 1, 2].map(|n| campaign.cells[n]);
    campaign.look_at(&phone, a).await;
    campaign.look_at(&phone, b).await;
    campaign.look_at(&tablet, b).await;
    let kept = tagged(c, [point(c.middle()), point(c.middle())]);
    campaign.send(&tablet, &kept).await.expect(201);
    let shown = campaign.progress_shows("/looks", 4).await;
    assert_eq!(
        (&shown["volunteers"], &shown["cells_done"]),
        (&json!(2), &json!(1))
    );
    let linked = link(&tablet, &phone).await;
    assert_eq!(linked.id, phone.id);
    right(&app).await;
    let shown = campaign.progress_shows("/volunteers", 1).await;
    assert_eq!((&shown["looks"], &shown["tags"]), (&json!(4), &json!(2)));
    assert_eq!(
        shown["cells_done"], 0,
        "one volunteer looked twice at a square"
    );
    assert_eq!(own_tags(&campaign, &phone).await.len(), 2);
    campaign.send(&phone, &kept).await.expect(200);
    let kept = app
        .number(&format!(
            "SELECT count(*) FROM looks WHERE volunteer_id = '{}'",
            tablet.id
        ))
        .await;
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn the_old_token_of_a_linked_device_goes_on_as_the_volunteer() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(3, 3).looks_wanted(2).open().await;
    let (phone, tablet) = (app.volunteer().await, app.volunteer().await);
    let before = tagged(campaign.cells[0], [point(campaign.cells[0].middle())]);
    campaign.send(&tablet, &before).await.expect(201);
    link(&tablet, &phone).await;
    // At the server that does not know yet, too: the look is not lost, wherever it goes.
    let (first, second) = (nothing(campaign.cells[1]), nothing(campaign.cells[2]));
    for (server, sent) in app.servers.iter().zip([&first, &second]) {
        campaign
            .send(&tablet.at(&server.url), sent)
            .await
            .expect(201);
    }
    let of_phone = format!(
        "SELECT count(*) FROM looks WHERE volunteer_id = '{}'",
        phone.id
    );
    eventually("all looks are the volunteer's", || async {
        (app.number(&of_phone).await == 3).then_some(())
    })
    .await;
    right(&app).await;
    for server in &app.servers {
        let tablet = tablet.at(&server.url);
        eventually("the server knows", || async {
            let export = tablet.get("/v1/volunteers/me/export").await.expect(200);
            (export["volunteer_id"] == phone.id).then_some(())
        })
        .await;
        for sent in [&before, &first, &second] {
            campaign.send(&tablet, sent).await.expect(200);
        }
    }
    assert_eq!(own_tags(&campaign, &tablet).await.len(), 1);
}

#[tokio::test]
async fn a_device_that_signs_up_again_after_it_was_linked_is_that_volunteer() {
    let app = App::builder().servers(1).workers(0).start().await;
    let (phone, secret) = (app.volunteer().await, secret());
    let tablet = sign_up(&app.public(), &secret).await;
    link(&tablet, &phone).await;
    assert_eq!(sign_up(&app.public(), &secret).await.id, phone.id);
}

#[tokio::test]
async fn links_in_a_row_lead_to_the_last_volunteer_and_back_to_nobody_new() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).looks_wanted(3).open().await;
    let crowd = app.volunteers(3).await;
    let [a, b, c] = [0, 1, 2].map(|n| &crowd[n]);
    for (volunteer, cell) in crowd.iter().zip(&campaign.cells) {
        campaign.look_at(volunteer, *cell).await;
    }
    link(a, b).await;
    link(b, c).await;
    right(&app).await;
    let shown = campaign.progress_shows("/volunteers", 1).await;
    assert_eq!(shown["looks"], 3);
    tokio::time::timeout(Duration::from_secs(5), async {
        for device in [a, b, c] {
            let again = link(device, c).await;
            assert_eq!(again.id, c.id);
        }
    })
    .await
    .unwrap();
    assert_eq!(app.number("SELECT count(*) FROM departures").await, 2);
}

#[tokio::test]
async fn two_devices_that_link_each_other_at_the_same_moment_are_one_volunteer() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(3, 3).looks_wanted(3).open().await;
    for round in 0..3 {
        let (a, b) = (app.volunteer().await, app.volunteer().await);
        for volunteer in [&a, &b] {
            campaign.look_at(volunteer, campaign.cells[round]).await;
        }
        let (of_a, of_b) = (code_of(&a).await, code_of(&b).await);
        let (one, two) = tokio::join!(try_code(&a, &of_b), try_code(&b, &of_a));
        let (one, two) = (one.expect(200), two.expect(200));
        assert_eq!(one["volunteer_id"], two["volunteer_id"]);
    }
    right(&app).await;
    campaign.progress_shows("/volunteers", 3).await;
}

#[tokio::test]
async fn looks_that_both_devices_have_under_one_id_are_kept_once() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).looks_wanted(3).open().await;
    let (phone, copy) = (app.volunteer().await, app.volunteer().await);
    let same = tagged(campaign.cells[0], [point(campaign.cells[0].middle())]);
    let mut other = nothing(campaign.cells[1]);
    for volunteer in [&phone, &copy] {
        campaign.send(volunteer, &same).await.expect(201);
        campaign.send(volunteer, &other).await.expect(201);
        other = json!({"id": other["id"], "cell": campaign.cells[2].to_string(), "outcome": "nothing",
            "started_at": other["started_at"], "finished_at": other["finished_at"], "tags": []});
    }
    campaign.progress_shows("/looks", 4).await;
    link(&copy, &phone).await;
    right(&app).await;
    let shown = campaign.progress_shows("/looks", 2).await;
    assert_eq!(
        (&shown["tags"], &shown["volunteers"]),
        (&json!(1), &json!(1))
    );
}

#[tokio::test]
async fn a_volunteer_takes_in_a_hundred_others() {
    let app = App::builder().servers(1).workers(0).start().await;
    let volunteer = app.volunteer().await;
    app.execute(&format!(
        "INSERT INTO departures (volunteer_hash, volunteer_id, continues_as, mark, due_at)
         SELECT decode(md5(n::text), 'hex'), gen_random_uuid(), '{}', n, NULL FROM generate_series(1, 99) AS n",
        volunteer.id
    ))
    .await;
    link(&app.volunteer().await, &volunteer).await;
    let code = code_of(&volunteer).await;
    try_code(&app.volunteer().await, &code)
        .await
        .refused(409, "too_many_joined");
    try_code(&app.public(), &code).await.expect(200);
}

#[tokio::test]
async fn what_was_given_to_a_device_before_it_was_linked_is_taken_after_the_close() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).looks_wanted(2).open().await;
    let (phone, tablet) = (app.volunteer().await, app.volunteer().await);
    let somebody = app.volunteer().await;
    let given = campaign.given(&tablet, 2).await;
    campaign.steer("close").await.expect(200);
    eventually("every server knows of the close", || async {
        let asked = app
            .servers
            .iter()
            .map(|s| campaign.ask(&somebody.at(&s.url), 1));
        let replies = at_once(asked).await;
        replies
            .iter()
            .all(|reply| reply.status == 409)
            .then_some(())
    })
    .await;
    let linked = link(&tablet, &phone).await;
    for (device, cell) in [(&linked, given[0]), (&tablet, given[1])] {
        let sent = nothing(cell);
        eventually("the look is taken", || async {
            let reply = campaign.send(device, &sent).await;
            [200, 201].contains(&reply.status).then_some(())
        })
        .await;
    }
    let other = campaign.cells.iter().find(|cell| !given.contains(cell));
    campaign
        .send(&linked, &nothing(*other.unwrap()))
        .await
        .refused(409, "campaign_closed");
}
