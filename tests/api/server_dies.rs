//! One of two servers is killed in the middle of group commits.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use tokio::sync::watch;

use crate::{
    feed::{caught_up, verify},
    harness::{
        App, Campaign, Client, Reply, client::Call, eventually, fixtures::cells_of, point, tagged,
        within,
    },
};

const VOLUNTEERS: usize = 24;
const LOOKS_WANTED: usize = 4;
/// Looks that are stored when the server dies.
const STORED: i64 = 40;
/// For so long a dead server's cells are kept from others, and some time for the rest.
const PATIENCE: Duration = Duration::from_mins(1);
/// Looks beyond the looks wanted that all cells together may have: the dead server noted not all
/// that it dealt.
const BEYOND_MAX: usize = 6;

/// Volunteers who turn to the other server when theirs does not answer.
struct Crowd {
    campaign: Campaign,
    servers: Vec<String>,
}

impl Crowd {
    /// The answer of whichever server gives one.
    async fn insist(&self, by: &Client, mut turn: usize, call: impl Fn(&Client) -> Call) -> Reply {
        let trying = async {
            loop {
                let server = &self.servers[turn % self.servers.len()];
                match call(&by.at(server)).attempt().await {
                    Ok(answer) => return answer,
                    Err(_) => turn += 1,
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, trying).await.unwrap()
    }

    /// Looks at all that is given, and tells which looks were acknowledged, with their tags.
    async fn volunteer(&self, by: Client, n: usize) -> BTreeMap<String, usize> {
        let campaign = &self.campaign;
        let mut acknowledged = BTreeMap::new();
        loop {
            let asked = self.insist(&by, n, |by| campaign.ask(by, 2)).await;
            let dealt = asked.expect(200);
            let cells = cells_of(&dealt);
            if cells.is_empty() && dealt["retry_after_seconds"].is_null() {
                return acknowledged;
            }
            if cells.is_empty() {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            for cell in cells {
                let tags = [point(cell.middle()), point(cell.place(0.2, 0.7))];
                let look = tagged(cell, tags.into_iter().take(n % 2 + 1));
                let sent = self.insist(&by, n, |by| campaign.send(by, &look)).await;
                assert!(matches!(sent.status, 200 | 201), "{sent:?}");
                let id = look["id"].as_str().unwrap().to_owned();
                acknowledged.insert(id, n % 2 + 1);
            }
        }
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_stored_once_when_one_of_two_servers_is_killed() {
    let mut app = App::builder().servers(2).start().await;
    let wanted = LOOKS_WANTED.try_into().unwrap();
    let campaign = app.campaign().cells(8, 6).looks_wanted(wanted);
    let campaign = campaign.with("lease_seconds", 5).open().await;
    let crowd = Crowd {
        servers: app.servers.iter().map(|one| one.url.clone()).collect(),
        campaign: campaign.clone(),
    };
    let volunteers = app.volunteers(VOLUNTEERS).await;
    let killed = watch::Sender::new(false);
    let looking = join_all((0..).zip(volunteers).map(|(n, by)| crowd.volunteer(by, n)));
    let doomed = app.servers.remove(0);
    let killing = async {
        eventually("some looks are stored", || async {
            let stored = app.number("SELECT count(*) FROM looks").await;
            (stored >= STORED).then_some(())
        })
        .await;
        doomed.kill().await;
        killed.send_replace(true);
    };
    let (acknowledged, ()) = tokio::join!(looking, killing);
    assert!(*killed.borrow());
    // Each look is one volunteer's, and each has as many rows as it has to have.
    let looks: BTreeMap<String, usize> = acknowledged.into_iter().flatten().collect();
    let rows = app
        .sql()
        .await
        .query(
            "SELECT l.id::text, count(t.id) FROM looks AS l
             LEFT JOIN tags AS t ON (t.volunteer_id, t.look_id) = (l.volunteer_id, l.id)
             GROUP BY l.volunteer_id, l.id",
            &[],
        )
        .await
        .unwrap();
    let stored: Vec<(String, usize)> = rows
        .iter()
        .map(|row| (row.get(0), row.get::<_, i64>(1).try_into().unwrap()))
        .collect();
    assert_eq!(stored.len(), looks.len());
    assert_eq!(stored.into_iter().collect::<BTreeMap<_, _>>(), looks);
    // The cells that the dead server held were dealt by the other one.
    let cells = campaign.cells.len();
    assert!(looks.len() >= cells * LOOKS_WANTED, "{}", looks.len());
    let beyond = looks.len() - cells * LOOKS_WANTED;
    eprintln!("{beyond} looks beyond {}", cells * LOOKS_WANTED);
    assert!(beyond <= BEYOND_MAX, "{beyond} beyond");
    let short = format!(
        "SELECT count(*) FROM (SELECT FROM looks GROUP BY cell HAVING count(DISTINCT volunteer_id) < {LOOKS_WANTED}) AS short"
    );
    assert_eq!(app.number(&short).await, 0);
    caught_up(&app).await;
    let (right, report) = verify(&app).await;
    assert!(right, "{report}");
    let server = app.public().at(&app.servers[0].url);
    within(PATIENCE, "progress shows that it is done", || async {
        let shown = server.get(&campaign.path("/progress")).await.expect(200);
        (shown["cells_done"] == shown["cells"]).then_some(())
    })
    .await;
}
