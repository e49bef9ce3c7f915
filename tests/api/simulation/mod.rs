//! Hundreds of volunteers at three servers: every cell gets its looks by distinct volunteers, and
//! few more.
//!
//! Volunteers leave squares without an answer, skip, report bad imagery, go and come back, and
//! take packs along. What each does comes from a seed, which is printed; `SPOTTER_SIMULATION_SEED`
//! repeats it. In which order the servers answer does not come from it.

mod checker;
mod organiser;
mod person;
mod watch;

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::sync;

use self::{checker::Fault, person::Person, watch::Watch};
use crate::harness::{
    App, Campaign, Cell, Value, json, memcached::Memcached, nothing, places::ring, within,
};

const VOLUNTEERS: usize = 300;
/// How many of them begin with a pack.
const WITH_A_PACK: usize = 6;
const COLUMNS: u32 = 26;
const ROWS: u32 = 25;
const LOOKS_WANTED: usize = 3;
/// Cells whose imagery shows nothing, in percent.
const CLOUDY: u32 = 2;
const LEASE: Duration = Duration::from_secs(5);
/// Longest time until the campaign is done.
const PATIENCE: Duration = Duration::from_secs(75);

/// What is common to all volunteers.
pub struct World {
    app: App,
    campaign: Campaign,
    lease: Duration,
    seed: u64,
    /// Cells whose imagery shows nothing, until they get another layer.
    cloudy: BTreeSet<Cell>,
    watch: Mutex<Watch>,
    over: sync::watch::Sender<bool>,
}

impl World {
    async fn new(memcached: &Memcached) -> Self {
        let seed = match std::env::var("SPOTTER_SIMULATION_SEED") {
            Ok(seed) => seed.parse().expect("SPOTTER_SIMULATION_SEED is a number"),
            Err(_) => uuid::Uuid::new_v4().as_u64_pair().0 >> 32,
        };
        eprintln!("SPOTTER_SIMULATION_SEED={seed}");
        let app = App::builder()
            .servers(3)
            .setting("MEMCACHED", &memcached.address)
            .start()
            .await;
        let first = app.campaign().draft().await.cells[0].step(9, 7);
        let campaign = app
            .campaign()
            .cells(COLUMNS, ROWS)
            .looks_wanted(LOOKS_WANTED.try_into().unwrap())
            .with("lease_seconds", LEASE.as_secs())
            .with("priorities", json!([{"weight": 8, "area": {"type": "Polygon", "coordinates": [ring(first.block(8, 9))]}}]))
            .open()
            .await;
        let priority = (0..8).flat_map(|x| (0..9).map(move |y| first.step(x, y)));
        let mut dice = StdRng::seed_from_u64(seed);
        let cloudy = campaign.cells.iter().copied();
        let cloudy = cloudy.filter(|_| dice.random_ratio(CLOUDY, 100)).collect();
        let watch = Watch::new(LOOKS_WANTED, &campaign.cells, &priority.collect());
        Self {
            app,
            campaign,
            lease: LEASE,
            seed,
            cloudy,
            watch: Mutex::new(watch),
            over: sync::watch::Sender::new(false),
        }
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap()
    }

    fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    /// Waits, but not beyond the end of the campaign.
    async fn rest(&self, duration: Duration) {
        let mut over = self.over.subscribe();
        let _either = tokio::time::timeout(duration, over.wait_for(|over| *over)).await;
    }

    async fn person(&self, number: usize) {
        let person = Person::new(self, number).await;
        if number < WITH_A_PACK {
            person.takes_a_pack().await;
        } else {
            person.visits().await;
        }
    }

    /// Says that it is over when the campaign says so, or when it takes too long.
    async fn wait_for_the_end(&self) {
        let began = Instant::now();
        loop {
            let shown = self.campaign.progress().await;
            if shown["cells_done"] == shown["cells"] {
                break;
            }
            if began.elapsed() > PATIENCE {
                self.watch().wrong.push(format!("not done: {shown}"));
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        self.over.send_replace(true);
    }

    /// Waits until volunteers have sent so many percent of the looks wanted.
    async fn sent(&self, percent: usize) {
        let wanted = self.campaign.cells.len() * LOOKS_WANTED;
        while !self.is_over() && self.watch().acknowledged.len() * 100 < wanted * percent {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everybody looks until all is done.
    async fn run(&self) {
        let began = Instant::now();
        let crowd = join_all((0..VOLUNTEERS).map(|number| self.person(number)));
        let (_, (), decided) =
            tokio::join!(crowd, self.wait_for_the_end(), organiser::decides(self));
        eprintln!(
            "{:.1} s: {}; {decided} decisions",
            began.elapsed().as_secs_f64(),
            self.watch()
        );
    }

    /// Everything that must be true at the end.
    async fn check(&self) {
        self.all_looks_are_counted().await;
        let record = checker::read(&self.app.sql().await, &self.campaign.id).await;
        let judgement = checker::judge(&record);
        eprintln!(
            "{} looks, {} wanted, {} beyond",
            judgement.looks, judgement.wanted, judgement.beyond
        );
        let watch = self.watch();
        assert!(watch.wrong.is_empty(), "{:#?}", watch.wrong);
        for fault in &judgement.faults {
            eprint!(
                "{}",
                fault
                    .cell()
                    .map_or_else(String::new, |cell| watch.history(cell))
            );
        }
        assert_eq!(judgement.faults, []);
        assert!(watch.priority_percent() >= 50, "{watch}");
        assert!(watch.unfair_percent() <= 10, "{watch}");
        assert!(watch.needless_percent() <= 10, "{watch}");
    }

    /// No confirmed look is lost, and progress knows of each.
    async fn all_looks_are_counted(&self) {
        let acknowledged = self.watch().acknowledged.clone();
        let sql = "SELECT count(*) FROM looks WHERE id = ANY ($1)";
        let row = self.app.sql().await.query_one(sql, &[&acknowledged]).await;
        let kept: i64 = row.unwrap().get(0);
        assert_eq!(usize::try_from(kept).unwrap(), acknowledged.len());
        within(
            Duration::from_secs(10),
            "progress counts all looks",
            || async {
                let shown = self.campaign.progress().await;
                let by_outcome = shown["looks_by_outcome"].as_object().unwrap();
                let looks: u64 = by_outcome.values().filter_map(Value::as_u64).sum();
                (looks >= acknowledged.len().try_into().unwrap()).then_some(())
            },
        )
        .await;
        let verified = self.app.spotter(&["verify"]).await;
        assert!(verified.status.success(), "{verified:?}");
    }
}

#[tokio::test]
async fn every_cell_gets_its_looks_and_few_more() {
    let memcached = Memcached::start().await;
    let world = World::new(&memcached).await;
    world.run().await;
    world.check().await;
}

#[tokio::test]
async fn the_same_while_memcached_is_flushed_twice_killed_and_restarted() {
    let mut memcached = Memcached::start().await;
    let world = World::new(&memcached).await;
    let trouble = async {
        world.sent(20).await;
        memcached.flush().await;
        world.sent(40).await;
        memcached.kill().await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        memcached.restart().await;
        world.sent(80).await;
        memcached.flush().await;
    };
    tokio::join!(world.run(), trouble);
    world.check().await;
}

#[tokio::test]
async fn what_is_wrong_in_the_database_is_found() {
    let app = App::start().await;
    let campaign = app.campaign().cells(20, 1).open().await;
    let volunteer = app.volunteer().await;
    let looks: Vec<Value> = campaign.cells.iter().map(|cell| nothing(*cell)).collect();
    campaign.send_batch(&volunteer, &looks).await.expect(200);
    campaign.progress_shows("/cells_done", 20).await;
    let judged =
        || async { checker::judge(&checker::read(&app.sql().await, &campaign.id).await).faults };
    assert_eq!(judged().await, []);
    let (first, second) = (campaign.cells[0].packed(), campaign.cells[1].packed());
    app.execute(&format!("DELETE FROM looks WHERE cell = {first}"))
        .await;
    app.execute(&format!(
        "INSERT INTO looks (volunteer_id, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, content_hash)
         SELECT volunteer_id, gen_random_uuid(), campaign_id, cell, 'skipped', 1, started_at, finished_at, content_hash
         FROM looks WHERE cell = {second}"
    ))
    .await;
    let faults = judged().await;
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(matches!(faults[0], Fault::SeenTwice { cell, looks: 2, .. } if cell == second));
    assert_eq!(
        faults[1..],
        [
            Fault::Miscounted {
                cell: first,
                shown: 1,
                looks: 0
            },
            Fault::Missing {
                cell: first,
                looks: 0
            }
        ]
    );
}
