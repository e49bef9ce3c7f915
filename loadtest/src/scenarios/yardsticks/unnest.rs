//! The yardstick of batches: the same rows by `unnest`, one client for each core, straight into
//! PostgreSQL.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{
    ledger::{look_id, tag_id, tag_place},
    measure::{Measured, Recorder},
    scenarios::sending::cell,
    statements::connect,
};

const SQL: &str = "-- loadtest::unnest
    WITH new_looks AS (
        INSERT INTO looks (volunteer_id, id, campaign_id, cell, outcome, campaign_version, started_at, finished_at, content_hash)
        SELECT g.volunteer_id, g.id, $1, g.cell, 'tagged', 1, '2026-11-23T07:00:00Z', '2026-11-23T07:00:09.5Z', g.hash
        FROM unnest($2::uuid[], $3::uuid[], $4::int8[], $5::bytea[]) AS g (volunteer_id, id, cell, hash)
    )
    INSERT INTO tags (volunteer_id, id, look_id, campaign_id, cell, tag_type, place, note, campaign_version)
    SELECT g.volunteer_id, g.id, g.look_id, $1, g.cell, 'wreckage', ST_SetSRID(ST_MakePoint(g.lon, g.lat), 4326), NULL, 1
    FROM unnest($2::uuid[], $6::uuid[], $3::uuid[], $4::int8[], $7::float8[], $8::float8[])
         AS g (volunteer_id, id, look_id, cell, lon, lat)";

pub struct Unnest {
    pub url: String,
    /// A campaign whose numbers nobody else uses.
    pub campaign_id: Uuid,
    /// Cells along an edge of it.
    pub edge: u32,
    pub batch: u16,
    next: AtomicU64,
}

impl Unnest {
    pub fn new(url: &str, campaign_id: Uuid, edge: u32, batch: u16) -> Self {
        Self {
            url: url.to_owned(),
            campaign_id,
            edge,
            batch,
            next: AtomicU64::new(0),
        }
    }

    /// Rates are of looks, times of statements.
    pub async fn run(self: &Arc<Self>, duration: Duration) -> anyhow::Result<Measured> {
        let mut clients = Vec::new();
        for _ in 0..std::thread::available_parallelism()?.get() {
            clients.push(connect(&self.url).await?);
        }
        let begin = Instant::now();
        let mut tasks = JoinSet::new();
        for client in clients {
            tasks.spawn(Arc::clone(self).drive(client, begin, duration));
        }
        let mut all = Recorder::new(begin);
        while let Some(done) = tasks.join_next().await {
            all.merge(&done??);
        }
        Ok(all.finish(begin.elapsed(), self.batch.into()))
    }

    async fn drive(
        self: Arc<Self>,
        client: Client,
        begin: Instant,
        duration: Duration,
    ) -> anyhow::Result<Recorder> {
        let statement = client.prepare(SQL).await?;
        let mut recorder = Recorder::new(begin);
        while begin.elapsed() < duration {
            let due = Instant::now();
            let batch = u64::from(self.batch);
            let first = self.next.fetch_add(batch, Ordering::Relaxed);
            let numbers: Vec<u64> = (first..first + batch).collect();
            let volunteer = Uuid::from_u128(u128::from(first / batch % 10_000));
            let volunteers = vec![volunteer; numbers.len()];
            let looks: Vec<Uuid> = numbers.iter().map(|n| look_id(*n)).collect();
            let tags: Vec<Uuid> = numbers.iter().map(|n| tag_id(*n, 0)).collect();
            let cell_of = |n: &u64| cell(*n, self.edge);
            let cells: Vec<i64> = numbers.iter().map(|n| cell_of(n).packed()).collect();
            let (lons, lats): (Vec<f64>, Vec<f64>) = numbers
                .iter()
                .map(|n| tag_place(*n, 0, cell_of(n)).into())
                .unzip();
            let hashes = vec![[7_u8; 32].as_slice(); numbers.len()];
            client
                .execute(
                    &statement,
                    &[
                        &self.campaign_id,
                        &volunteers,
                        &looks,
                        &cells,
                        &hashes,
                        &tags,
                        &lons,
                        &lats,
                    ],
                )
                .await?;
            recorder.answered(due);
        }
        Ok(recorder)
    }
}
