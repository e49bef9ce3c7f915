//! Devices that are known by a secret of their own.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::harness::{App, Client, Value, json, nothing};

const KEY_A: &str = "a:1111111111111111111111111111111111111111111111111111111111111111";
const KEY_B: &str = "b:2222222222222222222222222222222222222222222222222222222222222222";

/// A secret as a device makes it.
pub fn secret() -> String {
    let bytes: [[u8; 16]; 2] = std::array::from_fn(|_| *uuid::Uuid::new_v4().as_bytes());
    URL_SAFE_NO_PAD.encode(bytes.concat())
}

/// Signs a device up.
pub async fn sign_up(client: &Client, secret: &str) -> Client {
    let signed_up = client
        .post("/v1/volunteers")
        .json(json!({"device_secret": secret}))
        .await
        .expect(201);
    let mut volunteer = client.with_bearer(signed_up["token"].as_str().unwrap());
    signed_up["volunteer_id"]
        .as_str()
        .unwrap()
        .clone_into(&mut volunteer.id);
    volunteer
}

#[tokio::test]
async fn a_device_is_the_same_volunteer_at_every_server_and_no_row_is_written() {
    let app = App::builder().servers(2).workers(0).start().await;
    let (mine, other) = (secret(), secret());
    let first = sign_up(&app.public().at(&app.servers[0].url), &mine).await;
    let second = sign_up(&app.public().at(&app.servers[1].url), &mine).await;
    assert_eq!(first.id, second.id);
    assert_ne!(first.id, sign_up(&app.public(), &other).await.id);
    assert_eq!(app.number("SELECT count(*) FROM departures").await, 0);
}

#[tokio::test]
async fn looks_of_a_device_whose_sign_up_was_lost_and_repeated_are_one_volunteers() {
    let app = App::start().await;
    let campaign = app.campaign().looks_wanted(3).open().await;
    let secret = secret();
    let (before, after) = (
        sign_up(&app.public(), &secret).await,
        sign_up(&app.public(), &secret).await,
    );
    let sent = nothing(campaign.cells[0]);
    campaign.send(&before, &sent).await.expect(201);
    campaign.send(&after, &sent).await.expect(200);
}

#[tokio::test]
async fn secrets_that_somebody_could_guess_are_refused_with_the_reason() {
    let app = App::builder().servers(1).workers(0).start().await;
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let good = secret();
    let long = format!("{good}A");
    for (wrong, why) in [
        (encode(&[0; 32]), "not random"),
        (encode(b"my device is my castle, dear you"), "not random"),
        (encode(&(0..32).collect::<Vec<u8>>()), "not random"),
        (good.chars().skip(1).collect(), "found 42 signs"),
        (long, "found 44 signs"),
        ("+".repeat(43), "not base64url"),
        (String::new(), "found 0 signs"),
    ] {
        let reply = app
            .public()
            .post("/v1/volunteers")
            .json(json!({"device_secret": wrong}))
            .await;
        let told = reply.refused_at("invalid_body", "/device_secret");
        assert!(told.contains(why), "{wrong}: {told}");
    }
}

#[tokio::test]
async fn a_sign_up_without_a_body_or_with_an_empty_one_makes_a_new_volunteer() {
    let app = App::builder().servers(1).workers(0).start().await;
    let bare = app.public().post("/v1/volunteers").await.expect(201);
    let mut seen = vec![bare["volunteer_id"].clone()];
    for body in [json!({}), json!({"device_secret": null}), Value::Null] {
        let made = app.public().post("/v1/volunteers").json(body).await;
        seen.push(made.expect(201)["volunteer_id"].clone());
    }
    seen.sort_by_key(Value::to_string);
    seen.dedup();
    assert_eq!(seen.len(), 4);
}

#[tokio::test]
async fn a_device_stays_who_it_is_while_keys_are_rotated() {
    let app = App::builder()
        .servers(1)
        .workers(0)
        .setting("TOKEN_KEYS", KEY_A)
        .start()
        .await;
    let secret = secret();
    let before = sign_up(&app.public(), &secret).await;
    let both = format!("{KEY_B},{KEY_A}");
    let rotated = app.start_server(&[("TOKEN_KEYS", &both)]).await;
    let after = sign_up(&app.public().at(&rotated.url), &secret).await;
    assert_eq!(before.id, after.id);
    assert!(after.bearer().starts_with("s1.b."), "{}", after.bearer());
}
