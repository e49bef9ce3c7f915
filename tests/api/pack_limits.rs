//! What a pack may be, who gets none, and what becomes of packs whose volunteer departs.

use super::{
    packs::{ask, cell_set, hours_until, take},
    volunteer_links::{link, settled},
};
use crate::harness::{App, eventually, id, json};

#[tokio::test]
async fn a_pack_has_1_to_500_squares_for_1_to_168_hours() {
    let app = App::start().await;
    let campaign = app.campaign().cells(25, 24).open().await;
    let volunteer = app.volunteer().await;
    for (member, value) in [
        ("cells", 0),
        ("cells", 501),
        ("lease_hours", 0),
        ("lease_hours", 169),
    ] {
        let mut wanted = json!({"id": id(), "cells": 1});
        wanted[member] = value.into();
        let asked = ask(&campaign, &volunteer, wanted).await;
        asked.refused_at("invalid_body", &format!("/{member}"));
    }
    let wanted = json!({"id": id(), "cells": 1, "near": [0, 91]});
    ask(&campaign, &volunteer, wanted)
        .await
        .refused_at("invalid_body", "/near");
    let longest = json!({"id": id(), "cells": 500, "lease_hours": 168});
    let pack = ask(&campaign, &volunteer, longest).await.expect(200);
    assert_eq!(cell_set(&pack).len(), 500);
    assert!((167.9..=168.0).contains(&hours_until(&pack["expires_at"])));
    let shortest = json!({"id": id(), "cells": 1, "lease_hours": 1});
    let pack = ask(&campaign, &volunteer, shortest).await.expect(200);
    assert!((0.9..=1.0).contains(&hours_until(&pack["expires_at"])));
}

#[tokio::test]
async fn a_volunteer_has_2000_open_squares_in_20_packs_at_most() {
    let app = App::builder().setting("RATE_VOLUNTEER", "0").start().await;
    let campaign = app.campaign().cells(50, 50).open().await;
    let volunteer = app.volunteer().await;
    for _ in 0..19 {
        take(&campaign, &volunteer, 1).await;
    }
    for cells in [500, 500, 500] {
        app.execute(
            "UPDATE pack_cells SET pack_id = (SELECT min(pack_id::text)::uuid FROM pack_cells)",
        )
        .await;
        take(&campaign, &volunteer, cells).await;
    }
    let wanted = |cells: u32| json!({"id": id(), "cells": cells});
    let refused = ask(&campaign, &volunteer, wanted(482)).await;
    let told = refused.refused(409, "pack_cells_too_many");
    assert!(
        told["detail"]
            .as_str()
            .unwrap()
            .contains("ask for 481 at most"),
        "{told}"
    );
    let last = ask(&campaign, &volunteer, wanted(481)).await.expect(200);
    assert_eq!(cell_set(&last).len(), 481);
    let path = campaign.path(&format!("/packs/{}", last["id"].as_str().unwrap()));
    volunteer.delete(&path).await.expect(200);
    for _ in app
        .number("SELECT count(DISTINCT pack_id) FROM pack_cells WHERE state = 'open'")
        .await..20
    {
        take(&campaign, &volunteer, 1).await;
    }
    ask(&campaign, &volunteer, wanted(1))
        .await
        .refused(409, "packs_too_many");
    // Another volunteer is not concerned.
    take(&campaign, &app.volunteer().await, 1).await;
}

#[tokio::test]
async fn a_pack_of_which_a_server_lost_hold_is_made_anew_by_the_next() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).open().await;
    let volunteer = app.volunteer().await;
    let wanted = json!({"id": id(), "cells": 4});
    let begin = format!(
        "INSERT INTO packs (volunteer_id, id, campaign_id, cells_wanted, lease_hours, dealt_until)
         VALUES ('{}', '{}', '{}', 4, 24, now() + interval '1 minute')",
        volunteer.id,
        wanted["id"].as_str().unwrap(),
        campaign.id
    );
    app.execute(&begin).await;
    let waits = ask(&campaign, &volunteer, wanted.clone()).await;
    waits.refused(503, "pack_in_work");
    assert_eq!(waits.header("retry-after"), "2");
    app.execute("UPDATE packs SET dealt_until = now()").await;
    let pack = ask(&campaign, &volunteer, wanted).await.expect(200);
    assert_eq!(cell_set(&pack).len(), 4);
}

#[tokio::test]
async fn a_campaign_that_gives_no_squares_gives_no_packs() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let wanted = || json!({"id": id(), "cells": 4});
    campaign.steer("pause").await.expect(200);
    ask(&campaign, &volunteer, wanted())
        .await
        .refused(409, "campaign_paused");
    campaign.steer("close").await.expect(200);
    eventually("every server knows of the close", || async {
        let asked = (
            ask(&campaign, &volunteer, wanted()).await,
            ask(&campaign, &volunteer, wanted()).await,
        );
        (asked.0.json()["code"] == "campaign_closed" && asked.1.json()["code"] == "campaign_closed")
            .then_some(())
    })
    .await;
    ask(&campaign, &app.public(), wanted())
        .await
        .refused(401, "credentials_missing");
}

#[tokio::test]
async fn packs_go_with_their_volunteer() {
    let app = App::start().await;
    let campaign = app.campaign().cells(3, 3).open().await;
    let (phone, tablet) = (app.volunteer().await, app.volunteer().await);
    let pack = take(&campaign, &phone, 4).await;
    let told = phone.get("/v1/volunteers/me/export").await.expect(200);
    assert_eq!(told["packs"][0]["id"], pack["id"], "{told}");
    assert_eq!(told["packs"][0]["cells"].as_array().unwrap().len(), 4);
    // Joined to another volunteer, they are theirs.
    let joined = link(&phone, &tablet).await;
    settled(&app).await;
    let wanted = json!({"id": pack["id"], "cells": 4});
    let found = ask(&campaign, &joined, wanted).await.expect(200);
    assert_eq!(found["assignments"], pack["assignments"]);
    joined
        .delete("/v1/volunteers/me?confirm=forget")
        .await
        .expect(202);
    settled(&app).await;
    let left = "SELECT (SELECT count(*) FROM packs) + (SELECT count(*) FROM pack_cells)";
    assert_eq!(app.number(left).await, 0);
}
