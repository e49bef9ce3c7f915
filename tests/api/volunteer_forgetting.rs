//! Volunteers who want to be forgotten, and all that is stored of them.

use super::{
    feed::verify,
    volunteer_devices::{secret, sign_up},
    volunteer_links::{code_of, link, right, settled},
};
use crate::harness::{
    App, Campaign, Client, Value, eventually, fixtures::at_once, json, look, nothing, point,
    tagged, within,
};

const FORGET: &str = "/v1/volunteers/me?confirm=forget";

pub async fn forget(volunteer: &Client) {
    volunteer.delete(FORGET).await.expect(202);
}

/// Rows that are left of a volunteer in any table.
pub async fn rows_of(app: &App, volunteer: &str) -> i64 {
    app.number(&format!(
        "SELECT coalesce(sum((xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I AS t WHERE t::text LIKE %L',
            table_name, '%{volunteer}%'), false, true, '')))[1]::text::int8), 0)::int8
         FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
           AND table_name NOT IN ('spatial_ref_sys', 'feed_cursors', 'departures')"
    ))
    .await
}

async fn work_of(campaign: &Campaign, volunteer: &Client) {
    let [a, b, c, d] = [0, 1, 2, 3].map(|n| campaign.cells[n]);
    for sent in [
        tagged(a, [point(a.middle()), point(a.middle())]),
        nothing(b),
        look(c, "bad_imagery"),
        look(d, "skipped"),
    ] {
        campaign.send(volunteer, &sent).await.expect(201);
    }
}

#[tokio::test]
async fn nothing_is_left_of_who_was_forgotten_and_the_squares_are_given_to_others() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().looks_wanted(1).open().await;
    let (volunteer, other) = (app.volunteer().await, app.volunteer().await);
    work_of(&campaign, &volunteer).await;
    for n in [2, 3] {
        campaign.look_at(&other, campaign.cells[n]).await;
    }
    campaign.progress_shows("/cells_done", 4).await;
    forget(&volunteer).await;
    let shown = campaign.progress_shows("/looks", 2).await;
    assert_eq!(
        [&shown["volunteers"], &shown["tags"], &shown["cells_done"]],
        [&json!(1), &json!(0), &json!(2)]
    );
    right(&app).await;
    assert_eq!(rows_of(&app, &volunteer.id).await, 0);
    let third = app.volunteer().await;
    let given = eventually("the squares are dealt again", || async {
        let given = campaign.given(&third, 4).await;
        (!given.is_empty()).then_some(given)
    })
    .await;
    assert!(given.iter().all(|cell| campaign.cells[..2].contains(cell)));
}

#[tokio::test]
async fn tokens_of_who_was_forgotten_are_refused_at_every_server_also_after_a_restart() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().open().await;
    let secret = secret();
    let volunteer = sign_up(&app.public(), &secret).await;
    let tablet = link(&app.volunteer().await, &volunteer).await;
    let old = app.volunteer().await;
    link(&old, &volunteer).await;
    forget(&volunteer.at(&app.servers[0].url)).await;
    let third = app.start_server(&[]).await;
    let refused = async |server: &str| {
        for token in [&volunteer, &tablet, &old] {
            let reply = campaign.ask(&token.at(server), 1).await;
            if reply.status != 403 {
                return None;
            }
            reply.refused(403, "volunteer_forgotten");
        }
        Some(())
    };
    let known = [&app.servers[0].url, &third.url];
    for server in known {
        refused(server).await.unwrap();
    }
    within(
        std::time::Duration::from_secs(2),
        "the other server knows",
        || refused(&app.servers[1].url),
    )
    .await;
    app.public()
        .post("/v1/volunteers")
        .json(json!({"device_secret": secret}))
        .await
        .refused(403, "volunteer_forgotten");
    volunteer
        .at(&third.url)
        .get("/v1/volunteers/me/export")
        .await
        .refused(403, "volunteer_forgotten");
}

#[tokio::test]
async fn forgetting_has_to_be_confirmed_and_may_be_repeated() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    campaign.look_at(&volunteer, campaign.cells[0]).await;
    for query in ["", "?confirm=", "?confirm=yes", "?sure=forget"] {
        let reply = volunteer.delete(&format!("/v1/volunteers/me{query}")).await;
        assert_eq!(reply.status, 400, "{reply:?}");
    }
    let code = code_of(&volunteer).await;
    let calls = (0..6).map(|_| volunteer.delete(FORGET));
    for reply in at_once(calls).await {
        assert!([202, 403].contains(&reply.status), "{reply:?}");
    }
    app.public()
        .post("/v1/volunteers/link")
        .json(json!({"code": code}))
        .await
        .refused(404, "link_code_unknown");
    right(&app).await;
    campaign.progress_shows("/looks", 0).await;
    app.public()
        .delete(FORGET)
        .await
        .refused(401, "credentials_missing");
}

#[tokio::test]
async fn what_was_on_its_way_is_deleted_too() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(12, 12).looks_wanted(5).open().await;
    let (volunteer, other) = (app.volunteer().await, app.volunteer().await);
    let sending = async |server: &str| {
        let (mut acknowledged, client) = (0, volunteer.at(server));
        for cell in campaign.cells.iter().cycle() {
            let reply = campaign
                .send(&client, &tagged(*cell, [point(cell.middle())]))
                .await;
            if reply.status == 403 {
                return acknowledged;
            }
            reply.expect(201);
            acknowledged += 1;
        }
        acknowledged
    };
    let deciding = async {
        eventually("looks are stored", || async {
            (campaign.progress().await["looks"].as_i64()? > 20).then_some(())
        })
        .await;
        campaign.look_at(&other, campaign.cells[0]).await;
        forget(&volunteer).await;
    };
    let (first, second, ()) = tokio::join!(
        sending(&app.servers[0].url),
        sending(&app.servers[1].url),
        deciding
    );
    assert!(first + second > 20);
    eventually("nothing is left", || async {
        (rows_of(&app, &volunteer.id).await == 0).then_some(())
    })
    .await;
    right(&app).await;
    let shown = campaign.progress_shows("/looks", 1).await;
    assert_eq!(
        (&shown["tags"], &shown["volunteers"]),
        (&json!(0), &json!(1))
    );
}

#[tokio::test]
async fn looks_that_a_server_stores_later_without_knowing_are_swept() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(2).open().await;
    let (gone, joined, kept) = (
        app.volunteer().await,
        app.volunteer().await,
        app.volunteer().await,
    );
    forget(&gone).await;
    link(&joined, &kept).await;
    settled(&app).await;
    for volunteer in [&gone, &joined] {
        app.execute(&format!(
            "INSERT INTO looks (volunteer_id, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, content_hash)
             VALUES ('{}', gen_random_uuid(), '{}', {}, 'nothing', 1, now(), now(), '')",
            volunteer.id, campaign.id, campaign.cells[0].packed()
        ))
        .await;
    }
    let strays = format!(
        "SELECT count(*) FROM looks WHERE volunteer_id IN ('{}', '{}')",
        gone.id, joined.id
    );
    eventually("they are swept", || async {
        (app.number(&strays).await == 0).then_some(())
    })
    .await;
    right(&app).await;
    let shown = campaign.progress_shows("/looks", 1).await;
    assert_eq!(shown["volunteers"], 1);
}

#[tokio::test]
async fn in_the_end_only_a_hash_is_left() {
    let app = App::start().await;
    let volunteer = app.volunteer().await;
    forget(&volunteer).await;
    settled(&app).await;
    app.execute(
        "UPDATE departures SET departed_at = now() - interval '16 minutes', due_at = now()",
    )
    .await;
    eventually("the id is gone", || async {
        let left = app.number("SELECT count(*) FROM departures WHERE volunteer_id IS NOT NULL OR due_at IS NOT NULL").await;
        (left == 0).then_some(())
    })
    .await;
    eventually("every server refuses the token", || async {
        let replies = at_once(
            app.servers
                .iter()
                .map(|s| volunteer.at(&s.url).delete(FORGET)),
        );
        let replies = replies.await;
        replies
            .iter()
            .all(|reply| reply.status == 403)
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_reader_of_the_feed_that_is_behind_counts_nothing_of_who_was_forgotten() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).looks_wanted(2).open().await;
    let crowd = app.volunteers(3).await;
    campaign.look_at(&crowd[0], campaign.cells[0]).await;
    campaign.progress_shows("/looks", 1).await;
    // While this transaction is open, the feed gives nothing that is newer.
    let open = app.sql().await;
    open.batch_execute("BEGIN; SELECT pg_current_xact_id();")
        .await
        .unwrap();
    for volunteer in &crowd {
        for cell in &campaign.cells[1..4] {
            let sent = tagged(*cell, [point(cell.middle())]);
            campaign.send(volunteer, &sent).await.expect(201);
        }
    }
    forget(&crowd[0]).await;
    link(&crowd[1], &crowd[2]).await;
    settled(&app).await;
    let (right_now, report) = verify(&app).await;
    assert!(right_now, "{report}");
    assert_eq!(campaign.progress().await["looks"], 0);
    open.batch_execute("COMMIT").await.unwrap();
    right(&app).await;
    let shown = campaign.progress_shows("/looks", 6).await;
    assert_eq!(
        (&shown["tags"], &shown["volunteers"]),
        (&json!(6), &json!(1))
    );
}

#[tokio::test]
async fn very_many_looks_leave_in_pieces_whatever_workers_die() {
    let mut app = App::builder().servers(2).workers(2).start().await;
    let campaign = app.campaign().cells(40, 40).looks_wanted(3).open().await;
    let (gone, joined, kept) = (
        app.volunteer().await,
        app.volunteer().await,
        app.volunteer().await,
    );
    for volunteer in [&gone, &joined, &kept] {
        for cells in campaign.cells[..1200].chunks(400) {
            let looks: Vec<Value> = cells
                .iter()
                .map(|cell| tagged(*cell, [point(cell.middle())]))
                .collect();
            campaign.send_batch(volunteer, &looks).await.expect(200);
        }
    }
    forget(&gone).await;
    link(&joined, &kept).await;
    for _ in 0..6 {
        app.workers.pop().unwrap().kill().await;
        let next = app.start_worker();
        app.workers.insert(0, next);
    }
    right(&app).await;
    let shown = campaign.progress_shows("/volunteers", 1).await;
    assert_eq!(
        (&shown["looks"], &shown["tags"]),
        (&json!(2400), &json!(2400))
    );
    assert_eq!(rows_of(&app, &gone.id).await, 0);
}

#[tokio::test]
async fn all_that_is_stored_of_a_volunteer_can_be_downloaded() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).looks_wanted(2).open().await;
    let (volunteer, other) = (app.volunteer().await, app.volunteer().await);
    let empty = volunteer.get("/v1/volunteers/me/export").await.expect(200);
    assert_eq!((&empty["looks"], &empty["tags"]), (&json!([]), &json!([])));
    work_of(&campaign, &volunteer).await;
    work_of(&campaign, &other).await;
    for _ in 0..5 {
        let fresh: Vec<Value> = (0..490).map(|_| nothing(campaign.cells[1])).collect();
        campaign.send_batch(&volunteer, &fresh).await.expect(200);
    }
    let own = volunteer
        .get(&campaign.path("/tags?volunteer=me"))
        .await
        .expect(200);
    let tag = &own["features"][0]["id"];
    volunteer
        .delete(&campaign.path(&format!("/tags/{}", tag.as_str().unwrap())))
        .if_match("\"1\"")
        .await
        .expect(204);
    let cell = campaign.given(&volunteer, 1).await[0];
    volunteer
        .post(&campaign.path("/assignments/renew"))
        .json(json!({"cells": [cell.to_string()]}))
        .await
        .expect(200);
    code_of(&volunteer).await;
    let reply = volunteer.get("/v1/volunteers/me/export").await;
    assert!(reply.header("content-disposition").contains("attachment"));
    let all = reply.expect(200);
    assert_eq!(all["volunteer_id"], volunteer.id);
    let looks = all["looks"].as_array().unwrap();
    assert_eq!(looks.len(), 4 + 5 * 490);
    assert!(looks.iter().any(|look| look["outcome"] == "bad_imagery"));
    let tags = all["tags"].as_array().unwrap();
    assert_eq!(tags.len(), 2);
    let withdrawn = tags.iter().filter(|tag| tag["withdrawn_at"].is_string());
    assert_eq!(withdrawn.count(), 1);
    assert_eq!(tags[0]["geometry"]["type"], "Point");
    assert_eq!(all["renewed_leases"][0]["cell"], cell.to_string());
    assert_eq!(all["link_codes"].as_array().unwrap().len(), 1);
    let printed = app.spotter(&["volunteer", "export", &volunteer.id]).await;
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed["looks"], all["looks"]);
}

#[tokio::test]
async fn operators_forget_whom_they_are_asked_to() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let (volunteer, old) = (app.volunteer().await, app.volunteer().await);
    campaign.look_at(&volunteer, campaign.cells[0]).await;
    link(&old, &volunteer).await;
    let done = app.spotter(&["volunteer", "forget", &old.id]).await;
    assert!(done.status.success(), "{done:?}");
    right(&app).await;
    campaign.progress_shows("/looks", 0).await;
    eventually("servers know", || async {
        (campaign.ask(&volunteer, 1).await.status == 403).then_some(())
    })
    .await;
}
