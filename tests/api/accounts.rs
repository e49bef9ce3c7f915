//! Tokens of volunteers and keys of organisers.

use crate::harness::{App, Client, eventually, json, nothing};

const KEY_A: &str = "a:1111111111111111111111111111111111111111111111111111111111111111";
const KEY_B: &str = "b:2222222222222222222222222222222222222222222222222222222222222222";

async fn whoami(client: &Client) -> u16 {
    // Any volunteer's call: a token that is taken is told that there is no such campaign.
    client
        .post("/v1/campaigns/none/assignments")
        .json(json!({"count": 1}))
        .await
        .status
}

#[tokio::test]
async fn a_volunteer_signs_up_without_a_form_and_is_known_by_the_token() {
    let app = App::start().await;
    let volunteer = app.volunteer().await;
    assert_eq!(whoami(&volunteer).await, 404);
    assert_ne!(volunteer.id, app.volunteer().await.id);
}

#[tokio::test]
async fn a_sign_up_writes_no_row() {
    let app = App::start().await;
    app.volunteer().await;
    let rows = app
        .number("SELECT sum((xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I', table_name), false, true, '')))[1]::text::int8)::int8
                 FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
                 AND table_name NOT IN ('spatial_ref_sys', 'schema_migrations', 'feed_cursors', 'service_mode', 'sync_epoch')")
        .await;
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn a_token_with_any_sign_changed_is_refused() {
    let app = App::start().await;
    let token = app.volunteer().await.bearer().to_owned();
    for at in [0, 3, 8, 20, token.len() - 10] {
        let mut forged: Vec<char> = token.chars().collect();
        forged[at] = if forged[at] == 'A' { 'B' } else { 'A' };
        let forged: String = forged.into_iter().collect();
        app.public()
            .with_bearer(&forged)
            .post("/v1/campaigns/none/assignments")
            .json(json!({}))
            .await
            .refused(401, "token_refused");
    }
}

#[tokio::test]
async fn a_token_of_another_installation_is_refused() {
    let app = App::start().await;
    let stranger = App::builder()
        .setting("TOKEN_KEYS", KEY_A)
        .workers(0)
        .start()
        .await;
    let token = stranger.volunteer().await.bearer().to_owned();
    assert_eq!(whoami(&app.public().with_bearer(&token)).await, 401);
}

#[tokio::test]
async fn keys_are_rotated_without_logging_anybody_out() {
    let app = App::builder().setting("TOKEN_KEYS", KEY_A).start().await;
    let old = app.volunteer().await;
    let next = app
        .start_server(&[("TOKEN_KEYS", &format!("{KEY_B},{KEY_A}"))])
        .await;
    let both = app
        .start_server(&[("TOKEN_KEYS", &format!("{KEY_A},{KEY_B}"))])
        .await;
    assert_eq!(whoami(&old.at(&next.url)).await, 404);
    let made = app
        .public()
        .at(&next.url)
        .post("/v1/volunteers")
        .await
        .expect(201);
    let new = app.public().with_bearer(made["token"].as_str().unwrap());
    assert!(new.bearer().starts_with("s1.b."), "{}", new.bearer());
    assert_eq!(whoami(&new.at(&both.url)).await, 404);
    assert_eq!(
        whoami(&new).await,
        401,
        "the old server does not know the new key yet"
    );
}

#[tokio::test]
async fn a_key_is_shown_once_and_kept_as_a_hash() {
    let app = App::start().await;
    let key = app.organiser().await.bearer().to_owned();
    let secret = key.splitn(3, '_').nth(2).unwrap();
    assert!(secret.len() >= 43, "{key}");
    let found = app
        .number(&format!("SELECT count(*) FROM api_keys AS k, organisers AS o WHERE k::text || o::text LIKE '%{secret}%'
            OR encode(secret_hash, 'escape') LIKE '%{secret}%'"))
        .await;
    assert_eq!(found, 0);
    assert_eq!(
        app.number("SELECT count(*) FROM api_keys WHERE octet_length(secret_hash) = 32")
            .await,
        1
    );
    let listed = app.spotter(&["organiser", "list"]).await;
    assert!(!String::from_utf8_lossy(&listed.stdout).contains(secret));
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once() {
    let app = App::start().await;
    let organiser = app.organiser_with("imagery").await;
    organiser.get("/v1/imagery").await.expect(200);
    let revoked = app
        .spotter(&["organiser", "revoke", organiser.bearer()])
        .await;
    assert!(revoked.status.success(), "{revoked:?}");
    for _ in 0..4 {
        organiser
            .get("/v1/imagery")
            .await
            .refused(401, "key_refused");
    }
    let again = app
        .spotter(&["organiser", "revoke", organiser.bearer()])
        .await;
    assert!(!again.status.success());
}

#[tokio::test]
async fn a_key_with_another_secret_is_refused() {
    let app = App::start().await;
    let mut key = app.organiser().await.bearer().to_owned();
    let last = if key.pop() == Some('A') { 'B' } else { 'A' };
    key.push(last);
    app.public()
        .with_bearer(&key)
        .get("/v1/imagery")
        .await
        .refused(401, "key_refused");
    for strange in ["spk_", "spk__", "spk_x_y", "spk_%00_a"] {
        app.public()
            .with_bearer(strange)
            .get("/v1/imagery")
            .await
            .refused(401, "key_refused");
    }
}

#[tokio::test]
async fn a_key_does_what_its_scopes_allow_and_no_more() {
    let app = App::start().await;
    let imagery = app.organiser_with("imagery").await;
    let campaigns = app.organiser_with("campaigns").await;
    let read = app.organiser_with("read").await;
    let draft = app.campaign().draft().await;
    imagery.get("/v1/imagery").await.expect(200);
    imagery.post("/v1/campaigns/preview").json(json!({})).await;
    imagery
        .post(&draft.path("/publish"))
        .await
        .refused(403, "scope_missing");
    imagery
        .get(&draft.path(""))
        .await
        .refused(404, "campaign_not_found");
    campaigns
        .get("/v1/imagery")
        .await
        .refused(403, "scope_missing");
    campaigns.get(&draft.path("")).await.expect(200);
    read.get(&draft.path("")).await.expect(200);
    read.get(&draft.path("/tags")).await.expect(200);
    read.post(&draft.path("/publish"))
        .await
        .refused(403, "scope_missing");
    let admin = app.organiser_with("admin").await;
    admin.get("/v1/imagery").await.expect(200);
    admin.post(&draft.path("/publish")).await.expect(200);
}

#[tokio::test]
async fn a_key_works_as_the_password_of_basic_authentication() {
    use base64::Engine;
    let app = App::start().await;
    let key = app.organiser().await.bearer().to_owned();
    let basic = |pair: String| {
        format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(pair)
        )
    };
    let ask = |value: String| {
        app.public()
            .get("/v1/imagery")
            .header("Authorization", &value)
    };
    ask(basic(format!("anybody:{key}"))).await.expect(200);
    ask(basic(format!("{key}:")))
        .await
        .refused(401, "key_refused");
    ask("Basic !!!".to_owned())
        .await
        .refused(401, "credentials_missing");
    ask("Digest x".to_owned())
        .await
        .refused(401, "credentials_missing");
}

#[tokio::test]
async fn a_call_without_credentials_says_how_to_send_them() {
    let app = App::start().await;
    let refused = app.public().get("/v1/imagery").await;
    refused.refused(401, "credentials_missing");
    assert!(
        refused.header("www-authenticate").starts_with("Bearer"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_token_is_no_key_and_a_key_is_no_token() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    volunteer
        .get("/v1/imagery")
        .await
        .refused(403, "organiser_needed");
    campaign
        .ask(&app.organiser().await, 1)
        .await
        .refused(403, "volunteer_needed");
}

#[tokio::test]
async fn the_last_use_of_a_key_is_noted() {
    let app = App::start().await;
    let organiser = app.organiser().await;
    let used = "SELECT count(*) FROM api_keys WHERE last_used_at > now() - interval '1 minute'";
    assert_eq!(app.number(used).await, 0);
    organiser.get("/v1/imagery").await.expect(200);
    eventually("the use is noted", || async {
        (app.number(used).await == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_organiser_without_a_name_is_refused() {
    let app = App::builder().servers(0).workers(0).start().await;
    let long = "x".repeat(101);
    for name in ["", "  ", &long] {
        let made = app.spotter(&["organiser", "create", "--name", name]).await;
        assert!(!made.status.success(), "{name:?}");
        assert!(
            String::from_utf8_lossy(&made.stderr).contains("--name"),
            "{made:?}"
        );
    }
}

#[tokio::test]
async fn no_address_of_a_caller_is_stored() {
    let app = App::start().await;
    let campaign = app.campaign().open().await;
    let volunteer = app.volunteer().await;
    let spied = "203.0.113.77";
    let sent = campaign
        .send(&volunteer, &nothing(campaign.cells[0]))
        .header("X-Forwarded-For", spied)
        .header("Forwarded", &format!("for={spied}"))
        .header("X-Real-IP", spied)
        .await;
    sent.expect(201);
    let found = app
        .number("SELECT count(*) FROM information_schema.tables AS t,
                 query_to_xml(format('SELECT * FROM %I', t.table_name), true, true, '') AS content
                 WHERE t.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND t.table_name <> 'spatial_ref_sys'
                 AND (content::text LIKE '%203.0.113.77%' OR content::text LIKE '%127.0.0.1%')")
        .await;
    assert_eq!(found, 0);
    let columns = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' AND data_type IN ('inet', 'cidr')";
    assert_eq!(app.number(columns).await, 0);
}

#[tokio::test]
async fn an_organiser_learns_who_they_are_and_what_their_key_may_do() {
    let app = App::start().await;
    let organiser = app.organiser_with("imagery").await;
    let me = organiser.get("/v1/organisers/me").await.expect(200);
    assert_eq!(me["scopes"], json!(["imagery"]));
    assert!(me["name"].is_string() && me["organiser_id"].is_string());
    let unknown = format!("spk_{}_{}", "a".repeat(8), "b".repeat(43));
    for typed in [unknown.as_str(), "no-key", "spk_", "s1.k.x.y"] {
        app.public()
            .with_bearer(typed)
            .get("/v1/organisers/me")
            .await
            .refused(401, "key_refused");
    }
    app.volunteer()
        .await
        .get("/v1/organisers/me")
        .await
        .refused(403, "organiser_needed");
}
