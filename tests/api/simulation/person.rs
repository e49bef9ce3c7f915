//! One volunteer: asks, looks, answers or does not, goes and comes back.

use std::time::Duration;

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{World, watch::Offer};
use crate::harness::{
    Cell, Client, Reply, Value, client::Call, json, look, nothing, point, tagged,
};

/// Of all assignments, in percent.
const ABANDONED: u32 = 30;
const SKIPPED: u32 = 5;
const BAD_IMAGERY: u32 = 2;
const TAGGED: u32 = 20;
/// How often somebody answers, on coming back, a square that was left long ago, in percent.
const LATE: u32 = 5;

/// Squares of a pack, and its lease.
const PACK: u32 = 50;
const PACK_LEASE: Duration = Duration::from_secs(20);

pub struct Person<'a> {
    world: &'a World,
    number: usize,
    client: Client,
    dice: StdRng,
    /// Squares that were left without an answer.
    left: Vec<Cell>,
    last: Option<Cell>,
}

/// What somebody makes of a square.
enum Answer {
    Leave,
    Send(Value),
}

impl<'a> Person<'a> {
    pub async fn new(world: &'a World, number: usize) -> Self {
        let seed = world
            .seed
            .wrapping_mul(1_000_003)
            .wrapping_add(number.try_into().unwrap());
        Self {
            world,
            number,
            client: world.app.volunteer().await,
            dice: StdRng::seed_from_u64(seed),
            left: Vec::new(),
            last: None,
        }
    }

    /// Visits until the campaign is done. Pauses between visits are far longer than a lease.
    pub async fn visits(mut self) {
        self.rest(0..4000).await;
        while !self.world.is_over() {
            for _ in 0..self.dice.random_range(2..8) {
                self.look_around().await;
            }
            if self.chance(LATE) {
                self.answer_late().await;
            }
            self.rest(6000..12_000).await;
        }
    }

    /// Takes a pack with a long lease, keeps it for longer than that, answers it long after the
    /// campaign's lease, and goes on like the others.
    pub async fn takes_a_pack(mut self) {
        self.rest(0..1500).await;
        let near = self.chance(50).then(|| self.somewhere());
        let pack = self.ask(PACK, near, Some(PACK_LEASE)).await;
        self.rest(4000..6000).await;
        self.renew(&pack).await;
        self.rest(4000..6000).await;
        let mut looks = Vec::new();
        for (cell, assignment) in &pack {
            match self.judge(*cell, assignment) {
                Answer::Send(look) => looks.push(look),
                Answer::Leave => self.left.push(*cell),
            }
        }
        let body = json!({"looks": looks});
        let path = self.world.campaign.path("/looks/batch");
        if let Some(reply) = self.call(|client| client.post(&path).json(&body)).await {
            let told = reply.expect(200);
            for (look, result) in looks.iter().zip(told["results"].as_array().unwrap()) {
                assert_eq!(result["verdict"], "created", "{result}");
                self.acknowledge(look);
            }
        }
        self.visits().await;
    }

    async fn renew(&mut self, pack: &[(Cell, Value)]) {
        let cells: Vec<String> = pack.iter().map(|(cell, _)| cell.to_string()).collect();
        let body = json!({"cells": cells, "lease_seconds": PACK_LEASE.as_secs()});
        let path = self.world.campaign.path("/assignments/renew");
        let Some(reply) = self.call(|client| client.post(&path).json(&body)).await else {
            return;
        };
        let told = reply.expect(200);
        let mut watch = self.world.watch();
        for (result, (cell, _)) in told["results"].as_array().unwrap().iter().zip(pack) {
            if result["verdict"] == "renewed" {
                watch.renewed(self.number, *cell, PACK_LEASE);
            } else {
                watch
                    .wrong
                    .push(format!("a lease of a pack was not renewed: {result}"));
            }
        }
    }

    async fn look_around(&mut self) {
        if self.world.is_over() {
            return;
        }
        let near = if self.chance(15) { self.last } else { None };
        let count = *[1, 1, 1, 2, 3].get(self.dice.random_range(0..5)).unwrap();
        let given = self.ask(count, near, None).await;
        if given.is_empty() {
            self.rest(500..1500).await;
        }
        for (cell, assignment) in given {
            self.rest(100..900).await;
            self.last = Some(cell);
            match self.judge(cell, &assignment) {
                Answer::Send(look) => self.send(&look).await,
                Answer::Leave => self.left.push(cell),
            }
        }
    }

    async fn answer_late(&mut self) {
        if self.world.is_over() {
            return;
        }
        if let Some(cell) = self.left.pop()
            && self.world.watch().answers_late(cell)
        {
            self.send(&nothing(cell)).await;
        }
    }

    /// Asks for squares and gives them with what was said of each.
    async fn ask(
        &mut self,
        count: u32,
        near: Option<Cell>,
        lease: Option<Duration>,
    ) -> Vec<(Cell, Value)> {
        let mut body = json!({"count": count});
        if let Some(near) = near {
            body["near"] = json!(near.middle());
        }
        if let Some(lease) = lease {
            body["lease_seconds"] = lease.as_secs().into();
        }
        let path = self.world.campaign.path("/assignments");
        let Some(reply) = self.call(|client| client.post(&path).json(&body)).await else {
            return Vec::new();
        };
        let told = reply.expect(200);
        let assignments = told["assignments"].as_array().unwrap();
        assert_eq!(told["exhausted"], assignments.is_empty(), "{told}");
        let mut watch = self.world.watch();
        watch.empty += usize::from(assignments.is_empty());
        let mut given = Vec::new();
        for assignment in assignments {
            let cell = Cell::parse(assignment["cell"].as_str().unwrap());
            let offer = Offer {
                cell,
                reason: assignment["reason"].as_str().unwrap(),
                lease: lease.unwrap_or(self.world.lease),
                near,
            };
            watch.given(self.number, &offer);
            self.left.retain(|left| *left != cell);
            given.push((cell, assignment.clone()));
        }
        given
    }

    fn judge(&mut self, cell: Cell, assignment: &Value) -> Answer {
        let roll = self.dice.random_range(0..100);
        if roll < ABANDONED {
            return Answer::Leave;
        }
        let roll = roll - ABANDONED;
        let is_cloudy = self.world.cloudy.contains(&cell) && assignment.get("imagery").is_none();
        Answer::Send(if is_cloudy {
            look(cell, "bad_imagery")
        } else if roll < SKIPPED {
            look(cell, "skipped")
        } else if roll < SKIPPED + BAD_IMAGERY {
            look(cell, "bad_imagery")
        } else if roll < SKIPPED + BAD_IMAGERY + TAGGED {
            let (east, south) = (
                self.dice.random_range(0.1..0.9),
                self.dice.random_range(0.1..0.9),
            );
            tagged(cell, [point(cell.place(east, south))])
        } else {
            nothing(cell)
        })
    }

    async fn send(&mut self, look: &Value) {
        let path = self.world.campaign.path("/looks");
        if let Some(reply) = self.call(|client| client.post(&path).json(look)).await {
            reply.expect(201);
            self.acknowledge(look);
        }
    }

    fn acknowledge(&self, look: &Value) {
        let cell = Cell::parse(look["cell"].as_str().unwrap());
        let id = look["id"].as_str().unwrap();
        let outcome = look["outcome"].as_str().unwrap();
        self.world.watch().answered(self.number, cell, outcome, id);
    }

    /// Calls one of the servers, and again as it asks for; `None` when the campaign is over first.
    async fn call(&mut self, call: impl Fn(&Client) -> Call) -> Option<Reply> {
        let servers = &self.world.app.servers;
        loop {
            let server = &servers[self.dice.random_range(0..servers.len())];
            let reply = call(&self.client.at(&server.url)).await;
            if reply.status != 503 {
                return Some(reply);
            }
            self.world.watch().busy += 1;
            let wait: u64 = reply.header("retry-after").parse().unwrap();
            self.world.rest(Duration::from_secs(wait)).await;
            if self.world.is_over() {
                return None;
            }
        }
    }

    /// A random time in milliseconds, shorter when the campaign is over.
    async fn rest(&mut self, range: std::ops::Range<u64>) {
        let wait = Duration::from_millis(self.dice.random_range(range));
        self.world.rest(wait).await;
    }

    fn somewhere(&mut self) -> Cell {
        let cells = &self.world.campaign.cells;
        cells[self.dice.random_range(0..cells.len())]
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.dice.random_ratio(percent, 100)
    }
}
