//! Looks that come at the same time: stored together, judged one by one.

use std::future::IntoFuture;

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{io::AsyncWriteExt, task::JoinHandle};
use tokio_postgres::Client as Sql;

use crate::harness::{
    App, Campaign, Client, DEADLINE, Reply, Value, eventually, fixtures::at_once, id, nothing,
    point, tagged,
};

/// One server whose looks wait until they are let go.
struct Held {
    app: App,
    campaign: Campaign,
    holder: Sql,
}

impl Held {
    async fn new() -> Self {
        let app = App::builder()
            .servers(1)
            .setting("DATABASE_POOL_SIZE", "8")
            .start()
            .await;
        let campaign = app.campaign().cells(4, 4).open().await;
        let holder = app.sql().await;
        Self {
            app,
            campaign,
            holder,
        }
    }

    /// From now on nobody can store a look.
    async fn hold(&self) {
        let hold = "BEGIN; LOCK TABLE looks IN SHARE MODE";
        self.holder.batch_execute(hold).await.unwrap();
    }

    async fn let_go(&self) {
        self.holder.batch_execute("COMMIT").await.unwrap();
    }

    /// Sends looks while they are held, waits until all have arrived, lets them go.
    async fn send_held(&self, looks: Vec<(Client, Value)>) -> Vec<Reply> {
        self.hold().await;
        let sending = self.send(looks).await;
        self.let_go().await;
        sending.await.unwrap()
    }

    /// Sends looks and waits until all have arrived.
    async fn send(&self, looks: Vec<(Client, Value)>) -> JoinHandle<Vec<Reply>> {
        let before = self.accepted().await;
        let arriving = before + looks.len();
        let calls: Vec<_> = looks
            .iter()
            .map(|(volunteer, look)| self.campaign.send(volunteer, look))
            .collect();
        let sending = tokio::spawn(at_once(calls));
        eventually("all looks have arrived", || async {
            (self.accepted().await == arriving).then_some(())
        })
        .await;
        sending
    }

    /// How many looks the server has accepted.
    async fn accepted(&self) -> usize {
        number(&self.app, "looks_accepted_total").await
    }

    async fn volunteers(&self, count: usize) -> Vec<Client> {
        let mut volunteers = Vec::new();
        for _ in 0..count {
            volunteers.push(self.app.volunteer().await);
        }
        volunteers
    }

    /// A look with one tag.
    fn tagged(&self, nth: usize) -> Value {
        let cell = self.campaign.cells[nth % self.campaign.cells.len()];
        tagged(cell, [point(cell.middle())])
    }
}

/// A number of `/metrics`.
async fn number(app: &App, name: &str) -> usize {
    let metrics = app.public().get("/metrics").await.text();
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |number| number.parse().unwrap())
}

fn count(answers: &[Reply], status: u16) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .count()
}

#[tokio::test]
async fn looks_of_many_at_once_share_their_commits() {
    let held = Held::new().await;
    let looks = held.volunteers(60).await.into_iter().enumerate();
    let looks: Vec<_> = looks
        .map(|(n, volunteer)| (volunteer, held.tagged(n)))
        .collect();
    let answers = held.send_held(looks).await;
    assert_eq!(count(&answers, 201), 60, "{answers:?}");
    let app = &held.app;
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 60);
    assert_eq!(app.number("SELECT count(*) FROM tags").await, 60);
    let commits = app.number("SELECT count(DISTINCT xid) FROM looks").await;
    assert!(commits <= 6, "{commits} commits");
}

#[tokio::test]
async fn a_look_that_the_database_refuses_fails_alone() {
    let held = Held::new().await;
    held.app
        .execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'nobody thought of this'; END $$;
             CREATE TRIGGER refuse BEFORE INSERT ON tags FOR EACH ROW WHEN (NEW.note = 'poison')
             EXECUTE FUNCTION refuse()",
        )
        .await;
    let volunteers = held.volunteers(20).await;
    let mut looks: Vec<_> = volunteers
        .into_iter()
        .enumerate()
        .map(|(n, volunteer)| (volunteer, held.tagged(n)))
        .collect();
    for (_, look) in looks.iter_mut().skip(7).take(2) {
        look["tags"][0]["note"] = "poison".into();
    }
    let answers = held.send_held(looks).await;
    assert_eq!(count(&answers, 201), 18, "{answers:?}");
    for answer in &answers[7..9] {
        answer.refused(500, "internal_error");
    }
    let app = &held.app;
    assert_eq!(app.number("SELECT count(*) FROM looks").await, 18);
}

#[tokio::test]
async fn a_tag_id_that_is_taken_fails_its_look_alone() {
    let held = Held::new().await;
    let volunteer = held.app.volunteer().await;
    let first = held.tagged(0);
    held.campaign.send(&volunteer, &first).await.expect(201);
    let mut looks: Vec<_> = (1..12)
        .map(|n| (volunteer.clone(), held.tagged(n)))
        .collect();
    // Two take the id of a tag that is stored, two others share a new one.
    looks[3].1["tags"][0]["id"] = first["tags"][0]["id"].clone();
    looks[8].1["tags"][0]["id"] = first["tags"][0]["id"].clone();
    looks[5].1["tags"][0]["id"] = looks[9].1["tags"][0]["id"].clone();
    let answers = held.send_held(looks).await;
    assert_eq!(count(&answers, 201), 8, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refused(409, "tag_id_reused");
    }
    assert!(answers[3].status == 409 && answers[8].status == 409);
    assert_eq!(held.app.number("SELECT count(*) FROM tags").await, 9);
}

#[tokio::test]
async fn duplicates_in_one_group_are_one_look() {
    let held = Held::new().await;
    let volunteer = held.app.volunteer().await;
    let look = held.tagged(0);
    let mut other = held.tagged(1);
    other["id"] = look["id"].clone();
    let mut looks = vec![(volunteer.clone(), look); 8];
    looks.extend(vec![(volunteer.clone(), other); 8]);
    let answers = held.send_held(looks).await;
    let found = [201, 200, 409].map(|status| count(&answers, status));
    assert_eq!(found, [1, 7, 8], "{answers:?}");
    assert_eq!(held.app.number("SELECT count(*) FROM looks").await, 1);
    assert_eq!(held.app.number("SELECT count(*) FROM tags").await, 1);
}

#[tokio::test]
async fn the_same_id_of_two_volunteers_in_one_group_is_two_looks() {
    let held = Held::new().await;
    let look = held.tagged(0);
    let volunteers = held.volunteers(5).await;
    let looks = volunteers
        .into_iter()
        .map(|volunteer| (volunteer, look.clone()));
    let answers = held.send_held(looks.collect()).await;
    assert_eq!(count(&answers, 201), 5, "{answers:?}");
}

#[tokio::test]
async fn a_square_outside_the_area_fails_its_look_alone_also_when_another_has_its_id() {
    let held = Held::new().await;
    let volunteer = held.app.volunteer().await;
    let shared = id();
    let looks = (0..6).map(|n| {
        let cell = held.campaign.cells[0].step(if n < 5 { 100 + n } else { 0 }, 0);
        let mut look = nothing(cell);
        look["id"] = shared.clone().into();
        (volunteer.clone(), look)
    });
    let answers = held.send_held(looks.collect()).await;
    assert_eq!(answers[5].status, 201, "{answers:?}");
    assert_eq!(held.app.number("SELECT count(*) FROM looks").await, 1);
}

#[tokio::test]
async fn volunteers_who_hang_up_change_nothing_for_their_neighbours() {
    let held = Held::new().await;
    let volunteers = held.volunteers(12).await;
    let server = held.app.servers[0].url.strip_prefix("http://").unwrap();
    held.hold().await;
    let mut hung_up = Vec::new();
    for (n, volunteer) in volunteers.iter().take(4).enumerate() {
        let look = held.tagged(n);
        let body = look.to_string();
        let mut stream = tokio::net::TcpStream::connect(server).await.unwrap();
        let request = format!(
            "POST {} HTTP/1.1\r\nHost: {server}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            held.campaign.path("/looks"),
            volunteer.bearer(),
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        hung_up.push((volunteer.clone(), look, stream));
    }
    eventually("the looks have arrived", || async {
        (held.accepted().await == 4).then_some(())
    })
    .await;
    let others = volunteers.into_iter().skip(4).enumerate();
    let others = others.map(|(n, volunteer)| (volunteer, held.tagged(n)));
    let hung_up: Vec<_> = hung_up
        .into_iter()
        .map(|(volunteer, look, _cut)| (volunteer, look))
        .collect();
    let sending = held.send(others.collect()).await;
    held.let_go().await;
    let answers = sending.await.unwrap();
    assert_eq!(count(&answers, 201), 8, "{answers:?}");
    eventually("what was accepted is stored", || async {
        (held.app.number("SELECT count(*) FROM looks").await == 12).then_some(())
    })
    .await;
    for (volunteer, look) in &hung_up {
        held.campaign.send(volunteer, look).await.expect(200);
    }
    assert_eq!(held.app.number("SELECT count(*) FROM looks").await, 12);
}

#[tokio::test]
async fn a_stopping_server_stores_and_answers_what_waits() {
    let mut held = Held::new().await;
    let volunteers = held.volunteers(10).await.into_iter().enumerate();
    let looks = volunteers.map(|(n, volunteer)| (volunteer, held.tagged(n)));
    let looks: Vec<_> = looks.collect();
    held.hold().await;
    let sending = held.send(looks).await;
    held.app.servers[0].terminate();
    eventually("the server is about to stop", || async {
        let ready = held.app.public().get("/readyz").attempt().await;
        ready
            .map_or(true, |answer| answer.status == 503)
            .then_some(())
    })
    .await;
    held.let_go().await;
    let answers = sending.await.unwrap();
    assert_eq!(count(&answers, 201), 10, "{answers:?}");
    assert!(held.app.servers[0].ended(DEADLINE).await);
    assert_eq!(held.app.number("SELECT count(*) FROM looks").await, 10);
}

#[tokio::test]
async fn a_server_on_which_too_much_waits_says_so_at_once() {
    let held = Held::new().await;
    held.hold().await;
    let volunteer = held.app.volunteer().await;
    let cell = held.campaign.cells[0];
    let batches: Vec<Vec<Value>> = (0..24)
        .map(|_| (0..500).map(|_| nothing(cell)).collect())
        .collect();
    let mut calls: FuturesUnordered<_> = batches
        .iter()
        .map(|batch| held.campaign.send_batch(&volunteer, batch).into_future())
        .collect();
    // Nothing can be stored, so the first answer is a refusal.
    let refused = calls.next().await.unwrap();
    refused.refused(503, "busy");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
    held.let_go().await;
    let rest: Vec<Reply> = calls.collect().await;
    let stored = count(&rest, 200);
    assert_eq!(stored + count(&rest, 503), 23);
    assert!(stored >= 16, "{stored}");
    let looks = held.app.number("SELECT count(*) FROM looks").await;
    assert_eq!(usize::try_from(looks).unwrap(), stored * 500);
}
